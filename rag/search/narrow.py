"""A question's own conditions as a filter on this library, and what is said of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from rag.catalogue import Catalogue
from rag.schema import Paper, Where
from rag.search import constraints
from rag.search.wording import correct
from rag.store import Store
from rag.text import content_stems, words

# Papers looked at for a title: its words stand in others too.
_TITLES = 50
# A name that stands in more papers says too little to choose any.
_NAMESAKES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What to search for, and among which papers.

    Attributes:
        question: without the words of the conditions that were understood, and with misspelt ones corrected; empty
            where nothing else was asked.
        where: what was given and what the question said; None for all papers.
        told: what the question's own conditions did, and how it was spelt; None where there is nothing to tell.
        none: whether the conditions left no paper, so that the search goes without them.
    """

    question: str
    where: Where | None = None
    told: str | None = None
    none: bool = False


def narrow(store: Store, question: str, where: Where | None, this_year: int) -> Narrowed:
    """Takes the conditions that a question says itself ("since 2023", "papers by Jane Doe") into the filter.

    A condition that leaves no paper is left out, misspelt words of the rest are corrected, and both are told.

    Args:
        store: the library's.
        question: one that stands alone.
        where: the filter that was given, which wins where both set the same.
        this_year: what "the last two years" is counted from.

    Raises:
        NoLibraryError: there is no library.
    """
    store.fresh()
    question = unicodedata.normalize("NFC", question)
    narrowed = _among(store, question, where, this_year)
    corrected = correct(narrowed.question, store.vocabulary, lambda word: store.embedder.count(word) == 1)
    if corrected == narrowed.question:
        return narrowed
    told = f"Searched for “{corrected}”."
    return replace(narrowed, question=corrected, told=f"{narrowed.told} {told}" if narrowed.told else told)


def _among(store: Store, question: str, where: Where | None, this_year: int) -> Narrowed:
    said = constraints.read(
        question, this_year, lambda name: _authors(store.catalogue, name), lambda title: _titled(store, title), where)
    unknown = f"The library does not know who wrote “{said.anonymous.label}”." if said.anonymous else None
    if said.unknown:
        nobody = f"The library knows no author called “{said.unknown}”, so the search went without that."
        unknown = " ".join(filter(None, (unknown, nobody)))
    if said.where is None:
        return Narrowed(question=said.question or question, where=where, told=unknown, none=said.unknown is not None)
    given = where or Where()
    asked = replace(given, years=said.where.years or given.years, authors=said.where.authors or given.authors)
    catalogue = store.catalogue
    among = catalogue.select(given)
    total = catalogue.count()[0] if among is None else len(among)
    left = catalogue.select(asked) or ()
    if not left:
        nowhere = (f"The library knows no paper {said.phrase}" if among is None else
                   f"Among the {total} papers to look at there is none {said.phrase}")
        return Narrowed(question=said.question or question, where=where, none=True, told=" ".join(filter(None, (
            unknown, f"{nowhere}, so the search went without that."))))
    told = f"Only papers {said.phrase}: {len(left)} of {total}"
    if said.where.years:
        of_any = catalogue.select(replace(asked, years=None))
        dated = catalogue.select(replace(asked, years=(0, None))) or ()
        dateless = (catalogue.count()[0] if of_any is None else len(of_any)) - len(dated)
        told += f", leaving out {dateless} of unknown year" if dateless else ""
    return Narrowed(question=said.question, where=asked, none=said.unknown is not None,
                    told=" ".join(filter(None, (unknown, f"{told}."))))


def _authors(catalogue: Catalogue, name: str) -> list[str]:
    """The names in the library that hold the words of a name, as far as its own spelling goes."""
    # An initial or an accent the library writes otherwise finds nothing by itself; what is found is compared in full.
    found = [ids for word in words(name) if len(word) > 1 and (ids := catalogue.select(Where(authors=(word,))))]
    ids = (frozenset.intersection(*found) or frozenset.union(*found)) if found else frozenset()
    papers = catalogue.papers(sorted(ids), missing_ok=True) if len(ids) <= _NAMESAKES else ()
    return [author for paper in papers for author in paper.authors]


def _titled(store: Store, title: str) -> tuple[Paper, ...]:
    """The papers that hold most of the words of what may begin with a title."""
    catalogue = store.fresh()
    found = store.words.search(dict.fromkeys(content_stems(title), 1.0), _TITLES)
    return catalogue.papers([paper_id for paper_id, _ in found], missing_ok=True)
