"""Which way a sentence points: directions, denials and who does it to whom, and where two sentences differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.edits import Edit
from rag.text import content_stems, stem, words


def _stems(spelled: str) -> frozenset[str]:
    return frozenset(stem(word) for word in spelled.split())


# More of something, less of it; better and worse, which of a cost or a harm is less and more.
_UP = _stems(
    "increase increased increasing more higher high greater larger raise raises raised rise rises rising rose gain "
    "gains grow grows growing grew growth elevate elevated elevation promote promotes stimulate stimulates stimulation "
    "activate activates activation induce induces induction facilitate upregulate upregulated upregulation augment "
    "amplify amplified expand extend extends prolong prolonged accelerate accelerates faster speed speeds strengthen "
    "stronger longer excess excessive boost boosts intensify encourage encourages enable enables trigger triggers "
    "elicit cause causes favour favours favor favors multiply doubles double triples overexpression abundant "
    "bigger enrich enriched produce produces provoke provokes exceed exceeds surpass surpasses above widen widens "
    "add adds keep keeps retain retains preserve preserves maintain maintains allow allows create creates drive drives "
    "support supports generate generates often frequently common commonly attract easier likelier overestimate "
    "overestimates succeed succeeds win wins accept accepts include includes")
_DOWN = _stems(
    "decrease decreased decreasing less fewer lower low reduce reduces reduced reduction reductions decline declines "
    "declining declined drop drops dropped fall falls falling fell shrink shrinks smaller small cut cuts inhibit "
    "inhibits inhibition inhibitory suppress suppresses suppression attenuate attenuates attenuation block blocks "
    "blocked blockade downregulate downregulated downregulation diminish diminishes diminished deplete depletion "
    "prevent prevents prevention mitigate mitigates mitigation alleviate alleviates eliminate eliminates avoid avoids "
    "slow slows slower slowing delay delays shorten shortens shorter weaken weakens weaker limit limits limited loss "
    "lose loses losing lost abolish abolishes abrogate abrogates counteract counteracts remove removes removal restrict "
    "discourage discourages hinder hinders impede impedes disrupt disrupts undo undoes lessen lessens protect "
    "protects protective protection halve halves halved below deficiency deficient lack undermine underestimate "
    "underestimates rare rarely seldom narrow narrows curb curbs destroy destroys disable disables reject rejects "
    "exclude excludes kill kills missing miss misses stop stops vanish vanishes disappear drops harder")
_GOOD = _stems(
    "improve improves improved improving improvement better best enhance enhances enhanced enhancement benefit benefits "
    "beneficial superior help helps helped helpful outperform outperforms outperformed beat beats good robust accurate "
    "effective efficient reliable reliably valuable advantage strong strongly successful successfully safe safely ameliorate "
    "ameliorates ease eases healthy excel excels reliable stable consistent cheap cheaper solve solves restore restores")
_BAD = _stems(
    "worsen worsens worse worst degrade degrades degraded degradation deteriorate deteriorates deterioration impair "
    "impairs impaired impairment harm harms harmful hurt hurts damage damages inferior underperform underperforms "
    "poor poorly bad fail fails failure exacerbate exacerbates aggravate aggravates ineffective inefficient "
    "unreliable disadvantage unsuccessful unsafe dangerous detrimental adverse struggle struggles fragile "
    "brittle break breaks unstable inconsistent expensive costly vulnerable suffer suffers inaccurate negligible inert weak weakly "
    "collapse collapses")
# Less of these is better.
_HARMS = _stems(
    "error errors loss cost costs risk risks mortality death deaths disease toxicity latency time noise bias failure "
    "failures overfitting overoptimization hacking hallucination hallucinations variance cancer tumor tumour symptoms "
    "symptom pain stress injury forgetting perplexity memory overhead inflammation hypertension obesity diabetes "
    "infection incidence burden complexity delay confusion distortion")
_SIGNS: dict[str, tuple[int, str]] = {
    **dict.fromkeys(_GOOD, (1, "merit")), **dict.fromkeys(_BAD, (-1, "merit")),
    **dict.fromkeys(_UP, (1, "amount")), **dict.fromkeys(_DOWN, (-1, "amount"))}

_NEGATION = re.compile(
    r"\b(?:no|not|nor|never|neither|none|nobody|nothing|without|cannot|lack(?:s|ed|ing)?|absence|fail(?:s|ed|ing)?|"
    r"unable|hardly|rarely|seldom|little|refute[sd]?|instead of|rather than)\b|n[’']t\b", re.IGNORECASE)
# How far a negation reaches, in content words; what it may pass over to reach its first; what denies the word before.
_SCOPE = 4
_PASSED = _stems("true case clear clearly evidence able fully always necessarily simply yet significant "
                 "significantly any need needs substantially statistically appear appears seem seems find found show "
                 "shown observe observed")
_BACKWARD = frozenset({"nothing", "nobody", "none", "neither"})
_DIFFERENCE = _stems("effect effects difference differences change changes association associated associations impact "
                     "influence relationship related relation correlation correlated improvement benefit evidence "
                     "affect affects affected differ gain alter alters")
# What is the opposite of what, without being more or less of it.
_OPPOSITES = {word: frozenset(map(stem, other.split())) for left, right in (
    ("positive positively", "negative negatively"), ("early earlier", "late later"), ("possible", "impossible"),
    ("present presence", "absent absence"), ("before prior", "after"), ("without lacking", "with using"),
    ("same identical similar similarly alike comparable equal equally", "different differently differ differs unequal"),
    ("linear linearly", "nonlinear nonlinearly"), ("men male males boys", "women female females girls"),
    ("major main large", "minor negligible small"), ("necessary needed need needs required", "unnecessary needless"),
    ("easy easily simple", "hard difficult difficulty"), ("short shorter brief", "long longer"),
    ("young younger", "old older elderly"), ("online", "offline"), ("first", "last"), ("alive survive survival", "dead death apoptosis"),
    ("internal", "external"), ("local locally", "global globally"), ("explicit explicitly", "implicit implicitly"),
    ("acute", "chronic"), ("many most majority", "few minority none"), ("always", "never rarely sometimes"),
    ("sufficient enough suffices", "insufficient"), ("active actively", "passive inactive inert"),
    ("encoder", "decoder"), ("input", "output"), ("training train", "inference"), ("precision", "recall"),
    ("outer", "inner"), ("left", "right"), ("static", "dynamic"), ("synthetic", "real"), ("winter", "summer"),
    ("reject deny disprove contradict", "accept confirm prove support"))
    for ours, other in ((left, right), (right, left)) for word in map(stem, ours.split())}
_UNCHANGED = _stems("unaffected unchanged unrelated independent regardless unaltered equal equally identical same")
_PREFIXES = ("un", "in", "im", "ir", "non", "dis", "il")
# "A outperforms B": who stands on which side matters.
_AGAINST = _stems("outperform outperforms beat beats exceed exceeds surpass surpasses underperform underperforms lag trail "
                  "dominate precede follow replace replaces inferior superior")
_RELATIONS = _AGAINST | _stems(
    "cause causes lead leads induce induces predict predicts depend depends improve improves increase increases reduce "
    "reduces inhibit inhibits promote promotes regulate regulates affect affects activate activates supervise "
    "supervises teach teaches generate generates train trains guide guides produce produces follow follows require "
    "requires prevent prevents imply implies drive drives control controls explain explains transfer transfers")
_CLAUSE = re.compile(
    r"[,;:.!?()]\s|\s[–—-]\s|\b(?:but|while|whereas|so|because|although|though|however|yet)\b", re.IGNORECASE)
# Content words around a pointer that it may speak of, and on each side of a relation that may stand in it.
_NEAR, _SIDE = 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A word that points up or down, and what it speaks of.

    Attributes:
        word: its stem.
        sign: 1 or -1, with denials before it counted in; 2 for a difference of either sign, 0 where one is denied.
        about: the content stems around it.
    """

    word: str
    sign: int
    about: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """What a negation denies first of all, and all that it may reach."""

    head: str
    reach: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sentence says of directions.

    Attributes:
        stems: all of its content stems.
        pointers: its words that point.
        denials: its negations.
    """

    stems: frozenset[str]
    pointers: tuple[Pointer, ...]
    denials: tuple[Denial, ...]


@lru_cache(maxsize=4096)
def read(text: str) -> Reading:
    """The sentence's pointers and denials."""
    pointers: list[Pointer] = []
    denials: list[Denial] = []
    for clause in _clauses(text):
        _read_clause(clause, pointers, denials)
    return Reading(stems=frozenset(content_stems(text)), pointers=tuple(pointers), denials=tuple(denials))


def _clauses(text: str) -> Iterable[str]:
    return (clause for clause in _CLAUSE.split(text) if clause)


def _read_clause(clause: str, pointers: list[Pointer], denials: list[Denial]) -> None:
    tokens = [stem(word) for word in words(clause)]
    content = [token in _SIGNS or bool(content_stems(token)) for token in tokens]
    places = [at for at, kept in enumerate(content) if kept]
    reached: set[int] = set()
    for match in _NEGATION.finditer(clause):
        first = len(words(clause[:match.end()]))
        behind = [at for at in places if at >= first and tokens[at] not in _PASSED]
        if match.group().casefold() in _BACKWARD and (before := [at for at in places if at < first - 1]):
            behind = [before[-1], *behind]
        if behind:
            denials.append(Denial(head=tokens[behind[0]], reach=frozenset(tokens[at] for at in behind[:_SCOPE])))
            reached.update(behind[:2])
    for at in places:
        sign, axis = _SIGNS.get(tokens[at], (0, ""))
        some = tokens[at] in _DIFFERENCE and not sign
        null = tokens[at] in _UNCHANGED or (some and at in reached)
        if not sign and not null and not some:
            continue
        near = [place for place in places if 0 < abs(place - at) <= _NEAR]
        about = frozenset(tokens[place] for place in near if tokens[place] not in _SIGNS)
        following = [tokens[place] for place in near if at < place <= at + 3]
        if axis == "merit" and any(word in _HARMS for word in following):
            sign = -sign
        pointers.append(Pointer(word=tokens[at], sign=0 if null else 2 if some else -sign if at in reached else sign,
                                about=about))


def opposed(statement: str, quote: str, paper: Sequence[Reading], changes: Sequence[Edit] = ()) -> int:
    """How often a statement says the opposite of the words it rests on.

    It denies what they say or says what they deny, points the other way, or has exchanged who does it to whom. What
    another sentence of the paper says as the statement does is not held against it, unless a word was put for another.

    Args:
        statement: one sentence.
        quote: the words it rests on.
        paper: all of its sentences, read.
        changes: what makes the statement of the quote, where it is nearly a copy.
    """
    ours, theirs = read(statement), read(quote)
    changed = sum(_denies(edit.gone) != _denies(edit.put) or _opposite(edit) for edit in changes)
    denied = _denied(ours, theirs, paper, denies=False) + _denied(theirs, ours, paper, denies=True)
    turned = _turned(ours, theirs, [pointer for reading in paper for pointer in reading.pointers])
    held = frozenset().union(*(reading.stems for reading in paper))
    return changed + denied + turned + _swapped(statement, quote) + _antonyms(ours.stems, theirs.stems, held)


def _denies(tokens: Iterable[str]) -> bool:
    return _NEGATION.search(" ".join(tokens)) is not None


def _opposite(edit: Edit) -> bool:
    """Whether a word was put for its opposite."""
    gone, put = ([stem(part) for token in tokens for part in words(token)] for tokens in (edit.gone, edit.put))
    return any(_SIGNS.get(one, (0,))[0] * _SIGNS.get(other, (0,))[0] < 0 or other in _OPPOSITES.get(one, ())
               or any(one == prefix + other or other == prefix + one for prefix in _PREFIXES)
               for one in gone for other in put)


def _denied(saying: Reading, denying: Reading, also: Sequence[Reading], *, denies: bool) -> int:
    """How many words the one says without denial that the other denies of the same things; not what is denied also."""
    own = frozenset(word for denial in saying.denials for word in denial.reach)
    count = 0
    for denial in denying.denials:
        rest = denial.reach - {denial.head}
        if denial.head in saying.stems - own and (not rest or rest & saying.stems):
            # Another sentence of the paper may say it as the statement does: without denial, or with.
            count += not any(reading is not denying and reading is not saying and denial.head in reading.stems
                             and (rest & saying.stems) <= reading.stems and bool(reading.denials) == denies
                             for reading in also)
    return count


def _turned(ours: Reading, theirs: Reading, paper: Sequence[Pointer]) -> int:
    """How many of our pointers meet only opposite ones that speak of the same, and none in the paper that agrees.

    What both say in the same word and the same way is put aside first.
    """
    own = [pointer for pointer in ours.pointers if not _said(pointer, theirs.pointers)]
    left = [pointer for pointer in theirs.pointers if not _said(pointer, ours.pointers)]
    turned = 0
    for pointer in own:
        met = [other for other in left if pointer.about & other.about or pointer.word == other.word]
        if (any(_against(pointer.sign, other.sign) for other in met)
                and not any(other.sign == pointer.sign and pointer.about & other.about for other in paper)):
            turned += 1
    return turned


def _said(pointer: Pointer, others: Iterable[Pointer]) -> bool:
    return any(other.word == pointer.word and other.sign == pointer.sign for other in others)


def _against(one: int, other: int) -> bool:
    """Whether two signs exclude each other; a difference of either sign excludes only none at all."""
    return one != other and (one == 0 or other == 0 or 2 not in (one, other))


def _antonyms(ours: frozenset[str], theirs: frozenset[str], held: frozenset[str]) -> int:
    """Words of ours of which the quote has only the opposite, and the paper nowhere the words themselves."""
    alone = ours - held
    prefixed = sum(any(word == prefix + other or other == prefix + word for prefix in _PREFIXES)
                   for word in alone for other in theirs - ours if len(word) > 3 and len(other) > 3)
    return prefixed + sum(bool(_OPPOSITES[word] & theirs - ours) for word in alone if word in _OPPOSITES)


def _swapped(statement: str, quote: str) -> bool:
    """Whether what stands before a relation in the one stands behind it in the other, and the other way round."""
    theirs = _sides(quote)
    for verb, (before, behind) in _sides(statement):
        for other, (left, right) in theirs:
            if verb != other and not (verb in _AGAINST and other in _AGAINST):
                continue
            if _SIGNS.get(verb, (1,))[0] * _SIGNS.get(other, (1,))[0] < 0:
                left, right = right, left
            if (before - behind) & (right - left) and (behind - before) & (left - right):
                return True
    return False


def _sides(text: str) -> Sequence[tuple[str, tuple[frozenset[str], frozenset[str]]]]:
    """The relations of a text with the content stems before and behind them; a passive's sides are exchanged."""
    found = []
    for clause in re.split(r"[,;:.!?()]\s", text):
        for match in re.finditer(r"[A-Za-z]+", clause):
            verb = stem(match.group().casefold())
            if verb not in _RELATIONS and match.group().casefold() not in ("than", "over", "from"):
                continue
            before, behind = clause[:match.start()], clause[match.end():]
            passive = re.match(r"\s+by\b", behind) and re.search(r"\b(?:is|are|was|were|be|been|being)\b[^.]{0,20}$", before)
            left, right = (frozenset(side) - _POINTING for side in (
                content_stems(before)[-_SIDE:], content_stems(behind)[:_SIDE]))
            found.append((verb, (right, left) if passive else (left, right)))
    return found


_POINTING = frozenset(_SIGNS)
