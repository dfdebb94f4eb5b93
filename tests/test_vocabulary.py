from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ProjectionError
from rag.schema import Paper
from rag.search.vocabulary import Vocabulary, mine
from rag.tables import Changes


def _changes(papers: dict[str, str], generation: int = 1, dropped: tuple[str, ...] = ()) -> Changes:
    return Changes(mark=("a library", generation), passages=(), dropped=tuple((f"{name}.0", name) for name in dropped),
                   papers=tuple(Paper(id=name, abstract=text) for name, text in papers.items()))


@pytest.fixture
def vocabulary(tmp_path: Path) -> Iterator[Vocabulary]:
    opened = Vocabulary(tmp_path / "vocabulary.sqlite")
    yield opened
    opened.close()


def test_a_text_shows_its_words() -> None:
    assert mine("Fine-tuned RLHF models: the RLHF loss, 4 models.") == {
        ("word", "fine", "fine"), ("word", "tuned", "tune"), ("word", "rlhf", "rlhf"), ("word", "models", "model"),
        ("word", "loss", "loss"), ("capitals", "rlhf", ""), ("pair", "finetun", "fine tuned")}


def test_a_definition_is_kept_both_ways() -> None:
    facts = mine("optimal transport (OT)")
    assert ("acronym", "ot", "optimal transport") in facts
    assert ("long", "optim transport", "ot") in facts


def test_papers_are_counted(vocabulary: Vocabulary) -> None:
    assert vocabulary.mark == ("", -1)
    vocabulary.apply(_changes({"p1": "a gaussian model, a gaussian", "p2": "Gaussian models"}))
    assert vocabulary.mark == ("a library", 1)
    assert vocabulary.papers("word", ["gaussian", "model", "laplacian"]) == {"gaussian": 2, "model": 1}
    assert vocabulary.values("word", ["models"]) == {"models": {"model": 1}}
    assert vocabulary.stems(["model", "gaussian", "laplacian"]) == {"model": 1, "gaussian": 2}


def test_applying_again_does_no_harm(vocabulary: Vocabulary) -> None:
    for _ in range(2):
        vocabulary.apply(_changes({"p1": "gaussian splatting"}))
    assert vocabulary.papers("word", ["gaussian"]) == {"gaussian": 1}


def test_a_paper_changed_or_gone_takes_its_words_along(vocabulary: Vocabulary) -> None:
    vocabulary.apply(_changes({"p1": "gaussian splatting", "p2": "gaussian noise"}))
    vocabulary.apply(_changes({"p1": "radiance fields"}, 2, dropped=("p1", "p2", "unheard of")))
    assert vocabulary.papers("word", ["gaussian", "splatting", "noise", "radiance"]) == {"radiance": 1}
    assert vocabulary.mark == ("a library", 2)


def test_other_readers_see_a_write_at_once(vocabulary: Vocabulary, tmp_path: Path) -> None:
    reader = Vocabulary(tmp_path / "vocabulary.sqlite")
    assert reader.papers("word", ["gaussian"]) == {}
    vocabulary.apply(_changes({"p1": "gaussian"}))
    assert reader.papers("word", ["gaussian"]) == {"gaussian": 1}
    vocabulary.reset()
    reader.refresh()
    assert reader.mark == ("", -1)
    reader.close()


def test_a_damaged_file_is_told_and_can_be_made_anew(vocabulary: Vocabulary, tmp_path: Path) -> None:
    (tmp_path / "vocabulary.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(ProjectionError, match=r"vocabulary\.sqlite cannot be used .*vouch doctor --repair"):
        vocabulary.stems(["gaussian"])
    vocabulary.reset()
    vocabulary.apply(_changes({"p1": "gaussian"}))
    assert vocabulary.stems(["gaussian"]) == {"gaussian": 1}


_names = st.sampled_from("abc")
_texts = st.lists(max_size=5, elements=st.sampled_from(
    ["gaussian", "Noise", "fine-tuned", "optimal transport (OT)", "OT", "über", "\ud800"])).map(" ".join)
_writes = st.lists(st.tuples(st.dictionaries(_names, _texts), st.sets(_names)), max_size=6)
_numbers = count()


@given(_writes)
def test_it_holds_what_the_papers_there_show(tmp_path_factory: pytest.TempPathFactory,
                                             writes: list[tuple[dict[str, str], set[str]]]) -> None:
    folder = tmp_path_factory.getbasetemp() / f"vocabulary-{next(_numbers)}"
    vocabulary, there = Vocabulary(folder / "vocabulary.sqlite"), dict[str, str]()
    for generation, (papers, dropped) in enumerate(writes):
        vocabulary.apply(_changes(papers, generation, tuple(dropped)))
        there = {name: text for name, text in there.items() if name not in dropped} | papers
    for kind, key, value in mine("gaussian noise fine-tuned optimal transport (OT) OT über"):
        shown = sum((kind, key, value) in mine(text) for text in there.values())
        assert vocabulary.values(kind, [key]).get(key, {}).get(value, 0) == shown
    vocabulary.close()
