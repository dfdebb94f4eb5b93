"""Which language a question is in, as far as a limit must be told: the embedder was trained on English. Pure.

Scripts tell most; among languages of Latin letters their small words do. What tells nothing counts as English, as
names, acronyms and keywords do.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"[^\W\d_]+")
_HYPHENED = re.compile(r"(?<![^\W\d_])[^\W\d_]+-[^\W\d_]+")
# Characters of a question that are looked at.
_LONGEST = 400
# First letters of a character's Unicode name, and the language that is most often written so.
_SCRIPTS = {
    "CYRILLIC": "Russian", "GREEK": "Greek", "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese",
    "HANGUL": "Korean", "ARABIC": "Arabic", "HEBREW": "Hebrew", "DEVANAGARI": "Hindi", "BENGALI": "Bengali",
    "TAMIL": "Tamil", "TELUGU": "Telugu", "THAI": "Thai", "GEORGIAN": "Georgian", "ARMENIAN": "Armenian",
}
# Letters that one language has and the one most often written so has not.
_LETTERS = {"Ukrainian": "іїєґ", "Persian": "پچژگ"}
# Words that ask, and seldom stand in a name; and small words that English has not, or in another meaning.
_SMALL = {
    "German": ("warum welche welcher welches wieso weshalb wodurch",
        "was wie wer wo wann ist sind und oder der die das den dem des ein eine einen einem einer nicht "
        "mit für über von zu zum zur bei auf aus gibt es man kann werden wird wurde durch zwischen im "
        "sich auch arbeiten"),
    "French": ("pourquoi quels quelles quel quelle est-ce",
        "comment que qu est sont les une et ou dans pour avec sur sans par ce cette ces il elle on ne "
        "pas plus qui où quoi au aux leur leurs l d la le de du des"),
    "Spanish": ("cómo cuáles cuál qué cuántos cuántas cuándo dónde",
        "como que cual cuales los las una unos y o para con por sobre sin del es son en el al se hay "
        "entre más este esta estos sus la de"),
    "Italian": ("perché quali qual quanto quanti",
        "come che cosa sono è gli il lo i uno una e con per su dei delle della nel nella tra fra non si "
        "questo questi la di da"),
    "Portuguese": ("quais porquê quantos",
        "como que qual por são os as um uma e o com para sobre sem dos das no na nos nas em não mais "
        "entre existem artigos de da do"),
    "Dutch": ("waarom welke hoeveel wanneer",
        "wat hoe wie waar is zijn en het een niet met voor over op uit bij tot naar er wordt worden "
        "kunnen tussen door deze dat de van"),
    "Polish": ("jak dlaczego jakie jaki które który czym",
        "co czy jest są na do z ze w o dla nie się po oraz przez między od i"),
    "Swedish": ("varför vilka vilken vilket",
        "hur vad är och en ett som på med för av att inte till från om mellan finns kan den det"),
    "Turkish": ("neden hangi nasıl nedir nelerdir",
        "ve bir bu için ile mi mı ne olarak arasında daha"),
    "Indonesian": ("bagaimana mengapa apakah",
        "apa yang dan di ke dari untuk dengan pada adalah ini itu tidak oleh antara"),
    "Vietnamese": ("tại sao nào",
        "là và của các những trong cho với không được một có như thế gì"),
    "Czech": ("proč jaké který které jaký",
        "jak co je jsou a na v s z pro se není mezi od při"),
}
_ENGLISH = frozenset(
    "the of and to in is are was were for on with by about as at from that which what who how why when where "
    "do does did can could should would has have it its they their them this these those be been or an not no "
    "any some all paper papers you your me show tell find learning model models between into than more most "
    "using used use there".split())
# Words of names too: "de la Cruz", "van den Oord".
_PARTICLES = frozenset("de la le du des di da del della van von der den dem do dos das el al y e o a i".split())


def foreign(question: str) -> str | None:
    """The language of a question that is not in English, by its English name; None for English and what may be it."""
    question = unicodedata.normalize("NFC", " ".join(question.split())[:_LONGEST])
    text = question.casefold()
    # Acronyms are written so in every language.
    letters = [c for word in question.split() if not (word.isascii() and word.isupper()) for c in word.casefold()
               if c.isalpha()]
    scripts = Counter(script for c in letters for script in _SCRIPTS if unicodedata.name(c, "").startswith(script))
    if letters and sum(scripts.values()) * 2 > len(letters) and sum(scripts.values()) > 1:
        if scripts["HIRAGANA"] + scripts["KATAKANA"]:
            return "Japanese"
        special = next((name for name, own in _LETTERS.items() if set(own) & set(letters)), None)
        return special or _SCRIPTS[scripts.most_common(1)[0][0]]
    words = set(_WORD.findall(text)) | set(_HYPHENED.findall(text))
    english = words & _ENGLISH
    best, most = None, 0.0
    for language, (asking, small) in _SMALL.items():
        asked, others = words & set(asking.split()), words & set(small.split())
        own = others - _PARTICLES
        # A word that asks is enough where nothing is English; small words must be several, and not all of names.
        told = 2 * len(asked) + len(own) + 0.5 * len(others & _PARTICLES)
        enough = (asked and not english) or (own and told >= (2 if english else 1.5))
        if enough and told > max(most, len(english)):
            best, most = language, told
    return best


def limit(question: str) -> str | None:
    """What is said of an answer to a question in another language; None for English."""
    language = foreign(question)
    if language is None:
        return None
    return (f"The question seems to be in {language}: the search knows English best, so it may find more when asked in "
            "English.")
