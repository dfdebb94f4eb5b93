"""The paper that is meant by its title, or by words of it."""

from __future__ import annotations

import re

from rag.schema import Paper, Where
from rag.store import Store
from rag.text import content_stems, letters, words

# Papers looked at: the words of a title stand in others too.
_LOOKED_AT = 50


def find(store: Store, title: str, where: Where | None = None) -> tuple[Paper, ...]:
    """The papers of that title; else those that have it before a colon; else those whose title begins with it.

    Failing these, the one paper whose title holds all its words, where only one does.

    Raises:
        NoLibraryError: there is no library.
    """
    wanted, stems = _key(title), content_stems(title)
    if not wanted or not stems:
        return ()
    allowed = store.fresh().select(where)
    found = store.words.search(dict.fromkeys(stems, 1.0), _LOOKED_AT)
    papers = [paper for paper in store.catalogue.papers([paper_id for paper_id, _ in found], missing_ok=True)
              if paper.title and (allowed is None or paper.id in allowed)]
    whole = [paper for paper in papers if _key(paper.label) == wanted]
    heads = [paper for paper in papers if _key(re.split(r":\s", paper.label)[0]) == wanted]
    begun = [paper for paper in papers if len(words(title)) > 3 and _key(paper.label).startswith(wanted)]
    holding = [paper for paper in papers if set(words(title)) <= set(words(paper.label))]
    return tuple(whole or heads or begun or (holding if len(holding) == 1 else ()))


def _key(title: str) -> str:
    return letters(re.sub(r"^\s*(?:the|an?)\s+", "", title, flags=re.IGNORECASE))
