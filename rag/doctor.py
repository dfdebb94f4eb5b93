"""Looks a library over: what is configured, what is reachable, where the data is, and what to do about each problem."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from rag.errors import VouchError
from rag.library import Library
from rag.settings import user_file

_LOW_DISK = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; ``remedy`` says what to do where it is not well."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    remedy: str | None = None


def examine(library: Library) -> tuple[Finding, ...]:
    """Looks at everything; a problem becomes a finding, never an error. Sends nothing but to a configured model."""
    return (_settings(), *_library(library), *_embedder(library), *_indexes(library), *_model(library))


def _settings() -> Finding:
    path = user_file()
    return Finding(subject="settings", state="ok",
                   detail=f"read from {path} and the environment" if path.exists() else
                   f"read from the environment; {path} would be read too")


def _library(library: Library) -> Iterator[Finding]:
    if not library.exists:
        yield Finding(subject="library", state="warn", detail=f"none at {library.path} yet",
                      remedy="`vouch ingest FILE` makes one from your files, `vouch ingest --sample` from the sample")
    else:
        try:
            papers, chunks = library.store.catalogue.count()
            files = len(library.files())
            yield Finding(subject="library", state="ok",
                          detail=f"{library.path}: {papers} papers in {chunks} passages, "
                                 f"from {files} file{'s' * (files != 1)}")
        except VouchError as error:
            yield Finding(subject="library", state="fail", detail=str(error),
                          remedy="move the folder away and ingest your files again")
    place = next(folder for folder in (library.path, *library.path.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < _LOW_DISK:
        yield Finding(subject="disk", state="warn", detail=f"{free // 1_000_000} MB free at {place}",
                      remedy="make room: an ingest that fills the disk stops, though it loses nothing")


def _embedder(library: Library) -> Iterator[Finding]:
    try:
        embedder = library.store.embedder
        embedder.embed_query("a question")
    except VouchError as error:
        yield Finding(subject="embedder", state="fail", detail=str(error),
                      remedy="see VOUCH_EMBEDDINGS, and that its server or package is there")
        return
    try:
        made_with = library.store.catalogue.embedder if library.exists else None
    except VouchError:
        return  # what is said of the library says it all
    if made_with not in (None, embedder.identity):
        yield Finding(subject="embedder", state="fail",
                      detail=f"the library was made with {made_with}, the settings ask for {embedder.identity}",
                      remedy="set VOUCH_EMBEDDINGS back, or run `vouch doctor --reembed`")
    else:
        yield Finding(subject="embedder", state="ok", detail=f"{embedder.identity}, {embedder.dimension} dimensions")


def _indexes(library: Library) -> Iterator[Finding]:
    if not library.exists:
        return
    try:
        papers, chunks = library.store.fresh().count()
    except VouchError as error:
        yield Finding(subject="indexes", state="fail", detail=str(error), remedy="see the finding above, or run "
                      "`vouch doctor --repair`")
        return
    place = library.settings.chroma_url or "embedded"
    for subject, count, expected in (
        (f"Chroma ({place})", library.store.vectors.count, chunks), ("word index", library.store.words.count, papers),
        ("vocabulary", library.store.vocabulary.count, papers),
    ):
        try:
            found = count()
        except VouchError as error:
            yield Finding(subject=subject, state="fail", detail=str(error), remedy="run `vouch doctor --repair`")
            continue
        yield Finding(subject=subject, state="ok" if found == expected else "fail",
                      detail=f"{found} of {expected} entries",
                      remedy=None if found == expected else "run `vouch doctor --repair`")


def _model(library: Library) -> Iterator[Finding]:
    settings = library.settings
    if settings.model is None:
        lying = " (the OPENAI_API_KEY in the environment is not used)" if settings.openai_api_key else ""
        yield Finding(subject="model", state="ok", detail=f"none: answers are in the papers' own words{lying}")
        return
    from langchain_core.messages import HumanMessage

    from rag.llm import open_model

    began = perf_counter()
    try:
        for _ in open_model(settings.model, settings).stream([HumanMessage("Say yes.")]):
            break
    except VouchError as error:
        yield Finding(subject="model", state="fail", detail=str(error),
                      remedy="until then answers are in the papers' own words")
        return
    yield Finding(subject="model", state="ok", detail=f"{settings.model} answered in {perf_counter() - began:.1f} s")
