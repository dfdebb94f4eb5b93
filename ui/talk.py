"""`vouch ask`: one question, or a conversation at the terminal."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.schema import Answer, Event, Evidence, Finished, Paper, Reference, Said, Sentence, Stage, Turn, Usage, Where
from ui import render
from ui.arguments import UsageError, where
from ui.sides import Side, alone, blocks
from ui.terminal import Column, Piece, Terminal

if TYPE_CHECKING:
    from rag.library import Library

_STYLES: dict[render.Role, str] = {"words": "", "cite": "cyan", "aside": "dim"}
_MARKED = "bold underline"
# What goes on once a step has ended.
_NEXT = {"condense": "Searching…", "rewrite": "Ordering the papers…", "quote": "Writing from the quotes…",
         "write": "Taking the papers' own words…"}


def ask(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Answers the question, or without one asks for questions until the person ends the input."""
    question = " ".join(args.question).strip()
    only = where(args)
    if not question and (args.show_prompt or not terminal.asks):
        raise UsageError("ask what? Put the question behind `vouch ask`")
    if not question:
        _converse(args, only, library, terminal)
    elif args.show_prompt:
        prompt = library.prompt(question, where=only)
        if terminal.as_json:
            terminal.document({"prompt": prompt})
        elif prompt:
            terminal.raw(prompt)
        else:
            terminal.tell("Nothing would be sent: the library does not cover this.")
    elif terminal.as_json:
        terminal.document(library.ask(question, where=only, engine=args.engine, deep=args.deep or None,
                                      fresh=args.fresh))
    else:
        tell_answer(_events(args, question, (), only, library), terminal, withheld=args.withheld)
    return 0


def _events(args: argparse.Namespace, question: str, history: tuple[Turn, ...], only: Where,
            library: Library) -> Iterator[Event]:
    return library.stream(question, history=history, where=only, engine=args.engine, deep=args.deep or None,
                          fresh=args.fresh)


def _converse(args: argparse.Namespace, only: Where, library: Library, terminal: Terminal) -> None:
    if importlib.util.find_spec("readline"):  # gives input() its line editing, where the system has it
        import readline  # noqa: F401

    terminal.line(Piece("Ask about the papers; follow-up questions are understood. Ctrl-D ends.", "dim"))
    history: tuple[Turn, ...] = ()
    used: Usage | None = None
    while True:
        try:
            question = input("\n? ").strip()
        except EOFError:
            terminal.blank()
            return
        if question:
            answer = tell_answer(_events(args, question, history, only, library), terminal, withheld=args.withheld)
            history = (*history, Turn(question=question, answer=answer))
            if used and answer.usage:
                terminal.line(Piece(f"This conversation: {render.usage_line(used + answer.usage)}.", "dim"))
            used = used + answer.usage if used and answer.usage else used or answer.usage


def tell_answer(events: Iterable[Event], terminal: Terminal, *, withheld: bool) -> Answer:
    """Prints the answer sentence by sentence as it is checked, then what it rests on."""
    teller = Teller(terminal)
    with terminal.waiting():
        terminal.doing("Searching…")
        for event in events:
            match event:
                case Stage(name=name) if name in _NEXT and not teller.begun:
                    terminal.doing(_NEXT[name])
                case Evidence(hits=hits):
                    for told in (render.understood_line(event.rewritten), event.narrowed):
                        if told:
                            terminal.line(Piece(told, "dim"))
                    teller.papers = {hit.paper.id: hit.paper for hit in hits}
                    if hits:
                        terminal.doing(f"Reading {len(hits)} paper{'' if len(hits) == 1 else 's'}…")
                case Said(sentence=sentence):
                    teller.say(sentence)
                case Finished(answer=answer):
                    teller.end()
                    _tell_rest(answer, terminal, withheld=withheld)
                    return answer
    raise AssertionError("an answer always finishes")


class Teller:
    """Prints checked sentences as they come: quotes under their papers' names, sides under headings, prose as prose.

    Where sides fit beside each other they are printed once all is said on them.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.papers: Mapping[str, Paper] = {}
        self._terminal = terminal
        self._sided: list[Sentence] = []
        self._side: str | None = None
        self.begun = False

    def say(self, sentence: Sentence) -> None:
        """Prints the sentence, or keeps it until the others of its block are there."""
        if sentence.side is not None and self._terminal.fits(2):
            self._sided.append(sentence)
            return
        self._tell_sided()
        if sentence.side != self._side:
            self._part()
            if sentence.side is not None:
                self._terminal.line(_heading(Side(name=sentence.side, sentences=())))
            self._side = sentence.side
        self.begun = True
        if alone(sentence):
            self._terminal.end_flow()
            self._terminal.line(*sentence_pieces(sentence, self.papers), lead="- ")
        else:
            self._terminal.flow(" ", *sentence_pieces(sentence, self.papers))

    def end(self) -> None:
        """Ends what is being printed."""
        self._tell_sided()
        self._terminal.end_flow()

    def _tell_sided(self) -> None:
        if self._sided:
            self._part()
            for block in blocks(self._sided):
                tell_sides(block, self.papers, self._terminal)
            self._side = self._sided[-1].side
            self._sided = []
            self.begun = True

    def _part(self) -> None:
        """Sets off what follows from what was said before."""
        self._terminal.end_flow()
        if self.begun:
            self._terminal.blank()


def tell_sides(block: Sequence[Side], papers: Mapping[str, Paper], terminal: Terminal) -> None:
    """Prints what is said on each side, beside each other where there is room."""
    terminal.beside([
        Column(_heading(side), [sentence_pieces(sentence, papers) for sentence in side.sentences] or [[render.NOTHING]])
        for side in block])


def _heading(side: Side) -> Piece:
    return Piece(side.heading, "bold")


def sentence_pieces(sentence: Sentence, papers: Mapping[str, Paper]) -> list[Piece]:
    """The sentence for a terminal, a quote behind its paper's name."""
    (words, _), *rest = render.sentence_parts(sentence)
    pieces = [*_marked(words, sentence), *(Piece(text, _STYLES[role]) for text, role in rest)]
    if sentence.kind != "quote":
        return pieces
    return [Piece(render.quote_intro(papers[sentence.citations[0].paper_id]), "dim"), *pieces]


def _marked(words: str, sentence: Sentence) -> Iterator[Piece]:
    """The sentence's words, perhaps between quotation marks, with the phrase that answers set off."""
    if sentence.marked is None:
        yield Piece(words)
        return
    shift = words.index(sentence.text)
    start, end = (at + shift for at in sentence.marked)
    yield Piece(words[:start])
    yield Piece(words[start:end], _MARKED)
    yield Piece(words[end:])


def tell_references(references: Sequence[Reference], terminal: Terminal) -> None:
    """Prints the list of references."""
    terminal.blank()
    terminal.line(Piece("References", "bold"))
    for reference in references:
        terminal.line(*_paper_pieces(reference.paper), lead=f"[{reference.label}] ")


def tell_notes(notice: str | None, usage: Usage | None, terminal: Terminal, kept: str | None = None) -> None:
    """Prints what the reader should know beside the answer: what went wrong, what it cost or that it was kept."""
    if notice:
        terminal.blank()
        terminal.line(Piece(notice, "yellow"))
    for note in (kept, usage and f"{render.usage_line(usage)}."):
        if note:
            terminal.blank()
            terminal.line(Piece(note, "dim"))


def _tell_rest(answer: Answer, terminal: Terminal, *, withheld: bool) -> None:
    if answer.nearest:
        terminal.line(render.NEAREST)
        for number, paper in enumerate(answer.nearest, start=1):
            terminal.line(*_paper_pieces(paper), lead=f"{number}. ".rjust(4))
    if answer.references:
        tell_references(answer.references, terminal)
    if line := render.withheld_line(answer):
        terminal.blank()
        terminal.line(Piece(line if withheld else f"{line.removesuffix('.')} (--withheld shows it).", "dim"))
        if withheld:
            for sentence in answer.withheld:
                terminal.line(Piece(f"{sentence.text} ({sentence.verdict})", "dim"), lead="  - ")
    tell_notes(answer.notice, answer.usage, terminal,
               "Kept from an earlier answer (--fresh asks anew)." if answer.cached else None)


def _paper_pieces(paper: Paper) -> tuple[Piece, Piece]:
    return Piece(render.paper_line(paper)), Piece(f" {render.place(paper)}", "dim", render.link(paper))
