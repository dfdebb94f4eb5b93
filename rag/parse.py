"""What a model writes, as it streams in, to complete sentences with the labels they cite. Pure.

The text is read one character at a time, so that how it was cut on the way can make no difference. Citation marks are
replaced by one private-use character each as soon as they are complete: what is left is plain text that
:func:`rag.text.sentences` can split, and a mark behind a full stop is punctuation to it, of the sentence before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.text import normalise, sentences

_FIRST_MARK = 0xE000
_MARK = "[\ue000-\uf8ff]"

# One label as models write it: E1, e1, E 1, Evidence 1, 1, ^1. Years are no labels.
_ITEM = r"\^?(?:[Ee](?:vidence)?[ -]?|[Pp](?:aper|assage) )?[1-9]\d{0,2}"
_ITEMS = rf"{_ITEM}(?:\s*(?:[,;&/–-]|and|,\s*and)\s*{_ITEM})*"
_SEE = r"\s*(?:(?:[Ss]ee|cf\.?|[Ss]ources?:?|[Ff]rom|[Ll]abel)\s+)?"
# "[E1: its title]" and "[E1, p. 3]" are labels with a remark; "[1: ...]" is a text in brackets.
_SQUARE = re.compile(rf"{_SEE}(?:({_ITEMS})\s*|(?=[Ee])({_ITEMS})\b.*)")
_ROUND = re.compile(rf"{_SEE}([Ee][1-9]\d{{0,2}}(?:\s*(?:[,;&/–-]|and)\s*[Ee][1-9]\d{{0,2}})*)\s*")
_ONE = re.compile(r"(?P<dash>[–-]\s*)?(?P<letter>[Ee](?:vidence)?[ -]?)?(?P<number>[1-9]\d{0,2})")

_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>|<https?://[^<>\s]*>|<!--.*?-->", re.DOTALL)
_TAG_SO_FAR = re.compile(r"</?(?:[A-Za-z][\w-]*(?:\s[^<>]*)?/?)?|<https?:[^<>\s]*|<!-?-?.*", re.DOTALL)
_BREAKING = re.compile(r"</?(?:br|p|li|ul|ol|div|h\d|tr|table)\b", re.IGNORECASE)
_THINKING = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-*+•‣◦–—>]|\d{1,3}[.)]|[a-z]\))\s")
_BULLET_SO_FAR = re.compile(r"[-*+•‣◦–—>]|\d{1,3}[.)]?|[a-z]\)?")
_LINE_DROPPED = re.compile(r"#{1,6}[ \t]|```|~~~")
_LINK = re.compile(r"""\([^\s()]*(?:\s+(?:"[^"\n]*"|'[^'\n]*'))?\)""")
_LINE_DROPPED_SO_FAR = re.compile(r"#{1,6}|`{1,2}|~{1,2}")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\ue000-\uf8ff]*[^\s<>.,;:!?)\]\ue000-\uf8ff]")
_MAY_HAVE_ENDED = re.compile(r"""[.!?]["'”’)\]»]*\s""")
_PATIENCE = 400  # characters a bracket or a tag may stay open before it is taken as text

# Labels that stand as words of the sentence: "According to E1, ...", "E1 shows ...", "as in E1 and E2".
_LABEL = rf"(?:{_MARK}|\b[Ee][1-9]\d{{0,2}}\b(?!-))"
_LABELS = rf"{_LABEL}(?:(?:\s*,?\s*(?:and|or|&)\s*|\s*,\s*|\s*){_LABEL})*"
_SOURCE = r"(?:(?:the )?(?:paper|passage|evidence|source|study|work)s?\s+)?"
_LEAD = re.compile(
    rf"^(?:according to|based on|per|(?:as )?(?:shown|described|reported|stated|discussed|noted|seen)? ?(?:in|by|from))"
    rf"\s+{_SOURCE}{_LABELS}\s*[,:]\s*", re.IGNORECASE)
_SAYS = (
    r"(?:show|find|propose|introduce|present|describe|report|demonstrate|argue|suggest|state|discuss|use|address|train|"
    r"develop|evaluate|explore|investigate|analy[sz]e|provide|offer|highlight|examine|note|indicate|mention|claim|tackle|"
    r"achieve|compare|improve|reduce|extend|focus|apply|study)(?:e?[sd]|ing)?|found|(?:appli|studi)e[sd]|is|are|was|were|"
    r"has|have|does|do|gives?|also|both|further"
)
_SUBJECT = re.compile(rf"^{_SOURCE}({_LABELS})(?=\s+(?:{_SAYS})\b)", re.IGNORECASE)
_OBJECT = re.compile(
    rf"\b(in|by|of|from|to|with|than|like|unlike|per)\s+({_MARK}(?:(?:\s*(?:and|or|,|&)?\s*){_MARK})*)")
_BARE_END = re.compile(r"(?:(?<=[.!?])|[,;]?)\s+([Ee][1-9]\d{0,2}(?:(?:,| and|,? )\s*[Ee][1-9]\d{0,2})*)(?=\s*[.!?]?$)")
_LABEL_ONLY = re.compile(r"[Ee][1-9]\d{0,2}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A sentence a model wrote: its text without citation marks, and the labels it cites in order.

    Labels are as the model gave them ("E1", or "1" where it left the letter out): some may have been invented.
    """

    text: str
    labels: tuple[str, ...] = ()


def parse(pieces: Iterable[str]) -> Iterator[Drafted]:
    """The sentences of a text that comes in pieces, each as soon as what follows shows that it has ended.

    List marks, headings, emphasis, HTML, pictures, addresses and a reasoning model's thoughts are taken away; a link
    leaves its text. A last sentence that is not followed by anything ends where the pieces do.
    """
    reader = _Reader()
    for piece in pieces:
        for character in piece:
            yield from reader.read(character)
    yield from reader.end()


class _Reader:
    def __init__(self) -> None:
        self._held = "\n"  # characters that may be the start of something; a text begins like a line
        self._block = ""  # clean text since the last hard break, without the sentences already given
        self._waiting = ""  # the last sentence before the break: marks alone on the next line belong to it
        self._marks: list[tuple[str, ...]] = []
        self._dropping = ""  # what ends the part that is being dropped
        self._emphasised = ""  # the sign whose emphasis is open

    def read(self, character: str) -> Iterator[Drafted]:
        if _FIRST_MARK <= ord(character) <= 0xF8FF or character == "\r":
            return
        self._held += character
        if self._dropping:
            if self._held.endswith(self._dropping):
                self._held, self._dropping = "\n", ""
            self._held = self._held[-_PATIENCE:]
            return
        yield from self._settle(ended=False)

    def end(self) -> Iterator[Drafted]:
        if self._dropping:
            self._held = ""
        yield from self._settle(ended=True)
        yield from self._break()
        yield from self._give(self._waiting)

    def _settle(self, *, ended: bool) -> Iterator[Drafted]:
        """Take from what is held as much as cannot change its meaning any more."""
        while self._held and not self._dropping:
            taken = self._next(ended=ended)
            if taken is None:
                return
            length, text = taken
            self._held = self._held[length:]
            if text == "\n":
                yield from self._break()
            else:
                for character in text:
                    yield from self._append(character)

    def _append(self, character: str) -> Iterator[Drafted]:
        if character.isspace() and (not self._block or self._block[-1].isspace()):
            return
        self._block += " " if character.isspace() else character
        if not character.isalnum():
            return
        if self._waiting:  # the new line has words of its own, so marks at its start are its own too
            yield from self._give(self._waiting)
            self._waiting = ""
        if self._block[-2:-1].isalnum() or not _MAY_HAVE_ENDED.search(self._block[-_PATIENCE:]):
            return
        *complete, last = _sentences(self._block)
        for sentence in complete:
            yield from self._give(sentence)
        self._block = last

    def _break(self) -> Iterator[Drafted]:
        """End the block: its last sentence waits for marks that may stand alone on the next line."""
        if any(character.isalnum() for character in self._block):
            *complete, self._waiting = _sentences(self._block)
            for sentence in complete:
                yield from self._give(sentence)
            self._block = ""
        else:
            marks = "".join(re.findall(_MARK, self._block))
            self._waiting, self._block = (f"{self._waiting} {marks}", "") if self._waiting else ("", marks)
        self._emphasised = ""

    def _give(self, sentence: str) -> Iterator[Drafted]:
        drafted = _drafted(sentence, self._marks)
        if drafted is not None:
            yield drafted

    def _next(self, *, ended: bool) -> tuple[int, str] | None:
        """How many held characters to take and the text they stand for; None to wait for more of them."""
        held = self._held
        match held[0]:
            case "\n":
                return self._line(held, ended=ended)
            case "<":
                return self._tag(held, ended=ended)
            case "[" | "【":
                return self._bracket(held, 0, ended=ended)
            case "!":
                if len(held) == 1:
                    return (1, held) if ended else None
                return self._bracket(held, 1, ended=ended) if held[1] == "[" else (1, "!")
            case "(":
                return self._round(held, ended=ended)
            case "*" | "_" | "`":
                return self._emphasis(held, ended=ended)
        return 1, held[0]

    def _line(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        rest = held.lstrip()
        before = len(held) - len(rest)
        if not rest:
            return (before, "\n") if ended else None
        if bullet := _BULLET.match(rest):
            return before + bullet.end(), "\n"
        if dropped := _LINE_DROPPED.match(rest):
            self._dropping = "\n"
            return before + dropped.end(), "\n"
        if not ended and (_BULLET_SO_FAR.fullmatch(rest) or _LINE_DROPPED_SO_FAR.fullmatch(rest)):
            return None
        # A line that goes on in lower case was only wrapped.
        wrapped = rest[0].islower() and held[:before].count("\n") == 1
        return before, " " if wrapped else "\n"

    def _tag(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        if tag := _TAG.match(held):
            if _THINKING.match(held):
                self._dropping = held[:1] + "/" + held[1:tag.end()]
                return tag.end(), ""
            return tag.end(), "\n" if _BREAKING.match(held) else ""
        if not ended and len(held) < _PATIENCE and _TAG_SO_FAR.fullmatch(held):
            return None
        return 1, "<"

    def _bracket(self, held: str, at: int, *, ended: bool) -> tuple[int, str] | None:
        """A mark, a link or a picture whose bracket opens at ``at``; else the bracket itself."""
        close = held.find("】" if held[at] == "【" else "]", at)
        nested = held.find("[", at + 1)
        if close < 0 or 0 <= nested < close:
            waits = nested < 0 and not ended and len(held) < _PATIENCE and "\n" not in held
            return None if waits else (at + 1, held[:at + 1])
        if close + 1 == len(held) and not ended:
            return None
        inner, end = held[at + 1:close], close + 1
        if held[end:end + 1] == "(" and ")" not in held[end:] and not ended and len(held) < _PATIENCE:
            return None
        link = _LINK.match(held, end)
        end = link.end() if link else end
        if at:
            return (end, inner) if link else (1, "!")
        # "[1, 5]" may be an interval, but beside Vouch's own citations it would read as one of them.
        if found := _SQUARE.fullmatch(inner):
            return end, self._mark(found[1] or found[2])
        return end, inner if link else held[:end]

    def _round(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        close = held.find(")")
        if close < 0:
            waits = not ended and len(held) < 60 and re.fullmatch(r"\([\sA-Za-z0-9,;:&/.–-]*", held)
            return None if waits and "\n" not in held else (1, "(")
        found = _ROUND.fullmatch(held[1:close])
        return (close + 1, self._mark(found[1])) if found else (1, "(")

    def _emphasis(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        run = len(held) - len(held.lstrip(held[0]))
        if run == len(held) and not ended:
            return None
        sign, before, after = held[0], self._block[-1:] or " ", held[run:run + 1] or " "
        if sign == "`" or (sign == "*" and run > 1):
            return run, ""
        # "*so*" and "_so_" are emphasis; the star of "A* search" and the line of "snake_case" are not.
        if self._emphasised == sign and not before.isspace() and not after.isalnum():
            self._emphasised = ""
        elif not self._emphasised and not before.isalnum() and not after.isspace() and before not in "}^\\":
            self._emphasised = sign
        else:
            return run, held[:run]
        return run, ""

    def _mark(self, inner: str) -> str:
        """A private-use character for the labels, with blanks around it so that a full stop before it ends."""
        if len(self._marks) >= 0xF8FF - _FIRST_MARK:
            return ""
        self._marks.append(_labels(inner))
        return f" {chr(_FIRST_MARK + len(self._marks) - 1)} "


def _sentences(block: str) -> list[str]:
    """The block's sentences; marks that follow a full stop belong to the sentence it ends."""
    found: list[str] = []
    for start, end in sentences(block):
        sentence = block[start:end]
        # Where the one before opened with a mark ("[E1] shows ... . [E2] shows ..."), this one does too.
        led = re.match(rf"(?:{_MARK}\s*)+", sentence)
        if led and found and not re.match(_MARK, found[-1]):
            found[-1] += f" {led.group().strip()}"
            sentence = sentence[led.end():]
        if sentence:
            found.append(sentence)
    return found


def _labels(inner: str) -> tuple[str, ...]:
    """The labels of "E1, E3-E5": a range gives each in it, if it is not absurdly long."""
    labels: list[str] = []
    letter, last = "", 0
    for one in _ONE.finditer(inner):
        number = int(one["number"])
        letter = "E" if one["letter"] else "" if not one["dash"] else letter
        first = last + 1 if one["dash"] and 0 < number - last <= 20 else number
        labels += (f"{letter}{n}" for n in range(first, number + 1))
        last = number
    return tuple(dict.fromkeys(labels))


def _drafted(sentence: str, marks: list[tuple[str, ...]]) -> Drafted | None:
    """The sentence without its marks; None where nothing but marks and punctuation is left."""
    labels = [label for c in re.findall(_MARK, sentence) for label in marks[ord(c) - _FIRST_MARK]]

    def this_paper(found: re.Match[str], group: int) -> str:
        named = found[group]
        labels.extend(label.upper() for label in _LABEL_ONLY.findall(named))
        several = len(re.findall(_LABEL, named)) > 1 or any(
            len(marks[ord(c) - _FIRST_MARK]) > 1 for c in re.findall(_MARK, named))
        return "these papers" if several else "this paper"

    text = normalise(_ADDRESS.sub("", sentence))
    lead = _LEAD.match(text)
    if lead:
        this_paper(lead, 0)
        text = text[lead.end():]
        text = text[:1].upper() + text[1:]
    text = _SUBJECT.sub(lambda found: this_paper(found, 1).capitalize(), text)
    text = _OBJECT.sub(lambda found: f"{found[1]} {this_paper(found, 2)}", text)
    text = re.sub(rf"\s*{_MARK}", "", text)
    if not labels and (bare := _BARE_END.search(text)):
        labels = [label.upper() for label in _LABEL_ONLY.findall(bare[1])]
        text = text[:bare.start()] + text[bare.end():]
    text = re.sub(r"(?:[\[【]\s*[Ee]?|\([Ee])\d[\dEe,;& ]*$", "", text)  # a mark that was never closed
    text = re.sub(r"\(\s*[,;]*\s*\)|\[\s*[,;]*\s*\]|<>", "", text)
    text = re.sub(r"\s+([.,;:!?])(?=\s|$)", r"\1", text)
    text = re.sub(r"[,;]+([.!?])$", r"\1", re.sub(r"(?<!\.)([.!?])\.$", r"\1", normalise(text)))
    if not any(character.isalnum() for character in text) or _LABEL_ONLY.fullmatch(text):
        return None
    return Drafted(text=text, labels=tuple(dict.fromkeys(labels)))
