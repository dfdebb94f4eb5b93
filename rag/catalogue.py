"""The catalogue: the only truth about papers, their origins, chunks and vectors. SQL, through SQLAlchemy Core.

Chroma, the word index and the vocabulary are projections of it. Each write is one transaction that moves the
generation; a projection asks for what changed since the generation it has applied. Nothing here locks out other
writers: the library does.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from rag.errors import LibraryError, NoPaperError
from rag.schema import Origin, Paper, Where
from rag.tables import (
    AUTHORS,
    CHUNKS,
    DROPPED,
    EMBEDDED,
    META,
    PAPERS,
    PASSAGE,
    RECORDS,
    SOURCES,
    TABLES,
    TAGS,
    VECTORS,
    Changes,
    Mark,
    Passage,
    Source,
    View,
    known_vectors,
    paper_of,
    passage_of,
    select_in,
)
from rag.writing import Writing

# 2: papers tell when they came.
SCHEMA_VERSION = 2


class Catalogue:
    """The catalogue in one SQLite file (WAL mode). Reads are safe from any thread and process."""

    def __init__(self, path: Path) -> None:
        """Opens the catalogue at ``path``, which `create` has made.

        Raises:
            LibraryError: the file is no catalogue, or was written by a newer Vouch.
        """
        self.path = path
        self._engine = sa.create_engine(f"sqlite:///{path}")
        sa.event.listen(self._engine, "connect", _prepare)
        with self._sql() as sql:
            version = int(self._get(sql, "schema") or 0)
        if version > SCHEMA_VERSION:
            raise LibraryError(
                f"The library at {path.parent} was written by a newer Vouch (schema {version}, this one knows "
                f"{SCHEMA_VERSION}): install that version, or name another library."
            )

    @classmethod
    def create(cls, path: Path) -> Catalogue:
        """Opens the catalogue at ``path``, made first where there is none; only one process may do so at a time.

        Raises:
            LibraryError: it cannot be made, or not be opened.
        """
        if not path.exists():
            # Under another name until it is whole, so that nobody opens half a catalogue.
            draft = path.with_name(f"{path.name}.new")
            draft.unlink(missing_ok=True)
            engine = sa.create_engine(f"sqlite:///{draft}")
            with _told(path), engine.begin() as sql:
                TABLES.create_all(sql)
                known = {"schema": str(SCHEMA_VERSION), "generation": "0", "library": secrets.token_hex(8)}
                sql.execute(sa.insert(META), [{"key": key, "value": value} for key, value in known.items()])
            engine.dispose()
            draft.replace(path)
        return cls(path)

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    @contextmanager
    def _sql(self) -> Iterator[sa.Connection]:
        with _told(self.path), self._engine.begin() as connection:
            yield connection

    @staticmethod
    def _get(sql: sa.Connection, key: str) -> str | None:
        return sql.execute(sa.select(META.c.value).where(META.c.key == key)).scalar()

    # ---- what is there

    @property
    def generation(self) -> int:
        """Counts the writes."""
        with self._sql() as sql:
            return int(self._get(sql, "generation") or 0)

    @property
    def mark(self) -> Mark:
        """The library's own name, drawn at random when it was made, and its generation."""
        with self._sql() as sql:
            return self._get(sql, "library") or "", int(self._get(sql, "generation") or 0)

    @property
    def embedder(self) -> str | None:
        """Identity of the embedder that made the vectors; None while there are none."""
        with self._sql() as sql:
            return self._get(sql, "embedder")

    def count(self) -> tuple[int, int]:
        """How many papers and chunks there are."""
        with self._sql() as sql:
            papers, chunks = (sql.execute(sa.select(sa.func.count()).select_from(t)).scalar_one()
                              for t in (PAPERS, CHUNKS))
        return papers, chunks

    def papers(self, ids: Iterable[str] | None = None, *, missing_ok: bool = False) -> tuple[Paper, ...]:
        """The papers with these ids in their order (all of them in the order of arrival for None), with origins.

        Raises:
            NoPaperError: an id is unknown, unless ``missing_ok``, which leaves it out.
        """
        wanted = None if ids is None else list(ids)
        with self._sql() as sql:
            bodies = dict(select_in(sql, sa.select(PAPERS.c.id, PAPERS.c.body), PAPERS.c.id, wanted))
            origins: dict[str, list[Origin]] = defaultdict(list)
            columns = (RECORDS.c.paper_id, RECORDS.c.file, RECORDS.c.record, RECORDS.c.uri, RECORDS.c.sha256)
            for row in sorted(select_in(sql, sa.select(*columns, RECORDS.c.seen), RECORDS.c.paper_id, wanted),
                              key=lambda row: (row.seen, row.uri, row.record)):
                origin = Origin(file=row.file, record=row.record, uri=row.uri, sha256=row.sha256)
                origins[row.paper_id].append(origin)
        missing = [paper_id for paper_id in wanted or () if paper_id not in bodies]
        if missing and not missing_ok:
            raise NoPaperError(f"No paper has the id {missing[0]!r}: `vouch papers list` shows the ids.")
        return tuple(
            replace(paper_of(bodies[paper_id]), origins=tuple(origins[paper_id]))
            for paper_id in (sorted(bodies) if wanted is None else wanted) if paper_id in bodies
        )

    def select(self, where: Where | None) -> frozenset[str] | None:
        """Ids of the papers that a filter lets through; None where it lets all through."""
        if not where:
            return None
        with self._sql() as sql:
            return frozenset(sql.execute(self._matching(sql, where)).scalars())

    def chunk_ids(self, where: Where) -> tuple[str, ...]:
        """Ids of the passages of the papers that a filter lets through."""
        with self._sql() as sql:
            among = self._matching(sql, where)
            return tuple(sql.execute(sa.select(CHUNKS.c.id).where(CHUNKS.c.paper_id.in_(among))).scalars())

    def _matching(self, sql: sa.Connection, where: Where) -> sa.Select[str]:
        if where.added and int(self._get(sql, "schema") or 0) < SCHEMA_VERSION:
            return sa.select(PAPERS.c.id).where(sa.false())  # all its papers are old
        return _matching(where)

    @property
    def newest(self) -> str | None:
        """When the last paper came that is still there, as `Where.added` has it; None where that is not known."""
        with self._sql() as sql:
            if int(self._get(sql, "schema") or 0) < SCHEMA_VERSION:
                return None
            return sql.execute(sa.select(sa.func.max(PAPERS.c.added))).scalar()

    def tags(self, paper_id: str | None = None) -> tuple[str, ...]:
        """The paper's tags, sorted; all that papers have for None."""
        query = sa.select(TAGS.c.tag).distinct().order_by(TAGS.c.tag)
        with self._sql() as sql:
            return tuple(sql.execute(query if paper_id is None else query.where(TAGS.c.paper_id == paper_id)).scalars())

    def passages(self, ids: Sequence[str]) -> dict[str, tuple[Passage, ...]]:
        """The passages of each of these papers with all their vectors, in order."""
        with self._sql() as sql:
            query = sa.select(*PASSAGE, VECTORS.c.parts).select_from(EMBEDDED)
            found = [passage_of(row) for row in select_in(sql, query, CHUNKS.c.paper_id, ids)]
        grouped: dict[str, list[Passage]] = defaultdict(list)
        for passage in found:
            grouped[passage.chunk.paper_id].append(passage)
        return {paper_id: tuple(sorted(group, key=lambda p: p.chunk.index)) for paper_id, group in grouped.items()}

    def views(self, ids: Sequence[str]) -> dict[str, tuple[View, ...]]:
        """The vectors of each of these papers' passages, of those that are there."""
        query = sa.select(CHUNKS.c.paper_id, VECTORS.c.vector, VECTORS.c.parts).select_from(EMBEDDED).order_by(
            CHUNKS.c.paper_id, CHUNKS.c["index"])
        found: dict[str, list[View]] = defaultdict(list)
        with self._sql() as sql:
            for row in select_in(sql, query, CHUNKS.c.paper_id, ids):
                vector = np.frombuffer(row.vector, dtype=np.float32)
                parts = np.frombuffer(row.parts, dtype=np.float16).reshape(-1, len(vector))
                found[row.paper_id].append(View(passage=vector, parts=parts.astype(np.float32)))
        return {paper_id: tuple(views) for paper_id, views in found.items()}

    def known_vectors(self, keys: Sequence[str]) -> frozenset[str]:
        """Which of these vector keys are stored."""
        with self._sql() as sql:
            return known_vectors(sql, keys)

    def sources(self) -> tuple[Source, ...]:
        """The ledger of files read, by name."""
        with self._sql() as sql:
            return tuple(Source(**row._mapping) for row in sql.execute(sa.select(SOURCES).order_by(SOURCES.c.file)))

    def source(self, uri: str) -> Source | None:
        """The ledger's entry for a file."""
        with self._sql() as sql:
            row = sql.execute(sa.select(SOURCES).where(SOURCES.c.uri == uri)).first()
        return Source(**row._mapping) if row else None

    def changes(self, since: int) -> Changes:
        """What a projection that has applied generation ``since`` lacks, with vectors."""
        with self._sql() as sql:
            ids = sql.execute(sa.select(PAPERS.c.id).where(PAPERS.c.generation > since)).scalars().all()
            query = sa.select(*PASSAGE, sa.null().label("parts")).select_from(EMBEDDED)
            passages = tuple(passage_of(row) for row in select_in(sql, query, CHUNKS.c.paper_id, ids))
            bodies = select_in(sql, sa.select(PAPERS.c.id, PAPERS.c.body), PAPERS.c.id, ids)
            papers = tuple(paper_of(row.body) for row in bodies)
            dropped = sql.execute(
                sa.select(DROPPED.c.chunk_id, DROPPED.c.paper_id).where(DROPPED.c.generation > since))
            gone = tuple((row.chunk_id, row.paper_id) for row in dropped)
            mark = self._get(sql, "library") or "", int(self._get(sql, "generation") or 0)
        return Changes(mark=mark, papers=papers, passages=passages, dropped=gone)

    # ---- writing, one transaction each

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """One transaction: what is done in it becomes visible at its end, under the next generation, or not at all."""
        with self._sql() as sql:
            _migrate(sql, int(self._get(sql, "schema") or 0))
            generation = int(self._get(sql, "generation") or 0) + 1
            writing = Writing(sql, generation)
            yield writing
            if writing.touched:
                sql.execute(sa.update(META).where(META.c.key == "generation").values(value=str(generation)))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns the database's errors into one sentence."""
    try:
        yield
    except sa.exc.DatabaseError as error:
        if any(sign in str(error.orig) for sign in ("malformed", "not a database", "no such")):
            raise LibraryError(
                f"The catalogue {path} is damaged ({error.orig}): put back a copy of it, or move {path.parent} away "
                "and ingest your files again."
            ) from error
        raise LibraryError(
            f"The catalogue {path} cannot be used ({error.orig}): see that the disk has room and the file is yours to "
            "write, then run the command again; nothing written before is lost."
        ) from error


def _migrate(sql: sa.Connection, version: int) -> None:
    """Brings the tables of an older library to this schema; a process that dies in between does no harm."""
    if version >= SCHEMA_VERSION:
        return
    if PAPERS.c.added.name not in {column["name"] for column in sa.inspect(sql).get_columns(PAPERS.name)}:
        sql.execute(sa.text("ALTER TABLE papers ADD COLUMN added TEXT"))
    for index in PAPERS.indexes:
        index.create(sql, checkfirst=True)
    sql.execute(sa.update(META).where(META.c.key == "schema").values(value=str(SCHEMA_VERSION)))


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _matching(where: Where) -> sa.Select[str]:
    query = sa.select(PAPERS.c.id)
    if where.years:
        first, last = where.years
        if first is not None:
            query = query.where(PAPERS.c.year >= first)
        if last is not None:
            query = query.where(PAPERS.c.year <= last)
    if where.files:
        query = query.where(PAPERS.c.id.in_(
            sa.select(RECORDS.c.paper_id).where(sa.or_(RECORDS.c.file.in_(where.files),
                                                        RECORDS.c.uri.in_(where.files)))))
    if where.authors:
        query = query.where(PAPERS.c.id.in_(sa.select(AUTHORS.c.paper_id).where(
            sa.or_(*(AUTHORS.c.name.contains(name.casefold(), autoescape=True) for name in where.authors)))))
    if where.tags:
        query = query.where(PAPERS.c.id.in_(sa.select(TAGS.c.paper_id).where(TAGS.c.tag.in_(where.tags))))
    if where.ids:
        query = query.where(PAPERS.c.id.in_(where.ids))
    if where.added:
        query = query.where(PAPERS.c.added >= where.added)
    return query
