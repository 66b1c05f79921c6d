"""Cells of places: postcodes, outward codes, and areas where no home may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from matching.code import is_code, read_code
from matching.intake.cell.problem import CellProblem, either, quoted
from matching.intake.cell.text import checked_text, text_cell
from matching.intake.cell.word import is_not_known, listed, plain, said_of, text_of
from matching.intake.sheet import CellValue
from matching.place import EXCLUSION_MILES, InvalidPlace, outward_code_of

_LONGEST: Final = 20
_MILES: Final = either([str(miles) for miles in EXCLUSION_MILES])
_AREAS_EXPECTED: Final = f"expected an outward code and {_MILES} miles, as in PL4 10"
_CODE: Final = r"(?P<code>[a-z]{1,2}[0-9][0-9a-z]?(?: ?[0-9][a-z]{2})?)"
_FIRST: Final = re.compile(rf"{_CODE} (?P<miles>[0-9]{{1,3}})(?: ?(?:miles?|mi))?(?: radius)?")
_LAST: Final = re.compile(
    r"(?:not |none |nothing |no home )?(?:with)?(?:in )?(?:a )?(?P<miles>[0-9]{1,3})(?: ?(?:miles?|mi))?(?: radius)?"
    rf"(?: (?:of|from|around|away from))? {_CODE}"
)
_AREA_MARKS: Final = re.compile(r"[-:(),=]")
_LISTED: Final = re.compile(r"[;\n]")
_JOINED: Final = re.compile(r"[,&]|\band\b", re.IGNORECASE)
_NO_AREAS: Final = frozenset({"none", "no", "nil", "n/a", "na", "not applicable", "none known", "-", "--", "no areas"})
_COMPACT: Final = re.compile(r"([A-Z0]{1,2})([0-9OIL])([0-9A-Z]?)(?:([0-9OIL])([A-Z]{2}))?")
_DIGIT: Final = {"O": "0", "I": "1", "L": "1"}


def postcode_cell(value: CellValue) -> str | None:
    """Return a postcode, or an outward code alone, in capitals with one space."""
    text = text_cell(_LONGEST)(said_of(value))
    if text is None:
        return None
    text = _mended(text)
    outward = _outward(text)
    return f"{outward} {''.join(text.split()).upper()[len(outward) :]}".strip()


def outward_code_cell(value: CellValue) -> str | None:
    """Return the outward code: the first half of a postcode. The rest is not kept when it is given."""
    text = text_cell(_LONGEST)(said_of(value))
    return None if text is None else _outward(_mended(text))


def exclusion_areas_cell(value: CellValue) -> tuple[tuple[str, int], ...]:
    """Return outward codes, each with its miles, ordered by code, from “PL4 10; EX1 5” or “not within 10 miles of PL4”.

    “None” is none. Words for “not known” are refused, for an empty list means that no area is known of.
    """
    if value is None or (isinstance(value, str) and plain(value) in _NO_AREAS):
        return ()
    if is_not_known(value):
        raise CellProblem(f"it may not be unknown; {_AREAS_EXPECTED}, or none")
    areas = [area for part in listed(checked_text(value, 2_000), separators=_LISTED) for area in _areas(part)]
    if len({code for code, _ in areas}) < len(areas):
        raise CellProblem("an outward code is given twice; expected each once, with the larger distance")
    return tuple(sorted(areas))


def household_code_cell(value: CellValue) -> str | None:
    """Return a household's code of the pool, such as ``H-7K2M4P``, however it was typed."""
    value = said_of(value)
    if value is None:
        return None
    code = read_code(text_of(value))
    if not is_code(code, prefix="H"):
        raise CellProblem("expected a household’s code, such as H-7K2M4P")
    return code


def _areas(part: str) -> list[tuple[str, int]]:
    """Return the one area that a part names, or each of those between its commas."""
    whole = _area(part)
    return [whole] if whole else [_one_area(each) for each in listed(part, separators=_JOINED)]


def _one_area(part: str) -> tuple[str, int]:
    area = _area(part)
    if area is None:
        raise CellProblem(f"{quoted(part)} is not understood; {_AREAS_EXPECTED}")
    return area


def _area(part: str) -> tuple[str, int] | None:
    said = " ".join(_AREA_MARKS.sub(" ", plain(part)).split())
    match = _FIRST.fullmatch(said) or _LAST.fullmatch(said)
    if match is None or int(match["miles"]) not in EXCLUSION_MILES:
        return None
    return _outward(match["code"]), int(match["miles"])


def _mended(text: str) -> str:
    """Return a postcode whose letter O stands for a 0, or the other way round, as it was meant if that is certain."""
    text = text.upper().replace("-", " ")
    if _placed(text) or len(text.split()) > 2:
        return text
    match = _COMPACT.fullmatch("".join(text.split()))
    found = {each for each in _candidates(match) if _placed(each)} if match else set()
    return found.pop() if len(found) == 1 else text


def _candidates(match: re.Match[str]) -> Iterator[str]:
    area, digit, third, inward, unit = match.groups(default="")
    thirds = {third, _DIGIT.get(third, third)}
    for last in thirds:
        yield f"{area.replace('0', 'O')}{_DIGIT.get(digit, digit)}{last} {_DIGIT.get(inward, inward)}{unit}".strip()


def _placed(text: str) -> bool:
    try:
        return bool(outward_code_of(text))
    except InvalidPlace:
        return False


def _outward(text: str) -> str:
    try:
        return outward_code_of(text)
    except InvalidPlace as error:
        raise CellProblem(f"{error} Expected a postcode or its first half.") from error
