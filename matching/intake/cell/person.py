"""Cells of names: of one or two adopters together, or of one child."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from matching.intake.cell.problem import CellProblem
from matching.intake.cell.text import text_cell
from matching.intake.sheet import CellValue

name_cell: Final = text_cell(200)

_TWO_EXPECTED: Final = "expected one adopter or two, such as Testine Sampleson & Mockford Sampleson"
_CHILD_EXPECTED: Final = "expected a forename and a surname, such as Fictia Specimen or Specimen, Fictia"
_TITLES: Final = frozenset("mr mrs ms miss mx dr rev prof".split())  # noqa: SIM905
_APART: Final = re.compile(r"\s*(?:;|\n|/)\s*")
_JOINED: Final = re.compile(r"\s*(?:&|\+)\s*|\s+and\s+", re.IGNORECASE)
#: Said beside one adopter, and the name of nobody: “& partner”, “and 2 children”.
_NO_NAME: Final = re.compile(
    r"(?:\d+ |one |two |three )?(?:(?:his|her|their|a) )?"
    r"(?:partner|husband|wife|spouse|child(?:ren)?|sons?|daughters?|family)",
    re.IGNORECASE,
)

Names = Mapping[str, str | None]


def adopters_cell(value: CellValue) -> Names:
    """Return the names of one adopter or two, from such as “Testine & Mockford Sampleson”.

    A surname that both share is given to both where there can be no doubt of it; else names stay as they were typed.
    """
    first, second = _adopters(name_cell(value))
    return {"adopter_1_name": first, "adopter_2_name": second}


def child_name_cell(value: CellValue) -> Names:
    """Return the forename and the surname of a child, from “Fictia Specimen” or “Specimen, Fictia”."""
    text = name_cell(value)
    if text is None:
        return {"forename": None, "surname": None}
    if ";" in text or "/" in text or _JOINED.search(text):
        raise CellProblem(_CHILD_EXPECTED)
    surname, comma, forename = text.partition(",")
    if comma:
        if not surname.strip() or not forename.strip() or "," in forename:
            raise CellProblem(_CHILD_EXPECTED)
        return {"forename": forename.strip(), "surname": surname.strip()}
    names = text.split()
    if len(names) > 2:
        # A second forename, or a surname of two words: nobody could tell.
        raise CellProblem(f"it has {len(names)} names; {_CHILD_EXPECTED}")
    return {"forename": names[0], "surname": names[1] if len(names) == 2 else None}


def _adopters(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    apart = [part for part in _APART.split(text) if part]
    parts = apart if len(apart) > 1 else [part for part in _JOINED.split(text) if part]
    if not parts or len(parts) > 2 or any(_NO_NAME.fullmatch(part) for part in parts):
        raise CellProblem(_TWO_EXPECTED)
    if len(parts) == 1:
        return _alone(parts[0])
    if any(len(_JOINED.split(part)) > 1 for part in parts):
        raise CellProblem(_TWO_EXPECTED)
    if len(apart) == 2:
        return _in_order(parts[0]), _in_order(parts[1])
    return _pair(parts[0], parts[1])


def _alone(text: str) -> tuple[str, str | None]:
    """Return one adopter, or the two whole names that a comma parts."""
    left, comma, right = text.partition(",")
    words = len(left.split()), len(right.split())
    if comma and ("," in right or min(words) == 0 or (words[0] == 1 and words[1] > 1)):
        # “Testine, Mockford Sampleson” may be two adopters, and “Sampleson, Testine Ann” one.
        raise CellProblem(f"its comma may mean one adopter or two; {_TWO_EXPECTED}")
    if comma and min(words) > 1:
        return left.strip(), right.strip()
    return _in_order(text), None


def _pair(first: str, second: str) -> tuple[str, str]:
    """Return two adopters joined by “&”, with a surname that is plainly both's added to the first or the second."""
    surname, comma, _ = first.partition(",")
    if comma and "," not in second and len(second.split()) == 1:
        return _in_order(first), f"{second} {surname.strip()}"
    if "," in first or "," in second:
        return _in_order(first), _in_order(second)
    if len(_untitled(first)) <= (1 if _untitled(first) == first.split() else 0) or _initialled(first):
        shared = _shared_surname(second)
        return (f"{first} {shared}" if shared else first), second
    return first, second


def _initialled(name: str) -> bool:
    """Say whether a name is a title and an initial, as in “Mr T”."""
    names = _untitled(name)
    return len(names) == 1 and len(names[0].rstrip(".")) == 1


def _shared_surname(name: str) -> str | None:
    """Return the surname of a name that has one forename or title before it; a longer name may have two surnames."""
    names = _untitled(name)
    titled = len(names) < len(name.split())
    if len(names) == 2 or (titled and len(names) == 1):
        return names[-1]
    return None


def _untitled(name: str) -> list[str]:
    return [word for word in name.split() if word.casefold().rstrip(".") not in _TITLES]


def _in_order(name: str) -> str:
    """Return “Sampleson, Testine” with the forename first."""
    surname, comma, forename = name.partition(",")
    if not comma:
        return name
    if "," in forename or not surname.strip() or not forename.strip():
        raise CellProblem(_TWO_EXPECTED)
    return f"{forename.strip()} {surname.strip()}"
