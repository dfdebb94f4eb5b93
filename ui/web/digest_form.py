"""What stands on the page's digest tab before anything is asked for. The page's side is in ``digest.js``."""

from __future__ import annotations

from rag.survey import MOST, Length

_LENGTHS: tuple[tuple[Length, str], ...] = (("brief", "Brief"), ("standard", "Standard"), ("full", "Full"))
_SINCE = (("", "All papers"), ("7d", "New in the last 7 days"), ("30d", "New in the last 30 days"))
_FILES = (("markdown", "Markdown"), ("html", "HTML"), ("pdf", "PDF"), ("docx", "DOCX"), ("latex", "LaTeX"),
          ("bibtex", "BibTeX"), ("json", "JSON"))

TABS = ('<nav class="views" aria-label="Views"><button class="view" value="chat" aria-current="page">Chat</button>'
        '<button class="view" value="digest">Digest</button></nav>')
SHELF = ('<button class="new-digest">New digest</button><h2>Digests</h2><ul class="kept"></ul>'
         '<p class="none">Your digests are kept here, on this machine.</p>')


def form_html() -> str:
    """The form for a topic, and the places of the outline, of what is under way and of the digest."""
    lengths = "".join(f'<option value="{value}"{" selected" * (value == "standard")}>{name}, up to {MOST[value]} papers'
                      "</option>" for value, name in _LENGTHS)
    since = "".join(f'<option value="{value}">{name}</option>' for value, name in _SINCE)
    files = "".join(f'<button class="download" value="{value}">{name}</button>' for value, name in _FILES)
    return (
        '<form class="wanted"><h2>Write a digest</h2><p class="lead">A survey of a topic; every sentence is cited '
        "and was checked. First comes an outline, to be edited.</p>"
        '<label class="field topic">Topic <input name="topic" type="text" maxlength="1000" autocomplete="off" '
        'placeholder="Reward overoptimization" enterkeyhint="go"></label>'
        f'<label class="field">Length <select name="length">{lengths}</select></label>'
        f'<label class="field">Papers <select name="since">{since}</select></label>'
        '<button class="go" type="submit">Make an outline</button></form>'
        '<p class="trouble" role="alert" hidden></p>'
        '<form class="outline" aria-label="Outline" hidden></form>'
        '<div class="progress" hidden><p role="status"></p>'
        '<progress max="1" aria-label="How far the digest is"></progress>'
        '<button class="stop" type="button">Cancel</button></div>'
        f'<div class="files" role="group" aria-label="Download as" hidden><span>Download as</span>{files}</div>'
        '<div class="result"></div>')
