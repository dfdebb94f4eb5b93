"""How an answer looks at a terminal, wide and narrow, and in a pipe."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Iterator

import pytest

from rag.schema import (
    Answer,
    Citation,
    ClaimReport,
    Event,
    Evidence,
    Finished,
    Hit,
    Paper,
    Reference,
    Said,
    Sentence,
    Stage,
    Support,
    Usage,
)
from ui.check import tell_report
from ui.talk import tell_answer
from ui.terminal import Terminal

PAPERS = [Paper(id=f"p{number}", title=title, year=2020 + number, abstract="")
          for number, title in enumerate(("Many Scorers", "One Mean Scorer", "Half a Scorer"), start=1)]


def quote(text: str, label: int, side: str | None = None, marked: str = "") -> Sentence:
    at = text.index(marked)
    return Sentence(text=text, kind="quote", side=side, marked=(at, at + len(marked)) if marked else None, citations=(
        Citation(label=label, paper_id=f"p{label}", support=Support(verdict="supported", score=1, quote=text)),))


SENTENCES = (Sentence(text="Papers compare these.", kind="frame"),
             quote("Ensembles lower the gold error by 17% over five seeds.", 1, "ensembles", "17%"),
             quote("A mean of weights costs no more than one scorer.", 2, "mean weights"),
             Sentence(text="One paper does neither.", kind="frame"), quote("Half of the scorer is dropped.", 3))
REFERENCES = tuple(Reference(label=number, paper=paper) for number, paper in enumerate(PAPERS, start=1))
ANSWER = Answer(question="?", sentences=SENTENCES, references=REFERENCES, engine="llm", model="stub", cached=True,
                usage=Usage(input_tokens=1234, output_tokens=56, cost=0.0021))


def events() -> Iterator[Event]:
    yield Stage(name="retrieve", seconds=0)
    yield Evidence(hits=tuple(Hit(paper=paper, score=1) for paper in PAPERS), rewritten="Many scorers or one?")
    yield from (Said(sentence=sentence) for sentence in SENTENCES)
    yield Finished(answer=ANSWER)


class Screen:
    """A terminal of some width in place of standard output, and what stands on it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._person, end = pty.openpty()
        self.stream = os.fdopen(end, "w", encoding="utf-8")

    @property
    def terminal(self) -> Terminal:
        """What a command prints to."""
        self._monkeypatch.setattr(sys, "stdout", self.stream)
        return Terminal()

    def read(self) -> str:
        """All that was written, as it was sent."""
        self.stream.flush()
        os.set_blocking(self._person, False)
        parts = []
        try:
            while part := os.read(self._person, 65536):
                parts.append(part)
        except BlockingIOError:
            pass
        return b"".join(parts).decode().replace("\r\n", "\n")

    def close(self) -> None:
        self.stream.close()
        os.close(self._person)


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)


@pytest.fixture(params=["80", "140"])
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Screen]]:
    """A terminal that is narrow, then one that is wide."""
    opened = Screen(monkeypatch)
    monkeypatch.setenv("COLUMNS", request.param)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    yield int(request.param), opened
    opened.close()


def test_sides_stand_beside_each_other_where_there_is_room(screen: tuple[int, Screen]) -> None:
    width, opened = screen
    tell_answer(events(), opened.terminal, withheld=False)
    shown = plain(opened.read())
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    beside = any("Ensembles" in line and "Mean weights" in line for line in lines)
    assert beside == (width == 140)
    order = ["Understood as: Many scorers or one?", "Papers compare these.", "Ensembles", "Mean weights",
             "One paper does neither.", "Half of the scorer is dropped.", "References", "[3] Half a Scorer.",
             "Kept from an earlier answer", "1,234 tokens read, 56 written, $0.0021."]
    places = [shown.index(part) for part in order]
    assert places == sorted(places)


def test_the_phrase_that_answers_is_set_off(screen: tuple[int, Screen], monkeypatch: pytest.MonkeyPatch) -> None:
    _, opened = screen
    tell_answer(events(), opened.terminal, withheld=False)
    assert "\x1b[1;4m17%\x1b[0m" in opened.read()
    monkeypatch.setenv("NO_COLOR", "1")
    tell_answer(events(), opened.terminal, withheld=False)
    shown = opened.read()
    assert "\x1b[1;4m17%\x1b[0m" in shown
    assert "\x1b[36m" not in shown


def test_in_a_pipe_there_are_words_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    tell_answer(events(), Terminal(), withheld=False)
    out, err = capsys.readouterr()
    assert "\x1b" not in out
    assert "\nEnsembles\n- Many Scorers (2021): “Ensembles lower the gold error by 17% over five seeds.” [1]\n" in out
    assert err == ""


def test_a_claim_shows_both_sides(screen: tuple[int, Screen]) -> None:
    width, opened = screen
    report = ClaimReport(claim="?", verdict="mixed", confidence=0.83, for_=(SENTENCES[1],), against=(SENTENCES[2],),
                         references=REFERENCES[:2], notice="By the papers' words alone.")
    tell_report(report, opened.terminal)
    lines = plain(opened.read()).splitlines()
    assert lines[0].startswith("Mixed")
    assert "83%" in lines[0]
    assert any("For" in line and "Against" in line for line in lines) == (width == 140)
    assert lines[-1] == "By the papers' words alone."


def test_nothing_is_left_of_a_wait_that_fails(screen: tuple[int, Screen], monkeypatch: pytest.MonkeyPatch) -> None:
    _, opened = screen
    monkeypatch.setattr(sys, "stderr", opened.stream)

    def failing() -> Iterator[Event]:
        raise OSError("gone")
        yield

    with pytest.raises(OSError, match="gone"):
        tell_answer(failing(), opened.terminal, withheld=False)
    shown = opened.read()
    assert "Searching…" in shown
    assert shown.endswith("\x1b[2K") or not plain(shown).rstrip("\n").rpartition("\n")[2].strip()
