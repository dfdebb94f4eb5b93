"""The routes that the page's digest tab speaks to, behind the page's own guards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from mimetypes import guess_type
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rag.errors import NoPaperError, VouchError
from rag.schema import Where
from rag.survey import Length, Outline
from ui.since import moment
from ui.web.api import demand_json
from ui.web.digests import Digests
from ui.web.filter import chosen, named

_FRESH = {"cache-control": "no-store"}


class Wanted(BaseModel):
    """What the form asks for; the filter as pairs of a kind and a value, as the page's address has them."""

    model_config = ConfigDict(extra="forbid")

    topic: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    length: Length = "standard"
    filter: list[tuple[str, str]] = []
    since: str = Field("", description="only what came since then: 7d")

    @property
    def where(self) -> Where | None:
        """The filter; None where it lets all through.

        Raises:
            ValueError: the time is none.
        """
        only = chosen(named(self.filter)) or Where()
        if self.since:
            only = Where(years=only.years, files=only.files, authors=only.authors, ids=only.ids, tags=only.tags,
                         added=moment(self.since))
        return only or None


def routes(digests: Digests) -> APIRouter:
    """The routes over the page's digests."""
    router = APIRouter(prefix="/digests")
    demands = [Depends(demand_json)]

    @router.post("/outline", dependencies=demands)
    def outline(wanted: Wanted) -> Response:
        try:
            where = wanted.where
        except ValueError as error:
            return _failed(str(error), 400)
        if not wanted.topic and where is None:
            return _failed("Name a topic, or choose papers by the filter.", 400)
        return _told(lambda: digests.outline(wanted.topic, where, wanted.length))

    @router.post("", dependencies=demands)
    def begin(outline: Outline) -> Response:
        return _told(lambda: {"id": digests.begin(outline)})

    @router.get("")
    def kept() -> Response:
        return _told(lambda: [asdict(each) for each in digests.kept()])

    @router.get("/{id_}/events")
    def events(id_: str) -> Response:
        return StreamingResponse(_streamed(digests, id_), media_type="text/event-stream", headers=_FRESH)

    @router.post("/{id_}/stop", dependencies=demands)
    def stop(id_: str) -> Response:
        return _told(lambda: digests.stop(id_))

    @router.delete("/{id_}")
    def forget(id_: str) -> Response:
        return _told(lambda: digests.forget(id_))

    @router.get("/{id_}/files/{kind}")
    def file(id_: str, kind: str) -> Response:
        try:
            made = digests.file(id_, kind)
        except VouchError as error:
            return _failed(str(error), 404 if isinstance(error, NoPaperError) else 400)
        return Response(made.content, media_type=guess_type(made.name)[0] or "application/octet-stream", headers={
            **_FRESH, "content-disposition": f'attachment; filename="{made.name}"'})

    return router


def _streamed(digests: Digests, id_: str) -> Iterator[str]:
    for state in digests.watch(id_):
        yield f"data: {json.dumps(asdict(state))}\n\n"


def _told(work: Any) -> Response:  # noqa: ANN401
    try:
        return JSONResponse(work(), headers=_FRESH)
    except VouchError as error:
        return _failed(str(error), 404 if isinstance(error, NoPaperError) else 500)


def _failed(sentence: str, status: int) -> Response:
    return JSONResponse({"error": " ".join(sentence.split())}, status, headers=_FRESH)
