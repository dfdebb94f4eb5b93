"""A digest as files that one reads, prints or pastes into a paper."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from rag.errors import VouchError
from rag.survey import Digest
from ui.digest import figures
from ui.digest.bibliography import csl_json
from ui.digest.documents import docx, latex, pdf
from ui.digest.markdown import markdown
from ui.digest.page import page
from ui.export import bibtex, ris
from ui.render import to_json

__all__ = ["FORMATS", "files", "format_of", "write"]

# The longest suffix that fits tells the format.
_SUFFIXES = {
    ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".pdf": "pdf", ".docx": "docx",
    ".tex": "latex", ".bib": "bibtex", ".ris": "ris", ".csl.json": "csl-json", ".json": "json",
}
FORMATS = tuple(dict.fromkeys(_SUFFIXES.values()))


def format_of(path: Path) -> str:
    """The format that a file's name tells.

    Raises:
        VouchError: it tells none.
    """
    name = path.name.lower()
    found = next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), None)
    if found is None:
        raise VouchError(f"The name {path} tells no format: end it in {', '.join(_SUFFIXES)}, or name a format "
                         f"({', '.join(FORMATS)}).")
    return found


def files(digest: Digest, kind: str, name: str) -> Mapping[str, bytes]:
    """The digest in a format: the contents of the files it takes, by name, the document itself first.

    Markdown has its figures beside it, LaTeX its bibliography and its figures; all else is one file.

    Args:
        digest: what to write.
        kind: one of ``FORMATS``.
        name: the document's file name; what stands beside it begins alike.

    Raises:
        VouchError: there is no such format, or what writes it is not installed.
    """
    papers = [reference.paper for reference in digest.references]
    stem = _plain(Path(name).stem)
    if kind == "markdown":
        drawn = {"timeline": figures.timeline(digest), "map": figures.paper_map(digest)}
        pictures = {each: f"{stem}-{each}.svg" for each, svg in drawn.items() if svg}
        return {name: markdown(digest, pictures).encode(),
                **{pictures[each]: _alone(drawn[each]).encode() for each in pictures}}
    if kind == "latex":
        (_, document), *others = latex(digest, stem).items()
        return {name: document, **dict(others)}
    if kind == "html":
        return {name: page(digest).encode()}
    if kind == "pdf":
        return {name: pdf(digest)}
    if kind == "docx":
        return {name: docx(digest)}
    if kind == "bibtex":
        return {name: bibtex(papers).encode()}
    if kind == "ris":
        return {name: ris(papers).encode()}
    if kind == "csl-json":
        return {name: csl_json(papers).encode()}
    if kind == "json":
        return {name: (json.dumps(to_json(digest), ensure_ascii=False, indent=2) + "\n").encode()}
    raise VouchError(f"There is no format {kind!r}: name one of {', '.join(FORMATS)}.")


def write(digest: Digest, path: Path | str, format: str | None = None) -> tuple[Path, ...]:
    """Writes the digest to a file, each whole or not at all.

    Args:
        digest: what to write.
        path: the document; its suffix tells the format unless one is named.
        format: one of ``FORMATS``.

    Returns:
        The files written, the document first.

    Raises:
        VouchError: the name tells no format, what writes it is not installed, or the place cannot be written to.
    """
    path = Path(path)
    made = files(digest, format or format_of(path), path.name)
    return tuple(_written(path.with_name(name), content) for name, content in made.items())


def _written(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise VouchError(f"{path} cannot be written ({error.strerror}): name a file in a folder of yours.") from error
    finally:
        beside.unlink(missing_ok=True)
    return path


def _plain(stem: str) -> str:
    """The stem as LaTeX and Markdown can name a file."""
    bare = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", bare).strip("-") or "digest"


def _alone(svg: str) -> str:
    """The picture as a file of its own, on white: its text is black there."""
    return svg.replace("<svg ", '<svg style="background: #fff" ', 1)
