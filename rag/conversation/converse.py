"""What a follow-up question refers to, without a model: earlier papers, the topic before, the question before. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.conversation import ellipsis, pronoun
from rag.conversation.mention import Mention, mentions, titles
from rag.conversation.topic import is_plural, name, topic
from rag.schema import Paper, Turn, Where
from rag.search.years import PAPERS
from rag.text import Span, overlaps, words

# Turns that are looked back on, and characters of a follow-up: who writes more says it all.
_BACK, _LONGEST = 8, 400
_SPELLED = "no one two three four five six seven eight nine".split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A question that stands alone, and what its references set.

    Attributes:
        question: what to search for; says nothing of the conversation ("What data does it use?" among `where`).
        rewritten: it as a person would put it who knew no conversation, to be shown and to be put to a model; None
            where it stood alone.
        where: the filter, with the papers that it refers to.
        without: papers shown before, which an answer with other papers leaves out.
        brief: sentences at most, where the answer before is wanted in short.
        whole: the papers are asked for as such, not for something they say; `retell` tells what they say.
        compared: they are to be compared.
        said: their sentences that were quoted before, where more is asked for.
        exact: the words leave no doubt which papers are meant: no model need be asked, and where these papers do not
            answer, no others are looked for.
        notice: a reference that leads nowhere, in one sentence.
    """

    question: str
    rewritten: str | None = None
    where: Where | None = None
    without: tuple[str, ...] = ()
    brief: int | None = None
    whole: bool = False
    compared: bool = False
    said: tuple[str, ...] = ()
    exact: bool = False
    notice: str | None = None


def resolve(question: str, history: Sequence[Turn], where: Where | None = None) -> Resolved:
    """Resolves "the second one", "which of them", "what about PPO?" and "shorter"; leaves any other question as it is.

    Args:
        question: in the reader's words.
        history: earlier turns, oldest first.
        where: the filter that was given; where it names papers itself, nothing is resolved.
    """
    if (where and where.ids) or len(question) > _LONGEST:
        return Resolved(question=question, where=where)
    past: tuple[_Past, ...] = ()
    for turn in history[-_BACK:]:
        asked, before = _asked(turn.question[:_LONGEST], past)
        # "More", where there is no more, still speaks of the papers before.
        shown = _shown(turn) or (past[-1].shown if past and ellipsis.again(turn.question) else ())
        past = (*past, _Past(turn=turn, asked=asked, before=before, shown=shown,
                             resolved=_resolve(asked, before, None)))
    if past and ellipsis.again(question):
        return _resolve(question, past, where)
    asked, brief = ellipsis.short(question)
    return replace(_resolve(asked, past, where), brief=brief)


def settle(resolved: Resolved, standing: str, question: str) -> Resolved:
    """What the rules and a model's rewriting say together.

    The model's words are taken where it changed the question; which papers are meant, the rules know better.

    Args:
        resolved: by the rules.
        standing: the model's form of the question.
        question: in the reader's words.
    """
    if resolved.exact or standing == question:
        return resolved
    return replace(resolved, question=standing, rewritten=standing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """An earlier turn.

    Attributes:
        asked: its question, filled in from the turns before where it left something out.
        before: the turns that the words of ``asked`` may point to.
        shown: the papers it showed, in the order of their numbers.
        resolved: ``asked``, resolved against ``before``.
    """

    turn: Turn
    asked: str
    before: tuple[_Past, ...]
    shown: tuple[Paper, ...]
    resolved: Resolved

    @property
    def ids(self) -> tuple[str, ...]:
        """The papers that the question pointed at."""
        return (self.resolved.where or Where()).ids


def _shown(turn: Turn) -> tuple[Paper, ...]:
    ordered = sorted(turn.answer.references, key=lambda reference: reference.label)
    return tuple(reference.paper for reference in ordered)


def _lists(past: Sequence[_Past]) -> list[tuple[Paper, ...]]:
    """What the turns showed, the latest first."""
    return [each.shown for each in reversed(past) if each.shown]


def _listed(past: Sequence[_Past]) -> list[tuple[Paper, ...]]:
    """As `_lists`, with the papers that the last turn showed for want of an answer: they too have their places."""
    return [past[-1].turn.answer.nearest, *_lists(past)] if past else []


def _asked(question: str, past: tuple[_Past, ...]) -> tuple[str, tuple[_Past, ...]]:
    """The question, filled in where it leaves something out, and the turns that its words may then point to."""
    if not past:
        return question, past
    last = past[-1]
    if ellipsis.again(question):
        return last.asked, last.before
    if when := ellipsis.dated(question):
        return ellipsis.since(last.asked, when), last.before
    pointed = mentions(question, _listed(past))
    if pointed:
        slots = mentions(last.asked, _listed(last.before))
        # "And the second one?" asks of it what was asked of the first.
        if len(slots) == 1 and _BARE.issuperset(words(_without(question, pointed))) and not pronoun.says_nothing(
                _without(last.asked, slots)):
            (start, end), (first, after) = slots[0].span, pointed[0].span
            return last.asked[:start] + question[first:after] + last.asked[end:], last.before
        return question, past
    what = ellipsis.put_in(question)
    if what is None:
        return question, past
    # A question that found nothing is no pattern to follow; one of certain papers only where it has a place for it.
    put = ellipsis.about(last.asked, what, add=not last.ids) if last.shown else None
    return (put, last.before) if put else (f"What papers address {what}?", ())


def _resolve(question: str, past: tuple[_Past, ...], where: Where | None) -> Resolved:
    if not past:
        return Resolved(question=question, where=where)
    if (again := ellipsis.again(question)) and (past[-1].shown or again.kind == "brief"):
        return _repeated(again, past, where)
    asked, before = _asked(question, past)
    found = _pointed(asked, before, where) or _meant(asked, before, where) or Resolved(question=asked, where=where)
    return found if found.rewritten or asked == question else replace(found, rewritten=_sentence(asked))


# ---- the question before, once more


def _repeated(again: ellipsis.Again, past: tuple[_Past, ...], where: Where | None) -> Resolved:
    """The question before: shorter, for more, for other papers, or for the reason."""
    last = past[-1]
    before = _resolve(last.asked, last.before, where)
    standing = _sentence(before.rewritten or last.asked)
    about = _topic(last)
    if again.kind == "others":
        seen = [paper.id for each in past if each.asked == last.asked for paper in each.shown]
        if before.whole:
            return _like([paper for paper in last.shown if paper.id in last.ids] or last.shown, seen, where)
        return replace(before, rewritten=_for_others(standing, about), without=tuple(dict.fromkeys(seen)), exact=True,
                       where=where)
    among = replace(where or Where(), ids=tuple(paper.id for paper in last.shown)) if last.shown else before.where
    if again.kind == "brief":
        most = again.sentences or 1
        lead = "In one sentence" if most == 1 else f"In at most {_number(most)} sentences"
        return replace(before, rewritten=f"{lead}: {_lowered(standing)}", where=among, brief=most,
                       exact=bool(last.shown))
    named = _named(last.shown)
    on = f" on {about}" if about else ""
    if again.kind == "more":
        said = [sentence.text for each in past for sentence in each.turn.answer.sentences if sentence.kind == "quote"]
        return Resolved(question=about or ("" if before.whole else before.question), where=among, whole=True,
                        said=tuple(said), exact=True,
                        rewritten=f"What more {'does' if len(last.shown) == 1 else 'do'} {named} say{on}?")
    if _WHETHER.match(standing):
        return Resolved(question=f"{again.word} {_lowered(before.question)}", where=among,
                        rewritten=f"{again.word} {_lowered(standing)}")
    return Resolved(question=f"{again.word} {about or before.question}".rstrip("?") + "?", where=among,
                    rewritten=f"{again.word}, going by {named}{on}?")


_WHETHER = re.compile(r"(?:does|do|did|is|are|was|were|can|could|will|would|should|has|have)\b", re.IGNORECASE)


def _for_others(standing: str, about: str | None) -> str:
    other, changed = re.subn(rf"\b(what|which|any|the)\s+(?={PAPERS}\b)", r"\1 other ", standing, count=1,
                             flags=re.IGNORECASE)
    if changed:
        return other
    return f"What other papers address {about}?" if about else f"Beyond the papers above: {_lowered(standing)}"


# ---- papers that were shown

_LIKE = re.compile(r"\b(?:like|similar\s+to|related\s+to|close\s+to)\s*$", re.IGNORECASE)
_BARE = frozenset("what how about of again please now then and".split())
_ONE_PAPER = re.compile(r"\b(?:which|what|the|that|this)\s+(?:paper|study|work|article)\b", re.IGNORECASE)


def _pointed(asked: str, past: tuple[_Past, ...], where: Where | None) -> Resolved | None:
    """A question about papers that it points at one by one: "the second one", "the Gao paper"."""
    asked = ellipsis.opened(asked)
    pointed = mentions(asked, _listed(past))
    if not pointed:
        return None
    short = [mention.listed for mention in pointed if not mention.papers]
    if short:
        shows = "one paper" if short[0] == 1 else f"{short[0]} papers"
        return Resolved(question=asked, where=where, exact=True, notice=f"The answer before shows {shows}.")
    papers = tuple({paper.id: paper for mention in pointed for paper in mention.papers}.values())
    if _LIKE.search(asked[:pointed[0].span[0]]):
        return _like(papers, (), where)
    # "How does it differ from the first one?": the paper before, and that one.
    focus, it = _focus(past), pronoun.find(asked)
    if it and it.means == "it" and focus and not set(focus) & set(papers) and not overlaps(
            it.span, [each.span for each in pointed]):
        pointed = tuple(sorted((*pointed, Mention(span=it.span, papers=focus)), key=lambda each: each.span))
        papers = (*focus, *papers)
    searched = _put(asked, [(mention, "it" if len(mention.papers) == 1 else "they") for mention in pointed])
    standing = _put(asked, [(mention, titles(mention.papers)) for mention in pointed])
    if _BARE.issuperset(words(_without(asked, pointed))):
        standing = f"What {'does' if len(papers) == 1 else 'do'} {titles(papers)} say?"
    return _of_papers(searched, standing, papers, where, exact=True)


def _like(papers: Sequence[Paper], seen: Sequence[str], where: Where | None) -> Resolved:
    return Resolved(question=" ".join(paper.label for paper in papers), where=where, exact=True,
                    without=tuple(dict.fromkeys((*(paper.id for paper in papers), *seen))),
                    rewritten=f"What papers are like {_named(papers)}?")


def _of_papers(searched: str, standing: str, papers: Sequence[Paper], where: Where | None, *, exact: bool) -> Resolved:
    whole = pronoun.says_nothing(searched)
    return Resolved(question="" if whole else searched, rewritten=_sentence(standing), whole=whole, exact=exact,
                    where=replace(where or Where(), ids=tuple(paper.id for paper in papers)),
                    compared=len(papers) > 1 and pronoun.compares(searched))


def _without(question: str, pointed: Sequence[Mention]) -> str:
    return _put(question, [(mention, "") for mention in pointed])


def _put(question: str, instead: Sequence[tuple[Mention, str]]) -> str:
    for mention, other in reversed(instead):
        question = question[:mention.span[0]] + other + question[mention.span[1]:]
    return question


# ---- pronouns


def _meant(asked: str, past: tuple[_Past, ...], where: Where | None) -> Resolved | None:
    """A question with a pronoun that means what came before: the papers shown, or the topic."""
    asked = pronoun.completed(ellipsis.opened(asked))
    found = pronoun.find(asked)
    if found is None or not past:
        return None
    lists = _lists(past)
    last = lists[0] if lists else ()
    several = next((shown for shown in lists if len(shown) > 1), last)
    focus: tuple[Paper, ...] = ()
    about: str | None = None
    if found.means == "many" and not re.search(PAPERS, past[-1].asked, re.IGNORECASE):
        about = _topic(past[-1])
        about = about if about and is_plural(about) else None
    elif found.means == "it":
        focus = _focus(past)
        about = None if focus else _topic(past[-1]) or _at(past[-1].asked, name(past[-1].asked))
    if about:
        standing = _sentence(pronoun.put(asked, found, about))
        return Resolved(question=standing, rewritten=standing, where=where)
    papers = focus or (several if found.means in ("listed", "many") else last)
    if not papers:
        return None
    # The words stay as they are for the search, which passes over pronouns.
    return _of_papers(asked, pronoun.put(asked, found, _named(papers)), papers, where,
                      exact=found.means in ("listed", "last"))


def _focus(past: tuple[_Past, ...]) -> tuple[Paper, ...]:
    """The paper that the last turn asked about, where it asked about one."""
    last, ids = past[-1], past[-1].ids
    if len(ids) == 1:
        return tuple({paper.id: paper for shown in _lists(past) for paper in shown if paper.id in ids}.values())
    return last.shown if len(last.shown) == 1 and (ids or _ONE_PAPER.search(last.asked)) else ()


def _topic(last: _Past) -> str | None:
    """What a turn's question was about, as far as its form tells; papers and pronouns are no topic."""
    if last.ids:
        return None
    if last.before and pronoun.find(last.asked):
        return _topic(last.before[-1])
    return _at(last.asked, topic(last.asked))


def _at(question: str, place: Span | None) -> str | None:
    text = question[place[0]:place[1]] if place else ""
    return text if text and not pronoun.says_nothing(text) else None


def _named(papers: Sequence[Paper]) -> str:
    return titles(papers) if len(papers) == 1 else f"the {len(papers)} papers above"


def _number(count: int) -> str:
    return _SPELLED[count] if count < len(_SPELLED) else str(count)


def _sentence(question: str) -> str:
    return question[:1].upper() + question[1:]


def _lowered(question: str) -> str:
    """The question as it goes on behind a colon: its first letter small, unless it is a name's."""
    first = question.split(" ", 1)[0]
    named = sum(c.isupper() for c in first) > 1 or not first[:1].isalpha()
    return question if named else question[:1].lower() + question[1:]
