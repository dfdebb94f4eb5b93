from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.formula import Formula, pieces, plain, read


@pytest.mark.parametrize(("text", "shown"), [
    ("The $M^3$ view of PC$^2$", "The M³ view of PC²"),
    (r"$\mathcal{O}(\sqrt{n} \log n)$ time", "𝒪(√n log n) time"),
    (r"$x_{ij}^{(k)} \in \mathbb{R}^d$", "xᵢⱼ⁽ᵏ⁾∈ℝᵈ"),
    (r"$\frac{1}{2}$ of $\pi_0$, $d_\text{model}$ and $f'(x)$", "1/2 of π₀, d_model and f′(x)"),
    (r"$73.8 \pm 5.1%$", "73.8±5.1%"),
    ("costs $5 and $10", "costs $5 and $10"),
    (r"$\input{/etc/passwd}$ stays", r"$\input{/etc/passwd}$ stays"),
    (r"$\href{http://a.example}{b}$", r"$\href{http://a.example}{b}$"),
    ("a $x{$ b", "a $x{$ b"),
    ("two\nlines", "two lines"),
])
def test_a_formula_in_plain_characters(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_text_and_formulas_in_turn() -> None:
    words, formula, rest = pieces("The $M^3$ view")
    assert (words, rest) == ("The ", " view")
    assert isinstance(formula, Formula)
    assert formula.mathml == "<msup><mi>M</mi><mn>3</mn></msup>"
    assert formula.tex == "M^3"


def test_a_percent_sign_hides_nothing_from_tex() -> None:
    found = read("5% of n")
    assert found
    assert found.tex == r"5\% of n"


@pytest.mark.parametrize("tex", [
    r"\write18{x}", r"\def\a{b}", r"\csname input\endcsname", r"\text{\input{x}}", "a # b", "a & b", r"x^", r"\frac{1}",
    r"\sqrt[3]{x}", "}", "{", r"\left", "x^1^2", "\\",
])
def test_what_is_not_known_is_no_formula(tex: str) -> None:
    assert read(tex) is None


@given(st.text(alphabet="ab12 {}^_\\'%#&~$<\"αlog\n", max_size=30) | st.lists(st.sampled_from([
    r"\frac", r"\sqrt", r"\text", r"\left", r"\right", r"\hat", r"\mathcal", r"\alpha", r"\log", "{", "}", "^", "_",
    "a", "1", " ", "(", ")", r"\input", "%"]), max_size=14).map("".join))
def test_whatever_is_read_is_whole(tex: str) -> None:
    found = read(tex)
    if found is None:
        return
    ElementTree.fromstring(f"<math>{found.mathml}</math>")
    assert "input" not in re.findall(r"\\([A-Za-z]+)", found.tex)
    assert found.tex.count("{") - found.tex.count(r"\{") == found.tex.count("}") - found.tex.count(r"\}")
    assert not re.search(r"(?<!\\)[%#&]", found.tex)
