"""`vouch digest`: a survey of a topic, to read or to write to files; its outline; or what is new since."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import SourceError, VouchError
from rag.schema import Where
from rag.survey import Digest, News, Outline, Step
from ui import render
from ui.arguments import UsageError, where
from ui.digest_text import tell_digest
from ui.stopped import stopped
from ui.terminal import Piece, Terminal

if TYPE_CHECKING:
    from rag.library import Library


def digest(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Makes the digest, its outline, or the update of one; 130 where it was interrupted and what was done is kept."""
    topic = " ".join(args.topic).strip()
    only = where(args)
    _agree(args, topic, only)
    if args.update is not None:
        return _update(args, library, terminal)
    outline = _outline_of(args.from_outline) if args.from_outline else None
    if args.outline:
        return _tell_outline(args, outline or library.outline(topic, only, args.length, args.engine), library, terminal)
    last, whole = _made(args, topic, only, outline, library, terminal)
    failures = _give(last.digest if whole else stopped(last), args, terminal)
    if not whole:
        terminal.tell(f"vouch: interrupted while {last.stage} ({last.done} of {last.total}); what was done is kept")
        return 130
    return 1 if failures else 0


def _agree(args: argparse.Namespace, topic: str, only: Where) -> None:
    """Whether the arguments go together.

    Raises:
        UsageError: they do not.
    """
    from ui.digest import format_of

    given = [name for name, value in (("--update", args.update), ("--from-outline", args.from_outline)) if value]
    if len(given) > 1 or (args.update and args.outline):
        raise UsageError("--update, --from-outline and --outline each make a digest of their own: give one of them")
    if given and (topic or only):
        raise UsageError(f"{given[0]} goes by the topic and the filter of its file: leave out yours")
    if not given and not topic and not only:
        raise UsageError("digest what? Put a topic behind `vouch digest`, or give a filter (--since, --new-since, …)")
    for path in args.out:
        try:
            kind = format_of(path)
        except VouchError as error:
            raise UsageError(f"the name {path} tells no format: end it in .md, .html, .pdf, .docx, .tex, .bib, .ris, "
                             ".csl.json or .json") from error
        if args.outline and kind != "json":
            raise UsageError(f"an outline is written as JSON: end {path} in .json")


def _made(args: argparse.Namespace, topic: str, only: Where, outline: Outline | None, library: Library,
          terminal: Terminal) -> tuple[Step, bool]:
    """The last step, and whether it is the last of all: whoever interrupts keeps the sections that are there."""
    last: Step | None = None
    try:
        with terminal.progress() as told, closing(
                library.digest_steps(topic, only, outline, args.length, args.engine)) as steps:
            for step in steps:
                last = step
                told(step.stage, step.done, step.total, f"“{step.digest.title or 'the papers'}”")
    except KeyboardInterrupt:
        if last is None or not last.digest.sections:
            raise
        return last, False
    assert last is not None, "a digest always has steps"
    return last, True


def _give(made: Digest, args: argparse.Namespace, terminal: Terminal, news: News | None = None,
          also: Sequence[Path] = ()) -> list[str]:
    """Prints the digest, or writes it where it was asked for; returns what could not be written."""
    written, failures = written_to([*also, *args.out], made)
    if terminal.as_json:
        document = render.to_json(made) | ({"news": render.to_json(news)} if news else {})
        terminal.document(document | ({"files": [str(path) for path in written]} if args.out or also else {}))
    elif args.out or also:
        if news is None:
            terminal.line(Piece(made.title, "bold"))
            for note in filter(None, (made.scope, made.notice)):
                terminal.line(Piece(note, "dim"))
        for path in written:
            terminal.line(f"Written to {path}.")
    elif news is None:
        tell_digest(made, terminal, withheld=args.withheld)
    for failure in failures:
        terminal.tell(f"vouch: {failure}")
    return failures


def written_to(paths: Sequence[Path], made: Digest) -> tuple[list[Path], list[str]]:
    """Writes the digest to all of these files, and tells what was written and why the others were not."""
    from ui.digest import write

    written: list[Path] = []
    failures: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            written += write(made, path)
        except VouchError as error:
            failures.append(" ".join(str(error).split()))
    return written, failures


def _update(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Brings the file up to date and says what changed; where nothing did, it stays as it is."""
    from rag.digest.reading import from_json

    old = from_json(_read(args.update))
    with terminal.progress() as told:
        made, news = library.update(old, lambda stage, done, total: told(stage, done, total, f"“{old.title}”"),
                                    args.engine)
    changed = bool(news.added or news.gone)
    if not terminal.as_json:
        terminal.line(news.told)
        labels = {reference.paper.id: reference for reference in made.references}
        for paper_id in news.added:
            reference = labels[paper_id]
            terminal.line(render.paper_line(reference.paper), Piece(f" [{reference.label}]", "cyan"), lead="+ ")
        for gone in news.gone:
            terminal.line(gone, lead="- ")
    failures = _give(made, args, terminal, news, [args.update] if changed else ())
    return 1 if failures else 0


def _outline_of(path: Path) -> Outline:
    from rag.digest.reading import outline_from_json

    return outline_from_json(_read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}): name a file that `vouch digest` wrote as JSON."
                          ) from error


def _tell_outline(args: argparse.Namespace, outline: Outline, library: Library, terminal: Terminal) -> int:
    """Prints the outline, or writes it to be edited: with the papers' titles, which nothing reads back."""
    from ui.commands import write_text

    titles = {paper_id: library.papers[paper_id].label for paper_id in outline.papers if paper_id in library.papers}
    document = render.to_json(outline) | {"titles": titles}
    for path in args.out:
        import json

        write_text(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    if terminal.as_json:
        terminal.document(document)
        return 0
    tell_outline(outline, titles, terminal)
    for path in args.out:
        terminal.line(f"Written to {path}; edit it, then `vouch digest --from-outline {path}`.")
    return 0


def tell_outline(outline: Outline, titles: Mapping[str, str], terminal: Terminal) -> None:
    """Prints title, scope, headings and the papers under each."""
    terminal.line(Piece(outline.title, "bold"))
    for note, style in ((outline.scope, "dim"), (outline.notice, "yellow")):
        if note:
            terminal.line(Piece(note, style))
    for group in outline.groups:
        terminal.blank()
        terminal.line(Piece(group.heading, "bold"), Piece(f" ({len(group.papers)})", "dim"))
        for paper_id in group.papers:
            terminal.line(titles.get(paper_id, paper_id), lead="- ")
