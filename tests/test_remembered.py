"""What a model wrote is remembered by what it was sent, within bounds, and never in the way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.models import remembered
from rag.models.remembered import Remembered, key

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def replies(tmp_path: Path) -> Remembered:
    return Remembered(tmp_path / "replies.sqlite")


def test_a_reply_is_kept_renewed_and_dropped(replies: Remembered) -> None:
    assert replies.find("a") is None
    replies.keep("a", "Half a \ud83d character.")
    assert replies.find("a") == "Half a \ud83d character."
    replies.keep("a", "Another.")
    assert (replies.find("a"), replies.find("b")) == ("Another.", None)
    replies.drop("a")
    replies.drop("never there")
    assert replies.find("a") is None


@given(st.lists(st.text(max_size=5), max_size=3), st.lists(st.text(max_size=5), max_size=3))
def test_different_parts_have_different_keys(one: list[str], other: list[str]) -> None:
    assert (key(*one) == key(*other)) == (one == other)


def test_the_oldest_are_forgotten(replies: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 9_000)
    for name in "abcad":
        replies.keep(name, name * 500)
    assert [name for name in "abcd" if replies.find(name)] == ["a", "c", "d"]
    replies.keep("long", "e" * 5_000)
    assert [name for name in ("a", "c", "d", "long") if replies.find(name)] == ["long"]


def test_looking_something_up_writes_nothing(tmp_path: Path) -> None:
    absent = Remembered(tmp_path / "no folder" / "replies.sqlite")
    assert absent.find("a") is None
    absent.keep("a", "b")
    absent.drop("a")
    Remembered(tmp_path / "replies.sqlite").find("a")
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_what_is_there_is_read(replies: Remembered) -> None:
    replies.keep("a", "b")
    # A folder in the file's place cannot be written by anybody, be he root.
    blocked = Remembered(replies.path.with_name("blocked"))
    blocked.path.mkdir()
    blocked.keep("a", "b")
    assert blocked.find("a") is None
    before = replies.path.stat().st_mtime_ns
    assert replies.find("a") == "b"
    assert replies.path.stat().st_mtime_ns == before


def test_a_broken_file_is_begun_anew(replies: Remembered) -> None:
    replies.path.write_bytes(b"this is no database" * 100)
    assert replies.find("a") is None
    replies.keep("a", "b")
    assert replies.find("a") == "b"


@pytest.mark.parametrize("text", ["CAST(x'ff80' AS TEXT)", "x'ff80'", "'plain'", "7", "0.5"])
def test_what_no_reply_can_be_is_none(replies: Remembered, text: str) -> None:
    replies.keep("a", "b")
    with sqlite3.connect(replies.path) as db:
        db.execute(f"UPDATE reply SET text = {text}")
    db.close()
    assert replies.find("a") is None
    replies.keep("a", "b")
    assert replies.find("a") == "b"


def test_another_writer_costs_a_reply_not_an_answer(replies: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_PATIENCE", 0.05)
    replies.keep("a", "b")
    writer = sqlite3.connect(replies.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    replies.keep("c", "d")
    assert replies.find("a") is None
    writer.execute("ROLLBACK")
    writer.close()
    assert (replies.find("a"), replies.find("c")) == ("b", None)


def test_threads_and_processes_share_it(replies: Remembered) -> None:
    program = ("import sys; from pathlib import Path; from rag.models.remembered import Remembered\n"
               "replies = Remembered(Path(sys.argv[1]))\n"
               "for number in range(20): replies.keep(f'{sys.argv[2]} {number}', 'text')\n")
    processes = [subprocess.Popen([sys.executable, "-c", program, str(replies.path), name], cwd=ROOT) for name in "pq"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: replies.keep(f"t {number}", "text"), range(20)))
    assert [process.wait(60) for process in processes] == [0, 0]
    assert all(replies.find(f"{name} {number}") == "text" for name in "pqt" for number in range(20))
