"""A person's terminal, or the pipe in its place: wrapped and coloured text, progress, questions, one JSON document.

Rich decides what the terminal can show (``NO_COLOR`` included); it is imported with the first line meant for a person.
"""

from __future__ import annotations

import functools
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TextIO, TypeAlias

from ui.render import to_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.table import Table
    from rich.text import Text

# Told the stage, how much of how much is done, and the file.
Told: TypeAlias = Callable[[str, int, int, str], None]

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINKABLE = re.compile(r"https?://[!-~]+")
_COLUMN = 50  # characters a column of its own needs at least


class Piece(NamedTuple):
    """Text in a style (as rich names them), perhaps a link."""

    text: str
    style: str = ""
    url: str | None = None


class Column(NamedTuple):
    """Paragraphs under a heading."""

    heading: Piece
    paragraphs: Sequence[Sequence[str | Piece]]


class Terminal:
    """Standard output and standard error as one command uses them.

    With ``as_json`` nothing but ``document`` writes to standard output.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet or as_json
        self._out: TextIO = sys.stdout
        self._column = 0
        self._status: Status | None = None

    @property
    def asks(self) -> bool:
        """Whether there is a person to ask."""
        return not self.as_json and sys.stdin.isatty() and self._out.isatty()

    @property
    def shows(self) -> bool:
        """Whether a person looks at standard output, not a file or another program."""
        return self._out.isatty()

    def document(self, value: object) -> None:
        """Writes the one JSON document. Everything beyond ASCII is escaped, so that no encoding can break it."""
        self._out.write(json.dumps(to_json(value), indent=2) + "\n")
        self._out.flush()

    def raw(self, text: str) -> None:
        """Writes a line as it is."""
        self._out.write(_UNSAFE.sub("", text) + "\n")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Work that ``doing`` tells of; whatever it told has vanished when the work ends."""
        try:
            yield
        finally:
            self._end_status()

    def doing(self, words: str) -> None:
        """Shows a person who waits what is going on, on standard error, until the next line is printed."""
        if self.quiet or self._column or not (self.shows and sys.stderr.isatty()):
            return
        if self._status is None:
            from rich.console import Console
            from rich.text import Text

            self._status = Console(stderr=True, highlight=False).status(Text(_UNSAFE.sub("", words), "dim"))
            self._status.start()
        else:
            from rich.text import Text

            self._status.update(Text(_UNSAFE.sub("", words), "dim"))

    def _end_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def fits(self, columns: int) -> bool:
        """Whether a person looks, and the terminal is wide enough for so many columns of text."""
        return self.shows and self._console.width >= columns * _COLUMN

    def beside(self, columns: Sequence[Column]) -> None:
        """Prints the columns side by side where they fit, else one under the other."""
        from rich.console import Group
        from rich.table import Table

        if not self.fits(len(columns)):
            for number, column in enumerate(columns):
                if number:
                    self.blank()
                self.line(column.heading)
                for paragraph in column.paragraphs:
                    self.line(*paragraph, lead="- ")
            return
        self._end_status()
        table = Table.grid(expand=True, padding=(0, 3, 0, 0))
        for _ in columns:
            table.add_column(ratio=1)
        table.add_row(*(_text((column.heading,)) for column in columns))
        table.add_row(*(Group(*map(_hanging, column.paragraphs)) for column in columns))
        self._console.print(table)

    def line(self, *pieces: str | Piece, lead: str | Piece = "", most: int | None = None) -> None:
        """Prints the pieces as one paragraph that hangs under its lead, cut to ``most`` lines where given."""
        self._end_status()
        first = _text((lead,))
        width = max(self._console.width - first.cell_len, 20)
        lines = list(_text(pieces).wrap(self._console, width))
        if most and len(lines) > most:
            lines = lines[:most]
            lines[-1].rstrip()
            lines[-1].truncate(width - 2)
            lines[-1].append(" …")
        for index, line in enumerate(lines or [_text(())]):
            whole = (first if index == 0 else _text((" " * first.cell_len,))) + line
            whole.rstrip()
            self._console.print(whole, soft_wrap=True)

    def flow(self, *pieces: str | Piece) -> None:
        """Prints the pieces where the last ones ended, wrapping between words: for text that arrives bit by bit."""
        from rich.cells import cell_len

        self._end_status()
        text, apart = _text(()), ""
        for piece in pieces:
            part = piece if isinstance(piece, Piece) else Piece(piece)
            for space, word in re.findall(r"(\s*)(\S+|$)", part.text):
                # A piece that ends in a space, or is one, sets the next one apart.
                apart = apart or space
                if not word:
                    continue
                spaced, apart = apart, ""
                if spaced and self._column:
                    fits = self._column + 1 + cell_len(word) <= self._console.width
                    text.append(" " if fits else "\n")
                    self._column = self._column + 1 if fits else 0
                text.append_text(_text((part._replace(text=word),)))
                self._column += cell_len(word)
        self._console.print(text, end="", soft_wrap=True)

    def end_flow(self) -> None:
        """Ends the paragraph that ``flow`` is in, if it is in one."""
        if self._column:
            self._column = 0
            self._console.print()

    def blank(self) -> None:
        """Prints an empty line."""
        self._end_status()
        self._console.print()

    def tell(self, sentence: str) -> None:
        """Says a sentence on standard error."""
        self._end_status()
        sys.stderr.write(f"{_UNSAFE.sub('', sentence)}\n")
        sys.stderr.flush()

    def confirm(self, question: str) -> bool:
        """Asks for a yes; anything else is a no."""
        try:
            return input(f"{question} [y/N] ").strip().casefold() in ("y", "yes")
        except EOFError:
            return False

    @contextmanager
    def progress(self) -> Iterator[Told]:
        """Shows how far long work is on standard error: a bar for a person, a line now and then for a log."""
        if self.quiet:
            yield lambda *_: None
        elif sys.stderr.isatty():
            with _bar() as show:
                yield show
        else:
            yield _log(self.tell)

    @functools.cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=self._out, highlight=False, markup=False, emoji=False)


class _Shown:
    """What has been told of an ingest so far."""

    def __init__(self) -> None:
        self._announced: set[str] = set()

    def news(self, done: int, total: int, file: str) -> str | None:
        """A sentence once a file's first papers can be found although the work goes on."""
        if done == total or file in self._announced:
            return None
        self._announced.add(file)
        return f"The first {done} papers of {file} can be searched already."


@contextmanager
def _bar() -> Iterator[Told]:
    from rich import progress as bars
    from rich.console import Console

    columns = (bars.TextColumn("{task.description}", markup=False), bars.BarColumn(), bars.MofNCompleteColumn(),
               bars.TimeRemainingColumn())
    shown = _Shown()
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=None)

        def show(stage: str, done: int, total: int, file: str) -> None:
            if stage == "searchable":
                if news := shown.news(done, total, file):
                    bar.console.print(_UNSAFE.sub("", news), markup=False, highlight=False)
                return
            bar.update(task, description=_UNSAFE.sub("", f"{stage.capitalize()} {file}"), completed=done, total=total)

        yield show


def _log(tell: Callable[[str], None]) -> Told:
    """A line at every stage of every file, and one every ten seconds between."""
    shown = _Shown()
    last: tuple[str, str, float] = ("", "", 0.0)

    def show(stage: str, done: int, total: int, file: str) -> None:
        nonlocal last
        now = time.monotonic()
        if stage == "searchable":
            if news := shown.news(done, total, file):
                tell(news)
        elif (stage, file) != last[:2] or now - last[2] >= 10:
            last = (stage, file, now)
            count = f": {done} of {total}" if stage != "reading" else ""
            tell(f"{stage.capitalize()} {file}{count}")

    return show


def _hanging(paragraph: Sequence[str | Piece]) -> Table:
    """A paragraph behind a dash, in whatever width it is given."""
    from rich.table import Table

    item = Table.grid()
    item.add_row("- ", _text(tuple(paragraph)))
    return item


def _text(pieces: tuple[str | Piece, ...]) -> Text:
    from rich.style import Style
    from rich.text import Text

    text = Text()
    for piece in pieces:
        part = piece if isinstance(piece, Piece) else Piece(piece)
        style = Style.parse(part.style)
        if part.url and _LINKABLE.fullmatch(part.url):
            style += Style(link=part.url)
        text.append(_UNSAFE.sub("", part.text), style)
    return text
