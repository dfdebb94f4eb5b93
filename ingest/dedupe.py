"""Which records are one paper. Pure.

Two records are one paper if they share a DOI, or an arXiv id, or are alike in title and text, or (where one has no
title) in text alone. ``keys`` finds candidates in an index, ``same_paper`` decides on a pair.
"""

from __future__ import annotations

import functools
import heapq
import zlib

from rag.schema import Paper
from rag.text import letters, words

Key = tuple[str, str]

# Shingles of four words: a copy whose abstract was revised here and there still shares most of them, while two papers
# on one subject share hardly any.
_SHINGLE = 4
_SKETCH = 20
# Jaccard similarity of the shingles from which two texts are copies. With equal titles the texts only need to be
# clearly related, since authors rewrite an abstract between versions; without, they must be nearly the same.
_RELATED = 0.25
_ALIKE = 0.5
# A text may be cut ("... More"): then the shorter lies within the longer. Not believed of a few words.
_CONTAINED = 0.9
_ENOUGH = 12


def keys(paper: Paper) -> tuple[Key, ...]:
    """What an index should hold of a paper: copies share at least one key.

    The text's keys are a bottom-k sketch (Broder, "On the resemblance and containment of documents", 1997): the
    smallest hashes of its shingles. Two texts that share the part J of their shingles share about J·k of them, so
    that at J = 0.5 and k = 20 the chance of sharing none is under one in ten thousand. Identifiers and equal titles
    have keys of their own.
    """
    found: list[Key] = []
    if paper.doi:
        found.append(("doi", paper.doi.lower()))
    if paper.arxiv_id:
        found.append(("arxiv", _unversioned(paper.arxiv_id)))
    if paper.title and (title := _folded(paper.title)):
        found.append(("title", title))
    found += [("text", f"{value:08x}") for value in heapq.nsmallest(_SKETCH, _shingles(paper.abstract))]
    return tuple(found)


def same_paper(a: Paper, b: Paper) -> bool:
    """Whether two records are one paper.

    Different DOIs or arXiv ids alone do not part two records of equal title and text (a preprint and its article
    have two DOIs), but they demand more likeness of a title or text that could be a coincidence.
    """
    if a.arxiv_id and b.arxiv_id and _unversioned(a.arxiv_id) == _unversioned(b.arxiv_id):
        return True
    if a.doi and b.doi and a.doi.lower() == b.doi.lower():
        return True
    contradicted = _differ(a.arxiv_id, b.arxiv_id)
    if a.title and b.title:
        # Papers of one group may share nearly their whole abstract: a title that differs is another paper.
        if _folded(a.title) != _folded(b.title):
            return False
        return likeness(a.abstract, b.abstract) >= (_ALIKE if contradicted or _differ(a.doi, b.doi) else _RELATED)
    return not contradicted and likeness(a.abstract, b.abstract) >= _ALIKE


def likeness(a: str, b: str) -> float:
    """How far two texts share their shingles, 0..1: their Jaccard similarity, or 1 where one is a cut of the other."""
    first, second = _shingles(a), _shingles(b)
    shared = len(first & second)
    if not shared:
        return 0.0
    smaller = min(len(first), len(second))
    if smaller >= _ENOUGH and shared >= _CONTAINED * smaller:
        return 1.0
    return shared / (len(first) + len(second) - shared)


@functools.lru_cache(maxsize=4096)
def _folded(title: str) -> str:
    return letters(title)


def _differ(a: str | None, b: str | None) -> bool:
    return bool(a and b) and _unversioned(a or "") != _unversioned(b or "")


def _unversioned(arxiv_id: str) -> str:
    head, mark, version = arxiv_id.lower().rpartition("v")
    return head if mark and head and version.isdigit() else arxiv_id.lower()


@functools.lru_cache(maxsize=4096)
def _shingles(text: str) -> frozenset[int]:
    """Hashes of the text's word n-grams, alike in every run; of the whole, if it is shorter than one."""
    found = [word.encode() for word in words(text)]
    if not found:
        return frozenset()
    count = max(1, len(found) - _SHINGLE + 1)
    return frozenset(_mixed(zlib.crc32(b" ".join(found[i : i + _SHINGLE]))) for i in range(count))


def _mixed(value: int) -> int:
    """CRC-32 keeps near values near; a sketch takes the smallest, so they are scattered (Murmur3's finaliser)."""
    value = (value ^ (value >> 16)) * 0x85EBCA6B & 0xFFFFFFFF
    value = (value ^ (value >> 13)) * 0xC2B2AE35 & 0xFFFFFFFF
    return value ^ (value >> 16)
