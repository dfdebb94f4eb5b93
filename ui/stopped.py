"""A digest that was stopped before it was whole."""

from __future__ import annotations

from dataclasses import replace

from rag.survey import Digest, Step


def stopped(step: Step) -> Digest:
    """What the step left behind, with a notice that it is not all."""
    how_far = f" after {step.done} of {step.total} sections" if step.stage == "writing" else ""
    notice = f"Stopped while {step.stage}{how_far}: what was done is kept."
    return replace(step.digest, notice=" ".join(filter(None, (step.digest.notice, notice))))
