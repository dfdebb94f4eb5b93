"""The library: the one engine behind every door, and the place where its parts are put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rag import cite, floor, removal
from rag.answer import answer, prompt
from rag.checker.signs import Rarity
from rag.embed import open_embedder
from rag.errors import SettingsError, VouchError
from rag.examples import examples
from rag.marked import Embedder, Marked
from rag.models.deep import Deep
from rag.papers import Papers
from rag.retrieve import Retrieved, retrieve
from rag.schema import Alike, Answer, ClaimReport, EngineName, Event, Finished, Hit, Paper, Support, Turn, Where
from rag.search.alike import alike
from rag.search.narrow import Narrowed, narrow
from rag.settings import Settings, quiet
from rag.settings import load as load_settings
from rag.store import Store
from rag.survey import Digest, Length, News, Outline, Step
from rag.tables import Source
from rag.text import content_words, sentences

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from rag.chain import Writer
    from rag.digest.write import Progress
    from rag.surveys import Surveys


def open_library(path: str | Path | None = None, *, settings: Settings | None = None,
                 embedder: Embedder | None = None) -> Library:
    """Opens a library; nothing is read or made before it is used.

    Args:
        path: its folder; None takes the settings'.
        settings: None reads them from the environment and the user's `.env`.
        embedder: in place of the one that the settings name, for instance a `LangChainEmbedder`.

    Raises:
        SettingsError: a setting has a value that cannot be used.
    """
    quiet()
    chosen = settings or load_settings()
    return Library(Path(path).expanduser() if path is not None else chosen.library, chosen, embedder)


class Library:
    """Papers to search, question and cite. Use it from any thread; close it, or use it in a `with`."""

    def __init__(self, path: Path, settings: Settings, embedder: Embedder | None = None) -> None:
        self.path = path
        self.settings = settings
        self.store = Store(path, lambda: embedder or open_embedder(
            settings.embeddings, api_key=settings.openai_api_key, base_url=settings.openai_base_url,
            timeout=settings.timeout), settings.chroma_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None,
                 _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of files and connections; using the library opens them again."""
        self.store.close()

    @property
    def exists(self) -> bool:
        """Whether anything was ever ingested here."""
        return self.store.exists

    @property
    def generation(self) -> int:
        """Counts the writes, by whichever process."""
        return self.store.catalogue.generation

    # ---- asking

    def search(self, query: str, k: int = 10, where: Where | None = None, deep: bool | None = None,
               tell: Callable[[str], None] | None = None) -> tuple[Hit, ...]:
        """The papers that fit the query best, one hit a paper, best first.

        Args:
            query: what to look for.
            k: papers at most.
            where: only these papers.
            deep: whether the language model helps; None goes by VOUCH_DEEP, where there is a model.
            tell: told in one line what went wrong with its help; the papers are the plain search's then.

        Raises:
            NoLibraryError: there is no library yet.
            SettingsError: ``deep`` was asked for and no model is configured.
            ValueError: ``k`` is not positive.
        """
        return self.look_up(query, k, where, deep, tell).hits

    def look_up(self, query: str, k: int = 10, where: Where | None = None, deep: bool | None = None,
                tell: Callable[[str], None] | None = None) -> Retrieved:
        """As `search`, with each paper's score in every view of it, its passages and their vectors."""
        narrowed = self.narrowed(query, where)
        # Where nothing is asked but who wrote and when, there is nothing to put in other words.
        if not (self._digs if deep is None else deep) or (narrowed.told and not narrowed.question):
            return retrieve(self.store, narrowed.question, k, narrowed.where)
        helped = Deep(self._engine())
        found = helped.search(self.store, narrowed.question, k, narrowed.where)
        if helped.notice and tell:
            tell(helped.notice)
        return found

    def narrowed(self, query: str, where: Where | None = None) -> Narrowed:
        """What a query is searched for, and among which papers: its own conditions ("since 2023") join the filter.

        Searching and asking do this by themselves.

        Raises:
            NoLibraryError: there is no library yet.
        """
        return narrow(self.store, query, where, date.today().year)

    def like(self, paper_id: str, k: int = 10, where: Where | None = None) -> tuple[Alike, ...]:
        """The papers that are most like one of the library's, each with the sentences that the two share.

        Raises:
            NoPaperError: no paper has that id.
            ValueError: ``k`` is not positive.
        """
        return alike(self.store, paper_id, k, where)

    @property
    def _digs(self) -> bool:
        """Whether searches go deep: VOUCH_DEEP is on, and there is a model."""
        return self.settings.deep and self.settings.model is not None

    def ask(self, question: str, history: Sequence[Turn] = (), where: Where | None = None,
            engine: EngineName | None = None, deep: bool | None = None, *, fresh: bool = False,
            spent: float = 0.0) -> Answer:
        """The checked answer to a question; see `stream`."""
        for event in self.stream(question, history, where, engine, deep, fresh=fresh, spent=spent):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("an answer always finishes")

    def stream(self, question: str, history: Sequence[Turn] = (), where: Where | None = None,
               engine: EngineName | None = None, deep: bool | None = None, *, fresh: bool = False,
               spent: float = 0.0) -> Iterator[Event]:
        """The same work as `ask`, as it happens: stages, the evidence, each checked sentence, the whole answer.

        Args:
            question: in the reader's words.
            history: earlier turns of the conversation, oldest first.
            where: only these papers.
            engine: None takes the language model where VOUCH_MODEL names one, else the extractive engine.
            deep: whether the model also helps to search for what it writes from; None goes by VOUCH_DEEP.
            fresh: asks the model anew, where what it wrote for the very same prompt is kept.
            spent: dollars that the conversation has cost beside its history, for VOUCH_MAX_COST.

        Raises:
            NoLibraryError: there is no library yet.
            SettingsError: "llm" or ``deep`` was asked for and no model is configured, or ``deep`` without the model.
        """
        use_model = self._takes_model(engine) or bool(deep)
        if deep and engine == "extractive":
            raise SettingsError("A deep search is the language model's: leave out --deep or --engine extractive.")
        writer = self._engine(history, fresh=fresh, spent=spent) if use_model else None
        return answer(self.store, question, history, where, writer, this_year=date.today().year,
                      deep=self._digs if deep is None else deep)

    def check(self, claim: str, where: Where | None = None, engine: EngineName | None = None) -> ClaimReport:
        """What the library says for a claim and against it, in the papers' own words.

        Args:
            claim: a statement; a question that yes or no would answer is taken as one.
            where: only these papers.
            engine: None lets the language model, where VOUCH_MODEL names one, read what was found.

        Raises:
            NoLibraryError: there is no library yet.
            SettingsError: "llm" was asked for and no model is configured.
        """
        from rag.claim import check

        return check(self.store, claim, where, self._engine() if self._takes_model(engine) else None)

    def outline(self, topic: str, where: Where | None = None, length: Length = "standard",
                engine: EngineName | None = None) -> Outline:
        """What a digest of a topic would be about: title, headings, which papers where; to be edited, then written."""
        return self._surveys(engine).outline(topic, where, length)

    def digest(self, topic: str, where: Where | None = None, outline: Outline | None = None,
               progress: Progress | None = None, length: Length = "standard",
               engine: EngineName | None = None) -> Digest:
        """A survey of a topic, every sentence cited and checked: what `digest_steps` ends with.

        ``progress`` is told the stage, and how much of how much of it is done.
        """
        made = Digest(topic=topic, title=topic)
        for step in self.digest_steps(topic, where, outline, length, engine):
            if progress is not None:
                progress(step.stage, step.done, step.total)
            made = step.digest
        return made

    def digest_steps(self, topic: str, where: Where | None = None, outline: Outline | None = None,
                     length: Length = "standard", engine: EngineName | None = None) -> Generator[Step, None, None]:
        """The same work as `digest`, as it happens; each step's digest is whole in itself, so one may stop after any.

        Args:
            topic: what to survey; empty for all the papers of the filter.
            where: only these papers.
            outline: what to write, as `outline` gave it and perhaps edited; topic, filter and length are its own then.
            length: how many papers, at most.
            engine: None takes the language model where VOUCH_MODEL names one, else the papers' own words.

        Raises:
            NoLibraryError: there is no library yet.
            SettingsError: "llm" was asked for and no model is configured.
        """
        return self._surveys(engine).steps(topic, where, outline, length)

    def update(self, digest: Digest, progress: Progress | None = None,
               engine: EngineName | None = None) -> tuple[Digest, News]:
        """A digest with what is new since it was made, and what changed."""
        return self._surveys(engine).update(digest, progress)

    def prompt(self, question: str, history: Sequence[Turn] = (), where: Where | None = None) -> str:
        """What a language model would be sent for a question, as text; nothing is sent."""
        return prompt(self.store, self.settings, question, history, where, this_year=date.today().year)

    def verify(self, sentence: str, text: str) -> Support:
        """What a text says for a sentence: the checker alone, on any two texts."""
        spans, said = sentences(text), content_words(sentence)
        embedder = self.store.embedder
        statement = embedder.embed_question(Marked(text=sentence, spans=said))
        # Words are compared too where the embedder reads them in their context.
        words = content_words(text) if len(statement.spans) else ()
        read = embedder.embed([Marked(text=text, spans=(*spans, *words))])[0].spans
        source = cite.Grounds(text=text, spans=spans, vectors=read[:len(spans)],
                              words=read[len(spans):] if words else None)
        return cite.verify(sentence, statement.vector, source, self.rarity(), statement.spans)

    def examples(self, count: int = 4) -> tuple[str, ...]:
        """Example questions made from what the library holds."""
        return examples(self.store.catalogue.papers(), count)

    def as_retriever(self, k: int = 10, where: Where | None = None) -> BaseRetriever:
        """The LangChain retriever over this library, the one that the chain itself uses."""
        from rag.chain import PaperRetriever

        return PaperRetriever(retrieve=lambda question: self.search(question, k, where))

    # ---- the papers

    @property
    def papers(self) -> Papers:
        """The papers as a collection."""
        return Papers(self.store)

    def files(self) -> tuple[Source, ...]:
        """The files that were read, by name."""
        return self.store.catalogue.sources()

    def edit(self, paper_id: str, *, title: str | None = None, year: int | None = None) -> Paper:
        """Corrects a paper by hand; the correction outlives every later ingest.

        Raises:
            NoPaperError: no paper has that id.
        """
        self.papers[paper_id]
        with self.store.writing() as writing:
            if title is not None:
                writing.correct(paper_id, "title", title)
            if year is not None:
                writing.correct(paper_id, "year", year)
            self.store.put(writing, [paper_id], {})
        return self.papers[paper_id]

    def tag(self, paper_id: str, *tags: str) -> None:
        """Adds tags to a paper.

        Raises:
            NoPaperError: no paper has that id.
        """
        self.papers[paper_id]
        with self.store.writing() as writing:
            writing.tag(paper_id, tags)

    def untag(self, paper_id: str, *tags: str) -> None:
        """Takes tags from a paper.

        Raises:
            NoPaperError: no paper has that id.
        """
        self.papers[paper_id]
        with self.store.writing() as writing:
            writing.untag(paper_id, tags)

    def remove(self, ids: Sequence[str] = (), files: Sequence[str] = ()) -> int:
        """Removes papers, and files with the papers that no other file describes; ingesting them again undoes it.

        Returns:
            how many papers are gone.

        Raises:
            NoPaperError: an id or a file is unknown.
        """
        return removal.remove(self.store, ids, files)

    def prune(self) -> int:
        """Removes the papers that no file describes any more; returns how many."""
        return removal.prune(self.store)

    def export(self, path: str | Path) -> int:
        """Writes every paper to a JSON Lines file, which can be ingested again; returns how many.

        Raises:
            VouchError: the file cannot be written.
        """
        papers = self.store.catalogue.papers()
        text = "".join(json.dumps(paper.record, ensure_ascii=False) + "\n" for paper in papers)
        beside = Path(path).with_name(f".{Path(path).name}.part")
        try:
            # Beside it first: a disk that is full must not cost the export that was there.
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            raise VouchError(f"{path} cannot be written ({error.strerror}): name another file.") from error
        return len(papers)

    # ---- care

    def repair(self) -> None:
        """Makes the vector and word indexes anew from the catalogue, embedding nothing.

        Raises:
            NoLibraryError: there is no library yet.
        """
        self.store.rebuild()

    def reembed(self, progress: Callable[[int], None] | None = None) -> None:
        """Embeds every paper anew with the embedder that the settings ask for."""
        self.store.reembed(progress)

    @cached_property
    def _writer(self) -> Writer:
        if self.settings.model is None:
            raise SettingsError(
                "No language model is configured: set VOUCH_MODEL (for instance openai:gpt-5-mini), or leave out "
                "--engine llm and --deep; all else works without one."
            )
        from rag.chain import Writer
        from rag.models.remembered import Remembered

        return Writer(self.settings, Remembered(self.path / "replies.sqlite"))

    def _engine(self, history: Sequence[Turn] = (), *, fresh: bool = False, spent: float = 0.0) -> Writer:
        """The language model's engine for one answer, with what it may still cost."""
        writer = self._writer
        from rag.models.cost import open_account

        return writer.on(open_account(self.settings, history, fresh, spent))

    def _surveys(self, engine: EngineName | None) -> Surveys:
        from rag.surveys import Surveys

        return Surveys(self.store, self._engine().model if self._takes_model(engine) else None)

    def _takes_model(self, engine: EngineName | None) -> bool:
        """Whether the language model is to write: it was asked for, or nothing was and there is one."""
        if engine not in (None, "extractive", "llm"):
            raise SettingsError(f"There is no engine {engine!r}: ask with \"extractive\" or \"llm\".")
        return engine == "llm" or (engine is None and self.settings.model is not None)

    def rarity(self) -> Rarity:
        """What a content stem weighs by how few of the papers hold it; the same for all where there is no library."""
        if not self.exists:
            return lambda _: 1.0
        self.store.fresh()
        total = self.store.words.count()
        return lambda stem: floor.rarity(self.store.words.frequencies([stem])[stem], total)
