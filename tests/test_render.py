from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.schema import (
    Answer,
    Chunk,
    Citation,
    Hit,
    Origin,
    Paper,
    Reference,
    Sentence,
    SentenceKind,
    Support,
    Usage,
    Verdict,
)
from ui import render

PAPER = Paper(
    id="p1", title="Tides in small_seas", abstract="Small seas have tides. They are $x_1$ high.",
    authors=("Ada One", "Bob Two", "Cy Three"), year=2021, year_inferred=True, arxiv_id="2101.00001",
    origins=(Origin(file="list.txt", record=3),),
)
BARE = Paper(id="p2", abstract="A text without any title that goes on for rather more than a dozen words in all.",
             text_kind="summary", origins=(Origin(file="other.txt", record=1),))


def cited(text: str, verdict: Verdict = "supported", kind: SentenceKind = "statement",
          labels: tuple[int, ...] = (1,)) -> Sentence:
    support = Support(verdict=verdict, score=0.8)
    citations = tuple(Citation(label=label, paper_id=f"p{label}", support=support) for label in labels)
    return Sentence(text=text, kind=kind, citations=citations)


ANSWER = Answer(
    question="How high are tides?",
    sentences=(Sentence(text="One paper answers.", kind="frame"), cited("Small seas have tides.", kind="quote"),
               cited("They are high.", "weak", labels=(1, 2))),
    references=(Reference(label=1, paper=PAPER), Reference(label=2, paper=BARE)),
    withheld=(cited("They are low.", "contradicted"),),
    notice="The model stopped early.",
    usage=Usage(input_tokens=3, output_tokens=4),
    timings={"search": 0.5},
)


def kinds(markdown: str) -> set[str]:
    """What a Markdown reader makes of a text."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    inner = (child.type for token in tokens for child in token.children or ())
    return {token.type for token in tokens} | set(inner)


def test_json_has_exactly_the_fields_and_the_told_properties() -> None:
    document = json.loads(json.dumps(render.to_json(ANSWER)))
    assert set(document) == {field.name for field in fields(Answer)}
    assert set(document["references"][0]["paper"]) == {field.name for field in fields(Paper)} | {"label"}
    assert document["references"][1]["paper"]["label"] == BARE.label
    assert [sentence["verdict"] for sentence in document["sentences"]] == ["supported", "supported", "weak"]
    assert document["usage"] == {"input_tokens": 3, "output_tokens": 4}
    assert document["timings"] == {"search": 0.5}
    assert document["references"][0]["paper"]["origins"] == [
        {"file": "list.txt", "record": 3, "uri": "", "sha256": ""}]


def test_json_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="complex"):
        render.to_json({"a": [1j]})


def test_sentence_marks_stand_outside_the_quote() -> None:
    assert render.sentence_text(ANSWER.sentences[0]) == "One paper answers."
    assert render.sentence_text(ANSWER.sentences[1]) == "“Small seas have tides.” [1]"
    assert render.sentence_text(ANSWER.sentences[2]) == "They are high. [1][2] (weakly supported)"


def test_a_paper_cited_twice_by_a_sentence_is_marked_once() -> None:
    assert render.sentence_text(cited("So it is.", labels=(2, 1, 2))) == "So it is. [2][1]"


def test_reference_lines_name_link_or_origin_and_what_is_a_summary() -> None:
    first, second = (render.reference_line(reference) for reference in ANSWER.references)
    assert first == "[1] Tides in small_seas. Ada One et al., 2021? https://arxiv.org/abs/2101.00001"
    assert second.startswith("[2] A text without any title")
    assert second.endswith("summary, not the authors' words. other.txt#1")


def test_plain_lines_keep_to_the_width_and_tell_everything() -> None:
    lines = list(render.answer_lines(ANSWER, width=60))
    assert all(len(line) <= 60 for line in lines)
    text = " ".join(" ".join(lines).split())
    for part in ("- Tides in small_seas (2021?): “Small seas have tides.” [1]", "References", "[2] A text",
                 "1 sentence was withheld", "The model stopped early."):
        assert part in text


def test_an_abstention_claims_nothing() -> None:
    said = Sentence(text="The library does not cover this.", kind="frame")
    answer = Answer(question="Who won?", abstained=True, sentences=(said,), nearest=(PAPER,))
    text = "\n".join(render.answer_lines(answer))
    assert text.startswith("The library does not cover this.\nNearest papers (they may not answer it):\n1. Tides")
    assert "References" not in text
    assert "Nearest papers (they may not answer it):\n\n1. [Tides" in render.answer_markdown(answer)


def test_markdown_document() -> None:
    text = render.answer_markdown(ANSWER)
    assert text.startswith("## How high are tides?\n\nOne paper answers.\n\n"
                           "- Tides in small\\_seas (2021?): “Small seas have tides.” \\[1\\]\n\nThey are high.")
    assert "*(weakly supported)*" in text
    assert "- \\[1\\] [Tides in small\\_seas](<https://arxiv.org/abs/2101.00001>). Ada One et al., 2021?." in text
    assert "*summary, not the authors' words*" in text
    assert "other.txt\\#1" in text
    assert "*1 sentence was withheld: the papers do not support it.*" in text


@pytest.mark.parametrize("text", [
    "![see](https://tracker.example/x.png)", "<img src=x>", "[click](javascript:1)", "$![a](http://b)$",
    "$$![a](http://b)$$", "`code`", "**loud**", "# heading", "| a | b |", "~~gone~~",
])
def test_markdown_of_papers_carries_no_markup(text: str) -> None:
    assert kinds(render.escape_markdown(text)) == {"paragraph_open", "paragraph_close", "inline", "text"}


def test_markdown_keeps_mathematics_and_knows_money() -> None:
    assert render.escape_markdown("of $x_1 < y$ and a_b") == "of $x_1 &lt; y$ and a\\_b"
    assert render.escape_markdown("from $5 to $10 a_b") == "from \\$5 to \\$10 a\\_b"
    assert render.escape_markdown("1. first") == "1\\. first"
    assert render.escape_markdown("- dash") == "\\- dash"


@given(st.text(alphabet="ab $[](){}!<>_*`\\#\n1.:/", max_size=60))
def test_no_link_picture_or_tag_survives_escaping(text: str) -> None:
    assert not kinds(render.escape_markdown(text)) & {"link_open", "image", "html_inline", "html_block", "code_inline"}


def test_a_link_that_could_break_out_is_not_made() -> None:
    paper = Paper(id="p", title="T", url="https://a.example/> [x](y)")
    assert "link_open" not in kinds(render.paper_markdown(paper))
    assert "link_open" not in kinds(render.paper_markdown(Paper(id="p", title="T", url="javascript:alert(1)")))
    assert "link_open" in kinds(render.paper_markdown(Paper(id="p", title="T", url="https://a.example/1")))


def test_best_words_are_the_sentence_that_shares_most_with_the_query() -> None:
    text = "Seas are wide. Measured tides differ by harbour. Nothing else."
    chunk = Chunk(id="c", paper_id="p1", index=0, text=text, start=0, end=len(text), tokens=12)
    hit = Hit(paper=PAPER, score=0.5, passages=(chunk,))
    assert render.best_words(hit, "measuring tides in harbours") == "Measured tides differ by harbour."
    assert render.best_words(hit, "quantum") == "Seas are wide."
    assert render.best_words(Hit(paper=PAPER, score=0.5), "tides") == ""
