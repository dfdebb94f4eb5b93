"""The commands of `vouch papers`: look at the papers, correct, tag and remove them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rag.schema import SUMMARY, Paper, Where
from ui import render
from ui.arguments import UsageError, where
from ui.terminal import Piece, Terminal

if TYPE_CHECKING:
    from rag.library import Library


def listing(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Prints a line a paper: id, year, label; whole labels where no person looks."""
    papers = list(library.papers.where(where(args)))
    if args.sort == "year":
        papers.sort(key=lambda paper: (-(paper.year or 0), paper.label.casefold()))
    elif args.sort == "title":
        papers.sort(key=lambda paper: paper.label.casefold())
    if terminal.as_json:
        terminal.document({"papers": papers})
        return 0
    if not papers and terminal.shows:
        terminal.line("No paper fits these filters." if where(args) else "The library holds no papers.")
    for paper in papers:
        row = (paper.id, render.short_year(paper).ljust(5), paper.label)
        if terminal.shows:
            terminal.line(row[2], lead=f"{row[0]}  {row[1]}  ", most=1)
        else:
            terminal.raw("  ".join(row))
    return 0


def show(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Prints a paper's card."""
    _tell_paper(library.papers[args.id], library, terminal)
    return 0


def edit(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Corrects a title or a year and shows the paper as it is now."""
    if args.title is None and args.year is None:
        raise UsageError("say what to correct: --title TITLE or --year YEAR")
    if args.title is not None and not args.title.strip():
        raise UsageError("--title is empty: give the right title")
    library.edit(args.id, title=args.title, year=args.year)
    _tell_paper(library.papers[args.id], library, terminal)
    return 0


def tag(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Tags a paper, or takes tags away, and says which it has now."""
    change = library.untag if args.remove else library.tag
    change(args.id, *args.tags)
    if terminal.as_json:
        terminal.document(_with_tags(library.papers[args.id], library))
    else:
        terminal.line(f"{args.id}: {', '.join(library.papers.tags(args.id)) or 'no tags'}")
    return 0


def remove(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Removes papers after a yes."""
    if bool(args.ids) == bool(args.files):
        raise UsageError("name papers by their ids, or a file by --file NAME")
    going = ([library.papers[paper_id] for paper_id in dict.fromkeys(args.ids)] if args.ids
             else library.papers.where(Where(files=tuple(args.files))))
    if not args.yes:
        if not terminal.asks:
            raise UsageError("removing needs --yes where nobody can be asked")
        for paper in going[:10]:
            terminal.line(render.paper_line(paper), lead=f"{paper.id}  ", most=1)
        if len(going) > 10:
            terminal.line(f"and {len(going) - 10} more")
        if not terminal.confirm("Remove these papers?" if args.ids else "Remove what was read from there?"):
            terminal.line("Nothing was removed.")
            return 0
    removed = library.remove(ids=args.ids, files=args.files)
    if terminal.as_json:
        terminal.document({"removed": removed})
    else:
        terminal.line(f"{removed} paper{'' if removed == 1 else 's'} removed; ingesting the files again brings "
                      f"{'it' if removed == 1 else 'them'} back.")
    return 0


def _with_tags(paper: Paper, library: Library) -> dict[str, Any]:
    fields: dict[str, Any] = render.to_json(paper)
    return fields | {"tags": list(library.papers.tags(paper.id))}


def _tell_paper(paper: Paper, library: Library, terminal: Terminal) -> None:
    if terminal.as_json:
        terminal.document(_with_tags(paper, library))
        return
    address = render.link(paper)
    year = f"{paper.year} (inferred)" if paper.year_inferred else str(paper.year or "")
    facts = {"Authors": ", ".join(paper.authors), "Year": year, "Date as printed": paper.date, "Venue": paper.venue,
             "DOI": paper.doi, "arXiv": paper.arxiv_id, "Tags": ", ".join(library.papers.tags(paper.id)),
             "Read from": ", ".join(map(str, paper.origins)), "Id": paper.id}
    terminal.line(Piece(paper.label, "bold", address))
    for name, value in facts.items():
        if value:
            terminal.line(value, lead=f"  {name.ljust(15)}  ")
    if address:
        terminal.line(Piece(address, "", address), lead=f"  {'Link'.ljust(15)}  ")
    terminal.blank()
    if paper.text_kind == "summary":
        terminal.line(Piece(f"({SUMMARY})", "dim"))
    terminal.line(paper.abstract)
