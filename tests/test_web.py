from __future__ import annotations

import html
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser.scripted import (
    FIRST,
    OUT,
    PAPERS,
    REFERENCES,
    REPORT,
    SENTENCES,
    USAGE,
    ScriptedLibrary,
    last_asked,
    quote,
)
from browser.serving import served
from hypothesis import given
from hypothesis import strategies as st

from ingest import ingest
from rag import Library, open_library
from rag.errors import SettingsError
from rag.models.cost import spent
from rag.schema import (
    Answer,
    Citation,
    ClaimReport,
    Evidence,
    Hit,
    IngestReport,
    Origin,
    Paper,
    Reference,
    Rejected,
    Sentence,
    Stage,
    Support,
    Usage,
    Where,
    Withheld,
)
from rag.settings import Settings
from ui.notebook import Entry, Notebook
from ui.web.adding import report_line, safe_name
from ui.web.answer_html import answer_html, draft_html, question_html
from ui.web.card import card, cited_span, outside, paper_link
from ui.web.chat import Chat, _turn
from ui.web.draft import Draft
from ui.web.filter import chosen, fields_html, named, pairs, phrase
from ui.web.live import Live
from ui.web.pump import pumped
from ui.web.report_html import report_html
from ui.web.shelf import earlier_html, welcome_html
from ui.web.typeset import marked, typeset

TAGS = {"div", "p", "span", "a", "ul", "li", "details", "summary", "button", "pre", "code", "mark", "h2", "h3",
        "strong"}


class Tags(HTMLParser):
    """Collects tags, attributes, and the words that are shown."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.words = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


# ---- words as HTML

@given(st.text(alphabet=st.characters(exclude_characters="$", exclude_categories=["Cs", "Cc", "Cn"])))
def test_words_survive_escaping(text: str) -> None:
    assert html.unescape(typeset(text)) == text


@given(st.text())
def test_nothing_becomes_markup_or_breaks_the_line(text: str) -> None:
    out = typeset(text)
    assert not set(out) & set("<>\"\n\r")
    assert not Tags(out).tags


@pytest.mark.parametrize("maths", [r"\alpha", "x", "O(n \\log n)", r"p_{data}", "n = 5", r"D_{\mathrm{KL}}", "f(x, y)",
                                   r"\mathcal{L} + \lambda", "10^{-3}", "<5"])
def test_mathematics_is_marked(maths: str) -> None:
    assert typeset(f"a ${maths}$ b") == rf"a \({html.escape(maths)}\) b"


@pytest.mark.parametrize("text", ["$5 and $10", "from $5-$10 a run", "costs $5 (or 10$) now", "a lone $ sign",
                                  "US$ 3, US$ 4", "between $2 million and about $3", "$HOME and $PATH"])
def test_money_is_not_mathematics(text: str) -> None:
    assert typeset(text) == text


# ---- answers

HOSTILE = '<img src=x onerror=alert(1)> "quoted" [link](http://x.example) **bold** `code`\n\n# heading & $5'


def hostile_answer(abstained: bool = False) -> Answer:
    paper = Paper(id='"><script>', title=HOSTILE, abstract=HOSTILE, authors=(HOSTILE,), venue=HOSTILE,
                  url='javascript:alert("1")', origins=(Origin(file=HOSTILE, record=1),))
    support = Support(verdict="weak", score=0.5, quote=HOSTILE, start=0, end=len(HOSTILE))
    cited = (Citation(label=1, paper_id=paper.id, support=support),)
    return Answer(
        question=HOSTILE, rewritten_question=HOSTILE, references=(Reference(label=1, paper=paper),), nearest=(paper,),
        sentences=(Sentence(text=HOSTILE, citations=cited), Sentence(text=HOSTILE, kind="quote", citations=cited),
                   Sentence(text=HOSTILE, kind="frame"), Sentence(text=HOSTILE, kind="frame", citations=cited),
                   Sentence(text=HOSTILE, kind="quote", citations=cited, side=HOSTILE, marked=(2, 40))),
        withheld=(Sentence(text=HOSTILE, citations=cited),), model=HOSTILE, engine="llm", notice=HOSTILE,
        abstained=abstained, cached=True, usage=USAGE,
    )


@pytest.mark.parametrize("abstained", [False, True])
def test_hostile_words_stay_words(abstained: bool) -> None:
    answer = hostile_answer(abstained)
    paper = answer.references[0].paper
    report = ClaimReport(claim=HOSTILE, verdict="mixed", for_=answer.sentences, against=answer.sentences,
                         references=answer.references, notice=HOSTILE, engine="llm", model=HOSTILE)
    documents = [answer_html(answer, 0, USAGE + USAGE), question_html(HOSTILE, claim=True),
                 card(paper, (0, 9), HOSTILE), report_html(report, HOSTILE),
                 draft_html(answer.sentences, {paper.id: paper}, "reading", [HOSTILE], HOSTILE, HOSTILE)]
    for document in documents:
        tags = Tags(document)
        assert tags.tags <= TAGS
        assert tags.names <= {"class", "href", "title", "target", "rel", "id"}
        assert 'href="javascript:' not in document
        # On one line, or Markdown would take over after the first blank one.
        assert "\n" not in document
        assert document.startswith("<div")


def test_answer_shows_quotes_exactly_and_marks_what_is_weak() -> None:
    references = tuple(Reference(label=n, paper=paper) for n, paper in enumerate(PAPERS[:2], start=1))
    document = answer_html(Answer(question="?", sentences=SENTENCES, references=references))
    assert f'“<span class="words">{SENTENCES[3].text}</span><span class="tail">”<a class="cite"' in document
    assert document.count('<span class="weak" title=') == 1
    assert f'href="{html.escape(paper_link(PAPERS[0].id, SENTENCES[1].citations[0]))}"' in document
    assert "Dee Holm, 2024 · summary" in document
    assert "From the papers’ and the summaries’ own words" in document


def test_an_answer_of_summaries_alone_claims_no_papers_words() -> None:
    document = answer_html(Answer(question="?", sentences=SENTENCES[3:],
                                  references=(Reference(label=2, paper=PAPERS[1]),)))
    assert "papers’" not in document


def test_sides_stand_beside_one_another() -> None:
    sentences = (Sentence(text="They differ:", kind="frame"), quote(0, 1, FIRST, side="one"),
                 quote(1, 2, SENTENCES[3].text, side="two"))
    document = answer_html(Answer(question="?", kind="comparison", sentences=sentences, references=REFERENCES))
    assert document.count('<div class="sides">') == 1
    assert document.count('<div class="side"><h3>') == 2
    assert "<h3>One</h3>" in document
    assert f'“<span class="words">{FIRST}</span>' in document


def test_a_frame_heads_the_quotes_below_it() -> None:
    frame = Sentence(text="Both say so:", kind="frame")
    document = answer_html(Answer(question="?", sentences=(frame, quote(0, 1, FIRST)), references=REFERENCES))
    assert '<p class="lead">Both say so:</p><div class="quoted">' in document


def test_a_paper_quoted_twice_in_a_row_is_named_once() -> None:
    sentences = (quote(0, 1, FIRST), quote(0, 1, "Larger reward models shrink it."), quote(1, 2, SENTENCES[3].text),
                 quote(0, 1, FIRST))
    document = answer_html(Answer(question="?", sentences=sentences, references=REFERENCES))
    assert document.count('<p class="source">') == 3
    assert document.count('<div class="quoted again"><p>“') == 1


def test_the_words_that_answer_are_marked_inside_the_quote() -> None:
    sentence = quote(0, 1, FIRST, marked=(0, 10))
    document = answer_html(Answer(question="?", kind="fact", sentences=(sentence,), references=REFERENCES))
    assert f'“<span class="words"><mark>optimising</mark>{FIRST[10:]}</span>' in document
    assert marked("at $x_1$ m", (5, 7)) == "at <mark>\\(x_1\\)</mark> m"


def test_how_an_answer_was_made_is_told() -> None:
    own = answer_html(Answer(question="?", kind="library", sentences=SENTENCES[:1]))
    assert "From the library’s own records" in own
    assert "colophon" not in answer_html(Answer(question="?", kind="greeting", sentences=SENTENCES[:1]))
    kept = Answer(question="?", engine="llm", model="m", cached=True, usage=USAGE, sentences=SENTENCES,
                  references=REFERENCES)
    assert "Written by m, kept from an earlier answer, each sentence checked" in answer_html(kept, 3)
    assert '<button class="afresh" id="afresh-3">Ask afresh</button>' in answer_html(kept, 3)
    assert "afresh" not in answer_html(kept)
    assert '<p class="usage">1,200 tokens read, 90 written, $0.0031</p>' in answer_html(kept)
    assert "· this conversation: 2,400 tokens read, 180 written, $0.0062</p>" in answer_html(kept, 3, USAGE + USAGE)


@pytest.mark.parametrize(("report", "told"), [
    (REPORT, "<strong>Mixed: papers on either side</strong> <span class=\"sure\">fairly sure, 72%</span>"),
    (ClaimReport(claim="", verdict="no evidence", confidence=0.95), "very sure, 95%"),
])
def test_a_report_tells_its_verdict(report: ClaimReport, told: str) -> None:
    document = report_html(report, "Only papers of 2024.")
    assert told in document
    assert "Only papers of 2024." in document
    assert ('<div class="sides">' in document) == bool(report.for_)


# ---- the card

def test_card_marks_exactly_the_cited_words() -> None:
    paper = PAPERS[0]
    start = paper.abstract.index(FIRST)
    document = card(paper, (start, start + len(FIRST)))
    assert f"<mark>{FIRST}</mark>" in document
    assert document.count("<mark>") == 1
    assert "2023 (inferred; printed: Mar 2)" in document


def test_cited_words_are_found_again_when_the_text_has_moved() -> None:
    paper = Paper(abstract="New opening. Old words here.")
    assert cited_span(paper, 0, 9, "Old words") == (13, 22)
    assert cited_span(paper, 13, 22, "Old words") == (13, 22)
    assert cited_span(paper, 0, 5, "gone") is None
    assert cited_span(paper, 0, 0, "") is None


def test_only_web_addresses_become_links() -> None:
    assert 'href="https://arxiv.org/abs/1"' in outside(Paper(arxiv_id="1"))
    assert outside(Paper(url="file:///etc/passwd")) == ""
    assert outside(Paper()) == ""


# ---- what stands around the chat

def test_filter() -> None:
    assert chosen(None) is None
    assert chosen([]) is None
    assert chosen([("since", "2020"), ("file", "a.txt")]) == Where(years=(2020, None), files=("a.txt",))
    assert chosen([("author", "Holm"), ("tag", "to read"), ("tag", "b")]) == Where(
        authors=("Holm",), tags=("to read", "b"))


@given(st.lists(st.sampled_from(["since", "until", "author", "tag", "file"]), unique=True))
def test_a_filter_comes_back_from_its_pairs(kinds: list[str]) -> None:
    where = chosen([(kind, "2020" if kind in ("since", "until") else "a & b") for kind in kinds])
    assert chosen(pairs(where)) == where


def test_a_filter_in_words() -> None:
    assert phrase(Where(years=(2023, None), files=("listing.txt",))) == "since 2023, from listing.txt"
    assert phrase(Where(years=(None, 2021), authors=("Holm", "Fern"))) == "until 2021, by Holm or Fern"
    assert phrase(Where(years=(2020, 2021), tags=("a",))) == "from 2020 to 2021, tagged a"
    assert phrase(Where(years=(2020, 2020))) == "of 2020"


def test_only_what_can_be_a_filter_is_read_from_the_address() -> None:
    given = [("c", "x"), ("since", "soon"), ("since", "2020"), ("since", "2021"), ("tag", "a"), ("tag", "a"),
             ("until", "２０２０"), ("tag", "b")]
    assert named(given) == [("since", "2020"), ("tag", "a"), ("tag", "b")]


def test_fields_offer_what_there_is() -> None:
    fields = fields_html({2020, 2022}, 2, [HOSTILE], ["to read"])
    assert Tags(fields).names <= {"class", "name", "value", "type", "role", "aria-label", "placeholder", "maxlength",
                                  "autocomplete", "enterkeyhint"}
    assert "<option>2022</option><option>2020</option>" in fields
    assert "2 papers have no year: Since and Until leave them out." in fields
    assert "Tags" not in fields_html()


def test_a_draft_tells_what_is_done_and_among_which_papers() -> None:
    draft = Draft("?", "Searching…", Where(years=(2023, None)), deep=True)
    assert '<p class="narrowed">Only papers since 2023.</p>' in draft.html()
    for event, doing in ((Stage(name="retrieve", seconds=0), "Putting the question in other words…"),
                         (Stage(name="rewrite", seconds=0), "Ordering the papers…"),
                         (Stage(name="rerank", seconds=0), "Ordering the papers…"),
                         (Evidence(hits=(Hit(paper=PAPERS[0], score=1.0),), narrowed="By Quill.", rewritten="Why?"),
                          "Reading 1 paper…"),
                         (Stage(name="quote", seconds=0, count=7), "Writing from 7 quotes…"),
                         (Withheld(sentence=OUT), "Checking the next sentence…"),
                         (Stage(name="write", seconds=0), "Taking the papers’ own words…")):
        draft.follow(event)
        assert f'<p class="doing">{doing}</p>' in draft.html()
    assert "Only papers since 2023. By Quill." in draft.html()
    assert "Understood as: Why?" in draft.html()
    draft.stopped()
    assert draft.answer is not None
    assert draft.answer.narrowed == "Only papers since 2023. By Quill."
    assert draft.answer.rewritten_question == "Why?"
    assert draft.answer.withheld == (OUT,)
    plain = Draft("?", "Searching…", condensed=True)
    assert "Reading the question in its conversation…" in plain.html()
    plain.follow(Stage(name="condense", seconds=0))
    plain.follow(Stage(name="retrieve", seconds=0))
    assert "Searching…" in plain.html()
    assert "narrowed" not in plain.html()


def test_report_is_one_sentence() -> None:
    rejected = (Rejected(origin=Origin(file="a.txt", record=4), reason="It has no text."),
                Rejected(origin=Origin(file="b.txt", record=0), reason="It is empty."))
    report = IngestReport(read=7, added=1, duplicates=2, rejected=rejected)
    assert report_line(report) == ("1 paper added, 2 recognised as copies, 2 rejected "
                                   "(a.txt#4: It has no text; b.txt: It is empty).")


def test_an_empty_library_offers_the_sample(tmp_path: Path) -> None:
    assert "Use the sample papers" in welcome_html(ScriptedLibrary(tmp_path, empty=True))  # type: ignore[arg-type]


def test_titles_of_conversations_are_escaped(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    chat = Chat(ScriptedLibrary(tmp_path), notebook)  # type: ignore[arg-type]
    list(chat.answer("<b>bold?</b>", [], "", None))
    assert "<b>" not in earlier_html(notebook.conversations(), "")


# ---- the chat itself

def test_chat_keeps_what_it_answered(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    *_, (messages, conversation) = chat.answer("rewards?", [], "", None)
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert chat.shown(conversation) == messages
    *_, (longer, same) = chat.answer("and?", messages, conversation, None)
    assert same == conversation
    assert longer[:2] == messages
    assert "Understood as" in longer[3]["content"]


def test_an_answer_that_cannot_be_kept_is_still_shown(tmp_path: Path) -> None:
    (tmp_path / "notebook.sqlite").write_bytes(b"no database" * 200)
    chat = Chat(ScriptedLibrary(tmp_path), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    *_, (messages, _) = chat.answer("rewards?", [], "", None)
    assert "Ensembles of reward models" in messages[1]["content"]
    assert "could not be kept" in messages[2]["content"]
    assert chat.shown("any") == []
    assert "cannot be used" in chat.earlier("")


def test_stopping_keeps_what_was_said(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path, delay=0.05), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    for messages, conversation in chat.answer("rewards?", [], "", None):
        if "Pushing" in messages[1]["content"]:
            chat.stop(conversation)
    assert "Stopped before the end" in messages[1]["content"]
    assert "Reward: When Optimising" in messages[1]["content"]
    assert "one remedy" not in messages[1]["content"]
    chat.stop("nobody")


def test_a_claim_is_checked_within_the_conversation(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    where = Where(years=(2023, None))
    *_, (messages, conversation) = chat.check("Ensembles end it.", [], "", where)
    assert "Claim to check" in messages[0]["content"]
    assert "Only papers since 2023." in messages[1]["content"]
    assert last_asked(tmp_path) == {"claim": "Ensembles end it.", "years": [2023, None]}
    assert chat.shown(conversation) == messages
    # A follow-up can speak of the papers on either side.
    list(chat.answer("and the second one?", messages, conversation, None))
    assert last_asked(tmp_path)["history"] == ["Ensembles end it."]
    (entry, _) = chat.notebook.entries(conversation)
    assert isinstance(entry.answer, ClaimReport)
    assert entry.where == where
    assert "?c=" in chat.earlier("")


def test_a_check_can_be_stopped(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    states = []
    for messages, conversation in chat.check("slow claim", [], "", None):
        chat.stop(conversation)
        states.append(messages)
    assert "Stopped before the claim was checked." in states[-1][1]["content"]
    assert chat.shown(conversation) == []


def test_whatever_a_conversation_cost_counts_under_its_limit(tmp_path: Path) -> None:
    """What was asked since the question that is asked afresh, and a claim that was checked."""
    notebook, cost = Notebook(tmp_path / "notebook.sqlite"), Usage(input_tokens=1, output_tokens=1, cost=0.5)
    chat = Chat(ScriptedLibrary(tmp_path), notebook)  # type: ignore[arg-type]
    notebook.append("c", Entry(asked="first?", answer=Answer(question="first?", usage=cost)))
    notebook.append("c", Entry(asked="Claimed.", answer=ClaimReport(claim="Claimed.", verdict="mixed", usage=cost)))
    list(chat.answer("more?", [], "c", None))
    assert last_asked(tmp_path)["spent"] == 0.0
    list(chat.afresh(0, [], "c"))
    assert last_asked(tmp_path)["spent"] == pytest.approx(1.0 + (USAGE.cost or 0.0))
    assert spent(tuple(map(_turn, notebook.entries("c")))) == pytest.approx(1.0 + 2 * (USAGE.cost or 0.0))


def test_asking_afresh_asks_as_it_stood_then(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    *_, (messages, conversation) = chat.answer("first?", [], "", None)
    *_, (messages, _) = chat.answer("is it kept?", messages, conversation, Where(years=(2020, None)))
    *_, (messages, _) = chat.check("Claimed.", messages, conversation, None)
    assert 'id="afresh-1"' in messages[3]["content"]
    *_, (messages, _) = chat.afresh(1, messages, conversation)
    assert last_asked(tmp_path) == {"question": "is it kept?", "history": ["first?"], "years": [2020, None],
                                    "fresh": True, "spent": 0.0031}
    assert len(messages) == 8
    assert "afresh" not in messages[7]["content"]
    assert "this conversation: 3,600 tokens" in messages[7]["content"]
    assert chat.shown(conversation) == messages
    assert list(chat.afresh(2, messages, conversation)) == list(chat.afresh(9, messages, conversation)) == []


@pytest.mark.slow
def test_a_conversation_deleted_while_it_is_answered_stays_away(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path, delay=0.05), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    *_, (messages, conversation) = chat.answer("rewards?", [], "", None)
    for longer, _ in chat.answer("and slowly?", messages, conversation, None):
        if "Pushing" in longer[-1]["content"]:
            chat.delete(conversation)
    assert chat.notebook.conversations() == ()
    # Whoever asks on in a page that still shows it begins it anew.
    list(chat.answer("again?", longer, conversation, None))
    assert [talk.turns for talk in chat.notebook.conversations()] == [1]


def test_an_answer_goes_on_when_the_page_has_gone(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notebook.sqlite")
    chat = Chat(ScriptedLibrary(tmp_path, delay=0.05), notebook)  # type: ignore[arg-type]
    page = chat.answer("rewards?", [], "", None)
    _, conversation = next(page)
    page.close()  # type: ignore[attr-defined]
    # The page as it is opened again follows the same answer to its end.
    *drafts, (last, under_way) = chat.watch(conversation)
    assert drafts
    assert all(going_on for _, going_on in drafts)
    assert not under_way
    assert [message["role"] for message in last] == ["user", "assistant"]
    (entry,) = notebook.entries(conversation)
    assert entry.answer.sentences == SENTENCES  # type: ignore[union-attr]
    assert list(chat.watch(conversation)) == [(chat.shown(conversation), False)] == [(last, False)]
    assert list(chat.watch("none such")) == [([], False)]


def test_an_abstention_grows_like_any_answer(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path, delay=0.02), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    *drafts, (messages, _) = chat.answer("nothing?", [], "", None)
    assert not any("Reading 0" in draft[1]["content"] for draft, _ in drafts)
    assert '<p class="abstained">The library does not cover this.</p>' in messages[1]["content"]
    assert '<ul class="nearest">' in messages[1]["content"]


def test_live_gives_up_when_nobody_watches() -> None:
    live = Live[int](alone=0.2)

    def states() -> Iterator[int]:
        number = 0
        while not live.given_up():
            yield (number := number + 1)
            time.sleep(0.02)

    live.start(states())
    started = time.monotonic()
    page = live.watch()
    while time.monotonic() - started < 0.3:
        seen = next(page)  # watched, it goes on for longer than it would alone
    time.sleep(0.3)
    assert live.given_up()
    *_, last = live.watch()
    assert seen < last < seen + 20


def test_a_library_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                             shelf: Library) -> None:
    from ui.web.app import warm

    foreign = Settings(library=shelf.path, embeddings="openai:other", openai_base_url="http://127.0.0.1:9/v1")
    damaged = Settings(library=tmp_path)
    (tmp_path / "catalogue.sqlite").write_bytes(b"no database" * 1000)
    for settings, sentence in ((foreign, "was made with the embedder"), (damaged, "is damaged")):
        with open_library(settings=settings) as library:
            warm(library)
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith("vouch: ")
            assert sentence in line
            chat = Chat(library, Notebook(tmp_path / "notebook.sqlite"))
            *_, (messages, _) = chat.answer("rewards?", [], "", None)
            assert sentence in messages[-1]["content"]
            assert 'class="failure"' in messages[-1]["content"]
    assert "is damaged" in chat.paper("p/0/9", "words")


# ---- adding papers

def record(number: int, abstract: str) -> str:
    return json.dumps({"title": f"Heron Study {number}", "year": 2020 + number, "abstract": abstract}) + "\n"


def sent(folder: Path, name: str, text: str) -> str:
    """A file as the server puts it: in a folder of its own for each content."""
    copy = folder / str(abs(hash(text))) / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text, encoding="utf-8")
    return str(copy)


FIRST_TEXT = "We count herons on nine ponds. A drone sees more of them than a walker does."
OTHER_TEXT = "Heron chicks are weighed every morning. The heaviest leave the nest two days before the others do."


def test_an_upload_is_kept_and_its_next_version_updates_it(tmp_path: Path, library: Library) -> None:
    chat = Chat(library, Notebook(tmp_path / "notebook.sqlite"))
    first = sent(tmp_path, "my herons.jsonl", record(1, FIRST_TEXT) + record(2, OTHER_TEXT))
    *_, line = chat.add([first])
    assert line == "2 papers added."
    assert not Path(first).exists()
    (source,) = library.files()
    assert (source.file, source.uri) == ("my herons.jsonl", str(library.path.resolve() / "uploads" / "my herons.jsonl"))
    assert ingest([source.uri], library).unchanged == 2

    revised = f"{FIRST_TEXT} On windy days both see none."
    *_, line = chat.add([sent(tmp_path, "my herons.jsonl", record(1, revised) + record(2, OTHER_TEXT))])
    assert line == "0 papers added, 1 updated, 1 known already."
    assert {paper.abstract for paper in library.papers} == {revised, OTHER_TEXT}
    assert len(library.files()) == 1


def test_an_upload_that_cannot_be_read_is_not_kept(tmp_path: Path, library: Library) -> None:
    chat = Chat(library, Notebook(tmp_path / "notebook.sqlite"))
    *_, line = chat.add([sent(tmp_path, "empty.txt", ""), sent(tmp_path, "one.jsonl", record(1, FIRST_TEXT))])
    assert line.startswith("1 paper added, 1 rejected (empty.txt: ")
    assert [path.name for path in (library.path / "uploads").iterdir()] == ["one.jsonl"]


def test_an_upload_is_read_to_its_end_when_the_page_has_gone(tmp_path: Path, library: Library) -> None:
    chat = Chat(library, Notebook(tmp_path / "notebook.sqlite"))
    copies = [sent(tmp_path, f"{number}.jsonl", record(number, text))
              for number, text in enumerate((FIRST_TEXT, OTHER_TEXT))]
    lines = chat.add(copies)
    next(lines)
    lines.close()  # type: ignore[attr-defined]
    end = time.monotonic() + 20
    while any(Path(copy).exists() for copy in copies):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert [source.file for source in library.files()] == ["0.jsonl", "1.jsonl"]
    assert len(library.papers) == 2


def test_an_upload_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("a file is in the way", encoding="utf-8")
    chat = Chat(ScriptedLibrary(tmp_path), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    copy = sent(tmp_path / "sent", "a.txt", "text")
    (line,) = chat.add([copy])
    assert line.startswith("a.txt cannot be kept in ")
    assert not Path(copy).exists()


@given(st.text(max_size=40))
def test_an_upload_stays_in_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert Path("folder", safe).parts == ("folder", safe)
    assert not safe.startswith(".")
    assert "\\" not in safe


def test_a_paper_that_is_gone_still_shows_the_cited_words(tmp_path: Path) -> None:
    chat = Chat(ScriptedLibrary(tmp_path), Notebook(tmp_path / "notebook.sqlite"))  # type: ignore[arg-type]
    assert "<mark>old words</mark>" in chat.paper("gone/0/9", "old words")
    assert "text has changed" in chat.paper("p2/0/9", "words it never said")


# ---- work in a thread

def test_pump_gives_up_at_once_and_the_work_unwinds() -> None:
    stop, unwound = threading.Event(), threading.Event()

    def work(tell: Callable[[int], None]) -> None:
        try:
            for number in range(1000):
                tell(number)
                time.sleep(0.05)
        finally:
            unwound.set()

    for number in pumped(work, stop.is_set):
        if number == 2:
            stop.set()
    assert unwound.wait(2)


def test_what_was_told_before_giving_up_is_still_read() -> None:
    stop, told = threading.Event(), threading.Event()

    def work(tell: Callable[[int], None]) -> None:
        for number in range(5):
            tell(number)
        told.set()

    items = pumped(work, stop.is_set)
    assert next(items) == 0
    assert told.wait(2)
    stop.set()
    assert list(items) == [1, 2, 3, 4]


def test_work_goes_on_when_its_reader_leaves() -> None:
    left, ended = threading.Event(), threading.Event()

    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        assert left.wait(2)
        tell(2)
        ended.set()

    items = pumped(work)
    next(items)
    items.close()  # type: ignore[attr-defined]
    left.set()
    assert ended.wait(2)


def test_pump_raises_what_the_work_raised() -> None:
    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        raise SettingsError("no")

    items = pumped(work)
    assert next(items) == 1
    with pytest.raises(SettingsError):
        next(items)


# ---- the server

@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server, where the system has one at another address of this machine than the usual."""
    try:
        socket.create_server(("127.0.0.2", 0)).close()
        host = "127.0.0.2"
    except OSError:
        host = "127.0.0.1"
    folder = tmp_path_factory.mktemp("served") / "library"
    folder.mkdir()
    with served("scripted", folder, host=host) as address:
        yield address


def fetch(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read().decode()
    finally:
        connection.close()


def test_health(address: str) -> None:
    status, _, body = fetch(address, "/health")
    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_page_may_load_nothing_from_elsewhere(address: str) -> None:
    status, headers, _ = fetch(address, "/")
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.3"])
def test_other_host_names_are_refused(address: str, host: str) -> None:
    assert fetch(address, "/health", Host=host)[0] == 400
    assert fetch(address, "/", Host=host)[0] == 400


def test_loopback_host_names_are_served(address: str) -> None:
    port = urlsplit(address).port
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert fetch(address, "/health", Host=f"{host}:{port}")[0] == 200


def test_other_sites_pages_are_refused(address: str) -> None:
    assert fetch(address, "/gradio_api/queue/join", "POST", Origin="https://evil.example")[0] == 403
    assert fetch(address, "/health", Origin="null")[0] == 403
    assert fetch(address, "/health", Origin=address)[0] == 200


def test_no_handler_is_a_public_door(address: str) -> None:
    _, _, body = fetch(address, "/gradio_api/info")
    info = json.loads(body)
    assert info["named_endpoints"] == {}
    assert info["unnamed_endpoints"] == {}
    assert fetch(address, "/gradio_api/mcp/schema")[0] == 404


def test_the_host_it_is_served_on_is_answered(address: str) -> None:
    if urlsplit(address).hostname != "127.0.0.2":
        pytest.skip("this system has no 127.0.0.2")
    assert fetch(address, "/health")[0] == 200
    assert fetch(address, "/", Origin=address)[0] == 200


def test_only_this_machine_is_served(tmp_path: Path) -> None:
    from ui.web.app import serve

    with pytest.raises(SettingsError, match="this machine only"):
        serve(ScriptedLibrary(tmp_path), host="0.0.0.0")  # type: ignore[arg-type]
