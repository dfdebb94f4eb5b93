"""Papers that leave the library."""

from __future__ import annotations

from collections.abc import Sequence

from rag.errors import NoPaperError
from rag.store import Store


def remove(store: Store, ids: Sequence[str] = (), files: Sequence[str] = ()) -> int:
    """Removes papers, and files with the papers that no other file describes; returns how many papers are gone.

    Raises:
        NoPaperError: an id or a file is unknown.
    """
    store.catalogue.papers(ids)
    with store.writing() as writing:
        for file in files:
            if not writing.papers_of([file])[1]:
                raise NoPaperError(f"No file called {file!r} was read: `vouch papers show ID` tells a paper's.")
        described, uris = writing.papers_of(files)
        writing.forget_sources(writing.uris_of(ids), records=False)
        writing.forget_sources(uris, records=True)
        gone = list(dict.fromkeys([*ids, *(set(described) & set(writing.orphans()))]))
        writing.remove(gone)
        store.put(writing, [paper_id for paper_id in described if paper_id not in gone], {})
        writing.sweep_vectors()
    return len(gone)


def prune(store: Store) -> int:
    """Removes the papers that no file describes any more; returns how many."""
    with store.writing() as writing:
        gone = writing.orphans()
        writing.remove(gone)
        writing.sweep_vectors()
    return len(gone)
