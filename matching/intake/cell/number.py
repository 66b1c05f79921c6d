"""Cells of whole numbers, and of how many children a household is approved for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from matching.intake.cell.problem import CellProblem
from matching.intake.cell.word import plain, said_of
from matching.intake.sheet import CellValue

MOST_CHILDREN: Final = 10
NUMBER_WORDS: Final = {
    word: number
    for number, word in enumerate("zero one two three four five six seven eight nine ten".split())  # noqa: SIM905
}
MADE_A_DATE: Final = "Excel has made a date of it: make the column text and retype it"

_DIGITS: Final = re.compile(r"([0-9]{1,9})(?:\.0+)?")
_NOUN: Final = re.compile(r" (?:(?:birth|adopted|own) )?(?:child|children|kids?)$")
_NONE: Final = frozenset({"none", "no", "nil", "n", "nought"})


def whole_number_cell(fewest: int, most: int) -> Callable[[CellValue], int | None]:
    """Return a parser of a whole number from ``fewest`` to ``most``, in digits or, up to ten, in words."""
    expected = f"expected a whole number from {fewest} to {most}"

    def parse(value: CellValue) -> int | None:
        value = said_of(value)
        if value is None:
            return None
        if isinstance(value, date):
            raise CellProblem(f"{MADE_A_DATE}; {expected}")
        number = _number_in(value) if isinstance(value, str) else whole(value)
        if number is None or not fewest <= number <= most:
            raise CellProblem(expected)
        return number

    return parse


def whole(value: CellValue) -> int | None:
    """Return a cell's whole number, or ``None`` when it holds none."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number_in(text: str) -> int | None:
    said = _NOUN.sub("", plain(text))
    match = _DIGITS.fullmatch(said)
    if match is not None:
        return int(match[1])
    return 0 if said in _NONE else NUMBER_WORDS.get(said)


_ADOPTERS: Final = {
    **dict.fromkeys(("single", "sole", "single adopter", "sole adopter"), 1),
    **dict.fromkeys(("couple", "two", "joint", "married couple", "same-sex couple", "pair"), 2),
}


def number_of_adopters_cell(value: CellValue) -> int | None:
    """Return 1 or 2, from the number or from “single” or “couple”."""
    said = _ADOPTERS.get(plain(value)) if isinstance(value, str) else None
    return _one_or_two(value) if said is None else said


_one_or_two: Final = whole_number_cell(1, 2)

# ── how many children ──

_EXPECTED: Final = (
    f"expected how many children from 1 to {MOST_CHILDREN}, such as 2, 1 or 2, 1-3, up to 3, sibling group of 2"
)
_NUMBER: Final = rf"(?:[0-9]{{1,2}}|{'|'.join(NUMBER_WORDS)})"
_SIBLINGS: Final = re.compile(
    r"\b(?:a )?(?:sib(?:ling)?s?(?: groups?)?|group)(?: of)?(?: x)? ?\(?((?:up to )?"
    rf"{_NUMBER}(?: ?(?:-|to|or|/) ?{_NUMBER})?)\)?(?![0-9])"
)
_PAIR: Final = re.compile(r"\b(?:a )?(?:sibling |sib )?pair(?: of (?:siblings|sibs|children))?\b")
_SINGLE: Final = re.compile(r"\b(?:a )?single(?: child)?(?: only)?\b")
_CHILDREN: Final = re.compile(r"\b(?:child(?:ren)?|kids?)\b")
_RANGE: Final = re.compile(rf"({_NUMBER}) ?(?:-|to) ?({_NUMBER})")
_RUN: Final = re.compile(rf"({_NUMBER})(?: ?, ?{_NUMBER})* ?(?:,|or|and|/) ?({_NUMBER})")
_UP_TO: Final = re.compile(
    rf"(?:up to|max(?:imum)?(?: of)?|no more than|at most|<=|≤) ?({_NUMBER})"
    rf"|({_NUMBER}) (?:max(?:imum)?|or (?:fewer|less))"
)
_AT_LEAST: Final = re.compile(
    rf"(?:at least|min(?:imum)?(?: of)?|>=|≥) ?({_NUMBER})|({_NUMBER}) ?(?:\+|or more|plus|and over)"
)

Approved = Mapping[str, int | None]


def number_of_children_cell(value: CellValue) -> Approved:
    """Return the fewest and the most children that a household is approved for.

    “2” says the most, and leaves open whether one child alone would do; “sibling group of 2” means two; “2+” leaves the
    most unknown.
    """
    value = said_of(value)
    if value is None:
        return _approved(None, None)
    if isinstance(value, date):
        raise CellProblem(f"{MADE_A_DATE}; {_EXPECTED}")
    said = plain(value) if isinstance(value, str) else str(whole(value))
    return _approved(*_counts(said))


def fewest_children_cell(value: CellValue) -> int | None:
    """Return the fewest children approved for, from such as “2”, “2+”, “at least 2” or “single”."""
    return _one_end(value, _AT_LEAST)


def most_children_cell(value: CellValue) -> int | None:
    """Return the most children approved for, from such as “2”, “up to 2”, “2 max” or “sibling group of 2”."""
    return _one_end(value, _UP_TO)


def _one_end(value: CellValue, phrase: re.Pattern[str]) -> int | None:
    if not isinstance(value, str):
        return _plain_count(value)
    match = phrase.fullmatch(_tidied(plain(value)))
    if match is not None:
        return _plain_count(_first(match))
    group = _grouped(plain(value))
    return _plain_count(value if group is None or group[0] != group[1] else str(group[0]))


_plain_count: Final = whole_number_cell(1, MOST_CHILDREN)


def _approved(fewest: int | None, most: int | None) -> Approved:
    return {"fewest_children": fewest, "most_children": most}


def _counts(said: str) -> tuple[int | None, int | None]:
    fewest, most = _grouped(said) or _spoken(_tidied(said))
    if any(end is not None and not 1 <= end <= MOST_CHILDREN for end in (fewest, most)):
        raise CellProblem(_EXPECTED)
    if fewest is not None and most is not None and fewest > most:
        raise CellProblem(f"its range runs backwards; {_EXPECTED}")
    return fewest, most


def _grouped(said: str) -> tuple[int | None, int | None] | None:
    """Return what is said of a whole group, “siblings (2)” or “single”, which is exactly so many children."""
    if _SINGLE.fullmatch(said):
        return 1, 1
    if _PAIR.fullmatch(said):
        return 2, 2
    match = _SIBLINGS.fullmatch(said)
    if match is None:
        return None
    fewest, most = _spoken(match[1])
    if match[1].startswith("up to"):
        return None, most
    return (most if fewest is None else fewest), most


def _tidied(said: str) -> str:
    said = _SIBLINGS.sub(r"\1", said)
    said = _SINGLE.sub("1", _PAIR.sub("2", said))
    return " ".join(_CHILDREN.sub("", said).split())


def _spoken(said: str) -> tuple[int | None, int | None]:
    for pattern, ends in _SPOKEN:
        match = pattern.fullmatch(said)
        if match is not None:
            return ends(match)
    raise CellProblem(_EXPECTED)


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _count(text: str) -> int:
    return NUMBER_WORDS[text] if text in NUMBER_WORDS else int(text)


def _bare(match: re.Match[str]) -> tuple[int | None, int | None]:
    most = _count(match[0])
    return (1 if most == 1 else None), most


def _run(match: re.Match[str]) -> tuple[int | None, int | None]:
    """Return the ends of such as “1, 2 or 3”, which must leave none out."""
    counts = [_count(each) for each in re.findall(_NUMBER, match[0])]
    if counts != list(range(counts[0], counts[0] + len(counts))):
        raise CellProblem(_EXPECTED)
    return counts[0], counts[-1]


_SPOKEN: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[int | None, int | None]]], ...]] = (
    (re.compile(_NUMBER), _bare),
    (_RANGE, lambda match: (_count(match[1]), _count(match[2]))),
    (_RUN, _run),
    (_UP_TO, lambda match: (1, _count(_first(match)))),
    (_AT_LEAST, lambda match: (_count(_first(match)), None)),
)
