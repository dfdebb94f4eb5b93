"""Listings in, papers in the library: read, recognise, embed, store. Idempotent, and whole at every moment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ingest.dedupe import keys, same_paper
from ingest.formats import read
from rag.errors import SourceError
from rag.library import Library
from rag.marked import encodable
from rag.schema import IngestReport, Origin, Paper, Rejected
from rag.store import Store
from rag.tables import Source
from rag.writing import Writing

# Papers a write takes: some seconds of embedding, which is what a kill can cost and a second writer waits for.
_BATCH = 128
# What of a folder is read; a file that is named by itself may be called anything.
_SUFFIXES = frozenset({".txt", ".text", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".bib", ".bibtex", ".ris"})

Change = Literal["added", "updated", "unchanged", "duplicates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an ingest is. ``done`` of ``total`` records of ``file`` have passed the stage.

    "searchable" comes after each batch: so many of the file's papers can be found already.
    """

    stage: Literal["reading", "embedding", "searchable"]
    done: int
    total: int
    file: str


def ingest(inputs: Sequence[str | Path], library: Library, progress: Callable[[Progress], None] | None = None,
           *, prune: bool = False) -> IngestReport:
    """Reads files and folders of papers into the library.

    A file read before is not read again. An input that cannot be read at all does not stop the others: it is reported
    as a rejected record number 0 (`IngestReport.failures`).

    Args:
        inputs: paths of files or folders.
        library: where the papers go; made if it does not exist.
        progress: told about every step.
        prune: also remove the papers that no file describes any more.

    Raises:
        LibraryError: the library cannot be written; what was written before stays.
    """
    report = IngestReport()
    tell = progress or (lambda _: None)
    for given in inputs:
        try:
            paths = _files(given)
        except SourceError as error:
            report = _add(report, _failure(given, error))
            continue
        for path in paths:
            try:
                report = _add(report, _ingest_file(path, library.store, tell))
            except SourceError as error:
                report = _add(report, _failure(path, error))
    if prune and library.exists:
        library.prune()
    return report


def _failure(given: str | Path, error: SourceError) -> IngestReport:
    origin = Origin(file=Path(given).name, record=0, uri=str(given))
    return IngestReport(rejected=(Rejected(origin=origin, reason=str(error)),))


def _files(given: str | Path) -> list[Path]:
    """The files an input stands for.

    Raises:
        SourceError: it stands for none, or cannot be looked at.
    """
    try:
        return _found(given)
    except OSError as error:
        raise SourceError(f"{given} cannot be looked at ({error.strerror}): check the path and its permissions."
                          ) from error


def _found(given: str | Path) -> list[Path]:
    if not str(given):
        raise SourceError("An empty path names nothing: give a file or a folder.")
    if str(given).startswith(("http://", "https://")):
        raise SourceError(f"{given} is an address: save the page or download the file, then ingest that.")
    path = Path(given).expanduser()
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file()
                       and not any(part.startswith(".") for part in p.relative_to(path).parts))
        if not found:
            raise SourceError(f"The folder {given} holds no listing ({', '.join(sorted(_SUFFIXES))}): name a file.")
        return found
    if not path.is_file():
        raise SourceError(f"There is no file or folder {given}: check the path.")
    return [path]


def _ingest_file(path: Path, store: Store, tell: Callable[[Progress], None]) -> IngestReport:
    # A name that is no text in UTF-8 is kept as near to it as text can be.
    uri, name = encodable(str(path.resolve())), encodable(path.name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error
    digest = hashlib.sha256(data).hexdigest()
    known = store.catalogue.source(uri) if store.exists else None
    if known is not None and known.sha256 == digest:
        return IngestReport(read=known.records, unchanged=known.records)
    tell(Progress(stage="reading", done=0, total=1, file=name))
    reading = read(data, name, uri)
    if not reading.papers:
        refused = _failure(path, SourceError(f"{name} holds no record that can be read: see what is said of each."))
        return replace(refused, rejected=(*refused.rejected, *reading.rejected))
    report = IngestReport(read=len(reading.papers), rejected=reading.rejected)
    total = len(reading.papers)
    now = {paper.origins[0].record: paper.origins[0].sha256 for paper in reading.papers}
    for start in range(0, total, _BATCH):
        batch = reading.papers[start:start + _BATCH]

        def embedded(done: int, start: int = start) -> None:
            tell(Progress(stage="embedding", done=min(start + done, total), total=total, file=name))

        prepared = store.prepare(batch, embedded)
        with store.writing() as writing:
            # Until all is in, the ledger must not say that this file's content is known.
            writing.forget_sources([uri], records=False)
            changes, touched = _take(writing, uri, batch, now)
            store.put(writing, touched, prepared)
        for change in changes:
            report = replace(report, **{change: getattr(report, change) + 1})
        tell(Progress(stage="searchable", done=start + len(batch), total=total, file=name))
    with store.writing() as writing:
        store.put(writing, writing.drop_records_beyond(uri, now), {})
        writing.put_source(Source(file=name, uri=uri, sha256=digest, records=total,
                                  read_at=datetime.now(UTC).isoformat(timespec="seconds")))
    return report


def _take(writing: Writing, uri: str, batch: Sequence[Paper],
          now: Mapping[int, str]) -> tuple[list[Change], list[str]]:
    """Stores a batch of a file's records; what became of each, and the papers that changed by it.

    Args:
        writing: the open write.
        uri: the file.
        batch: its records.
        now: number to content hash of all records of the file as it is now, so that one that moved is told from one
            that was revised, and both from a second copy.
    """
    origins = [record.origins[0] for record in batch]
    before = writing.known_records(uri, [origin.record for origin in origins], [origin.sha256 for origin in origins])
    at_number = {known.origins[0].record: (paper_id, known) for paper_id, known in before}
    moved = {known.origins[0].sha256: paper_id for paper_id, known in before
             if now.get(known.origins[0].record) != known.origins[0].sha256}
    contents = set(now.values())
    changes: list[Change] = []
    touched: dict[str, None] = {}
    for record, origin in zip(batch, origins, strict=True):
        here = at_number.get(origin.record)
        if here and here[1].origins[0].sha256 == origin.sha256:
            changes.append("unchanged")
            continue
        if here:
            touched[here[0]] = None
        found = keys(record)
        if origin.sha256 in moved:
            paper_id: str | None = moved[origin.sha256]
            change: Change = "unchanged"
        elif here and here[1].origins[0].sha256 not in contents and _revised(here[1], record):
            paper_id, change = here[0], "updated"
        else:
            paper_id, change = _match(writing, record, found)
        paper_id = writing.put_record(paper_id, record, found)
        touched[paper_id] = None
        changes.append(change)
    return changes, list(touched)


def _revised(old: Paper, new: Paper) -> bool:
    """Whether the record that now stands in the old one's place is the same paper, revised."""
    shared = {key for key in keys(old) if key[0] != "text"} & set(keys(new))
    return bool(shared) or same_paper(replace(old, title=None), new)


def _match(writing: Writing, record: Paper, found: Sequence[tuple[str, str]]) -> tuple[str | None, Change]:
    """The library's paper that the record is a copy of, or None for a new one."""
    for paper_id, records in writing.candidates(found).items():
        if any(same_paper(record, known) for known in records):
            # A paper that had lost all its origins has come back; that is no second copy.
            return paper_id, "duplicates" if any(known.origins for known in records) else "unchanged"
    return None, "added"


def _add(a: IngestReport, b: IngestReport) -> IngestReport:
    return IngestReport(read=a.read + b.read, added=a.added + b.added, updated=a.updated + b.updated,
                        unchanged=a.unchanged + b.unchanged, duplicates=a.duplicates + b.duplicates,
                        rejected=(*a.rejected, *b.rejected))
