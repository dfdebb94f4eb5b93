"""Words that point up or down, better or worse, or to an opposite, as stems. By hand, from reading papers."""

from __future__ import annotations

from rag.text import stem


def stems(spelled: str) -> frozenset[str]:
    """The stems of words with blanks between."""
    return frozenset(stem(word) for word in spelled.split())


# More of something, less of it; better and worse, which of a cost or a harm is less and more.
_UP = stems(
    "increase increased increasing more higher high greater larger raise raises raised rise rises rising rose "
    "gain gains grow grows growing grew growth elevate elevated elevation promote promotes stimulate stimulates "
    "stimulation activate activates activation induce induces induction facilitate upregulate upregulated "
    "upregulation augment amplify amplified expand extend extends prolong prolonged accelerate accelerates faster "
    "speed speeds strengthen stronger longer excess excessive boost boosts intensify encourage encourages enable "
    "enables trigger triggers elicit cause causes favour favours favor favors multiply doubles double triples "
    "overexpression abundant bigger enrich enriched produce produces provoke provokes exceed exceeds surpass "
    "surpasses above widen widens add adds keep keeps retain retains preserve preserves maintain maintains allow "
    "allows create creates drive drives support supports generate generates often frequently common commonly "
    "attract easier likelier overestimate overestimates succeed succeeds win wins accept accepts include includes")
_DOWN = stems(
    "decrease decreased decreasing less fewer lower low reduce reduces reduced reduction reductions decline "
    "declines declining declined drop drops dropped fall falls falling fell shrink shrinks smaller small cut cuts "
    "inhibit inhibits inhibition inhibitory suppress suppresses suppression attenuate attenuates attenuation "
    "block blocks blocked blockade downregulate downregulated downregulation diminish diminishes diminished "
    "deplete depletion prevent prevents prevention mitigate mitigates mitigation alleviate alleviates eliminate "
    "eliminates avoid avoids slow slows slower slowing delay delays shorten shortens shorter weaken weakens "
    "weaker limit limits limited loss lose loses losing lost abolish abolishes abrogate abrogates counteract "
    "counteracts remove removes removal restrict discourage discourages hinder hinders impede impedes disrupt "
    "disrupts undo undoes lessen lessens protect protects protective protection halve halves halved below "
    "deficiency deficient lack undermine underestimate underestimates rare rarely seldom narrow narrows curb "
    "curbs destroy destroys disable disables reject rejects exclude excludes kill kills missing miss misses stop "
    "stops vanish vanishes disappear harder")
_GOOD = stems(
    "improve improves improved improving improvement better best enhance enhances enhanced enhancement benefit "
    "benefits beneficial superior help helps helped helpful outperform outperforms outperformed beat beats good "
    "robust accurate effective efficient reliable reliably valuable advantage strong strongly successful "
    "successfully safe safely ameliorate ameliorates ease eases healthy excel excels stable consistent cheap "
    "cheaper solve solves restore restores")
_BAD = stems(
    "worsen worsens worse worst degrade degrades degraded degradation deteriorate deteriorates deterioration "
    "impair impairs impaired impairment harm harms harmful hurt hurts damage damages inferior underperform "
    "underperforms poor poorly bad fail fails failure exacerbate exacerbates aggravate aggravates ineffective "
    "inefficient unreliable disadvantage unsuccessful unsafe dangerous detrimental adverse struggle struggles "
    "fragile brittle break breaks unstable inconsistent expensive vulnerable suffer suffers inaccurate "
    "negligible inert weak weakly collapse collapses")
# Less of these is better.
HARMS = stems(
    "error errors resistance loss cost costs risk risks mortality death deaths disease toxicity latency noise bias "
    "failure failures overfitting overoptimization hacking hallucination hallucinations variance cancer tumor "
    "tumour symptoms symptom pain stress injury forgetting perplexity memory overhead inflammation hypertension "
    "obesity diabetes infection incidence burden complexity delay confusion distortion")
# Which way a word points, and whether that is more or less, or better or worse.
SIGNS: dict[str, tuple[int, str]] = {
    **dict.fromkeys(_GOOD, (1, "merit")), **dict.fromkeys(_BAD, (-1, "merit")),
    **dict.fromkeys(_UP, (1, "amount")), **dict.fromkeys(_DOWN, (-1, "amount"))}
# A difference of either sign; and none at all.
DIFFERENCE = stems(
    "effect effects difference differences change changes association associated associations impact influence "
    "relationship related relation correlation correlated improvement benefit evidence affect affects affected "
    "differ gain alter alters")
UNCHANGED = stems(
    "unaffected unchanged unrelated independent regardless unaltered equal equally identical same")


def _pairs(*pairs: tuple[str, str]) -> dict[str, frozenset[str]]:
    return {word: stems(other) for left, right in pairs for ours, other in ((left, right), (right, left))
            for word in stems(ours)}


# What is the opposite of what, without being more or less of it.
OPPOSITES = _pairs(
    ("positive positively", "negative negatively"), ("possible", "impossible"), ("present presence", "absent absence"),
    ("major main", "minor negligible"), ("necessary needed required", "unnecessary needless"),
    ("alive survive survives", "dead death die dies"), ("always", "never rarely"), ("active actively", "passive inert"),
    ("sufficient suffices", "insufficient"), ("accept accepts confirm confirms", "reject rejects refute refutes"))
# Opposites where one is put for the other; elsewhere in a text both may be true, each of something else.
EXCHANGED = OPPOSITES | _pairs(
    ("early earlier", "late later"), ("before prior", "after"), ("without lacking", "with using"),
    ("online", "offline"),
    ("same identical similar similarly alike comparable equal", "different differently unequal dissimilar"),
    ("men male males boys", "women female females girls"), ("easy easily simple", "hard difficult"),
    ("short shorter", "long longer"), ("young younger", "old older elderly"), ("first", "last"), ("input", "output"),
    ("internal", "external"), ("local locally", "global globally"), ("explicit explicitly", "implicit implicitly"),
    ("acute", "chronic"), ("many most majority", "few minority none"), ("encoder", "decoder"), ("outer", "inner"),
    ("training", "inference testing"), ("precision", "recall"), ("left", "right"), ("static", "dynamic"),
    ("synthetic", "real"), ("winter", "summer"), ("upper", "lower"), ("large big", "small tiny"))
# What makes a word its opposite.
DENYING = ("un", "in", "im", "ir", "non", "dis", "il")
# "A outperforms B": who stands on which side matters; these say much the same or its opposite.
AGAINST = stems(
    "outperform outperforms beat beats exceed exceeds surpass surpasses underperform underperforms lag trail "
    "dominate precede follow replace replaces inferior superior")
RELATIONS = AGAINST | stems(
    "cause causes lead leads induce induces predict predicts depend depends improve improves increase increases "
    "reduce reduces inhibit inhibits promote promotes regulate regulates affect affects activate activates "
    "supervise supervises teach teaches generate generates train trains guide guides produce produces follow "
    "follows require requires prevent prevents imply implies drive drives control controls explain explains "
    "transfer transfers")
