"""The cells of the table of comparison, cut out of an abstract by its cue phrases: verbatim, or empty. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.digest.cues import LABEL, cue, does, measured, offers, points_back
from rag.digest.material import Line
from rag.schema import Excerpt, Paper
from rag.search.acronyms import definitions, singular
from rag.survey import Row
from rag.text import Span, words

# A cell has so many words; a result is told with so many of its own at least.
_FEWEST, _MOST, _TOLD = 3, 26, 7
# Where in the abstract its problem stands at the latest, 0 to 1.
_EARLY = 0.6

# Where a phrase may end: before another clause, before "that", before the next verb.
_ENDS = re.compile(
    r"[.;:](?:\s|$)|,\s(?:which|where|while|and (?:we|show|demonstrate|find)|enabling|allowing|achieving|showing|"
    r"demonstrating|thus|thereby|so|but|yielding|leading|resulting)\b|\s(?:—|–|--)\s|"
    r"\s(?:and|to) (?:show|demonstrate|find|prove)\b|\s\((?![\w-]{1,14}\))")
_CUTS = re.compile(
    r",\s(?!\d)|;\s|\s(?:—|–)\s|\s(?:that|which|by|using|via|through|based on|where|when|while|with|for|in order to|"
    r"because|due to|without)\s")
_CLAUSE = re.compile(r"[;:]\s|,\s(?!\d)|\s(?:—|–|--)\s|\s(?:while|whereas|but|although|though)\s|\s\(|\)\s")
_CONNECTIVE = (
    r"(?:and|but|or|so|yet|however|nevertheless|nonetheless|unfortunately|moreover|furthermore|consequently|"
    r"therefore|specifically|additionally|mainly|"
    r"notably|empirically|overall|in particular|for (?:example|instance)|that|which|while|when|where|thus|thereby|"
    r"also)\b")
_TELLING = (
    r"(?:(?:our|the|these|empirical|experimental|extensive|comprehensive)\s+)*(?:we|results?|experiments?|evaluations?|"
    r"findings?|analysis|studies)(?:\s+(?!that\b)\w+){0,5}?\s+(?:find|found|shows?|showed|shown|demonstrates?|demonstrated|"
    r"observed?|reveals?|indicates?|suggests?)\s+that\b")
_LEADING = re.compile(rf"^(?:(?:{LABEL}|{_CONNECTIVE}|{_TELLING}),?\s*)+", re.IGNORECASE)
# A clause that opens so hangs on what went before it.
_HANGS = re.compile(
    r"(?:and|or|nor|that|which|who|where|when|whose|especially|particularly|both|raises?|as|to|for|of|in|on|at|by|with|without|from|due|"
    r"because|since|if|although|though|while|given|than|is|are|was|were|has|have|can|may|will|"
    r"(?:limit|mak|lead|result|caus|us|includ|requir|hinder|prevent)ing)\b", re.IGNORECASE)
_VAGUE = re.compile(r"\b(?:this|these|such|it|its|they|their|them|those|we|our)\b", re.IGNORECASE)
_AIMS = re.compile(
    r"\b(?:address(?:es|ing)?|tackl(?:e|es|ing)|mitigat(?:e|es|ing)|overcom(?:e|es|ing)|alleviat(?:e|es|ing))"
    r"\s+(?:the\s+)?(?!\d)(?=(?:\S+\s+){1,6}?(?:problems?|challenges?|issues?|limitations?|gap|bias|shift|noise|"
    r"scarcity|lack|cost)\b)", re.IGNORECASE)
_NO_WAY = re.compile(r"(?:that|how|whether|extensive|experiments|evidence|it|to|in)\b|.*\b(?:this|these)\b",
                     re.IGNORECASE)
_OPEN_END = re.compile(r"\b(?:such|so|as|and|or|of|the|an?|to|is|are|more)$", re.IGNORECASE)
_PASSIVE = re.compile(r"^(?:is|are|was|were)\b", re.IGNORECASE)

_NAME = r"(?:(?<![\w;/-])[A-Z][\w+]*[A-Z0-9][\w+]*(?:[-./][\w+]+)*|[A-Z][a-z]+[\w-]*(?:\s[A-Z0-9][\w-]*)*)"
_NAMES = rf"(?P<names>{_NAME}(?:(?:,\s(?:and\s)?|\sand\s|,?\s&\s|/){_NAME})*)"
_DATA = r"(?:data\s?sets?|benchmarks?|corpus|corpora|test\ssets?|leaderboards?|challenge)"
_NAMED = re.compile(rf"\b(?:the\s+)?{_NAMES}(?:\s(?!and\b|or\b)[a-z-]+){{0,2}}\s{_DATA}\b")
_ON = re.compile(rf"\b(?:on|including|across|such as|e\.g\.,?)\s(?:the\s|both\s)?{_NAMES}(?=[\s,.;)])")
_COUNTED = re.compile(
    r"\b(?:\d[\d,.]*[kKM]?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|multiple|various|"
    r"a (?:new|large|novel)|many)\s(?:[\w/-]+\s){0,3}?"
    r"(?:data\s?sets?|benchmarks?|corpora|corpus|languages|patients|subjects|participants|images|trials)\b"
    r"(?!\s(?:data\s?sets?|tasks|suites?|images)\b)", re.IGNORECASE)
# What is said before "on" where data follow, within so many characters.
_TRIED = re.compile(r"\b(?:data\s?sets?|benchmarks?|corpus|corpora|test\ssets?|evaluat\w+|experiments?|tasks?|results|"
                    r"performance|accuracy|scores?|tested)\b", re.IGNORECASE)
_BEFORE = 60
# Names of models and ways, and words that only stand in front.
_NO_DATA = re.compile(
    r"^(?:GPT|LLM|ChatGPT|LLaMA|BERT|RL|RLHF|NLP|AI|ML|PPO|DPO|SFT|CNN|RNN|LSTM|VAE|GAN|Qwen|Mistral|Claude|Gemini|DeepSeek|"
    r"RoBERTa|T5|PaLM|CLIP|English|We|The|In|Our|This|These|For|Experiment|Result|However|Code|State)s?\b|"
    r"(?:Optimi[sz]ation|Learning|Model|Network|Attention|Search|Descent|Training|Feedback|Algorithm|Transformer|Generation|"
    r"Prompting|Reasoning|Alignment|Tuning)s?$", re.IGNORECASE)


def row(label: int, paper: Paper, lines: Sequence[Line]) -> Row:
    """The paper's row: what its abstract gives, each cell a clause at most."""
    return Row(label=label, problem=_problem(paper, lines), approach=_approach(paper, lines), data=data(paper, lines),
               result=_result(paper, lines))


def data(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """What the paper was tried on: named data sets or benchmarks, else how many of what kind."""
    counted = ((line, found.span()) for line in _results_first(lines) if (found := _COUNTED.search(line.alone)))
    return named_data(paper, lines) or next((_excerpt(paper, line, span) for line, span in counted), None)


def named_data(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """The data sets or benchmarks by whose names the paper tells what it was tried on."""
    own = {short for short, _ in definitions(paper.abstract)} | set(words(paper.title or ""))
    for pattern in (_NAMED, _ON):
        for line in _results_first(lines):
            for match in pattern.finditer(line.alone):
                names = match["names"]
                if pattern is _ON and not _TRIED.search(line.alone, max(0, match.start() - _BEFORE), match.start()):
                    continue
                if _is_data(names) and singular(names) not in own and names.casefold() not in own:
                    return _excerpt(paper, line, match.span("names") if pattern is _ON else match.span())
    return None


def _results_first(lines: Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (not does("result", line.alone), line.place))


def _is_data(names: str) -> bool:
    """Whether the names may be those of data: no model's, no method's, more than one ordinary word."""
    return _NO_DATA.search(names) is None and (any(c.isupper() or c.isdigit() for c in names[1:]) or " " in names)


def _problem(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """What is amiss: the first clause that says so before the paper offers its own, else what it sets out to mend."""
    offered = next((line.place for line in lines if offers(line.alone)), len(lines))
    for line in lines[:max(1, offered)]:
        if does("approach", line.alone) or line.at > _EARLY:
            continue
        for span in (*_clauses(line.alone), (0, len(line.alone))):
            clause = line.alone[slice(*span)]
            if does("problem", clause) and not _VAGUE.search(clause) and not _HANGS.match(clause.strip()):
                cell = _cell(paper, line, span)
                if cell and not _HANGS.match(cell.text):
                    return cell
    for line in lines:
        if aim := _AIMS.search(line.alone):
            cell = _cell(paper, line, (aim.end(), _end(line.alone, aim.end())))
            if cell and not _VAGUE.search(cell.text) and not does("approach", cell.text):
                return cell
    return None


def _approach(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """What is offered: what stands behind "we propose", as far as its clause goes."""
    for line in sorted(lines, key=lambda line: (not offers(line.alone), line.place)):
        found = cue("approach", line.alone)
        if found is None:
            continue
        span = found.end(), _end(line.alone, found.end())
        if _PASSIVE.match(found.group()):
            span = next(((start, end) for start, end in _clauses(line.alone) if start <= found.start() < end), span)
            if _HANGS.match(line.alone[slice(*span)]) or points_back(line.alone):
                continue
        cell = _cell(paper, line, span)
        if cell and not _NO_WAY.match(cell.text):
            return cell
    return None


def _result(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """The main result with its number; empty where the abstract gives none."""
    for line in sorted(lines, key=lambda line: (not does("result", line.alone), -line.place)):
        figure = measured(line.alone)
        if figure is None or not (does("result", line.alone) or line.at > 1 - _EARLY):
            continue
        clauses = list(_clauses(line.alone))
        at = next((number for number, (start, end) in enumerate(clauses) if start <= figure.start() < end), 0)
        start, end = clauses[at]
        # A clause too short to say what was measured takes the one before it along.
        if len(line.alone[start:end].split()) < _TOLD and at:
            start = clauses[at - 1][0]
        cell = _cell(paper, line, (start, end))
        if cell and measured(cell.text):
            return cell
    return None


# ---- spans of a sentence


def _clauses(sentence: str) -> Iterator[Span]:
    """Its clauses; the commas of a list or a parenthesis end none."""
    start = 0
    for match in _CLAUSE.finditer(sentence):
        inside = sentence.count("(", 0, match.start()) > sentence.count(")", 0, match.start())
        if not inside and len(sentence[start:match.start()].split()) >= _FEWEST:
            yield start, match.start()
            start = match.end()
    yield start, len(sentence)


def _end(sentence: str, start: int) -> int:
    """Where the phrase that starts there ends."""
    ends = (match.start() for match in _ENDS.finditer(sentence, start))
    return next((end for end in ends if len(sentence[start:end].split()) >= _FEWEST), len(sentence))


def _cell(paper: Paper, line: Line, span: Span) -> Excerpt | None:
    """The words of the span as a cell: without what leads to them, neither too short nor too long."""
    start, end = span
    lead = _LEADING.match(line.alone[start:end].lstrip())
    if lead:
        start += len(line.alone[start:end]) - len(line.alone[start:end].lstrip()) + lead.end()
    text = line.alone[start:end]
    if len(text.split()) > _MOST:
        ends = [match.start() for match in _CUTS.finditer(text)
                if _FEWEST + 2 <= len(text[:match.start()].split()) <= _MOST
                and text.count("(", 0, match.start()) == text.count(")", 0, match.start())
                and not _OPEN_END.search(text[:match.start()])]
        if not ends:
            return None
        end = start + ends[-1]
    found = _excerpt(paper, line, (start, end))
    whole = found.text.count("(") == found.text.count(")") and len(found.text.split()) >= _FEWEST
    return found if whole else None


def _excerpt(paper: Paper, line: Line, span: Span) -> Excerpt:
    """The span of the sentence as words of the abstract, without blanks and marks around them."""
    text, first = line.alone[slice(*span)], line.span[1] - len(line.alone) + span[0]
    kept = text.strip(" \n\t,;:—–").rstrip(".")
    start = first + text.index(kept)
    return Excerpt(text=paper.abstract[start:start + len(kept)], start=start, end=start + len(kept))
