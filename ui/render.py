"""What a person or a program reads of papers, hits and answers. Pure: values in, text out."""

from __future__ import annotations

import dataclasses
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal, TypeAlias

from rag.schema import SUMMARY, Answer, Hit, Paper, Reference, Sentence, Usage
from rag.text import Span, content_stems, sentences
from ui.sides import Side, blocks, paragraphs

Role = Literal["words", "cite", "aside"]
Parts: TypeAlias = tuple[tuple[str, Role], ...]

NEAREST = "Nearest papers (they may not answer it):"
WEAK = "(weakly supported)"
NOTHING = "Nothing was found."

# What could be a link or a picture is no mathematics, whatever stands around it.
_MATHS = re.compile(r"(\${1,2})(?!\s)(?:(?!\]\s?[\[(])[^$`])+(?<!\s)\1(?!\d)")
_ACTIVE = re.compile(r"([\\`*_\[\]#|~!$])")
_BLANKS = re.compile(r"\s+")
_BLOCK = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")


def to_json(value: object) -> Any:  # noqa: ANN401 - what JSON holds
    """The value as JSON knows it: dataclasses become objects under their field names, tuples lists.

    A paper also tells its ``label`` and a sentence its ``verdict``, which are properties.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Paper):
            fields["label"] = value.label
        elif isinstance(value, Sentence):
            fields["verdict"] = value.verdict
        return fields
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def short_authors(authors: Sequence[str]) -> str:
    """One or two names in full, more as "First et al."; empty without any."""
    if len(authors) > 2:
        return f"{authors[0]} et al."
    return " and ".join(authors)


def short_year(paper: Paper) -> str:
    """The year, with a question mark where the listing did not print it; empty without one."""
    if paper.year is None:
        return ""
    return f"{paper.year}?" if paper.year_inferred else str(paper.year)


def link(paper: Paper) -> str | None:
    """Where to read the paper: its own address, else the one its arXiv id or DOI gives."""
    if paper.url:
        return paper.url
    if paper.arxiv_id:
        return f"https://arxiv.org/abs/{paper.arxiv_id}"
    return f"https://doi.org/{paper.doi}" if paper.doi else None


def byline(paper: Paper) -> str:
    """Authors and year in short, as far as they are known: "First et al., 2023"."""
    return ", ".join(part for part in (short_authors(paper.authors), short_year(paper)) if part)


def paper_line(paper: Paper) -> str:
    """The paper in one line: label, authors, year, and that its text is a summary where it is."""
    parts = [paper.label.rstrip(".")]
    if byline(paper):
        parts.append(byline(paper))
    if paper.text_kind == "summary":
        parts.append(SUMMARY)
    return ". ".join(parts) + ("" if parts[-1].endswith((".", "…", "?", "!")) else ".")


def place(paper: Paper) -> str:
    """The paper's link, else the record it was read from, else its id."""
    return link(paper) or ", ".join(str(origin) for origin in paper.origins[:1]) or paper.id


def reference_line(reference: Reference) -> str:
    """The reference in one line of plain text: "[1] Title. Authors, year. link or origin"."""
    return f"[{reference.label}] {paper_line(reference.paper)} {place(reference.paper)}".rstrip()


def sentence_parts(sentence: Sentence) -> Parts:
    """The sentence cut into its words, its citation marks and what is said about it.

    A quote stands in quotation marks; everything that is not the paper's words stands outside them.
    """
    words = f"“{sentence.text}”" if sentence.kind == "quote" else sentence.text
    parts: list[tuple[str, Role]] = [(words, "words")]
    labels = dict.fromkeys(citation.label for citation in sentence.citations)
    if labels:
        parts.append((" " + "".join(f"[{label}]" for label in labels), "cite"))
    if sentence.kind != "frame" and sentence.verdict == "weak":
        parts.append((f" {WEAK}", "aside"))
    return tuple(parts)


def sentence_text(sentence: Sentence) -> str:
    """The sentence as plain text, with its citation marks."""
    return "".join(text for text, _ in sentence_parts(sentence))


def quote_intro(paper: Paper) -> str:
    """What stands before a quote: whose words follow, and that they are a summary's where they are."""
    known = ", ".join(filter(None, (short_year(paper), "summary" if paper.text_kind == "summary" else "")))
    return f"{paper.label} ({known}): " if known else f"{paper.label}: "


def withheld_line(answer: Answer) -> str | None:
    """How many sentences were taken out, and why; None when none was."""
    count = len(answer.withheld)
    if not count:
        return None
    return (f"{count} sentence{'s were' if count > 1 else ' was'} withheld: "
            f"the papers do not support {'them' if count > 1 else 'it'}.")


def usage_line(usage: Usage) -> str:
    """What the model read and wrote, and what that cost: "1,200 tokens read, 90 written, $0.0031"."""
    line = f"{usage.input_tokens:,} tokens read, {usage.output_tokens:,} written"
    return f"{line}, {dollars(usage.cost)}" if usage.cost else line


def dollars(cost: float) -> str:
    """An amount of money, with as many places as an answer's cost needs."""
    if 0 < cost < 0.0001:
        return "less than $0.0001"
    return f"${cost:.4f}" if 0 < cost < 0.1 else f"${cost:,.2f}"


def best_words(hit: Hit, query: str) -> str:
    """The sentence of the hit's passages that shares most words with the query; the earlier one among equals."""
    wanted = set(content_stems(query))
    found = [passage.text[start:end] for passage in hit.passages for start, end in sentences(passage.text)]
    if not found:
        return ""
    return max(found, key=lambda text: len(wanted & set(content_stems(text))))


def views_table(ranks: Mapping[str, int], scores: Mapping[str, float]) -> list[str]:
    """Why a paper is found: a line a view of it, with its rank and score there, in columns under a head."""
    names = list(dict.fromkeys([*scores, *ranks]))
    rows = [("view", "rank", "score"), *((
        name, str(ranks.get(name, "-")), f"{scores[name]:.3f}" if name in scores else "-") for name in names)]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [f"{name.ljust(wide[0])}  {rank.rjust(wide[1])}  {score.rjust(wide[2])}" for name, rank, score in rows]


def answer_lines(answer: Answer, width: int = 80) -> Iterator[str]:
    """The whole answer as lines of plain text no wider than ``width`` (a longer word stays whole)."""
    for told in filter(None, (understood_line(answer.rewritten_question), answer.narrowed)):
        yield from wrapped(told, width)
    yield from said_lines(blocks(answer.sentences), answer.references, width)
    if answer.nearest:
        yield from wrapped(NEAREST, width)
        for number, paper in enumerate(answer.nearest, start=1):
            yield from wrapped(f"{paper_line(paper)} {place(paper)}", width, f"{number}. ")
    yield from reference_lines(answer.references, width)
    for note in filter(None, (withheld_line(answer), answer.notice)):
        yield ""
        yield from wrapped(note, width)


def understood_line(question: str | None) -> str | None:
    """How a follow-up was understood; None where it was asked as it stands."""
    return f"Understood as: {question}" if question else None


def said_lines(said: Iterable[tuple[Side, ...]], references: Sequence[Reference], width: int) -> Iterator[str]:
    """Blocks of sentences as lines of plain text: sides under one another, each below its heading."""
    papers = {reference.paper.id: reference.paper for reference in references}
    for number, side in enumerate(side for block in said for side in block):
        if side.heading:
            yield from ("",) * bool(number)
            yield from wrapped(f"{side.heading}:", width)
        for group in paragraphs(side.sentences):
            text = " ".join(map(sentence_text, group))
            if group[0].kind == "quote":
                text = quote_intro(papers[group[0].citations[0].paper_id]) + text
            yield from wrapped(text, width, "- " if group[0].kind == "quote" else "")
        if not side.sentences:
            yield NOTHING


def reference_lines(references: Sequence[Reference], width: int) -> Iterator[str]:
    """The list of references under its heading, nothing without any."""
    if references:
        yield from ("", "References")
    for reference in references:
        mark, _, rest = reference_line(reference).partition(" ")
        yield from wrapped(rest, width, f"{mark} ")


def wrapped(text: str, width: int, lead: str = "") -> list[str]:
    """The text as lines no wider than ``width``, the later ones indented by as much as the lead is long."""
    return textwrap.wrap(text, max(width, 20), initial_indent=lead, subsequent_indent=" " * len(lead),
                         break_long_words=False, break_on_hyphens=False) or [lead.rstrip()]


def escape_markdown(text: str) -> str:
    """Text of papers and models as Markdown that shows it as it is: no markup, no links, no images, no HTML.

    Mathematics between dollar signs stays as it is, so that it can be typeset.
    """
    return _BLOCK.sub(_escaped_block, _inline(" ".join(text.split())))


def _inline(text: str) -> str:
    out: list[str] = []
    at = 0
    for match in _MATHS.finditer(text):
        out += (_escaped(text[at:match.start()]), _without_html(match.group()))
        at = match.end()
    out.append(_escaped(text[at:]))
    return "".join(out)


def _bold(before: str, marked: str, after: str) -> str:
    """The words with the marked ones bold, as Markdown; plain where Markdown has no way to begin or end there."""
    text = before + marked + after
    start, end = whole((len(before), len(before) + len(marked)), (found.span() for found in _MATHS.finditer(text)))
    inner = text[start:end].strip()
    start = text.index(inner, start)
    end = start + len(inner)
    if not inner or not (_parts(text[start - 1:start], inner[0]) and _parts(text[end:end + 1], inner[-1])):
        return escape_markdown(text)
    first, middle, last = (_inline(_BLANKS.sub(" ", piece)) for piece in (text[:start], inner, text[end:]))
    return f"{_BLOCK.sub(_escaped_block, first)}**{middle}**{last}"


def _parts(outside: str, inside: str) -> bool:
    """Whether two asterisks between these characters are emphasis that begins or ends."""
    return unicodedata.category(inside)[0] not in "PS" or not outside or unicodedata.category(outside)[0] in "PSZ"


def whole(span: Span, units: Iterable[Span]) -> Span:
    """The span, widened over the units (formulas) that it begins or ends within."""
    start, end = span
    for first, last in units:
        start = first if first < start < last else start
        end = last if first < end < last else end
    return start, end


def _without_html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped(text: str) -> str:
    return _ACTIVE.sub(r"\\\1", _without_html(text))


def _escaped_block(match: re.Match[str]) -> str:
    mark = match.group(2)
    return f"{match.group(1)}{mark[:-1]}\\{mark[-1]}"


def paper_markdown(paper: Paper) -> str:
    """The paper in one line of Markdown, its label linked where there is an address."""
    address = link(paper)
    label = escape_markdown(paper.label)
    if address and re.fullmatch(r"https?://[^\s<>()\\]+", address):
        label = f"[{label}](<{address}>)"
    parts = [label, escape_markdown(byline(paper))]
    if not address:
        parts.append(escape_markdown(place(paper)))
    if paper.text_kind == "summary":
        parts.append(f"*{SUMMARY}*")
    return ". ".join(part.removesuffix(".") for part in parts if part) + "."


def answer_markdown(answer: Answer) -> str:
    """The answer as a Markdown document: the question as heading, the text, the references, what was withheld."""
    parts = [f"## {escape_markdown(answer.question)}"]
    parts += [f"*{escape_markdown(told)}*" for told in (understood_line(answer.rewritten_question), answer.narrowed)
              if told]
    parts += said_markdown(blocks(answer.sentences), answer.references)
    if answer.nearest:
        parts.append(NEAREST)
        parts.append("\n".join(f"{number}. {paper_markdown(paper)}"
                               for number, paper in enumerate(answer.nearest, start=1)))
    parts += references_markdown(answer.references)
    parts += [f"*{escape_markdown(note)}*" for note in (withheld_line(answer), answer.notice) if note]
    return "\n\n".join(parts) + "\n"


def said_markdown(said: Iterable[tuple[Side, ...]], references: Sequence[Reference]) -> Iterator[str]:
    """Blocks of sentences as blocks of Markdown; sides become the columns of a table."""
    papers = {reference.paper.id: reference.paper for reference in references}
    for block in said:
        columns = [[_paragraph_markdown(group, papers) for group in paragraphs(side.sentences)] for side in block]
        if block[0].name is None:
            yield from (f"- {text}" if group[0].kind == "quote" else text
                        for text, group in zip(columns[0], paragraphs(block[0].sentences), strict=True))
            continue
        rows = zip_longest(*(column or [f"*{NOTHING}*"] for column in columns), fillvalue="")
        yield "\n".join(_row(row) for row in (
            [escape_markdown(side.heading) for side in block], ["---"] * len(block), *rows))


def references_markdown(references: Sequence[Reference]) -> list[str]:
    """The list of references under its heading, nothing without any."""
    listed = [rf"- \[{reference.label}\] {paper_markdown(reference.paper)}" for reference in references]
    return ["### References", "\n".join(listed)] if listed else []


def _paragraph_markdown(group: Sequence[Sentence], papers: Mapping[str, Paper]) -> str:
    text = " ".join(map(_sentence_markdown, group))
    if group[0].kind == "quote":
        return f"{escape_markdown(quote_intro(papers[group[0].citations[0].paper_id]))} {text}"
    return text


def _row(cells: Iterable[str]) -> str:
    # A table takes every bar for its own that has no backslash before it, and takes that backslash away.
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _sentence_markdown(sentence: Sentence) -> str:
    words, *rest = (text for text, _ in sentence_parts(sentence))
    marks = "".join(rest).replace("[", r"\[").replace("]", r"\]").replace(WEAK, f"*{WEAK}*")
    if sentence.marked is None:
        return escape_markdown(words) + marks
    start, end = (words.index(sentence.text) + place for place in sentence.marked)
    return _bold(words[:start], words[start:end], words[end:]) + marks
