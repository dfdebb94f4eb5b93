"""Digests that were made on the page, kept in the notebook's file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.digest.reading import from_json
from rag.survey import Digest
from ui.notebook import new_id, opened
from ui.render import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A digest in the list: its title, how many papers it rests on, when it was kept (ISO, UTC)."""

    id: str
    title: str
    papers: int
    at: str


class Drawer:
    """The digests in a notebook's file. Safe to use from several threads and processes.

    Args:
        path: where the file is, or will be made by the first digest that is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self, limit: int = 100) -> tuple[Kept, ...]:
        """The digests, the last one first."""
        if not self.path.exists():
            return ()
        with opened(self.path) as db:
            rows = db.execute("SELECT id, title, papers, at FROM digest ORDER BY at DESC LIMIT ?", (limit,)).fetchall()
        return tuple(Kept(id=id_, title=title, papers=papers, at=at) for id_, title, papers, at in rows)

    def get(self, id_: str) -> Digest | None:
        """The digest as it was made; None where there is none of that id."""
        if not self.path.exists():
            return None
        with opened(self.path) as db:
            row = db.execute("SELECT document FROM digest WHERE id = ?", (id_,)).fetchone()
        return from_json(row[0]) if row else None

    def keep(self, digest: Digest, id_: str | None = None) -> str:
        """Keeps a digest, in place of the one with that id where there is one; returns its id."""
        id_ = id_ or new_id()
        kept = (id_, digest.title, len(digest.references), json.dumps(to_json(digest), ensure_ascii=False),
                datetime.now(UTC).isoformat())
        with opened(self.path, make=True) as db:
            db.execute("INSERT OR REPLACE INTO digest (id, title, papers, document, at) VALUES (?, ?, ?, ?, ?)", kept)
        return id_

    def forget(self, id_: str) -> None:
        """Forgets a digest; one that does not exist is forgotten already."""
        if self.path.exists():
            with opened(self.path) as db:
                db.execute("DELETE FROM digest WHERE id = ?", (id_,))
