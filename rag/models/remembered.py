"""What a model wrote, remembered by exactly what it was sent, so that the same question costs nothing again.

An SQLite file of its own: losing it loses nothing but time, so whatever is wrong with it only means that the model is
asked. It holds no question, only a hash of it. What is read from it is checked as anything that a model writes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

_SCHEMA = "CREATE TABLE IF NOT EXISTS reply (at INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, text BLOB NOT NULL)"

# Bytes of replies that are kept, the newest; each counts as so much more, so that there are some thousands at most.
MOST = 16_000_000
_EACH = 2_000

# Nobody waits for another process's reply to be written.
_PATIENCE = 1.0


def key(*parts: str | Sequence[tuple[str, str]]) -> str:
    """The key of a reply: a hash of everything that it depends on."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Remembered:
    """The replies in one file. Safe to use from several threads and processes.

    The first reply that is kept makes the file; no folder is made for it, and none is needed to look something up.

    Args:
        path: where the file is or will be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, key: str) -> str | None:
        """What the model wrote; None where that is not remembered."""
        if not self.path.is_file():
            return None
        with contextlib.suppress(sqlite3.Error, UnicodeDecodeError), self._open("ro") as db:
            row = db.execute("SELECT text FROM reply WHERE key = ?", (key,)).fetchone()
            # Whoever else wrote into the file may have written anything.
            if row and isinstance(row[0], bytes):
                return row[0].decode("utf-8", "surrogatepass")
        return None

    def keep(self, key: str, text: str) -> None:
        """Remembers a reply, and forgets the oldest where there are too many; not where nothing can be written."""
        if not self.path.parent.is_dir():
            return
        try:
            self._write(key, text)
        except sqlite3.OperationalError:
            return  # a folder that may only be read, a full disk, a writer that takes its time
        except sqlite3.DatabaseError:
            # No database, or a broken one: begin anew.
            with contextlib.suppress(OSError, sqlite3.Error):
                self.path.unlink()
                self._write(key, text)

    def drop(self, key: str) -> None:
        """Forgets a reply."""
        with contextlib.suppress(sqlite3.Error), self._open("rw") as db:
            db.execute("DELETE FROM reply WHERE key = ?", (key,))

    def _write(self, key: str, text: str) -> None:
        with self._open("rwc") as db:
            # The disk is not waited for: at worst a power cut costs the file.
            db.execute("PRAGMA synchronous = OFF")
            db.execute(_SCHEMA)
            # As bytes: what a model writes may hold half a character.
            db.execute("REPLACE INTO reply (at, key, text) SELECT coalesce(max(at), 0) + 1, ?, ? FROM reply",
                       (key, text.encode("utf-8", "surrogatepass")))
            db.execute("DELETE FROM reply WHERE at IN (SELECT at FROM (SELECT at, sum(length(text) + ?) OVER "
                       "(ORDER BY at DESC) AS size FROM reply) WHERE size > ?)", (_EACH, MOST))

    @contextmanager
    def _open(self, mode: str) -> Iterator[sqlite3.Connection]:
        # No write-ahead log: a folder that may only be read could not be read with one.
        address = f"{self.path.absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as db, db:
            yield db
