"""Cells of ethnic origin, in the codes of the SSDA903 return or in the words of that return and of the census."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from matching.intake.cell.problem import CellProblem, quoted
from matching.intake.cell.text import checked_text
from matching.intake.cell.word import listed, plain, said_of
from matching.intake.sheet import CellValue

_ASIAN: Final = ("", "asian ", "british ", "asian british ", "asian or asian british ", "british asian ")
_BLACK: Final = ("black ", "black british ", "black or black british ", "british black ")
_WHITE: Final = ("white ", "white - ")
_MIXED: Final = ("", "mixed ", "mixed heritage ", "dual heritage ", "mixed race ", "mixed - ", "mixed multiple ")

#: What each code is called; the first name is the one that is suggested.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "WBRI": (
        *("white british", "white english", "white welsh", "white scottish", "white northern irish", "british white"),
        *(
            "white english welsh scottish northern irish british",
            "white english welsh scottish northern irish or british",
        ),
        "english welsh scottish northern irish or british",
    ),
    "WIRI": ("white irish", "irish", "irish white"),
    "WOTH": (
        *("any other white background", "any other white", "white other", "other white", "other white background"),
        *("white any other white background", "white any other background", "white european", "white other european"),
    ),
    "WIRT": (
        "traveller of irish heritage",
        "irish traveller",
        "white irish traveller",
        "white traveller of irish heritage",
    ),
    "WROM": (
        *("gypsy roma", "gypsy or roma", "gypsy and roma", "roma gypsy", "gypsy", "roma", "romany", "romany gypsy"),
        *("white gypsy roma", "white roma", "white gypsy", "romany gypsy roma"),
    ),
    "MWBC": tuple(f"{led}white and black caribbean" for led in _MIXED),
    "MWBA": tuple(f"{led}white and black african" for led in _MIXED),
    "MWAS": tuple(f"{led}white and asian" for led in _MIXED),
    "MOTH": (
        *("any other mixed background", "any other mixed", "mixed other", "other mixed", "other mixed background"),
        *(
            "any other mixed or multiple ethnic background",
            "mixed any other mixed background",
            "mixed any other background",
        ),
    ),
    "AIND": tuple(f"{led}indian" for led in _ASIAN),
    "APKN": tuple(f"{led}pakistani" for led in _ASIAN),
    "ABAN": tuple(f"{led}bangladeshi" for led in _ASIAN),
    "AOTH": (
        *("any other asian background", "any other asian", "asian other", "other asian", "other asian background"),
        *("asian or asian british any other asian background", "asian or asian british other", "asian british other"),
        "asian or asian british any other background",
    ),
    "BCRB": ("black caribbean", "caribbean", *(f"{led}caribbean" for led in _BLACK)),
    "BAFR": ("black african", "african", *(f"{led}african" for led in _BLACK)),
    "BOTH": (
        *("any other black background", "any other black", "black other", "other black", "other black background"),
        *("black or black british any other black background", "black or black british other", "black british other"),
        "black or black british any other background",
    ),
    "CHNE": (
        "chinese",
        "asian chinese",
        "asian or asian british chinese",
        "british chinese",
        "chinese or other chinese",
    ),
    "OOTH": ("any other ethnic group", "other ethnic group", "any other ethnic background", "arab", "other arab"),
    "REFU": ("refused", "refused to say", "declined to say", "prefer not to say", "preferred not to say"),
    "NOBT": ("information not yet obtained", "not yet obtained", "information not obtained", "not obtained"),
}
#: SSDA903 codes of ethnic origin.
ETHNIC_CODES: Final = frozenset(_NAMES)

_EXPECTED: Final = "expected an SSDA903 code of ethnic origin or its name, such as WBRI or White British"
_LISTED: Final = re.compile(r"[;\n]")
_JOINED: Final = re.compile(r"(,|/|&|\+| and )", re.IGNORECASE)
_PUNCTUATION: Final = re.compile(r"[-:(),/.]")
_LEADING: Final = re.compile(r"^(?:both|each|1|2|child|ethnicity|heritage)\b *:? *", re.IGNORECASE)
_CODE_FIRST: Final = re.compile(r"([A-Z]{4}) ?[-:(] ?[^;]+")
_SLIPS: Final = re.compile(r"\b(?:carib|carri|carrib)(?:bean|ean|ian|bian)s?\b")
_COMMON: Final = frozenset("any other background mixed ethnic group of and heritage not yet obtained refused".split())  # noqa: SIM905
_SHORTEST_SLIPPED: Final = 5
_MOST_AT_ONCE: Final = 8
"""How many pieces of a cell are tried together as one name, “White and Black Caribbean” being two."""


def ethnic_code_cell(value: CellValue) -> str | None:
    """Return one SSDA903 code of ethnic origin, from the code or its name."""
    codes = ethnic_codes_cell(value)
    if len(codes) > 1:
        raise CellProblem(f"it names {len(codes)} ethnic origins; expected one code")
    return next(iter(codes), None)


def ethnic_codes_cell(value: CellValue) -> frozenset[str]:
    """Return SSDA903 codes of ethnic origin, from codes or names separated by semicolons, commas, slashes or “and”.

    “White and Asian” is one origin and no list.
    """
    value = said_of(value)
    text = "" if value is None else checked_text(value, 2_000)
    return frozenset(code for part in listed(text, separators=_LISTED) for code in _codes_in(part))


def _codes_in(part: str) -> Iterator[str]:
    led = _LEADING.sub("", part) or part
    whole = _code_of(part) or _code_of(led)
    if whole is not None:
        yield whole
        return
    yield from _codes_of(_JOINED.split(led), led)


def _codes_of(pieces: Sequence[str], part: str) -> Iterator[str]:
    """Yield the code of each name in a list, taking the longest run of pieces that is a name."""
    start = 0
    while start < len(pieces):
        # Every other piece is what joins two names.
        stops = range(min(len(pieces), start + 2 * _MOST_AT_ONCE - 1), start, -2)
        found = next(((stop, code) for stop in stops if (code := _code_of("".join(pieces[start:stop])))), None)
        if found is None:
            raise CellProblem(_not_understood(pieces[start].strip() or part))
        yield found[1]
        start = found[0] + 1
        if start == len(pieces):
            raise CellProblem(_not_understood(part))


def _code_of(text: str) -> str | None:
    text = " ".join(text.split())
    if text.upper() in ETHNIC_CODES:
        return text.upper()
    match = _CODE_FIRST.fullmatch(text)
    if match is not None and match[1] in ETHNIC_CODES:
        # “WBRI - White British”: both must say the same.
        named = _code_of(text[4:].strip(" -:()"))
        return match[1] if named == match[1] else None
    name = _name(text)
    return _codes_by_name().get(name) or _codes_by_name().get(_without_slips(name))


def _name(text: str) -> str:
    return " ".join(_PUNCTUATION.sub(" ", plain(text).replace("&", " and ").replace("/", " and ")).split())


@cache
def _codes_by_name() -> Mapping[str, str]:
    return {_name(name): code for code, names in _NAMES.items() for name in (*names, *_with_slashes(names))}


def _with_slashes(names: Sequence[str]) -> Iterator[str]:
    # A slash is read as “and”: the long names of the census have them too.
    yield from (name.replace("gypsy roma", "gypsy and roma") for name in names)
    yield from (name.replace("english welsh scottish", "english and welsh and scottish and") for name in names)
    yield from (name.replace("mixed multiple", "mixed and multiple") for name in names)


@cache
def _vocabulary() -> tuple[str, ...]:
    words = {word for name in _codes_by_name() for word in name.split()}
    return tuple(sorted(word for word in words if len(word) >= _SHORTEST_SLIPPED and word != "romany"))


def _without_slips(name: str) -> str:
    """Return a name with each word of five letters or more that is one slip away from just one known word put right."""
    return " ".join(_without_slip(word) for word in _SLIPS.sub("caribbean", name).split())


def _without_slip(word: str) -> str:
    if len(word) < _SHORTEST_SLIPPED or word in _vocabulary():
        return word
    near = [known for known in _vocabulary() if OSA.distance(word, known, score_cutoff=1) <= 1]
    return near[0] if len(near) == 1 else word


def _not_understood(text: str) -> str:
    names = {names[0]: code for code, names in _NAMES.items()}
    nearest, _, _ = process.extractOne(_name(text), list(names), scorer=fuzz.WRatio)
    return f"{quoted(text)} is not understood; {_EXPECTED}; the nearest is {names[nearest]}, {_shown(nearest)}"


def _shown(name: str) -> str:
    return " ".join(word if word in _COMMON else word.capitalize() for word in name.split())
