"""The noun phrases of abstracts, told by how the library's own texts use their words. Pure.

A word is a noun where it closes what an article opened ("the policy."), a verb where it follows "to" or "we", or an
article follows it ("mitigate the"); a phrase is a run of such words that stands between bounds of its own at least
once, which keeps "based reward model" from being one (after the C-value of Frantzi, Ananiadou and Mima 2000).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from rag.search.acronyms import has_capitals
from rag.text import STOP_WORDS, stem

_TOKEN = re.compile(r"[^\W_][\w+]*(?:[-/’'][\w+]+)*|[^\w\s]")
LONGEST = 4
_ARTICLES = frozenset("the a an this these our their its each every any such".split())
_BEFORE_NOUN = _ARTICLES | frozenset("of in for with on between from into over across".split())
_BEFORE_VERB = frozenset("to we can could may might will would should must cannot which not they it i".split())
_BEHIND_VERB = frozenset("the a an our their its this these that how whether it them".split())
# Words of papers at large, which say of no paper what it is about; no phrase begins or ends with one.
_EMPTY = STOP_WORDS | frozenset(
    "able accurate achieve across additional address advance advanced advancement advances advantage aim algorithm "
    "algorithms allow alternative among analysis analyses analyze application applications apply approach approaches "
    "area areas art article aspect aspects author authors available average aware base based baseline baselines "
    "behavior benefit benefits best better broad call capabilities capability capable capacity case cases challenge "
    "challenges challenging change changes choice class code common comparable compare comparison competitive complex "
    "component components comprehensive concept conclusion condition conditions confidence "
    "hazard interval intervals odds ratio ratios consider consistent context "
    "contribution contributions conventional core cost could crucial current data dataset datasets degree demand "
    "demonstrate depth design detail develop developed development difference differences different difficult "
    "dimension direct direction directions distinct diverse domain downstream due ease effect effective effectiveness "
    "effects efficiency efficient effort efforts element empirical enable end entire environment error errors "
    "essential evaluation evaluations even evidence example examples excellent existing experiment experimental "
    "experiments extensive extent extra fact factor factors fast feature features field fields final finding findings "
    "first five flexible focus following form format forms four framework frameworks full fully function functions "
    "fundamental further future gain gains gap gaps general generalizable give given global goal goals good great "
    "group groups help here high higher highly hundred idea impact implementation implication implications importance "
    "important improvement improvements improved increase increasing individual information initial inherent input "
    "inputs insight insights instance instances issue issues key kind kinds lack large larger latter lead level "
    "levels leverage like limit limitation limitations limited line literature little local long low lower main major "
    "making manner many measure mechanism mechanisms method methodology methods metric metrics minimal mode model "
    "models modern more much multiple natural nature need needs new notable novel number numerous objective objectives "
    "observation observations one open opportunity optimal order original other output outputs overall overview "
    "paper papers paradigm part particular past people perform performance performances perspective perspectives "
    "point points popular position possible potential power powerful practical practice practices present previous "
    "principle principled prior problem problems procedure process processes progress promising proof propose "
    "proposed public purpose quality question questions range rate rates real real-world reason recent recently "
    "reduction region relative relevant reliable representative research researcher researchers resource resources "
    "respect result results rich robust robustness role same sample samples scale scenario scenarios scheme scope "
    "second set sets setting settings setup several shape shift short show side significant similar simple single "
    "situation size small solution solutions solid space specific stage standard state state-of-the-art step steps "
    "strategies strategy strength strong structure studies study subject substantial success successful suitable "
    "superior support survey system systems tackle target task tasks technique techniques technologies technology "
    "term terms test text theoretical theory thing third three time times tool tools top topic toward towards "
    "traditional train training trend true two type types typical under understanding unified unique unseen use "
    "useful user users using utility valuable value values variant variants variety various vast version via view "
    "vital way ways well whole wide widely widespread without work works world year years yield "
    "another around art become both current do each great hard illustrate key known less let makes means often "
    "rather required seen still take taken think those thus together towards try upon want whether yet "
    "benchmark benchmarks publicly release released called named namely extensive introduction towards toward beyond "
    "revisiting rethinking exploring investigating understanding improving enhancing enabling leveraging building "
    "learning-based instead suffers based via empowering unlocking addressing mitigating achieving generating "
    "evaluating".split())
# These close a phrase that something stands before: "reward models", "noisy data", "learning theory".
_CLOSING = frozenset(
    "model models data dataset datasets learning analysis theory systems system search evaluation features "
    "design structure mechanisms mechanism algorithms methods errors error tasks space quality understanding process "
    "context text state states representation benchmark benchmarks training function functions shift "
    "robustness efficiency performance behavior capabilities environments code resources scale generation "
    "making field fields problem problems setting settings strategy strategies information examples samples metric "
    "metrics rates behaviors structures processes contexts functions spaces".split())
_ADVERB = re.compile(r"ly$")
# How often a word's plural must stand beside its singular for several things to be meant.
_SEVERAL = 0.2
_PLURAL = re.compile(r"(?<![siu])s$")
_FIGURE = re.compile(r"\d+(?:[kKmMbBtT%]|st|nd|rd|th)?$")
# Mathematics, with what hangs on it: "$K$-wise".
_MATHS = re.compile(r"\$[^$]*\$(?:-\w+)?")


@cache
def _empty_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in _EMPTY) | frozenset(map(stem, _TELLING))


# Words of findings, whatever they find.
_TELLING = frozenset("show demonstrate find reveal suggest indicate achieve outperform improve enhance surpass reduce "
                     "increase confirm observe significantly consistently extensive experiment propose "
                     "introduce".split())


def is_empty(word: str) -> bool:
    """Whether a stem is of a word that says of no paper what it is about."""
    return word in _empty_stems()


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a library's texts use their words, folded: counts."""

    noun: Mapping[str, int]
    verb: Mapping[str, int]
    modifier: Mapping[str, int]
    capital: Mapping[str, int]
    small: Mapping[str, int]

    def is_verb(self, word: str) -> bool:
        """Whether the texts use it as a verb more than as anything else."""
        return self.verb.get(word, 0) > self.noun.get(word, 0) + self.modifier.get(word, 0)

    def is_noun(self, word: str, share: float = 0.2) -> bool:
        """Whether it closes phrases, as nouns do and adjectives do not, so often beside standing before a word."""
        noun, other = self.noun.get(word, 0), self.modifier.get(word, 0)
        return noun >= 1 and noun > 0.6 * self.verb.get(word, 0) and noun > share * other

    def is_known(self, word: str) -> bool:
        """Whether it was met as a noun or before one, or is a name."""
        folded = word.casefold()
        return has_capitals(word) or self.noun.get(folded, 0) + self.modifier.get(folded, 0) > 0

    def several(self, word: str) -> str:
        """The word, spelled as `spelled` does, in the plural where the texts often have it: "reward models"."""
        spelled = self.spelled(word)
        plural = f"{spelled}{'es' if spelled.endswith(('s', 'x', 'ch', 'sh')) else 's'}"
        if _PLURAL.search(word) or has_capitals(word):
            return spelled
        often = self.small.get(plural.casefold(), 0) >= _SEVERAL * max(1, self.small.get(spelled.casefold(), 0))
        return plural if often else spelled

    def spelled(self, word: str) -> str:
        """The word without the capital that only a title or a sentence's beginning gives it."""
        if "-" in word:
            return "-".join(self.spelled(part) for part in word.split("-"))
        if any(c.isupper() for c in word[1:]):
            return word
        folded = word.casefold()
        return word if self.capital.get(folded, 0) > self.small.get(folded, 0) else folded


def learn(texts: Iterable[str]) -> Grammar:
    """How these abstracts use their words."""
    noun: Counter[str] = Counter()
    verb: Counter[str] = Counter()
    modifier: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in texts:
        tokens = _TOKEN.findall(text)
        folded = [token.casefold() for token in tokens]
        for at, word in enumerate(folded):
            if not word[0].isalnum() or word in STOP_WORDS:
                continue
            before = folded[at - 1] if at else "."
            behind = folded[at + 1] if at + 1 < len(folded) else "."
            if before not in ".!?:":
                for part in tokens[at].split("-"):
                    (capital if part[:1].isupper() else small)[part.casefold()] += 1
            bounded = not behind[0].isalnum() or behind in STOP_WORDS
            if before in _BEFORE_VERB or (behind in _BEHIND_VERB and before not in _ARTICLES):
                verb[word] += 1
            elif bounded and behind not in ("and", "or", ",") and before[0].isalnum() and (
                    before in _BEFORE_NOUN or before not in STOP_WORDS):
                noun[word] += 1
            elif before in _BEFORE_NOUN:
                modifier[word] += 1
    return Grammar(noun=noun, verb=verb, modifier=modifier, capital=capital, small=small)


@dataclass(slots=True)
class Phrase:
    """A phrase over some papers.

    Attributes:
        key: its stems.
        spelled: how it is written, to how often.
        papers: places of the papers that hold it, and of those whose titles do.
        bounded: how often it stands alone between bounds, of ``times``.
        known: its first word was met as a noun or before one.
    """

    key: tuple[str, ...]
    spelled: Counter[str] = field(default_factory=Counter)
    papers: set[int] = field(default_factory=set)
    titled: set[int] = field(default_factory=set)
    bounded: int = 0
    times: int = 0
    known: bool = False

    @property
    def text(self) -> str:
        """Its usual spelling."""
        return max(self.spelled, key=lambda text: (self.spelled[text], text))


def phrases(titles: Sequence[str | None], abstracts: Sequence[str], grammar: Grammar) -> dict[tuple[str, ...], Phrase]:
    """The phrases of these papers that stand by themselves often enough to be one thing."""
    found: dict[tuple[str, ...], Phrase] = defaultdict(lambda: Phrase(()))
    for place, (title, abstract) in enumerate(zip(titles, abstracts, strict=True)):
        for text, titled in ((title or "", True), (abstract, False)):
            for run in _runs(_TOKEN.findall(_MATHS.sub(" , ", text)), grammar):
                for start in range(len(run)):
                    for end in range(start + 1, min(start + LONGEST, len(run)) + 1):
                        words = run[start:end]
                        if not _names(words, grammar):
                            continue
                        key = tuple(stem(word.casefold()) for word in words)
                        phrase = found[key]
                        phrase.key = key
                        phrase.papers.add(place)
                        if titled:
                            phrase.titled.add(place)
                        phrase.times += 1
                        phrase.known |= grammar.is_known(words[0])
                        phrase.bounded += start == 0 and end == len(run)
                        phrase.spelled[" ".join([*map(grammar.spelled, words[:-1]), grammar.several(words[-1])])] += 1
    return {key: phrase for key, phrase in found.items()
            if phrase.bounded and phrase.bounded >= 0.2 * phrase.times and (phrase.titled or phrase.known)}


def _runs(tokens: Sequence[str], grammar: Grammar) -> Iterator[list[str]]:
    """Words in a row without punctuation, small words and verbs between them; empty words at their ends left out."""
    run: list[str] = []
    for token in [*tokens, "."]:
        folded = token.casefold()
        breaks = not token[0].isalnum() or folded in STOP_WORDS or folded in _ARTICLES or _ADVERB.search(folded)
        # "Decision making" is one thing, whatever "making" is elsewhere.
        if breaks or (grammar.is_verb(folded) and not folded.endswith("ing")):
            yield from _trimmed(run)
            run = []
        else:
            run.append(token)


def _trimmed(run: list[str]) -> Iterator[list[str]]:
    start, end = 0, len(run)
    while start < end and run[start].casefold() in _EMPTY:
        start += 1
    while end > start and run[end - 1].casefold() in _EMPTY and (
            run[end - 1].casefold() not in _CLOSING or end - start < 2):
        end -= 1
    if start < end:
        yield run[start:end]


def _names(words: Sequence[str], grammar: Grammar) -> bool:
    """Whether the words may name something: a noun at the end, no empty word at either end, no figure."""
    first, last = words[0].casefold(), words[-1].casefold()
    if first in _EMPTY or (last in _EMPTY and (len(words) < 2 or last not in _CLOSING)):
        return False
    if any(_FIGURE.match(word) or len(word) < 2 or "’" in word or "'" in word for word in words):
        return False
    # A plural stands at the end; a word in its form before that is a verb.
    if any(_PLURAL.search(word) and not has_capitals(word) and not word.endswith("ics") for word in words[:-1]):
        return False
    if len(words) == 1:
        return has_capitals(words[0]) or grammar.is_noun(last, 1.0)
    return has_capitals(words[-1]) or last in _CLOSING or (grammar.is_noun(last) and not last.endswith("ed"))
