"""One side of the comparison as a process of its own: Vouch, or the LangChain quick start.

    PYTHON tests/bench/session.py vouch|peer FOLDER MODEL [QUESTION]

`quickstart` starts it. It is ready, and says so, when all is imported and the model has read a word. Then each line of
standard input is an order, [name, argument] in JSON, and each line of standard output its result. With QUESTION it
prints the papers found and ends. Whatever the libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Protocol

K = 10


class Side(Protocol):
    """What both sides do."""

    def ingest(self, papers: str) -> None:
        """Store the papers of a JSON Lines file."""

    def search(self, question: str) -> list[str]:
        """The texts or titles of the ten nearest papers."""

    def embed(self, texts: list[str]) -> float:
        """Seconds to embed texts."""

    def embed_papers(self, papers: str) -> float:
        """Seconds to embed what `ingest` would, and nothing else."""


class Vouch:
    """Vouch by its Python door."""

    def __init__(self, folder: str, _model: str) -> None:
        # Vouch imports these when it first needs them; here they count as start, as they do on the other side.
        import chromadb  # noqa: F401
        import sqlalchemy  # noqa: F401
        import tantivy  # noqa: F401

        import ingest
        from rag import open_library
        from rag.settings import Settings

        self._read = ingest.ingest
        self._library = open_library(folder, settings=Settings())
        self._embedder = self._library.store.embedder
        self._embedder.embed_query("ready")

    def ingest(self, papers: str) -> None:
        report = self._read([papers], self._library)
        if report.rejected:
            raise ValueError(f"rejected: {report.rejected[:3]}")

    def search(self, question: str) -> list[str]:
        return [hit.paper.label for hit in self._library.search(question, k=K)]

    def embed(self, texts: list[str]) -> float:
        from rag.marked import Marked
        from rag.text import sentences

        marked = [Marked(text=text, spans=sentences(text)) for text in texts]
        start = time.perf_counter()
        self._embedder.embed(marked)
        return time.perf_counter() - start

    def embed_papers(self, papers: str) -> float:
        from ingest.formats import read
        from rag.store import cut_paper

        path = Path(papers)
        records = read(path.read_bytes(), path.name, str(path)).papers
        cuts = {cut.passage.vector_key: cut.marked for paper in records for cut in cut_paper(paper, self._embedder)}
        start = time.perf_counter()
        self._embedder.embed(list(cuts.values()))
        return time.perf_counter() - start


class MiniLM:
    """What langchain-huggingface does around sentence-transformers, without its imports."""

    def __init__(self, model: str) -> None:
        from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]

        self.model = SentenceTransformer(model, device="cpu")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self.model.encode(texts, show_progress_bar=False).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class Peer:
    """The quick start: each paper one document in a persistent Chroma collection."""

    _BATCH = 5000  # Chroma takes 5,461 rows at most

    def __init__(self, folder: str, model: str) -> None:
        from langchain_chroma import Chroma  # type: ignore[import-not-found]

        self._embeddings = MiniLM(model)
        self._embeddings.embed_query("ready")
        self._store = Chroma(collection_name="papers", embedding_function=self._embeddings, persist_directory=folder)

    def ingest(self, papers: str) -> None:
        texts = self._texts(papers)
        for at in range(0, len(texts), self._BATCH):
            part = texts[at:at + self._BATCH]
            # With ids, so that a second run replaces the papers instead of doubling them.
            self._store.add_texts(part, ids=[str(at + number) for number in range(len(part))])

    def search(self, question: str) -> list[str]:
        return [found.page_content for found in self._store.similarity_search(question, k=K)]

    def embed(self, texts: list[str]) -> float:
        start = time.perf_counter()
        self._embeddings.embed_documents(texts)
        return time.perf_counter() - start

    def embed_papers(self, papers: str) -> float:
        return self.embed(self._texts(papers))

    def _texts(self, papers: str) -> list[str]:
        records = [json.loads(line) for line in Path(papers).read_text(encoding="utf-8").splitlines()]
        return [f"{record['title'] or ''}\n{record['abstract']}".strip() for record in records]


def memory() -> list[float]:
    """Peak and present resident memory of this process in MB, by the kernel; nothing where it has no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return []
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return [int(lines[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS")]


def obey(side: Side, order: str, argument: str) -> list[float]:
    """The result of one order: seconds, or MB."""
    if order == "ingest":
        start = time.perf_counter()
        side.ingest(argument)
        return [time.perf_counter() - start]
    if order == "search":
        seconds = []
        for question in json.loads(argument):
            start = time.perf_counter()
            side.search(question)
            seconds.append(time.perf_counter() - start)
        return seconds
    if order == "embed":
        return [side.embed(json.loads(argument))]
    if order == "embed papers":
        return [side.embed_papers(argument)]
    if order == "memory":
        return memory()
    raise ValueError(f"there is no order {order!r}")


def main() -> None:
    """Start the side and obey."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    name, folder, model, *question = sys.argv[1:]
    side: Side = Vouch(folder, model) if name == "vouch" else Peer(folder, model)
    if question:
        print("\n".join(found.partition("\n")[0] for found in side.search(question[0])), file=replies)
        return
    print("[]", file=replies)
    for line in sys.stdin:
        order, argument = json.loads(line)
        print(json.dumps(obey(side, order, argument)), file=replies)


if __name__ == "__main__":
    main()
