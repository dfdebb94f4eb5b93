"""The web server: the chat at ``/``, the door of programs at ``/v1``, ``/health``, and what keeps other sites out."""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import SettingsError, VouchError
from rag.settings import quiet
from ui.drawer import Drawer
from ui.notebook import NOTEBOOK, Notebook
from ui.web.api import api
from ui.web.chat import Chat
from ui.web.digest_routes import routes
from ui.web.digests import Digests
from ui.web.page import head, lay_out, theme
from ui.web.wire import wire

if TYPE_CHECKING:
    from rag.library import Library

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# Gradio's page runs inline scripts and compiles templates; nothing may come from, or go to, another host.
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def build(library: Library, host: str = "127.0.0.1") -> FastAPI:
    """The web application over a library, which stays open while it is served.

    Conversations are kept beside the catalogue, in a file of their own.

    Args:
        library: the library to talk to.
        host: the address it is served on, which a browser may name besides the usual ones of this machine.
    """
    quiet()  # Gradio reports home unless it is told not to before its first page
    app = FastAPI(title="Vouch", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    app.mount("/v1", api(library))
    app.include_router(routes(Digests(library, Drawer(library.path / NOTEBOOK))))
    chat = Chat(library, Notebook(library.path / NOTEBOOK))
    with gr.Blocks(title="Vouch", analytics_enabled=False, fill_width=True, fill_height=True) as blocks:
        wire(blocks, lay_out(), chat)
    app.add_middleware(_Guard)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK, _in_address(host)], www_redirect=False)
    gr.mount_gradio_app(
        app, blocks, path="/", theme=theme(), head=head(), footer_links=[], ssr_mode=False,
        mcp_server=False, run_history=False, show_error=True,
    )
    return app


def serve(library: Library, host: str = "127.0.0.1", port: int = 7860,
          announce: Callable[[str], None] | None = None) -> None:
    """Serve the chat until interrupted.

    Args:
        library: the library to talk to.
        host: a loopback address: there is no login.
        port: 0 for any free one.
        announce: called with the page's address as soon as it answers.

    Raises:
        SettingsError: the host is not this machine, or the port is taken.
    """
    if not _is_loopback(host):
        raise SettingsError(f"Vouch has no login and serves this machine only: use 127.0.0.1 instead of {host!r}.")
    host = host.strip("[]")
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingsError(f"Cannot serve on {host}, port {port} ({error.strerror}); choose another port.") from error
    config = uvicorn.Config(build(library, host), log_level="warning", access_log=False)
    address = f"http://{_in_address(host)}:{listening.getsockname()[1]}"
    threading.Thread(target=warm, args=(library,), daemon=True).start()
    with listening:
        _Announcing(config, partial(announce, address) if announce else None).run(sockets=[listening])


class _Announcing(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._announce:
            self._announce()


def warm(library: Library) -> None:
    """Load what the first question needs, so that nobody waits for it; what is wrong with it is told at once."""
    try:
        if library.exists and len(library.papers):
            library.search("warm", k=1, deep=False)
    except VouchError as error:
        print(f"vouch: {error}", file=sys.stderr, flush=True)


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class _Guard:
    """Refuses what another site's page sends here, and tells the browser to load nothing from elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin = given.get("origin")
        if origin is not None and urlsplit(origin).netloc != given.get("host"):
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body",
                        "body": b'{"error": "This page may only be used from its own address."}\n'})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()),
                                      *((name.encode(), value.encode()) for name, value in _HEADERS.items())]
            await send(message)

        await self.app(scope, receive, guarded)
