"""The page's digests: outlines, digests under way, those that are kept, and their files. Knows no Gradio.

A digest that is under way goes on without its page, and is kept; who stops it keeps what is done.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import NoPaperError, VouchError
from rag.schema import Where
from rag.survey import Digest, Length, Outline, Stage, Step
from ui.drawer import Drawer, Kept
from ui.formula import plain
from ui.notebook import new_id
from ui.render import to_json
from ui.stopped import stopped
from ui.web.digest_html import digest_html
from ui.web.live import Live

if TYPE_CHECKING:
    from rag.library import Library

_SUFFIXES = {"markdown": "md", "html": "html", "pdf": "pdf", "docx": "docx", "latex": "tex", "bibtex": "bib",
             "json": "json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a digest under way is: the stage, the page's HTML where it is new, and at its end what went wrong."""

    stage: Stage = "searching"
    done: int = 0
    total: int = 1
    html: str | None = None
    over: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to be sent: its name, and what is in it."""

    name: str
    content: bytes


class Digests:
    """The digests of everybody who has the page open, over one library."""

    def __init__(self, library: Library, drawer: Drawer) -> None:
        self.library = library
        self.drawer = drawer
        self._live: dict[str, Live[State]] = {}

    def outline(self, topic: str, where: Where | None, length: Length) -> dict[str, Any]:
        """What a digest would be about, with the papers' titles, for the page to be edited on."""
        outline = self.library.outline(topic, where, length)
        papers = {paper_id: self.library.papers[paper_id] for paper_id in outline.papers}
        fields: dict[str, Any] = to_json(outline)
        return fields | {"titles": {paper_id: plain(paper.label) for paper_id, paper in papers.items()}}

    def begin(self, outline: Outline) -> str:
        """Begins to write an outline; returns the digest's id."""
        id_ = new_id()
        live = self._live[id_] = Live[State]()
        live.start(self._written(id_, outline, live))
        return id_

    def watch(self, id_: str) -> Iterator[State]:
        """How far a digest is, again and again until it is over; one that is kept is over already."""
        live = self._live.get(id_)
        if live is not None:
            yield from live.watch()
            return
        try:
            yield State(over=True, html=digest_html(self.get(id_)))
        except VouchError as error:
            yield State(over=True, error=_sentence(error))

    def stop(self, id_: str) -> None:
        """Stops the digest if it is under way; what is done is kept."""
        if live := self._live.get(id_):
            live.stop()

    def kept(self) -> tuple[Kept, ...]:
        """The digests that are kept, the last first."""
        return self.drawer.all()

    def get(self, id_: str) -> Digest:
        """A digest that is kept.

        Raises:
            NoPaperError: there is none of that id.
        """
        digest = self.drawer.get(id_)
        if digest is None:
            raise NoPaperError("This digest is not kept any more.")
        return digest

    def forget(self, id_: str) -> None:
        """Forgets a digest, and stops it where it is under way."""
        self.stop(id_)
        self.drawer.forget(id_)

    def file(self, id_: str, kind: str) -> File:
        """The digest in a format; what takes several files comes as a ZIP archive.

        Raises:
            VouchError: there is no such digest or format, or what writes it is not installed.
        """
        from ui.digest import files

        digest = self.get(id_)
        stem = re.sub(r"[^A-Za-z0-9]+", "-", digest.title).strip("-").lower()[:60] or "digest"
        made = files(digest, kind, f"{stem}.{_SUFFIXES.get(kind, kind)}")
        if len(made) == 1:
            [(name, content)] = made.items()
            return File(name=name, content=content)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in made.items():
                archive.writestr(name, content)
        return File(name=f"{stem}-{kind}.zip", content=packed.getvalue())

    def _written(self, id_: str, outline: Outline, live: Live[State]) -> Iterator[State]:
        last: Step | None = None
        shown: Digest | None = None
        try:
            with closing(self.library.digest_steps(outline.topic, outline=outline)) as steps:
                for step in steps:
                    news = step.digest.sections and step.digest is not shown
                    last, shown = step, step.digest
                    yield State(stage=step.stage, done=step.done, total=step.total,
                                html=digest_html(step.digest) if news else None)
                    if live.given_up():
                        break
            yield self._over(id_, last, gave_up=live.given_up())
        except VouchError as error:
            yield State(over=True, error=_sentence(error))
        except Exception:
            yield State(over=True, error="Something broke inside Vouch; its log tells what.")
            raise
        finally:
            self._live.pop(id_, None)

    def _over(self, id_: str, last: Step | None, *, gave_up: bool) -> State:
        """The last state: the digest is kept, whole or as far as it came."""
        if last is None or (gave_up and not last.digest.sections):
            return State(over=True, error="Stopped before anything was written.")
        whole = last.stage == "summarising" and last.done == last.total
        made = last.digest if whole else stopped(last)
        if made.sections:
            self.drawer.keep(made, id_)
        return State(stage=last.stage, done=last.done, total=last.total, html=digest_html(made), over=True)


def _sentence(error: object) -> str:
    return " ".join(str(error).split())
