"""The subjects that a library's titles share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from rag.examples import phrases
from rag.schema import Paper
from rag.store import Store
from rag.text import stem


def themes(store: Store, papers: Sequence[Paper], most: int) -> tuple[tuple[str, tuple[Paper, ...]], ...]:
    """The subjects that most titles name, each with the papers that speak of it, those with it in their title first.

    One whose papers are mostly another's adds little and is left out.

    Args:
        store: the library's.
        papers: those to look at.
        most: subjects at most.

    Raises:
        NoLibraryError: there is no library.
    """
    in_titles: dict[str, list[str]] = defaultdict(list)
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for paper in papers:
        for phrase in dict.fromkeys(phrases(paper.title or "")):
            key = " ".join(stem(word.casefold()) for word in phrase.split())
            in_titles[key].append(paper.id)
            spelled[key][phrase] += 1
    common = sorted((key for key in in_titles if len(in_titles[key]) > 1),
                    key=lambda key: (-len(in_titles[key]) * (1 + 0.25 * key.count(" ")), key))[:10 * most]
    store.fresh()
    stems = {paper_id: f" {' '.join(held)} " for paper_id, held in store.stems([p.id for p in papers]).items()}
    found: list[tuple[str, tuple[Paper, ...]]] = []
    taken: list[set[str]] = []
    keys: list[str] = []
    for key in common:
        titled = set(in_titles[key])
        holders = [paper for paper in papers if paper.id in titled or f" {key} " in stems.get(paper.id, "")]
        ids = {paper.id for paper in holders}
        if any(2 * len(ids & other) > len(ids | other) for other in taken) or any(
                set(key.split()) <= set(other.split()) or set(key.split()) >= set(other.split()) for other in keys):
            continue
        taken.append(ids)
        keys.append(key)
        found.append((_plural(spelled[key]), tuple(sorted(holders, key=lambda paper: paper.id not in titled))))
        if len(found) == most:
            break
    return tuple(found)


def _plural(spellings: Counter[str]) -> str:
    """The commonest spelling, in the plural where titles have it: one speaks of "reward models"."""
    several = Counter({spelling: count for spelling, count in spellings.items() if spelling.endswith("s")})
    return (several or spellings).most_common(1)[0][0]
