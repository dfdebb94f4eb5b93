"""What each command does: one function a command, from parsed arguments to an exit code."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import VouchError
from rag.schema import SUMMARY, IngestReport
from ui import render
from ui.arguments import UsageError, where
from ui.terminal import Piece, Terminal

if TYPE_CHECKING:
    from rag.library import Library
    from rag.schema import Paper, Where

_MOST_REJECTED = 10
_STATES = {"ok": Piece("✓ ", "green"), "warn": Piece("! ", "yellow"), "fail": Piece("✗ ", "bold red")}


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Opens the library and runs the command that ``args.run`` names.

    Raises:
        UsageError: the arguments do not go together.
        VouchError: the command failed.
    """
    from rag import open_library
    from rag.settings import load
    from ui import check, follow, papers, serve, survey, talk

    commands = {"ingest": ingest, "search": search, "ask": talk.ask, "check": check.check, "export": export,
                "digest": survey.digest, "follow_add": follow.add, "follow_list": follow.listing,
                "follow_remove": follow.remove, "follow_run": follow.run,
                "evaluate": evaluate, "serve": serve.serve, "mcp": mcp, "doctor": doctor,
                "papers_list": papers.listing, "papers_show": papers.show, "papers_edit": papers.edit,
                "papers_tag": papers.tag, "papers_remove": papers.remove}
    settings = load(env_file=args.env_file)
    path = args.library or (serve.place(args, settings.library) if args.run == "serve" else None)
    with open_library(path, settings=settings) as library:
        return commands[args.run](args, library, terminal)


def ingest(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Reads files and folders into the library; 1 if one of them could not be read at all."""
    from ingest import ingest as read

    inputs: list[str | Path] = list(args.paths)
    if args.sample:
        from ingest.sample import sample_path

        inputs.append(sample_path())
    if not inputs:
        raise UsageError("name files or folders to ingest, or give --sample")
    with terminal.progress() as progress:
        report = read(inputs, library, lambda step: progress(step.stage, step.done, step.total, step.file),
                      prune=args.prune)
    if terminal.as_json:
        terminal.document(render.to_json(report) | {"failures": list(report.failures)})
    else:
        for line in report_lines(report):
            terminal.line(line)
    for failure in report.failures:
        terminal.tell(f"vouch: {failure}")
    return 1 if report.failures else 0


def report_lines(report: IngestReport) -> list[str]:
    """What an ingest did, in a few lines: what became of the records, then those that could not be read."""
    counts = [f"{_count(report.added, 'paper')} added" if report.added else "",
              f"{report.updated} updated" if report.updated else "",
              f"{report.unchanged} unchanged" if report.unchanged else "",
              _count(report.duplicates, "duplicate") if report.duplicates else ""]
    done = ", ".join(filter(None, counts))
    lines = [f"{_count(report.read, 'record')} read{': ' if done else ''}{done}."]
    rejected = [item for item in report.rejected if item.origin.record]
    if rejected:
        lines.append(f"{_count(len(rejected), 'record')} could not be read:")
        lines += [f"  {item.origin}: {item.reason}" for item in rejected[:_MOST_REJECTED]]
        if len(rejected) > _MOST_REJECTED:
            lines.append(f"  and {len(rejected) - _MOST_REJECTED} more")
    return lines


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def search(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Prints the papers that fit best, best first."""
    query = " ".join(args.query).strip()
    only = where(args)
    if args.like is not None:
        if query or args.explain or args.deep:
            raise UsageError("--like ID looks for papers like that one: leave out the words, --explain and --deep")
        return like(args.like, args.k, only, library, terminal)
    if not query:
        raise UsageError("search for what? Put the words behind `vouch search`, or name a paper with --like ID")
    narrowed = library.narrowed(query, only)
    told = narrowed.told
    notices: list[str] = []
    found = library.look_up(query, k=args.k, where=only, deep=args.deep or None, tell=notices.append).evidence
    if terminal.as_json:
        hits = [render.to_json(item.hit) | ({"scores": item.scores} if args.explain else {}) for item in found]
        terminal.document({"query": query, "narrowed": told, "hits": hits, "notice": " ".join(notices) or None})
        return 0
    for notice in notices:
        terminal.tell(f"vouch: {notice}")
    if told:
        terminal.line(Piece(told, "dim"))
    if only.years and (undated := _undated(only, library)):
        terminal.line(Piece(f"Leaving out {_count(undated, 'paper')} of unknown year.", "dim"))
    if not found:
        terminal.line("No paper fits" + (" these filters." if only else "."))
    for number, item in enumerate(found, start=1):
        indent = _paper(number, item.hit.paper, item.hit.score, terminal)
        terminal.line(Piece(render.best_words(item.hit, narrowed.question or query), "italic"), lead=indent, most=2)
        if args.explain:
            for line in render.views_table(item.hit.ranks, item.scores):
                terminal.line(Piece(line, "dim"), lead=indent)
    return 0


def like(paper_id: str, k: int, only: Where, library: Library, terminal: Terminal) -> int:
    """Prints the papers that are most like one, each with the sentences that the two share."""
    paper = library.papers[paper_id]
    found = library.like(paper_id, k=k, where=only)
    if terminal.as_json:
        terminal.document({"like": paper, "papers": found})
        return 0
    terminal.line(Piece("Like ", "dim"), Piece(paper.label, "bold", render.link(paper)))
    if not found:
        terminal.line("No other paper fits" + (" these filters." if only else "."))
    for number, other in enumerate(found, start=1):
        indent = _paper(number, other.paper, other.score, terminal)
        for pair in other.shared:
            terminal.line(Piece(f"“{pair.own.text}”", "dim"), lead=f"{indent} this: ", most=3)
            terminal.line(Piece(f"“{pair.other.text}”", "italic"), lead=f"{indent}there: ", most=3)
    return 0


def _undated(only: Where, library: Library) -> int:
    """How many papers fit the filter but for having no year."""
    return sum(paper.year is None for paper in library.papers.where(replace(only, years=None)))


def _paper(number: int, paper: Paper, score: float, terminal: Terminal) -> str:
    """Prints a paper of a numbered list; returns what the lines under it are indented by."""
    lead = f"{number}. ".rjust(4)
    indent = " " * len(lead)
    terminal.line(Piece(paper.label, "bold", render.link(paper)), lead=lead)
    about = ", ".join(filter(None, (render.byline(paper), f"score {score:.2f}")))
    terminal.line(about, "  ", Piece(paper.id, "dim"), lead=indent)
    if paper.text_kind == "summary":
        terminal.line(Piece(f"({SUMMARY})", "dim"), lead=indent)
    return indent


def export(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Writes papers to a file, whole or not at all."""
    from ui.export import EXPORTS, SUFFIXES

    kind = args.format or SUFFIXES.get(args.path.suffix.lower())
    if kind is None:
        raise UsageError(f"the name {args.path} tells no format: end it in .jsonl, .bib, .ris or .csv, "
                         "or give --format")
    papers = library.papers.where(where(args))
    write_text(args.path, EXPORTS[kind](papers))
    if terminal.as_json:
        terminal.document({"path": str(args.path), "papers": len(papers)})
    else:
        terminal.line(f"{_count(len(papers), 'paper')} written to {args.path}.")
    return 0


def write_text(path: Path, text: str) -> None:
    """Writes a file, whole or not at all.

    Raises:
        VouchError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        raise VouchError(f"{path} cannot be written ({error.strerror}): name a file in a folder of yours.") from error
    finally:
        beside.unlink(missing_ok=True)


def evaluate(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Measures the library, or a BEIR folder, on judged questions, or the checker on it, and prints the table."""
    from ui import judge

    if args.path is None and not args.checker:
        raise UsageError("name a questions file or a folder in BEIR layout, or give --checker")
    with terminal.progress() as progress:
        def tell(stage: str, done: int, total: int) -> None:
            progress(stage, done, total, args.path.name if args.path else "the library")

        report = (judge.audit_checker(args.path, library, args.seed, tell) if args.checker
                  else judge.evaluate(args.path, library, tell))
    if terminal.as_json:
        terminal.document(report)
        return 0
    rows = report.rows()
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        terminal.line(value, lead=f"{name.ljust(width)}  ")
    return 0


def doctor(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Examines the library, after a repair where asked for; 1 if anything fails."""
    from rag.doctor import examine

    if args.repair:
        library.repair()
    if args.reembed:
        total = len(library.papers)
        with terminal.progress() as progress:
            library.reembed(lambda done: progress("embedding", min(done, total), total, "the library"))
    findings = examine(library)
    failed = any(finding.state == "fail" for finding in findings)
    if terminal.as_json:
        terminal.document({"library": str(library.path), "repaired": args.repair, "reembedded": args.reembed,
                           "findings": findings})
        return int(failed)
    for finding in findings:
        terminal.line(f"{finding.subject}: {finding.detail}", lead=_STATES[finding.state])
        if finding.state != "ok" and finding.remedy:
            terminal.line(finding.remedy, lead="  → ")
    return int(failed)


def mcp(_args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Serves the library to an assistant until it closes the connection."""
    from ui.mcp import serve

    if terminal.as_json:
        raise UsageError("`vouch mcp` speaks its own protocol on standard output: leave out --json")
    serve(library)
    return 0
