"""`vouch ask`: one question, or a conversation at the terminal."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rag.schema import Answer, Event, Evidence, Finished, Paper, Said, Sentence, Turn, Where
from ui import render
from ui.arguments import UsageError, where
from ui.terminal import Piece, Terminal

if TYPE_CHECKING:
    from rag.library import Library

_STYLES: dict[render.Role, str] = {"words": "", "cite": "cyan", "aside": "dim"}


def ask(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Answers the question, or without one asks for questions until the person ends the input."""
    question = " ".join(args.question).strip()
    only = where(args)
    if not question and not terminal.asks:
        raise UsageError("ask what? Put the question behind `vouch ask`")
    if not question:
        _converse(args, only, library, terminal)
    elif terminal.as_json:
        terminal.document(library.ask(question, where=only, engine=args.engine, deep=args.deep or None))
    else:
        events = library.stream(question, where=only, engine=args.engine, deep=args.deep or None)
        _answer(events, terminal, withheld=args.withheld)
    return 0


def _converse(args: argparse.Namespace, only: Where, library: Library, terminal: Terminal) -> None:
    if importlib.util.find_spec("readline"):  # gives input() its line editing, where the system has it
        import readline  # noqa: F401

    terminal.line(Piece("Ask about the papers; follow-up questions are understood. Ctrl-D ends.", "dim"))
    history: tuple[Turn, ...] = ()
    while True:
        try:
            question = input("\n? ").strip()
        except EOFError:
            terminal.blank()
            return
        if question:
            events = library.stream(question, history=history, where=only, engine=args.engine,
                                    deep=args.deep or None)
            answer = _answer(events, terminal, withheld=args.withheld)
            history = (*history, Turn(question=question, answer=answer))


def _answer(events: Iterable[Event], terminal: Terminal, *, withheld: bool) -> Answer:
    """Prints the answer sentence by sentence as it is checked, then what it rests on."""
    papers: dict[str, Paper] = {}
    answer: Answer | None = None
    for event in events:
        if isinstance(event, Evidence):
            papers = {hit.paper.id: hit.paper for hit in event.hits}
            if event.narrowed:
                terminal.line(Piece(event.narrowed, "dim"))
        elif isinstance(event, Said):
            _say(event.sentence, papers, terminal)
        elif isinstance(event, Finished):
            answer = event.answer
    terminal.end_flow()
    assert answer is not None, "an answer always finishes"
    _tell_rest(answer, terminal, withheld=withheld)
    return answer


def _say(sentence: Sentence, papers: Mapping[str, Paper], terminal: Terminal) -> None:
    """A quote on lines of its own under its paper's name, everything else as running text."""
    pieces = [Piece(text, _STYLES[role]) for text, role in render.sentence_parts(sentence)]
    if sentence.kind == "quote":
        terminal.end_flow()
        intro = render.quote_intro(papers[sentence.citations[0].paper_id])
        terminal.line(Piece(intro, "dim"), *pieces, lead="- ")
    else:
        terminal.flow(" ", *pieces)


def _tell_rest(answer: Answer, terminal: Terminal, *, withheld: bool) -> None:
    if answer.rewritten_question:
        terminal.line(Piece(f"(Understood as: {answer.rewritten_question})", "dim"))
    if answer.nearest:
        terminal.line(render.NEAREST)
        for number, paper in enumerate(answer.nearest, start=1):
            terminal.line(*_paper_pieces(paper), lead=f"{number}. ".rjust(4))
    if answer.references:
        terminal.blank()
        terminal.line(Piece("References", "bold"))
        for reference in answer.references:
            terminal.line(*_paper_pieces(reference.paper), lead=f"[{reference.label}] ")
    if line := render.withheld_line(answer):
        terminal.blank()
        terminal.line(Piece(line if withheld else f"{line.removesuffix('.')} (--withheld shows it).", "dim"))
        if withheld:
            for sentence in answer.withheld:
                terminal.line(Piece(f"{sentence.text} ({sentence.verdict})", "dim"), lead="  - ")
    if answer.notice:
        terminal.blank()
        terminal.line(Piece(answer.notice, "yellow"))


def _paper_pieces(paper: Paper) -> tuple[Piece, Piece]:
    return Piece(render.paper_line(paper)), Piece(f" {render.place(paper)}", "dim", render.link(paper))
