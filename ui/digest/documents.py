"""A digest as PDF, DOCX and LaTeX, by pandoc and typst, which come with the extra ``vouch[export]``.

Pandoc is given its own document tree, not text in some markup: whatever a title holds, it is words.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from rag.errors import VouchError
from rag.survey import Digest
from ui.digest.document import Bibliography, Block, Grid, Heading, Items, Paragraph, Picture, Run, document, merged
from ui.digest.word import dressed, turned
from ui.export import bibtex
from ui.formula import pieces, plain

if TYPE_CHECKING:
    from types import ModuleType

Node: TypeAlias = dict[str, Any]
Target = Literal["typst", "docx", "latex"]

MISSING = ('PDF, DOCX and LaTeX are written by pandoc and typst, which are not installed: run '
           '`pip install "vouch[export]"` from the project\'s folder '
           "(`.venv/bin/python -m pip install pypandoc-binary typst`), or write .html or .md.")
_API = [1, 23, 1]
_PLAIN: Node = {"t": "AlignDefault"}
_NOTHING = ["", [], []]
_STARTS = re.compile(r"[-=+/]|\d+\.")


def pdf(digest: Digest) -> bytes:
    """The digest as a PDF, typeset by typst.

    Raises:
        VouchError: the extra is not installed.
    """
    typst = _typst()
    blocks = document(digest)
    inputs = {block.name: block.svg for block in blocks if isinstance(block, Picture)}
    preamble = files(__package__).joinpath("digest.typ").read_text(encoding="utf-8")
    named = {"title": plain(digest.title or digest.topic or "Digest"), **inputs}

    def made(*, typeset: bool) -> bytes:
        source = preamble + _pandoc(_Tree("typst", typeset=typeset).blocks(blocks), "typst")
        return bytes(typst.compile(source.encode(), format="pdf", sys_inputs=named))

    try:
        return made(typeset=True)
    except typst.TypstError:
        # Pandoc writes an odd sign under a name that this typst does not know: then formulas stand in plain characters.
        return made(typeset=False)


def docx(digest: Digest) -> bytes:
    """The digest as a Word document.

    Raises:
        VouchError: the extra is not installed.
    """
    blocks = document(digest)
    with tempfile.TemporaryDirectory() as folder:
        pictures = {}
        for block in blocks:
            if isinstance(block, Picture):
                path = Path(folder, f"{block.name}.png")
                path.write_bytes(_drawn(block.svg, "png"))
                pictures[block.name] = str(path)
        target = Path(folder, "digest.docx")
        tree = _Tree("docx", pictures=pictures)
        _pandoc(tree.blocks(blocks), "docx", target, title=tree.title(blocks))
        return dressed(target.read_bytes())


def latex(digest: Digest, stem: str) -> Mapping[str, bytes]:
    """The digest as LaTeX with what stands beside it: the document, its ``.bib`` and its figures, by file name.

    Args:
        digest: what to write.
        stem: what the files' names begin with: letters, figures and dashes.

    Raises:
        VouchError: the extra is not installed.
    """
    blocks = document(digest)
    found = {f"{stem}-{block.name}.pdf": _drawn(block.svg, "pdf") for block in blocks if isinstance(block, Picture)}
    pictures = {block.name: f"{stem}-{block.name}.pdf" for block in blocks if isinstance(block, Picture)}
    tree = _Tree("latex", pictures=pictures, bibliography=stem)
    text = _pandoc(tree.blocks(blocks), "latex", title=tree.title(blocks))
    papers = [reference.paper for reference in digest.references]
    return {f"{stem}.tex": text.encode(), f"{stem}.bib": bibtex(papers).encode(), **found}


class _Tree:
    """Blocks as pandoc's document tree, with what a format needs in its own language."""

    def __init__(self, target: Target, *, pictures: Mapping[str, str] | None = None, bibliography: str = "",
                 typeset: bool = True) -> None:
        self._target = target
        self._pictures = pictures or {}
        self._bibliography = bibliography
        self._typeset = typeset

    def blocks(self, blocks: Sequence[Block]) -> list[Node]:
        return [node for block in blocks for node in self._block(block)]

    def title(self, blocks: Sequence[Block]) -> list[Node]:
        """The words of the document's title."""
        return next(self._text(block.text) for block in blocks if isinstance(block, Heading))

    def _block(self, block: Block) -> Iterator[Node]:
        if isinstance(block, Heading):
            yield from self._heading(block)
        elif isinstance(block, Paragraph):
            yield _para(self._runs(block.runs))
        elif isinstance(block, Items):
            yield {"t": "BulletList", "c": [[_para(self._runs(runs))] for runs in block.items]}
        elif isinstance(block, Grid):
            yield from self._around([*self._heading(block.heading)], self._grid(block))
        elif isinstance(block, Picture):
            yield self._picture(block)
        else:
            yield from self._references(block)

    def _heading(self, heading: Heading) -> Iterator[Node]:
        words = self._text(heading.text)
        if heading.level > 1:
            # Beside a title of its own, as LaTeX and Word have, a section is of the first level.
            level = heading.level - (self._target != "typst")
            yield {"t": "Header", "c": [level, _NOTHING, words]}
        elif self._target == "typst":
            yield {"t": "Header", "c": [1, _NOTHING, words]}

    def _around(self, heading: list[Node], grid: Node) -> Iterator[Node]:
        """The table under its heading, where it has room and in small type."""
        if self._target == "typst":
            yield from (_raw("typst", "#page(flipped: true)["), *heading, _raw("typst", "#set text(size: 8pt)"), grid,
                        _raw("typst", "]"))
        elif self._target == "latex":
            yield from (*heading, _raw("latex", r"\begingroup\scriptsize\raggedright"), grid,
                        _raw("latex", r"\endgroup"))
        else:
            yield from (_raw("openxml", turned(landscape=False)), *heading, grid,
                        _raw("openxml", turned(landscape=True)))

    def _grid(self, grid: Grid) -> Node:
        def cell(words: list[Node]) -> list[Any]:
            return [_NOTHING, _PLAIN, 1, 1, [{"t": "Plain", "c": words}] if words else []]

        columns = [[_PLAIN, {"t": "ColWidth", "c": share}] for share in grid.shares]
        head = [_NOTHING, [cell([{"t": "Strong", "c": self._text(name)}]) for name in grid.head]]
        rows = [[_NOTHING, [cell(self._runs(runs)) for runs in row]] for row in grid.rows]
        caption = [None, [{"t": "Plain", "c": self._text(grid.caption)}]]
        return {"t": "Table", "c": [_NOTHING, caption, columns, [_NOTHING, [head]], [[_NOTHING, 0, [], rows]],
                                    [_NOTHING, []]]}

    def _picture(self, picture: Picture) -> Node:
        if self._target == "typst":
            image = (f'#image(bytes(sys.inputs.{picture.name}), format: "svg", width: 100%, '
                     f"alt: {json.dumps(plain(picture.text), ensure_ascii=False)})")
            shown: Node = {"t": "RawInline", "c": ["typst", image]}
        else:
            size: list[Any] = ["", [], [["width", "100%"]]]
            shown = {"t": "Image", "c": [size, self._text(picture.text), [self._pictures[picture.name], ""]]}
        caption = [None, [{"t": "Plain", "c": self._text(picture.caption)}]]
        return {"t": "Figure", "c": [_NOTHING, caption, [{"t": "Plain", "c": [shown]}]]}

    def _references(self, block: Bibliography) -> Iterator[Node]:
        if self._target == "latex":
            # The bibliography brings a heading of its own.
            yield _raw("latex", "\\nocite{*}\n\\bibliographystyle{unsrtnat}\n"
                                f"\\bibliography{{{self._bibliography}}}")
            return
        yield from self._heading(block.heading)
        for label, key, runs in block.entries:
            words = [*_words(f"[{label}] "), *self._runs(runs), *_words(" "), {"t": "Code", "c": [_NOTHING, key]}]
            yield {"t": "Div", "c": [[f"ref-{label}", [], []], [_para(words)]]}

    def _runs(self, runs: Sequence[Run]) -> list[Node]:
        return [node for group in merged(runs) for node in self._group(group)]

    def _group(self, group: Sequence[Run]) -> Iterator[Node]:
        first = group[0]
        if first.role == "cite" and self._target == "latex":
            mode = {"citationPrefix": [], "citationSuffix": [], "citationMode": {"t": "NormalCitation"},
                    "citationNoteNum": 0, "citationHash": 0}
            yield {"t": "Cite", "c": [[{"citationId": run.target, **mode} for run in group], _words("?")]}
        elif first.role == "cite":
            yield from (_link(_words(f"[{run.text}]"), f"#ref-{run.text}") for run in group)
        elif first.role == "link":
            yield _link(self._text(first.text), first.target)
        elif first.role in ("strong", "aside"):
            yield {"t": "Strong" if first.role == "strong" else "Emph", "c": self._text(first.text)}
        else:
            yield from self._text(first.text)

    def _text(self, text: str) -> list[Node]:
        lead, tail = ([{"t": "Space"}] if edge.isspace() else [] for edge in (text[:1], text[1:][-1:]))
        nodes: list[Node] = []
        for piece in pieces(text):
            if isinstance(piece, str):
                # Pandoc does not see that a cell or a link begins a line, where these begin a heading or a list.
                guard = self._target == "typst" and not nodes and _STARTS.match(piece)
                nodes += [{"t": "RawInline", "c": ["typst", '#""']}] * bool(guard) + _words(piece)
            elif self._typeset:
                nodes.append({"t": "Math", "c": [{"t": "InlineMath"}, piece.tex]})
            else:
                nodes += _words(piece.plain)
        return [*lead, *nodes, *tail]


def _words(text: str) -> list[Node]:
    nodes: list[Node] = []
    for number, word in enumerate(text.split(" ")):
        if number:
            nodes.append({"t": "Space"})
        if word:
            nodes.append({"t": "Str", "c": word})
    return nodes


def _para(words: list[Node]) -> Node:
    return {"t": "Para", "c": words}


def _link(words: list[Node], target: str) -> Node:
    return {"t": "Link", "c": [_NOTHING, words, [target, ""]]}


def _raw(language: str, text: str) -> Node:
    return {"t": "RawBlock", "c": [language, text]}


def _pandoc(tree: list[Node], to: Target, target: Path | None = None, title: Sequence[Node] = ()) -> str:
    """The tree as text of that format, or written to the target."""
    pypandoc = _import("pypandoc")
    meta: Node = {"title": _inlines(title)} if title else {}
    options = ["--wrap=none"]
    if to == "latex":
        meta |= {"natbiboptions": _inlines(_words("numbers")),
                "geometry": _inlines(_words("margin=2.5cm")), "colorlinks": {"t": "MetaBool", "c": True}}
        options += ["--standalone", "--natbib"]
    text = json.dumps({"pandoc-api-version": _API, "meta": meta, "blocks": tree})
    try:
        # Quotation marks stay the signs that they are.
        return str(pypandoc.convert_text(text, "latex-smart" if to == "latex" else to, format="json",
                                         extra_args=options, outputfile=None if target is None else str(target)))
    except OSError as error:
        raise VouchError(MISSING) from error


def _inlines(words: Sequence[Node]) -> Node:
    return {"t": "MetaInlines", "c": list(words)}


def _drawn(svg: str, kind: Literal["png", "pdf"]) -> bytes:
    """The picture by itself on a page of its size."""
    source = ("#set page(width: auto, height: auto, margin: 2pt)\n"
              '#image(bytes(sys.inputs.svg), format: "svg", width: 480pt)')
    return bytes(_typst().compile(source.encode(), format=kind, ppi=200, sys_inputs={"svg": svg}))


def _typst() -> ModuleType:
    return _import("typst")


def _import(name: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise VouchError(MISSING) from error
