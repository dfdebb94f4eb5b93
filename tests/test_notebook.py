from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from rag.errors import LibraryError
from rag.schema import Answer, Citation, Origin, Paper, Reference, Sentence, Support, Turn, Usage
from ui.notebook import Notebook, new_id

PAPER = Paper(id="p1", title="Nests", abstract="Herons nest\nhigh.", authors=("Ada Quill", "Bo Fern"), year=2021,
              origins=(Origin(file="a.txt", record=3), Origin(file="b.txt", record=1)))
SUPPORT = Support(verdict="weak", score=0.5, quote="Herons nest", start=0, end=11)
ANSWER = Answer(
    question="Where?", text="“Herons nest” [1]", rewritten_question="Where do herons nest?",
    sentences=(Sentence(text="Herons nest", kind="quote",
                        citations=(Citation(label=1, paper_id="p1", support=SUPPORT),)),),
    references=(Reference(label=1, paper=PAPER),), withheld=(Sentence(text="They swim."),), nearest=(PAPER,),
    confidence=0.7, engine="llm", model="m", notice="n", usage=Usage(input_tokens=3, output_tokens=4),
    timings={"retrieve": 0.01},
)


def turn(question: str = "Where?") -> Turn:
    return Turn(question=question, answer=ANSWER)


def test_a_turn_comes_back_as_it_went(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "not there yet" / "notebook.sqlite")
    notebook.append("c", turn())
    assert notebook.turns("c") == (turn(),)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    assert notebook.conversations() == ()
    assert notebook.turns("c") == ()
    notebook.delete("c")
    assert not notebook.path.exists()


def test_conversations_are_named_after_their_first_question_the_latest_first(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    notebook.append("a", turn("first?"))
    notebook.append("b", turn("other?"))
    notebook.append("a", turn("second?"))
    assert [(talk.id, talk.title, talk.turns) for talk in notebook.conversations()] == [
        ("a", "first?", 2), ("b", "other?", 1)]
    assert [turn.question for turn in notebook.turns("a")] == ["first?", "second?"]


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
    assert notebook.turns("a") == (Turn(question="Where?", answer=Answer(question="Where?")),)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notebook.sqlite"
    threads = [threading.Thread(target=lambda: [Notebook(path).append("c", turn()) for _ in range(5)])
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Notebook(path).turns("c")) == 20


def test_a_file_that_is_no_notebook_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notebook.sqlite"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(LibraryError, match="cannot be used"):
        Notebook(path).append("c", turn())
    assert path.read_bytes().startswith(b"something else")


def test_ids_are_unguessable_and_fit_an_address() -> None:
    assert len({new_id() for _ in range(100)}) == 100
    assert all(char.isalnum() or char in "-_" for char in new_id())
