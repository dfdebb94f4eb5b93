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
    ClaimReport,
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
from ui import claims, render
from ui.sides import blocks, paragraphs

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
    assert document["usage"] == {"input_tokens": 3, "output_tokens": 4, "cost": None}
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


# ---- sides, marks, claims

def words_of(markdown: str) -> str:
    """The words that a Markdown reader shows."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    return " ".join("".join(child.content for child in token.children or ()) for token in tokens if token.children)


SIDED = (Sentence(text="They differ.", kind="frame"),
         *(Sentence(text=text, kind="quote", citations=cited("", labels=(label,)).citations, side=side)
           for side, label, text in (("spring tides", 1, "They are $|x| \\| y$ high | wide."),
                                     ("neap tides", 2, "They are low."), ("spring tides", 2, "They come twice."))))


def test_sides_stand_together_in_the_order_they_come() -> None:
    first, second = blocks(SIDED)
    assert [side.name for side in first] == [None]
    assert [(side.heading, len(side.sentences)) for side in second] == [("Spring tides", 2), ("Neap tides", 1)]


def test_sides_in_plain_text_stand_under_their_headings() -> None:
    answer = Answer(question="?", kind="comparison", sentences=SIDED, references=ANSWER.references)
    lines = list(render.answer_lines(answer, width=200))
    assert lines[0] == "They differ."
    assert lines.index("Spring tides:") < lines.index(next(line for line in lines if "come twice" in line))
    assert lines.index("Neap tides:") < lines.index(next(line for line in lines if "are low" in line))
    assert sum("high | wide" in line for line in lines) == 1


def test_sides_in_markdown_are_a_table() -> None:
    answer = Answer(question="?", kind="comparison", sentences=SIDED, references=ANSWER.references)
    markdown = render.answer_markdown(answer)
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    cells = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type in ("th_open", "td_open")]
    assert cells[:2] == ["Spring tides", "Neap tides"]
    assert "$|x| \\| y$ high \\| wide." in cells[2]
    assert "They are low" in cells[3]
    assert "come twice" in cells[4]
    assert cells[5] == ""


def test_a_frame_heads_the_quotes_below_it() -> None:
    frames = tuple(Sentence(text=text, kind="frame") for text in ("Three answer.", "Two say alike:"))
    quotes = (cited("One.", kind="quote"), cited("Two.", kind="quote"))
    assert list(paragraphs((*frames, *quotes))) == [frames[:1], frames[1:], quotes[:1], quotes[1:]]
    assert list(paragraphs((cited("So."), cited("Thus.")))) == [(cited("So."), cited("Thus."))]


def test_frames_that_cite_stand_by_themselves() -> None:
    items = (cited("“Tides”, 2021.", kind="frame"), cited("“Bare”, 2020.", kind="frame", labels=(2,)))
    answer = Answer(question="?", kind="library", sentences=items, references=ANSWER.references)
    assert list(render.answer_lines(answer))[:2] == ["“Tides”, 2021. [1]", "“Bare”, 2020. [2]"]
    assert "\n\n“Tides”, 2021. \\[1\\]\n\n" in render.answer_markdown(answer)


@pytest.mark.parametrize(("before", "marked", "after", "told"), [
    ("They are ", "3 m", " high.", "They are **3 m** high."),
    ("They are", " 3 m ", "high.", "They are **3 m** high."),
    ("pre", "fix", "ed", "pre**fix**ed"),
    ("of $x_", "1$", " m", "of **$x_1$** m"),
    ("- ", "a", "", "\\- **a**"),
    ("a", "(b)", "c", "a(b)c"),
    ("a ", "*b", "*", "a **\\*b**\\*"),
])
def test_marked_words_are_bold_where_they_can_be(before: str, marked: str, after: str, told: str) -> None:
    sentence = Sentence(text=before + marked + after, marked=(len(before), len(before + marked)), kind="frame")
    assert render.answer_markdown(Answer(question="?", sentences=(sentence,))) == f"## ?\n\n{told}\n"


@given(st.text(alphabet="ab1 .,()*_-é“", min_size=1, max_size=30), st.data())
def test_marking_edits_no_word(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    marked = (start, data.draw(st.integers(start, len(text))))
    plain, bold = (render.answer_markdown(Answer(question="?", sentences=(
        Sentence(text=text, marked=span, kind="quote", citations=cited("").citations),),
        references=ANSWER.references[:1])) for span in (None, marked))
    assert words_of(bold).replace(" ", "") == words_of(plain).replace(" ", "")
    assert not kinds(bold) & {"em_open", "code_inline", "html_inline"}


REPORT = ClaimReport(claim="Tides are *high*.", verdict="supported", confidence=0.72,
                     for_=(cited("Small seas have tides.", kind="quote"),), notice="One sentence is weak.",
                     references=ANSWER.references[:1])


def test_a_report_tells_the_verdict_and_either_side() -> None:
    text = "\n".join(claims.claim_lines(REPORT))
    assert text.startswith("Supported (fairly sure, 72%).\n\nFor:\n- Tides in small_seas (2021?): “Small seas")
    assert "\nAgainst:\nNothing was found.\n" in text
    assert "[1] Tides in small_seas" in text
    assert text.endswith("One sentence is weak.")
    markdown = claims.claim_markdown(REPORT)
    assert markdown.startswith("## Tides are \\*high\\*.\n\n**Supported** (fairly sure, 72%)\n\n| For | Against |\n")
    assert "table_open" in kinds(markdown)
    assert "### References" in markdown


def test_a_report_without_evidence_has_no_sides() -> None:
    report = ClaimReport(claim="?", verdict="no evidence", confidence=0.3)
    assert list(claims.claim_lines(report)) == ["No evidence for it or against it (hardly more than a guess, 30%)."]
    assert "|" not in claims.claim_markdown(report)


@pytest.mark.parametrize(("cost", "told"), [
    (None, "1,200 tokens read, 90 written"), (0.0, "1,200 tokens read, 90 written"),
    (0.00001, "1,200 tokens read, 90 written, less than $0.0001"), (0.0031, "1,200 tokens read, 90 written, $0.0031"),
    (1.5, "1,200 tokens read, 90 written, $1.50"),
])
def test_usage_in_a_line(cost: float | None, told: str) -> None:
    assert render.usage_line(Usage(input_tokens=1200, output_tokens=90, cost=cost)) == told


def test_how_a_question_was_understood_comes_first() -> None:
    answer = Answer(question="And it?", rewritten_question="And [the] tide?", sentences=ANSWER.sentences[:1])
    assert next(render.answer_lines(answer)) == "Understood as: And [the] tide?"
    assert "\n\n*Understood as: And \\[the\\] tide?*\n\nOne paper" in render.answer_markdown(answer)


def test_best_words_are_the_sentence_that_shares_most_with_the_query() -> None:
    text = "Seas are wide. Measured tides differ by harbour. Nothing else."
    chunk = Chunk(id="c", paper_id="p1", index=0, text=text, start=0, end=len(text), tokens=12)
    hit = Hit(paper=PAPER, score=0.5, passages=(chunk,))
    assert render.best_words(hit, "measuring tides in harbours") == "Measured tides differ by harbour."
    assert render.best_words(hit, "quantum") == "Seas are wide."
    assert render.best_words(Hit(paper=PAPER, score=0.5), "tides") == ""
