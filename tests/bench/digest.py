"""What digests reach: `python -m tests.bench.digest LIBRARY QUESTIONS`, questions judged as for `vouch eval`.

For each question of type "topic": how many of the papers judged best it includes and how many of those it includes are
judged at all, whether every sentence is supported, headings distinct, sections of two papers at least. Then how far
the sections of random mixtures of judged topics agree with the topics (adjusted Rand index, Hubert and Arabie 1985),
beside k-means with the number of groups by the same measure; and how long a digest of a hundred papers takes, warm.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag import Library, open_library
from rag.digest import digest
from rag.digest.arrange import grouped
from rag.digest.material import Material, gathered
from rag.evaluate import Judged
from rag.schema import Where
from rag.survey import Digest, Group, Outline
from ui.judge import judged

_MIXTURES, _PAPERS, _THIS_YEAR = 20, 100, 2026


def included(library: Library, questions: Sequence[Judged]) -> list[Digest]:
    """Prints, for each question, recall of the best papers and precision of all; gives the digests."""
    recalls, precisions, made = [], [], []
    for question in questions:
        told = digest(library.store, question.question, this_year=_THIS_YEAR)
        ids = {reference.paper.id for reference in told.references}
        best = {paper_id for paper_id, gain in question.relevant.items() if gain == max(question.relevant.values())}
        recalls.append(len(ids & best) / len(best))
        precisions.append(len(ids & set(question.relevant)) / max(1, len(ids)))
        made.append(told)
        print(f"{recalls[-1]:.2f} {precisions[-1]:.2f} {len(ids):3} papers, {len(told.sections)} sections  "
              f"{told.title[:70]}")
    print(f"mean recall of the best {fmean(recalls):.3f}, precision {fmean(precisions):.3f}")
    return made


def sound(made: Sequence[Digest]) -> None:
    """Prints how many sentences are supported, and what is amiss with the sections."""
    sentences = [sentence for one in made for sentence in one.sentences]
    supported = sum(sentence.verdict == "supported" for sentence in sentences)
    print(f"{supported} of {len(sentences)} sentences supported, {sum(len(one.withheld) for one in made)} withheld")
    same = sum(len({section.heading.casefold() for section in one.sections}) < len(one.sections) for one in made)
    small = sum(len(section.papers) < 2 for one in made for section in one.sections if len(one.references) > 1)
    lost = sum(len({paper_id for section in one.sections for paper_id in section.papers}) < len(one.references)
               for one in made)
    print(f"{same} digests with a heading twice, {small} sections of one paper, {lost} digests that lost a paper")


def mixed(library: Library, questions: Sequence[Judged]) -> None:
    """Prints the adjusted Rand index on mixtures of two to four topics, ours and of k-means."""
    from sklearn.metrics import adjusted_rand_score

    held = {paper.id for paper in library.papers}
    for least, name in ((1, "all judged papers"), (2, "the best only")):
        dice = random.Random(1)
        ours: dict[int, list[float]] = {}
        theirs: dict[int, list[float]] = {}
        for count in (2, 3, 4):
            for _ in range(_MIXTURES):
                topics = _only(dice.sample(list(questions), count), least, held)
                if len(topics) < 2 * count:
                    continue
                material = _material(library, list(topics))
                labels = _labels(grouped(material), topics)
                ours.setdefault(count, []).append(adjusted_rand_score(list(topics.values()), labels))
                vectors = np.stack([material.vectors[paper_id] for paper_id in topics])
                theirs.setdefault(count, []).append(adjusted_rand_score(list(topics.values()), _k_means(vectors)))
        for told, scores in (("sections", ours), ("k-means", theirs)):
            parts = ", ".join(f"{count} topics {fmean(found):.2f}" for count, found in scores.items())
            print(f"{told} of {name}: {fmean([one for found in scores.values() for one in found]):.3f} ({parts})")


def _only(topics: Sequence[Judged], least: int, held: set[str]) -> dict[str, int]:
    """The papers of exactly one of the topics, with its place."""
    of: dict[str, list[int]] = {}
    for place, topic in enumerate(topics):
        for paper_id, gain in topic.relevant.items():
            if gain >= least and paper_id in held:
                of.setdefault(paper_id, []).append(place)
    return {paper_id: places[0] for paper_id, places in of.items() if len(places) == 1}


def _material(library: Library, ids: Sequence[str]) -> Material:
    return gathered(library.store, Outline(topic="", title="", groups=(Group(heading="", papers=tuple(ids)),)))


def _labels(groups: Sequence[Sequence[str]], topics: Mapping[str, int]) -> list[int]:
    of = {paper_id: number for number, group in enumerate(groups) for paper_id in group}
    return [of[paper_id] for paper_id in topics]


def _k_means(vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    clustering: Any = KMeans
    found = [clustering(number, n_init=5, random_state=0).fit_predict(vectors)
             for number in range(2, min(8, len(vectors) - 1) + 1)]
    best: NDArray[np.int32] = max(found, key=lambda labels: float(silhouette_score(vectors, labels, metric="cosine")))
    return best


def timed(library: Library) -> None:
    """Prints how long a digest of a hundred papers takes, warm."""
    seconds = []
    for _ in range(4):
        began = perf_counter()
        where = Where(ids=tuple(paper.id for paper in library.papers)[:_PAPERS])
        told = digest(library.store, "", where, length="full", this_year=_THIS_YEAR)
        seconds.append(perf_counter() - began)
    print(f"a digest of {len(told.references)} papers: {median(seconds[1:]):.2f} s")


def main() -> None:
    """Measures the library named first on the questions named second."""
    with open_library(sys.argv[1]) as library:
        questions = [question for question in judged(Path(sys.argv[2]), library) if question.kind == "topic"]
        sound(included(library, questions))
        mixed(library, questions)
        timed(library)


if __name__ == "__main__":
    main()
