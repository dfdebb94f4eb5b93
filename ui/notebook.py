"""Conversations, kept in an SQLite file beside the library: losing it loses no paper.

An entry is stored as the JSON of its answer, so an old conversation shows what was said then, whatever has happened
to the library since. The filter that it was asked under stands among the answer's own fields.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import sqlite3
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from rag.errors import LibraryError
from rag.schema import Answer, ClaimReport, Where
from ui.render import to_json

# The file's name in a library's folder.
NOTEBOOK = "notebook.sqlite"
_TABLES = ("""
CREATE TABLE IF NOT EXISTS turn (
    conversation TEXT NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (conversation, position)
) WITHOUT ROWID
""", """
CREATE TABLE IF NOT EXISTS digest (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    papers INTEGER NOT NULL,
    document TEXT NOT NULL,
    at TEXT NOT NULL
)
""", """
CREATE TABLE IF NOT EXISTS followed (
    name TEXT PRIMARY KEY,
    topic TEXT NOT NULL,
    filter TEXT NOT NULL,
    since TEXT NOT NULL,
    told TEXT
)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation in the list: its first question, how many entries, when it last moved (ISO, UTC), its filter."""

    id: str
    title: str
    turns: int
    at: str
    where: Where | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A question with its answer, or a claim with its report.

    Attributes:
        asked: the question or claim, as it was written.
        where: which papers were to be looked at.
    """

    asked: str
    answer: Answer | ClaimReport
    where: Where | None = None


def new_id() -> str:
    """An id for a conversation that does not exist yet."""
    return secrets.token_urlsafe(9)


class Notebook:
    """The conversations in one file. Safe to use from several threads and processes.

    The file is made by the first turn that is written; until then there are no conversations.

    Args:
        path: where the file is or will be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def conversations(self, limit: int = 100) -> tuple[Conversation, ...]:
        """The conversations, the one that moved last first.

        Raises:
            LibraryError: the file cannot be read.
        """
        if not self.path.exists():
            return ()
        with opened(self.path) as db:
            rows = db.execute(
                "SELECT whole.conversation, first.question, whole.turns, whole.at, json_extract(last.answer, '$.where')"
                " FROM (SELECT conversation, min(position) AS first, max(position) AS last, count(*) AS turns,"
                "  max(at) AS at FROM turn GROUP BY conversation) AS whole"
                " JOIN turn AS first ON first.conversation = whole.conversation AND first.position = whole.first"
                " JOIN turn AS last ON last.conversation = whole.conversation AND last.position = whole.last"
                " ORDER BY whole.at DESC LIMIT ?", (limit,),
            ).fetchall()
        return tuple(Conversation(id=id_, title=title, turns=turns, at=at,
                                  where=kept_where(json.loads(where or "null")))
                     for id_, title, turns, at, where in rows)

    def entries(self, conversation: str) -> tuple[Entry, ...]:
        """The conversation's entries in order; empty where there is no such conversation.

        Raises:
            LibraryError: the file cannot be read.
        """
        if not self.path.exists():
            return ()
        with opened(self.path) as db:
            rows = db.execute(
                "SELECT question, answer FROM turn WHERE conversation = ? ORDER BY position", (conversation,),
            ).fetchall()
        return tuple(_entry(asked, json.loads(answer)) for asked, answer in rows)

    def append(self, conversation: str, entry: Entry) -> None:
        """Write an entry at the end of a conversation, which begins with it if it is the first.

        Raises:
            LibraryError: the file cannot be written.
        """
        kept = to_json(entry.answer) | ({"where": to_json(entry.where)} if entry.where else {})
        with opened(self.path, make=True) as db:
            db.execute(
                "INSERT INTO turn SELECT ?, coalesce(max(position), 0) + 1, ?, ?, ? FROM turn WHERE conversation = ?",
                (conversation, entry.asked, json.dumps(kept, ensure_ascii=False), datetime.now(UTC).isoformat(),
                 conversation),
            )

    def delete(self, conversation: str) -> None:
        """Forget a conversation; one that does not exist is forgotten already.

        Raises:
            LibraryError: the file cannot be written.
        """
        if self.path.exists():
            with opened(self.path) as db:
                db.execute("DELETE FROM turn WHERE conversation = ?", (conversation,))


@contextmanager
def opened(path: Path, make: bool = False) -> Iterator[sqlite3.Connection]:
    """One transaction on a notebook's file; with ``make`` the file is made where there is none.

    Raises:
        LibraryError: the file cannot be used.
    """
    # A connection for each call: it costs a fraction of a millisecond and belongs to no thread.
    try:
        if make:
            path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=10)) as db:
            db.execute("PRAGMA secure_delete = ON")
            for table in _TABLES:  # a file of an earlier version lacks some
                db.execute(table)
            with db:
                yield db
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(f"{path} cannot be used ({error}): make room for it, or move it away to begin a "
                           "new one.") from error


def _entry(asked: str, kept: Mapping[str, object]) -> Entry:
    kind = ClaimReport if "claim" in kept else Answer
    answer = cast(Answer | ClaimReport, _typed(kind, kept))
    return Entry(asked=asked, answer=answer, where=kept_where(kept.get("where")))


def kept_where(kept: object) -> Where | None:
    """The filter that was kept as JSON; None for none."""
    return cast(Where, _typed(Where, kept)) if kept else None


def _typed(kind: object, data: object) -> object:
    """JSON back into the dataclasses it came from. Unknown names are passed over, missing ones take their default."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        given = cast(Mapping[str, object], data)
        hints = typing.get_type_hints(kind)
        return kind(**{field.name: _typed(hints[field.name], given[field.name])
                       for field in dataclasses.fields(kind) if field.name in given})
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return tuple(_typed(inner[0], item) for item in cast(Sequence[object], data))
    if origin in (types.UnionType, typing.Union):
        return None if data is None else _typed(inner[0], data)
    return data
