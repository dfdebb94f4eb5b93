from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingest import ingest
from rag import Library, open_library
from rag.doctor import Finding, examine
from tests.records import write_jsonl
from tests.stubs import Reply, StubModel


def by_subject(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_a_healthy_library_is_found_healthy(shelf: Library) -> None:
    findings = by_subject(examine(shelf))
    assert {finding.state for finding in findings.values()} <= {"ok", "warn"}
    assert "6 papers" in findings["library"].detail
    assert findings["word index"].detail == "6 of 6 entries"
    assert "own words" in findings["model"].detail


def test_an_absent_library_is_told_with_a_remedy(library: Library) -> None:
    finding = by_subject(examine(library))["library"]
    assert finding.state == "warn"
    assert finding.remedy is not None
    assert "vouch ingest" in finding.remedy


def test_a_lost_entry_is_found_and_repaired(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", {"title": "A", "abstract": "One thing. And another."})], library)
    [paper] = library.papers
    library.store.vectors._open().delete(ids=[f"{paper.id}.0"])
    lost = by_subject(examine(library))["Chroma (embedded)"]
    assert (lost.state, lost.remedy) == ("fail", "run `vouch doctor --repair`")
    library.repair()
    assert by_subject(examine(library))["Chroma (embedded)"].state == "ok"


def test_a_model_is_asked_only_where_one_is_configured(shelf: Library) -> None:
    with StubModel(Reply(text="yes")) as stub:
        unused = replace(shelf.settings, openai_api_key="sk-secret", openai_base_url=stub.url)
        with open_library(shelf.path, settings=unused) as opened:
            detail = by_subject(examine(opened))["model"].detail
        assert stub.requests == []
        assert "not used" in detail
        assert "sk-secret" not in detail
        with open_library(shelf.path, settings=replace(unused, model="stub")) as opened:
            assert by_subject(examine(opened))["model"].state == "ok"


def test_a_model_out_of_reach_fails_with_a_sentence(shelf: Library) -> None:
    settings = replace(shelf.settings, model="stub", openai_base_url="http://127.0.0.1:9/v1", timeout=0.5)
    with open_library(shelf.path, settings=settings) as opened:
        finding = by_subject(examine(opened))["model"]
    assert finding.state == "fail"
    assert finding.remedy is not None


def test_a_chroma_server_out_of_reach_fails_with_a_sentence(shelf: Library) -> None:
    with open_library(shelf.path, settings=replace(shelf.settings, chroma_url="http://127.0.0.1:9")) as opened:
        findings = [finding for finding in examine(opened) if finding.state == "fail"]
    assert findings
    assert all("127.0.0.1:9" in finding.detail for finding in findings)
