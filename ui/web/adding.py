"""Adding papers from the page. Once begun, reading them goes on to its end, whether or not the page is still there."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rag.errors import LibraryError, VouchError
from rag.schema import IngestReport
from ui.web.pump import pumped

if TYPE_CHECKING:
    from ingest.pipeline import Progress
    from rag.library import Library

    Tell: TypeAlias = Callable[[Progress], None]

# The folder of a library in which the files stand that were added from the page.
UPLOADS = "uploads"

_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]+")
# The library's own lock makes a second writer fail where it should wait its turn.
_one_at_a_time = threading.Lock()


def added(paths: Sequence[str | Path], library: Library) -> Iterator[str]:
    """Ingest files where they stand, telling in a line each how far it is; the last line is what came of it."""
    from ingest import ingest

    return _told(lambda tell: ingest(paths, library, tell))


def uploaded(copies: Sequence[str | Path], library: Library) -> Iterator[str]:
    """Ingest files that were sent from a browser; tells the same as `added`.

    The library keeps each under its own name: another of that name is its new version.

    Args:
        copies: where the server has put them for the time being; they are removed.
        library: the library.
    """
    from ingest import ingest

    def read(tell: Tell) -> IngestReport:
        total = IngestReport()
        try:
            for copy in map(Path, copies):
                kept = keep(copy, library.path / UPLOADS)
                report = ingest([kept], library, tell)
                if report.failures:
                    kept.unlink(missing_ok=True)
                total = _sum(total, report)
        finally:
            for copy in map(Path, copies):
                copy.unlink(missing_ok=True)
        return total

    return _told(read)


def keep(copy: Path, folder: Path) -> Path:
    """Copy a file into a folder under its own name, in place of one that stood there; returns where it is.

    Raises:
        LibraryError: it cannot be written there.
    """
    target = folder / safe_name(copy.name)
    # Beside it first: half a copy must not take the place of a whole one.
    part = target.with_name(f".{target.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(copy, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise LibraryError(f"{target.name} cannot be kept in {folder} ({error.strerror}): make room there, then add it "
                           "again.") from error
    return target


def safe_name(name: str) -> str:
    """The name without what could lead out of a folder or hide in it."""
    return _UNSAFE.sub("_", name).lstrip(". ") or "papers"


def _told(read: Callable[[Tell], IngestReport]) -> Iterator[str]:
    def work(tell: Callable[[str], None]) -> None:
        try:
            with _one_at_a_time:
                report = read(lambda progress: tell(progress_line(progress)))
        except VouchError as error:
            tell(str(error))
        else:
            tell(report_line(report))

    return pumped(work)


def progress_line(progress: Progress) -> str:
    """How far an ingest is, in a few words."""
    of = f" {progress.done} of {progress.total}" if progress.total else ""
    return f"{progress.stage.capitalize()}{of}: {progress.file}"


def report_line(report: IngestReport) -> str:
    """What an ingest did, in one sentence and, where something was refused, the reasons."""
    did = [f"{report.added:,} paper{'' if report.added == 1 else 's'} added"]
    did += [f"{number} {word}" for number, word in (
        (report.updated, "updated"), (report.duplicates, "recognised as copies"),
        (report.unchanged, "known already")) if number]
    line = ", ".join(did)
    if not report.rejected:
        return f"{line}."
    reasons = "; ".join(f"{rejected.origin.file if not rejected.origin.record else rejected.origin}: "
                        f"{rejected.reason.removesuffix('.')}" for rejected in report.rejected[:3])
    more = f"; and {len(report.rejected) - 3} more" if len(report.rejected) > 3 else ""
    return f"{line}, {len(report.rejected)} rejected ({reasons}{more})."


def _sum(a: IngestReport, b: IngestReport) -> IngestReport:
    return IngestReport(read=a.read + b.read, added=a.added + b.added, updated=a.updated + b.updated,
                        unchanged=a.unchanged + b.unchanged, duplicates=a.duplicates + b.duplicates,
                        rejected=(*a.rejected, *b.rejected))
