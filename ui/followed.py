"""Topics that are followed, and up to which paper each was told of; kept in the notebook's file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import BusyError
from rag.schema import Where
from ui.notebook import kept_where, opened
from ui.render import to_json
from ui.since import after

# A run takes some seconds a topic, with a model some minutes.
_PATIENCE = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A topic that is followed.

    Attributes:
        topic: as it was written.
        where: only these papers.
        since: papers that came at this time or later are new (see `Where.added`).
        told: when it was last run (ISO, UTC); None where it never was.
    """

    topic: str
    where: Where
    since: str
    told: str | None = None

    @property
    def new(self) -> Where:
        """The filter that lets through what is new."""
        return replace(self.where, added=self.since)


class Following:
    """The followed topics in a notebook's file. Safe to use from several threads and processes.

    Args:
        path: where the file is, or will be made by the first topic.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> tuple[Followed, ...]:
        """The topics, in the order of their names."""
        if not self.path.exists():
            return ()
        with opened(self.path) as db:
            rows = db.execute("SELECT topic, filter, since, told FROM followed ORDER BY name").fetchall()
        return tuple(Followed(topic=topic, where=kept_where(json.loads(where)) or Where(), since=since, told=told)
                     for topic, where, since, told in rows)

    def add(self, topic: str, where: Where, newest: str | None) -> bool:
        """Follows a topic from now on; one that is followed already gets the filter, and is told of from where it was.

        Args:
            topic: in the reader's words.
            where: only these papers.
            newest: when the library's last paper came; None where it knows of none.

        Returns:
            whether it was not followed yet.
        """
        kept = json.dumps(to_json(where), ensure_ascii=False)
        with opened(self.path, make=True) as db:
            updated = db.execute("UPDATE followed SET topic = ?, filter = ? WHERE name = ?",
                                 (topic, kept, _name(topic))).rowcount
            if not updated:
                db.execute("INSERT INTO followed (name, topic, filter, since) VALUES (?, ?, ?, ?)",
                           (_name(topic), topic, kept, _next(newest)))
        return not updated

    def remove(self, topic: str) -> bool:
        """Follows a topic no longer; False where it was not followed."""
        if not self.path.exists():
            return False
        with opened(self.path) as db:
            return db.execute("DELETE FROM followed WHERE name = ?", (_name(topic),)).rowcount > 0

    def told(self, followed: Followed, newest: str | None) -> None:
        """Notes that all was told of a topic up to the paper that came last."""
        with opened(self.path) as db:
            db.execute("UPDATE followed SET since = ?, told = ? WHERE name = ?",
                       (max(followed.since, _next(newest)), datetime.now(UTC).isoformat(), _name(followed.topic)))

    @contextmanager
    def running(self) -> Iterator[None]:
        """One run at a time: a second one waits, so that nothing is told twice.

        Raises:
            BusyError: another run goes on for minutes.
        """
        import filelock

        try:
            with filelock.FileLock(self.path.with_name("follow.lock"), timeout=_PATIENCE):
                yield
        except filelock.Timeout as error:
            raise BusyError("Another `vouch follow run` is at work: wait for it to finish, then try again.") from error


def _name(topic: str) -> str:
    return " ".join(topic.casefold().split())


def _next(newest: str | None) -> str:
    """What comes after the paper that came last; before every paper where none is known to have come."""
    return after(newest) if newest else "0001-01-01"
