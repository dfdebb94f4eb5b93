"""Questions about the library itself, answered from its catalogue: true by counting, not by checking.

Every paper that is named is a numbered reference, whose citation opens the paper's first sentence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.conversation.converse import Resolved
from rag.conversation.find import find
from rag.conversation.inventory import Inventory, Kind, asked
from rag.conversation.mention import titles
from rag.conversation.themes import themes
from rag.conversation.topic import topic
from rag.models.inert import inert
from rag.relevant import relevant
from rag.retrieve import retrieve
from rag.schema import Answer, Citation, Paper, Reference, Sentence, Support, Where
from rag.search.narrow import narrow
from rag.search.vocabulary import stem_phrase
from rag.store import Store
from rag.text import content_stems, sentences, words

# Papers that an answer lists, and subjects, names or files that it counts.
_LISTED = 20
_FEW = 5
_COUNTED = 6
# How many papers a subject is counted among, and those by which it is judged whether there are any.
_LOOKED_AT, _JUDGED = 300, 40
_BRACKETS = str.maketrans("", "", "[]")


def answer(store: Store, question: str, resolved: Resolved, *, this_year: int) -> Answer | None:
    """The answer to a question about the library itself; None for any other.

    Args:
        store: the library's.
        question: in the reader's words.
        resolved: what it refers to.
        this_year: what "the last two years" in it is counted from.

    Raises:
        NoLibraryError: there is no library.
    """
    if resolved.brief or resolved.without:
        return None
    # "Who wrote the second one?" names its paper only when it is rewritten.
    forms = (None if resolved.whole else resolved.question or question, resolved.rewritten)
    for form in filter(None, forms):
        # What the answer repeats of it must lead nowhere, and cite nothing.
        inventory = asked(inert(form).translate(_BRACKETS))
        told = counted(store, question, inventory, resolved.where, this_year=this_year,
                       rewritten=resolved.rewritten) if inventory else None
        if told is not None:
            return told
    return None


def counted(store: Store, question: str, inventory: Inventory, where: Where | None = None, *, this_year: int,
            rewritten: str | None = None) -> Answer | None:
    """What the catalogue says; None where the question turns out to ask for something else.

    Args:
        store: the library's.
        question: in the reader's words.
        inventory: what it asks, as `asked` has read it.
        where: only these papers; one paper, where the question is about one that was spoken of.
        this_year: what "the last two years" is counted from.
        rewritten: the question's stand-alone form, for the answer.

    Raises:
        NoLibraryError: there is no library.
    """
    narrowed = narrow(store, f"papers {inventory.rest}", where, this_year) if inventory.rest else None
    told = _Told(store=store, question=question, rewritten=rewritten, narrowed=narrowed.told if narrowed else None)
    if not store.catalogue.count()[0]:
        return told.say("The library holds no papers yet.").answer()
    among = narrowed.where if narrowed else where
    if inventory.kind == "has":
        return _has(told, inventory, among)
    if narrowed and narrowed.none:
        told.narrowed = None
        return told.say(f"The library knows no paper {inventory.rest}.").answer()
    about = _subject(narrowed.question) if narrowed else ""
    if narrowed and narrowed.question and not about:
        return None
    if inventory.kind in _OF_ONE:
        return _of_one(told, inventory, among)
    if about:
        return _on(told, inventory, about, among)
    if inventory.kind == "about" and where and where.ids:
        # What a few papers are about, they say best themselves.
        return None
    papers = _papers(store, among)
    if not papers:
        return told.say("The library holds no such papers.").answer()
    _OF_ALL[inventory.kind](told, inventory, papers)
    return told.answer()


def _subject(question: str) -> str:
    """What papers are asked for about; a condition that was not understood is no subject."""
    place = topic(question)
    return question[place[0]:place[1]] if place and place[0] else ""


def _papers(store: Store, where: Where | None) -> tuple[Paper, ...]:
    """The papers that a filter lets through, in order of arrival."""
    ids = store.catalogue.select(where)
    return store.catalogue.papers(None if ids is None else sorted(ids), missing_ok=True)


@dataclass(slots=True, kw_only=True)
class _Told:
    """An answer in the making."""

    store: Store
    question: str
    rewritten: str | None
    narrowed: str | None
    notice: str | None = None
    sentences: list[Sentence] = field(default_factory=list)
    papers: dict[str, Paper] = field(default_factory=dict)

    def say(self, text: str, papers: Iterable[Paper] = ()) -> _Told:
        """Adds a sentence that names these papers."""
        citations = []
        for paper in papers:
            self.papers.setdefault(paper.id, paper)
            start, end = (sentences(paper.abstract) or ((0, 0),))[0]
            support = Support(verdict="supported", score=1.0, quote=paper.abstract[start:end], start=start, end=end)
            citations.append(Citation(label=list(self.papers).index(paper.id) + 1, paper_id=paper.id, support=support))
        self.sentences.append(Sentence(text=text, kind="frame", citations=tuple(citations)))
        return self

    def answer(self) -> Answer:
        """The answer as it stands."""
        text = " ".join(f"{each.text} {''.join(f'[{citation.label}]' for citation in each.citations)}".strip()
                        for each in self.sentences)
        return Answer(question=self.question, kind="library", rewritten_question=self.rewritten, text=text,
                      narrowed=self.narrowed, sentences=tuple(self.sentences), confidence=1.0, notice=self.notice,
                      references=tuple(Reference(label=label, paper=paper)
                                       for label, paper in enumerate(self.papers.values(), 1)))


# ---- all papers, or those that the conditions leave


def _count(told: _Told, _: Inventory, papers: Sequence[Paper]) -> None:
    total = told.store.catalogue.count()[0]
    if len(papers) == total:
        files = len(told.store.catalogue.sources())
        told.say(f"The library holds {_n(total, 'paper')}, read from {_n(files, 'file')}.")
    else:
        told.say(f"{_n(len(papers), 'paper')} of the library’s {total} {'fits' if len(papers) == 1 else 'fit'} that.",
                 papers if len(papers) <= _LISTED else ())


def _list(told: _Told, _: Inventory, papers: Sequence[Paper]) -> None:
    total = len(papers)
    if total > _LISTED:
        told.say(f"There are {total}; the first {_LISTED} of them:", papers[:_LISTED])
        told.notice = "`vouch papers list` shows them all."
    else:
        told.say(f"{'There is one paper' if total == 1 else f'There are {total} papers'}:", papers)


def _by_age(told: _Told, inventory: Inventory, papers: Sequence[Paper]) -> None:
    dated = [paper for paper in papers if paper.year is not None]
    newest = inventory.kind == "newest"
    if not dated:
        told.say("None of the papers has a known year.")
        return
    # arXiv numbers count up within a year.
    ordered = sorted(dated, key=lambda paper: (paper.year or 0, paper.arxiv_id or ""), reverse=newest)
    first = [paper for paper in ordered if paper.year == ordered[0].year]
    word = "newest" if newest else "oldest"
    many = inventory.many if inventory.many > 1 else _FEW
    if len(ordered) == 1 or (inventory.many == 1 and len(first) == 1):
        told.say(f"The {word} is {titles(first)}, of {first[0].year}.", first)
    elif inventory.many == 1 or len(first) > many:
        told.say(f"{len(first)} papers are of {first[0].year}, the {word} year"
                 + (f"; {many} of them:" if len(first) > many else ":"), first[:many])
    else:
        years = sorted({paper.year or 0 for paper in ordered[:many]}, reverse=newest)
        told.say(f"The {len(ordered[:many])} {word} are of {_and([str(year) for year in years])}:", ordered[:many])
    if dateless := len(papers) - len(dated):
        told.say(f"{_n(dateless, 'paper')} of unknown year {'is' if dateless == 1 else 'are'} left out.")


def _authors(told: _Told, _: Inventory, papers: Sequence[Paper]) -> None:
    held: dict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        for author in dict.fromkeys(paper.authors):
            held[author].append(paper)
    if not held:
        told.say("None of the papers names its authors.")
        return
    ordered = sorted(held, key=lambda name: -len(held[name]))
    most = len(held[ordered[0]])
    if most == 1:
        told.say(f"None of the {len(held)} authors has more than one paper here.")
    else:
        top = [name for name in ordered[:_COUNTED] if len(held[name]) > 1]
        named = ", ".join(f"{name} ({len(held[name])})" for name in top[1:])
        told.say(f"{top[0]} appears most, on {most} papers.", held[top[0]][:_LISTED])
        told.say((f"Then come {named}. " if named else "") + f"{_n(len(held), 'author')} appear in all.")
    nameless = sum(not paper.authors for paper in papers)
    if nameless:
        told.say(f"{_n(nameless, 'paper')} {'names' if nameless == 1 else 'name'} no authors.")


def _years(told: _Told, _: Inventory, papers: Sequence[Paper]) -> None:
    counts = Counter(paper.year for paper in papers if paper.year is not None)
    if not counts:
        told.say("None of the papers has a known year.")
        return
    first, last = min(counts), max(counts)
    if first == last:
        told.say(f"All {sum(counts.values())} papers of known year are of {first}.")
    else:
        by_year = ", ".join(f"{year}: {counts[year]}" for year in sorted(counts, reverse=True)[:2 * _COUNTED])
        told.say(f"The papers are from {first} to {last} ({by_year}).")
    without = len(papers) - sum(counts.values())
    if without:
        told.say(f"{_n(without, 'paper')} {'has' if without == 1 else 'have'} no known year.")


def _files(told: _Told, _: Inventory, papers: Sequence[Paper]) -> None:
    counts = Counter(file for paper in papers for file in {origin.file for origin in paper.origins})
    named = ", ".join(f"{file} ({_n(count, 'paper')})" for file, count in counts.most_common(2 * _COUNTED))
    told.say(f"The papers were read from {_n(len(counts), 'file')}: {named}." if counts else
             "No file describes these papers any more.")


def _venues(told: _Told, _: Inventory, papers: Sequence[Paper]) -> None:
    counts = Counter(paper.venue for paper in papers if paper.venue)
    if not counts:
        told.say("None of the papers names where it was published.")
        return
    named = ", ".join(f"{venue} ({count})" for venue, count in counts.most_common(2 * _COUNTED))
    told.say(f"{_n(len(counts), 'venue')}, the commonest first: {named}.")
    if sum(counts.values()) < len(papers):
        told.say(f"{_n(len(papers) - sum(counts.values()), 'paper')} tell none.")


def _about(told: _Told, inventory: Inventory, papers: Sequence[Paper]) -> None:
    if len(papers) == told.store.catalogue.count()[0]:
        _count(told, inventory, papers)
    else:
        told.say(f"{_n(len(papers), 'paper')}.")
    for phrase, holders in themes(told.store, papers, _COUNTED):
        told.say(f"{_n(len(holders), 'paper')} speak of {phrase}, for instance {titles(holders[:1])}.", holders[:1])
    dated = [paper.year for paper in papers if paper.year is not None]
    if dated:
        told.say(f"They are from {min(dated)} to {max(dated)}." if min(dated) < max(dated) else
                 f"They are of {min(dated)}.")


_OF_ALL: Mapping[Kind, Callable[[_Told, Inventory, Sequence[Paper]], None]] = {
    "count": _count, "list": _list, "newest": _by_age, "oldest": _by_age, "authors": _authors, "years": _years,
    "files": _files, "venues": _venues, "about": _about,
}


# ---- papers on a subject


def _on(told: _Told, inventory: Inventory, about: str, where: Where | None) -> Answer:
    """How many papers speak of a subject, or the newest of those that do."""
    found = retrieve(told.store, about, _LOOKED_AT, where)
    sure = relevant(replace(found, evidence=found.evidence[:_JUDGED])).confidence
    kept = relevant(found, sure, _LOOKED_AT)
    speaking = {item.hit.paper.id: item.hit.paper for label, item in kept.papers.items() if label in kept.sure}
    speaking |= {paper.id: paper for paper in _naming(told.store, about, where)}
    close = [item.hit.paper for item in kept.papers.values() if item.hit.paper.id not in speaking]
    papers = list(speaking.values())
    if inventory.kind in ("newest", "oldest") and (papers or close):
        _by_age(told, inventory, papers or close)
        return told.answer()
    if inventory.kind == "authors" and papers:
        _authors(told, inventory, papers)
        return told.answer()
    if papers:
        speak = "speaks" if len(papers) == 1 else "speak"
        told.say(f"{_n(len(papers), 'paper')} {speak} of {about}.", papers[:_LISTED])
    else:
        told.say(f"No paper here plainly speaks of {about}.")
    if close:
        come = "comes" if len(close) == 1 else "come"
        told.say(f"{_n(len(close), 'more paper' if papers else 'paper')} {come} close.",
                 close[:max(0, _LISTED - len(papers))])
    told.notice = "Counted by words and by the search, which may miss a paper that puts it otherwise."
    return told.answer()


def _naming(store: Store, about: str, where: Where | None) -> list[Paper]:
    """The papers that hold the subject's words in a row, or the acronym or the long form that stands for it."""
    folded = " ".join(words(about))
    ways = [folded, *store.vocabulary.values("acronym", [folded]).get(folded, {}),
            *store.vocabulary.values("long", [stem_phrase(folded)]).get(stem_phrase(folded), {})]
    runs = [f" {' '.join(stems)} " for way in ways if (stems := content_stems(way))]
    terms = {held: 1.0 for run in runs for held in run.split()}
    ids = [paper_id for paper_id, _ in store.words.search(terms, store.words.count(), store.select(where))]
    held = {paper_id: f" {' '.join(stems)} " for paper_id, stems in store.stems(ids).items()}
    naming = [paper_id for paper_id in ids if any(run in held.get(paper_id, "") for run in runs)]
    return list(store.papers(naming).values())


# ---- one paper

_OF_ONE = ("wrote", "dated", "published", "link")


def _has(told: _Told, inventory: Inventory, where: Where | None) -> Answer:
    if inventory.rest:
        if where is None or not where.authors:
            told.narrowed = None
            return told.say(f"The library knows no paper {inventory.rest}.").answer()
        papers = _papers(told.store, where)
        return told.say(f"Yes, {_n(len(papers), 'paper')}:", papers[:_LISTED]).answer()
    found = find(told.store, inventory.paper, where)
    if found:
        return told.say(f"Yes: {titles(found)}.", found).answer()
    near = told.store.catalogue.papers([paper_id for paper_id, _ in told.store.words.search(
        dict.fromkeys(content_stems(inventory.paper), 1.0), 3)], missing_ok=True)
    told.say(f"No paper here has that title: “{inventory.paper}”.")
    if near:
        told.say("These come closest by their words:", near)
    return told.answer()


def _of_one(told: _Told, inventory: Inventory, where: Where | None) -> Answer | None:
    """Who wrote a paper, and when and where it was published: what the listing says of it."""
    papers = find(told.store, inventory.paper, where) if inventory.paper else (
        _papers(told.store, where) if where and where.ids else ())
    if not papers or len(papers) > _COUNTED:
        return None
    for paper in papers:
        name = titles([paper])
        told.say({
            "wrote": f"{name} was written by {_and(paper.authors)}." if paper.authors else
                     f"The library does not know who wrote {name}.",
            "dated": f"{name} is of {paper.year}{'' if not paper.year_inferred else ', to judge by its listing'}."
                     if paper.year else f"The library does not know when {name} was published.",
            "published": f"{name} was published at {paper.venue}." if paper.venue else
                         f"The library does not know where {name} was published.",
            "link": _link(paper, name),
        }[inventory.kind], [paper])
    return told.answer()


def _link(paper: Paper, name: str) -> str:
    known = [f"at {paper.url}" if paper.url else "", f"as arXiv:{paper.arxiv_id}" if paper.arxiv_id else "",
             f"under the DOI {paper.doi}" if paper.doi else ""]
    where = [place for place in known if place]
    return f"{name} is to be found {_and(where)}." if where else f"The library knows no address of {name}."


def _n(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
