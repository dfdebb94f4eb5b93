"""Papers to prompt to model to sentences, through LangChain and the real client."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chain import NO_ANSWER, PaperRetriever, Writer, build, condense, declines, guidance, room, shown
from rag.drafted import Drafted
from rag.errors import ModelError, SettingsError
from rag.kinds import Asks
from rag.llm import Model, open_model
from rag.models.cost import Account
from rag.models.packing import Packed, documents, pack
from rag.models.quoting import Quotes
from rag.models.remembered import Remembered
from rag.schema import Answer, AnswerKind, Chunk, Hit, Paper, Turn, Usage
from rag.settings import Settings
from rag.text import estimate_tokens, sentences
from tests.stubs import Reply, StubModel, grounded

QUESTION = "Which papers make models smaller?"
ABSTRACT = ("Pruning removes weights. It halves the memory of a model. Accuracy stays within 0.5 points. "
            "Code is released.")


def hit(number: int, abstract: str = ABSTRACT, *, cuts: tuple[tuple[int, int], ...] = (), title: str = "") -> Hit:
    paper = Paper(id=f"p{number}", title=title or f"Title {number}", abstract=abstract, year=2020 + number)
    passages = tuple(Chunk(id=f"{number}.{at}", paper_id=paper.id, index=at, text=abstract[start:end], start=start,
                           end=end, tokens=1) for at, (start, end) in enumerate(cuts))
    return Hit(paper=paper, score=1 / number, passages=passages)


def settings(stub: StubModel) -> Settings:
    return Settings(model="stub", openai_base_url=stub.url, timeout=5.0)


def model(stub: StubModel) -> Model:
    return open_model("stub", settings(stub))


def turn(question: str, text: str) -> Turn:
    return Turn(question=question, answer=Answer(question=question, text=text))


# ---- the retriever


def test_the_retriever_gives_a_document_a_passage() -> None:
    asked: list[str] = []

    def retrieve(question: str) -> tuple[Hit, ...]:
        asked.append(question)
        return (hit(1, cuts=((25, 57), (0, 24))), hit(2))

    found = PaperRetriever(retrieve=retrieve).invoke(QUESTION)
    assert asked == [QUESTION]
    assert [document.page_content for document in found] == [ABSTRACT[25:57], ABSTRACT[:24], ABSTRACT]
    assert found[0].metadata == {"paper_id": "p1", "title": "Title 1", "year": 2021, "url": None, "score": 1.0,
                                 "text_kind": "abstract", "rank": 1, "start": 25, "end": 57}


# ---- packing


def test_papers_are_labelled_by_rank() -> None:
    packed = pack(documents([hit(3), hit(1), hit(2)]), 1000, estimate_tokens)
    assert packed.labels == {"E1": "p3", "E2": "p1", "E3": "p2"}
    assert packed.text.startswith(f"[E1] Title 3 (2023)\n{ABSTRACT}\n\n[E2] Title 1 (2021)\n")


def test_a_papers_passages_stand_in_its_own_order_and_once() -> None:
    overlapping = hit(1, cuts=((25, 91), (0, 57)))
    apart = hit(2, cuts=((58, 91), (0, 24)))
    packed = pack(documents([overlapping, apart]), 1000, estimate_tokens)
    assert ABSTRACT[:91] in packed.text
    assert f"{ABSTRACT[:24]} … {ABSTRACT[58:91]}" in packed.text


def test_every_papers_best_passage_comes_before_anyones_second() -> None:
    hits = [hit(number, cuts=((25, 57), (0, 24))) for number in (1, 2, 3)]
    one_each = sum(estimate_tokens(f"[E1] Title 1 (2021)\n{ABSTRACT[25:57]}") + 2 for _ in hits)
    packed = pack(documents(hits), one_each, estimate_tokens)
    assert len(packed.labels) == 3
    assert packed.text.count(ABSTRACT[25:57]) == 3
    assert packed.text.count(ABSTRACT[:24]) == 0


def test_the_best_passage_is_in_whatever_the_budget() -> None:
    packed = pack(documents([hit(1), hit(2)]), 0, estimate_tokens)
    assert packed.labels == {"E1": "p1"}
    assert ABSTRACT in packed.text


def test_no_papers_no_evidence() -> None:
    assert pack([], 100, estimate_tokens) == Packed(text="", labels={})


@given(st.lists(st.integers(1, 8), min_size=1, max_size=6), st.integers(0, 700))
def test_packing_keeps_the_budget_the_ranks_and_whole_sentences(sizes: list[int], budget: int) -> None:
    texts = [" ".join(f"Paper {number} says thing {n}." for n in range(size)) for number, size in enumerate(sizes, 1)]
    packed = pack(documents([hit(number, text) for number, text in enumerate(texts, 1)]), budget, estimate_tokens)
    assert list(packed.labels.values()) == [f"p{number}" for number in range(1, len(packed.labels) + 1)]
    blocks = [block.split("\n", 1)[1] for block in packed.text.split("\n\n")]
    for block, text in zip(blocks, texts, strict=False):
        ends = [text[:end] for _, end in sentences(text)]
        assert block in ends
    assert blocks[0] == texts[0]
    assert len(blocks) == 1 or sum(estimate_tokens(block) for block in blocks) <= budget


# ---- the chain


def test_the_chain_gives_evidence_then_sentences_then_usage() -> None:
    with StubModel(Reply(text="Pruning halves memory [E1]. It may hurt [E2][E9].", usage=(300, 12))) as stub:
        retriever = PaperRetriever(retrieve=lambda _: (hit(1), hit(2)))
        packed, *said = build(model(stub), retriever).stream(QUESTION)
    assert isinstance(packed, Packed)
    assert packed.labels == {"E1": "p1", "E2": "p2"}
    assert said == [Drafted(text="Pruning halves memory.", labels=("E1",)),
                    Drafted(text="It may hurt.", labels=("E2", "E9")),
                    Usage(input_tokens=300, output_tokens=12, cost=0.0)]
    system, human = stub.requests[0].json["messages"]
    assert (system["role"], human["role"]) == ("system", "user")
    assert NO_ANSWER in system["content"]
    assert packed.text in human["content"]
    assert human["content"].endswith(f"Question: {QUESTION}")


def test_braces_and_dollars_in_papers_and_questions_are_text() -> None:
    odd = "We set {x} to $y and {{z}}."
    with StubModel(Reply(text="Fine [E1].")) as stub:
        list(Writer(settings(stub)).draft("What is {question} or $evidence?", {"E1": hit(1, odd, title="{title} $5")}))
    assert odd in stub.requests[0].prompt
    assert "[E1] {title} $5 (2021)" in stub.requests[0].prompt
    assert "What is {question} or $evidence?" in stub.requests[0].prompt


def test_the_writers_sentences_carry_the_callers_labels_only() -> None:
    said = "Pruning works [E1]. So does noise [2]. Both do [E1, E2, E7]. Nobody knows [E3]."
    with StubModel(Reply(text=said, usage=None)) as stub:
        writer = Writer(settings(stub))
        drafted = list(writer.draft(QUESTION, {"A": hit(1), "B": hit(2)}))
    assert writer.name == "stub"
    assert [item.labels for item in drafted if isinstance(item, Drafted)] == [("A",), ("B",), ("A", "B"), ()]


def test_a_sentence_is_given_while_the_model_still_writes() -> None:
    with StubModel(Reply(chunks=("One works [E1]. ", "Two", *(" words",) * 300), gap=0.02)) as stub:
        drafting = Writer(settings(stub)).draft(QUESTION, {"E1": hit(1), "E2": hit(2)})
        assert next(drafting) == Drafted(text="One works.", labels=("E1",))
        drafting.close()  # type: ignore[attr-defined]
        assert stub.client_left.wait(3), "leaving the draft ends the request"


QUOTING = 'QUOTES\nQ1 [E1] "Pruning removes weights."\nQ2 [E2] "Noise hurt it all."\nQ3 [E1] "It flies."\nANSWER\n'


def pair() -> dict[str, Hit]:
    return {"A": hit(1), "B": hit(2, "In short, noise hurt it all.")}


def test_sentences_that_cite_quotes_carry_their_papers_labels() -> None:
    said = "Pruning works [Q1]. So does noise [Q2][Q3]. Both do [Q1, Q2, E2]. Nobody knows [Q3]."
    with StubModel(Reply(text=QUOTING + said, usage=(9, 9))) as stub:
        quotes, *rest = Writer(settings(stub)).draft(QUESTION, pair())
    assert isinstance(quotes, Quotes)
    assert [(quote.name, quote.label, quote.text, quote.start) for quote in quotes.kept] == [
        ("Q1", "A", "Pruning removes weights.", 0), ("Q2", "B", "noise hurt it all.", 10)]
    assert [item.labels for item in rest if isinstance(item, Drafted)] == [("A",), ("B",), ("A", "B"), ()]
    assert isinstance(rest[-1], Usage)


def test_quotes_are_told_of_before_the_first_sentence_has_ended() -> None:
    with StubModel(Reply(chunks=(QUOTING, "Pruning", *(" words",) * 300), gap=0.02)) as stub:
        drafting = Writer(settings(stub)).draft(QUESTION, pair())
        assert isinstance(next(drafting), Quotes)
        drafting.close()  # type: ignore[attr-defined]
        assert stub.client_left.wait(3)


def test_quotes_alone_are_the_answer() -> None:
    with StubModel(Reply(text=QUOTING)) as stub:
        _, *rest = Writer(settings(stub)).draft(QUESTION, pair())
    assert rest[:-1] == [Drafted(text="Pruning removes weights.", labels=("A",)),
                         Drafted(text="noise hurt it all.", labels=("B",))]


def test_without_quotes_nothing_is_told_of_them() -> None:
    with StubModel(Reply(text="Here are the quotes:\n\nPruning works [E1].")) as stub:
        assert [type(item) for item in Writer(settings(stub)).draft(QUESTION, pair())] == [Drafted, Usage]


@pytest.mark.parametrize("kind", ["papers", "fact", "comparison", "overview", "yes-no", "greeting"])
def test_each_kind_of_answer_is_asked_for_in_its_own_words(kind: AnswerKind) -> None:
    asks = Asks(kind=kind, sides=("pruning", "noise") if kind == "comparison" else ())
    told = guidance(asks)
    assert told != guidance(Asks(kind="fact" if kind == "papers" else "papers"))
    assert ("pruning and noise" in told) == (kind == "comparison")
    prompt = shown(Settings(), QUESTION, pair(), asks)
    assert told in prompt
    assert "[E2] Title 2 (2022)\nIn short, noise hurt it all.\n\nEnd of the evidence" in prompt
    assert "$" not in prompt


def test_what_is_shown_is_what_is_sent() -> None:
    with StubModel(Reply(text="Fine [E1].")) as stub:
        list(Writer(settings(stub)).draft(QUESTION, pair(), Asks(kind="fact"), brief=True))
        text = shown(settings(stub), QUESTION, pair(), Asks(kind="fact"), brief=True)
    assert text == "\n\n".join(f"{role}:\n{message['content']}" for role, message in zip(
        ("system", "human"), stub.requests[0].json["messages"], strict=True))
    assert "at most three sentences" in text


def test_a_brief_answer_has_three_sentences() -> None:
    said = " ".join(f"Pruning works well {n} times [E1]." for n in range(2, 9))
    for text in (said, QUOTING * 3):
        with StubModel(Reply(text=text)) as stub:
            found = list(Writer(settings(stub)).draft(QUESTION, pair(), brief=True))
        assert sum(isinstance(item, Drafted) for item in found) <= 3


def test_a_comparisons_sentences_are_of_the_side_they_open_with() -> None:
    said = "Pruning: it halves memory [E1]. Noise: it hurts [E2]. Memory: it is dear [E1]. Both differ [E1][E2]."
    with StubModel(Reply(text=said, usage=None)) as stub:
        asks = Asks(kind="comparison", sides=("pruning", "noise"))
        drafted = [item for item in Writer(settings(stub)).draft(QUESTION, pair(), asks) if isinstance(item, Drafted)]
    assert [(item.side, item.text) for item in drafted] == [
        ("pruning", "It halves memory."), ("noise", "It hurts."), (None, "Memory: it is dear."), (None, "Both differ.")]


def test_a_failure_leaves_the_complete_sentences_and_nothing_half() -> None:
    with StubModel(Reply(chunks=("One works [E1]. ", "Two fails", " [E"), cut_after=3)) as stub:
        drafting = Writer(settings(stub)).draft(QUESTION, {"E1": hit(1)})
        came: list[Drafted | Quotes | Usage] = []
        with pytest.raises(ModelError, match="broke off"):
            came.extend(drafting)
    assert came == [Drafted(text="One works.", labels=("E1",))]


def test_a_model_that_finds_no_answer_says_so_in_known_words() -> None:
    with StubModel(Reply(text=f"**{NO_ANSWER}** [E1]", usage=None)) as stub:
        (drafted,) = Writer(settings(stub)).draft(QUESTION, {"E1": hit(1)})
    assert isinstance(drafted, Drafted)
    assert declines(drafted)
    assert not declines(Drafted(text="The library does answer this."))


def test_the_stub_by_hand_answers_from_this_prompt() -> None:
    with StubModel(always=grounded) as stub:
        quotes, *said = Writer(settings(stub)).draft(QUESTION, {"E1": hit(1), "E2": hit(2, "Noise hurts it all.")})
    assert isinstance(quotes, Quotes)
    assert [(quote.label, quote.text) for quote in quotes.kept] == [
        ("E1", "Pruning removes weights."), ("E2", "Noise hurts it all.")]
    assert said[0] == Drafted(text="Pruning removes weights.", labels=("E1",))


def test_a_question_that_fills_the_window_is_refused_before_anything_is_sent() -> None:
    with StubModel() as stub:
        assert room(model(stub), QUESTION) > 5000
        with pytest.raises(ModelError, match="no room for evidence in the 8192 tokens of stub"):
            list(Writer(settings(stub)).draft("why " * 20_000, {"E1": hit(1)}))


def test_the_prompt_keeps_to_the_window() -> None:
    with StubModel(Reply(text="Fine [E1].")) as stub:
        small = Settings(model="stub", openai_base_url=stub.url, context=2048)
        list(Writer(small).draft(QUESTION, {f"E{n}": hit(n, ABSTRACT * 5) for n in range(1, 30)}))
    assert estimate_tokens(stub.requests[0].prompt) < 2048 - 500


@pytest.mark.slow
def test_a_tracing_service_in_the_environment_gets_nothing() -> None:
    program = ("from rag.chain import Writer\n"
               "from rag.schema import Hit, Paper\n"
               "from rag.settings import load\n"
               "found = {'E1': Hit(paper=Paper(id='p', title='T', abstract='Pruning works.'), score=1.0)}\n"
               "print(len(list(Writer(load()).draft('What works?', found))))\n"
               "from langchain_core.tracers.langchain import wait_for_all_tracers\n"
               "wait_for_all_tracers()\n")
    with StubModel(Reply(text="Pruning works [E1].")) as stub, StubModel() as tracing:
        environ = {**os.environ, "LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "x",
                   "LANGSMITH_ENDPOINT": tracing.url, "VOUCH_MODEL": "stub", "OPENAI_BASE_URL": stub.url,
                   "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])}
        done = subprocess.run([sys.executable, "-c", program], env=environ, check=True, timeout=60, capture_output=True)
        assert done.stdout.split() == [b"2"]
        assert len(stub.requests) == 1
        assert not tracing.requests
        assert not tracing.client_left.is_set()


def test_no_model_no_writer() -> None:
    with pytest.raises(SettingsError, match="VOUCH_MODEL"):
        Writer(Settings())


# ---- follow-ups


HISTORY = (turn("Which papers prune?", "Sparse Nets removes weights [1]. Thin Nets removes layers [2]."),)


def test_a_follow_up_is_rewritten() -> None:
    rewritten = "Which removes weights faster, Sparse Nets or Thin Nets?"
    with StubModel(Reply(text=f'Rewritten question: "{rewritten}"\n')) as stub:
        assert condense(model(stub), "Which of them is faster?", HISTORY) == rewritten
    assert "User: Which papers prune?" in stub.requests[0].prompt
    assert "Thin Nets removes layers" in stub.requests[0].prompt


def test_without_a_conversation_the_model_is_not_asked() -> None:
    with StubModel() as stub:
        assert condense(model(stub), QUESTION, ()) == QUESTION


@pytest.mark.parametrize("said", [
    "I am sorry, but I cannot help you with this request.",
    "Sure! Here you go: as an assistant I would recommend reading several textbooks about gardening first.",
    "Which of them is faster?",
    "which of them is faster",
    "[E1]",
    "<think>Sparse Nets, Thin Nets?",
    "Which papers prune weights and layers? " * 30,
])
def test_what_can_be_no_rewriting_leaves_the_question(said: str) -> None:
    with StubModel(Reply(text=said)) as stub:
        assert condense(model(stub), "Which of them is faster?", HISTORY) == "Which of them is faster?"


def test_no_nonsense_is_remembered(tmp_path: Path) -> None:
    rewritten = "Which removes weights faster, Sparse Nets or Thin Nets?"
    with StubModel(Reply(text="[E1]"), Reply(text=rewritten)) as stub:
        asked = replace(model(stub), remembered=Remembered(tmp_path / "replies.sqlite"))
        found = [condense(asked, "Which of them is faster?", HISTORY) for _ in range(3)]
    assert found == ["Which of them is faster?", rewritten, rewritten]


def test_a_long_question_is_not_rewritten() -> None:
    with StubModel() as stub:
        long = "Which of them is faster? " * 200
        assert condense(model(stub), long, HISTORY) == long


@pytest.mark.parametrize(("context", "shown"), [(8192, 4), (700, 1), (200, 0)])
def test_the_conversation_is_cut_to_the_window(context: int, shown: int) -> None:
    history = tuple(turn(f"Question {n}? " + "why " * 5_000, f"Answer {n}. " + "so " * 5_000) for n in range(6))
    with StubModel(*[Reply(text="Question 5?")] * bool(shown)) as stub:
        small = open_model("stub", replace(settings(stub), context=context))
        condense(small, "And then?", history)
        assert len(stub.requests) == bool(shown)
        for request in stub.requests:
            assert [f"Question {n}?" in request.prompt for n in range(6)] == [n >= 6 - shown for n in range(6)]
            assert estimate_tokens(request.prompt) <= context - context // 4 or context == 8192


def test_what_was_left_is_on_the_account() -> None:
    with StubModel(Reply(chunks=("One works [E1]. ", "Two works [E1]. ") * 50, gap=0.01)) as stub:
        account = Account(left=1.0)
        drafting = Writer(replace(settings(stub), price=(2.0, 4.0))).on(account).draft(QUESTION, {"E1": hit(1)})
        next(drafting)
        drafting.close()  # type: ignore[attr-defined]
        assert account.usage is not None
        assert (account.held, account.usage.cost) == (0.0, pytest.approx(1.0 - (account.left or 0.0)))


def test_a_failure_while_rewriting_is_told() -> None:
    with StubModel(Reply(text="Which", finish_reason="length", usage=(50, 60))) as stub:
        writer = Writer(settings(stub)).on(Account())
        with pytest.raises(ModelError, match="length limit"):
            writer.condense("And the second?", HISTORY)
    assert writer.account.usage == Usage(input_tokens=50, output_tokens=60, cost=0.0)
    with StubModel(Reply(status=401)) as stub, pytest.raises(ModelError, match="refused the key"):
        Writer(settings(stub)).condense("And the second?", HISTORY)


def test_a_long_conversation_is_cut_to_its_end() -> None:
    long = tuple(turn(f"Question {n}?", "A sentence of an answer. " * 200) for n in range(30))
    with StubModel(Reply(text="Question 29?")) as stub:
        condense(model(stub), "And then?", long)
    prompt = stub.requests[0].prompt
    assert "Question 29?" in prompt
    assert "Question 20?" not in prompt
    assert estimate_tokens(prompt) < 1500

