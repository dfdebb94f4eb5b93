r"""Mathematics in titles and abstracts: what of TeX can be shown, as MathML and as plain text. Pure.

A formula whose every command is known here is mathematics; any other is text like the words around it. That also keeps
commands that do more than typeset (``\input``) out of every file that TeX reads.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ui.web.typeset import formulas


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula: its TeX without the dollars, what stands inside of ``<math>``, and the same in plain characters."""

    tex: str
    mathml: str
    plain: str


def pieces(text: str) -> Iterator[str | Formula]:
    """The text, blanks made single and what no document can hold left out, cut into words and formulas."""
    text = " ".join(_UNFIT.sub(" ", text).split())
    at = 0
    for (start, end), tex in formulas(text):
        formula = read(tex)
        if formula is None:
            continue
        if start > at:
            yield text[at:start]
        yield formula
        at = end
    if at < len(text):
        yield text[at:]


def plain(text: str) -> str:
    """The text with its formulas in plain characters: "M³" for ``$M^3$``."""
    return "".join(piece if isinstance(piece, str) else piece.plain for piece in pieces(text))


@lru_cache(maxsize=1024)
def read(tex: str) -> Formula | None:
    """The formula; None where it is not whole or holds what is not known here."""
    # A percent sign would hide from TeX what follows it.
    tex = _BARE_PERCENT.sub(r"\\%", tex)
    try:
        found = _Reader(tex).row("")
    except (_UnknownError, RecursionError):
        return None
    return Formula(tex=tex, mathml=found.mathml, plain=" ".join(found.plain.split()).replace("( ", "("))


_LETTERS = {name: chr(code) for code, name in enumerate(
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau "
    "upsilon varphi chi psi omega".split(), 0x3B1)} | {
    "epsilon": "ϵ", "phi": "ϕ", "vartheta": "ϑ", "varpi": "ϖ", "varrho": "ϱ", "ell": "ℓ", "hbar": "ℏ", "Gamma": "Γ",
    "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω", "infty": "∞", "emptyset": "∅", "varnothing": "∅", "aleph": "ℵ", "Re": "ℜ", "Im": "ℑ",
    "top": "⊤", "bot": "⊥", "dots": "…", "ldots": "…", "cdots": "⋯", "%": "%", "$": "$", "#": "#", "&": "&", "_": "_"}
_SIGNS = {
    "times": "×", "cdot": "⋅", "pm": "±", "mp": "∓", "div": "÷", "ast": "∗", "star": "⋆", "circ": "∘", "bullet": "∙",
    "oplus": "⊕", "otimes": "⊗", "odot": "⊙", "leq": "≤", "le": "≤", "leqslant": "⩽", "geq": "≥", "ge": "≥",
    "geqslant": "⩾", "ll": "≪", "gg": "≫", "lt": "<", "gt": ">", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "∼",
    "simeq": "≃", "cong": "≅", "equiv": "≡", "propto": "∝", "in": "∈", "notin": "∉", "subset": "⊂", "subseteq": "⊆",
    "cup": "∪", "cap": "∩", "setminus": "∖", "to": "→", "rightarrow": "→", "leftarrow": "←", "leftrightarrow": "↔",
    "Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "mapsto": "↦", "uparrow": "↑", "downarrow": "↓",
    "forall": "∀", "exists": "∃", "neg": "¬", "land": "∧", "wedge": "∧", "lor": "∨", "vee": "∨", "mid": "∣",
    "parallel": "∥", "perp": "⊥", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "int": "∫", "langle": "⟨",
    "rangle": "⟩", "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋", "lvert": "|", "rvert": "|", "lVert": "‖",
    "rVert": "‖", "|": "‖", "{": "{", "}": "}", "prime": "′", "colon": ":", "backslash": "\\", "dagger": "†",
    "checkmark": "✓"}
_SPACES = {",": " ", ";": " ", ":": " ", "!": "", " ": " ", "quad": " ", "qquad": " "}
_NAMES = frozenset("log ln exp sin cos tan max min sup inf lim arg det dim ker deg gcd Pr tanh".split())
_FONTS = {
    "mathrm": "normal", "mathit": "", "mathbf": "bold", "boldsymbol": "bold", "bm": "bold", "mathsf": "sans",
    "mathtt": "mono", "mathcal": "script", "mathscr": "script", "mathbb": "double", "mathfrak": "fraktur"}
_WORDS = frozenset("text textrm textit textbf textsf texttt mbox operatorname".split())
_ACCENTS = {"hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "bar": "¯", "overline": "¯", "vec": "→",
            "dot": "˙", "ddot": "¨", "underline": "_"}
_COMBINING = {"^": "\u0302", "~": "\u0303", "¯": "\u0304", "→": "\u20d7", "˙": "\u0307", "¨": "\u0308", "_": "\u0332"}
_FRACTIONS = frozenset(("frac", "dfrac", "tfrac"))
_SIZES = frozenset("left right big Big bigl bigr Bigl Bigr".split())
# First letter, first capital and first figure of the styled alphabets; the letters that Unicode has elsewhere.
_ALPHABETS = {"bold": (0x1D41A, 0x1D400, 0x1D7CE), "sans": (0x1D5BA, 0x1D5A0, 0x1D7E2),
              "mono": (0x1D68A, 0x1D670, 0x1D7F6), "script": (0x1D4B6, 0x1D49C, 0),
              "double": (0x1D552, 0x1D538, 0x1D7D8), "fraktur": (0x1D51E, 0x1D504, 0)}
_ELSEWHERE = {"script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
              "double": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
              "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True))}
_RAISED = str.maketrans("0123456789+-=()abcdefghijklmnoprstuvwxyzTN∗*′",
                        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᴺ**′")
_LOWERED = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_COMMAND = re.compile(r"\\([A-Za-z]+\*?|.)", re.DOTALL)
# Signs of a keyboard that are mathematics as they stand.
_PLAIN_SIGNS = frozenset("+-=<>/*|,.;:!?()[]'@~")


class _UnknownError(Exception):
    """What is not known here."""


@dataclass(frozen=True, slots=True)
class _Node:
    mathml: str
    plain: str


class _Reader:
    """Reads TeX from left to right, one construct a method."""

    def __init__(self, tex: str) -> None:
        self._tex = tex
        self._at = 0

    def row(self, end: str, font: str = "") -> _Node:
        """All up to the closing sign, which is read too; with no such sign, all there is."""
        items: list[_Node] = []
        while True:
            self._blanks()
            if self._at == len(self._tex):
                if end:
                    raise _UnknownError
                break
            if self._tex[self._at] == end:
                self._at += 1
                break
            items.append(self._scripted(font))
        inner = "".join(item.mathml for item in items)
        return _Node(inner if len(items) == 1 else f"<mrow>{inner}</mrow>", "".join(item.plain for item in items))

    def _scripted(self, font: str) -> _Node:
        base = _Node("<mrow></mrow>", "") if self._tex[self._at] in "^_" else self._atom(font)
        found: dict[str, _Node] = {}
        while self._at < len(self._tex) and self._tex[self._at] in "^_'":
            sign = self._tex[self._at]
            self._at += 1
            where = "^" if sign == "'" else sign
            if where in found:
                raise _UnknownError
            self._blanks()
            found[where] = _Node("<mo>′</mo>", "′") if sign == "'" else self._argument(font)
            self._blanks()
        if not found:
            return base
        below, above = found.get("_"), found.get("^")
        said = base.plain + "".join(_shifted(node.plain, sign) for sign, node in (("_", below), ("^", above)) if node)
        name = f"m{'sub' if below else ''}{'sup' if above else ''}"
        parts = "".join(node.mathml for node in (base, below, above) if node)
        return _Node(f"<{name}>{parts}</{name}>", said)

    def _argument(self, font: str = "") -> _Node:
        self._blanks()
        if self._at == len(self._tex):
            raise _UnknownError
        return self._atom(font, single=True)

    def _atom(self, font: str, *, single: bool = False) -> _Node:
        sign = self._tex[self._at]
        if sign == "\\":
            return self._command(font)
        if sign.isdigit() and not single and (number := _NUMBER.match(self._tex, self._at)):
            self._at = number.end()
            return _Node(f"<mn>{_styled(number.group(), font)}</mn>", number.group())
        self._at += 1
        if sign == "{":
            return self.row("}", font)
        if sign.isalpha():
            return _letter(sign, font)
        if sign.isdigit():
            return _Node(f"<mn>{_styled(sign, font)}</mn>", sign)
        if sign == "~":
            return _space(" ")
        if sign in _PLAIN_SIGNS or (not sign.isascii() and sign.isprintable()):
            return _sign({"-": "−", "*": "∗"}.get(sign, sign), sign)
        raise _UnknownError

    def _command(self, font: str) -> _Node:
        match = _COMMAND.match(self._tex, self._at)
        if match is None:
            raise _UnknownError
        self._at = match.end()
        name = match.group(1).removesuffix("*") if match.group(1) == "operatorname*" else match.group(1)
        if name in _LETTERS:
            return _Node(f"<mi>{html.escape(_LETTERS[name])}</mi>", _LETTERS[name])
        if name in _SIGNS:
            return _sign(_SIGNS[name], _SIGNS[name])
        if name in _NAMES:
            return _Node(f"<mi>{name}</mi><mo>&#x2061;</mo>", f" {name} ")
        if name in _SPACES:
            return _space(_SPACES[name])
        if name in _FONTS:
            return self._argument(_FONTS[name])
        if name in _WORDS:
            return self._words()
        if name in _ACCENTS:
            inner = self._argument(font)
            tag = "munder" if name == "underline" else "mover"
            mark = _ACCENTS[name]
            said = inner.plain + _COMBINING[mark] if len(inner.plain) == 1 else inner.plain
            return _Node(f'<{tag} accent="true">{inner.mathml}<mo>{mark}</mo></{tag}>', said)
        if name in _FRACTIONS:
            above, below = self._argument(font), self._argument(font)
            return _Node(f"<mfrac>{above.mathml}{below.mathml}</mfrac>", f"{_bound(above.plain)}/{_bound(below.plain)}")
        if name == "sqrt" and self._tex[self._at:self._at + 1] != "[":
            inner = self._argument(font)
            return _Node(f"<msqrt>{inner.mathml}</msqrt>", f"√{_bound(inner.plain)}")
        if name in _SIZES:
            return self._delimiter()
        raise _UnknownError

    def _delimiter(self) -> _Node:
        self._blanks()
        if self._tex[self._at:self._at + 1] == ".":
            self._at += 1
            return _Node("", "")
        if self._tex[self._at:self._at + 1] in ("", "{", "}", "^", "_"):
            raise _UnknownError
        return self._atom("")

    def _words(self) -> _Node:
        self._blanks()
        end = self._tex.find("}", self._at)
        if self._tex[self._at:self._at + 1] != "{" or end < 0:
            raise _UnknownError
        said = self._tex[self._at + 1:end].replace(r"\,", " ")
        if re.search(r"[\\{$#&^_~]", said.replace(r"\%", "")):
            raise _UnknownError
        self._at, said = end + 1, said.replace(r"\%", "%")
        return _Node(f"<mtext>{html.escape(said)}</mtext>", said)

    def _blanks(self) -> None:
        while self._at < len(self._tex) and self._tex[self._at].isspace():
            self._at += 1


def _letter(letter: str, font: str) -> _Node:
    if font == "normal":
        return _Node(f'<mi mathvariant="normal">{letter}</mi>', letter)
    return _Node(f"<mi>{_styled(letter, font)}</mi>", _styled(letter, font))


def _sign(shown: str, said: str) -> _Node:
    return _Node(f"<mo>{html.escape(shown)}</mo>", said)


def _space(said: str) -> _Node:
    return _Node('<mspace width="0.2em"></mspace>' if said else "", said)


def _styled(text: str, font: str) -> str:
    """The letters and figures in another alphabet of Unicode."""
    if font not in _ALPHABETS:
        return text
    small, capital, figure = _ALPHABETS[font]
    return "".join(
        _ELSEWHERE.get(font, {}).get(c)
        or (chr(small + ord(c) - ord("a")) if "a" <= c <= "z" else chr(capital + ord(c) - ord("A")) if "A" <= c <= "Z"
            else chr(figure + ord(c) - ord("0")) if figure and "0" <= c <= "9" else c)
        for c in text)


def _shifted(text: str, sign: str) -> str:
    shifted = text.translate(_RAISED if sign == "^" else _LOWERED)
    if all(c not in text or c in "*′" for c in shifted):
        return shifted
    return f"{sign}{_bound(text)}"


def _bound(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"
