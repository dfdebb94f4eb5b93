"""The cells of the table of comparison, cut out of an abstract by its cue phrases: verbatim, or empty. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.digest.cues import cue, does, measured
from rag.digest.material import Line
from rag.schema import Excerpt, Paper
from rag.survey import Row
from rag.text import Span

# A cell has so many words.
_FEWEST, _MOST = 3, 26
_PROPOSING = re.compile(
    r"\b(?:propos(?:e|es|ed|ing)|introduc(?:e|es|ed|ing)|present(?:s|ed|ing)?|develop(?:s|ed)?|design(?:s|ed)?|devise[sd]?|"
    r"describes?|formulates?|investigat(?:e|es|ed)|stud(?:y|ies|ied)|explor(?:e|es|ed)|examin(?:e|es|ed)|"
    r"analy[sz](?:e|es|ed)|survey(?:s|ed)?|review(?:s|ed)?|adapts?|extends?|builds?|constructs?|employs?|uses?|"
    r"leverages?|offers?|provides?|creates?)\s+", re.IGNORECASE)
_PASSIVE = re.compile(r"\b(?:is|are) (?:proposed|introduced|presented|developed)\b", re.IGNORECASE)
# Where a phrase may end: before a comma that opens another clause, before "that", before the next verb.
_STOPS = re.compile(r"[.;:]\s|[.;:]$|,\s(?:which|where|while|and (?:we|show|demonstrate|find)|enabling|allowing|achieving|"
                    r"showing|demonstrating|thus|thereby|so|but|yielding|leading|resulting)\b|\s(?:—|–|--)\s|"
                    r"\s(?:and|to) (?:show|demonstrate|find|prove)\b|\s\((?!\w{1,12}\))")
_CLAUSE = re.compile(r"[,;:]\s|\s(?:—|–|--)\s|\s(?:while|whereas|but|although|though)\s|\s\(|\)\s")
_LEADING = re.compile(r"^(?:(?:and|but|or|so|yet|however|moreover|furthermore|additionally|specifically|notably|in "
                      r"particular|for (?:example|instance)|that|which|while|when|where|thus|thereby|also|e\.g\.|i\.e\.|"
                      r"as well as)\b,?\s*)+", re.IGNORECASE)
_AIMS = re.compile(r"\b(?:address(?:es|ing)?|tackl(?:e|es|ing)|mitigat(?:e|es|ing)|overcom(?:e|es|ing)|alleviat(?:e|es|ing)"
                   r"|solv(?:e|es|ing))\s+(?:the\s+|this\s+)?(?=(?:\S+\s+){0,6}?(?:problems?|challenges?|issues?|"
                   r"limitations?|gap|bias|shift|noise|scarcity|lack|cost)\b)", re.IGNORECASE)
_VAGUE = re.compile(r"\b(?:this|these|such|it|its|they|their|them|those)\b", re.IGNORECASE)

_PROPER = r"[A-Z][\w+]*[A-Z0-9][\w+]*(?:[-./][\w+]+)*|[A-Z][a-z]+[\w-]*(?:\s[A-Z0-9][\w-]*)*"
_LIST = rf"(?:{_PROPER})(?:(?:,\s(?:and\s)?|\sand\s|,?\s&\s|/)(?:{_PROPER}))*"
_NAMED = re.compile(
    rf"\b(?:the\s+)?(?P<names>{_LIST})(?:\s(?!and\b|or\b)[a-z-]+){{0,2}}\s(?:data\s?sets?|benchmarks?|corpus|corpora|"
    r"test\ssets?|leaderboards?|challenge)\b")
_ON = re.compile(rf"\b(?:on|in|including|across|over|using|like|such as|from|e\.g\.,?)\s(?:the\s|both\s)?"
                 rf"(?P<names>{_LIST})(?=[\s,.;)])")
_COUNTED = re.compile(
    r"\b(?:\d[\d,.]*[kKM]?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|multiple|various|"
    r"a (?:new|large|novel)|many)\s(?:[\w/-]+\s){0,5}?(?:data\s?sets|benchmarks|corpora|benchmark|dataset|corpus|domains|languages|"
    r"patients|subjects|participants|images|trials)\b", re.IGNORECASE)
_BENCHMARK = re.compile(r"\b(?:data\s?sets?|benchmarks?|corpus|corpora|test\ssets?|evaluat\w+|experiments?|tasks?)\b",
                        re.IGNORECASE)


def row(label: int, paper: Paper, lines: Sequence[Line]) -> Row:
    """The paper's row: what its abstract gives, each cell a clause at most."""
    return Row(label=label, problem=_problem(paper, lines), approach=_approach(paper, lines), data=_data(paper, lines),
               result=_result(paper, lines))


def _problem(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """What is amiss: the clause with the plainest word for it, before the paper offers its own."""
    offered = next((line.place for line in lines if _PROPOSING.search(line.alone) and does("approach", line.alone)),
                   len(lines))
    for line in lines[:max(1, offered)]:
        found = cue("problem", line.alone)
        if found is None:
            continue
        start, end = _start(line)
        for left, right in _clauses(line.alone):
            clause = line.alone[left:right]
            if does("problem", clause) and not _VAGUE.match(clause):
                cell = _cell(paper, (start + left, start + right))
                if cell:
                    return cell
        cell = _cell(paper, (start, end))
        if cell:
            return cell
    for line in lines:
        if aim := _AIMS.search(line.alone):
            start, _ = _start(line)
            end = _end(line.alone, aim.end())
            cell = _cell(paper, (start + aim.end(), start + end))
            if cell and not _VAGUE.match(cell.text):
                return cell
    return None


def _approach(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """What is offered: what stands behind "we propose", as far as its clause goes."""
    for line in sorted(lines, key=lambda line: (not _strong(line.alone), line.place)):
        if not does("approach", line.alone):
            continue
        start, _ = _start(line)
        if _PASSIVE.search(line.alone):
            left, right = next(((a, b) for a, b in _clauses(line.alone) if _PASSIVE.search(line.alone[a:b])), (0, 0))
            cell = _cell(paper, (start + left, start + right))
            if cell:
                return cell
        offering = _PROPOSING.search(line.alone, cue_start(line.alone))
        if offering is None:
            continue
        cell = _cell(paper, (start + offering.end(), start + _end(line.alone, offering.end())))
        if cell and not re.match(r"(?:that|how|whether|extensive|experiments|evidence|it|to)\b", cell.text, re.IGNORECASE):
            return cell
    return None


def cue_start(sentence: str) -> int:
    """Where the words begin by which a sentence offers something."""
    found = cue("approach", sentence)
    return found.start() if found else 0


_STRONG = re.compile(r"\b(?:propos|introduc|present|develop|design|devis)", re.IGNORECASE)


def _strong(sentence: str) -> bool:
    return does("approach", sentence) and _STRONG.search(sentence) is not None


def _data(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """What it was tried on: named data sets or benchmarks, else how many of what kind."""
    behind = sorted(lines, key=lambda line: (not does("result", line.alone), line.place))
    for pattern in (_NAMED, _ON):
        for line in behind:
            if pattern is _ON and not _BENCHMARK.search(line.alone):
                continue
            for match in pattern.finditer(line.alone):
                span = match.span("names") if pattern is _ON else match.span()
                if _is_data(line.alone[slice(*match.span("names"))]):
                    start, _ = _start(line)
                    return _excerpt(paper, (start + span[0], start + span[1]))
    for line in behind:
        if match := _COUNTED.search(line.alone):
            start, _ = _start(line)
            return _excerpt(paper, (start + match.start(), start + match.end()))
    return None


_MODELS = re.compile(r"^(?:GPT|LLMs?|ChatGPT|LLaMA|Llama|BERT|RL|RLHF|NLP|AI|ML|PPO|DPO|SFT|CNNs?|RNNs?|LSTMs?|VAE|GANs?|"
                     r"Transformers?|Qwen|Mistral|Claude|Gemini|DeepSeek|RoBERTa|T5|PaLM|CLIP|English|We|The|In|Our|"
                     r"This|These|For|Experiments?|Our|Results?|However|Code|State)\b", re.IGNORECASE)


def _is_data(names: str) -> bool:
    """Whether the names may be those of data: no model's, no method's, more than one ordinary word."""
    return _MODELS.match(names) is None and (any(c.isupper() or c.isdigit() for c in names[1:]) or " " in names)


def _result(paper: Paper, lines: Sequence[Line]) -> Excerpt | None:
    """The main result with its number; empty where the abstract gives none."""
    for line in sorted(lines, key=lambda line: (not does("result", line.alone), -line.place)):
        figure = measured(line.alone)
        if figure is None or not (does("result", line.alone) or line.at > 0.4):
            continue
        start, _ = _start(line)
        clauses = list(_clauses(line.alone))
        at = next(number for number, (left, right) in enumerate(clauses) if left <= figure.start() < right)
        left, right = clauses[at]
        # A clause too short to say what was measured takes the one before it along, then the one behind.
        if len(line.alone[left:right].split()) < 7 and at:
            left = clauses[at - 1][0]
        if len(line.alone[left:right].split()) < 5 and at + 1 < len(clauses):
            right = clauses[at + 1][1]
        cell = _cell(paper, (start + left, start + right))
        if cell and measured(cell.text):
            return cell
    return None


# ---- spans


def _start(line: Line) -> Span:
    """The sentence's own span in the abstract, without what it leans on."""
    return line.span[1] - len(line.alone), line.span[1]


def _clauses(sentence: str) -> Iterator[Span]:
    start = 0
    depth = 0
    for match in _CLAUSE.finditer(sentence):
        depth = sentence.count("(", 0, match.start()) - sentence.count(")", 0, match.start())
        # Commas of a list and of a parenthesis end no clause.
        if depth > 0 or len(sentence[start:match.start()].split()) < _FEWEST:
            continue
        yield start, match.start()
        start = match.end()
    yield start, len(sentence)


def _end(sentence: str, start: int) -> int:
    """Where the phrase that starts there ends."""
    for match in _STOPS.finditer(sentence, start):
        if len(sentence[start:match.start()].split()) >= _FEWEST:
            return match.start()
    return len(sentence)


def _cell(paper: Paper, span: Span) -> Excerpt | None:
    """The words of the span as a cell: without what leads to them, on word bounds, neither too short nor too long."""
    text = paper.abstract[slice(*span)]
    lead = _LEADING.match(text)
    start = span[0] + (lead.end() if lead else 0)
    found = _excerpt(paper, (start, span[1]))
    count = len(found.text.split())
    if count > _MOST:
        shorter = _shortened(found.text)
        if shorter is None:
            return None
        found = _excerpt(paper, (found.start, found.start + shorter))
        count = len(found.text.split())
    if count < _FEWEST or found.text.count("(") != found.text.count(")"):
        return None
    return found


def _shortened(text: str) -> int | None:
    """How much of the text is whole in itself and short enough."""
    ends = [match.start() for match in re.finditer(
        r",\s|;\s|\s(?:—|–)\s|\s(?:that|which|by|using|via|through|based on|where|when|while|with|for|in order to|because|"
        r"due to|without)\s", text)]
    fitting = [end for end in ends if _FEWEST + 2 <= len(text[:end].split()) <= _MOST
               and text.count("(", 0, end) == text.count(")", 0, end)]
    return fitting[-1] if fitting else None


def _excerpt(paper: Paper, span: Span) -> Excerpt:
    start, end = span
    text = paper.abstract
    while start < end and (text[start].isspace() or text[start] in ",;:—–"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;:.—–"):
        end -= 1
    return Excerpt(text=text[start:end], start=start, end=end)
