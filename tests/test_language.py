from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation.language import foreign, limit


@pytest.mark.parametrize(("question", "language"), [
    ("Was ist Reward Hacking?", "German"), ("Warum halluzinieren Sprachmodelle?", "German"),
    ("Ist es möglich, ein Modell zu quantisieren?", "German"),
    ("Pourquoi les modèles de langue hallucinent-ils ?", "French"),
    ("Comment fonctionne la quantification ?", "French"),
    ("¿Qué artículos tratan sobre la sobreoptimización?", "Spanish"),
    ("Quali articoli parlano di quantizzazione?", "Italian"), ("Quais artigos tratam de quantização?", "Portuguese"),
    ("Waarom hallucineren taalmodellen?", "Dutch"), ("Jak działa RLHF?", "Polish"),
    ("Varför hallucinerar språkmodeller?", "Swedish"), ("Bagaimana cara kerja RLHF?", "Indonesian"),
    ("Что такое обучение с подкреплением?", "Russian"), ("Що таке навчання з підкріпленням?", "Ukrainian"),
    ("什么是强化学习？", "Chinese"), ("報酬ハッキングとは何ですか？", "Japanese"), ("RLHF とは", "Japanese"),
    ("강화 학습이란 무엇인가?", "Korean"), ("ما هو التعلم المعزز؟", "Arabic"),
])
def test_questions_in_other_languages(question: str, language: str) -> None:
    assert foreign(question) == language
    said = limit(question)
    assert said is not None
    assert language in said


@pytest.mark.parametrize("question", [
    "What papers address reward overoptimization?", "RLHF PPO DPO", "Wasserstein GAN Kullback-Leibler", "β-VAE", "DPO",
    "papers by Leonardo de la Cruz", "Laurens van der Maaten t-SNE", "van den Oord WaveNet", "La Liga prediction",
    "comment generation for code", "die casting defects", "What is die shrink?", "per token cost on an H100",
    "Müller Gödel naïve Bayes", "Les Misérables authorship attribution", "Was there any work on pruning?", "", "???",
    "What does 注意 mean in Chinese?", "El Niño forecasts", "Que is a word", "Monte Carlo tree search",
])
def test_names_acronyms_and_keywords_are_no_other_language(question: str) -> None:
    assert foreign(question) is None
    assert limit(question) is None


@pytest.mark.parametrize("piece", ["a", " ", "-", "a-", "п", "was ist ", "( "])
def test_only_the_beginning_of_a_long_text_is_looked_at(piece: str) -> None:
    assert foreign(piece * 20_000) == foreign(piece * 400)
    assert foreign("Warum?" + " " * 9_000 + "Darum.") == "German"
    assert foreign("What is it? " * 40 + "Was ist das? " * 400) is None


def test_a_word_with_a_hyphen_may_ask() -> None:
    assert foreign("qu'est-ce une baguette") == "French"


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    foreign(text)
