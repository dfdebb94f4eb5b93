"""The catalogue's SQL tables, and what their rows mean. Only the catalogue and its writer use them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from rag.schema import Chunk, Origin, Paper
from rag.text import Span

Key = tuple[str, str]
Vectors = NDArray[np.float32]
# Which library's writes a projection has applied, and up to which generation.
Mark = tuple[str, int]

TABLES = sa.MetaData()
META = sa.Table("meta", TABLES, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
PAPERS = sa.Table(
    "papers",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    # The paper without what a person corrected: what its next copy is compared to when no record is left.
    sa.Column("bare", sa.Text, nullable=False),
    sa.Column("year", sa.Integer, index=True),
    sa.Column("generation", sa.Integer, nullable=False, index=True),
    # When the paper came: ISO date and time in UTC, to the microsecond. Null where it came before this was kept.
    sa.Column("added", sa.Text, index=True),
)
AUTHORS = sa.Table(
    "authors",
    TABLES,
    sa.Column("paper_id", sa.Text, sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
)
RECORDS = sa.Table(
    "records",
    TABLES,
    sa.Column("uri", sa.Text, primary_key=True),
    sa.Column("record", sa.Integer, primary_key=True),
    sa.Column("file", sa.Text, nullable=False, index=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
    sa.Column("paper_id", sa.Text, sa.ForeignKey("papers.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
)
KEYS = sa.Table(
    "keys",
    TABLES,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("paper_id", sa.Text, sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True, index=True),
)
CORRECTIONS = sa.Table(
    "corrections",
    TABLES,
    sa.Column("paper_id", sa.Text, sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
TAGS = sa.Table(
    "tags",
    TABLES,
    sa.Column("paper_id", sa.Text, sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
)
CHUNKS = sa.Table(
    "chunks",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("paper_id", sa.Text, sa.ForeignKey("papers.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("index", sa.Integer, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("sentences", sa.Text, nullable=False),
    sa.Column("vector_key", sa.Text, nullable=False, index=True),
)
VECTORS = sa.Table(
    "vectors",
    TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("parts", sa.LargeBinary, nullable=False),
)
SOURCES = sa.Table(
    "sources",
    TABLES,
    sa.Column("uri", sa.Text, primary_key=True),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("read_at", sa.Text, nullable=False),
)
# Chunks that are gone, so that a projection that missed the write still learns of it.
DROPPED = sa.Table(
    "dropped",
    TABLES,
    sa.Column("chunk_id", sa.Text, primary_key=True),
    sa.Column("paper_id", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False, index=True),
)
PASSAGE = (*CHUNKS.c, VECTORS.c.vector)
EMBEDDED = CHUNKS.join(VECTORS, VECTORS.c.key == CHUNKS.c.vector_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that was read, with the hash of its bytes."""

    file: str
    uri: str
    sha256: str
    records: int
    read_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A chunk with the places of its sentences in the abstract, and its vectors where they were asked for.

    ``vector`` has shape (d,), ``sentence_vectors`` (len(sentences), d); all are L2-normalised.
    """

    chunk: Chunk
    sentences: tuple[Span, ...]
    vector_key: str
    vector: Vectors | None = None
    sentence_vectors: Vectors | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A passage's vectors: its own (d,); and (n, d) its title's (its own where it has none), then its sentences'."""

    passage: Vectors
    parts: Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a filter lets through: papers and their passages, by id; and the years, where it sets nothing else."""

    papers: frozenset[str]
    chunks: tuple[str, ...]
    years: tuple[int | None, int | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What happened since a generation: papers to index anew (with their passages) and chunks that are gone."""

    mark: Mark
    papers: tuple[Paper, ...]
    passages: tuple[Passage, ...]
    dropped: tuple[Key, ...]


def select_in(sql: sa.Connection, query: sa.Select[Any], column: sa.Column[str],
          values: Sequence[str] | None) -> Iterator[Any]:
    """Rows whose column is among the values (all for None), in portions that every database takes."""
    if values is None:
        yield from sql.execute(query)
        return
    for start in range(0, len(values), 500):
        yield from sql.execute(query.where(column.in_(values[start:start + 500])))


def known_vectors(sql: sa.Connection, keys: Sequence[str]) -> frozenset[str]:
    """Which of these vector keys are stored."""
    return frozenset(row.key for row in select_in(sql, sa.select(VECTORS.c.key), VECTORS.c.key, keys))


def passage_of(row: Any) -> Passage:  # noqa: ANN401 - a row of the queries above
    """The passage of a row of `PASSAGE` and `parts`, the half-precision vectors of its title and sentences."""
    spans = tuple((start, end) for start, end in json.loads(row.sentences))
    chunk = Chunk(id=row.id, paper_id=row.paper_id, index=row.index, text=row.text, start=row.start, end=row.end,
                  tokens=row.tokens)
    vector = np.frombuffer(row.vector, dtype=np.float32)
    passage = Passage(chunk=chunk, sentences=spans, vector_key=row.vector_key, vector=vector)
    if row.parts is None:
        return passage
    parts = np.frombuffer(row.parts, dtype=np.float16).astype(np.float32).reshape(-1, len(vector))
    return replace(passage, sentence_vectors=parts[1:])


def dump(paper: Paper) -> str:
    """A paper as it is stored: JSON, without its origins, which have a table of their own."""
    body: Mapping[str, Any] = {key: value for key, value in asdict(paper).items() if key != "origins"}
    return json.dumps(body, ensure_ascii=False)


def paper_of(body: str) -> Paper:
    """The paper that `dump` stored."""
    fields = json.loads(body)
    return Paper(**{**fields, "authors": tuple(fields["authors"])})


def record_of(row: Any) -> Paper:  # noqa: ANN401 - a row of the records table
    """The record of a row of the records table, as it was read."""
    origin = Origin(file=row.file, record=row.record, uri=row.uri, sha256=row.sha256)
    return replace(paper_of(row.body), origins=(origin,))
