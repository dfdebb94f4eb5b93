"""Topic to digest: a survey of the papers on it, cited and checked sentence by sentence."""

from rag.digest.arrange import outline
from rag.digest.changes import update
from rag.digest.write import digest, steps

__all__ = ["digest", "outline", "steps", "update"]
