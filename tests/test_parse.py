"""What models write becomes sentences with labels, however it was cut on the way."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.drafted import Drafted
from rag.models.parse import Reader, parse


def read(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(drafted.text, drafted.labels) for drafted in parse([text])]


@pytest.mark.parametrize("mark", [
    "[E1]", "[e1]", "(E1)", "【E1】", "[[E1]]", "([E1])", "**[E1]**", "[E1](#E1)", "[^E1]", "[see E1]", "(see E1)",
    "[E1: Pruning at Scale]", "[E1, p. 3]", "[Evidence 1]", "[E1][E1]", "<b>[E1]</b>", "[Source: E1]", "[E 1]",
])
@pytest.mark.parametrize("shape", ["Pruning works {}.", "Pruning works. {}", "Pruning works.{}", "Pruning works\n{}"])
def test_every_shape_of_mark_is_taken_off(mark: str, shape: str) -> None:
    (sentence, labels), after = read(shape.format(mark) + "\n\nQuantising too [E2].")
    assert sentence.rstrip(".") == "Pruning works"
    assert labels == ("E1",)
    assert after == ("Quantising too.", ("E2",))


@pytest.mark.parametrize(("mark", "labels"), [
    ("[E1, E2]", ("E1", "E2")), ("[E1][E2]", ("E1", "E2")), ("[E1] [E2]", ("E1", "E2")), ("(E1; E12)", ("E1", "E12")),
    ("[E1-E3]", ("E1", "E2", "E3")), ("[E2–4]", ("E2", "E3", "E4")), ("[E1 and E2]", ("E1", "E2")),
    ("[Q1]", ("Q1",)), ("(Q1; q12)", ("Q1", "Q12")), ("[Q1-Q3]", ("Q1", "Q2", "Q3")), ("[E1 Q2]", ("E1", "Q2")),
    ("[Quote 1]", ("Q1",)), ("[Paper 1]", ("E1",)), ("{E1}", ("E1",)), ("[[E1]](#E1)", ("E1",)),
    ("\\cite{evil2031}", ()),
    ("[1]", ("1",)), ("[1, 2]", ("1", "2")), ("[1][3]", ("1", "3")), ("[E99]", ("E99",)), ("[E1, E1]", ("E1",)),
])
def test_several_labels_and_invented_ones(mark: str, labels: tuple[str, ...]) -> None:
    assert read(f"Both work {mark}. Then some.") == [("Both work.", labels), ("Then some.", ())]


def test_a_mark_behind_the_full_stop_belongs_to_the_sentence_before() -> None:
    assert read("One works. [E1] Two fails. [E2][E3]\n\nThree waits.\n[E4]") == [
        ("One works.", ("E1",)), ("Two fails.", ("E2", "E3")), ("Three waits.", ("E4",))]


def test_marks_that_lead_belong_to_what_follows() -> None:
    assert read("[E1] Pruning helps. [E2] Noise hurts.") == [("Pruning helps.", ("E1",)), ("Noise hurts.", ("E2",))]
    assert read("It depends.\n[E1] Pruning helps.\n[E2] Noise hurts.") == [
        ("It depends.", ()), ("Pruning helps.", ("E1",)), ("Noise hurts.", ("E2",))]
    assert read("[E1]\nPruning helps.") == [("Pruning helps.", ("E1",))]


@pytest.mark.parametrize(("text", "sentence", "labels"), [
    ("According to [E1], pruning helps.", "Pruning helps.", ("E1",)),
    ("As shown in E1 and E2, pruning helps.", "Pruning helps.", ("E1", "E2")),
    ("According to Q1, pruning helps.", "Pruning helps.", ("Q1",)),
    ("E1 shows that pruning helps.", "This paper shows that pruning helps.", ("E1",)),
    ("[E1] and [E2] show that pruning helps.", "These papers show that pruning helps.", ("E1", "E2")),
    ("Pruning was first tried in [E3].", "Pruning was first tried in this paper.", ("E3",)),
    ("Pruning helps, E1.", "Pruning helps.", ("E1",)),
    ("Pruning helps. E1", "Pruning helps.", ()),
    ("E5 embeddings beat BM25 [E2].", "E5 embeddings beat BM25.", ("E2",)),
    ("We compare E5 and BM25 [E2].", "We compare E5 and BM25.", ("E2",)),
])
def test_labels_that_are_words_of_the_sentence(text: str, sentence: str, labels: tuple[str, ...]) -> None:
    assert read(text)[0] == (sentence, labels)


@pytest.mark.parametrize("text", [
    "Methods of Smith et al. reach 3.5 points, e.g. on long texts, i.e. books.",
    "Accuracy rises from 0.75 to 0.8 (cf. Fig. 2) vs. the baseline.",
    "A* search in snake_case keeps $L_{1}$ and 2 * 3.",
    "If x < y, then y > x (see above).",
    "It holds for p (1) and for q (2) alone.",
    "Sets {a, b} of x^{2} and $\\alpha$ and C:\\cited hold.",
    "Losses of p<0.05 reach mAP@0.5 and nDCG@10 of 10⁵ CO₂, R² and/or log₂ n at AT&T.",
    "In 2019 (May) it was (as Smith, a baker, said in 1990) so.",
])
def test_what_is_no_mark_and_no_end_stays(text: str) -> None:
    assert read(f"{text} [E1]") == [(text, ("E1",))]


@pytest.mark.parametrize(("mark", "labels"), [
    ("[E0]", ("E0",)), ("[E007]", ("E007",)), ("[E1000]", ("E1000",)), ("[E11111111111]", ("E11111111111",)),
    ("[E1, E11111111111]", ("E1", "E11111111111")), ("[2019]", ("2019",)), ("［7］", ("7",)), ("［Ｅ７］", ("E7",)),
    ("[E\u200b1]", ("E1",)), ("〔E2〕", ("E2",)), ("(E0)", ("E0",)), ("(1)", ("1",)), ("(1, 2)", ("1", "2")),
    *((mark, ()) for mark in (
        "[E1e9]", "[S7]", "[D7]", "[doc7]", "[doc7](https://evil.example)", "[^note]", "[citation needed]", "[7a]",
        "[07]", "[Smith et al.]", "[Smith and his many friends, 2021]", "[from the source that you gave me]", "[sic]",
        "(Smith et al.)", "(Smith and Jones, n.d.)", "(Smith et al., 2021)", "(O'Hara-Müller, 2021a)", "(Smith 2021)",
        "(see Smith, 2020; Jones & Lee, 2021)", "(ref. 7)", "(citation needed)", "⁷", "₇", "①", "<sup>7</sup>",
        "⁷⁸", "[E", "[E1", "[", "(E1, E", "(Smith et al., 20", "[0, 1]", "[†]")),
])
@pytest.mark.parametrize("shape", ["Pruning works {}. Then some.", "Pruning works. {}", "Pruning works {}",
                                   "Pruning works {}\n\nThen some."])
def test_a_mark_that_nobody_gave_does_not_survive(mark: str, labels: tuple[str, ...], shape: str) -> None:
    if mark[0] == "(" and mark[1] in "12" and shape.endswith(". {}"):
        return  # "Pruning works. (1)" may begin a list
    (text, found), *after = read(shape.format(mark))
    assert text.rstrip(".") == "Pruning works"
    assert found == labels
    assert after == [("Then some.", ())] * ("Then" in shape)


def test_a_raised_digit_behind_a_word_is_a_mark() -> None:
    assert read("Pruning works⁷ here.⁸ It fails, too.<sup>9</sup> Then 10<sup>5</sup>.") == [
        ("Pruning works here.", ()), ("It fails, too.", ()), ("Then 10⁵.", ())]


def test_a_longer_text_in_brackets_stays_without_them() -> None:
    assert read("It [as far as anyone can tell] works [E1].") == [("It as far as anyone can tell works.", ("E1",))]


def test_a_sentence_holds_a_word() -> None:
    assert read("42. [E1]\n\nA.\n\n3.5 %\n\n(1)\n\nIt is so.") == [("It is so.", ())]


def test_lists_headings_and_emphasis() -> None:
    text = ("## Findings\n\nTwo papers:\n\n- **Pruning** halves memory [E1]\n* noise *hurts* it [E2]\n"
            "1. `Skip` lists [E3].\n")
    assert read(text) == [("Two papers:", ()), ("Pruning halves memory", ("E1",)), ("noise hurts it", ("E2",)),
                          ("Skip lists.", ("E3",))]


def test_a_wrapped_line_is_one_sentence() -> None:
    assert read("Pruning halves\nmemory [E1].\nIt is fast [E2].") == [
        ("Pruning halves memory.", ("E1",)), ("It is fast.", ("E2",))]


def test_nothing_remote_and_no_markup_comes_through() -> None:
    text = ("See <img src=\"https://evil.example/p.png\" onerror=x> ![chart](http://evil.example/c.png) and "
            "[the code](https://evil.example/code \"t\") at https://evil.example/a.b?c=d, or <https://evil.example>. "
            "[E1] <script>No</script> www.evil.example/x ends <!-- a -- b --> here [E2].")
    for sentence, labels in (found := read(text)):
        assert labels
        assert not re.search(r"evil|[<>\[\]]|http|www", sentence), sentence
    assert found[0][0].startswith("See chart and the code at")


@pytest.mark.parametrize("attack", [
    "HTTP://evil.example/a", "ftp://evil.example", "//evil.example/x", "file:///etc/evil", "data:text/html,evil",
    "evil.example/x", "evil.example:80/x", "WWW.evil.example", "me@evil.example", "h\u200bttps://evil.example",
    "http:\\\\evil.example", "javascript:evil()", "[x]( HTTP://evil.example/p.png )", "[x](HTTP://evil.example/a(b)c)",
    "[x](<HTTP://evil.example/a b>)", "[![x](http://evil.example)](http://evil.example/b)", "![x][evil]",
    "<HTTP://evil.example/>", "<mailto:me@evil.example>", "<me@evil.example>", "<svg/onload=evil>", "<!evil>",
    "<?evil?>",
    "<<b>img src=x onerror=evil>", f"<img {'a' * 500} src=//evil.example/>", "&lt;img src=x onerror=evil&gt;",
    "&amp;lt;img src=//evil.example&gt;", "&#60;img src=//evil.example&#x3e;", "＜img src=//evil.example＞",
    "www().evil.example/x", "http&#58;//evil.example", "[evil]: http://evil.example",
])
def test_no_address_and_no_tag_survives(attack: str) -> None:
    found = read(f"Pruning works {attack} here [E1]. Then some.")
    assert (found[0][0].startswith("Pruning works"), found[0][1], found[-1]) == (True, ("E1",), ("Then some.", ()))
    for text, _ in found:
        assert "evil" not in text
        assert not LIVE.search(text), text


def test_a_comparison_stays_one() -> None:
    assert read("It holds for $x<y$ and a<b.") == [("It holds for $x< y$ and a< b.", ())]


def test_no_entity_can_forge_a_mark() -> None:
    assert read("It works [E1] &#xE000;&#57344; here.") == [("It works here.", ("E1",))]


def test_a_reasoning_models_thoughts_are_dropped() -> None:
    assert read("<think>\nMaybe [E3]. Or not.\n</think>\n\nPruning works [E1].") == [("Pruning works.", ("E1",))]
    assert read("<think>It never ends [E1].") == []


def test_a_mark_never_closed_is_not_shown() -> None:
    assert read("Pruning works [E1") == [("Pruning works", ())]
    assert read("Pruning works (E1, E") == [("Pruning works", ())]


def test_a_sentence_with_its_mark_before_the_full_stop_comes_with_that() -> None:
    reader = Reader()
    assert list(reader.read("Pruning works [E1]")) == []
    assert list(reader.read(".")) == [Drafted(text="Pruning works.", labels=("E1",))]
    assert list(reader.read('”) It is fast [Q2]! ')) == [Drafted(text="It is fast!", labels=("Q2",))]
    assert list(reader.read("So")) == list(reader.read("me [E1]: 3.5 % [E2] of")) == []
    assert list(reader.end()) == [Drafted(text="Some: 3.5 % of", labels=("E1", "E2"))]


def test_a_sentence_comes_as_soon_as_the_next_begins() -> None:
    pieces = iter(["Pruning wor", "ks. [E", "1] ", "It is", " fast."])
    assert next(parse(pieces)) == Drafted(text="Pruning works.", labels=("E1",))
    assert next(pieces) == " fast."


LIVE = re.compile(r"://|<[A-Za-z/!?]|[\[\]【】［］]|\w@\w+\.[a-z]|\bwww\.\w", re.IGNORECASE)

FRAGMENTS = st.sampled_from([
    "Pruning works", "it fails", "E1", "E5", " ", " ", ". ", ".", "? ", "\n", "\n\n", "\n- ", "\n1. ", "[E1]",
    "[E2, E3]", "[1]", "(E4)", "【E5】", "[", "]", "(", ")", "**", "*", "_", "`", "# ", "<b>", "</b>", "<think>",
    "</think>", "<", ">", "e.g. ", "et al. ", "3.5", "https://a.example/b", "[x](http://y.example)", "![p](q)",
    "\ue000", "é", "“", "”", "!", "[E1", "–", ",", "[E0]", "[E007]", "[0, 1]", "[sic]", "(Smith et al., 2021)", "(1)",
    "⁷", "₇", "［７］", "\u200b", "h", "ttp", "://", "//", ":", "www.", "x.example", "/", "me@", "<img ", "<!--", "-->",
    "[Q1]", "Q2", "{", "}", "{E1}", "\\", "\\cite{", "[[", "]]",
    "&lt;", "&amp;", "lt;", "&#xE000;", "<sup>", "</sup>", "img", "\t", "\r", "A. ",
])
TEXTS = st.lists(FRAGMENTS, max_size=30).map("".join)


@given(TEXTS, st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_how_the_text_was_cut_makes_no_difference(text: str, sizes: list[int]) -> None:
    pieces, at, turn = [], 0, 0
    while at < len(text):
        pieces.append(text[at:at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
        turn += 1
    assert list(parse(pieces)) == list(parse([text]))


@given(TEXTS)
def test_what_comes_out_is_clean(text: str) -> None:
    for drafted in parse([text]):
        assert re.search(r"[^\W\d_]{2}", drafted.text)
        assert drafted.text == drafted.text.strip()
        assert not re.search(r"[\ue000-\uf8ff\n]", drafted.text)
        assert not LIVE.search(drafted.text), drafted.text
        assert all(re.fullmatch(r"[EQ]\d+|[1-9]\d*", label) for label in drafted.labels)
        assert len(set(drafted.labels)) == len(drafted.labels)


# Words too long to be abbreviations, after which a full stop would end nothing.
WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=7, max_size=9)
WORDS = st.lists(st.lists(WORD, min_size=2, max_size=7).map(lambda words: f"{' '.join(words).capitalize()}."),
                 min_size=1, max_size=6)


@given(WORDS, st.data())
def test_plain_sentences_come_through_whole_with_their_own_marks(said: list[str], data: st.DataObject) -> None:
    labels = [tuple(f"E{n}" for n in data.draw(st.lists(st.integers(1, 9), unique=True, max_size=3))) for _ in said]
    behind = data.draw(st.booleans())
    marked = [
        f"{text} {''.join(f'[{label}]' for label in own)}" if behind else
        f"{text[:-1]} {''.join(f'[{label}]' for label in own)}."
        for text, own in zip(said, labels, strict=True)]
    assert list(parse([" ".join(marked)])) == [
        Drafted(text=text, labels=own) for text, own in zip(said, labels, strict=True)]


@given(st.text(st.sampled_from("<>&;lt/!?:.@[]()# aEw1h⁷\u200b"), max_size=60))
def test_no_characters_make_anything_live(text: str) -> None:
    for drafted in parse([text]):
        assert not LIVE.search(drafted.text), drafted.text


def test_a_text_without_an_end_is_cut_at_a_blank() -> None:
    found = list(parse(["endless words and so on " * 1600]))
    assert " ".join(drafted.text for drafted in found) == ("endless words and so on " * 1600).strip()
    assert max(len(drafted.text) for drafted in found) <= 2000


# Repeated, each is the start of something that never comes; tests/bench/parse_speed.py has what reading them takes.
ENDLESS = [
    "a. ", "- a\n", "wibble N. ", "\n", "*", ". ", "[E1]\n", "[", "(", "<", "&", "<a ", "a", "((a", "[a", "[1] ", "//a",
    "a@", "a.", "&lt;", "Aa, Bb ", "(Aa, ", "<<b>", '. " ',
]


@pytest.mark.parametrize("text", ENDLESS)
def test_what_follows_a_text_without_an_end_is_read(text: str) -> None:
    *before, last = parse([text * (3000 // len(text)), "\n\nPruning works [E1]."])
    assert last.text == "Pruning works."
    assert last.labels[-1] == "E1"
    assert not any(LIVE.search(drafted.text) for drafted in before)
