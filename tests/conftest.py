"""What every test stands on: no network but loopback, no settings but the test's own, small real libraries."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import ingest
from rag import Library, open_library
from rag.embedders.minilm import LocalEmbedder
from rag.settings import Settings

SHARED = Path(__file__).resolve().parents[2] / "shared"
PAPERS = Path(__file__).parent / "data" / "papers.jsonl"


def _loopback(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection that leaves the machine fails the test."""

    def guarded(connect: Any) -> Any:
        def only_loopback(self: socket.socket, address: object) -> Any:
            if not _loopback(address):
                raise AssertionError(f"a test tried to reach {address}")
            return connect(self, address)

        return only_loopback

    look_up = socket.getaddrinfo

    def only_here(host: Any, *rest: Any, **more: Any) -> Any:
        if host is not None and not _loopback((host.decode() if isinstance(host, bytes) else host,)):
            raise AssertionError(f"a test tried to look up {host}")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the developer's settings nor a key that lies around reach a test."""
    for name in list(os.environ):
        if name.upper().startswith(("VOUCH_", "OPENAI_", "ANTHROPIC_", "LANGSMITH_", "LANGCHAIN_", "TIKTOKEN_")) or (
                name.upper() in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home", numbered=True)
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    # Nothing here speaks TLS, and every HTTP client reads all the authorities it is to trust: let there be none.
    monkeypatch.setenv("SSL_CERT_DIR", str(home))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings without a model, for a library in the test's own folder."""
    return Settings(library=tmp_path / "library")


@pytest.fixture(scope="session")
def embedder() -> LocalEmbedder:
    """The local model, loaded once a process; its neighbours at work need the other cores."""
    return LocalEmbedder(threads=1)


@pytest.fixture
def library(settings: Settings, embedder: LocalEmbedder) -> Iterator[Library]:
    """An empty library that a test may write to."""
    with open_library(settings=settings, embedder=embedder) as opened:
        yield opened


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder) -> Iterator[Library]:
    """A library of the papers in tests/data/papers.jsonl, for tests that only read."""
    folder = tmp_path_factory.mktemp("shelf")
    with open_library(settings=Settings(library=folder / "library"), embedder=embedder) as opened:
        assert ingest([PAPERS], opened).added == len(PAPERS.read_text(encoding="utf-8").splitlines())
        yield opened


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real listings and the evaluation sets; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library of the five real listings, for tests that only read."""
    folder = tmp_path_factory.mktemp("corpus")
    with open_library(settings=Settings(library=folder / "library")) as opened:
        ingest([shared / "corpus"], opened)
        yield opened
