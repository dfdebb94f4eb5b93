"""The one LangChain chain: papers to evidence, evidence to prompt, prompt to model, model to sentences.

Imported only where a model or a LangChain retriever is used.
"""

from __future__ import annotations

import functools
import re
import string
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

import prompts
from rag.errors import ModelError, SettingsError
from rag.llm import Model, open_model
from rag.parse import Drafted, parse
from rag.rerank import Ranked, rerank
from rag.rewrite import rewrite
from rag.schema import Hit, Paper, Turn, Usage
from rag.settings import Settings
from rag.text import content_stems, letters, sentences

NO_ANSWER = "The library does not answer this."

_REPLY = 1_024  # tokens of the window kept free for the answer
_EVIDENCE = 6_000  # tokens of evidence at most: more costs time and buries what matters
_TURNS = 4  # turns of the conversation shown when a follow-up is rewritten
_TURN = 600  # characters of each answer shown there


class PaperRetriever(BaseRetriever):
    """A library's search as a LangChain retriever: one document a passage, best paper first.

    ``metadata`` holds paper_id, title, year, url, score (0..1), rank (of the paper, from 1), and the passage's start
    and end in the paper's abstract.
    """

    retrieve: Callable[[str], tuple[Hit, ...]]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun  # noqa: ARG002 - LangChain's signature
    ) -> list[Document]:
        return documents(self.retrieve(query))


def documents(hits: Sequence[Hit]) -> list[Document]:
    """A document for each passage of each paper, in their order; a paper without passages gives its whole abstract."""
    found = []
    for rank, hit in enumerate(hits, 1):
        paper = hit.paper
        spans = [(passage.text, passage.start, passage.end) for passage in hit.passages]
        for text, start, end in spans or [(paper.abstract, 0, len(paper.abstract))]:
            metadata = {"paper_id": paper.id, "title": paper.label, "year": paper.year, "url": paper.url,
                        "text_kind": paper.text_kind,
                        "score": hit.score, "rank": rank, "start": start, "end": end}
            found.append(Document(page_content=text, metadata=metadata))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Evidence as the model gets it.

    Attributes:
        text: the passages under their papers' labels.
        labels: label ("E1", "E2", ... by rank) to paper id, of the papers that found room.
    """

    text: str
    labels: Mapping[str, str]

    def find(self, label: str) -> str | None:
        """The label that was meant: with its letter where the model left it out; None if it was never given."""
        meant = label.upper() if label[:1] in "Ee" else f"E{label}"
        return meant if meant in self.labels else None


def pack(found: Sequence[Document], budget_tokens: int, count: Callable[[str], int]) -> Packed:
    """As much evidence as the budget holds: first each paper's best passage, then what else there is, both by rank.

    Passages are cut only between sentences, and packing stops at the first that does not fit, so that no paper is in
    while a better one is out. The best paper's best passage is always in, whole.

    Args:
        found: passages as `documents` gives them: papers by rank, each one's best passage first.
        budget_tokens: what the text may count.
        count: counts a text's tokens.
    """
    papers = [list(group) for _, group in groupby(found, key=lambda document: document.metadata["paper_id"])]
    chosen: list[list[Document]] = []
    spent = 0
    for paper in papers:
        head = count(_shown(len(chosen) + 1, [paper[0].model_copy(update={"page_content": ""})]))
        fitting = paper[0] if not chosen else _cut(paper[0], budget_tokens - spent - head, count)
        if fitting is None:
            break
        chosen.append([fitting])
        spent += head + count(fitting.page_content)
        if fitting is not paper[0]:
            break
    else:
        rest = [(paper, document) for paper, group in zip(chosen, papers, strict=True) for document in group[1:]]
        for paper, document in rest:
            fitting = _cut(document, budget_tokens - spent, count)
            if fitting is None:
                break
            paper.append(fitting)
            spent += count(fitting.page_content)
    return Packed(text="\n\n".join(_shown(number, paper) for number, paper in enumerate(chosen, 1)),
                  labels={f"E{number}": paper[0].metadata["paper_id"] for number, paper in enumerate(chosen, 1)})


def _cut(document: Document, budget: int, count: Callable[[str], int]) -> Document | None:
    """The document, or as many of its first sentences as the budget holds; None where not one does."""
    if count(document.page_content) <= budget:
        return document
    text, start = document.page_content, document.metadata["start"]
    ends = [end for _, end in sentences(text) if count(text[:end]) <= budget]
    if not ends:
        return None
    metadata = {**document.metadata, "end": start + ends[-1]}
    return Document(page_content=text[:ends[-1]], metadata=metadata)


def _shown(number: int, passages: Sequence[Document]) -> str:
    """One paper's passages in the order of its abstract, overlaps joined, under its label and title."""
    first = passages[0].metadata
    text, end = "", 0
    for passage in sorted(passages, key=lambda passage: passage.metadata["start"]):
        start = passage.metadata["start"]
        if not text:
            text = passage.page_content
        elif start <= end:
            text += passage.page_content[end - start:]
        else:
            text += f" … {passage.page_content}"
        end = max(end, passage.metadata["end"])
    title = first["title"] + (f" ({first['year']})" if first["year"] else "")
    return prompts.load("evidence").fill(label=f"E{number}", title=title, text=" ".join(text.split()))


def room(model: Model, question: str) -> int:
    """Tokens of evidence that the model's window holds beside the rules, the question and an answer.

    Raises:
        ModelError: there is no room for any.
    """
    fixed = sum(model.count(prompts.load(name).text) for name in ("answer", "question")) + model.count(question)
    left = min(_EVIDENCE, model.window - min(_REPLY, model.window // 4) - fixed)
    if left < 64:
        raise ModelError(f"The question leaves no room for evidence in the {model.window} tokens of {model.name}; "
                         "ask more briefly, or set VOUCH_CONTEXT if its window is larger.")
    return left


def build(
    model: Model, retriever: BaseRetriever, left: threading.Event | None = None
) -> Runnable[str, Packed | Drafted | Usage]:
    """The chain: a question in; out come the evidence it goes by, each sentence once it is complete, and the usage.

    To be streamed. A ``ModelError`` comes out of it as it is, after the sentences that were complete by then.
    LangChain reads a stream that is closed to its end; to leave at once, set ``left`` first.
    """

    def evidence(question: str) -> _Asked:
        packed = pack(retriever.invoke(question), room(model, question), model.count)
        value = _template().invoke({"question": question, "evidence": packed.text, "no_answer": NO_ANSWER})
        return _Asked(packed=packed, messages=value.to_messages())

    def speak(asked: _Asked) -> Iterator[Packed | str | Usage]:
        yield asked.packed
        yield from model.stream(asked.messages, left)

    return RunnableLambda(evidence) | RunnableLambda(speak) | RunnableGenerator(_read)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    packed: Packed
    messages: Sequence[BaseMessage]


@functools.cache
def _template() -> ChatPromptTemplate:
    """The prompts in LangChain's own notation: braces for variables, doubled where they are text."""

    def braced(name: str) -> str:
        prompt = prompts.load(name)
        text = prompt.text.replace("{", "{{").replace("}", "}}")
        return string.Template(text).substitute({variable: f"{{{variable}}}" for variable in prompt.variables})

    return ChatPromptTemplate.from_messages([("system", braced("answer")), ("human", braced("question"))])


def _read(items: Iterator[Packed | str | Usage]) -> Iterator[Packed | Drafted | Usage]:
    usage: list[Usage] = []

    def pieces() -> Iterator[str]:
        for item in items:
            if isinstance(item, str):
                yield item
            elif isinstance(item, Usage):
                usage.append(item)

    packed = next(items)
    if isinstance(packed, Packed):
        yield packed
    yield from parse(pieces())
    yield from usage


def condense(model: Model, question: str, history: Sequence[Turn]) -> str:
    """The question as it stands without the conversation; itself where the model gives nothing that could be it.

    Raises:
        ModelError: the model failed.
    """
    if not history:
        return question
    turns = [f"User: {turn.question}\nAnswer: {_head(turn.answer.text)}" for turn in history[-_TURNS:]]
    prompt = prompts.load("condense").fill(history="\n".join(turns), question=question)
    said = "".join(piece for piece in model.stream([HumanMessage(prompt)]) if isinstance(piece, str))
    line = " ".join(sentence.text for sentence in parse([said]))
    line = re.sub(r"^[\w -]{0,40}\bquestion\s*:\s*", "", line, flags=re.IGNORECASE).strip(" \"'“”‘’")
    # A model that chats, refuses or answers instead speaks of what nobody asked about.
    stems, known = set(content_stems(line)), set(content_stems(prompt))
    if not stems or len(stems & known) < len(stems) / 2 or len(line) > 2 * len(question) + 300:
        return question
    return question if letters(line) == letters(question) else line


def _head(text: str) -> str:
    """The text's first sentences."""
    ends = [end for _, end in sentences(text) if end <= _TURN]
    return text[:ends[-1] if ends else _TURN]


class Writer:
    """The language model's engine: rewrites questions, orders papers, drafts answers that are still to be checked."""

    def __init__(self, settings: Settings) -> None:
        """Set up; nothing is sent.

        Raises:
            SettingsError: there is no model, or it cannot be set up as it is configured.
        """
        if settings.model is None:
            raise SettingsError("No language model is configured; set VOUCH_MODEL, e.g. to openai:gpt-5-mini.")
        self._model = open_model(settings.model, settings)

    @property
    def name(self) -> str:
        """The model's name, as VOUCH_MODEL gives it."""
        return self._model.name

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """See `condense`."""
        return condense(self._model, question, history)

    def rewrite(self, question: str, spent: Callable[[Usage], None]) -> tuple[str, ...]:
        """See `rag.rewrite.rewrite`."""
        return rewrite(self._model, question, spent)

    def rerank(self, question: str, papers: Sequence[Paper], spent: Callable[[Usage], None]) -> Ranked:
        """See `rag.rerank.rerank`."""
        return rerank(self._model, question, papers, spent)

    def draft(self, question: str, evidence: Mapping[str, Hit]) -> Iterator[Drafted | Usage]:
        """An answer from the evidence, sentence by sentence, and then the tokens it took where the server tells.

        Args:
            question: one that stands alone.
            evidence: label to paper, best first. Sentences come with these labels; one that the model invented, or
                that found no room in its window, is left out.

        Raises:
            ModelError: the model failed; the sentences before were complete.
        """
        given = {hit.paper.id: label for label, hit in evidence.items()}
        retriever = PaperRetriever(retrieve=lambda _: tuple(evidence.values()))
        packed = Packed(text="", labels={})
        left = threading.Event()
        # Named, so that it outlives the loop and is closed only after ``left`` is set.
        answer = build(self._model, retriever, left).stream(question)
        try:
            for item in answer:
                if isinstance(item, Packed):
                    packed = item
                elif isinstance(item, Drafted):
                    known = [packed.labels[label] for written in item.labels if (label := packed.find(written))]
                    yield Drafted(text=item.text, labels=tuple(dict.fromkeys(given[paper_id] for paper_id in known)))
                else:
                    yield item
        finally:
            left.set()


def declines(drafted: Drafted) -> bool:
    """Whether the model said, in the words it was told to, that the evidence has no answer."""
    return letters(drafted.text) == letters(NO_ANSWER)
