"""The one LangChain chain: papers to evidence, evidence to prompt, prompt to model, model to quotes and sentences.

Imported only where a model or a LangChain retriever is used.
"""

from __future__ import annotations

import functools
import re
import string
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

import prompts
from rag.checker.stance import Side
from rag.drafted import Drafted
from rag.errors import ModelError, SettingsError
from rag.kinds import Asks
from rag.llm import Gauge, Model, gauge, open_model
from rag.models.cost import Account
from rag.models.judge import Judge
from rag.models.packing import Packed, documents, pack
from rag.models.parse import Reader, parse
from rag.models.picking import Picked, Picking
from rag.models.quoting import Quotes, Resolving
from rag.models.remembered import Remembered
from rag.models.rerank import Ranked, rerank
from rag.models.rewrite import rewrite
from rag.models.weigh import weigh
from rag.schema import Hit, Paper, Turn, Usage
from rag.settings import Settings
from rag.text import content_stems, letters, sentences

NO_ANSWER = "The library does not answer this."

_REPLY = 1_536  # tokens of the window kept free for quotes and answer
_EVIDENCE = 6_000  # tokens of evidence at most: more costs time and buries what matters
_TURNS = 4  # turns of the conversation shown when a follow-up is rewritten
_EARLIER, _TURN = 300, 600  # characters of each question and each answer shown there
_LONGEST = 1_000  # characters of a question that is read in its conversation: who writes more says it all
_BRIEF = 3  # sentences of a brief answer, as prompts/brief.md says


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


def room(model: Gauge, question: str, kind: str = "") -> int:
    """Tokens of evidence that the model's window holds beside the rules, the question and an answer.

    Args:
        model: the one to be asked.
        question: what it will be asked.
        kind: what the rules will say of the kind of answer.

    Raises:
        ModelError: there is no room for any.
    """
    rules = sum(model.count(prompts.load(name).text) for name in ("answer", "question"))
    fixed = rules + model.count(f"{kind} {NO_ANSWER} {question}")
    left = min(_EVIDENCE, model.window - min(_REPLY, model.window // 4) - fixed)
    if left < 64:
        raise ModelError(f"The question leaves no room for evidence in the {model.window} tokens of {model.name}; "
                         "ask more briefly, or set VOUCH_CONTEXT if its window is larger.")
    return left


def build(model: Model, retriever: BaseRetriever, asks: Asks | None = None, *, brief: bool = False,
          left: threading.Event | None = None) -> Runnable[str, Packed | tuple[Picked, ...] | Drafted | Usage]:
    """The chain: a question in; out come the evidence it goes by, the quotes picked from it, sentences, and the usage.

    To be streamed: quotes come together as soon as the model has gone on to something else, each sentence once it is
    complete. A ``ModelError`` comes out of it as it is, after the sentences that were complete by then. LangChain reads
    a stream that is closed to its end; to leave at once, set ``left`` first.
    """

    def evidence(question: str) -> _Asked:
        return _ask(model, question, retriever.invoke(question), asks, brief=brief)

    def speak(asked: _Asked) -> Iterator[Packed | str | Usage]:
        yield asked.packed
        yield from model.stream(asked.messages, left)

    return RunnableLambda(evidence) | RunnableLambda(speak) | RunnableGenerator(_read)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    packed: Packed
    messages: Sequence[BaseMessage]


def _ask(model: Gauge, question: str, found: Sequence[Document], asks: Asks | None, *, brief: bool) -> _Asked:
    kind = guidance(asks or Asks(), brief=brief)
    packed = pack(found, room(model, question, kind), model.count)
    value = _template().invoke({"question": question, "evidence": packed.text, "no_answer": NO_ANSWER, "kind": kind})
    return _Asked(packed=packed, messages=value.to_messages())


def guidance(asks: Asks, *, brief: bool = False) -> str:
    """What the rules say of the kind of answer that is asked for."""
    name = f"kind-{asks.kind}"
    prompt = prompts.load(name if name in prompts.names() else "kind-overview")
    said = prompt.fill(**{name: " and ".join(asks.sides) or "the things compared" for name in prompt.variables})
    return f"{said} {prompts.load('brief').text}" if brief else said


@functools.cache
def _template() -> ChatPromptTemplate:
    """The prompts in LangChain's own notation: braces for variables, doubled where they are text."""

    def braced(name: str) -> str:
        prompt = prompts.load(name)
        text = prompt.text.replace("{", "{{").replace("}", "}}")
        return string.Template(text).substitute({variable: f"{{{variable}}}" for variable in prompt.variables})

    return ChatPromptTemplate.from_messages([("system", braced("answer")), ("human", braced("question"))])


def _read(items: Iterator[Packed | str | Usage]) -> Iterator[Packed | tuple[Picked, ...] | Drafted | Usage]:
    picking, reader = Picking(), Reader()
    picked: list[Picked] = []
    usage: list[Usage] = []

    def sort(parts: Iterator[Picked | str]) -> Iterator[tuple[Picked, ...] | Drafted]:
        for part in parts:
            if isinstance(part, Picked):
                picked.append(part)
                continue
            if picked and not part.isspace():
                yield tuple(picked)
                picked.clear()
            yield from reader.read(part)

    for item in items:
        if isinstance(item, str):
            yield from sort(picking.read(item))
        elif isinstance(item, Usage):
            usage.append(item)
        else:
            yield item
    yield from sort(picking.end())
    yield from [tuple(picked)] * bool(picked)
    yield from reader.end()
    yield from usage


def condense(model: Model, question: str, history: Sequence[Turn]) -> str:
    """The question as it stands without the conversation; itself where the model gives nothing that could be it.

    It stays as it is too where it is long, and where the model's window holds no turn beside it. Of the conversation
    the last turns are shown that find room.

    Raises:
        ModelError: the model failed.
    """
    turns = [f"User: {_head(turn.question, _EARLIER)}\nAnswer: {_head(turn.answer.text, _TURN)}"
             for turn in history[-_TURNS:]] if len(question) <= _LONGEST else []
    while turns:
        prompt = prompts.load("condense").fill(history="\n".join(turns), question=question)
        if model.count(prompt) <= model.window - min(_REPLY, model.window // 4):
            break
        turns.pop(0)
    else:
        return question
    said = model.ask(prompt, valid=lambda said: _standing(said, question, prompt) is not None)
    return _standing(said, question, prompt) or question


def _standing(said: str, question: str, prompt: str) -> str | None:
    """The question that a model wrote; None where it can be no form of the one that was asked."""
    line = " ".join(sentence.text for sentence in parse([said]))
    line = re.sub(r"^[\w -]{0,40}\bquestion\s*:\s*", "", line, flags=re.IGNORECASE).strip(" \"'“”‘’")
    # A model that chats, refuses or answers instead speaks of what nobody asked about.
    stems, known = set(content_stems(line)), set(content_stems(prompt))
    if not stems or len(stems & known) < len(stems) / 2 or len(line) > 2 * len(question) + 300:
        return None
    return question if letters(line) == letters(question) else line


def _head(text: str, most: int) -> str:
    """The text's first sentences, within so many characters."""
    ends = [end for _, end in sentences(text[:2 * most]) if end <= most]
    return text[:ends[-1] if ends else most]


class Writer:
    """The language model's engine: rewrites questions, orders papers, drafts answers that are still to be checked."""

    def __init__(self, settings: Settings, remembered: Remembered | None = None) -> None:
        """Set up; nothing is sent.

        Args:
            settings: the model, and the judge where there is one.
            remembered: what they wrote before; None to remember nothing.

        Raises:
            SettingsError: there is no model, or it or the judge cannot be set up as it is configured.
        """
        if settings.model is None:
            raise SettingsError("No language model is configured; set VOUCH_MODEL, e.g. to openai:gpt-5-mini.")
        self._model = open_model(settings.model, settings, remembered)
        self._judge = open_model(settings.judge, settings, remembered) if settings.judge else None

    def on(self, account: Account) -> Writer:
        """The same engine, with all its calls on an account: that of one answer."""
        writer = copy(self)
        writer._model = self._model.on(account)
        writer._judge = self._judge.on(account) if self._judge else None
        return writer

    @property
    def model(self) -> Model:
        """The model, with its calls on the same account."""
        return self._model

    @property
    def account(self) -> Account:
        """What its calls took, and what they may take."""
        return self._model.account

    def judge(self) -> Judge | None:
        """A second opinion for one answer; None where the settings name no judge."""
        return Judge(model=self._judge) if self._judge else None

    @property
    def name(self) -> str:
        """The model's name, as VOUCH_MODEL gives it."""
        return self._model.name

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """See `condense`."""
        return condense(self._model, question, history)

    def rewrite(self, question: str) -> tuple[str, ...]:
        """See `rag.models.rewrite.rewrite`."""
        return rewrite(self._model, question)

    def rerank(self, question: str, papers: Sequence[Paper]) -> Ranked:
        """See `rag.models.rerank.rerank`."""
        return rerank(self._model, question, papers)

    def weigh(self, claim: str, quotes: Sequence[str]) -> Mapping[int, Side | None]:
        """See `rag.models.weigh.weigh`."""
        return weigh(self._model, claim, quotes)

    def draft(self, question: str, evidence: Mapping[str, Hit], asks: Asks | None = None, *,
              brief: bool = False) -> Iterator[Drafted | Quotes | Usage]:
        """An answer from the evidence: what it quotes, sentence by sentence, and the tokens where the server tells.

        Where the model only quotes, its quotes are the answer.

        Args:
            question: one that stands alone.
            evidence: label to paper, best first. Sentences come with these labels: of the papers that they name, and of
                those that hold the quotes that they name. One that the model invented, that found no room in its
                window, or whose quote is in no paper, is left out.
            asks: the kind of answer; None for a list of papers.
            brief: whether three sentences are enough.

        Raises:
            ModelError: the model failed; the sentences before were complete.
        """
        resolving = Resolving(papers={label: hit.paper.abstract for label, hit in evidence.items()})
        given = {hit.paper.id: label for label, hit in evidence.items()}
        retriever = PaperRetriever(retrieve=lambda _: tuple(evidence.values()))
        left = threading.Event()
        # Named, so that it outlives the loop and is closed only after ``left`` is set.
        answer = build(self._model, retriever, asks, brief=brief, left=left).stream(question)
        written = 0
        usage: list[Usage] = []
        try:
            for item in answer:
                if isinstance(item, Packed):
                    resolving.given = {label: given[paper_id] for label, paper_id in item.labels.items()}
                elif isinstance(item, Usage):
                    usage.append(item)
                elif not isinstance(item, Drafted):
                    yield from resolving.quotes(item)
                # What goes beyond a brief answer is read all the same: one that is left tells no usage.
                elif not resolving.leads(item) and not (brief and written == _BRIEF):
                    yield _sided(resolving.sentence(item), asks)
                    written += 1
        finally:
            left.set()
        if not written:
            yield from resolving.alone()[:_BRIEF if brief else None]
        yield from usage


def _sided(drafted: Drafted, asks: Asks | None) -> Drafted:
    """A sentence that opens with the name of one of the things compared, and a colon, speaks of that one."""
    opening, colon, rest = drafted.text.partition(": ")
    side = next((side for side in (asks.sides if asks else ()) if letters(side) == letters(opening)), None)
    return replace(drafted, side=side, text=rest[:1].upper() + rest[1:]) if side and colon and rest else drafted


def declines(drafted: Drafted) -> bool:
    """Whether the model said, in the words it was told to, that the evidence has no answer."""
    return letters(drafted.text) == letters(NO_ANSWER)


def shown(settings: Settings, question: str, evidence: Mapping[str, Hit], asks: Asks | None = None, *,
          brief: bool = False) -> str:
    """What a model would be sent for an answer, as text; nothing is sent, and no model needs to be set up.

    Raises:
        ModelError: the question leaves no room for evidence.
    """
    asked = _ask(gauge(settings), question, documents(tuple(evidence.values())), asks, brief=brief)
    return "\n\n".join(f"{message.type}:\n{message.text}" for message in asked.messages)
