"""One write transaction on the catalogue."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from rag.errors import NoPaperError
from rag.merge import merge
from rag.schema import Paper
from rag.tables import (
    AUTHORS,
    CHUNKS,
    CORRECTIONS,
    DROPPED,
    KEYS,
    META,
    PAPERS,
    RECORDS,
    SOURCES,
    TAGS,
    VECTORS,
    Key,
    Passage,
    Source,
    Vectors,
    dump,
    known_vectors,
    paper_of,
    record_of,
    select_in,
)


class Writing:
    """An open write transaction on the catalogue. Made by `Catalogue.write` alone."""

    def __init__(self, sql: sa.Connection, generation: int) -> None:
        self._sql = sql
        self._generation = generation
        self._seen: int | None = None
        self._added: str | None = None
        self.touched = False

    def advance(self) -> None:
        """Moves the generation although nothing changed, so that every reader looks again."""
        self.touched = True

    def set_embedder(self, identity: str) -> None:
        """Records which embedder makes the vectors."""
        self.touched = True
        self._sql.execute(insert(META).values(key="embedder", value=identity)
                          .on_conflict_do_update(index_elements=["key"], set_={"value": identity}))

    def put_record(self, paper_id: str | None, record: Paper, keys: Sequence[Key]) -> str:
        """Stores a record (it has one origin) for a paper, a new one for None; returns the paper's id."""
        self.touched = True
        origin = record.origins[0]
        if self._seen is None:
            self._seen = self._sql.execute(sa.select(sa.func.coalesce(sa.func.max(RECORDS.c.seen), 0))).scalar_one()
        self._seen = seen = self._seen + 1
        if paper_id is None:
            paper_id = _new_id(seen)
            self._sql.execute(sa.insert(PAPERS).values(
                id=paper_id, body=dump(replace(record, id=paper_id)), bare=dump(replace(record, id=paper_id)),
                generation=self._generation, added=self._now()))
        values = {"paper_id": paper_id, "file": origin.file, "sha256": origin.sha256, "body": dump(record)}
        self._sql.execute(insert(RECORDS).values(uri=origin.uri, record=origin.record, seen=seen, **values)
                          .on_conflict_do_update(index_elements=["uri", "record"], set_=values))
        if keys:
            self._sql.execute(insert(KEYS).on_conflict_do_nothing(),
                              [{"kind": kind, "value": value, "paper_id": paper_id} for kind, value in keys])
        return paper_id

    def _now(self) -> str:
        """When this write's papers come: after all that are there, even where the clock was set back."""
        if self._added is None:
            now, last = datetime.now(UTC), self._sql.execute(sa.select(sa.func.max(PAPERS.c.added))).scalar()
            if last is not None:
                now = max(now, datetime.fromisoformat(last) + timedelta(microseconds=1))
            self._added = now.isoformat(timespec="microseconds")
        return self._added

    def known_records(self, uri: str, numbers: Sequence[int], hashes: Sequence[str]) -> tuple[tuple[str, Paper], ...]:
        """A file's records with these numbers or these contents: (paper id, the record as it was read)."""
        query = sa.select(RECORDS).where(
            RECORDS.c.uri == uri, sa.or_(RECORDS.c.record.in_(numbers), RECORDS.c.sha256.in_(hashes)))
        return tuple((row.paper_id, record_of(row)) for row in self._sql.execute(query))

    def candidates(self, keys: Sequence[Key]) -> dict[str, tuple[Paper, ...]]:
        """Papers that share a key: paper id to its records, most keys shared first, at most 20 of them.

        A paper whose records are all gone is still recognised, by what the library kept of it.
        """
        shared: dict[str, int] = defaultdict(int)
        for kind in sorted({kind for kind, _ in keys}):
            values = [value for k, value in keys if k == kind]
            query = sa.select(KEYS.c.paper_id).where(KEYS.c.kind == kind, KEYS.c.value.in_(values))
            for paper_id in self._sql.execute(query).scalars():
                shared[paper_id] += 1
        best = sorted(shared, key=lambda paper_id: (-shared[paper_id], paper_id))[:20]
        grouped: dict[str, list[Paper]] = {paper_id: [] for paper_id in best}
        rows = select_in(self._sql, sa.select(RECORDS), RECORDS.c.paper_id, best)
        for row in sorted(rows, key=lambda row: row.seen):
            grouped[row.paper_id].append(record_of(row))
        orphans = [paper_id for paper_id in best if not grouped[paper_id]]
        for row in select_in(self._sql, sa.select(PAPERS.c.id, PAPERS.c.bare), PAPERS.c.id, orphans):
            grouped[row.id].append(paper_of(row.bare))
        return {paper_id: tuple(records) for paper_id, records in grouped.items()}

    def drop_records_beyond(self, uri: str, numbers: Iterable[int]) -> tuple[str, ...]:
        """Takes away a file's records other than these numbers; returns the papers that lost an origin so."""
        kept = set(numbers)
        query = sa.select(RECORDS.c.record, RECORDS.c.paper_id).where(RECORDS.c.uri == uri)
        gone = [(row.record, row.paper_id) for row in self._sql.execute(query) if row.record not in kept]
        for number, _ in gone:
            self.touched = True
            self._sql.execute(sa.delete(RECORDS).where(RECORDS.c.uri == uri, RECORDS.c.record == number))
        return tuple(dict.fromkeys(paper_id for _, paper_id in gone))

    def papers_of(self, files: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of the papers read from these files (names or paths), and the files' uris."""
        chosen = sa.or_(RECORDS.c.file.in_(files), RECORDS.c.uri.in_(files))
        ids = self._sql.execute(sa.select(RECORDS.c.paper_id).where(chosen).distinct()).scalars().all()
        known = sa.or_(SOURCES.c.file.in_(files), SOURCES.c.uri.in_(files))
        uris = set(self._sql.execute(sa.select(RECORDS.c.uri).where(chosen).distinct()).scalars())
        uris |= set(self._sql.execute(sa.select(SOURCES.c.uri).where(known)).scalars())
        return tuple(ids), tuple(sorted(uris))

    def forget_sources(self, uris: Sequence[str], *, records: bool) -> None:
        """Takes files out of the ledger, so that they are read again; with ``records`` also all they said."""
        self.touched = True
        self._sql.execute(sa.delete(SOURCES).where(SOURCES.c.uri.in_(uris)))
        if records:
            self._sql.execute(sa.delete(RECORDS).where(RECORDS.c.uri.in_(uris)))

    def uris_of(self, paper_ids: Sequence[str]) -> tuple[str, ...]:
        """The files that describe these papers."""
        return tuple(row.uri for row in select_in(self._sql, sa.select(RECORDS.c.uri).distinct(),
                                              RECORDS.c.paper_id, paper_ids))

    def orphans(self) -> tuple[str, ...]:
        """Ids of the papers that no file describes any more."""
        described = sa.select(RECORDS.c.paper_id)
        return tuple(self._sql.execute(sa.select(PAPERS.c.id).where(PAPERS.c.id.not_in(described))).scalars())

    def merged(self, paper_id: str) -> Paper:
        """The paper as its records now describe it, or last did where none is left; without corrections.

        Raises:
            NoPaperError: no paper has that id.
        """
        rows = self._sql.execute(
            sa.select(RECORDS).where(RECORDS.c.paper_id == paper_id).order_by(RECORDS.c.seen)).all()
        records = [record_of(row) for row in rows]
        if not records:
            body = self._sql.execute(sa.select(PAPERS.c.bare).where(PAPERS.c.id == paper_id)).scalar()
            if body is None:
                raise NoPaperError(f"No paper has the id {paper_id!r}: `vouch papers list` shows the ids.")
            records = [paper_of(body)]
        return merge(paper_id, records)

    def corrections(self, paper_id: str) -> dict[str, str | int]:
        """What a person corrected of the paper: field to value."""
        found = self._sql.execute(sa.select(CORRECTIONS).where(CORRECTIONS.c.paper_id == paper_id))
        return {row.field: json.loads(row.value) for row in found}

    def put_paper(self, bare: Paper, paper: Paper, passages: Sequence[Passage]) -> None:
        """Stores a paper, as merged and as corrected, with its passages in place of what was there."""
        self.touched = True
        values = {"body": dump(paper), "bare": dump(bare), "year": paper.year, "generation": self._generation}
        self._sql.execute(insert(PAPERS).values(id=paper.id, **values)
                          .on_conflict_do_update(index_elements=["id"], set_=values))
        self._sql.execute(sa.delete(AUTHORS).where(AUTHORS.c.paper_id == paper.id))
        for name in dict.fromkeys(author.casefold() for author in paper.authors):
            self._sql.execute(sa.insert(AUTHORS).values(paper_id=paper.id, name=name))
        self._drop_chunks([paper.id], kept={passage.chunk.id for passage in passages})
        for passage in passages:
            chunk = passage.chunk
            self._sql.execute(sa.delete(DROPPED).where(DROPPED.c.chunk_id == chunk.id))
            self._sql.execute(sa.insert(CHUNKS).values(
                id=chunk.id, paper_id=chunk.paper_id, index=chunk.index, text=chunk.text, start=chunk.start,
                end=chunk.end, tokens=chunk.tokens, sentences=json.dumps(passage.sentences),
                vector_key=passage.vector_key))

    def put_vector(self, key: str, vector: Vectors, parts: Vectors) -> None:
        """Stores a chunk's vector (d,), and in half precision its parts' (n, d): the title's, then the sentences'."""
        self.touched = True
        self._sql.execute(insert(VECTORS).values(
            key=key, vector=vector.astype(np.float32).tobytes(), parts=parts.astype(np.float16).tobytes(),
        ).on_conflict_do_nothing())

    def known_vectors(self, keys: Sequence[str]) -> frozenset[str]:
        """Which of these vector keys are stored."""
        return known_vectors(self._sql, keys)

    def put_source(self, source: Source) -> None:
        """Enters a file that was read whole into the ledger."""
        self.touched = True
        values = asdict(source)
        self._sql.execute(insert(SOURCES).values(**values)
                          .on_conflict_do_update(index_elements=["uri"], set_=values))

    def correct(self, paper_id: str, field: str, value: str | int) -> None:
        """Records a correction made by hand."""
        self.touched = True
        stored = json.dumps(value)
        self._sql.execute(insert(CORRECTIONS).values(paper_id=paper_id, field=field, value=stored)
                          .on_conflict_do_update(index_elements=["paper_id", "field"], set_={"value": stored}))

    def tag(self, paper_id: str, tags: Sequence[str]) -> None:
        """Adds tags."""
        self.touched = True
        for name in tags:
            self._sql.execute(insert(TAGS).values(paper_id=paper_id, tag=name).on_conflict_do_nothing())

    def untag(self, paper_id: str, tags: Sequence[str]) -> None:
        """Takes tags away."""
        self.touched = True
        self._sql.execute(sa.delete(TAGS).where(TAGS.c.paper_id == paper_id, TAGS.c.tag.in_(tags)))

    def remove(self, paper_ids: Sequence[str]) -> None:
        """Removes papers with all that belongs to them."""
        self.touched = True
        self._drop_chunks(paper_ids, kept=frozenset())
        for start in range(0, len(paper_ids), 500):
            self._sql.execute(sa.delete(PAPERS).where(PAPERS.c.id.in_(paper_ids[start:start + 500])))

    def clear_vectors(self) -> None:
        """Forgets every vector, and marks every paper as changed: the library is about to be embedded anew."""
        self.touched = True
        self._sql.execute(sa.delete(VECTORS))
        self._sql.execute(sa.update(PAPERS).values(generation=self._generation))

    def sweep_vectors(self) -> None:
        """Forgets the vectors that no chunk uses."""
        used = sa.select(CHUNKS.c.vector_key)
        self._sql.execute(sa.delete(VECTORS).where(VECTORS.c.key.not_in(used)))

    def _drop_chunks(self, paper_ids: Sequence[str], kept: frozenset[str] | set[str]) -> None:
        rows = list(select_in(self._sql, sa.select(CHUNKS.c.id, CHUNKS.c.paper_id), CHUNKS.c.paper_id, paper_ids))
        for row in rows:
            self._sql.execute(sa.delete(CHUNKS).where(CHUNKS.c.id == row.id))
            if row.id not in kept:
                self._sql.execute(insert(DROPPED).values(
                    chunk_id=row.id, paper_id=row.paper_id, generation=self._generation,
                ).on_conflict_do_update(index_elements=["chunk_id"], set_={"generation": self._generation}))


def _new_id(arrival: int) -> str:
    """Opaque; sorts by arrival, and is never given twice, not even to another paper after a removal."""
    return f"p{arrival:06d}{secrets.token_hex(3)}"
