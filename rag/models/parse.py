"""What a model writes, as it streams in, to complete sentences with the labels they cite. Pure.

The text is read one character at a time, so that how it was cut on the way can make no difference. Citation marks are
replaced by one private-use character each as soon as they are complete: what is left is plain text that
:func:`rag.text.sentences` can split, and a mark behind a full stop is punctuation to it, of the sentence before.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from rag.drafted import Drafted
from rag.models.inert import TAG, TAG_SO_FAR, inert, plain, raised_mark, shifted
from rag.models.marks import (
    AUTHORS,
    BRACED,
    BRACED_SO_FAR,
    CITING,
    COUNTED,
    DOUBLE,
    DOUBLE_SO_FAR,
    FEW,
    HALF_ROUND,
    HALF_SQUARE,
    ROUND,
    SQUARE,
    listed,
)
from rag.text import sentences

_FIRST_MARK = 0xE000
_MARK = "[\ue000-\uf8ff]"

_BREAKING = re.compile(r"</?(?:br|p|li|ul|ol|div|h\d|tr|table)\b", re.IGNORECASE)
_SHIFTING = re.compile(r"<(/?)(su[pb])\b", re.IGNORECASE)
_THINKING = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ENTITY_SO_FAR = re.compile(r"&(?:#[xX]?[0-9a-fA-F]{0,7}|[A-Za-z0-9]{0,32})")
_BULLET = re.compile(r"(?:[-*+•‣◦–—>]|\d{1,3}[.)]|[a-z]\))\s")
_BULLET_SO_FAR = re.compile(r"[-*+•‣◦–—>]|\d{1,3}[.)]?|[a-z]\)?")
_LINE_DROPPED = re.compile(r"#{1,6}[ \t]|```|~~~")
_LINK = re.compile(r"""\(\s*(?:<[^<>\n]*>|(?:[^\s()]|\([^\s()]*\))*)(?:\s+(?:"[^"\n]*"|'[^'\n]*'))?\s*\)""")
_LINE_DROPPED_SO_FAR = re.compile(r"#{1,6}|`{1,2}|~{1,2}")
_MAY_HAVE_ENDED = re.compile(r"""[.!?]["'”’)\]»]*\s""")
_WORD = re.compile(r"[^\W\d_]{2}")
_PATIENCE = 400  # characters a bracket or a tag may stay open before it is taken as text
_LONGEST = 2000  # characters of a text without an end, before it is cut at a blank
_BEFORE = 26  # characters before a full stop that tell whether it ends a sentence

# Labels that stand as words of the sentence: "According to E1, ...", "E1 shows ...", "as in E1 and E2".
_LABEL = rf"(?:{_MARK}|\b[EeQq]\d+\b(?!-))"
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
_BARE_END = re.compile(r"(?:(?<=[.!?])|[,;]?)\s+([EeQ]\d+(?:(?:,| and|,? )\s*[EeQ]\d+)*)(?=\s*[.!?]?$)")
_LABEL_ONLY = re.compile(r"[EeQq]\d+\b")
_CITED_END = re.compile(rf"{_MARK}\s*[.!?]$")
_CLOSERS = frozenset(".!?\"'”’)]»")


def parse(pieces: Iterable[str]) -> Iterator[Drafted]:
    """The sentences of a text that comes in pieces, each as soon as what follows shows that it has ended.

    List marks, headings, emphasis, HTML, pictures, addresses and a reasoning model's thoughts are taken away; a link
    leaves its text. Whatever else stands in square brackets is a mark, or loses its brackets. A last sentence that is
    not followed by anything ends where the pieces do; one of over 2,000 characters is cut.
    """
    reader = Reader()
    for piece in pieces:
        yield from reader.read(piece)
    yield from reader.end()


class Reader:
    """Reads as `parse` does, for whoever has the pieces one by one."""

    def __init__(self) -> None:
        self._held = "\n"  # characters that may be the start of something; a text begins like a line
        self._block = ""  # clean text since the last hard break, without the sentences already given
        self._waiting = ""  # the last sentence before the break: marks alone on the next line belong to it
        self._marks: dict[str, tuple[str, ...]] = {}
        self._signs: dict[tuple[str, ...], str] = {}
        self._dropping = ""  # what ends the part that is being dropped
        self._emphasised = ""  # the sign whose emphasis is open
        self._shift = ""  # "sup" or "sub" within such a tag
        self._word = 0  # where the block's last word ends
        self._given = False  # a sentence ended with the last character: what closes it belongs to it

    def read(self, piece: str) -> Iterator[Drafted]:
        """The sentences that this piece of the text shows to have ended."""
        for character in piece:
            if shown := plain(character):
                yield from self._read(shown)

    def _read(self, character: str) -> Iterator[Drafted]:
        if character.isspace() and self._held.isspace() and self._held[0] == "\n":
            # Of blank lines and indents only that there was one matters.
            self._held = "\n\n" if character == "\n" else self._held
            return
        self._held += character
        if self._dropping:
            if self._held.endswith(self._dropping):
                self._held, self._dropping = "\n", ""
            self._held = self._held[-_PATIENCE:]
            return
        yield from self._settle(ended=False)

    def end(self) -> Iterator[Drafted]:
        """What is left when the text has ended."""
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
            self._given = False
            return
        if self._given and character in _CLOSERS:
            return
        self._given = False
        self._block += " " if character.isspace() else character
        if character.isalnum():
            if self._waiting:  # the new line has words of its own, so marks at its start are its own too
                yield from self._give(self._waiting)
                self._waiting = ""
            if self._ended():
                *complete, self._block = _sentences(self._block)
                for sentence in complete:
                    yield from self._give(sentence)
            self._word = len(self._block)
        # Of a sentence that has its mark before its full stop nothing more is to come.
        if character in ".!?" and self._word and _CITED_END.search(self._block[-3:]):
            for sentence in _sentences(self._block):
                yield from self._give(sentence)
            self._block, self._word, self._given = "", 0, True
        if len(self._block) > _LONGEST:
            yield from self._cut()

    def _ended(self) -> bool:
        """Whether a sentence ended between the last word and the one that has just begun."""
        # Every earlier full stop was looked at when its next word began.
        if not _MAY_HAVE_ENDED.search(self._block, self._word):
            return False
        start = max(0, self._word - _BEFORE)
        return start + sentences(self._block[start:])[-1][0] >= self._word

    def _cut(self) -> Iterator[Drafted]:
        """Give what has come of a text that does not end."""
        yield from self._give(self._waiting)
        end = self._block.rfind(" ") + 1 or len(self._block)
        for sentence in _sentences(self._block[:end]):
            yield from self._give(sentence)
        self._waiting, self._block, self._word = "", self._block[end:], max(0, self._word - end)

    def _break(self) -> Iterator[Drafted]:
        """End the block: its last sentence waits for marks that may stand alone on the next line."""
        if any(character.isalnum() for character in self._block):
            *complete, self._waiting = _sentences(self._block)
            for sentence in complete:
                yield from self._give(sentence)
            self._block = ""
        else:
            marks = "".join(dict.fromkeys(re.findall(_MARK, self._block)))
            self._waiting, self._block = (f"{self._waiting} {marks}", "") if self._waiting else ("", marks)
        self._emphasised, self._shift, self._word = "", "", 0

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
            case "&":
                return self._entity(held, ended=ended)
            case "[":
                return self._bracket(held, 0, ended=ended)
            case "]":
                return 1, ""
            case "!":
                if len(held) == 1:
                    return (1, held) if ended else None
                return self._bracket(held, 1, ended=ended) if held[1] == "[" else (1, "!")
            case "(":
                return self._round(held, ended=ended)
            case "{" | "\\":
                return self._braced(held, ended=ended)
            case "*" | "_" | "`":
                return self._emphasis(held, ended=ended)
        character = shifted(held[0], self._shift) if self._shift else held[0]
        return 1, "" if raised_mark(character, self._block) else character

    def _again(self, end: int, instead: str) -> tuple[int, str]:
        """Read other characters instead of the first ones held."""
        self._held = instead + self._held[end:]
        return 0, ""

    def _entity(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        if entity := _ENTITY.match(held):
            meant = html.unescape(entity.group())
            return (1, "&") if meant == entity.group() else self._again(entity.end(), "".join(map(plain, meant)))
        return (1, "&") if ended or not _ENTITY_SO_FAR.fullmatch(held) else None

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
        if tag := TAG.match(held):
            if _THINKING.match(held):
                self._dropping = held[:1] + "/" + held[1:tag.end()]
                return tag.end(), ""
            if shifting := _SHIFTING.match(held):
                self._shift = "" if shifting[1] else shifting[2].lower()
            return tag.end(), "\n" if _BREAKING.match(held) else ""
        if not ended and len(held) < _PATIENCE and TAG_SO_FAR.fullmatch(held):
            return None
        return 1, "<"

    def _bracket(self, held: str, at: int, *, ended: bool) -> tuple[int, str] | None:
        """A mark, a link or a picture whose bracket opens at ``at``; else what it holds, without brackets."""
        # "Great![E1]" ends a sentence; the sign of a picture stands by itself.
        sign = "!" * at if self._block[-1:].isalnum() else ""
        if held[at + 1:at + 2] == "[" and (double := DOUBLE.match(held, at)):
            return self._again(double.end(), sign + double.group()[1:-1])
        close, nested = held.find("]", at), held.find("[", at + 1)
        if close < 0 or 0 <= nested < close:
            begun = nested < 0 or DOUBLE_SO_FAR.fullmatch(held, at)
            waits = begun and not ended and len(held) < _PATIENCE and "\n\n" not in held
            return None if waits else self._half(held, at, sign)
        if close + 1 == len(held) and not ended:
            return None
        inner, end = held[at + 1:close], close + 1
        rest = held[end:]
        if rest[:1] == "(" and rest.count("(") > rest.count(")") and not ended and len(held) < _PATIENCE:
            return None
        link = _LINK.match(held, end)
        end = link.end() if link else end
        # "[0, 1]" may be an interval, but beside Vouch's own citations it would read as one of them.
        if found := SQUARE.fullmatch(inner):
            return end, sign + self._mark(listed(found[1] or found[2]))
        # A link's text is text, unless it cites in a word ("[doc7](...)") or by authors.
        few = len(inner.split()) <= (1 if link else FEW)
        cites = CITING.search(inner) is not None
        if (few and cites) or "et al" in inner or (not link and (few or cites)):
            return end, sign + self._mark(())
        return self._again(end, sign + inner)

    def _half(self, held: str, at: int, sign: str) -> tuple[int, str]:
        """What stands behind a bracket that is never closed: dropped where it would be a mark."""
        half = HALF_SQUARE.match(held, at + 1)
        inner = half.group() if half else ""
        mark = len(inner.split()) <= FEW or CITING.search(inner)
        return at + 1 + (len(inner) if mark else 0), sign

    def _round(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        close, nested = held.find(")"), held.find("(", 1)
        if close < 0 or 0 <= nested < close:
            if nested < 0 and not ended and len(held) < _PATIENCE and "\n\n" not in held:
                return None
            half = HALF_ROUND.match(held)
            return (half.end(), "") if half else (1, "(")
        inner, end = held[1:close], close + 1
        if found := ROUND.fullmatch(inner):
            return end, self._mark(listed(found[1]))
        if AUTHORS.fullmatch(inner):
            return end, self._mark(())
        if found := COUNTED.fullmatch(inner):
            if end == len(held) and not ended:
                return None
            if held[end:end + 1] in ("", "\n", *".!?") or self._block[-1:] in (*".!?",):
                return end, self._mark(listed(found[1]))
        return 1, "("

    def _braced(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        """A label in braces, or a citation as LaTeX has it; of "$L_{1}$" nothing."""
        if found := BRACED.match(held):
            return found.end(), self._mark(listed(found[1]) if found[1] else ())
        return (1, held[0]) if ended or len(held) >= _PATIENCE or not BRACED_SO_FAR.fullmatch(held) else None

    def _emphasis(self, held: str, *, ended: bool) -> tuple[int, str] | None:
        run = len(held) - len(held.lstrip(held[0]))
        if run == len(held) and not ended and run < _PATIENCE:
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

    def _mark(self, labels: tuple[str, ...]) -> str:
        """A private-use character for the labels, with blanks around it so that a full stop before it ends."""
        if len(self._marks) >= 0xF8FF - _FIRST_MARK:
            return " "
        sign = self._signs.setdefault(labels, chr(_FIRST_MARK + len(self._signs)))
        self._marks[sign] = labels
        return f" {sign} "


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


def _drafted(sentence: str, marks: dict[str, tuple[str, ...]]) -> Drafted | None:
    """The sentence without its marks; None where nothing but marks and punctuation is left."""
    labels = [label for c in re.findall(_MARK, sentence) for label in marks[c]]

    def this_paper(found: re.Match[str], group: int) -> str:
        named = found[group]
        labels.extend(label.upper() for label in _LABEL_ONLY.findall(named))
        several = len(re.findall(_LABEL, named)) > 1 or any(
            len(marks[c]) > 1 for c in re.findall(_MARK, named))
        return "these papers" if several else "this paper"

    text = inert(sentence)
    lead = _LEAD.match(text)
    if lead:
        this_paper(lead, 0)
        text = text[lead.end():]
        text = text[:1].upper() + text[1:]
    text = _SUBJECT.sub(lambda found: this_paper(found, 1).capitalize(), text)
    text = _OBJECT.sub(lambda found: f"{found[1]} {this_paper(found, 2) * any(map(marks.get, found[2]))}", text)
    text = re.sub(rf"\s*{_MARK}", "", text)
    if not labels and (bare := _BARE_END.search(text)):
        labels = [label.upper() for label in _LABEL_ONLY.findall(bare[1])]
        text = text[:bare.start()] + text[bare.end():]
    text = inert(text)
    if not _WORD.search(text) or _LABEL_ONLY.fullmatch(text):
        return None
    return Drafted(text=text, labels=tuple(dict.fromkeys(labels)))
