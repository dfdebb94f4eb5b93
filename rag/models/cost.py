"""What a language model costs: its price, what an answer's calls took, and what its conversation may still cost."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rag.errors import ModelError
from rag.models.providers import split
from rag.models.told import dollars
from rag.schema import Turn, Usage
from rag.settings import Settings

# Tokens a reply may take where there is a limit, thoughts included; with less than the fewest none is begun.
MOST_REPLY = 8_192
LEAST_REPLY = 1_024

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars for a million tokens."""

    read: float
    written: float

    def of(self, read: int, written: int) -> float:
        """Dollars for so many tokens."""
        return (self.read * read + self.written * written) / _MILLION


FREE = Price(read=0.0, written=0.0)


def price(name: str, settings: Settings) -> Price | None:
    """What a model costs; None where that is not known: providers change their lists, so Vouch keeps none.

    VOUCH_PRICE is VOUCH_MODEL's, and any other's that does not run on this machine; what does costs nothing.
    """
    given = Price(read=settings.price[0], written=settings.price[1]) if settings.price else None
    provider, _ = split(name)
    here = settings.openai_base_url if provider in ("", "openai") else None
    free = provider == "ollama" or (here is not None and _on_this_machine(here))
    return given if given and (name == settings.model or not free) else FREE if free else None


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def spent(history: Sequence[Turn]) -> float:
    """Dollars that a conversation's answers have cost, as far as they are known."""
    return sum(dollars(turn.answer.usage.cost) or 0.0 for turn in history if turn.answer.usage)


@dataclass(slots=True, kw_only=True)
class Account:
    """The calls of one answer: what they may cost together, what they took, and which were spared.

    Attributes:
        left: dollars that may still be spent; None for no limit.
        held: dollars of these that are set aside for calls under way, for all that they may come to.
        fresh: whether a model is asked even where it is remembered what it wrote.
        usage: tokens and dollars of the calls so far. Where a server does not tell them they count only under a limit,
            and then as many as they can have been.
        asked: calls that were made.
        recalled: calls that were spared, because it was remembered what the model wrote.
    """

    left: float | None = None
    held: float = 0.0
    fresh: bool = False
    usage: Usage | None = None
    asked: int = 0
    recalled: int = 0
    _undo: list[Callable[[], None]] = field(default_factory=list)

    @property
    def cached(self) -> bool:
        """Whether all that a model wrote was remembered."""
        return self.recalled > 0 and self.asked == 0

    def reply(self, name: str, its: Price | None, read: int) -> int | None:
        """Tokens that a reply may take; None for as many as the model likes.

        Args:
            name: the model's.
            its: the model's price; None where that is not known.
            read: tokens that it will read.

        Raises:
            ModelError: there is a limit, and it does not hold even a short reply, or the price is not known.
        """
        if self.left is None or its == FREE:
            return None
        if its is None:
            raise ModelError(f"The model {name} was not asked: VOUCH_MAX_COST limits what it may cost, and its price "
                             "is not known; VOUCH_PRICE sets it.")
        left = self.left - self.held
        if left < (least := its.of(read, LEAST_REPLY)):
            raise ModelError(f"The model {name} was not asked: it could cost ${least:.2g}, and VOUCH_MAX_COST leaves "
                             f"this conversation ${max(0.0, left):.2g}.")
        rest = _MILLION * left - its.read * read
        return MOST_REPLY if rest >= its.written * MOST_REPLY else int(rest / its.written)

    @contextmanager
    def holding(self, dollars: float) -> Iterator[None]:
        """Sets so much aside for a call while it runs: others, as the judge's, may begin before it is charged."""
        self.held += dollars
        try:
            yield
        finally:
            self.held -= dollars

    def charge(self, usage: Usage) -> None:
        """Adds what a call took."""
        self.usage = usage if self.usage is None else self.usage + usage
        if self.left is not None:
            self.left -= usage.cost or 0.0

    def part(self, dollars: float) -> Account:
        """An account for a call beside others: so much of what is left is set aside for it until it is joined again."""
        if self.left is None:
            return Account(fresh=self.fresh)
        aside = max(0.0, min(dollars, self.left - self.held))
        self.left -= aside
        return Account(left=aside, fresh=self.fresh)

    def join(self, part: Account) -> None:
        """Adds what a part took, and takes back what it left."""
        if self.left is not None and part.left is not None:
            self.left += part.left
        if part.usage is not None:
            self.usage = part.usage if self.usage is None else self.usage + part.usage
        self.asked += part.asked
        self.recalled += part.recalled
        self._undo += part._undo

    def kept(self, undo: Callable[[], None]) -> None:
        """Takes note that what a model wrote is remembered now, and how to forget it."""
        self._undo.append(undo)

    def forget(self) -> None:
        """Forgets what was remembered in this answer: it came to nothing, so asking again should ask the model."""
        while self._undo:
            self._undo.pop()()


def open_account(settings: Settings, history: Sequence[Turn] = (), fresh: bool = False,
                 elsewhere: float = 0.0) -> Account:
    """The account of the next answer in a conversation, with what VOUCH_MAX_COST leaves for it.

    Args:
        settings: the limit, and the price.
        history: the conversation's earlier turns.
        fresh: whether a model is asked even where it is remembered what it wrote.
        elsewhere: dollars that the conversation has cost beside those turns.
    """
    limit = settings.max_cost
    return Account(left=None if limit is None else max(0.0, limit - spent(history) - elsewhere), fresh=fresh)
