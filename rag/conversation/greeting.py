"""A greeting for a greeting, thanks for thanks, and what Vouch is for whoever asks. No search."""

from __future__ import annotations

import re
from typing import Literal

from rag.examples import examples
from rag.schema import Answer, Sentence
from rag.store import Store

Kind = Literal["hello", "thanks", "bye", "who", "help"]

_YOU = r"(?:[\s,!.]+(?:there|vouch|again|all|everyone|you|very\s+much|so\s+much|a\s+lot|please|friend))*"
_KINDS: dict[Kind, str] = {
    "hello": rf"(?:(?:hi+|hello|hey+|hiya|howdy|greetings|good\s+(?:morning|afternoon|evening|day)){_YOU}"
             r"(?:[\s,!.?]+how\s+(?:are\s+you|do\s+you\s+do)(?:\s+(?:today|doing))?)?"
             r"|how\s+are\s+you(?:\s+(?:today|doing))?)",
    "thanks": r"(?:(?:ok(?:ay)?|great|perfect|nice|cool)[\s,!.]+)*"
              rf"(?:thanks|thank\s+you|thx|cheers|much\s+appreciated){_YOU}"
              r"(?:[\s,!.]+(?:that\s+(?:helps|helped)|for\s+(?:that|this|your\s+help|the\s+help)))?",
    "bye": rf"(?:bye(?:\s+bye)?|good\s*bye|see\s+you(?:\s+(?:later|soon))?|good\s+night){_YOU}",
    "who": r"(?:who|what)\s+are\s+you|"
           r"what(?:['’]s|\s+is)\s+(?:vouch|this(?:\s+(?:tool|program|app|thing))?|your\s+name)|"
           r"(?:tell\s+me\s+about|introduce)\s+yourself|are\s+you\s+(?:a\s+)?(?:human|bot|robot|an\s+ai|chatgpt|real)",
    "help": r"help(?:\s+me)?|what\s+(?:can|do)\s+you\s+do|what\s+can\s+you\s+help\s+(?:me\s+)?with|"
            r"how\s+(?:does|do)\s+(?:this|you|vouch)\s+work|"
            r"how\s+(?:do|can|should)\s+i\s+(?:use|start|ask)(?:\s+(?:this|you|it|vouch))?",
}
_PATTERNS = {kind: re.compile(rf"\W*(?:{pattern})\W*", re.IGNORECASE) for kind, pattern in _KINDS.items()}
_LONGEST = 80


def greets(question: str) -> Kind | None:
    """What kind of greeting it is; None for a question."""
    if len(question) > _LONGEST:
        return None
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(question)), None)


def answer(store: Store, question: str, kind: Kind) -> Answer:
    """The greeting's answer, with two questions to ask that the library can answer. Needs no library."""
    papers = store.catalogue.papers() if store.exists else ()
    said: list[str] = []
    if kind == "hello":
        said.append("Hello.")
    elif kind == "thanks":
        said.append("You are welcome.")
    elif kind == "bye":
        said.append("Goodbye.")
    else:
        said += ["Vouch answers questions from the papers in your library.",
                 "Each sentence names the papers it rests on, and was checked against their words; where the library "
                 "has no answer, it says so."]
    if kind == "help":
        said.append("Follow-ups such as “which of them use ensembles?”, “tell me about the second one” or “shorter” go "
                    "by the answer before.")
    if kind not in ("thanks", "bye"):
        said += _invitation(len(papers), examples(papers, 2))
    sentences = tuple(Sentence(text=text, kind="frame") for text in said)
    return Answer(question=question, kind="greeting", text=" ".join(said), sentences=sentences, confidence=1.0)


def _invitation(papers: int, questions: tuple[str, ...]) -> list[str]:
    if not papers:
        return ["There are no papers yet: `vouch ingest FILE` adds yours, `vouch ingest --sample` a sample."]
    of = "the one paper here" if papers == 1 else f"the {papers} papers here"
    if not questions:
        return [f"Ask about {of}."]
    return [f"Ask about {of}, for instance “{'” or “'.join(questions)}”"]
