"""`vouch follow`: topics and what is new on them, told once."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag import Library
from rag.schema import Answer, Where
from tests.records import write_jsonl
from ui.cli import main
from ui.drawer import Drawer
from ui.followed import Following
from ui.notebook import NOTEBOOK, Entry, Notebook

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
TOPIC = "reward models"
NEW: dict[str, Any] = {"title": "Reward models with longer memories", "year": 2025,
                       "abstract": "Reward models judge answers of language models. We train reward models on longer "
                                   "answers. Reward models with longer memories agree with people more often."}
OTHER = {"title": "Bread ovens and heat", "year": 2025,
         "abstract": "Bread bakes evenly in steady heat. We compare stone ovens and steel ovens on four breads."}
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def own(shelf: Library, tmp_path: Path) -> list[str]:
    shelf.close()
    return ["--library", str(shutil.copytree(shelf.path, tmp_path / "own"))]


def ingested(own: list[str], tmp_path: Path, *records: dict[str, Any]) -> None:
    name = f"{len(list(tmp_path.iterdir()))}.jsonl"
    assert main(["ingest", str(write_jsonl(tmp_path / name, *records)), *own]) == 0


def told(own: list[str], capsys: Capture, *options: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["follow", "run", "--json", *options, *own]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["followed"]
    return found


def papers(digest: dict[str, Any]) -> list[str]:
    return [reference["paper"]["title"] for reference in digest["references"]]


def test_only_what_is_new_is_told_and_once(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main(["follow", "add", *TOPIC.split(), *own]) == 0
    assert "Following “reward models”" in capsys.readouterr().out
    assert main(["follow", "run", *own]) == 0
    assert capsys.readouterr().out == "Nothing new on “reward models”.\n"
    ingested(own, tmp_path, NEW, OTHER)
    [found] = told(own, capsys)
    assert papers(found["digest"]) == [NEW["title"]]
    assert told(own, capsys)[0]["digest"] is None
    # What is no news on the topic is passed over for good.
    ingested(own, tmp_path, {"title": "Bread ovens and water", "abstract": "Bread rises in damp ovens. We weigh loaves "
                             "of two bakeries for a year."})
    assert told(own, capsys)[0]["digest"] is None
    ingested(own, tmp_path, {**NEW, "title": "Reward models that forget", "abstract": "We let reward models forget the "
                             "oldest answers. Such reward models agree with people less often."})
    assert papers(told(own, capsys)[0]["digest"]) == ["Reward models that forget"]


def test_it_is_read_on_a_terminal(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main(["follow", "add", TOPIC, *own]) == 0
    ingested(own, tmp_path, NEW)
    capsys.readouterr()
    assert main(["follow", "run", *own]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("1 new paper on “reward models”\n")
    assert NEW["title"] in shown


def test_topics_are_listed_and_left(own: list[str], capsys: Capture) -> None:
    assert main(["follow", "list", *own]) == 0
    assert "vouch follow add" in capsys.readouterr().out
    assert main(["follow", "add", TOPIC, "--since", "2024", "--tag", "mine", *own]) == 0
    assert main(["follow", "add", "ovens", *own]) == 0
    assert main(["follow", "add", "Reward  Models", "--since", "2023", *own]) == 0
    assert "Still following" in capsys.readouterr().out
    assert main(["follow", "list", *own]) == 0
    shown = capsys.readouterr().out
    assert "ovens (not run yet)" in shown
    assert "Reward  Models, papers since 2023" in shown.replace("Reward Models", "Reward  Models")
    assert main(["follow", "remove", *TOPIC.split(), *own]) == 0
    assert main(["follow", "remove", TOPIC, *own]) == 1
    assert "is not followed" in capsys.readouterr().err
    assert main(["follow", "list", "--json", *own]) == 0
    assert [each["topic"] for each in json.loads(capsys.readouterr().out)["followed"]] == ["ovens"]
    assert main(["follow", "remove", "ovens", *own]) == 0
    assert main(["follow", "run", *own]) == 1


def test_a_filter_holds(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main(["follow", "add", TOPIC, "--until", "2024", *own]) == 0
    assert main(["follow", "add", "x", "--new-since", "7d", *own]) == 2
    ingested(own, tmp_path, NEW)
    assert told(own, capsys)[0]["digest"] is None


def test_files_are_written_beside_one_another(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "news"
    assert main(["follow", "add", TOPIC, *own]) == 0
    ingested(own, tmp_path, NEW)
    [first] = told(own, capsys, "--out", str(folder), "--format", "html", "--format", "json")
    assert {Path(path).suffix for path in first["files"]} == {".html", ".json"}
    ingested(own, tmp_path, {**NEW, "title": "Reward models that forget", "abstract": "We let reward models forget the "
                             "oldest answers. Such reward models agree with people less often."})
    [second] = told(own, capsys, "--out", str(folder), "--format", "html")
    written = [*first["files"], *second["files"]]
    assert len(set(written)) == 3
    assert all(Path(path).read_text(encoding="utf-8") for path in written)


def test_what_could_not_be_written_is_told_again(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main(["follow", "add", TOPIC, *own]) == 0
    ingested(own, tmp_path, NEW)
    stands = tmp_path / "a file"
    stands.write_text("here")
    assert main(["follow", "run", "--out", str(stands), *own]) == 1
    assert "cannot be made" in capsys.readouterr().err
    assert papers(told(own, capsys)[0]["digest"]) == [NEW["title"]]


def test_a_topic_can_be_followed_before_there_is_a_paper(tmp_path: Path, capsys: Capture) -> None:
    own = ["--library", str(tmp_path / "library")]
    assert main(["follow", "add", TOPIC, *own]) == 0
    assert main(["follow", "run", *own]) == 1
    assert "vouch ingest" in capsys.readouterr().err
    ingested(own, tmp_path, NEW, OTHER)
    assert papers(told(own, capsys)[0]["digest"]) == [NEW["title"]]


def test_two_runs_at_once_tell_it_once(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main(["follow", "add", TOPIC, *own]) == 0
    ingested(own, tmp_path, NEW)
    runs = [subprocess.Popen([sys.executable, "-m", "ui.cli", "follow", "run", "--json", *own], cwd=ROOT, text=True,
                             env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    found = [json.loads(run.communicate(timeout=120)[0])["followed"][0]["digest"] for run in runs]
    assert sorted(digest is None for digest in found) == [False, True]


def test_the_notebook_of_an_earlier_version_gains_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / NOTEBOOK
    notebook = Notebook(path)
    notebook.append("talk", Entry(asked="Where?", answer=Answer(question="Where?")))
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE digest")
        db.execute("DROP TABLE followed")
    db.close()
    assert Following(path).all() == ()
    assert Drawer(path).all() == ()
    assert Following(path).add("nests", Where(tags=("a",)), None)
    assert Following(path).all()[0].where == Where(tags=("a",))
    assert len(notebook.entries("talk")) == 1


def test_a_notebook_that_began_with_a_topic_holds_conversations_too(tmp_path: Path) -> None:
    path = tmp_path / NOTEBOOK
    Following(path).add("nests", Where(), "2025-01-01T00:00:00.000000+00:00")
    assert Notebook(path).conversations() == ()
    assert Following(path).all()[0].since == "2025-01-01T00:00:00.000001+00:00"


def test_digests_are_kept_and_forgotten(shelf: Library, tmp_path: Path) -> None:
    drawer = Drawer(tmp_path / NOTEBOOK)
    assert drawer.all() == ()
    assert drawer.get("none") is None
    made = shelf.digest(TOPIC, length="brief")
    first = drawer.keep(made)
    second = drawer.keep(made)
    assert drawer.get(first) == made
    assert [kept.id for kept in drawer.all()] == [second, first]
    assert drawer.all()[0].papers == len(made.references)
    drawer.forget(first)
    drawer.forget(first)
    assert [kept.id for kept in drawer.all()] == [second]
