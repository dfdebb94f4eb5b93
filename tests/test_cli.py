"""The command line, over real libraries: through `main` in this process, and a few times as a process of its own."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from ingest import ingest
from rag import Library, open_library
from rag.embedders.minilm import LocalEmbedder
from rag.schema import Answer, ClaimReport, Hit, IngestReport, Origin, Paper, Rejected
from rag.settings import Settings
from tests.records import write_jsonl
from tests.stubs import Reply, Request, StubModel
from ui.cli import main
from ui.commands import report_lines

ROOT = Path(__file__).resolve().parents[1]
VOUCH = (sys.executable, "-m", "ui.cli")
TIDES = {"title": "Tides of small seas", "year": 2021, "authors": ["Ada One", "Bob Two"],
         "url": "https://seas.example/tides",
         "abstract": "Tides rise in small seas. We measure tides in ten harbours over two years. "
                     "Harbours with narrow mouths have lower tides than open ones."}
BREAD = {"title": "Bread ovens and heat", "year": 2022, "authors": ["Cy Three"],
         "abstract": "Bread bakes evenly when the oven's heat is steady. We compare stone ovens and steel ovens on "
                     "four kinds of bread. Stone ovens keep their heat for longer."}

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "list.jsonl", TIDES, BREAD)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder) -> Path:
    """A folder with the listing and the library of its two papers, for tests to copy."""
    folder = tmp_path_factory.mktemp("ready")
    listing = write_jsonl(folder / "list.jsonl", TIDES, BREAD)
    with open_library(settings=Settings(library=folder / "own"), embedder=embedder) as library:
        assert ingest([listing], library).added == 2
    return folder


@pytest.fixture
def own(ready: Path, tmp_path: Path) -> list[str]:
    """The option that names a library of the two papers, the test's own."""
    return ["--library", str(shutil.copytree(ready / "own", tmp_path / "own"))]


@pytest.fixture
def on_shelf(shelf: Library) -> list[str]:
    """The option that names the library that tests only read."""
    return ["--library", str(shelf.path)]


def document(capsys: Capture) -> dict[str, Any]:
    """Standard output, which has to be one JSON document."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def papers(option: list[str], capsys: Capture) -> list[dict[str, Any]]:
    assert main(["papers", "list", "--json", *option]) == 0
    found: list[dict[str, Any]] = document(capsys)["papers"]
    return found


def process(*words: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*VOUCH, *words], cwd=ROOT, env={**os.environ, **environ}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)


def at_terminal(typed: list[str], *words: str, **environ: str) -> tuple[str, int]:
    """What a person sees who runs a command and types an answer at each prompt; and the exit code."""
    person, terminal = pty.openpty()
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **environ}
    running = subprocess.Popen([*VOUCH, *words], cwd=ROOT, env=settings,
                               stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    left = list(typed)
    seen = fresh = ""
    while select.select([person], [], [], 30)[0]:
        try:
            part = os.read(person, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            break
        seen, fresh = seen + part, fresh + part
        if left and re.search(r"(\? |\[y/N\] )(\x1b\[\?2004h)?$", fresh):
            os.write(person, left.pop(0).encode())
            fresh = ""
    os.close(person)
    try:
        return seen, running.wait(timeout=30)
    finally:
        running.kill()


# ---- how it starts and ends


def test_without_arguments_it_helps(capsys: Capture) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    for command in ("ingest", "search", "ask", "check", "papers", "export", "eval", "serve", "mcp", "doctor"):
        assert f"    {command} " in shown
    assert "vouch ingest --sample" in shown


def test_help_of_a_command_tells_its_options(capsys: Capture) -> None:
    assert main(["ask", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--since", "--tag", "--engine", "--library", "--env-file", "--json", "--debug"):
        assert option in shown


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, ui.cli; ui.cli.main(['--help']); sys.exit('rag' in sys.modules or 'rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("words", [
    ["dance"], ["search"], ["search", "x", "-k", "0"], ["search", "x", "--since", "soon"], ["search", " "],
    ["search", "x", "--since", "2024", "--until", "2020"], ["ask", "x", "--engine", "magic"], ["ask"],
    ["ask", "--json"], ["ask", "--show-prompt"], ["check"], ["check", " "], ["ingest"], ["papers"],
    ["papers", "edit", "p1"],
    ["papers", "edit", "p1", "--title", " "], ["papers", "remove"],
    ["papers", "remove", "p1", "--file", "a.txt"], ["export", "papers.docx"], ["serve", "--port", "0"],
    ["serve", "--host", "0.0.0.0"], ["serve", "--host", "example.org"], ["serve", "--sample", "--papers", "x"],
    ["search", "x", "--nonsense"],
])
def test_wrong_usage(words: list[str], on_shelf: list[str], capsys: Capture) -> None:
    assert main([*words, *on_shelf]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("vouch: ")
    assert err.count("\n") == 1
    if "--json" not in words:
        assert out == ""
    assert main([*words, "--json", *on_shelf]) == 2
    assert set(document(capsys)) == {"error"}


@pytest.mark.parametrize("words", [
    ["search", "x"], ["ask", "x"], ["ask", "x", "--show-prompt"], ["check", "x"], ["papers", "list"],
    ["papers", "show", "p1"],
    ["papers", "edit", "p1", "--year", "2020"], ["papers", "tag", "p1", "t"], ["papers", "remove", "p1", "--yes"],
    ["export", "out.bib"],
])
def test_an_absent_library_is_told_and_not_made(words: list[str], tmp_path: Path, capsys: Capture,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    option = ["--library", str(tmp_path / "nowhere")]
    assert main([*words, *option]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "vouch ingest" in err
    assert err.count("\n") == 1
    assert main([*words, *option, "--json"]) == 1
    assert "vouch ingest" in document(capsys)["error"]
    assert list(tmp_path.iterdir()) == []


def test_options_stand_anywhere(on_shelf: list[str], capsys: Capture) -> None:
    orders = (["--json", *on_shelf, "search", "reward", "models", "-k", "2"],
              ["search", *on_shelf, "reward", "-k", "2", "models", "--json"],
              ["search", "-k", "2", "--json", *on_shelf, "--", "reward", "models"])
    found = []
    for words in orders:
        assert main(words) == 0
        found.append(document(capsys))
    assert found[0]["query"] == "reward models"
    assert len(found[0]["hits"]) == 2
    assert found[0] == found[1] == found[2]
    assert main(["papers", "--json", *on_shelf, "list"]) == 0
    assert document(capsys)["papers"]


def test_the_library_may_be_named_by_the_environment_or_a_file(shelf: Library, tmp_path: Path, capsys: Capture,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings").write_text(f"VOUCH_LIBRARY={shelf.path}\n", encoding="utf-8")
    assert main(["papers", "list", "--env-file", str(tmp_path / "settings")]) == 0
    from_file = capsys.readouterr().out
    monkeypatch.setenv("VOUCH_LIBRARY", str(shelf.path))
    assert main(["papers", "list"]) == 0
    assert capsys.readouterr().out == from_file != ""
    assert main(["papers", "list", "--env-file", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err


def test_debug_shows_the_trace_and_nothing_else_does(tmp_path: Path, capsys: Capture) -> None:
    absent = ["search", "x", "--library", str(tmp_path / "nowhere")]
    assert main([*absent, "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert main([*absent, "--debug", "--json"]) == 1
    assert set(document(capsys)) == {"error"}
    assert main(absent) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_library_that_is_a_file_is_one_sentence(listing: Path, capsys: Capture) -> None:
    assert main(["ingest", str(listing), "--library", str(listing)]) == 1
    err = capsys.readouterr().err
    assert err.splitlines()[-1].startswith("vouch: ")
    assert "Traceback" not in err


# ---- ingest


def test_ingest_reports_what_it_did(tmp_path: Path, listing: Path, capsys: Capture) -> None:
    option = ["--library", str(tmp_path / "new")]
    broken = write_jsonl(tmp_path / "more.jsonl", TIDES, {"title": "No abstract here"})
    assert main(["ingest", str(listing), str(broken), *option]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:2] == ["3 records read: 2 papers added, 1 duplicate.", "1 record could not be read:"]
    assert "more.jsonl#2" in out
    assert "Embedding list.jsonl" in err
    assert main(["ingest", str(listing), *option, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out == "2 records read: 2 unchanged.\n"
    assert err == ""


def test_ingest_goes_on_after_a_bad_input(tmp_path: Path, listing: Path, capsys: Capture) -> None:
    option = ["--library", str(tmp_path / "new")]
    assert main(["ingest", str(tmp_path / "none.txt"), "https://seas.example/list", str(listing), *option, "-q"]) == 1
    out, err = capsys.readouterr()
    assert "2 papers added" in out
    assert "could not be read" not in out
    assert len(err.splitlines()) == 2
    assert main(["ingest", str(tmp_path / "none.txt"), str(listing), *option, "--json"]) == 1
    found = document(capsys)
    assert set(found) >= {field.name for field in fields(IngestReport)} | {"failures"}
    assert (found["read"], found["unchanged"], len(found["failures"])) == (2, 2, 1)


def test_a_long_list_of_rejected_records_is_cut() -> None:
    rejected = tuple(Rejected(origin=Origin(file="a.txt", record=n), reason="no abstract") for n in range(1, 14))
    lines = report_lines(IngestReport(read=0, rejected=rejected))
    assert lines[0] == "0 records read."
    assert lines[1] == "13 records could not be read:"
    assert lines[2] == "  a.txt#1: no abstract"
    assert lines[-1] == "  and 3 more"
    assert len(lines) == 13


def test_prune_removes_what_left_its_file(listing: Path, tmp_path: Path, capsys: Capture) -> None:
    own = ["--library", str(tmp_path / "own")]
    assert main(["ingest", str(listing), *own, "-q"]) == 0
    write_jsonl(listing, BREAD)
    assert main(["ingest", str(listing), *own, "-q"]) == 0
    capsys.readouterr()
    assert len(papers(own, capsys)) == 2
    assert main(["ingest", str(listing), *own, "-q", "--prune"]) == 0
    capsys.readouterr()
    assert [paper["title"] for paper in papers(own, capsys)] == [BREAD["title"]]


# ---- search and ask


def test_search_prints_papers_with_their_best_words(own: list[str], capsys: Capture) -> None:
    assert main(["search", "tides", "measured", "in", "harbours", *own]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == " 1. Tides of small seas"
    assert lines[1].startswith("    Ada One and Bob Two, 2021, score 1.00  p0")
    assert lines[2] == "    We measure tides in ten harbours over two years."
    assert "\x1b" not in "".join(lines)


def test_search_as_json(own: list[str], capsys: Capture) -> None:
    assert main(["search", "tides", *own, "--json"]) == 0
    found = document(capsys)
    assert set(found) == {"query", "narrowed", "hits", "notice"}
    assert set(found["hits"][0]) == {field.name for field in fields(Hit)}
    assert found["hits"][0]["paper"]["label"] == TIDES["title"]
    assert found["hits"][0]["passages"][0]["text"] in str(TIDES["abstract"])


@pytest.mark.parametrize(("options", "titles"), [
    (["--since", "2022"], {"Bread ovens and heat"}),
    (["--until", "2021"], {"Tides of small seas"}),
    (["--author", "three", "--author", "bob"], {"Bread ovens and heat", "Tides of small seas"}),
    (["--author", "three", "--until", "2021"], set()),
    (["--file", "list.jsonl"], {"Bread ovens and heat", "Tides of small seas"}),
    (["--file", "other.jsonl"], set()),
    (["--tag", "salt"], {"Tides of small seas"}),
])
def test_filters(options: list[str], titles: set[str], own: list[str], capsys: Capture) -> None:
    tides = papers(own, capsys)[0]["id"]
    assert main(["papers", "tag", tides, "salt", *own]) == 0
    capsys.readouterr()
    for words in (["search", "heat and tides"], ["papers", "list"]):
        assert main([*words, *options, *own, "--json"]) == 0
        found = document(capsys)
        listed = found["papers"] if "papers" in found else [hit["paper"] for hit in found["hits"]]
        assert {paper["title"] for paper in listed} == titles
    assert main(["papers", "list", "--id", tides, *own, "--json"]) == 0
    assert [paper["id"] for paper in document(capsys)["papers"]] == [tides]


def test_search_that_finds_nothing(own: list[str], capsys: Capture) -> None:
    assert main(["search", "tides", "--since", "2030", *own]) == 0
    assert capsys.readouterr().out == "No paper fits these filters.\n"


def test_a_bound_on_years_tells_whom_it_leaves_out(tmp_path: Path, capsys: Capture) -> None:
    own = ["--library", str(tmp_path / "library")]
    undated = {name: value for name, value in TIDES.items() if name not in ("year", "date")}
    assert main(["ingest", str(write_jsonl(tmp_path / "list.jsonl", undated)), *own]) == 0
    capsys.readouterr()
    assert main(["search", "tides", "--since", "2020", *own]) == 0
    out = capsys.readouterr().out
    assert out == "Leaving out 1 paper of unknown year.\nNo paper fits these filters.\n"


def test_ask_prints_quotes_and_references(own: list[str], capsys: Capture) -> None:
    assert main(["ask", "Which harbours have lower tides?", *own]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "- Tides of small seas (2021): “Harbours with narrow mouths have lower tides than open ones.” [1]" in text
    assert "References [1] Tides of small seas. Ada One and Bob Two, 2021. https://seas.example/tides" in text


def test_ask_as_json_is_the_answer(own: list[str], capsys: Capture) -> None:
    assert main(["ask", "Which harbours have lower tides?", *own, "--json"]) == 0
    found = document(capsys)
    assert set(found) == {field.name for field in fields(Answer)}
    assert found["sentences"][0]["verdict"] == "supported"
    assert found["references"][0]["paper"]["label"] == TIDES["title"]
    assert found["abstained"] is False


def test_an_abstention_is_done(own: list[str], capsys: Capture) -> None:
    question = "Who won the chess tournament in Baku?"
    assert main(["ask", question, *own]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("The library does not cover this. Nearest papers (they may not answer it): 1. ")
    assert "References" not in text
    assert main(["ask", question, *own, "--json"]) == 0
    assert document(capsys)["abstained"] is True


def test_a_model_that_is_not_configured_is_told(own: list[str], capsys: Capture) -> None:
    assert main(["ask", "Which harbours have lower tides?", "--engine", "llm", *own]) == 1
    assert "VOUCH_MODEL" in capsys.readouterr().err


def test_the_prompt_is_shown_and_nothing_is_sent(own: list[str], capsys: Capture) -> None:
    question = "Which harbours have lower tides?"
    assert main(["ask", question, "--show-prompt", *own]) == 0
    shown = capsys.readouterr().out
    assert question in shown
    assert "Harbours with narrow mouths" in shown
    assert main(["ask", question, "--show-prompt", "--json", *own]) == 0
    assert document(capsys) == {"prompt": shown.removesuffix("\n")}


def test_check_weighs_a_claim(own: list[str], capsys: Capture) -> None:
    claim = "Harbours with narrow mouths have lower tides"
    assert main(["check", claim, *own]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("Supported (")
    assert "For - Tides of small seas (2021): “Harbours with narrow mouths have lower tides than open" in text
    assert "References [1] Tides of small seas." in text
    assert main(["check", claim, *own, "--json"]) == 0
    found = document(capsys)
    assert set(found) == {field.name for field in fields(ClaimReport)}
    assert (found["claim"], found["verdict"]) == (claim, "supported")


def test_check_without_evidence_is_done(own: list[str], capsys: Capture) -> None:
    assert main(["check", "Chess engines beat grandmasters", *own]) == 0
    assert capsys.readouterr().out.startswith("No evidence")
    assert main(["check", "Harbours with narrow mouths have lower tides", "--since", "2022", "--json", *own]) == 0
    assert document(capsys)["verdict"] == "no evidence"


# ---- papers


def test_papers_list_is_a_line_a_paper(own: list[str], capsys: Capture) -> None:
    assert main(["papers", "list", *own]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=2)[1:] for line in lines] == [["2021", TIDES["title"]], ["2022", BREAD["title"]]]
    assert main(["papers", "list", "--sort", "year", *own]) == 0
    assert capsys.readouterr().out.splitlines() == lines[::-1]
    assert main(["papers", "list", "--sort", "title", *own]) == 0
    assert capsys.readouterr().out.splitlines() == lines[::-1]


def test_papers_show_tells_all(own: list[str], capsys: Capture) -> None:
    tides = papers(own, capsys)[0]["id"]
    assert main(["papers", "show", tides, *own]) == 0
    card = capsys.readouterr().out
    for part in ("Tides of small seas", "Ada One, Bob Two", "2021", "list.jsonl#1", tides, "https://seas.example/tides",
                 "We measure tides in ten harbours"):
        assert part in card
    assert main(["papers", "show", tides, *own, "--json"]) == 0
    assert set(document(capsys)) == {field.name for field in fields(Paper)} | {"label", "tags"}
    assert main(["papers", "show", "p404", *own]) == 1
    assert "p404" in capsys.readouterr().err


def test_papers_edit_and_tag(own: list[str], capsys: Capture) -> None:
    tides = papers(own, capsys)[0]["id"]
    assert main(["papers", "edit", tides, "--title", "Tides, corrected", "--year", "1999", *own, "--json"]) == 0
    edited = document(capsys)
    assert (edited["title"], edited["year"]) == ("Tides, corrected", 1999)
    assert main(["papers", "tag", tides, "salt", "sea", *own]) == 0
    assert capsys.readouterr().out == f"{tides}: salt, sea\n"
    assert main(["papers", "tag", tides, "salt", "--remove", *own, "--json"]) == 0
    assert document(capsys)["tags"] == ["sea"]
    assert main(["papers", "edit", "p404", "--year", "2000", *own]) == 1
    assert "p404" in capsys.readouterr().err


def test_papers_remove_needs_a_yes(own: list[str], capsys: Capture) -> None:
    tides = papers(own, capsys)[0]["id"]
    assert main(["papers", "remove", tides, *own]) == 2
    assert "--yes" in capsys.readouterr().err
    assert main(["papers", "remove", "p404", "--yes", *own]) == 1
    assert "p404" in capsys.readouterr().err
    assert len(papers(own, capsys)) == 2
    assert main(["papers", "remove", tides, "--yes", *own]) == 0
    assert "1 paper removed" in capsys.readouterr().out
    assert main(["papers", "remove", "--file", "list.jsonl", "--yes", *own, "--json"]) == 0
    assert document(capsys) == {"removed": 1}
    assert papers(own, capsys) == []


# ---- export


@pytest.mark.parametrize("name", ["out.jsonl", "out.bib", "out.ris", "out.csv"])
def test_export_and_ingest_again(name: str, own: list[str], tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / name
    assert main(["export", str(out), *own, "--json"]) == 0
    assert document(capsys) == {"path": str(out), "papers": 2}
    again = ["--library", str(tmp_path / "again")]
    assert main(["ingest", str(out), *again, "-q"]) == 0
    capsys.readouterr()
    assert [paper["title"] for paper in papers(again, capsys)] == [TIDES["title"], BREAD["title"]]


def test_export_filters_and_formats(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out.txt"
    assert main(["export", str(out), "--format", "bibtex", "--since", "2022", *own]) == 0
    assert capsys.readouterr().out.startswith("1 paper written to")
    assert out.read_text(encoding="utf-8").startswith("@misc{three2022bread,")
    assert main(["export", str(tmp_path / "no" / "out.bib"), *own]) == 1
    assert "cannot be written" in capsys.readouterr().err


# ---- eval, doctor, serve


def test_eval_measures_judged_questions(own: list[str], tmp_path: Path, capsys: Capture) -> None:
    questions = write_jsonl(tmp_path / "asked.jsonl", {"query": "Which harbours have lower tides?", "type": "specific",
                                                       "relevant": {"list.jsonl#1": 2}})
    assert main(["eval", str(questions), *own]) == 0
    assert "nDCG@10" in capsys.readouterr().out
    assert main(["eval", str(questions), *own, "--json"]) == 0
    assert document(capsys)
    assert main(["eval", str(tmp_path / "none.jsonl"), *own]) == 1
    assert "none.jsonl" in capsys.readouterr().err


def test_doctor_finds_a_library_in_order(own: list[str], capsys: Capture) -> None:
    assert main(["doctor", *own]) == 0
    assert all(line.startswith(("✓", " ")) for line in capsys.readouterr().out.splitlines())
    assert main(["doctor", "--repair", *own, "--json"]) == 0
    found = document(capsys)
    assert found["repaired"] is True
    assert {finding["state"] for finding in found["findings"]} == {"ok"}


def test_doctor_names_what_fails_and_the_remedy(own: list[str], capsys: Capture) -> None:
    (Path(own[1]) / "catalogue.sqlite").write_bytes(b"no database at all" * 100)
    assert main(["doctor", *own]) == 1
    out, err = capsys.readouterr()
    assert "✗" in out or err.startswith("vouch: ")
    assert "Traceback" not in err


def test_serve_on_a_taken_port_suggests_another(on_shelf: list[str], capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), *on_shelf]) == 1
    err = capsys.readouterr().err
    assert f"Port {port} is taken" in err
    assert "try --port" in err


def test_serve_refuses_papers_that_are_not_there(tmp_path: Path, capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    assert main(["serve", "--port", port, "--papers", str(tmp_path / "none.txt")]) == 1
    assert "none.txt" in capsys.readouterr().err


def test_papers_to_serve_have_a_library_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.arguments import parse
    from ui.serve import place

    monkeypatch.chdir(tmp_path)
    usual = tmp_path / "data" / "library"
    assert place(parse(["serve"]), usual) == usual
    assert place(parse(["serve", "--sample"]), usual) == usual.parent / "sample"
    one = place(parse(["serve", "--papers", "My Papers.txt"]), usual)
    assert one.parent == usual.parent / "of"
    assert one.name.startswith("my-papers-")
    assert place(parse(["serve", "--papers", str(tmp_path / "My Papers.txt")]), usual) == one
    assert place(parse(["serve", "--papers", "My Papers.txt", "b.txt"]), usual) != one


def test_mcp_is_no_json_document(on_shelf: list[str], capsys: Capture) -> None:
    assert main(["mcp", "--json", *on_shelf]) == 2
    assert "leave out --json" in document(capsys)["error"]


# ---- as a process of its own


def test_a_process_says_one_document(own: list[str]) -> None:
    running = process("search", "tides", "--json", *own)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0
    assert json.loads(out)["hits"]
    assert err == ""


def test_a_reader_that_leaves_early_is_no_error(own: list[str]) -> None:
    with process("papers", "list", *own) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 0


def test_output_survives_any_encoding(own: list[str], capsys: Capture) -> None:
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(encoding="ascii", errors="strict")
    assert main(["ask", "Which harbours have lower tides?", *own]) == 0
    assert "?Harbours with narrow mouths" in capsys.readouterr().out


def test_interrupted(tmp_path: Path) -> None:
    many = [{"title": f"Paper {n} on tides", "abstract": f"Harbour {n} is measured. " + f"Tide {n} rises there. " * 60}
            for n in range(200)]
    listing = write_jsonl(tmp_path / "many.jsonl", *many)
    running = process("ingest", str(listing), "--library", str(tmp_path / "new"))
    assert running.stderr is not None
    assert running.stderr.readline().startswith("Reading")
    assert running.stderr.readline().startswith("Embedding")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "vouch: interrupted; what was ingested so far is kept"
    assert "Traceback" not in err


@pytest.mark.slow
def test_colours_and_links_are_for_a_terminal(own: list[str]) -> None:
    seen, code = at_terminal([], "search", "tides", *own)
    assert code == 0
    assert "\x1b[1" in seen
    assert "https://seas.example/tides\x1b\\" in seen


@pytest.mark.slow
def test_what_goes_on_is_told_to_a_person_alone(own: list[str]) -> None:
    question = "Which harbours have lower tides?"
    seen, code = at_terminal([], "ask", question, *own)
    assert code == 0
    assert "Searching…" in seen
    assert seen.rindex("\x1b[2K") < seen.index("narrow mouths")
    out, err = process("ask", question, *own).communicate(timeout=60)
    assert "narrow mouths" in out
    assert err == ""


@pytest.mark.slow
def test_a_conversation_at_the_terminal(own: list[str]) -> None:
    typed = ["Which harbours have lower tides?\n", "Which ovens keep heat for longer?\n", "\x04"]
    seen, code = at_terminal(typed, "ask", *own, NO_COLOR="1")
    assert code == 0
    assert "\x1b[36m" not in seen
    assert "narrow mouths" in seen
    assert seen.count("References") == 2
    assert "Stone ovens keep their heat for longer." in " ".join(seen.split())


@pytest.mark.slow
def test_a_conversation_tells_what_it_costs(own: list[str]) -> None:
    words = "Harbours with narrow mouths have lower tides than open ones"
    written = f'QUOTES\nQ1 [E1] "{words}."\nANSWER\n{words} [Q1].'

    def model(request: Request) -> Reply:
        return Reply(text=written if "QUOTES" in request.prompt else "Which harbours have higher tides?",
                     usage=(1000, 50))

    with StubModel(always=model) as stub:
        seen, code = at_terminal(["Which harbours have lower tides?\n", "And higher ones?\n", "\x04"], "ask", *own,
                                 VOUCH_MODEL="stub", OPENAI_BASE_URL=stub.url, VOUCH_PRICE="1/2")
    assert code == 0
    assert "1,000 tokens read, 50 written, $0.0011." in seen
    total = re.search(r"This conversation: ([\d,]+) tokens read, (\d+) written, \$([\d.]+)\.", seen)
    assert total
    assert int(total[1].replace(",", "")) >= 2000
    assert float(total[3]) >= 0.0022


@pytest.mark.slow
def test_removing_asks_at_the_terminal(own: list[str], capsys: Capture) -> None:
    tides = papers(own, capsys)[0]["id"]
    seen, code = at_terminal(["n\n"], "papers", "remove", tides, *own)
    assert code == 0
    assert "Tides of small seas" in seen
    assert "Nothing was removed." in seen
    assert len(papers(own, capsys)) == 2
    seen, _ = at_terminal(["y\n"], "papers", "remove", tides, *own)
    assert "1 paper removed" in seen
    assert len(papers(own, capsys)) == 1

