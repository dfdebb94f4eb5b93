"""When papers came to a library: kept from now on, asked for by a filter, unknown in libraries of earlier versions."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import ingest
from rag import Library, open_library
from rag.catalogue import SCHEMA_VERSION
from rag.embedders.minilm import LocalEmbedder
from rag.errors import LibraryError
from rag.schema import Where
from rag.settings import Settings
from tests.records import write_jsonl
from ui.since import after, day, moment

pytestmark = pytest.mark.slow

FIRST = {"title": "Nests of herons", "abstract": "Herons nest in tall trees. We count their nests over two winters."}
SECOND = {"title": "Tides of small seas", "abstract": "Tides rise in small seas. We measure tides in ten harbours."}
THIRD = {"title": "Bread ovens and heat", "abstract": "Bread bakes evenly in steady heat. We compare two ovens."}


def read(library: Library, folder: Path, name: str, *records: dict[str, str]) -> None:
    ingest([write_jsonl(folder / name, *records)], library)


def titles(library: Library, added: str) -> list[str | None]:
    return [paper.title for paper in library.papers.where(Where(added=added))]


def made_old(library: Library) -> Path:
    """Closes the library and gives its catalogue the tables of the first version."""
    library.close()
    path = library.path / "catalogue.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("DROP INDEX ix_papers_added")
        db.execute("ALTER TABLE papers DROP COLUMN added")
        db.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    db.close()
    return path


def columns(path: Path) -> tuple[set[str], str]:
    with sqlite3.connect(path) as db:
        found = {row[1] for row in db.execute("PRAGMA table_info(papers)")}
        version: str = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()[0]
    db.close()
    return found, version


def test_a_filter_lets_through_what_came_since(library: Library, tmp_path: Path) -> None:
    before = datetime.now(UTC).isoformat(timespec="microseconds")
    read(library, tmp_path, "a.jsonl", FIRST)
    newest = library.papers.newest
    assert newest is not None
    assert before <= newest <= datetime.now(UTC).isoformat(timespec="microseconds")
    read(library, tmp_path, "b.jsonl", SECOND, THIRD)
    assert titles(library, newest) == [FIRST["title"], SECOND["title"], THIRD["title"]]
    assert titles(library, after(newest)) == [SECOND["title"], THIRD["title"]]
    assert titles(library, newest[:10]) == [FIRST["title"], SECOND["title"], THIRD["title"]]
    assert titles(library, "2999-01-01") == []
    # Searching goes by it too, and so does what is read again without being new.
    found = library.search("tides and herons", where=Where(added=after(newest)))
    assert {hit.paper.title for hit in found} == {SECOND["title"], THIRD["title"]}
    last = library.papers.newest
    read(library, tmp_path, "c.jsonl", FIRST, SECOND | {"year": "2021"})
    library.edit(library.papers.where(None)[0].id, year=1999)
    assert library.papers.newest == last


def test_the_library_of_an_earlier_version_is_read_and_moves_on_with_the_first_write(
        library: Library, tmp_path: Path, embedder: LocalEmbedder) -> None:
    read(library, tmp_path, "a.jsonl", FIRST, SECOND)
    path = made_old(library)
    with open_library(settings=Settings(library=library.path), embedder=embedder) as old:
        assert len(old.papers) == 2
        assert titles(old, "0001-01-01") == []
        assert old.papers.newest is None
        assert old.search("herons", where=Where(added="0001-01-01")) == ()
        assert [hit.paper.title for hit in old.search("nests of herons", 1)] == [FIRST["title"]]
        assert columns(path)[1] == "1"
        read(old, tmp_path, "b.jsonl", THIRD)
        found, version = columns(path)
        assert "added" in found
        assert version == str(SCHEMA_VERSION)
        assert titles(old, "0001-01-01") == [THIRD["title"]]
        assert len(old.papers) == 3


def test_a_process_that_died_while_moving_on_did_no_harm(library: Library, tmp_path: Path,
                                                         embedder: LocalEmbedder) -> None:
    read(library, tmp_path, "a.jsonl", FIRST)
    path = made_old(library)
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE papers ADD COLUMN added TEXT")
    db.close()
    with open_library(settings=Settings(library=library.path), embedder=embedder) as old:
        assert titles(old, "0001-01-01") == []
        read(old, tmp_path, "b.jsonl", SECOND)
        assert titles(old, "0001-01-01") == [SECOND["title"]]


def test_a_clock_that_is_set_back_makes_no_paper_older(library: Library, tmp_path: Path) -> None:
    read(library, tmp_path, "a.jsonl", FIRST)
    library.close()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="microseconds")
    with sqlite3.connect(library.path / "catalogue.sqlite") as db:
        db.execute("UPDATE papers SET added = ?", (tomorrow,))
    db.close()
    read(library, tmp_path, "b.jsonl", SECOND)
    assert titles(library, after(tomorrow)) == [SECOND["title"]]


def test_a_newer_library_is_told(library: Library, tmp_path: Path) -> None:
    read(library, tmp_path, "a.jsonl", FIRST)
    library.close()
    with sqlite3.connect(library.path / "catalogue.sqlite") as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (str(SCHEMA_VERSION + 1),))
    db.close()
    with pytest.raises(LibraryError, match="newer Vouch"):
        len(library.papers)


def test_moments() -> None:
    now = datetime.now(UTC)
    week = datetime.fromisoformat(moment("7d"))
    assert abs(now - timedelta(days=7) - week) < timedelta(minutes=5)
    assert abs(datetime.fromisoformat(moment("2w")) - now + timedelta(days=14)) < timedelta(minutes=5)
    assert moment("2025-03-31T10:00:00+02:00") == "2025-03-31T08:00:00.000000+00:00"
    assert day(moment("2025-03-31")) == "2025-03-31"
    for bad in ("", "yesterday", "7", "2025-13-01", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(ValueError, match="is no time"):
            moment(bad)
