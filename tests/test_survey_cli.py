"""`vouch digest` over real libraries: to read, to files, its outline first, brought up to date, interrupted."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from ingest import ingest
from rag import Library, open_library
from rag.embedders.minilm import LocalEmbedder
from rag.schema import EngineName, Where
from rag.settings import Settings
from rag.survey import Digest, Length, Outline, Step
from tests.records import write_jsonl
from ui import survey
from ui.arguments import parse
from ui.cli import main
from ui.terminal import Terminal

pytestmark = pytest.mark.slow

TOPIC = "reward models"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def on_shelf(shelf: Library) -> list[str]:
    """The option that names the library that tests only read."""
    return ["--library", str(shelf.path)]


@pytest.fixture
def own(shelf: Library, tmp_path: Path) -> list[str]:
    """A copy of that library, to write to."""
    shelf.close()
    return ["--library", str(shutil.copytree(shelf.path, tmp_path / "own"))]


def document(capsys: Capture) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_is_read_on_a_terminal(on_shelf: list[str], capsys: Capture) -> None:
    assert main(["digest", *TOPIC.split(), "--length", "brief", *on_shelf]) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0] == "Reward models"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in shown
    for heading in ("Summary", "Comparison", "Timeline and map", "References"):
        assert heading in lines
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", shown.partition("\nReferences\n")[0])}
    listed = [int(number) for number in re.findall(r"^\[(\d+)\]", shown.partition("\nReferences\n")[2], re.MULTILINE)]
    assert listed == list(range(1, len(listed) + 1))
    assert cited == set(listed)


def test_a_program_gets_the_digest_whole(on_shelf: list[str], capsys: Capture) -> None:
    assert main(["digest", TOPIC, "--json", *on_shelf]) == 0
    made = document(capsys)
    assert set(made) == {field.name for field in fields(Digest)}
    assert made["topic"] == TOPIC
    papers = {reference["paper"]["id"] for reference in made["references"]}
    assert papers == {paper_id for section in made["sections"] for paper_id in section["papers"]}
    told = [sentence for section in made["sections"] for part in ("shared", "adds") for sentence in section[part]]
    assert {sentence["verdict"] for sentence in [*made["summary"], *told]} <= {"supported", "weak"}


def test_it_is_written_to_several_files_and_the_bad_one_told(on_shelf: list[str], tmp_path: Path,
                                                             capsys: Capture) -> None:
    good = [tmp_path / name for name in ("a.md", "a.html", "a.json", "a.bib")]
    options = [word for path in (*good, tmp_path / "nowhere" / "a.ris") for word in ("--out", str(path))]
    assert main(["digest", TOPIC, *options, *on_shelf]) == 1
    shown = capsys.readouterr()
    assert all(path.stat().st_size for path in good)
    assert all(f"Written to {path}." in shown.out.replace("\n", " ") or path.name in shown.out for path in good)
    assert "nowhere" in shown.err
    assert json.loads(good[2].read_text(encoding="utf-8"))["topic"] == TOPIC


@pytest.mark.parametrize(("words", "told"), [
    ([], "digest what"),
    (["x", "--out", "a.doc"], "tells no format"),
    (["x", "--outline", "--out", "a.md"], "end a.md in .json"),
    (["x", "--update", "a.json"], "leave out yours"),
    (["--since", "2020", "--from-outline", "a.json"], "leave out yours"),
    (["--update", "a.json", "--outline"], "give one of them"),
    (["x", "--new-since", "soon"], "is no time"),
    (["x", "--length", "long"], "invalid choice"),
])
def test_wrong_usage(words: list[str], told: str, on_shelf: list[str], capsys: Capture) -> None:
    assert main(["digest", *words, *on_shelf]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("content", "option"), [
    (None, "--update"), (b"nothing", "--update"), (b"{}", "--from-outline"), (b"[1]", "--update")])
def test_files_that_are_none(content: bytes | None, option: str, on_shelf: list[str], tmp_path: Path,
                             capsys: Capture) -> None:
    path = tmp_path / "some.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["digest", option, str(path), *on_shelf]) == 1
    assert "vouch digest" in capsys.readouterr().err or content is not None


def test_an_outline_is_edited_before_it_is_written(on_shelf: list[str], tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "outline.json"
    assert main(["digest", TOPIC, "--outline", "--out", str(path), *on_shelf]) == 0
    shown = capsys.readouterr().out
    outline = json.loads(path.read_text(encoding="utf-8"))
    dropped = outline["groups"][0]["papers"].pop()
    title = outline["titles"][dropped]
    assert " ".join(title.split()) in " ".join(shown.split())
    outline["title"] = "What rewards do"
    outline["groups"][0]["heading"] = "My own heading"
    path.write_text(json.dumps(outline), encoding="utf-8")
    assert main(["digest", "--from-outline", str(path), "--json", *on_shelf]) == 0
    made = document(capsys)
    assert made["title"] == "What rewards do"
    assert made["topic"] == TOPIC
    assert made["sections"][0]["heading"] == "My own heading"
    assert dropped not in {reference["paper"]["id"] for reference in made["references"]}
    assert main(["digest", TOPIC, "--outline", "--json", *on_shelf]) == 0
    assert {field.name for field in fields(Outline)} < set(document(capsys))


def test_one_is_brought_up_to_date(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "survey.json"
    assert main(["digest", TOPIC, "--out", str(path), *own]) == 0
    before = path.read_bytes()
    assert main(["digest", "--update", str(path), *own]) == 0
    assert "Nothing is new" in capsys.readouterr().out
    assert path.read_bytes() == before

    title = "Reward models with longer memories"
    fresh = {"title": title, "year": 2025,
             "abstract": "Reward models judge answers of language models. We train reward models on longer answers. "
                         "Reward models with longer memories agree with people more often."}
    assert main(["ingest", str(write_jsonl(tmp_path / "new.jsonl", fresh)), *own]) == 0
    gone = json.loads(before)["references"][-1]["paper"]
    assert main(["papers", "remove", gone["id"], "--yes", *own]) == 0
    capsys.readouterr()
    assert main(["digest", "--update", str(path), "--out", str(tmp_path / "survey.md"), *own]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"+ {title}" in shown
    assert f"- {gone['label']}" in shown
    after = json.loads(path.read_text(encoding="utf-8"))
    labels = {reference["paper"]["label"] for reference in after["references"]}
    assert title in labels
    assert gone["label"] not in labels
    assert title in (tmp_path / "survey.md").read_text(encoding="utf-8")

    assert main(["digest", "--update", str(path), "--json", *own]) == 0
    assert document(capsys)["news"] == {"added": [], "gone": [], "told": "Nothing is new: no paper has come or gone "
                                        "since."}


def test_what_is_new_needs_no_topic(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main(["digest", "--new-since", "2999-01-01", "--json", *own]) == 0
    assert document(capsys)["sections"] == []
    assert main(["digest", "--new-since", "1d", "--length", "brief", "--json", *own]) == 0
    made = document(capsys)
    assert made["sections"]
    assert made["where"]["added"]


class Interrupted(Library):
    """A library whose digests are interrupted after so many steps."""

    after = 0

    def digest_steps(self, topic: str, where: Where | None = None, outline: Outline | None = None,
                     length: Length = "standard", engine: EngineName | None = None) -> Generator[Step, None, None]:
        for number, step in enumerate(super().digest_steps(topic, where, outline, length, engine)):
            if number == self.after:
                raise KeyboardInterrupt
            yield step


@pytest.fixture
def interrupted(shelf: Library, embedder: LocalEmbedder) -> Generator[Interrupted, None, None]:
    with Interrupted(shelf.path, Settings(library=shelf.path), embedder) as library:
        yield library


def test_what_is_done_is_kept(interrupted: Interrupted, tmp_path: Path, capsys: Capture) -> None:
    whole = list(open_library(interrupted.path, settings=interrupted.settings).digest_steps(TOPIC))
    interrupted.after = next(number for number, step in enumerate(whole) if step.digest.sections) + 1
    path = tmp_path / "part.json"
    args = parse(["digest", TOPIC, "--json", "--out", str(path)])
    assert survey.digest(args, interrupted, Terminal(as_json=True)) == 130
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)["sections"]) == 1
    assert json.loads(path.read_text(encoding="utf-8"))["references"]
    assert "interrupted while" in shown.err


def test_where_nothing_is_done_there_is_nothing_to_keep(interrupted: Interrupted) -> None:
    interrupted.after = 1
    with pytest.raises(KeyboardInterrupt):
        survey.digest(parse(["digest", TOPIC]), interrupted, Terminal())


def test_a_model_has_to_be_there(on_shelf: list[str], capsys: Capture) -> None:
    assert main(["digest", TOPIC, "--engine", "llm", *on_shelf]) == 1
    assert "No language model is configured" in capsys.readouterr().err


def test_without_a_library_it_says_how_to_make_one(tmp_path: Path, capsys: Capture) -> None:
    assert main(["digest", TOPIC, "--library", str(tmp_path / "none")]) == 1
    assert "vouch ingest" in capsys.readouterr().err


def test_every_length_is_offered(on_shelf: list[str], settings: Settings, embedder: LocalEmbedder,
                                 tmp_path: Path) -> None:
    listing = write_jsonl(tmp_path / "one.jsonl", {"title": "Tides of small seas", "abstract": (
        "Tides rise in small seas. We measure tides in ten harbours over two years.")})
    with open_library(settings=settings, embedder=embedder) as library:
        ingest([listing], library)
        for length in ("brief", "standard", "full"):
            assert library.digest("tides", length=length).length == length
