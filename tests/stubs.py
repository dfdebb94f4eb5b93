"""A language model at the wire: a loopback server that speaks the OpenAI protocol as a test has scripted it.

Run by hand it answers from the evidence it is shown, so that the chat can be tried without a model:
``python -m tests.stubs --port 8899``, then ``OPENAI_BASE_URL=http://127.0.0.1:8899/v1 VOUCH_MODEL=stub``.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import math
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

DIMENSIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server does with one request. The first of ``hang``, ``reset``, ``body`` that is given decides.

    Attributes:
        text: the answer; ``chunks`` gives it in pieces instead, as they are to travel (default: word by word).
        delay: seconds before the first byte.
        gap: seconds before each chunk after the first.
        comments: send an SSE comment each ``gap`` seconds for ever instead of an answer (a proxy that keeps alive).
        status: HTTP status; other than 200 sends ``body`` or an error object in OpenAI's shape.
        message: the error object's message; ``code`` its code.
        body: sent as it is, whatever was asked.
        cut_after: end after so many chunks: no finish reason, no [DONE].
        cut: how it ends: "end" closes the HTTP body correctly, "reset" resets the connection.
        event: an SSE event sent after the chunks instead of the finish (an error object, or text that is no JSON).
        usage: (input, output) tokens; None reports none.
        choices: False sends every chunk with ``choices: []``.
        hang: accept and never answer, until the stub is closed. ``reset``: reset the connection at once.
    """

    text: str = ""
    chunks: tuple[str, ...] | None = None
    delay: float = 0.0
    gap: float = 0.0
    comments: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "the stub was told to fail"
    code: str | None = None
    body: str | bytes | None = None
    cut_after: int | None = None
    cut: Literal["end", "reset"] = "end"
    event: str | None = None
    finish_reason: str | None = "stop"
    usage: tuple[int, int] | None = (11, 7)
    refusal: str | None = None
    reasoning: tuple[str, ...] = ()
    tool_call: str | None = None
    choices: bool = True
    hang: bool = False
    reset: bool = False

    @property
    def pieces(self) -> tuple[str, ...]:
        """The answer in the pieces it travels in."""
        return self.chunks if self.chunks is not None else tuple(re.findall(r"\s*\S+|\s+$", self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the server got it. Header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    json: dict[str, Any]

    @property
    def prompt(self) -> str:
        """All the messages' texts."""
        return "\n".join(str(message["content"]) for message in self.json.get("messages", ()))

    @property
    def ordered(self) -> dict[str, str]:
        """Label to title of the papers that it shows to have them ordered."""
        return dict(re.findall(r"^\[(P\d+)\] (.*?)(?: \(\d{4}\))?$", self.prompt, flags=re.MULTILINE))


Script = Callable[[Request], Reply]


class StubModel:
    """A context manager that serves on loopback while it is open.

    Chat requests take the scripted replies in order; one too many gets an error that no client tries again, and fails
    the test when the stub closes. Embedding requests get vectors of hashed words, unless ``embeddings`` says other.
    """

    def __init__(self, *replies: Reply | Script, always: Script | None = None, embeddings: Script | None = None,
                 port: int = 0) -> None:
        self._replies = list(replies)
        self._always = always
        self._embeddings = embeddings
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.unscripted: list[Request] = []
        self.sent: list[tuple[float, str]] = []  # when (time.perf_counter) each streamed event went out, and its data
        self.closing = threading.Event()
        self.client_left = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.stub = self

    @property
    def url(self) -> str:
        """The base URL, as OPENAI_BASE_URL wants it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def take(self, request: Request) -> Reply:
        """The reply that is due, with the request put on record."""
        with self._lock:
            self.requests.append(request)
            if request.path.endswith("/embeddings"):
                return self._embeddings(request) if self._embeddings else embedded(request)
            if self._replies:
                reply = self._replies.pop(0)
            elif self._always:
                reply = self._always
            else:
                self.unscripted.append(request)
                return Reply(status=418, message="no reply is scripted for this request")
        return reply if isinstance(reply, Reply) else reply(request)

    def serve(self) -> None:
        """Serve in the calling thread, until it is interrupted."""
        self._server.serve_forever(poll_interval=0.02)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True, name="stub model").start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        if error is None and self.unscripted:
            raise AssertionError(f"{len(self.unscripted)} request(s) beyond the script: {self.unscripted[0].path}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    stub: StubModel

    def handle_error(self, request: object, client_address: object) -> None:
        self.stub.client_left.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(path=self.path, headers={k.lower(): v for k, v in self.headers.items()},
                          json=json.loads(content))
        reply = self.server.stub.take(request)
        if reply.hang:
            self.server.stub.closing.wait()
            self.close_connection = True
            return
        if reply.reset:
            self._reset()
            return
        time.sleep(reply.delay)
        if reply.status != 200 or reply.body is not None:
            self._send(reply, reply.body if reply.body is not None else _error(reply))
        elif not request.json.get("stream"):
            self._send(reply, json.dumps(_completion(reply)))
        else:
            self._stream(reply)

    def _send(self, reply: Reply, body: str | bytes) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, reply: Reply) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": "text/event-stream", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while reply.comments and not self.server.stub.closing.wait(reply.gap):
            self._chunk(": still here\n\n")
        for at, event in enumerate(_events(reply)):
            if at == reply.cut_after:
                break
            if at:
                time.sleep(reply.gap)
            self._chunk(f"data: {event}\n\n")
            self.server.stub.sent.append((time.perf_counter(), event))
        if reply.cut_after is not None and reply.cut == "reset":
            self._reset()
            return
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _reset(self) -> None:
        # Lingering for no time makes the kernel send RST instead of an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _error(reply: Reply) -> str:
    return json.dumps({"error": {"message": reply.message, "type": "stub", "param": None, "code": reply.code}})


def _usage(reply: Reply) -> dict[str, int] | None:
    if reply.usage is None:
        return None
    asked, said = reply.usage
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def _completion(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(reply.pieces), "refusal": reply.refusal}
    choices = [{"index": 0, "message": message, "finish_reason": reply.finish_reason}] if reply.choices else []
    return {"id": "stub", "object": "chat.completion", "created": 0, "model": "stub", "choices": choices,
            "usage": _usage(reply)}


def _events(reply: Reply) -> Iterator[str]:
    """The data of each server-sent event, the last one [DONE]."""

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}] if reply.choices else []
        return json.dumps({"id": "stub", "object": "chat.completion.chunk", "created": 0, "model": "stub",
                           "choices": choices})

    for thought in reply.reasoning:
        yield event({"role": "assistant", "content": "", "reasoning_content": thought})
    for piece in reply.pieces:
        yield event({"role": "assistant", "content": piece})
    if reply.refusal is not None:
        yield event({"role": "assistant", "content": None, "refusal": reply.refusal})
    if reply.tool_call is not None:
        call = {"index": 0, "id": "call", "type": "function", "function": {"name": reply.tool_call, "arguments": "{}"}}
        yield event({"role": "assistant", "content": None, "tool_calls": [call]})
    if reply.event is not None:
        yield reply.event
        return
    if reply.finish_reason is not None:
        yield event({}, reply.finish_reason)
    if usage := _usage(reply):
        yield json.dumps({"id": "stub", "object": "chat.completion.chunk", "created": 0, "model": "stub",
                          "choices": [], "usage": usage})
    yield "[DONE]"


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A unit vector that depends on the text's words alone: texts that share words are near."""
    values = [1e-3] * dimensions
    for word in re.findall(r"\w+", text.casefold()):
        digest = hashlib.sha256(word.encode()).digest()
        values[digest[0] % dimensions] += 1 if digest[1] % 2 else -1
    norm = math.sqrt(sum(value * value for value in values))
    return [value / norm for value in values]


def embedded(request: Request) -> Reply:
    """An embeddings reply: one vector a text, as floats or in base64, as was asked."""
    given = request.json["input"]
    texts = given if isinstance(given, list) and not (given and isinstance(given[0], int)) else [given]
    vectors = [vector(str(text), request.json.get("dimensions", DIMENSIONS)) for text in texts]
    data = [
        {"object": "embedding", "index": at, "embedding": (
            base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
            if request.json.get("encoding_format") == "base64" else values)}
        for at, values in enumerate(vectors)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return Reply(body=json.dumps({"object": "list", "model": "stub", "data": data, "usage": usage}))


def grounded(request: Request) -> Reply:
    """Quotes and repeats the first sentence of each labelled passage, one of four uncited: for playing by hand."""
    passages = re.findall(r"^\[(E\d+)\] [^\n]*\n([^\n]+)", request.prompt, flags=re.MULTILINE)
    if not passages:
        return Reply(text=request.prompt.strip().splitlines()[-1])
    firsts = [(label, text.split(". ")[0].rstrip(".")) for label, text in passages[:5]]
    quotes = [f'Q{at} [{label}] "{text}."\n' for at, (label, text) in enumerate(firsts, 1)]
    said = [f"{text} [{f'Q{at}' if at % 4 else 'Q99'}]." for at, (_, text) in enumerate(firsts, 1)]
    return Reply(text=f"QUOTES\n{''.join(quotes)}ANSWER\n{' '.join(said)}", delay=0.3, gap=0.02)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8899)
    stub = StubModel(always=grounded, port=parser.parse_args().port)
    print(f"OPENAI_BASE_URL={stub.url} VOUCH_MODEL=stub")
    try:
        stub.serve()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
