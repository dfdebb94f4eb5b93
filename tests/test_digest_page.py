"""The page's digests without a browser: outlines, digests under way, what is kept, files, and what the HTML lets in."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rag import Library
from rag.embedders.minilm import LocalEmbedder
from rag.errors import LibraryError
from rag.schema import EngineName, Excerpt, Paper, Reference, Sentence, Where
from rag.settings import Settings
from rag.survey import Comparison, Digest, DigestSection, Length, Outline, Point, Row, Step, Withheld
from ui.drawer import Drawer
from ui.notebook import NOTEBOOK
from ui.web.digest_html import digest_html
from ui.web.digest_routes import routes
from ui.web.digests import Digests

TOPIC = "reward models"


def client_of(library: Library, folder: Path) -> TestClient:
    app = FastAPI()
    app.include_router(routes(Digests(library, Drawer(folder / NOTEBOOK))))
    return TestClient(app)


@pytest.fixture
def client(shelf: Library, tmp_path: Path) -> TestClient:
    return client_of(shelf, tmp_path)


def outline(client: TestClient, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/digests/outline", json={"topic": TOPIC, **asked}).json()
    return found


def states(client: TestClient, id_: str) -> list[dict[str, Any]]:
    body = client.get(f"/digests/{id_}/events").text
    return [json.loads(line.removeprefix("data: ")) for line in body.split("\n\n") if line]


def begun(client: TestClient, plan: dict[str, Any]) -> str:
    plan.pop("titles")
    found: str = client.post("/digests", json=plan).json()["id"]
    return found


def test_an_outline_is_written_and_kept(client: TestClient, shelf: Library) -> None:
    plan = outline(client, length="brief")
    assert plan["titles"] == {paper_id: shelf.papers[paper_id].label
                              for group in plan["groups"] for paper_id in group["papers"]}
    plan["groups"][0]["heading"] = "My own heading"
    id_ = begun(client, plan)
    told = states(client, id_)
    assert [state["over"] for state in told] == [False] * (len(told) - 1) + [True]
    assert "My own heading" in told[-1]["html"]
    assert told[-1]["error"] is None
    [kept] = client.get("/digests").json()
    assert kept["id"] == id_
    # Who comes later sees it as it was.
    assert states(client, id_) == [{"stage": "searching", "done": 0, "total": 1, "html": told[-1]["html"], "over": True,
                                    "error": None}]
    assert client.delete(f"/digests/{id_}").status_code == 200
    assert client.get("/digests").json() == []
    assert "not kept any more" in states(client, id_)[0]["error"]


def test_its_files(client: TestClient) -> None:
    id_ = begun(client, outline(client))
    states(client, id_)
    made = client.get(f"/digests/{id_}/files/json")
    assert made.headers["content-disposition"] == 'attachment; filename="reward-models.json"'
    assert made.json()["topic"] == TOPIC
    packed = client.get(f"/digests/{id_}/files/markdown")
    assert packed.headers["content-disposition"].endswith('-markdown.zip"')
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".md", ".svg"}
    assert "There is no format" in client.get(f"/digests/{id_}/files/psd").json()["error"]
    assert client.get("/digests/nothing/files/json").status_code == 404


def test_the_filter_goes_along(client: TestClient) -> None:
    assert outline(client, filter=[["since", "2999"]])["groups"] == []
    assert outline(client, topic="", since="1d", length="brief")["groups"]
    assert outline(client, topic="", filter=[["since", "2024"]])["where"]["years"] == [2024, None]


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/digests/outline", {}, 400), ("/digests/outline", {"topic": "x", "since": "soon"}, 400),
    ("/digests/outline", {"topic": "x", "much": 1}, 422), ("/digests", {"topic": "x"}, 422)])
def test_what_cannot_be_asked(path: str, body: Any, status: int, client: TestClient) -> None:
    assert client.post(path, json=body).status_code == status


def test_a_form_of_another_site_does_nothing(client: TestClient) -> None:
    for path in ("/digests", "/digests/outline", "/digests/x/stop"):
        assert client.post(path, data={"topic": "x"}).status_code == 415


class Slow(Library):
    """A library whose digests come to one section, and no further before they are stopped."""

    def __init__(self, path: Path, settings: Settings, embedder: LocalEmbedder) -> None:
        super().__init__(path, settings, embedder)
        self.begun = threading.Event()
        self.sections = True

    def digest_steps(self, topic: str, where: Where | None = None, outline: Outline | None = None,
                     length: Length = "standard", engine: EngineName | None = None) -> Generator[Step, None, None]:
        for step in super().digest_steps(topic, where, outline, length, engine):
            yield step
            while bool(step.digest.sections) == self.sections:
                self.begun.set()
                threading.Event().wait(0.01)
                yield step


@pytest.fixture
def slow(shelf: Library, embedder: LocalEmbedder) -> Generator[Slow, None, None]:
    with Slow(shelf.path, Settings(library=shelf.path), embedder) as library:
        yield library


def test_who_cancels_keeps_what_is_done(slow: Slow, tmp_path: Path) -> None:
    client = client_of(slow, tmp_path)
    id_ = begun(client, outline(client))
    assert slow.begun.wait(30)
    assert client.post(f"/digests/{id_}/stop", json={}).status_code == 200
    last = states(client, id_)[-1]
    assert last["over"]
    assert "what was done is kept" in last["html"]
    kept = Drawer(tmp_path / NOTEBOOK).get(id_)
    assert kept is not None
    assert len(kept.sections) == 1


def test_where_nothing_is_done_there_is_nothing_to_keep(slow: Slow, tmp_path: Path) -> None:
    slow.sections = False
    client = client_of(slow, tmp_path)
    id_ = begun(client, outline(client))
    assert slow.begun.wait(30)
    client.post(f"/digests/{id_}/stop", json={})
    assert states(client, id_)[-1]["error"]
    assert client.get("/digests").json() == []


class Broken(Library):
    """A library that cannot be read any more."""

    def digest_steps(self, topic: str, where: Where | None = None, outline: Outline | None = None,
                     length: Length = "standard", engine: EngineName | None = None) -> Generator[Step, None, None]:
        raise LibraryError("The disk is gone: put it back.")
        yield  # a generator


def test_what_goes_wrong_is_told(shelf: Library, embedder: LocalEmbedder, tmp_path: Path) -> None:
    with Broken(shelf.path, Settings(library=shelf.path), embedder) as library:
        client = client_of(library, tmp_path)
        told = states(client, begun(client, outline(client)))
    assert told[-1]["error"] in ("The disk is gone: put it back.", "This digest is not kept any more.")


def test_nothing_in_it_becomes_markup() -> None:
    evil = '<img src=x onerror="alert(1)">'
    paper = Paper(id='p"1', title=evil, abstract=f"{evil} We count.", authors=(evil,), year=2021,
                  url="javascript:alert(1)")
    said = Sentence(text=evil)
    cut = Excerpt(text=evil, start=0, end=len(evil))
    digest = Digest(
        topic=evil, title=evil, scope=evil, notice=evil, summary=(said,),
        sections=(DigestSection(heading=evil, papers=(paper.id,), shared=(said,), adds=(said,),
                                differs=(Comparison(about=evil, sentences=(said, said)),)),),
        table=(Row(label=1, problem=cut, approach=cut, data=cut, result=cut),), open_problems=(said,),
        agreements=(Comparison(about=evil, sentences=(said,)),), map=(Point(label=1, x=0.1, y=0.2, section=0),),
        references=(Reference(label=1, paper=paper),), withheld=(Withheld(sentence=said, reason=evil),))
    made = digest_html(digest)
    assert "<img" not in made
    assert "javascript:" not in made
    assert 'onerror="' not in made
    assert digest_html(replace(digest, withheld=(), sections=(), table=(), references=(), map=()))
