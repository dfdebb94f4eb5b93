"""The words that a library's papers hold, and what they show of each other: a projection of the catalogue in SQLite.

`rag.search.wording` asks it how else a question could be put.
"""

from __future__ import annotations

import functools
import json
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from rag.errors import ProjectionError
from rag.search.acronyms import definitions, has_capitals
from rag.tables import Changes, Mark
from rag.text import STOP_WORDS, stem, words

# What a text shows, as (kind, key, value), all folded: a word and its stem; a word that it always writes with capitals;
# the stem of a hyphenated pair written together, and the pair; an acronym and its long form; a long form's stems and
# its acronym.
Kind = Literal["word", "capitals", "pair", "acronym", "long"]
Fact = tuple[Kind, str, str]

HYPHEN = "[-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}]"
_TOKEN = re.compile(r"[^\W_]+")
_HYPHENED = re.compile(rf"[^\W_]+(?:{HYPHEN}[^\W_]+)+")

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, papers INTEGER NOT NULL,
    UNIQUE (kind, key, value));
CREATE INDEX IF NOT EXISTS facts_by_value ON facts (kind, value);
CREATE TABLE IF NOT EXISTS held (paper_id TEXT PRIMARY KEY, facts BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mark (library TEXT NOT NULL, generation INTEGER NOT NULL);
"""
_COUNT = """
INSERT INTO facts (kind, key, value, papers) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, key, value) DO UPDATE SET papers = papers + excluded.papers RETURNING id
"""


class Vocabulary:
    """What is known of the papers' words. Safe from any thread; other processes' commits are seen at the next look."""

    def __init__(self, path: Path) -> None:
        """Opens nothing yet."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()

    @property
    def mark(self) -> Mark:
        """Whose writes this projection has applied, and up to which generation; -1 where it is empty."""
        with self._sql() as sql:
            row: Mark | None = sql.execute("SELECT library, generation FROM mark").fetchone()
        return row or ("", -1)

    def count(self) -> int:
        """Papers in the projection.

        Raises:
            ProjectionError: the vocabulary cannot be read.
        """
        with self._sql() as sql:
            return int(sql.execute("SELECT count(*) FROM held").fetchone()[0])

    def papers(self, kind: Kind, keys: Iterable[str]) -> dict[str, int]:
        """How many papers show each of the keys that any shows; of a key with several values, the commonest.

        Raises:
            ProjectionError: the vocabulary cannot be read.
        """
        return {key: max(values.values()) for key, values in self.values(kind, keys).items()}

    def values(self, kind: Kind, keys: Iterable[str]) -> dict[str, Mapping[str, int]]:
        """For each of the keys that any paper shows, its values and how many papers show them.

        Raises:
            ProjectionError: the vocabulary cannot be read.
        """
        with self._sql() as sql:
            rows = sql.execute("SELECT key, value, papers FROM facts WHERE kind = ? AND key IN "
                               "(SELECT value FROM json_each(?))", (kind, json.dumps(list(keys)))).fetchall()
        found: dict[str, dict[str, int]] = {}
        for key, value, papers in rows:
            found.setdefault(key, {})[value] = papers
        return dict(found)

    def stems(self, stems: Iterable[str]) -> dict[str, int]:
        """How many papers hold each of the stems that any holds, in its commonest form.

        Raises:
            ProjectionError: the vocabulary cannot be read.
        """
        with self._sql() as sql:
            return dict(sql.execute("SELECT value, max(papers) FROM facts WHERE kind = 'word' AND value IN "
                                    "(SELECT value FROM json_each(?)) GROUP BY value", (json.dumps(list(stems)),)))

    def apply(self, changes: Changes) -> None:
        """Brings the projection to the changes' generation; applying the same changes again does no harm.

        Raises:
            ProjectionError: the vocabulary cannot be written.
        """
        shown = {paper.id: mine(paper.text) for paper in changes.papers}
        with self._sql() as sql:
            sql.execute("BEGIN IMMEDIATE")
            _forget(sql, {paper_id for _, paper_id in changes.dropped} | set(shown))
            counted = Counter(fact for facts in shown.values() for fact in facts)
            numbers = {fact: sql.execute(_COUNT, (*fact, papers)).fetchone()[0] for fact, papers in counted.items()}
            sql.executemany("INSERT INTO held VALUES (?, ?)", [
                (paper_id, np.array([numbers[fact] for fact in facts], dtype=np.uint32).tobytes())
                for paper_id, facts in shown.items()])
            sql.execute("DELETE FROM mark")
            sql.execute("INSERT INTO mark VALUES (?, ?)", changes.mark)

    def refresh(self) -> None:
        """Lets go of the file, so that the next use opens what stands there then."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    close = refresh

    def reset(self) -> None:
        """Empties the projection, whatever state it is in, so that all is applied anew."""
        with self._lock:
            self.refresh()
            # The file itself last: what it has not taken up yet must not be taken for a new one's.
            for ending in ("-wal", "-shm", ""):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    @contextmanager
    def _sql(self) -> Iterator[sqlite3.Connection]:
        """The open file; what is written in it is kept as a whole or not at all."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _connect(self._path)
                with self._connection:
                    yield self._connection
            except (sqlite3.Error, OSError) as error:
                self.refresh()
                raise ProjectionError(
                    f"The vocabulary {self._path} cannot be used ({error}): see that the disk has room, then run "
                    "`vouch doctor --repair`; the catalogue still holds everything."
                ) from error


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # The catalogue is kept with more care: what a power failure takes from here is applied anew.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_TABLES)
    return connection


def _forget(sql: sqlite3.Connection, paper_ids: Iterable[str]) -> None:
    """Takes back what these papers showed, of those that are there."""
    lost: Counter[int] = Counter()
    for paper_id in paper_ids:
        for (held,) in sql.execute("DELETE FROM held WHERE paper_id = ? RETURNING facts", (paper_id,)).fetchall():
            lost.update(np.frombuffer(held, dtype=np.uint32).tolist())
    sql.executemany("UPDATE facts SET papers = papers - ? WHERE id = ?",
                    [(papers, number) for number, papers in lost.items()])
    sql.executemany("DELETE FROM facts WHERE id = ? AND papers < 1", [(number,) for number in lost])


def mine(text: str) -> frozenset[Fact]:
    """What a paper's text shows of its words."""
    folded = {token: fold(token) for token in set(_TOKEN.findall(text))}
    known = set(filter(is_content, folded.values()))
    facts: set[Fact] = {("word", word, stem(word)) for word in known}
    plain = {word for token, word in folded.items() if not has_capitals(token)}
    facts.update(("capitals", word, "") for word in known - plain)
    for hyphened in set(_HYPHENED.findall(text)):
        parts = [fold(part) for part in re.split(HYPHEN, hyphened)]
        facts.update(("pair", stem(a + b), f"{a} {b}") for a, b in pairwise(parts) if len(b) > 1 or b.isdigit())
    for short, long in definitions(text):
        facts |= {("acronym", short, long), ("long", stem_phrase(long), short)}
    return frozenset(facts)


def is_content(word: str) -> bool:
    """Whether a folded word carries meaning of its own: no small word, no single letter, no number."""
    return len(word) > 1 and word not in STOP_WORDS and not word.isdigit()


@functools.lru_cache(maxsize=65536)
def fold(token: str) -> str:
    """A word without case and accents."""
    return "".join(words(token))


def stem_phrase(phrase: str) -> str:
    """The stems of a folded phrase's words."""
    return " ".join(map(stem, phrase.split()))
