"""Digests of a library: in the papers' own words, then better where a language model is given."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from rag import digest as digests
from rag.digest.material import gathered
from rag.schema import Where
from rag.store import Store
from rag.survey import Digest, Length, News, Outline, Step

if TYPE_CHECKING:
    from rag.digest.write import Progress, Rewrite
    from rag.llm import Model


class Surveys:
    """Makes outlines and digests of a store's papers; ``model`` is on the account of one digest."""

    def __init__(self, store: Store, model: Model | None = None) -> None:
        self._store = store
        self._model = model

    def outline(self, topic: str, where: Where | None, length: Length) -> Outline:
        """What a digest would be about; headings and order are the model's where it is of use."""
        made = digests.outline(self._store, topic, where, length, this_year=_this_year())
        if self._model is None:
            return made
        from rag.digest.outlining import improve

        return improve(self._model, made, gathered(self._store, made))

    def steps(self, topic: str, where: Where | None, outline: Outline | None,
              length: Length) -> Generator[Step, None, None]:
        """The digest as it is made; of the outline where one is given."""
        if outline is None and self._model is not None:
            bare = Digest(topic=topic, title=topic, length=length, where=where or Where())
            yield Step(stage="searching", done=0, total=1, digest=bare)
            outline = self.outline(topic, where, length)
        yield from digests.steps(self._store, topic, where, outline, length, self._rewrite, this_year=_this_year())

    def update(self, digest: Digest, progress: Progress | None = None) -> tuple[Digest, News]:
        """The digest with what is new since, and what changed."""
        return digests.update(self._store, digest, progress, self._rewrite, this_year=_this_year())

    @property
    def _rewrite(self) -> Rewrite | None:
        if self._model is None:
            return None
        from rag.digest.composing import compose

        return partial(compose, self._model)


def _this_year() -> int:
    return date.today().year
