"""Places: the record's own address, streets, towns, postcodes; and schools, hospitals, churches and clubs by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from matching.anonymity.finding import Finding, Kind, Known, found
from matching.anonymity.word import Word, fold, lists, may_tell, words_of
from matching.place import find_outward_code

_STREETS = {
    "street": "st",
    "road": "rd",
    "avenue": "ave",
    "lane": "ln",
    "drive": "dr",
    "close": "cl",
    "crescent": "cres",
    "terrace": "terr",
    "grove": "gr",
    "court": "ct",
    "square": "sq",
    "gardens": "gdns",
    "place": "pl",
    **dict.fromkeys(("way", "walk", "hill", "park", "mews", "rise", "row", "view", "green", "mead", "parade"), ""),
}
_SURE_STREETS = ("Street", "Road", "Avenue", "Lane", "Crescent", "Close", "Terrace")
_CAP = r"[A-Z][\w'’]+"
_STREET = re.compile(rf"\b((?:{_CAP} ){{1,3}})({'|'.join(word.title() for word in _STREETS)}|Rd|Ave)\b")
_INSTITUTIONS = (
    "Primary|Infants?|Juniors?|Nursery|Pre-?[Ss]chool|Playgroup|School|Academy|College|University|Hospital|Infirmary|"
    "Hospice|Surgery|Clinic|Health Centre|Medical Centre|Church|Chapel|Cathedral|Mosque|Synagogue|Temple|Gurdwara|Club|"
    "Children['’]s Centre|Family Centre|Leisure Centre|Brownies|Rainbows|Cubs|Beavers|Scouts|Guides|FC|RFC"
)
_INSTITUTION = re.compile(rf"\b((?:(?:{_CAP}|[Oo]f|and|the)[ -]){{1,5}})({_INSTITUTIONS})\b")
_SAINT = re.compile(r"\b(?:St\.?|Saint|SS)\s+[A-Z][a-z]+(?:['’]?s)?\b(?!['’]?s? (?:Day|Ambulance|[Bb]ernard))")
_NO_SAINT = re.compile(r"\bSt\.? (?:John Ambulance|\w+['’]?s Day|Bernard)")
_POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[ABD-HJLNP-UW-Z]{2})\b", re.IGNORECASE)
_OUTWARD = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\b")
_FIGURE = re.compile(r"\d")
_ORDINAL = re.compile(r"\d(?:st|nd|rd|th)", re.IGNORECASE)
_FANS = re.compile(r"(?:supports?|supporting|follows?|following|fans? of)\s+$", re.IGNORECASE)
_TEAM = re.compile(
    r"['’]?s?\s+(?:United|City|Rovers|Town|Albion|Wanderers|Argyle|Hotspur|FC|[Tt]errier|[Pp]udding|[Pp]ast(?:y|ies)|"
    r"[Cc]ream|[Rr]arebit|[Bb]omber|[Tt]art|[Bb]uns?|[Cc]heese|[Ss]auce|[Ss]pa)\b"
)
_OWN = "is where somebody this record is about lives"


def own_places(text: str, known: Known) -> Iterator[Finding]:
    """Yield where a text tells the record's own address, street, town, postcode or outward code."""
    for said, phrase in _phrases(known.addresses).items():
        for match in _phrase(phrase).finditer(text) if may_tell(text, said) else ():
            clear = match[0][:1].isupper() or len(match[0].split()) > 1 or not lists().is_word(fold(match[0]))
            yield found(text, match.start(), match.end(), Kind.PLACE, sure=clear, why=_OWN)
    for code in known.postcodes:
        for part in {code, code.split()[0] if " " in code.strip() else code}:
            compact = "".join(part.split())
            if not compact or not may_tell(text, compact):
                continue
            spaced = r"\s*".join(map(re.escape, compact))
            for match in re.finditer(rf"(?<!\w){spaced}(?!\w)", text, re.IGNORECASE):
                why = "is a postcode of this record" if len(compact) > 4 else "is an outward code of this record"
                yield found(text, match.start(), match.end(), Kind.PLACE, sure=True, why=why)


def other_places(text: str, words: Sequence[Word]) -> Iterator[Finding]:
    """Yield streets, towns, counties and postcodes of anywhere."""
    yield from _postcodes(text)
    for match in _STREET.finditer(text):
        if _telling(match[1]):
            sure = match[2] in _SURE_STREETS
            yield found(text, match.start(), match.end(), Kind.PLACE, sure=sure, why="is a street")
    for match in re.finditer(_long_places(), text):
        yield found(text, match.start(), match.end(), Kind.PLACE, sure=True, why="is a place")
    for index, word in enumerate(words):
        yield from _town(text, words[index - 1] if index else None, word)


def institutions(text: str) -> Iterator[Finding]:
    """Yield schools, nurseries, hospitals, churches and clubs by name."""
    for match in _INSTITUTION.finditer(text):
        if _telling(match[1]):
            yield found(text, match.start(), match.end(), Kind.INSTITUTION, sure=True, why="names where somebody goes")
    for match in _SAINT.finditer(text):
        if not _NO_SAINT.match(text, match.start()):
            why = "is most likely a school, a church or a place"
            yield found(text, match.start(), match.end(), Kind.INSTITUTION, sure=True, why=why)


def without_customs(text: str, words: Sequence[Word]) -> Iterator[Word]:
    """Yield the words that are no part of what is named for a saint and is everybody's, as St George's Day is."""
    customs = [match.span() for match in _NO_SAINT.finditer(text)]
    for word in words:
        if not any(start <= word.start < end for start, end in customs):
            yield word


# ── within ──


def _phrases(addresses: tuple[str, ...]) -> dict[str, str]:
    """Return what to look for of addresses: each street with its name, each other part as a whole.

    Each is words that must be there, and the pattern of the phrase that they are in.
    """
    return dict(part for address in addresses for line in re.split(r"[,;\n]", address) for part in _split(line))


@lru_cache
def _phrase(part: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){part}(?:['’]s)?(?!\w)", re.IGNORECASE)


def _split(line: str) -> Iterator[tuple[str, str]]:
    if _POSTCODE.search(line):
        line = _POSTCODE.sub(" ", line)
    words = [word.text for word in words_of(line)]
    for index, word in enumerate(words):
        kind = word.casefold()
        if index and kind in _STREETS:
            last = f"(?:{kind}|{_STREETS[kind]})" if _STREETS[kind] else kind
            yield "".join(words[:index]), _spaced([*map(re.escape, words[:index]), last])
            words = words[index + 1 :]
            break
    if words and fold("".join(words)) not in lists().nations and len("".join(words)) > 2:
        yield "".join(words), _spaced([re.escape(word) for word in words])


def _spaced(words: list[str]) -> str:
    return r"[\s\-]+".join(words)


@cache
def _long_places() -> re.Pattern[str]:
    names = (re.escape(name).replace("’", "['’]?").replace(r"\-", r"[\s\-]") for name in lists().long_places)
    return re.compile(rf"\b(?:{'|'.join(names)})\b")


def _postcodes(text: str) -> Iterator[Finding]:
    if not _FIGURE.search(text):
        return
    for match in _POSTCODE.finditer(text):
        written = match[0].isupper()
        if written or (find_outward_code(match[1].upper()) and not _ORDINAL.match(match[2])):
            yield found(text, match.start(), match.end(), Kind.PLACE, sure=True, why="is a postcode")
    for match in _OUTWARD.finditer(text):
        vitamin = text[: match.start()].rstrip().casefold().endswith("vitamin")
        if find_outward_code(match[0]) and not vitamin:
            why = "may be the first half of a postcode"
            yield found(text, match.start(), match.end(), Kind.PLACE, sure=False, why=why)


def _town(text: str, before: Word | None, word: Word) -> Iterator[Finding]:
    known = lists()
    if not word.titled:
        return
    if word.base in known.places:
        doubt = _TEAM.match(text, word.end) or _FANS.search(text[: word.start])
        yield found(text, word.start, word.end, Kind.PLACE, sure=not doubt, why="is a place")
    elif word.telling and word.base not in known.plain and _may_be_town(before, word):
        yield found(text, word.start, word.end, Kind.PLACE, sure=False, why="may be a place")


def _may_be_town(before: Word | None, word: Word) -> bool:
    return word.base in lists().unclear_places or (before is not None and before.base in lists().prepositions)


def _telling(words: str) -> bool:
    """Say whether what stands before “Street” or “School” is a name and no ordinary word."""
    said = [word for word in words_of(words) if word.capital]
    return any(word.base not in lists().plain for word in said)
