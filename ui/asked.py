"""What a program asks of the library, over HTTP or MCP: read strictly, answered as `--json` answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rag.schema import Answer, ClaimReport, EngineName, Where
from rag.survey import Digest, Length
from ui.render import to_json
from ui.since import moment

if TYPE_CHECKING:
    from rag.library import Library

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Year = Annotated[int, Field(ge=1000, le=2999)]
Count = Annotated[int, Field(ge=1, le=1000)]
Moment = Annotated[str, AfterValidator(moment)]


class Asked(BaseModel):
    """A request's fields; one that it does not have is an error."""

    model_config = ConfigDict(extra="forbid")


class Only(Asked):
    """Which papers to look at: every given condition holds, and each is met by any of its values."""

    since: Year | None = Field(None, description="of this year or later")
    until: Year | None = Field(None, description="of this year or earlier")
    files: list[str] = Field([], description="read from one of these files")
    authors: list[str] = Field([], description="by one of these authors; a part of the name is enough")
    ids: list[str] = Field([], description="with one of these ids")
    tags: list[str] = Field([], description="with one of these tags")
    added: Moment | None = Field(None, description="that came to the library since then: 7d, 2w or a date")

    @model_validator(mode="after")
    def _years_in_order(self) -> Only:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"no year is both since {self.since} and until {self.until}: swap them")
        return self

    @property
    def where(self) -> Where:
        """The filter as the library takes it."""
        return Where(years=(self.since, self.until) if self.since or self.until else None, files=tuple(self.files),
                     authors=tuple(self.authors), ids=tuple(self.ids), tags=tuple(self.tags), added=self.added)


class Filtered(Asked):
    """A request that may look at some of the papers only."""

    where: Only | None = Field(None, description="only these papers")

    @property
    def only(self) -> Where | None:
        """The filter as the library takes it."""
        return self.where.where if self.where else None


class Search(Filtered):
    """Papers that fit a query."""

    query: Words = Field(description="what to look for, in a few words or a sentence")
    k: Count = Field(10, description="how many papers at most")
    deep: bool | None = Field(None, description="whether the configured language model helps to search")

    def of(self, library: Library) -> dict[str, Any]:
        """The hits, best first, and which papers were looked at, where not all."""
        notices: list[str] = []
        narrowed = library.narrowed(self.query, self.only).told
        hits = library.search(self.query, self.k, self.only, self.deep, tell=notices.append)
        return {"query": self.query, "narrowed": narrowed, "hits": hits, "notice": " ".join(notices) or None}


class Ask(Filtered):
    """A question to be answered from the papers."""

    question: Words = Field(description="a question that can be understood by itself")
    engine: EngineName | None = Field(None, description="extractive quotes the papers; llm lets the model write")
    deep: bool | None = Field(None, description="whether the configured language model also helps to search")
    fresh: bool = Field(False, description="let the model write anew what it has answered before")

    def of(self, library: Library) -> Answer:
        """The checked answer."""
        return library.ask(self.question, where=self.only, engine=self.engine, deep=self.deep, fresh=self.fresh)


class Check(Filtered):
    """A claim to be weighed."""

    claim: Words = Field(description="one statement that papers could support or contradict")
    engine: EngineName | None = Field(None, description="extractive goes by the papers' words; llm has the model read")

    def of(self, library: Library) -> ClaimReport:
        """What the papers say for the claim and against it."""
        return library.check(self.claim, where=self.only, engine=self.engine)


class Survey(Filtered):
    """A topic to be surveyed, or all the papers of a filter."""

    topic: Annotated[str, StringConstraints(strip_whitespace=True)] = Field("", description=(
        "what to survey, in a few words; empty for all the papers of the filter"))
    length: Length = Field("standard", description="brief: 12 papers at most, standard: 30, full: 120")
    engine: EngineName | None = Field(None, description="extractive quotes the papers; llm lets the model write")

    @property
    def _given(self) -> bool:
        return bool(self.topic or self.only)

    @model_validator(mode="after")
    def _something(self) -> Survey:
        if not self._given:
            raise ValueError("name a topic, or a filter in where")
        return self

    def of(self, library: Library) -> Digest:
        """The digest, every sentence cited and checked."""
        return library.digest(self.topic, self.only, length=self.length, engine=self.engine)


class Read(Asked):
    """One paper to read."""

    id: Words = Field(description="the paper's id, as the other tools give it")

    def of(self, library: Library) -> dict[str, Any]:
        """All that is known of the paper, with its tags."""
        paper: dict[str, Any] = to_json(library.papers[self.id])
        return paper | {"tags": list(library.papers.tags(self.id))}


def mistake(kind: str, place: Sequence[object], told: str) -> str:
    """What is wrong with a request, in one sentence, from what pydantic says: its kind of error, where, and how."""
    field = ".".join(map(str, place))
    if kind == "extra_forbidden":
        return f"There is no field {field!r}: leave it out."
    told = told.removeprefix("Value error, ")
    return f"{field}: {told[0].lower()}{told[1:]}." if field else f"{told}."
