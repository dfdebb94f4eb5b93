"""A digest's pictures as SVG: the papers by year, and a map of them. Pure.

Every paper is a mark with its number in it; its section tells the mark's colour and its shape, so that colour is never
the only sign. The text takes the colour of the words around (``currentColor``): the pictures stand on light and dark.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rag.schema import Reference
from rag.survey import Digest
from ui.formula import plain
from ui.render import short_year

WIDTH = 720
_MARGIN = 26
# Told apart by people who see few colours (after Okabe and Ito 2008), each with a contrast of 3 or more on light and on
# dark ground; the shapes shift against the colours when both have been used up.
_COLOURS = ("#0072b2", "#d55e00", "#008f68", "#b5539c", "#8a7a00", "#2f8fc4", "#7a68c8", "#767676")
# Corners of each shape on a circle (0: the circle itself), the turn of the first, and its size beside the circle's.
_SHAPES = ((0, 0.0, 1.0), (4, 0.125, 1.22), (3, 0.0, 1.5), (4, 0.0, 1.32), (6, 0.0, 1.15), (3, 0.5, 1.5),
           (5, 0.0, 1.22), (8, 0.0625, 1.1))
# Half of a mark's width, at most and at least; the room that it takes beside it; the highest stack; the most years
# without a paper that are drawn one by one.
_MARK, _SMALLEST, _CELL, _TALLEST, _GAP = 11.0, 3.5, 2.2, 420.0, 5
_HEIGHT = 460
_LEGEND_LINE, _LEGEND_LETTERS = 17, 52


def timeline(digest: Digest) -> str:
    """The papers by year, stacked by section, as an SVG image; empty where no paper has a year."""
    dated: dict[int, list[Reference]] = {}
    places = sections_of(digest)
    for reference in digest.references:
        if reference.paper.year is not None and reference.label in places:
            dated.setdefault(reference.paper.year, []).append(reference)
    if not dated:
        return ""
    slots = _slots(dated)
    column = (WIDTH - 2 * _MARGIN) / len(slots)
    size = _mark_size(max(map(len, dated.values())), column)
    across, cell = _across(column, size), _CELL * size
    ground = 30 + math.ceil(max(map(len, dated.values())) / across) * cell
    named = math.ceil(40 / column)
    out = [f'<line x1="{_MARGIN}" x2="{WIDTH - _MARGIN}" y1="{ground:.1f}" y2="{ground:.1f}" stroke="currentColor"/>']
    for slot, year in enumerate(slots):
        middle = _MARGIN + (slot + 0.5) * column
        if year is None or slot % named == 0:
            out.append(_text(middle, ground + 16, "…" if year is None else str(year), 12))
        papers = sorted(dated.get(year or 0, ()), key=lambda reference: (places[reference.label], reference.label))
        for number, reference in enumerate(papers):
            row, place = divmod(number, across)
            wide = min(across, len(papers) - row * across)
            out.append(_mark(reference, places[reference.label], middle + (place - (wide - 1) / 2) * cell,
                             ground - 4 - size - row * cell, size))
        if papers:
            top = ground - 8 - math.ceil(len(papers) / across) * cell
            out.append(_text(middle, top, str(len(papers)), 11, opacity=0.75))
    labels = {year: sorted(reference.label for reference in dated[year]) for year in sorted(dated)}
    described = "; ".join(f"{year}: {', '.join(map(str, found))}" for year, found in labels.items())
    counts = Counter(places[label] for found in labels.values() for label in found)
    legend, height = _legend(digest, ground + 34, counts)
    return _svg("Papers by year", described, [*out, *legend], height)


def paper_map(digest: Digest) -> str:
    """The papers on a plane where near ones are alike, as an SVG image; empty with fewer than two."""
    references = {reference.label: reference for reference in digest.references}
    points = [point for point in digest.map if point.label in references]
    if len(points) < 2:
        return ""
    size = _MARK if len(points) <= 60 else 9.0
    wide, high = WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    spots = _apart([(_MARGIN + _unit(point.x) * wide, _MARGIN + (1 - _unit(point.y)) * high) for point in points],
                   2.5 * size)
    out = [f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{_HEIGHT - 1}" rx="6" fill="none" stroke="currentColor" '
           'stroke-opacity="0.25"/>']
    out += [_mark(references[point.label], point.section, x, y, size)
            for point, (x, y) in zip(points, spots, strict=True)]
    counts = Counter(point.section for point in points)
    legend, height = _legend(digest, _HEIGHT + 22, counts)
    described = "; ".join(
        f"{_heading(digest, section)}: {', '.join(str(point.label) for point in points if point.section == section)}"
        for section in sorted(counts))
    return _svg("Map of the papers", f"Papers that are alike lie near each other. {described}", [*out, *legend], height)


def sections_of(digest: Digest) -> Mapping[int, int]:
    """The section, counted from 0, that each paper's mark is of: as the map has it, else the first it stands in."""
    labels = {reference.paper.id: reference.label for reference in digest.references}
    found = {point.label: point.section for point in digest.map}
    for number, section in enumerate(digest.sections):
        for paper_id in section.papers:
            if paper_id in labels:
                found.setdefault(labels[paper_id], number)
    return found


def _slots(years: Iterable[int]) -> list[int | None]:
    """The years in a row; None for a time of many years without a paper."""
    slots: list[int | None] = []
    before = None
    for year in sorted(years):
        if before is not None:
            slots += range(before + 1, year) if year - before <= _GAP else [None]
        slots.append(year)
        before = year
    return slots


def _mark_size(count: int, column: float) -> float:
    """Half of the width of a mark: the largest with which the highest stack is not too tall."""
    size = min(_MARK, column / _CELL)
    while size > _SMALLEST and math.ceil(count / _across(column, size)) * _CELL * size > _TALLEST:
        size -= 0.5
    return max(_SMALLEST, size)


def _across(column: float, size: float) -> int:
    """How many marks stand beside each other in a year's column, some of it left free."""
    return max(1, int(max(column - 6, 0.8 * column) // (_CELL * size)))


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))


def _apart(spots: Sequence[tuple[float, float]], least: float) -> list[tuple[float, float]]:
    """The spots, moved until no two are nearer than that, within the frame; or as far apart as there is room."""
    moved = [list(spot) for spot in spots]
    for _ in range(80):
        still = True
        for i, a in enumerate(moved):
            for j in range(i):
                b = moved[j]
                dx, dy = a[0] - b[0], a[1] - b[1]
                if abs(dx) >= least or abs(dy) >= least or (far := math.hypot(dx, dy)) >= least:
                    continue
                still = False
                # Two on one spot part in a direction of their own.
                dx, dy = (dx / far, dy / far) if far > 1e-6 else (math.cos(i * 2.4), math.sin(i * 2.4))
                push = (least - far) / 2 + 0.05
                for spot, way in ((a, push), (b, -push)):
                    spot[0] = min(WIDTH - _MARGIN, max(_MARGIN, spot[0] + dx * way))
                    spot[1] = min(_HEIGHT - _MARGIN, max(_MARGIN, spot[1] + dy * way))
        if still:
            break
    return [(x, y) for x, y in moved]


def _mark(reference: Reference, section: int, x: float, y: float, size: float) -> str:
    """A paper's mark with its number, and its title to read when one points at it."""
    year = short_year(reference.paper)
    told = f"[{reference.label}] {plain(reference.paper.label)}{f' ({year})' if year else ''}"
    number = _text(x, y + size * 0.36, str(reference.label), size * (1.0 if reference.label < 100 else 0.85)) if (
        size >= 6) else ""
    return (f'<g class="mark" data-label="{reference.label}"><title>{html.escape(told)}</title>'
            f"{_shape(section, x, y, size)}{number}</g>")


def _shape(section: int, x: float, y: float, size: float) -> str:
    colour = _COLOURS[section % len(_COLOURS)]
    corners, turn, scale = _SHAPES[(section + section // len(_COLOURS)) % len(_SHAPES)]
    look = f'fill="{colour}" fill-opacity="0.2" stroke="{colour}" stroke-width="1.8"'
    if not corners:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" {look}/>'
    radius = size * scale
    # A triangle's middle lies lower than that of its circle, or higher.
    down = (0.25 if turn == 0 else -0.25) * radius if corners == 3 else 0
    angles = (2 * math.pi * (corner / corners + turn) - math.pi / 2 for corner in range(corners))
    spots = " ".join(f"{x + radius * math.cos(a):.1f},{y + down * 0.6 + radius * math.sin(a):.1f}" for a in angles)
    return f'<polygon points="{spots}" {look} stroke-linejoin="round"/>'


def _legend(digest: Digest, top: float, counts: Mapping[int, int]) -> tuple[list[str], float]:
    """A line or more for each section, in two columns, and where the picture ends below them."""
    lines = [(section, textwrap.wrap(f"{_heading(digest, section)} ({counts[section]})", _LEGEND_LETTERS)[:3])
             for section in sorted(counts)]
    out: list[str] = []
    y = top
    for start in range(0, len(lines), 2):
        row = lines[start:start + 2]
        for place, (section, words) in enumerate(row):
            x = _MARGIN - 12 + place * WIDTH / 2
            out.append(_shape(section, x, y, 6))
            out += [_text(x + 16, y + 4 + number * _LEGEND_LINE, line, 12, anchor="start")
                    for number, line in enumerate(words)]
        y += max(len(words) for _, words in row) * _LEGEND_LINE + 6
    return out, y


def _heading(digest: Digest, section: int) -> str:
    return plain(digest.sections[section].heading) if section < len(digest.sections) else f"Section {section + 1}"


def _text(x: float, y: float, words: str, size: float, *, anchor: str = "middle", opacity: float = 1.0) -> str:
    faint = f' fill-opacity="{opacity}"' if opacity < 1 else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" text-anchor="{anchor}" fill="currentColor"{faint}>'
            f"{html.escape(words)}</text>")


def _svg(title: str, described: str, parts: Iterable[str], height: float) -> str:
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" role="img" aria-label="{html.escape(title)}" '
            "font-family=\"'Liberation Sans', 'DejaVu Sans', sans-serif\">"
            f"<title>{html.escape(title)}</title><desc>{html.escape(described)}</desc>{''.join(parts)}</svg>")
