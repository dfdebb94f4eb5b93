"""The Chroma projection of the catalogue: every chunk with its vector, text and metadata."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from rag.errors import ProjectionError
from rag.tables import Changes, Mark

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

# Neighbours looked at while building and searching: exact enough that a hundred results lose none that matter.
_INDEX = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 300, "max_neighbors": 32}}
_BATCH = 2000

_OPEN: WeakValueDictionary[tuple[str, str | None, str], VectorIndex] = WeakValueDictionary()
_OPENING = threading.Lock()


def vector_index(folder: Path, url: str | None = None, name: str = "chunks") -> VectorIndex:
    """The process's index over that folder, or over that collection of a server.

    There is one for all who ask: Chroma keeps one database open for all clients of a folder in a process, and only
    when the last of them lets go does the next see what other processes wrote.
    """
    with _OPENING:
        return _OPEN.setdefault((str(folder.resolve()), url, name), VectorIndex(folder, url, name))


class VectorIndex:
    """Chunk vectors in Chroma: embedded in a folder, or on a server. Made by `vector_index`.

    An embedded client never sees what another process wrote (measured on Chroma 1.5.9), so the library calls
    `refresh` when the generation has moved; a server is always fresh.
    """

    def __init__(self, folder: Path, url: str | None, name: str) -> None:
        """Opens nothing yet. ``name`` is the collection's, which a server shared by several libraries needs."""
        self._folder = folder
        self._url = url
        self._name = name
        self._client: ClientAPI | None = None
        self._collection: Collection | None = None
        self._lock = threading.RLock()

    @property
    def mark(self) -> Mark:
        """Whose writes this projection has applied, and up to which generation; -1 where it is empty."""
        with self._lock:
            known = self._open().metadata or {}
            return str(known.get("library", "")), int(known.get("generation", -1))

    def search(self, vector: NDArray[np.float32], k: int,
               chunks: Sequence[str] | None = None) -> tuple[tuple[str, float], ...]:
        """The nearest chunks, among those with the ids given: paper id and cosine similarity, best first.

        Raises:
            ProjectionError: Chroma cannot be reached or read.
        """
        from chromadb.errors import ChromaError

        with self._lock, _told(self._place):
            collection = self._open()
            # Distances alone: each metadata row would cost Chroma a look-up, and the id says whose passage it is.
            asked = partial(collection.query, [_present(vector)], n_results=k, include=["distances"])
            if chunks is None:
                found = asked()
            else:
                try:
                    found = asked(ids=list(chunks))
                except ChromaError:
                    # Chroma refuses ids that a writer has yet to bring, or has taken away since they were looked up.
                    found = asked(ids=collection.get(ids=list(chunks), include=[])["ids"])
        distances = found["distances"]
        assert distances is not None
        return tuple((chunk_id.rpartition(".")[0], 1.0 - distance)
                     for chunk_id, distance in zip(found["ids"][0], distances[0], strict=True))

    def apply(self, changes: Changes) -> None:
        """Brings the projection to the changes' generation; applying the same changes again does no harm.

        Raises:
            ProjectionError: Chroma cannot be reached or written.
        """
        titles = {paper.id: paper for paper in changes.papers}
        with self._lock, _told(self._place):
            collection = self._open()
            gone = [chunk_id for chunk_id, _ in changes.dropped]
            for start in range(0, len(gone), _BATCH):
                collection.delete(ids=gone[start:start + _BATCH])
            for start in range(0, len(changes.passages), _BATCH):
                batch = changes.passages[start:start + _BATCH]
                collection.upsert(
                    ids=[passage.chunk.id for passage in batch],
                    embeddings=[_present(passage.vector) for passage in batch],
                    documents=[passage.chunk.text for passage in batch],
                    metadatas=[_metadata(passage.chunk.paper_id, passage.chunk.index,
                                         titles[passage.chunk.paper_id].label, titles[passage.chunk.paper_id].year)
                               for passage in batch],
                )
            library, generation = changes.mark
            collection.modify(metadata={"library": library, "generation": generation})

    def count(self) -> int:
        """Chunks in the projection."""
        with self._lock, _told(self._place):
            return self._open().count()

    def refresh(self) -> None:
        """Lets go of the client, so that the next use sees what other processes wrote."""
        with self._lock:
            if self._client is not None:
                # Chroma's clients have close(), its typed interface does not yet.
                getattr(self._client, "close", lambda: None)()
            self._client = self._collection = None

    close = refresh

    def reset(self) -> None:
        """Empties the projection, whatever state it is in, so that all is applied anew."""
        with self._lock, _told(self._place):
            if self._url is None:
                self.refresh()
                if self._folder.is_file():
                    self._folder.unlink()
                shutil.rmtree(self._folder, ignore_errors=True)
                return
            self._open()
            assert self._client is not None
            self._client.delete_collection(self._name)
            self.refresh()

    @property
    def _place(self) -> str:
        return self._url or str(self._folder)

    def _open(self) -> Collection:
        with _told(self._place):
            if self._collection is None:
                self._client = _connect(self._folder, self._url)
                self._collection = self._client.get_or_create_collection(
                    self._name, configuration=_INDEX, embedding_function=None)  # type: ignore[arg-type]
            return self._collection


class _told:  # noqa: N801 - reads as a clause: with _told(place)
    """Turns Chroma's many errors into one sentence."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, (ProjectionError, AssertionError)):
            raise ProjectionError(
                f"Chroma at {self._place} cannot be used ({error}): see that it is reachable and its disk has room, "
                "then run `vouch doctor --repair`; the catalogue still holds everything."
            ) from error


def _connect(folder: Path, url: str | None) -> ClientAPI:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    # Every setting spelled out: Chroma would else take CHROMA_* from the environment and from a .env in whatever
    # folder one stands in, and send all text to the server named there.
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    quiet = Settings(**{**defaults, "_env_file": None, "anonymized_telemetry": False})
    if url is None:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return chromadb.PersistentClient(path=str(folder), settings=quiet)
        except Exception:
            # A database that failed to open stays in Chroma's registry (1.5.9), and would be handed out again.
            SharedSystemClient._identifier_to_system.pop(str(folder), None)
            SharedSystemClient._identifier_to_refcount.pop(str(folder), None)
            raise
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return chromadb.HttpClient(host=parts.hostname or "localhost", port=parts.port or 8000,
                               ssl=parts.scheme == "https", settings=quiet)


def _metadata(paper_id: str, index: int, label: str, year: int | None) -> dict[str, Any]:
    known: dict[str, Any] = {"paper_id": paper_id, "index": index, "title": label}
    return known if year is None else {**known, "year": year}


def _present(vector: NDArray[np.float32] | None) -> Sequence[float]:
    if vector is None:
        raise ProjectionError("A passage came without its vector: run `vouch doctor --repair`.")
    return vector  # type: ignore[return-value]  # Chroma takes arrays, its types want lists
