"""The store: the catalogue with its projections, the embedder that fills them, and the writers' lock.

A write goes to the catalogue (that is the acknowledgement), then to Chroma, the word index and the vocabulary, all
under a lock that the kernel releases when the process dies. What a dead writer left undone is replayed at the next use.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from rag.catalogue import Catalogue
from rag.chunk import chunk
from rag.errors import BusyError, EmbedderError, LibraryError, NoLibraryError
from rag.kept import Kept
from rag.lexical import WordIndex
from rag.marked import Embedded, Embedder, Marked
from rag.merge import correct
from rag.schema import Paper, Where
from rag.search.vocabulary import Vocabulary
from rag.tables import Changes, Mark, Passage, Selected, View
from rag.text import content_stems
from rag.vectors import vector_index
from rag.writing import Writing

CATALOGUE = "catalogue.sqlite"
# A writer holds the lock for one batch, some seconds; minutes of them in a queue are a sign of something wrong.
_PATIENCE = 180.0
# Papers whose vectors are kept in memory, some 15 kB each; a quarter as many with their passages, some 25 kB.
_KEPT = 4000
# Filters whose papers are kept: those of some conversations.
_FILTERS = 8

Prepared = Mapping[str, Embedded]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A passage that is yet to be embedded: the text the embedder reads, with the spans it pools."""

    passage: Passage
    marked: Marked


class Projection(Protocol):
    """What is made from the catalogue, and can be made again."""

    @property
    def mark(self) -> Mark:
        """Whose writes it has applied, and up to which generation; -1 where it is empty."""

    def apply(self, changes: Changes) -> None:
        """Brings it to the changes' generation; applying the same changes again does no harm."""

    def refresh(self) -> None:
        """Sees what other processes have written."""

    def reset(self) -> None:
        """Empties it, so that all is applied anew."""


class Store:
    """One library folder. Opening it reads nothing; the first write makes it."""

    def __init__(self, folder: Path, embedder: Callable[[], Embedder], chroma_url: str | None = None) -> None:
        """``embedder`` is called when the first text is to be embedded."""
        self.folder = folder
        self._open_embedder = embedder
        place = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
        name = "chunks" if chroma_url is None else f"vouch-{place}"
        self.vectors = vector_index(folder / "chroma", chroma_url, name)
        self.words = WordIndex(folder / "words")
        self.vocabulary = Vocabulary(folder / "vocabulary.sqlite")
        self._catalogue: Catalogue | None = None
        self._seen = -1
        self._looks = 0
        self._selected: dict[Where, Selected] = {}
        self._selected_at = -1
        self._views = Kept(lambda ids: self.catalogue.views(ids), _KEPT)
        self._passages = Kept(lambda ids: self.catalogue.passages(ids), _KEPT // 4)
        self._papers = Kept(lambda ids: {p.id: p for p in self.catalogue.papers(ids, missing_ok=True)}, _KEPT)
        self._stems = Kept(lambda ids: {p.id: content_stems(p.text) for p in self.papers(ids).values()}, _KEPT)
        self._state = threading.RLock()

    @property
    def exists(self) -> bool:
        """Whether anything was ever written here."""
        return (self.folder / CATALOGUE).exists()

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of an existing library.

        Raises:
            NoLibraryError: nothing was ever written here.
        """
        with self._state:
            if self._catalogue is None:
                if not self.exists:
                    raise NoLibraryError(
                        f"There is no library at {self.folder} yet: `vouch ingest FILE` makes one from your files, "
                        "`vouch ingest --sample` from the bundled sample."
                    )
                self._catalogue = Catalogue(self.folder / CATALOGUE)
            return self._catalogue

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder that the settings ask for."""
        return self._open_embedder()

    def fresh(self) -> Catalogue:
        """The catalogue, with projections that show its newest generation: what every read starts with.

        Raises:
            NoLibraryError: there is no library.
            EmbedderError: it was made with another embedder than the settings ask for.
        """
        catalogue = self.catalogue
        with self._state:
            generation = catalogue.generation
            if generation != self._seen:
                self._looks += 1
                self._check_embedder()
                self._follow(generation)
        return catalogue

    def select(self, where: Where | None) -> Selected | None:
        """What a filter lets through; None where it lets all through."""
        if not where:
            return None
        with self._state:
            if self._selected_at != self._looks or len(self._selected) > _FILTERS:
                self._selected, self._selected_at = {}, self._looks
            if where not in self._selected:
                self._selected[where] = Selected(
                    papers=self.catalogue.select(where) or frozenset(), chunks=self.catalogue.chunk_ids(where),
                    years=where.years if where == Where(years=where.years) else None)
            return self._selected[where]

    def views(self, ids: Sequence[str]) -> dict[str, tuple[View, ...]]:
        """The vectors of these papers, of those that are there."""
        with self._state:
            return self._views.get(ids, self._looks)

    def passages(self, ids: Sequence[str]) -> dict[str, tuple[Passage, ...]]:
        """The passages of these papers with their vectors, of those that are there."""
        with self._state:
            return self._passages.get(ids, self._looks)

    def papers(self, ids: Sequence[str]) -> dict[str, Paper]:
        """These papers, those that are there."""
        with self._state:
            return self._papers.get(ids, self._looks)

    def stems(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The content stems of these papers' texts, of those that are there."""
        with self._state:
            return self._stems.get(ids, self._looks)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One locked write to the catalogue, then to the projections. Makes the library where there is none.

        Raises:
            BusyError: another process has been writing for minutes.
            EmbedderError: the library was made with another embedder than the settings ask for.
        """
        with self._locked(_PATIENCE), self._state:
            if self._catalogue is None:
                self._catalogue = Catalogue.create(self.folder / CATALOGUE)
            catalogue = self._catalogue
            self._check_embedder()
            if catalogue.generation != self._seen:
                self._let_go()
            with catalogue.write() as writing:
                if catalogue.embedder is None:
                    writing.set_embedder(self.embedder.identity)
                yield writing
            self._sync()

    def prepare(self, papers: Sequence[Paper], progress: Callable[[int], None] | None = None) -> Prepared:
        """Embeds what these papers need and the catalogue lacks; done before `writing`, so nobody waits for it.

        Args:
            papers: as they will be stored.
            progress: told how many texts are embedded so far.
        """
        cuts = {cut.passage.vector_key: cut.marked for paper in papers for cut in cut_paper(paper, self.embedder)}
        if self.exists:
            for key in self.catalogue.known_vectors(list(cuts)):
                del cuts[key]
        return dict(zip(cuts, self.embedder.embed(list(cuts.values()), progress), strict=True))

    def put(self, writing: Writing, paper_ids: Sequence[str], prepared: Prepared) -> None:
        """Merges, cuts and stores these papers anew, with vectors from ``prepared``; embeds what is missing there."""
        bare = {paper_id: writing.merged(paper_id) for paper_id in paper_ids}
        papers = [correct(paper, writing.corrections(paper_id)) for paper_id, paper in bare.items()]
        cuts = {paper.id: cut_paper(paper, self.embedder) for paper in papers}
        needed = {cut.passage.vector_key: cut.marked for group in cuts.values() for cut in group}
        known = writing.known_vectors(list(needed))
        missing = [key for key in needed if key not in known and key not in prepared]
        late = dict(zip(missing, self.embedder.embed([needed[key] for key in missing]), strict=True))
        for key in needed:
            if key not in known:
                embedded = late.get(key) or prepared[key]
                writing.put_vector(key, embedded.vector, embedded.spans)
        for paper in papers:
            writing.put_paper(bare[paper.id], paper, [cut.passage for cut in cuts[paper.id]])

    def rebuild(self) -> None:
        """Makes the projections anew from the catalogue, embedding nothing."""
        self._check_embedder()
        with self._locked(_PATIENCE), self._state:
            for projection in self._projections:
                projection.reset()
            # Readers hold on to what was there until the generation moves.
            with self.catalogue.write() as writing:
                writing.advance()
            self._sync()

    def reembed(self, progress: Callable[[int], None] | None = None) -> None:
        """Embeds every paper anew with the embedder that the settings ask for."""
        papers = self.catalogue.papers()
        cuts = {cut.passage.vector_key: cut.marked for paper in papers for cut in cut_paper(paper, self.embedder)}
        prepared = dict(zip(cuts, self.embedder.embed(list(cuts.values()), progress), strict=True))
        with self._locked(_PATIENCE), self._state:
            # First, so that vectors of two embedders never meet in it, not even if this process dies.
            self.vectors.reset()
            with self.catalogue.write() as writing:
                writing.set_embedder(self.embedder.identity)
                writing.clear_vectors()
                # As they are now: papers may have come and gone meanwhile.
                self.put(writing, [paper.id for paper in self.catalogue.papers()], prepared)
            self._sync()

    def close(self) -> None:
        """Lets go of everything."""
        with self._state:
            self._let_go()
            self.words.close()
            self.vocabulary.close()
            if self._catalogue is not None:
                self._catalogue.close()
                self._catalogue = None

    # ---- inside

    @contextmanager
    def _locked(self, patience: float) -> Iterator[None]:
        import filelock

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / "writers.lock", timeout=patience)
            with lock:
                yield
        except filelock.Timeout as error:
            raise BusyError(
                f"Another process is writing to the library at {self.folder}: wait for it to finish, then try again."
            ) from error
        except OSError as error:
            raise LibraryError(
                f"The library folder {self.folder} cannot be written ({error}): see that it is yours and its disk has "
                "room, or name another with --library."
            ) from error

    def _check_embedder(self) -> None:
        made_with = self.catalogue.embedder
        if made_with is not None and made_with != self.embedder.identity:
            raise EmbedderError(
                f"The library at {self.folder} was made with the embedder {made_with}, the settings ask for "
                f"{self.embedder.identity}: set VOUCH_EMBEDDINGS back, or run `vouch doctor --reembed` to embed its "
                "papers anew."
            )

    @property
    def _projections(self) -> tuple[Projection, ...]:
        return self.vectors, self.words, self.vocabulary

    def _let_go(self) -> None:
        for projection in self._projections:
            projection.refresh()

    def _follow(self, generation: int) -> None:
        """Sees another process's writes; finishes them where that process died before its projections."""
        self._let_go()
        mark = self.catalogue.mark
        if any(projection.mark != mark for projection in self._projections):
            try:
                with self._locked(0.0):
                    self._let_go()
                    self._sync()
                    return
            except BusyError:
                # The writer is alive and about to do it; the next read looks again.
                self._seen = -1
                return
        self._seen = generation

    def _sync(self) -> None:
        library, generation = self.catalogue.mark
        for projection in self._projections:
            made_from, applied = projection.mark
            if made_from != library or applied > generation:
                # What it holds is of another library, or of a catalogue that was put back from a copy.
                projection.reset()
                applied = -1
            if applied < generation:
                projection.apply(self.catalogue.changes(applied))
        self._seen = generation
        self._looks += 1


def cut_paper(paper: Paper, embedder: Embedder) -> tuple[Cut, ...]:
    """The paper's passages, each with the text that is embedded for it: the title, then the passage.

    The title's span stands before those of the sentences; it is the whole text's where there is no title.
    """
    head = f"{paper.title}\n" if paper.title else ""
    # Three tokens for the two special ones and the line break; a title never takes more than half of the window.
    title_tokens = min(embedder.count(paper.title or ""), embedder.window // 2)
    pieces = chunk(paper.id, paper.abstract, embedder.window - 3 - title_tokens, embedder.count)
    cuts = []
    for piece, sentences in pieces:
        moved = tuple((start - piece.start + len(head), end - piece.start + len(head)) for start, end in sentences)
        text = head + piece.text
        spans = ((0, len(head) - 1 if head else len(text)), *moved)
        key = hashlib.sha256(json.dumps([text, spans]).encode()).hexdigest()
        cuts.append(Cut(passage=Passage(chunk=piece, sentences=sentences, vector_key=key),
                        marked=Marked(text=text, spans=spans)))
    return tuple(cuts)
