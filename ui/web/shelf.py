"""What the page tells of the library and the conversations around the chat, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ui.notebook import Conversation
from ui.web.filter import pairs
from ui.web.typeset import escape

if TYPE_CHECKING:
    from rag.library import Library


def holdings(library: Library) -> str:
    """The library in one line: "609 papers from 5 files, all local"."""
    papers = len(library.papers) if library.exists else 0
    if not papers:
        return "No papers yet"
    return f"{_count(papers, 'paper')} from {_count(len(library.files()), 'file')}, all local"


def header_html(line: str) -> str:
    """The page's header: the name, the library in one line, the button that opens the rail on a small screen."""
    return (
        '<header class="top"><button class="menu" aria-expanded="false" aria-controls="rail">Menu</button>'
        f'<h1>Vouch</h1><p class="holdings">{escape(line)}</p></header>'
    )


def welcome_html(library: Library) -> str:
    """What stands where the first answer will be: questions this library can be asked, or how to fill it."""
    if not library.exists or not len(library.papers):
        return ('<div class="welcome"><h2>Start with some papers</h2><p>Add a listing of abstracts: a saved page, '
                "BibTeX, RIS, CSV, JSON Lines or plain text. Or look around with the papers that come with Vouch.</p>"
                '<p><button class="sample">Use the sample papers</button></p></div>')
    examples = "".join(f'<li><button class="example">{escape(question)}</button></li>'
                       for question in library.examples())
    return ('<div class="welcome"><h2>Ask your papers</h2><p>Every sentence of an answer names the papers it rests on '
            f'and was checked against their words.</p><ul class="examples">{examples}</ul>'
            '<p class="other">Or <button class="to-check">check a claim</button>: what speaks for it, and what against '
            'it.</p></div>')


def earlier_html(conversations: Sequence[Conversation], current: str) -> str:
    """The list of earlier conversations, each a link that opens it under its filter and a button that deletes it."""
    if not conversations:
        return '<h2>Conversations</h2><p class="none">Your conversations are kept here, on this machine.</p>'
    return f'<h2>Conversations</h2><ul>{"".join(_talk(talk, talk.id == current) for talk in conversations)}</ul>'


def _talk(talk: Conversation, current: bool) -> str:
    address = escape(urlencode([("c", talk.id), *pairs(talk.where)]))
    title = escape(talk.title)
    here = " aria-current=page" if current else ""
    return (f'<li><a class="talk" href="?{address}"{here} title="{title}">{title}</a>'
            f'<button class="forget" value="{escape(talk.id)}" aria-label="Delete the conversation: {title}"'
            ' title="Delete">×</button></li>')


def status_html(line: str) -> str:
    """A line that a screen reader reads out when it changes."""
    return f'<p role="status">{escape(line)}</p>'


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
