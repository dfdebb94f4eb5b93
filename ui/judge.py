"""What `vouch eval` is given, read: a file of judged questions, or a folder in BEIR layout."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from ingest import Progress, ingest
from ingest.sample import paraphrases_path, sample_path
from rag import Library, open_library
from rag.checker.audit import Audit, audit, paraphrased
from rag.embed import CachedEmbedder, open_embedder
from rag.errors import SourceError
from rag.evaluate import Judged, Report, measure
from rag.settings import Settings

Told = Callable[[str, int, int], None]


def _nobody(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def evaluate(path: Path, library: Library, progress: Told | None = None) -> Report:
    """Measures the library on judged questions, or a temporary library on a collection that brings its own papers.

    Args:
        path: a questions file (JSON Lines with `query`, `type` and `relevant`, which maps `file#record` to a gain),
            or a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv.
        library: asked the questions of a file; a folder is read into a library that is gone afterwards.
        progress: told the stage, and how much of how much is done.

    Raises:
        SourceError: the path holds neither.
    """
    tell = progress or _nobody
    if path.is_dir():
        with collection(path, library.settings, tell) as (temporary, questions):
            return measure(path.name, temporary, questions, answers=False,
                           progress=lambda done, total: tell("asking", done, total))
    return measure(path.stem, library, judged(path, library),
                   progress=lambda done, total: tell("asking", done, total))


def audit_checker(path: Path | None, library: Library, seed: int = 0, progress: Told | None = None) -> Audit:
    """Measures the checker on statements made of a library's sentences, and on the written paraphrases of the sample.

    Args:
        path: a folder in BEIR layout whose papers to take instead; None takes the library's.
        library: may be empty only where a path is given.
        seed: the same one makes the same statements.
        progress: told the stage, and how much of how much is done.

    Raises:
        NoLibraryError: there is no library yet.
        SourceError: the path is no such folder.
    """
    tell = progress or _nobody

    def checking(done: int, total: int) -> None:
        tell("checking", done, total)

    with temporary(library.settings) as sample:
        ingest([sample_path()], sample)
        lines = paraphrases_path().read_text(encoding="utf-8").splitlines()
        written = paraphrased(sample, [(entry["paper"], entry["text"]) for entry in map(json.loads, lines)])
    if path is None:
        return audit(library, seed, paraphrases=written, progress=checking)
    if not path.is_dir():
        raise SourceError(f"{path} is no folder in BEIR layout: leave it out to measure the checker on the library.")
    with collection(path, library.settings, tell) as (other, _):
        return audit(other, seed, paraphrases=written, progress=checking)


def judged(path: Path, library: Library) -> list[Judged]:
    """The questions of a file, judged against the library.

    Raises:
        SourceError: there is no such file, or it holds no judged questions.
    """
    if not path.is_file():
        raise SourceError(f"There is no file or folder {path}: name a questions file or a folder in BEIR layout.")
    return _questions(path, _by_origin(library))


@contextmanager
def collection(folder: Path, settings: Settings, tell: Told = _nobody) -> Iterator[tuple[Library, list[Judged]]]:
    """A folder in BEIR layout as a library that is gone afterwards, with its questions.

    Raises:
        SourceError: the folder lacks one of its files.
    """
    corpus, queries, judgements = (folder / name for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"))
    missing = [part.name for part in (corpus, queries, judgements) if not part.is_file()]
    if missing:
        raise SourceError(f"{folder} is not in BEIR layout: {missing[0]} is missing.")
    with temporary(settings) as library:
        def reading(step: Progress) -> None:
            tell(step.stage, step.done, step.total)

        ingest([corpus], library, reading)
        places = _by_origin(library)
        lines = corpus.read_text(encoding="utf-8").split("\n")
        known = {str(json.loads(line)["_id"]): places.get(f"{corpus.name}#{number}")
                 for number, line in enumerate(lines, 1) if line.strip()}
        relevant = _qrels(judgements, known)
        asked = [json.loads(line) for line in queries.read_text(encoding="utf-8").split("\n") if line.strip()]
        yield library, [Judged(question=query["text"], relevant=relevant[str(query["_id"])])
                        for query in asked if relevant.get(str(query["_id"]))]


@contextmanager
def temporary(settings: Settings) -> Iterator[Library]:
    """An empty library that is gone afterwards; its vectors are kept by their texts, for the next time."""
    with tempfile.TemporaryDirectory(prefix="vouch-eval-") as scratch:
        embedder = CachedEmbedder(open_embedder(
            settings.embeddings, api_key=settings.openai_api_key, base_url=settings.openai_base_url,
            timeout=settings.timeout), platformdirs.user_cache_path("vouch") / "vectors.sqlite")
        with open_library(Path(scratch) / "library", settings=settings, embedder=embedder) as library:
            yield library


def _by_origin(library: Library) -> dict[str, str]:
    """`file#record` to paper id."""
    return {str(origin): paper.id for paper in library.papers for origin in paper.origins}


def _qrels(path: Path, known: Mapping[str, str | None]) -> dict[str, dict[str, int]]:
    """Query to paper id to gain; a merged paper has its best copy's, one that could not be read still counts."""
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            gain = int(row["score"])
            if gain > 0:
                paper_id = known.get(row["corpus-id"]) or f"unread:{row['corpus-id']}"
                relevant[row["query-id"]][paper_id] = max(gain, relevant[row["query-id"]].get(paper_id, 0))
    return relevant


def _questions(path: Path, places: Mapping[str, str]) -> list[Judged]:
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            judged: dict[str, int] = {}
            for origin, gain in record["relevant"].items():
                paper_id = places.get(origin, f"unread:{origin}")
                if int(gain) > 0:
                    judged[paper_id] = max(int(gain), judged.get(paper_id, 0))
            questions.append(Judged(question=record["query"], kind=record.get("type", ""), relevant=judged,
                                    evidence=record.get("evidence")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(f"{path.name}, line {number}: not a judged question ({error!r}); it needs `query` and "
                              "`relevant`.") from error
    if not questions:
        raise SourceError(f"{path.name} holds no questions.")
    return questions
