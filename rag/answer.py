"""Question to checked answer: looks up, lets an engine draft, checks each sentence, and tells it as it happens."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from rag import claim, extract
from rag.conversation import greeting, holdings, language, retell
from rag.conversation.converse import Resolved, resolve, settle
from rag.draft import Draft
from rag.drafted import Drafted
from rag.errors import ModelError
from rag.look import Looked, look
from rag.models.deep import DEPTH, Deep
from rag.models.quoting import Quotes
from rag.relevant import relevant
from rag.schema import Answer, Event, Evidence, Finished, Hit, Said, Stage, Turn, Usage, Where
from rag.settings import Settings
from rag.store import Store

if TYPE_CHECKING:
    from rag.chain import Writer

# Sentences of a model that are checked at most: an answer has a dozen.
_SENTENCES = 60


def answer(store: Store, question: str, history: Sequence[Turn] = (), where: Where | None = None,
           writer: Writer | None = None, *, this_year: int, deep: bool = False) -> Iterator[Event]:
    """Answers as it goes: stages, then the evidence, then each checked sentence, then the whole answer.

    A greeting is greeted, and a question about the library itself is answered by its catalogue. A model that fails, or
    whose every sentence fails the check, is answered for by the papers' own words.

    Args:
        store: the library's.
        question: in the reader's words; a follow-up is resolved against the history.
        history: earlier turns, oldest first.
        where: only these papers.
        writer: the language model's engine, on this answer's account; None for the extractive one.
        this_year: what "the last two years" in a question is counted from.
        deep: whether the writer also helps to search, where the plain search has found something.

    Raises:
        NoLibraryError: there is no library.
    """
    asked = " ".join(question.split())
    if kind := greeting.greets(asked):
        yield from _given(greeting.answer(store, question, kind))
        return
    clock = _Clock()
    account = writer.account if writer else None
    resolved = resolve(asked, history, where)
    # By the rules' reading alone: what a model makes of a question is no ground to search a catalogue by.
    if told := holdings.answer(store, question, resolved, this_year=this_year):
        yield from _given(told)
        return
    notice = None
    if writer is not None and history and not resolved.exact:
        try:
            resolved = settle(resolved, writer.condense(asked, history), asked)
        except ModelError as error:
            writer, notice = None, _instead(error)
        yield clock.stage("condense")
    resolved, looked = _look(store, asked, resolved, where, this_year)
    yield clock.stage("retrieve")
    draft = Draft(store=store, looked=looked, question=question, rewritten=resolved.rewritten, notice=notice,
                  remark=resolved.notice or language.limit(asked), timings=clock.seconds, account=account)
    if deep and writer is not None and len(looked.relevant.papers) > 1 and not (
            looked.bare or resolved.whole or resolved.exact or resolved.notice):
        draft = yield from _dig(draft, writer, resolved.where, clock)
    papers = draft.looked.relevant.papers
    yield Evidence(hits=tuple(item.hit for item in papers.values()), rewritten=draft.rewritten,
                   narrowed=draft.looked.narrowed.told)
    if not papers or resolved.notice:
        yield from draft.abstain()
        return
    if writer is not None and not resolved.whole:
        draft.engine, draft.model, draft.judge = "llm", writer.name, writer.judge()
        yield from _write(draft, writer, resolved, clock)
        if draft.declined and not draft.numbers:
            yield from draft.abstain()
            return
        if not draft.numbers and draft.notice is None:
            writer.account.forget()
            draft.notice = _instead("Nothing the model wrote stood up to the papers.")
    if draft.engine == "extractive" or draft.notice is not None:
        if not draft.numbers:
            draft.engine, draft.model = "extractive", None
        for drafted in _extracted(draft, resolved):
            yield from draft.take(drafted)
        yield clock.stage("extract")
    yield Finished(answer=draft.finished())


def prompt(store: Store, settings: Settings, question: str, history: Sequence[Turn] = (), where: Where | None = None,
           *, this_year: int) -> str:
    """What a model would be sent to answer a question; empty where it would not be asked. Nothing is sent.

    Raises:
        NoLibraryError: there is no library.
    """
    from rag.chain import shown

    asked = " ".join(question.split())
    resolved = resolve(asked, history, where)
    if greeting.greets(asked) or holdings.answer(store, question, resolved, this_year=this_year):
        return ""
    resolved, looked = _look(store, asked, resolved, where, this_year)
    evidence = {label: item.hit for label, item in looked.relevant.papers.items()}
    if not evidence or resolved.whole or resolved.notice:
        return ""
    return shown(settings, resolved.rewritten or resolved.question, evidence, looked.asks, brief=bool(resolved.brief))


def _look(store: Store, question: str, resolved: Resolved, where: Where | None,
          this_year: int) -> tuple[Resolved, Looked]:
    """What is found; in the whole library where a follow-up's own papers do not answer it: it was not about them."""
    looked = look(store, resolved, this_year)
    if looked.relevant.papers or resolved.where == where or resolved.exact:
        return resolved, looked
    alone = Resolved(question=question, where=where)
    return alone, look(store, alone, this_year)


def _given(answer: Answer) -> Iterator[Event]:
    """An answer that needs no search, as events."""
    yield Evidence(hits=tuple(Hit(paper=reference.paper, score=1.0) for reference in answer.references),
                   rewritten=answer.rewritten_question, narrowed=answer.narrowed)
    for sentence in answer.sentences:
        yield Said(sentence=sentence)
    yield Finished(answer=answer)


def _dig(plain: Draft, writer: Writer, where: Where | None, clock: _Clock) -> Generator[Stage, None, Draft]:
    """The draft on what is found with the model's help; how sure it is of an answer stays as the plain search said."""
    deep = Deep(writer)
    looked = plain.looked
    found = deep.widen(plain.store, looked.retrieved, DEPTH, where, deep.rewrite(looked.retrieved.question))
    yield clock.stage("rewrite")
    found = deep.rerank(found)
    yield clock.stage("rerank")
    if deep.notice:
        # What it wrote is of no use, so another time it is asked again.
        writer.account.forget()
    better = relevant(found, judged=looked.relevant.confidence)
    return replace(plain, aside=deep.notice,
                   looked=replace(looked, retrieved=found, relevant=better) if better.papers else looked)


def _write(draft: Draft, writer: Writer, resolved: Resolved, clock: _Clock) -> Iterator[Event]:
    """The model's sentences that pass the check; a failure becomes the draft's notice."""
    from rag.chain import declines

    evidence = {label: item.hit for label, item in draft.looked.relevant.papers.items()}
    drafts = writer.draft(resolved.rewritten or resolved.question, evidence, draft.looked.asks,
                          brief=bool(resolved.brief))
    number, quotes = 0, Quotes()
    try:
        for item in drafts:
            if isinstance(item, Quotes):
                quotes = item
                yield clock.stage("quote", len(quotes.kept))
            elif isinstance(item, Usage):
                continue
            elif declines(item):
                draft.declined = True
            elif number == _SENTENCES:
                # Whoever writes on and on is not answering; what stood up so far is the answer.
                break
            else:
                number += 1
                yield from draft.take(item)
    except ModelError as error:
        draft.notice = _instead(error)
    if not draft.numbers and not draft.declined:
        # Where nothing that it wrote stood up, what it quoted still does.
        for quote in quotes.kept:
            yield from draft.take(Drafted(text=quote.text, labels=(quote.label,)))
    yield clock.stage("write")


def _extracted(draft: Draft, resolved: Resolved) -> Iterator[Drafted]:
    """The answer in the papers' own words."""
    looked = draft.looked
    evidence, sure, found = looked.relevant.papers, looked.relevant.sure, looked.retrieved
    drafted: Iterator[Drafted]
    if resolved.whole:
        order = resolved.where.ids if resolved.where else ()
        drafted = retell.retell(evidence, order, found.vector if resolved.question else None, resolved.said,
                                most=resolved.brief, compared=resolved.compared)
        if (first := next(drafted, None)) is None:
            yield Drafted(text=retell.NO_MORE, frame=True)
            return
        yield first
        yield from drafted
        return
    drafted = iter(())
    if looked.asks.kind == "yes-no":
        drafted = claim.balance(draft.store, resolved.rewritten or found.question, found, evidence)
    first = next(drafted, None)
    if first is None:
        drafted = extract.draft(found, evidence, sure, looked.asks, draft.store.embedder.embed_query)
    else:
        yield first
    number = 0
    for item in drafted:
        if item.labels:
            number += 1
        # Of a few sentences, or of papers that nothing was asked about, nothing is counted.
        elif looked.bare or resolved.brief:
            continue
        yield item
        if number == resolved.brief:
            return


def _instead(reason: object) -> str:
    return f"{reason} What follows is in the papers' own words."


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def stage(self, name: str, count: int | None = None) -> Stage:
        now = perf_counter()
        self.seconds[name] = now - self._last
        self._last = now
        return Stage(name=name, seconds=self.seconds[name], count=count)
