"""The page: which parts stand where. What moves them is in ``wire``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ui.web.card import EMPTY
from ui.web.digest_form import SHELF, TABS, form_html
from ui.web.filter import ROW, WORDS, fields_html
from ui.web.shelf import header_html
from ui.web.typeset import DELIMITERS

_HERE = Path(__file__).parent
_SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "monospace")
# The filter's script shows what is chosen in the fields whenever they are there anew.
_ANNOUNCED = """const tell = () => document.dispatchEvent(new Event("fields-shown")); watch("value", tell); tell();"""


def head() -> str:
    """What goes into the page's head; the style sheet too, as Gradio's own door for it rewrites the selectors."""
    return f"{_asset('head.html')}<style>{_asset('style.css')}{_asset('digest.css')}</style>"


def theme() -> gr.themes.Base:
    """Gradio's plain theme in the system's own fonts: nothing is fetched."""
    return gr.themes.Base(primary_hue="slate", neutral_hue="slate", font=_SANS, font_mono=_MONO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What can be done with what is written: how that is called, what the empty field says, and what its button."""

    name: str
    hint: str
    button: str


MODES = {"ask": Mode(name="Ask a question", hint="Ask your papers…", button="Ask"),
         "check": Mode(name="Check a claim", hint="State a claim…", button="Check")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of the page that events read or write.

    ``mode`` holds whether what is written is a question, "ask", or a claim, "check".
    ``filter`` holds the filter that questions are asked under, which its script and ``fields`` set.
    ``bridge`` holds the id of the conversation on the page; its script carries clicks inside messages to the server.
    """

    header: gr.HTML
    fresh: gr.Button
    earlier: gr.HTML
    upload: gr.UploadButton
    status: gr.HTML
    messages: gr.Chatbot
    composer: gr.Textbox
    filter: gr.HTML
    fields: gr.HTML
    panel: gr.Markdown
    bridge: gr.HTML
    mode: gr.Radio


def lay_out() -> Parts:
    """Put the parts on the page; to be called inside ``gr.Blocks``."""
    header = gr.HTML(header_html(""), elem_id="header")
    gr.HTML(TABS, elem_id="views")
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="rail", min_width=0):
            fresh = gr.Button("New conversation", elem_id="fresh", size="sm")
            earlier = gr.HTML(elem_id="earlier")
            gr.HTML(SHELF, elem_id="digests")
            upload = gr.UploadButton("Add papers", file_count="multiple", elem_id="upload", size="sm")
            status = gr.HTML('<p role="status"></p>', elem_id="status")
        with gr.Column(elem_id="talk", min_width=0):
            gr.HTML(form_html(), js_on_load=_asset("digest.js"), elem_id="survey")
            messages = gr.Chatbot(
                elem_id="messages", label="Conversation", show_label=False, container=False, height="100%",
                latex_delimiters=list(DELIMITERS), buttons=[], feedback_options=None, layout="panel",
                group_consecutive_messages=False, line_breaks=False, autoscroll=False,
            )
            mode = gr.Radio([(mode.name, key) for key, mode in MODES.items()], value="ask", elem_id="mode",
                            label="What to do with what is written", container=False)
            composer = gr.Textbox(
                elem_id="composer", label="Your question", placeholder=MODES["ask"].hint, lines=1, max_lines=6,
                max_length=4000, submit_btn=MODES["ask"].button, stop_btn=False, container=False,
            )
            filter_ = gr.HTML([], html_template=ROW, js_on_load=_asset("filter.js"), elem_id="filter", words=WORDS)
            fields = gr.HTML(fields_html(), js_on_load=_ANNOUNCED, elem_id="fields")
        with gr.Column(elem_id="paper", min_width=0):
            panel = gr.Markdown(EMPTY, latex_delimiters=list(DELIMITERS), elem_id="panel")
    bridge = gr.HTML(value="", elem_id="bridge", js_on_load=_asset("bridge.js"))
    return Parts(header=header, fresh=fresh, earlier=earlier, upload=upload, status=status, messages=messages,
                 composer=composer, filter=filter_, fields=fields, panel=panel, bridge=bridge, mode=mode)


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
