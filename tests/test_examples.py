from __future__ import annotations

from rag.examples import examples
from rag.schema import Paper


def titled(*titles: str) -> list[Paper]:
    return [Paper(title=title, abstract="Text.") for title in titles]


def test_questions_name_what_the_titles_share() -> None:
    papers = titled("Reward Model Ensembles", "Calibrating a Reward Model", "Sparse Attention at Scale",
                    "Sparse Attention Revisited", "Bird Song", "Forest Fires", "Ice Cores")
    asked = examples(papers, 2)
    assert len(asked) == 2
    assert any("reward model" in question for question in asked)
    assert any("sparse attention" in question for question in asked)


def test_names_keep_their_capitals() -> None:
    assert any("LLM agents" in question for question in examples(titled("LLM Agents at Work"), 1))


def test_a_library_without_titles_has_no_examples() -> None:
    assert examples([Paper(abstract="Only text.")], 4) == ()


def test_a_conjunction_names_no_subject() -> None:
    assert all(" and " not in question and " of " not in question
               for question in examples(titled("Cats and Dogs of War", "Cats and Dogs at Peace"), 4))
