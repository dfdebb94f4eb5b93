"""Words that papers use for one another, and how far two words are the same. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rag.text import stem

# A line holds words that stand for each other in most sentences of most papers; by hand.
_GROUPS = """
use utilise utilize employ apply leverage exploit adopt
show demonstrate reveal indicate find report observe suggest display exhibit
method approach technique procedure strategy scheme
improve enhance better boost
reduce decrease lower lessen diminish cut decline drop shrink curb mitigate
increase raise elevate grow rise
outperform surpass exceed beat superior
large big great sizeable substantial
small tiny little minor
fast quick rapid swift speedy
begin start onset initiate
create generate produce synthesise synthesize construct build make
dataset corpus collection
task problem challenge
test evaluate assess examine measure
train learn fit teach
tune finetune adapt
predict forecast anticipate
difficult hard challenging
cost expense price expensive
answer response reply
question query
people person human annotator individual subject participant volunteer
picture image photo
children child paediatric pediatric infant
woman female
man male
illness disease disorder condition
drug medication medicine pharmaceutical
cancer tumor tumour carcinoma neoplasm malignancy
death mortality die fatal
doctor physician clinician
eat consume intake ingest consumption dietary diet
food meal
blood plasma serum
link associate association correlate correlation relate relationship connect
cause lead induce trigger result provoke
prevent avoid avert
protect shield guard
inhibit suppress block
important crucial key essential vital critical
need require demand necessary necessitate
enough suffice sufficient adequate
similar alike comparable
different distinct differ vary
remove delete discard eliminate drop
combine merge fuse join mix integrate
select choose pick
collect gather
split divide break separate partition
share common
stay remain keep
seldom rare rarely infrequent
often frequent frequently common
quickly rapidly fast
compare comparison contrast
judge rate evaluate score
copy replicate duplicate
longer extended prolonged
accuracy accurate precision
error mistake failure fault inaccuracy
robust stable resilient
gap difference discrepancy
benefit gain advantage
label annotate annotation annotation
word token term
sentence utterance
document text article
network net
parameter weight
size scale magnitude
step stage phase
goal objective aim target purpose
framework system pipeline
benchmark suite
open public
simulate simulation simulator synthetic
movement motion locomotion
car vehicle automobile
robot agent
older elderly aged
yearly annual
half halve
double twice twofold
risk hazard danger
harm damage injure hurt
toxic poisonous
weight mass
fat adipose lipid
heart cardiac cardiovascular coronary
brain cerebral neural cognitive
kidney renal
liver hepatic
bone skeletal
lung pulmonary
treat treatment therapy therapeutic
exercise activity
hinder impede hamper
help aid assist support
extra additional further more
only solely merely
whole entire full complete
part portion fraction share
previous prior earlier
new novel
several multiple many various
exceed above over
below under
"""
_GROUP: dict[str, frozenset[int]] = {}
for _number, _line in enumerate(_GROUPS.strip().splitlines()):
    for _word in _line.split():
        _GROUP[stem(_word)] = _GROUP.get(stem(_word), frozenset()) | {_number}

# What a word counts for that another one stands for.
SYNONYM, KIN = 0.5, 0.6
# Letters that two words of one root share at their heads, or that one has behind a prefix.
_ROOT = 5
_DENYING = ("un", "in", "im", "ir", "non", "dis", "anti", "de")

Index = Mapping[str, Sequence[str]]


def groups(word: str) -> frozenset[int]:
    """Numbers of the groups that a stem is in."""
    return _GROUP.get(word, frozenset())


def like(word: str, index: Index) -> dict[str, float]:
    """The stems of an index that say what the word says, and how fully, 0..1."""
    found = dict.fromkeys((other for key in groups(word) for other in index.get(str(key), ())), SYNONYM)
    for key in _ends(word):
        found.update((other, KIN) for other in index.get(key, ()) if kin(word, other))
    if word in index.get(f"={word}", ()):
        found[word] = 1.0
    return found


@lru_cache(maxsize=1024)
def index_of(stems: frozenset[str]) -> Index:
    """Stems by what may make them like another: themselves, their first and their last letters, and their groups."""
    index: dict[str, list[str]] = {}
    for word in stems:
        for key in (f"={word}", *_ends(word), *map(str, groups(word))):
            index.setdefault(key, []).append(word)
    return index


def _ends(word: str) -> tuple[str, ...]:
    return (f"^{word[:_ROOT]}", f"${word[-_ROOT:]}") if len(word) >= _ROOT and not word.isdigit() else ()


def kin(one: str, other: str) -> bool:
    """Whether two stems are of one root by their letters: "inhibit" and "inhibitori", "optim" and "overoptim"."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if len(short) < _ROOT or short.isdigit() or short == long:
        return False
    # A denying prefix makes another word.
    if long.endswith(short):
        return not long.startswith(_DENYING)
    return long.startswith(short[:max(_ROOT, len(short) - 2, math.ceil(0.6 * len(long)))])
