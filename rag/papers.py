"""The papers of a library as a collection."""

from __future__ import annotations

from collections.abc import Iterator

from rag.schema import Paper, Where
from rag.store import Store


class Papers:
    """The papers of a library: `len`, iteration in order of arrival, `[paper_id]`, `where`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __len__(self) -> int:
        return self._store.catalogue.count()[0]

    def __iter__(self) -> Iterator[Paper]:
        return iter(self._store.catalogue.papers())

    def __getitem__(self, paper_id: str) -> Paper:
        return self._store.catalogue.papers([paper_id])[0]

    def __contains__(self, paper_id: object) -> bool:
        return isinstance(paper_id, str) and bool(self._store.catalogue.select(Where(ids=(paper_id,))))

    def where(self, where: Where | None) -> tuple[Paper, ...]:
        """The papers that a filter lets through, in order of arrival."""
        ids = self._store.catalogue.select(where)
        return self._store.catalogue.papers(None if ids is None else sorted(ids))

    def tags(self, paper_id: str | None = None) -> tuple[str, ...]:
        """A paper's tags; all that papers have for None."""
        return self._store.catalogue.tags(paper_id)

    @property
    def newest(self) -> str | None:
        """When the last of them came, as `Where.added` has it; None where the library does not know."""
        return self._store.catalogue.newest
