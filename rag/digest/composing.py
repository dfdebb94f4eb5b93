"""A digest made better by a language model: sections side by side, then the summary and what leads to each section.

Each section is written from its own papers alone, and every sentence is checked. What the model leaves out or fails in
stays in the papers' own words, so that the digest is whole at every step.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import prompts
from rag.digest.calls import Piece, ask
from rag.digest.ending import Ending, gist
from rag.digest.material import Material
from rag.digest.numbering import numbered
from rag.digest.prose import Prose
from rag.digest.shown import room, shown
from rag.errors import ModelError
from rag.schema import Sentence
from rag.survey import Digest, DigestSection, Length, Stage, Step

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag.llm import Model

# Sentences of a section, by the digest's length; and of its summary beside the one that counts the papers.
_SECTION: Mapping[Length, tuple[int, int]] = {"brief": (3, 5), "standard": (4, 8), "full": (6, 12)}
_SUMMARY = (4, 7)
_SHARED = 2  # sentences at most that a section opens with, each on several of its papers

_NOTHING = "Nothing the model wrote stood up to the papers."


def compose(model: Model, digest: Digest, material: Material) -> Generator[Step]:
    """Writes the sections of a digest anew, then its summary, and tells each step.

    A step is told again while nothing comes, so that whoever listens can leave. Closing the iterator ends the calls.

    Args:
        model: the one to ask; what it takes is charged to its account, which may hold a limit.
        digest: in the papers' own words, whole.
        material: what it was written from.
    """
    writing = _Writing(model, digest, material)
    if digest.sections:
        yield from writing.sections()
    if any(part.stands for part in writing.parts):
        yield from writing.summary()


class _Part:
    """A section in the making.

    Attributes:
        reason: why it stays in the papers' own words; None while it does not.
        over: whether its call has ended.
    """

    def __init__(self, section: DigestSection, prose: Prose) -> None:
        self.section, self.prose = section, prose
        self.reason: str | None = None
        self.over = False

    @property
    def stands(self) -> bool:
        """Whether the model's text takes the place of the program's."""
        return self.over and self.reason is None

    def written(self, opening: Sequence[Sentence]) -> DigestSection:
        """The section as it stands: what the model does not tell of is told in the papers' own words."""
        if not self.stands:
            return self.section
        told = self.prose.told
        lead = next((at for at, sentence in enumerate(told[:_SHARED]) if len(sentence.citations) < 2), _SHARED)
        cited = _cited(told[lead:])
        shared = told[:lead] or [sentence for sentence in self.section.shared if sentence.kind == "frame"]
        rest = [sentence for sentence in self.section.adds if not _cited([sentence]) & cited]
        return replace(self.section, shared=(*opening, *shared), adds=(*told[lead:], *rest), engine="llm")


class _Writing:
    """A digest that a model writes anew; ``digest`` is how it stands."""

    def __init__(self, model: Model, digest: Digest, material: Material) -> None:
        self._model, self._before, self._material = model, digest, material
        self._began = perf_counter()
        self._ending: Ending | None = None
        self._unsummed: str | None = None
        said = {sentence.text for one in (*digest.agreements, *digest.disagreements) for sentence in one.sentences}
        said |= {sentence.text for sentence in digest.open_problems}
        said |= {sentence.text for section in digest.sections for one in section.differs for sentence in one.sentences}
        self._said = said
        self.parts = [_Part(section, Prose(material, section.papers, said, _SECTION[digest.length][1]))
                      for section in digest.sections]

    def sections(self) -> Iterator[Step]:
        """All of them side by side."""
        asked = []
        for part in self.parts:
            try:
                asked.append((part, self._section(part.section)))
            except ModelError as error:
                part.reason, part.over = str(error), True
        step = self._step("writing", sum(part.over for part in self.parts), len(self.parts))
        yield step
        with closing(ask(self._model, [messages for _, messages in asked])) as events:
            for event in events:
                if event is None:
                    yield step
                    continue
                part, _ = asked[event.call]
                if isinstance(event, Piece):
                    part.prose.read(event.text)
                    continue
                part.prose.end()
                part.reason = str(event.error) if event.error else None if part.prose.told else _NOTHING
                part.over = True
                if part.reason is not None:
                    event.account.forget()
                step = self._step("writing", sum(part.over for part in self.parts), len(self.parts))
                yield step

    def summary(self) -> Iterator[Step]:
        """The summary and the transitions, from the sections as they stand."""
        step = self._step("summarising", 0, 1)
        yield step
        try:
            ending = self._ended()
            rules = prompts.load("digest-summary").fill(least=_SUMMARY[0], most=_SUMMARY[1])
            messages = self._messages(rules, ending.evidence, "SUMMARY, then TRANSITIONS")
        except ModelError as error:
            self._unsummed = str(error)
        else:
            with closing(ask(self._model, [messages])) as events:
                for event in events:
                    if event is None:
                        yield step
                    elif isinstance(event, Piece):
                        ending.read(event.text)
                    else:
                        ending.end()
                        self._ending = ending
                        self._unsummed = str(event.error) if event.error else None if ending.summary else _NOTHING
                        if self._unsummed is not None:
                            event.account.forget()
        yield self._step("summarising", 1, 1)

    def _section(self, section: DigestSection) -> Sequence[BaseMessage]:
        least, most = _SECTION[self._before.length]
        rules = prompts.load("digest-section").fill(least=least, most=most)
        part = f"the section “{' '.join(section.heading.split())}”: first QUOTES, then ANSWER"
        left = room(self._model, rules, prompts.load("digest-evidence").text, self._before.title, part)
        quoted = [sentence.text for sentence in section.sentences]
        return self._messages(rules, shown(self._material, section.papers, "E", left, self._model, quoted), part)

    def _ended(self) -> Ending:
        rules = prompts.load("digest-summary").text
        left = room(self._model, rules, prompts.load("digest-evidence").text, self._before.title)
        evidence, labels = gist([part.written(()) for part in self.parts], left, self._model)
        return Ending(self._material, evidence, labels, [section.papers for section in self._before.sections],
                      self._said, _SUMMARY[1])

    def _messages(self, rules: str, evidence: str, part: str) -> Sequence[BaseMessage]:
        from langchain_core.messages import HumanMessage, SystemMessage

        asked = prompts.load("digest-evidence").fill(title=self._before.title, evidence=evidence, part=part)
        return [SystemMessage(rules), HumanMessage(asked)]

    def _step(self, stage: Stage, done: int, total: int) -> Step:
        return Step(stage=stage, done=done, total=total, digest=self._digest())

    def _digest(self) -> Digest:
        before, ending = self._before, self._ending if self._unsummed is None else None
        opening = ending.transitions if ending else {}
        withheld = [each for part in self.parts for each in part.prose.withheld]
        withheld += self._ending.withheld if self._ending else []
        return numbered(replace(
            before, sections=tuple(part.written(opening.get(number, ())) for number, part in enumerate(self.parts)),
            summary=_summed(before.summary, ending.summary) if ending else before.summary,
            withheld=(*before.withheld, *withheld), engine="llm" if any(part.stands for part in self.parts) else
            before.engine, model=self._model.name, usage=self._model.account.usage,
            notice=" ".join(filter(None, (before.notice, self._notice()))) or None,
            timings={**before.timings, "model": perf_counter() - self._began}))

    def _notice(self) -> str | None:
        """Which sections are in the papers' own words, and why."""
        failed: dict[str, list[str]] = {}
        for part in self.parts:
            if part.reason is not None:
                failed.setdefault(part.reason, []).append(f"“{part.section.heading}”")
        count, total = sum(map(len, failed.values())), len(self.parts)
        told = []
        if count == total and len(failed) == 1:
            told.append(f"The digest is in the papers' own words: {next(iter(failed))}")
        elif count:
            which = "; ".join(f"{', '.join(names)} ({reason.rstrip('.')})" for reason, names in failed.items())
            verb = "is" if count == 1 else "are"
            told.append(f"{count} of {total} sections {verb} in the papers' own words: {which}.")
        if self._unsummed is not None:
            told.append(f"The summary is in the papers' own words: {self._unsummed}")
        return " ".join(told) or None


def _cited(sentences: Sequence[Sentence]) -> set[str]:
    return {citation.paper_id for sentence in sentences for citation in sentence.citations}


def _summed(before: Sequence[Sentence], told: Sequence[Sentence]) -> tuple[Sentence, ...]:
    """The model's summary behind the sentence that counts the papers, with some of the program's where it is short."""
    counting = [sentence for sentence in before if sentence.kind == "frame"]
    cited = _cited(told)
    more = [sentence for sentence in before if sentence.kind != "frame" and not _cited([sentence]) & cited]
    return (*counting, *told, *more[:max(0, _SUMMARY[0] - len(told))])
