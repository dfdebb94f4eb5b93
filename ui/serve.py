"""`vouch serve`: the page, on this machine only."""

from __future__ import annotations

import argparse
import hashlib
import ipaddress
import re
import socket
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import VouchError
from ui.arguments import UsageError
from ui.terminal import Terminal

if TYPE_CHECKING:
    from rag.library import Library


def place(args: argparse.Namespace, usual: Path) -> Path:
    """The library to serve: the usual one, or one beside it for the sample or for these papers alone."""
    if args.sample:
        return usual.parent / "sample"
    if not args.papers:
        return usual
    paths = sorted({str(Path(path).expanduser().absolute()) for path in args.papers})
    slug = re.sub(r"[^a-z0-9]+", "-", Path(paths[0]).stem.lower()).strip("-")[:40] or "papers"
    return usual.parent / "of" / f"{slug}-{hashlib.sha256(chr(0).join(paths).encode()).hexdigest()[:10]}"


def serve(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Ingests what is to be served, then serves until interrupted.

    Raises:
        UsageError: the host is not this machine.
        VouchError: the port is taken, or an input cannot be read.
    """
    if not _is_loopback(args.host):
        raise UsageError(f"--host {args.host} is not this machine alone: Vouch is private, give a loopback address")
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    if not _is_free(family, args.host, args.port):
        raise VouchError(f"Port {args.port} is taken by another program: try --port {_free_port(family, args.host)}.")
    failures = _fill(args, library, terminal)
    if failures and not library.exists:
        raise VouchError(failures[0])
    for failure in failures:
        terminal.tell(f"vouch: {failure}")
    from ui.web.app import serve as serve_page

    def announce(address: str) -> None:
        if terminal.as_json:
            terminal.document({"url": address, "library": str(library.path)})
        else:
            terminal.line(f"Vouch is at {address} (Ctrl-C ends)")
        if args.open:
            webbrowser.open(address)

    try:
        serve_page(library, args.host, args.port, announce)
    except KeyboardInterrupt:
        terminal.tell("stopped")
    return 0


def _fill(args: argparse.Namespace, library: Library, terminal: Terminal) -> tuple[str, ...]:
    """Reads the papers the page is asked to show; one sentence for each input that cannot be read."""
    from ingest import ingest

    inputs: list[str | Path] = list(args.papers or ())
    if args.sample:
        from ingest.sample import sample_path

        inputs.append(sample_path())
    if not inputs:
        return ()
    with terminal.progress() as progress:
        return ingest(inputs, library,
                      lambda step: progress(step.stage, step.done, step.total, step.file)).failures


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_free(family: socket.AddressFamily, host: str, port: int) -> bool:
    with socket.socket(family) as probe:
        # As servers do it: a port whose last connections are only fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _free_port(family: socket.AddressFamily, host: str) -> int:
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
