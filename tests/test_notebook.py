from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from rag.errors import LibraryError
from rag.schema import Answer, Citation, ClaimReport, Origin, Paper, Reference, Sentence, Support, Usage, Where
from ui.notebook import Entry, Notebook, new_id

PAPER = Paper(id="p1", title="Nests", abstract="Herons nest\nhigh.", authors=("Ada Quill", "Bo Fern"), year=2021,
              origins=(Origin(file="a.txt", record=3), Origin(file="b.txt", record=1)))
SUPPORT = Support(verdict="weak", score=0.5, quote="Herons nest", start=0, end=11)
ANSWER = Answer(
    question="Where?", text="“Herons nest” [1]", rewritten_question="Where do herons nest?",
    sentences=(Sentence(text="Herons nest", kind="quote",
                        citations=(Citation(label=1, paper_id="p1", support=SUPPORT),), side="high", marked=(0, 6)),),
    references=(Reference(label=1, paper=PAPER),), withheld=(Sentence(text="They swim."),), nearest=(PAPER,),
    confidence=0.7, engine="llm", model="m", notice="n", usage=Usage(input_tokens=3, output_tokens=4, cost=0.01),
    kind="comparison", cached=True,
    timings={"retrieve": 0.01},
)


def turn(question: str = "Where?") -> Entry:
    return Entry(asked=question, answer=ANSWER)


def test_entries_come_back_as_they_went(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "not there yet" / "notebook.sqlite")
    report = ClaimReport(claim="Herons nest high.", verdict="mixed", for_=ANSWER.sentences, confidence=0.6,
                         references=ANSWER.references)
    entries = (turn(), Entry(asked="Herons nest high.", answer=report, where=Where(years=(2020, None), tags=("a",))))
    for entry in entries:
        notebook.append("c", entry)
    assert notebook.entries("c") == entries


def test_the_list_tells_the_filter_that_was_last_asked_under(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    where = Where(authors=("Quill",), files=('"odd" name.txt',))
    notebook.append("a", Entry(asked="1", answer=ANSWER, where=where))
    notebook.append("b", Entry(asked="2", answer=ANSWER, where=where))
    notebook.append("b", Entry(asked="3", answer=ANSWER))
    assert {talk.id: talk.where for talk in notebook.conversations()} == {"a": where, "b": None}


def test_reading_makes_no_file(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    assert notebook.conversations() == ()
    assert notebook.entries("c") == ()
    notebook.delete("c")
    assert not notebook.path.exists()


def test_conversations_are_named_after_their_first_question_the_latest_first(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    notebook.append("a", turn("first?"))
    notebook.append("b", turn("other?"))
    notebook.append("a", turn("second?"))
    assert [(talk.id, talk.title, talk.turns) for talk in notebook.conversations()] == [
        ("a", "first?", 2), ("b", "other?", 1)]
    assert [entry.asked for entry in notebook.entries("a")] == ["first?", "second?"]


def test_deleting_leaves_no_words_in_the_file(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    notebook.append("a", turn("my secret plan"))
    notebook.append("b", turn("harmless"))
    notebook.delete("a")
    assert [talk.id for talk in notebook.conversations()] == ["b"]
    assert b"secret plan" not in notebook.path.read_bytes()


def test_answers_of_another_version_are_read(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    notebook.append("a", turn())
    with sqlite3.connect(notebook.path) as db:
        db.execute("""UPDATE turn SET answer = '{"question": "Where?", "from_the_future": 1}'""")
    db.close()
    assert notebook.entries("a") == (Entry(asked="Where?", answer=Answer(question="Where?")),)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notebook.sqlite"
    threads = [threading.Thread(target=lambda: [Notebook(path).append("c", turn()) for _ in range(5)])
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Notebook(path).entries("c")) == 20


def test_a_file_that_is_no_notebook_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notebook.sqlite"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(LibraryError, match="cannot be used"):
        Notebook(path).append("c", turn())
    assert path.read_bytes().startswith(b"something else")


def test_ids_are_unguessable_and_fit_an_address() -> None:
    assert len({new_id() for _ in range(100)}) == 100
    assert all(char.isalnum() or char in "-_" for char in new_id())
