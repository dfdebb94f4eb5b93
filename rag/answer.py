"""Question to checked answer: retrieves, lets an engine draft, checks each sentence, and tells it as it happens."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from rag import extract
from rag.converse import Resolved, resolve
from rag.deep import DEPTH, Deep
from rag.draft import Draft
from rag.errors import ModelError
from rag.kinds import understand
from rag.narrow import narrow
from rag.relevant import everything, relevant
from rag.retrieve import retrieve
from rag.schema import Event, Evidence, Finished, Said, Stage, Turn, Usage, Where
from rag.store import Store

if TYPE_CHECKING:
    from rag.chain import Writer

# Papers looked at for an answer.
_LOOKED_AT = 40
# Sentences of a model that are checked at most: an answer has a dozen.
_SENTENCES = 60


def answer(store: Store, question: str, history: Sequence[Turn] = (), where: Where | None = None,
           writer: Writer | None = None, *, this_year: int, deep: bool = False) -> Iterator[Event]:
    """Answers as it goes: stages, then the evidence, then each checked sentence, then the whole answer.

    A model that fails, or whose every sentence fails the check, is answered for by the papers' own words.

    Args:
        store: the library's.
        question: in the reader's words; a follow-up is resolved against the history.
        history: earlier turns, oldest first.
        where: only these papers.
        writer: the language model's engine; None for the extractive one.
        this_year: what "the last two years" in a question is counted from.
        deep: whether the writer also helps to search, where the plain search has found something.

    Raises:
        NoLibraryError: there is no library.
    """
    clock = _Clock()
    notice = None
    resolved = resolve(question, history, where)
    if writer is not None and history:
        try:
            standing = writer.condense(question, history)
            resolved = Resolved(question=standing, rewritten=standing if standing != question else None, where=where)
        except ModelError as error:
            writer, notice = None, _instead(error)
        yield clock.stage("condense")
    draft = _search(store, question, resolved, clock, this_year)
    if not draft.relevant.papers and resolved.where != where:
        # The papers of the answer before do not answer it, so it was not about them.
        resolved = Resolved(question=question, where=where)
        draft = _search(store, question, resolved, clock, this_year)
    draft.notice = notice
    yield clock.stage("retrieve")
    if deep and writer is not None and len(draft.relevant.papers) > 1 and not draft.bare:
        draft = yield from _dig(draft, writer, resolved.where, clock)
    yield Evidence(hits=tuple(item.hit for item in draft.relevant.papers.values()), narrowed=draft.narrowed.told)
    if not draft.relevant.papers:
        yield from draft.abstain()
        return
    if writer is not None:
        draft.engine, draft.model = "llm", writer.name
        yield from _write(draft, writer, resolved.question)
        yield clock.stage("write")
        if draft.declined and not draft.numbers:
            yield from draft.abstain()
            return
        if not draft.numbers and draft.notice is None:
            draft.notice = _instead("Nothing the model wrote stood up to the papers.")
    if writer is None or draft.notice is not None:
        if not draft.numbers:
            draft.engine = "extractive"
        for drafted in extract.draft(draft.retrieved, draft.relevant.papers, draft.relevant.sure):
            # Nothing was asked that these papers could address: they are what was asked for, or the first of them.
            if drafted.labels or not draft.bare:
                yield from draft.take(drafted)
        yield clock.stage("extract")
    yield Finished(answer=draft.finished())


def _search(store: Store, question: str, resolved: Resolved, clock: _Clock, this_year: int) -> Draft:
    """The draft of an answer on what is found."""
    narrowed = narrow(store, resolved.question, resolved.where, this_year)
    found = retrieve(store, narrowed.question, _LOOKED_AT, narrowed.where)
    bare = narrowed.told is not None and not narrowed.question
    return Draft(store=store, retrieved=found, relevant=everything(found) if bare else relevant(found),
                 asks=understand(narrowed.question), bare=bare, question=question, rewritten=resolved.rewritten,
                 narrowed=narrowed, timings=clock.seconds)


def _dig(plain: Draft, writer: Writer, where: Where | None, clock: _Clock) -> Generator[Stage, None, Draft]:
    """The draft on what is found with the model's help; how sure it is of an answer stays as the plain search said."""
    deep = Deep(writer)
    found = deep.widen(plain.store, plain.retrieved, DEPTH, where, deep.rewrite(plain.retrieved.question))
    yield clock.stage("rewrite")
    found = deep.rerank(found)
    yield clock.stage("rerank")
    better = relevant(found, judged=plain.relevant.confidence)
    draft = plain.on(found, better) if better.papers else plain
    draft.aside, draft.usage = deep.notice, deep.usage
    return draft


def _write(draft: Draft, writer: Writer, question: str) -> Iterator[Said]:
    """The model's sentences that pass the check; a failure becomes the draft's notice."""
    from rag.chain import declines

    evidence = {label: item.hit for label, item in draft.relevant.papers.items()}
    try:
        for number, item in enumerate(writer.draft(question, evidence)):
            if number == _SENTENCES:
                # Whoever writes on and on is not answering; what stood up so far is the answer.
                return
            if isinstance(item, Usage):
                draft.usage = item if draft.usage is None else draft.usage + item
            elif declines(item):
                draft.declined = True
            else:
                yield from draft.take(item)
    except ModelError as error:
        draft.notice = _instead(error)


def _instead(reason: object) -> str:
    return f"{reason} What follows is in the papers' own words."


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def stage(self, name: str) -> Stage:
        now = perf_counter()
        self.seconds[name] = now - self._last
        self._last = now
        return Stage(name=name, seconds=self.seconds[name])
