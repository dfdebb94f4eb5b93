"""From files to a library: nothing lost, nothing doubled, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest import Progress, ingest, pipeline
from rag import Library, Paper, VouchError, Where, open_library
from rag.doctor import examine
from rag.errors import NoLibraryError, NoPaperError
from tests.records import write_jsonl


def paper(number: int, **changes: object) -> dict[str, object]:
    subject = ["glaciers", "bees", "bridges", "sonnets", "tides", "yeast", "tram lines", "kites"][number % 8]
    return {"title": f"Study {number} of {subject}", "year": 2000 + number % 20,
            "abstract": f"We measured {subject} for {number + 2} years at {number * 7 + 3} places. "
                        f"The {number}th place differed by {number + 11}% from the others we saw.", **changes}


def consistent(library: Library) -> None:
    """Catalogue, Chroma and word index hold the same papers, each with the vectors it should have."""
    catalogue = library.store.fresh()
    papers, chunks = catalogue.count()
    assert (library.store.words.count(), library.store.vectors.count()) == (papers, chunks)
    for known in library.papers:
        [first, *_] = library.search(known.text, k=1)
        assert first.paper.id == known.id
        assert all(known.abstract[chunk.start:chunk.end] == chunk.text for chunk in first.passages)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few papers are several writes, as thousands are elsewhere."""
    monkeypatch.setattr(pipeline, "_BATCH", 4)


def test_the_same_file_again_changes_nothing(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))
    assert ingest([file], library).added == 2
    before = library.generation
    again = ingest([file], library)
    assert (again.read, again.unchanged, again.added) == (2, 2, 0)
    assert library.generation == before
    consistent(library)


@pytest.mark.usefixtures("small_batches")
def test_a_record_twice_in_its_file_is_one_paper(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1), *(paper(number) for number in range(2, 10)), paper(1))
    report = ingest([file], library)
    assert (report.read, report.added, report.duplicates) == (10, 9, 1)
    assert len(next(iter(library.papers)).origins) == 2


def test_a_copy_elsewhere_is_the_same_paper(library: Library, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", paper(1))
    report = ingest([tmp_path / "a.jsonl", write_jsonl(tmp_path / "b.jsonl", paper(2), paper(1))], library)
    assert (report.added, report.duplicates) == (2, 1)
    assert [str(origin) for origin in next(iter(library.papers)).origins] == ["a.jsonl#1", "b.jsonl#2"]


def test_a_changed_record_updates_its_paper(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))
    ingest([file], library)
    known = [paper.id for paper in library.papers]
    write_jsonl(file, paper(1), paper(2, abstract="An entirely rewritten text on penguins. It is short."))
    report = ingest([file], library)
    assert (report.updated, report.unchanged, report.added) == (1, 1, 0)
    assert [paper.id for paper in library.papers] == known
    assert library.search("penguins", k=1)[0].paper.id == known[1]
    consistent(library)


def test_a_record_put_before_the_others_moves_them(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))
    ingest([file], library)
    known = [paper.id for paper in library.papers]
    report = ingest([write_jsonl(file, paper(3), paper(1), paper(2))], library)
    assert (report.added, report.unchanged, report.updated) == (1, 2, 0)
    assert [str(library.papers[paper_id].origins[0]) for paper_id in known] == ["a.jsonl#2", "a.jsonl#3"]
    assert len(library.papers) == 3


def test_a_record_gone_from_its_file_stays_until_pruned(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))
    ingest([file], library)
    write_jsonl(file, paper(1))
    ingest([file], library)
    assert sorted(len(known.origins) for known in library.papers) == [0, 1]
    ingest([file], library, prune=True)
    assert [known.title for known in library.papers] == ["Study 1 of bees"]
    consistent(library)


def test_what_was_removed_comes_back_by_ingesting_again(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))
    other = write_jsonl(tmp_path / "b.jsonl", paper(2), paper(3))
    ingest([file, other], library)
    assert library.remove(files=["a.jsonl"]) == 1
    assert len(library.papers) == 2
    consistent(library)
    assert ingest([file], library).added == 1
    removed = library.search("Study 3", k=1)[0].paper.id
    assert library.remove(ids=[removed]) == 1
    assert removed not in library.papers
    consistent(library)
    assert ingest([other], library).added == 1
    assert len(library.papers) == 3


def test_a_correction_by_hand_outlives_ingests(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1))
    ingest([file], library)
    [known] = library.papers
    library.edit(known.id, title="Zebrafish at night", year=1999)
    ingest([write_jsonl(file, paper(1, abstract="A new text. Of two sentences."))], library)
    [edited] = library.papers
    assert (edited.title, edited.year, edited.abstract) == ("Zebrafish at night", 1999, "A new text. Of two sentences.")
    assert library.search("zebrafish", k=1)[0].ranks["words"] == 1


def test_inputs_that_cannot_be_read_leave_the_library_as_it_was(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(400))
    (tmp_path / "line.txt").write_text("x" * 20_000_000)
    (tmp_path / "folder").mkdir()
    bad = ["empty.txt", "picture.txt", "line.txt", "folder", "nowhere.txt"]
    report = ingest([tmp_path / name for name in bad], library)
    assert len(report.failures) == len(bad)
    assert all(name.split(".")[0] in sentence and "\n" not in sentence
               for name, sentence in zip(bad, report.failures, strict=True))
    assert not library.exists
    good = write_jsonl(tmp_path / "good.jsonl", paper(1), {"title": "No text"}, paper(2))
    report = ingest([tmp_path / "empty.txt", good], library)
    assert (report.added, len(report.failures)) == (2, 1)
    assert [str(item.origin) for item in report.rejected] == ["empty.txt#0", "good.jsonl#2"]


def test_progress_says_when_papers_are_searchable(library: Library, tmp_path: Path) -> None:
    steps: list[Progress] = []
    ingest([write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))], library, steps.append)
    assert steps[0].stage == "reading"
    assert (steps[-1].stage, steps[-1].done, steps[-1].total) == ("searchable", 2, 2)


def test_an_absent_library_says_how_to_make_one(library: Library) -> None:
    with pytest.raises(NoLibraryError, match="vouch ingest"):
        library.search("anything")
    assert not library.path.exists()


def test_unknown_papers_are_named(shelf: Library) -> None:
    with pytest.raises(NoPaperError, match="p-none"):
        shelf.papers["p-none"]
    with pytest.raises(NoPaperError, match=r"no\.txt"):
        shelf.remove(files=["no.txt"])


def test_export_can_be_ingested_again(shelf: Library, library: Library, tmp_path: Path) -> None:
    assert shelf.export(tmp_path / "all.jsonl") == len(shelf.papers)
    ingest([tmp_path / "all.jsonl"], library)

    def bare(papers: Library) -> list[tuple[object, ...]]:
        return [(known.title, known.abstract, known.authors, known.year, known.arxiv_id) for known in papers.papers]

    assert bare(library) == bare(shelf)


def test_tags_and_filters(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", *(paper(number, authors=[f"Writer {number}"]) for number in range(6)))],
           library)
    [first] = [known for known in library.papers if known.authors == ("Writer 3",)]
    library.tag(first.id, "read")

    def found(where: Where) -> set[str]:
        hits = {hit.paper.id for hit in library.search("Study", k=20, where=where)}
        assert hits == {known.id for known in library.papers.where(where)}
        return hits

    assert found(Where(tags=("read",))) == {first.id}
    assert found(Where(authors=("writer 3",))) == {first.id}
    assert len(found(Where(years=(2002, 2004)))) == 3
    assert len(found(Where(years=(2004, None), files=("a.jsonl",)))) == 2
    assert found(Where(files=("other.jsonl",))) == set()
    library.untag(first.id, "read")
    assert library.papers.tags(first.id) == ()


def test_a_library_of_another_embedder_is_refused(library: Library, tmp_path: Path) -> None:
    from langchain_core.embeddings import DeterministicFakeEmbedding

    from rag.embed import LangChainEmbedder

    ingest([write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))], library)
    other = LangChainEmbedder(DeterministicFakeEmbedding(size=32), "fake-32")
    with open_library(library.path, settings=library.settings, embedder=other) as opened:
        with pytest.raises(VouchError, match="vouch doctor --reembed"):
            opened.search("bees")
        opened.reembed()
        assert len(opened.search("bees", k=2)) == 2
    with pytest.raises(VouchError, match="fake-32"):
        library.search("bees")


def test_a_corrected_paper_that_went_and_came_back_is_the_same(library: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))
    ingest([file], library)
    [known, _] = library.papers
    library.edit(known.id, title="Zebrafish at night")
    ingest([write_jsonl(file, paper(2))], library)
    ingest([write_jsonl(file, paper(1), paper(2))], library)
    assert [found.title for found in library.papers] == ["Zebrafish at night", "Study 2 of bridges"]
    assert [len(found.origins) for found in library.papers] == [1, 1]


@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_change_is_finished_by_the_file_as_it_was(library: Library, tmp_path: Path) -> None:
    records = [paper(number) for number in range(10)]
    file = write_jsonl(tmp_path / "a.jsonl", *records)
    ingest([file], library)
    before = [known.abstract for known in library.papers]

    def stop(step: Progress) -> None:
        if step.stage == "searchable":
            raise KeyboardInterrupt

    changed = [{**record, "abstract": f"Changed. {record['abstract']}"} for record in records]
    with pytest.raises(KeyboardInterrupt):
        ingest([write_jsonl(file, *changed)], library, stop)
    assert any(known.abstract.startswith("Changed.") for known in library.papers)
    ingest([write_jsonl(file, *records)], library)
    assert [known.abstract for known in library.papers] == before


def test_broken_characters_cost_no_record(library: Library, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"na\xefve.jsonl")
    file.write_text(json.dumps(paper(1, title="Lone \ud800 surrogate")) + "\n" + json.dumps(paper(2)) + "\n")
    report = ingest(["x" * 300, file], library)
    assert (report.added, len(report.failures)) == (2, 1)
    assert ingest([file], library).unchanged == 2


def test_records_that_are_all_rejected_make_no_library(library: Library, tmp_path: Path) -> None:
    report = ingest([write_jsonl(tmp_path / "a.jsonl", {"title": "No text"})], library)
    assert [str(item.origin) for item in report.rejected] == ["a.jsonl#0", "a.jsonl#1"]
    assert not library.exists


def test_an_abstract_that_is_a_book_is_rejected(library: Library, tmp_path: Path) -> None:
    book = paper(1, abstract="One sentence after the other. " * 2000)
    report = ingest([write_jsonl(tmp_path / "a.jsonl", book, paper(2))], library)
    assert (report.added, [str(item.origin) for item in report.rejected]) == (1, ["a.jsonl#1"])
    assert "characters" in report.rejected[0].reason


def test_a_damaged_catalogue_is_told_as_such(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", paper(1))], library)
    library.close()
    (library.path / "catalogue.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(VouchError, match="damaged"):
        library.search("bees")
    assert {finding.subject: finding.state for finding in examine(library)}["library"] == "fail"


def test_repair_mends_a_broken_chroma_under_a_running_reader(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", paper(1), paper(2))], library)
    assert len(library.search("bees", k=2)) == 2
    (library.path / "chroma" / "chroma.sqlite3").write_bytes(b"no database at all" * 100)
    with open_library(library.path, settings=library.settings, embedder=library.store.embedder) as opened:
        with pytest.raises(VouchError, match="vouch doctor --repair"):
            opened.search("bees")
        opened.repair()
        consistent(opened)
    consistent(library)


def test_projections_of_another_library_are_not_trusted(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", *(paper(number) for number in range(6)))], library)
    library.close()
    for part in library.path.glob("catalogue.sqlite*"):
        part.unlink()
    ingest([write_jsonl(tmp_path / "b.jsonl", paper(6), paper(7))], library)
    consistent(library)
    assert len(library.search("study", k=20)) == 2


def test_a_chroma_named_by_the_folder_one_stands_in_is_ignored(
        library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = {"CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI", "CHROMA_SERVER_HOST": "127.0.0.1",
               "CHROMA_SERVER_HTTP_PORT": "9"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in hostile.items()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHROMA_API_IMPL", hostile["CHROMA_API_IMPL"])
    ingest([write_jsonl(tmp_path / "a.jsonl", paper(1))], library)
    consistent(library)


def test_papers_added_while_embedding_anew_are_kept(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", paper(1))], library)
    added: list[int] = []

    def meanwhile(done: int) -> None:
        if not added:
            added.append(ingest([write_jsonl(tmp_path / "b.jsonl", paper(2))], library).added)

    library.reembed(meanwhile)
    assert added == [1]
    consistent(library)
    assert len(library.papers) == 2


def test_a_lost_projection_is_rebuilt_without_embedding(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", *(paper(number) for number in range(8)))], library)
    library.store.vectors.reset()
    library.store.words.reset()
    library.close()
    with open_library(library.path, settings=library.settings, embedder=library.store.embedder) as opened:
        consistent(opened)
        opened.repair()
        consistent(opened)


SCRIPT = """
import sys
from ingest import ingest, pipeline
from rag import open_library
from rag.embedders.minilm import LocalEmbedder
from rag.settings import Settings
from pathlib import Path
pipeline._BATCH = 4
library = open_library(settings=Settings(library=Path(sys.argv[1])), embedder=LocalEmbedder(threads=1))
def tell(step):
    if step.stage == "searchable":
        print(step.done, flush=True)
print(ingest([sys.argv[2]], library, tell).added, "added", flush=True)
"""


def start(library: Path, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(library), str(file)], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 3])
def test_kill_in_mid_ingest_loses_and_doubles_nothing(library: Library, tmp_path: Path, after: int) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", *(paper(number) for number in range(32)))
    process = start(library.path, file)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(after)][-1]
    time.sleep(0.03)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    kept = len(library.papers)
    assert acknowledged <= kept < 32
    consistent(library)
    report = ingest([file], library)
    assert (report.unchanged, report.added) == (kept, 32 - kept)
    assert len(library.papers) == 32
    consistent(library)


@pytest.mark.slow
def test_two_ingests_at_once_lose_and_double_nothing(library: Library, tmp_path: Path) -> None:
    a = write_jsonl(tmp_path / "a.jsonl", *(paper(number) for number in range(16)))
    b = write_jsonl(tmp_path / "b.jsonl", *(paper(number) for number in range(8, 24)))
    processes = [start(library.path, a), start(library.path, b)]
    outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sum(int(output[-2]) for output in outputs) == 24
    assert len(library.papers) == 24
    assert len({origin for known in library.papers for origin in known.origins}) == 32
    consistent(library)


@pytest.mark.slow
def test_a_reader_sees_another_process_write(library: Library, tmp_path: Path) -> None:
    ingest([write_jsonl(tmp_path / "a.jsonl", paper(1))], library)
    assert len(library.search("study", k=20)) == 1
    process = start(library.path, write_jsonl(tmp_path / "b.jsonl", *(paper(number) for number in range(2, 8))))
    process.communicate(timeout=60)
    assert len(library.search("study", k=20)) == 7
    assert library.search("tides", k=1)[0].paper.title == "Study 4 of tides"


@pytest.mark.slow
def test_the_real_listings(shared: Path, corpus: Library) -> None:
    facts = json.loads((shared / "eval" / "corpus-facts.json").read_text(encoding="utf-8"))
    assert {source.file: source.records for source in corpus.files()} == facts["records"]
    assert len(corpus.papers) == facts["unique_papers"]
    groups = {frozenset(map(str, known.origins)) for known in corpus.papers if len(known.origins) > 1}
    assert groups == {frozenset(pair) for pair in facts["same_paper"]}
    untitled = [str(known.origins[0]) for known in corpus.papers if known.title is None]
    assert sorted(untitled) == sorted(facts["untitled_after_merge"])
    again = ingest([shared / "corpus"], corpus)
    assert (again.read, again.unchanged, again.rejected) == (facts["total_records"], facts["total_records"], ())


def test_paper_fields_survive_the_catalogue(library: Library, tmp_path: Path) -> None:
    given = paper(1, authors=["Ä. Müller", "李"], doi="10.1000/XYZ", arxiv_id="2301.00001v3", venue="Journal",
                  url="https://example.org/1")
    ingest([write_jsonl(tmp_path / "a.jsonl", given)], library)
    [known] = library.papers
    assert isinstance(known, Paper)
    assert (known.authors, known.doi, known.arxiv_id, known.venue) == (
        ("Ä. Müller", "李"), "10.1000/xyz", "2301.00001", "Journal")
    assert library.papers.where(Where(authors=("müller",))) == (known,)
