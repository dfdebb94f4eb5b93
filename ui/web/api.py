"""The library over HTTP, for programs on this machine: what `--json` prints, under ``/v1`` beside the page.

It stands behind the page's own guards: only this machine's names for itself as host, no other site's pages. A POST has
to say that it sends JSON, which no form of another site can.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from rag.errors import NoLibraryError, NoPaperError, SettingsError, VouchError
from rag.schema import Answer, Event, Turn
from rag.survey import Digest, Outline
from ui.asked import Ask, Check, Count, Only, Read, Search, Survey, mistake
from ui.render import to_json

if TYPE_CHECKING:
    from rag.library import Library

_FRESH = {"cache-control": "no-store"}


class Earlier(BaseModel):
    """An earlier turn, its answer as it was given; of what is not an answer's own field nothing is made."""

    question: str
    answer: Answer


class Conversed(Ask):
    """A question, perhaps within a conversation, answered at once or as it goes.

    Attributes:
        history: the turns before it, oldest first, each with its question and the answer as it was given.
        stream: whether the answer is sent as events while it is made.
    """

    history: tuple[Earlier, ...] = ()
    stream: bool = False

    @property
    def _turns(self) -> tuple[Turn, ...]:
        return tuple(Turn(question=turn.question, answer=turn.answer) for turn in self.history)

    def of(self, library: Library) -> Answer:
        """The checked answer."""
        return library.ask(self.question, self._turns, self.only, self.engine, self.deep, fresh=self.fresh)

    def events(self, library: Library) -> Iterator[Event]:
        """The same work as it happens."""
        return library.stream(self.question, self._turns, self.only, self.engine, self.deep, fresh=self.fresh)


class Surveyed(Survey):
    """A topic to be surveyed, or an outline to be written.

    Attributes:
        outline: as ``/v1/outline`` gave it, perhaps edited; topic, filter and length are its own.
    """

    outline: Outline | None = None

    def of(self, library: Library) -> Digest:
        """The digest, every sentence cited and checked."""
        return library.digest(self.topic, self.only, self.outline, length=self.length, engine=self.engine)

    @property
    def _given(self) -> bool:
        return super()._given or self.outline is not None


class Listing(Only):
    """Which papers to list, and from where to where."""

    limit: Count = 100
    offset: Annotated[int, Field(ge=0)] = 0


def demand_json(request: Request) -> None:
    """Refuses what does not say that it is JSON: no form of another site can."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "Send JSON, and say so: content-type: application/json.")


def api(library: Library) -> FastAPI:
    """The application to mount at ``/v1``, over a library that stays open while it is served."""
    app = FastAPI(title="Vouch", docs_url=None, redoc_url=None, openapi_url=None)
    demands = [Depends(demand_json)]

    @app.post("/search", dependencies=demands)
    def search(asked: Search) -> Response:
        return _sent(asked.of(library))

    @app.post("/ask", dependencies=demands)
    def ask(asked: Conversed) -> Response:
        if not asked.stream:
            return _sent(asked.of(library))
        events = asked.events(library)
        first = next(events)  # what cannot be asked at all is an error of the request
        return StreamingResponse(_streamed(chain((first,), events)), media_type="text/event-stream", headers=_FRESH)

    @app.post("/check", dependencies=demands)
    def check(asked: Check) -> Response:
        return _sent(asked.of(library))

    @app.post("/digest", dependencies=demands)
    def digest(asked: Surveyed) -> Response:
        return _sent(asked.of(library))

    @app.post("/outline", dependencies=demands)
    def outline(asked: Survey) -> Response:
        return _sent(library.outline(asked.topic, asked.only, asked.length, asked.engine))

    @app.get("/papers")
    def papers(listed: Annotated[Listing, Query()]) -> Response:
        found = library.papers.where(listed.where)
        return _sent({"total": len(found), "papers": found[listed.offset:listed.offset + listed.limit]})

    @app.get("/papers/{paper_id}")
    def paper(paper_id: str) -> Response:
        return _sent(Read(id=paper_id).of(library))

    @app.get("/health")
    def health() -> Response:
        return _sent({"status": "ok", "version": version("vouch"), "model": library.settings.model,
                      "papers": len(library.papers) if library.exists else 0})

    app.add_exception_handler(VouchError, _failed)
    app.add_exception_handler(RequestValidationError, _mistaken)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(Exception, _broken)
    return app


def _sent(value: object) -> Response:
    return JSONResponse(to_json(value), headers=_FRESH)


def _streamed(events: Iterable[Event]) -> Iterator[str]:
    """The events as server-sent ones, named by their types in small letters; a failure on the way is the last."""
    try:
        for event in events:
            yield _event(type(event).__name__.lower(), to_json(event))
    except VouchError as error:
        yield _event("error", {"error": _sentence(error)})


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _sentence(error: object) -> str:
    return " ".join(str(error).split())


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status, headers=_FRESH)


def _failed(_: Request, error: Exception) -> Response:
    missing = isinstance(error, (NoLibraryError, NoPaperError))
    return _error(404 if missing else 400 if isinstance(error, SettingsError) else 500, _sentence(error))


def _mistaken(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _error(400, f"The request is no JSON: {first['ctx']['error']}.")
    return _error(400, mistake(first["type"], first["loc"][1:], first["msg"]))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    told: Any = error.detail
    if error.status_code in (404, 405):
        told = f"There is no {request.method} {request.url.path}: see the README's section on HTTP."
    return _error(error.status_code, _sentence(told))


def _broken(_: Request, error: Exception) -> Response:
    return _error(500, f"{type(error).__name__}: {_sentence(error)}")
