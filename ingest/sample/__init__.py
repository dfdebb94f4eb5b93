"""The bundled sample: 48 well-known papers on language models, to try Vouch without a file of one's own.

Each line of ``papers.jsonl`` is a paper with its title, authors, year, arXiv id and, where known, venue. The text
under ``abstract`` is a summary written for Vouch, never the authors' abstract: every record says so in ``text_kind``
("summary"), and nothing that is quoted from it may be shown as the authors' words.

``year`` is always the year of the first public version, on arXiv; ``venue`` names the later publication and may bear
a later year. The themes: reward models and reward overoptimization, reasoning, retrieval, factuality and citations,
efficient adaptation and inference, in-context learning and instruction tuning.

``paraphrases.jsonl`` holds 150 sentences as a careful person would write them when citing these papers, made by reading
the summaries: `vouch eval --checker` counts how many of them the checker flags. Nothing is ever fitted to them.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_path() -> Path:
    """The file of the sample papers, ready to be ingested (the package is installed as ordinary files)."""
    return Path(str(files(__name__).joinpath("papers.jsonl")))


def paraphrases_path() -> Path:
    """The file of sentences written about the sample's papers, each with its paper's arXiv id: `paper`, `text`."""
    return Path(str(files(__name__).joinpath("paraphrases.jsonl")))
