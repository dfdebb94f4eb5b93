"""The BM25 projection of the catalogue: one stemmed field of title and abstract a paper, in tantivy."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from rag.errors import ProjectionError
from rag.tables import Changes, Mark, Selected
from rag.text import analyzer

_MARK = "generation"


class WordIndex:
    """Papers by their words. Safe from any thread; other processes' commits are seen after `refresh`."""

    def __init__(self, folder: Path) -> None:
        """Opens nothing yet."""
        self._folder = folder
        self._index: Any = None
        self._schema: Any = None
        self._frequencies: dict[str, int] = {}
        self._lock = threading.RLock()

    @property
    def mark(self) -> Mark:
        """Whose writes this projection has applied, and up to which generation; -1 where it is empty."""
        try:
            library, generation = (self._folder / _MARK).read_text().split()
            return library, int(generation)
        except (FileNotFoundError, ValueError):
            # A mark cut short by a power failure says as little as none.
            return "", -1

    def search(self, terms: Mapping[str, float], k: int,
               among: Selected | None = None) -> tuple[tuple[str, float], ...]:
        """The papers with any of the stems: id and BM25 score, best first.

        Args:
            terms: stem to its weight, above zero.
            k: papers at most.
            among: only these papers, where given; of a large part of a large library a few that lie far down may be
                missed, unless it is chosen by years alone.

        Raises:
            ProjectionError: the index cannot be read.
        """
        import tantivy

        index = self._open()
        if not terms:
            return ()
        parts = [(tantivy.Query.term_query(self._schema, "body", stem), weight) for stem, weight in terms.items()]
        query = tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.boost_query(part, weight)) for part, weight in parts])
        reach = k
        if among is not None:
            if among.years is not None:
                query = self._only(query, tantivy.Query.range_query(
                    self._schema, "year", tantivy.FieldType.Integer, *among.years))
            elif len(among.papers) ** 2 > k * self.count():
                # To look further and to pass over the others is quicker than to look each of so many up.
                reach = 2 * k * self.count() // len(among.papers)
            else:
                query = self._only(query, tantivy.Query.term_set_query(self._schema, "paper_id", list(among.papers)))
        searcher = index.searcher()
        found = ((searcher.doc(address)["paper_id"][0], score) for score, address in searcher.search(query, reach).hits)
        return tuple(islice((pair for pair in found if among is None or pair[0] in among.papers), k))

    def _only(self, query: Any, condition: Any) -> Any:  # noqa: ANN401 - tantivy has no types
        import tantivy

        return tantivy.Query.boolean_query([
            (tantivy.Occur.Must, query), (tantivy.Occur.Must, tantivy.Query.const_score_query(condition, 0.0))])

    def frequencies(self, stems: Iterable[str]) -> dict[str, int]:
        """For each stem, how many papers hold it; a paper's former text counts until the index has merged it away."""
        wanted, known = list(stems), self._frequencies
        searcher = self._open().searcher()
        for stem in wanted:
            if stem not in known:
                known[stem] = min(int(searcher.doc_freq("body", stem)), int(searcher.num_docs))
        return {stem: known[stem] for stem in wanted}

    def count(self) -> int:
        """Papers in the projection."""
        return int(self._open().searcher().num_docs)

    def apply(self, changes: Changes) -> None:
        """Brings the projection to the changes' generation; applying the same changes again does no harm.

        Raises:
            ProjectionError: the index cannot be written.
        """
        import tantivy

        index = self._open()
        try:
            writer = index.writer(heap_size=50_000_000, num_threads=1)
            for paper_id in {paper_id for _, paper_id in changes.dropped} | {paper.id for paper in changes.papers}:
                writer.delete_documents_by_term("paper_id", paper_id)
            for paper in changes.papers:
                document = tantivy.Document(paper_id=paper.id, body=paper.text)
                if paper.year is not None:
                    document.add_integer("year", paper.year)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            draft = self._folder / f"{_MARK}.new"
            with draft.open("w") as file:
                file.write("{} {}".format(*changes.mark))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / _MARK)
        except (ValueError, OSError) as error:
            raise ProjectionError(
                f"The word index at {self._folder} cannot be written ({error}): see that the disk has room, then run "
                "`vouch doctor --repair`; the catalogue still holds everything."
            ) from error
        index.reload()
        self._frequencies = {}

    def refresh(self) -> None:
        """Sees what other processes have committed."""
        with self._lock:
            if self._index is not None:
                self._index.reload()
            self._frequencies = {}

    def close(self) -> None:
        """Lets go of the index."""
        with self._lock:
            self._index = None

    def reset(self) -> None:
        """Empties the projection, so that all is applied anew."""
        with self._lock:
            self._index = None
            self._frequencies = {}
            # The mark goes first: what is left of a reset that was cut short must not pass for the whole.
            (self._folder / _MARK).unlink(missing_ok=True)
            shutil.rmtree(self._folder, ignore_errors=True)

    def _open(self) -> Any:  # noqa: ANN401 - tantivy has no types
        with self._lock:
            if self._index is None:
                import tantivy

                builder = tantivy.SchemaBuilder()
                builder.add_text_field("paper_id", stored=True, tokenizer_name="raw")
                builder.add_integer_field("year", fast=True)
                builder.add_text_field("body", stored=False, tokenizer_name="stems", index_option="freq")
                self._schema = builder.build()
                self._folder.mkdir(parents=True, exist_ok=True)
                try:
                    index = tantivy.Index(self._schema, path=str(self._folder))
                except ValueError as error:
                    raise ProjectionError(
                        f"The word index at {self._folder} cannot be opened ({error}): `vouch doctor --repair` "
                        "rebuilds it."
                    ) from error
                index.register_tokenizer("stems", analyzer())
                self._index = index
            return self._index
