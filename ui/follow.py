"""`vouch follow`: topics that one follows, and a digest of only what is new on each after an ingest."""

from __future__ import annotations

import argparse
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import VouchError
from rag.schema import Where
from rag.survey import Digest
from ui.arguments import UsageError, where
from ui.digest_text import tell_digest
from ui.followed import Followed, Following
from ui.notebook import NOTEBOOK
from ui.since import day
from ui.survey import written_to
from ui.terminal import Piece, Terminal
from ui.web.filter import phrase

if TYPE_CHECKING:
    from rag.library import Library


def add(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Follows a topic from now on, under a filter where one is given."""
    topic, only = " ".join(args.topic).strip(), where(args)
    if not topic:
        raise UsageError("follow what? Put a topic behind `vouch follow add`")
    if only.added:
        raise UsageError("what is followed is told as it comes: leave out --new-since")
    new = _following(library).add(topic, only, library.papers.newest if library.exists else None)
    if terminal.as_json:
        terminal.document({"topic": topic, "where": only, "added": new})
    else:
        verb = "Following" if new else "Still following"
        terminal.line(f"{verb} {_named(topic, only)}; `vouch follow run` tells what is new.")
    return 0


def listing(_args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Prints the followed topics, and when each was last told of."""
    topics = _following(library).all()
    if terminal.as_json:
        terminal.document({"followed": topics})
        return 0
    if not topics:
        terminal.line("No topic is followed: `vouch follow add TOPIC` follows one.")
    for followed in topics:
        told = f"last run {day(followed.told)}" if followed.told else "not run yet"
        only = f", papers {phrase(followed.where)}" if followed.where else ""
        terminal.line(Piece(followed.topic, "bold"), only, Piece(f" ({told})", "dim"))
    return 0


def remove(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Follows a topic no longer."""
    topic = " ".join(args.topic).strip()
    if not _following(library).remove(topic):
        raise VouchError(f"“{topic}” is not followed: `vouch follow list` shows what is.")
    if terminal.as_json:
        terminal.document({"topic": topic, "removed": True})
    else:
        terminal.line(f"No longer following “{topic}”.")
    return 0


def run(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Makes a digest of what is new on each followed topic; each is told once, and whoever interrupts loses nothing."""
    following = _following(library)
    if not following.all():
        raise VouchError("No topic is followed: `vouch follow add TOPIC` follows one.")
    told: list[dict[str, Any]] = []
    failures: list[str] = []
    with following.running():
        newest = library.papers.newest
        for followed in following.all():
            made = _new(followed, args, library, terminal)
            paths, failed = _files(made, followed, args) if made and args.out is not None else ([], [])
            _tell(followed, made, paths, terminal)
            for failure in failed:
                terminal.tell(f"vouch: {failure}")
            told.append({"topic": followed.topic, "where": followed.where, "since": followed.since, "digest": made,
                         "files": [str(path) for path in paths]})
            failures += failed
            if not failed:
                following.told(followed, newest)
    if terminal.as_json:
        terminal.document({"followed": told})
    return 1 if failures else 0


def _new(followed: Followed, args: argparse.Namespace, library: Library, terminal: Terminal) -> Digest | None:
    """The digest of what is new on a topic; None where nothing is."""
    if not library.papers.where(followed.new):
        return None
    with terminal.progress() as told:
        made = library.digest(followed.topic, followed.new, length=args.length, engine=args.engine,
                              progress=lambda stage, done, total: told(stage, done, total, f"“{followed.topic}”"))
    return made if made.references else None


def _files(made: Digest, followed: Followed, args: argparse.Namespace) -> tuple[list[Path], list[str]]:
    """Writes the digest into the folder, under a name that nothing has yet."""
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return [], [f"{args.out} cannot be made ({error.strerror}): name a folder of yours."]
    plain = unicodedata.normalize("NFKD", followed.topic).encode("ascii", "ignore").decode().lower()
    name = f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')[:60] or 'topic'}-{datetime.now().astimezone().date()}"
    number = 1
    while any(args.out.glob(f"{name}{_suffix(number)}.*")):
        number += 1
    return written_to([args.out / f"{name}{_suffix(number)}.{kind}" for kind in args.formats or ("md",)], made)


def _suffix(number: int) -> str:
    return f"-{number}" if number > 1 else ""


def _tell(followed: Followed, made: Digest | None, paths: list[Path], terminal: Terminal) -> None:
    if terminal.as_json:
        return
    named = _named(followed.topic, followed.where)
    if made is None:
        terminal.line(f"Nothing new on {named}.")
        return
    count = len(made.references)
    terminal.line(Piece(f"{count} new paper{'' if count == 1 else 's'} on {named}", "bold"))
    if paths:
        for path in paths:
            terminal.line(f"Written to {path}.")
    else:
        terminal.blank()
        tell_digest(made, terminal)
        terminal.blank()


def _named(topic: str, only: Where) -> str:
    return f"“{topic}”, papers {phrase(only)}" if only else f"“{topic}”"


def _following(library: Library) -> Following:
    return Following(library.path / NOTEBOOK)
