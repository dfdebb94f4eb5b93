"""What a model quotes before it writes, read off its answer as it streams in. Pure.

A model is asked for lines such as `Q1 [E3] "exact words"`, then ANSWER, then prose that cites [Q1]. Few keep to that to
the letter, so a line is a quote if it opens with the quote's name or with quoted words, whatever labels and signs stand
around them. All else is prose, and goes on its way as soon as it can be no quote any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.models.inert import plain

_PATIENCE = 200  # characters that may open a line before its first word
_LONGEST = 2000  # characters of a quote; one that goes on was never closed
_UNNAMED = 600  # characters of one without a name; prose that opens with quoted words is held for so long at most
_NEAR = 80  # characters in which a line's next quote is seen to begin

_WORDS = ("q", "e", "quote", "quotes", "evidence", "answer", "final", "exact", "paper", "passage", "source", "from")
_SINGLE = "‘’'"
_MARKS = f'"“”„«»{_SINGLE}'
# All that may stand before the words quoted, or behind them: signs, numbers, labels, headings, plain tags.
_HEAD = re.compile(rf"(?:</?[a-z]{{1,12}}>|(?![<{_MARKS}])[\W\d_]|(?<![^\W\d_])(?:{'|'.join(_WORDS)})(?![^\W\d_]))*",
                   re.IGNORECASE)
_WORD_SO_FAR = re.compile(r"(?P<tag></?)?(?P<word>[^\W\d_]*)")
_THINKING, _THOUGHT = (re.compile(rf"<{end}think(?:ing)?>", re.IGNORECASE) for end in ("", "/"))
# A heading is in capitals, or a colon, a tag or the line's end closes it.
_HEADING = re.compile(r"(?:\b(?i:quotes?|answer)\b[*_ ]*(?:[:>]|(?=\n))|\bQUOTES?\b(?!\W*\d)|\bANSWER\b)[*_:]*")
_NAME = re.compile(r"(?<![^\W_])Q(?:uote)?[ #-]?(\d{1,4})(?!\w)", re.IGNORECASE)
_NAMING = re.compile(rf"{_NAME.pattern}[\])*_ ]*[:.=)–—-]", re.IGNORECASE)
_LABEL = re.compile(r"(?<![^\W_])(?:E(?:vidence)?|paper|passage|source)[ #-]?(\d{1,12})(?!\w)", re.IGNORECASE)
_LABEL_BEHIND = re.compile(rf"[\s([,;:–—-]*(?:from\s)?[\s([]*{_LABEL.pattern}[\s\]).,;]*$", re.IGNORECASE)
_BEHIND = re.compile(r"""["“”»](?P<behind>[^\n]*)\n?""")
_STRAY = re.compile(rf"(?<=[{_MARKS}])[.,;]$")
_NEWLINE = re.compile(r"\n")
_CLOSED = re.compile(r"""["“”«»][^\n]*\n""")
# Where a quote that is not closed ends all the same, and where a line goes on behind one that is.
_STOP = re.compile(r"\n(?=\s*(?:\n|[*_#>(\[<-]*(?:Q(?:uote)?\s?\d|ANSWER\b|Answer:|answer>)))")
_GOES_ON = re.compile(
    r"""["”»][.,;]?(?:\s*[\[(]E\d+[\])])?\s+(?=[*_\[(]*(?:Q\d+[*_\]):.]*\s*[\[(]*E\d|ANSWER\b|Answer:))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A quote as the model gave it.

    Attributes:
        name: what prose cites it by: "Q1"; by its place where the model named it not.
        label: of the evidence, "E3"; empty where the model gave none.
    """

    name: str
    label: str
    text: str


class Picking:
    """Splits what a model writes, as it comes, into the quotes it picks and prose.

    How the text was cut on the way makes no difference. Headings and a reasoning model's thoughts are left out.
    """

    def __init__(self) -> None:
        self._held = ""  # the text since a line began, as long as a quote may come of it
        self._passing = False  # the line is prose
        self._begun = False  # the prose has begun: words quoted without a name belong to it
        self._thinking = False
        self._last = ""  # the last character of prose that is not white space
        self._count = 0

    def read(self, piece: str) -> Iterator[Picked | str]:
        """What has become of the text by this piece of it."""
        prose: list[str] = []
        for character in piece:
            for part in self._take(plain(character)):
                if isinstance(part, str):
                    prose.append(part)
                else:
                    yield from filter(None, ("".join(prose),))
                    yield part
                    prose = []
        yield from filter(None, ("".join(prose),))

    def end(self) -> Iterator[Picked | str]:
        """What was still held when the text ended."""
        yield from self._settle(ended=True)

    def _take(self, text: str) -> Iterator[Picked | str]:
        if not self._passing:
            self._held += text
            yield from self._settle(ended=False)
        else:
            self._pass(text)
            yield text

    def _pass(self, text: str) -> None:
        self._last = text.rstrip()[-1:] or self._last
        self._passing = not text.endswith("\n")
        # "Here are the quotes:" leads to quotes.
        self._begun = self._begun or not (self._passing or self._last == ":")

    def _settle(self, *, ended: bool) -> Iterator[Picked | str]:
        """Give as much of what is held as nothing that follows can change."""
        while self._held and (taken := self._next(ended=ended)):
            length, part = taken
            if isinstance(part, str):
                self._pass(part)
            self._held = self._held[length:]
            if part:
                yield part

    def _next(self, *, ended: bool) -> tuple[int, Picked | str | None] | None:
        """How many characters to take, and what they are; None to wait for more."""
        held = self._held
        if self._thinking:
            over = _THOUGHT.search(held)
            self._thinking = over is None
            if over is None:
                self._held = "" if ended else held[-len("</thinking>"):]
            return (over.end(), None) if over else None
        head = _HEAD.match(held)
        at = head.end() if head else 0
        if thinking := _THINKING.search(held, 0, at):
            self._thinking = True
            return thinking.end(), None
        if not ended and len(held) < _PATIENCE and _may_go_on(held, at):
            return None
        if headings := list(_HEADING.finditer(held, 0, at)):
            self._begun = self._begun or headings[-1].group().casefold().startswith("answer")
            return headings[-1].end(), None
        marked = held[at:at + 1] != "" and held[at] in _MARKS
        named, labelled = _NAME.search(held, 0, at), _LABEL.search(held, 0, at)
        if named and (marked or (not self._begun and (labelled or _NAMING.search(held, 0, at)))):
            return self._named(at, marked=marked, ended=ended)
        if marked and not self._begun and held[at] not in _SINGLE:
            return self._unnamed(at, ended=ended)
        return len(held), held

    def _named(self, at: int, *, marked: bool, ended: bool) -> tuple[int, Picked] | None:
        """A quote that ends with its line, and if its words are not closed there, with the lines that follow."""
        held = self._held
        if goes_on := _GOES_ON.search(held, max(at + 1, len(held) - _NEAR)):
            return goes_on.end(), self._picked(at, goes_on.end())
        # Of single marks none tells an end from an apostrophe.
        closing = _CLOSED if marked and held[at] not in _SINGLE else _NEWLINE
        if closes := closing.search(held, at + 1):
            return closes.end(), self._picked(at, closes.end())
        if stop := _STOP.search(held, at):
            return stop.start(), self._picked(at, stop.start())
        return (len(held), self._picked(at, len(held))) if ended or len(held) > _LONGEST else None

    def _unnamed(self, at: int, *, ended: bool) -> tuple[int, Picked | str] | None:
        """A quote if labels are all that stands in its line besides, else prose."""
        held = self._held
        closed = _BEHIND.search(held, at + 1)
        line = held.find("\n", at)
        if closed and (line < 0 or closed.start() < line):
            behind = _HEAD.match(closed["behind"])
            clean = behind is not None and behind.end() == len(closed["behind"])
            if line >= 0 or ended:
                return (closed.end(), self._picked(at, closed.end())) if clean else (len(held), held)
            if clean or _may_go_on(closed["behind"], behind.end() if behind else 0):
                return None
        elif line < 0 and not ended and len(held) < _UNNAMED:
            return None
        return len(held), held

    def _picked(self, at: int, end: int) -> Picked:
        head, words = self._held[:at], self._held[at:end].strip()
        self._count += 1
        behind = _LABEL_BEHIND.search(words)
        names, labels = _NAME.findall(head), _LABEL.findall(head) or (behind.groups() if behind else ())
        if behind:
            words = words[:behind.start()]
        return Picked(name=f"Q{int(names[-1]) if names else self._count}", label=f"E{labels[-1]}" if labels else "",
                      text=_STRAY.sub("", " ".join(words.split())).strip(f"{_MARKS}*_` "))


def _may_go_on(held: str, at: int) -> bool:
    """Whether a line that opens a quote as far as ``at`` may go on doing so."""
    rest = _WORD_SO_FAR.fullmatch(held, at)
    if rest is None:
        return False
    return rest["tag"] is not None or any(word.startswith(rest["word"].casefold()) for word in _WORDS)
