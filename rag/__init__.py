"""Vouch's engine: knows papers, finds them, answers from them. `open_library()` is the way in."""

from rag.errors import VouchError
from rag.library import Library, open_library
from rag.schema import (
    Answer,
    Chunk,
    Citation,
    Event,
    Evidence,
    Finished,
    Hit,
    IngestReport,
    Origin,
    Paper,
    Reference,
    Rejected,
    Said,
    Sentence,
    Stage,
    Support,
    Turn,
    Where,
)

__all__ = [
    "Answer",
    "Chunk",
    "Citation",
    "Event",
    "Evidence",
    "Finished",
    "Hit",
    "IngestReport",
    "Library",
    "Origin",
    "Paper",
    "Reference",
    "Rejected",
    "Said",
    "Sentence",
    "Stage",
    "Support",
    "Turn",
    "VouchError",
    "Where",
    "open_library",
]
