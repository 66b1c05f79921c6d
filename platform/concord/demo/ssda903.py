"""A synthetic SSDA903 return of one council: every child it looks after, few of whom wait for adopters.

The return is that of the year that ended on the 31 March before the day asked for. One child in twelve has a mistake
that an importer must refuse, so that the demonstration shows one of each kind.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from concord.demo.chance import Chance, deck, shared_out
from concord.demo.child import MINORITY_SHARE
from concord.demo.consortium import DemoAgency
from concord.demo.heritage import draw_heritage

Line = Mapping[str, str]

_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "header.csv": ("CHILD", "SEX", "DOB", "ETHNIC", "UPN", "MOTHER", "MC_DOB"),
    "episodes.csv": (
        *("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC"),
        *("REASON_PLACE_CHANGE", "HOME_POST", "PL_POST", "URN"),
    ),
    "ad1.csv": ("CHILD", "DOB", "DATE_INT", "DATE_MATCH", "FOSTER_CARE", "NB_ADOPTR", "SEX_ADOPTR", "LS_ADOPTR"),
    "placed_for_adoption.csv": ("CHILD", "DOB", "DATE_PLACED", "DATE_PLACED_CEASED", "REASON_PLACED_CEASED"),
    "reviews.csv": ("CHILD", "DOB", "REVIEW", "REVIEW_CODE"),
}


class Story(StrEnum):
    """What happened to a child of the return."""

    WAITING = "waiting"
    DATE_NOT_KNOWN = "date not known"
    BEFORE_ORDER = "before order"
    WITH_ADOPTERS = "with adopters"
    REVERSED = "reversed"
    ADOPTED = "adopted"
    IN_CARE = "in care"
    LEFT_CARE = "left care"
    WRONG_CODE = "wrong code"
    WRONG_DATE = "wrong date"
    NO_HEADER = "no header"


#: How often each happens, of a hundred children: most of a return are not for adoption.
_STORIES: Final = {
    Story.WAITING: 14.0,
    Story.DATE_NOT_KNOWN: 6.0,
    Story.BEFORE_ORDER: 5.0,
    Story.WITH_ADOPTERS: 4.0,
    Story.REVERSED: 4.0,
    Story.ADOPTED: 5.0,
    Story.IN_CARE: 36.0,
    Story.LEFT_CARE: 18.0,
    Story.WRONG_CODE: 3.0,
    Story.WRONG_DATE: 3.0,
    Story.NO_HEADER: 2.0,
}
_TAKEN: Final = frozenset({Story.WAITING, Story.DATE_NOT_KNOWN, Story.BEFORE_ORDER, Story.WITH_ADOPTERS})
_REFUSED: Final = frozenset({Story.WRONG_CODE, Story.WRONG_DATE, Story.NO_HEADER})


@dataclass(frozen=True, slots=True)
class DemoReturn:
    """A return that was written, and what an importer is to make of it."""

    folder: Path
    children: int
    taken: int
    not_for_adoption: int
    refused: int


@dataclass(slots=True)
class _Tables:
    """The lines of each file so far."""

    lines: dict[str, list[Line]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})

    def add(self, name: str, **cells: str) -> None:
        self.lines[name].append({column: cells.get(column, "") for column in _COLUMNS[name]})


@dataclass(frozen=True, slots=True)
class _Child:
    number: str
    born: date
    came: date
    decided: date
    ordered: date
    year_end: date
    home: str

    @property
    def who(self) -> dict[str, str]:
        return {"CHILD": self.number, "DOB": _text(self.born)}


def write_return(folder: Path, *, agency: DemoAgency, seed: int, as_of: date, children: int = 120) -> DemoReturn:
    """Write the files of one council's return into a folder and say what is in them.

    The same arguments give the same bytes on every machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    year_end = _year_end(as_of)
    stories = deck(Chance(seed, f"ssda903/{agency.slug}"), children, _STORIES)
    tables = _Tables()
    for place, story in enumerate(stories, start=1):
        chance = Chance(seed, f"ssda903/{agency.slug}/{place}")
        _tell(tables, chance, story, _draw_child(chance, agency, place, year_end))
    for name, lines in tables.lines.items():
        _write(folder / name, _COLUMNS[name], lines)
    taken, refused = sum(story in _TAKEN for story in stories), sum(story in _REFUSED for story in stories)
    return DemoReturn(folder, children, taken, children - taken - refused, refused)


def children_for(taken: int) -> int:
    """Return how many children a return has of whom at most so many, and nearly so many, are taken."""
    children = 4 * taken
    while children and _taken_of(children) > taken:
        children -= 1
    return children


def _taken_of(children: int) -> int:
    counts = shared_out(children, list(_STORIES.values()))
    return sum(count for story, count in zip(_STORIES, counts, strict=True) if story in _TAKEN)


def _year_end(as_of: date) -> date:
    this_year = date(as_of.year, 3, 31)
    return this_year if this_year < as_of else date(as_of.year - 1, 3, 31)


def _draw_child(chance: Chance, agency: DemoAgency, place: int, year_end: date) -> _Child:
    came = chance.day_before(year_end, least=600, most=1_100)
    born = chance.day_before(came, least=3, most=5 * 365)
    decided = came + timedelta(days=chance.whole(90, 150))
    return _Child(
        number=f"{agency.slug.upper()}-{place:05d}",
        born=born,
        came=came,
        decided=decided,
        ordered=decided + timedelta(days=chance.whole(30, 90)),
        year_end=year_end,
        # These letters end no real postcode.
        home=f"{chance.pick(agency.outward_codes)} {chance.whole(1, 9)}CV",
    )


# ── one child's lines ──


def _tell(tables: _Tables, chance: Chance, story: Story, child: _Child) -> None:
    if story is not Story.NO_HEADER:
        tables.add(
            "header.csv",
            **child.who,
            SEX=chance.pick(("1", "2")),
            ETHNIC=draw_heritage(chance, minority=MINORITY_SHARE),
            UPN="UN1",
        )
    _episodes(tables, chance, story, child)
    _decision(tables, chance, story, child)
    reviewed = child.came + timedelta(days=28)
    tables.add("reviews.csv", **child.who, REVIEW=_text(reviewed), REVIEW_CODE="PN0")


def _episodes(tables: _Tables, chance: Chance, story: Story, child: _Child) -> None:
    later = child.ordered + timedelta(days=chance.whole(60, 120))
    if story in {Story.IN_CARE, Story.BEFORE_ORDER}:
        status = "C2" if story is Story.BEFORE_ORDER else chance.pick(("C1", "C2", "V2"))
        _episode(tables, child, child.came, None, LS=status, PLACE="U1", RNE="S")
        return
    if story is Story.LEFT_CARE:
        ended = chance.pick(("E4A", "E47", "E48", "E13"))
        _episode(tables, child, child.came, later, LS="V2", PLACE="U1", RNE="S", REC=ended)
        return
    _episode(tables, child, child.came, child.ordered, LS="C1", PLACE="U1", RNE="S", REC="X1")
    if story in {Story.WITH_ADOPTERS, Story.ADOPTED}:
        _episode(tables, child, child.ordered, later, LS="E1", PLACE="U1", RNE="L", REC="X1")
        adopted = later + timedelta(days=90) if story is Story.ADOPTED else None
        rec = {"REC": "E12"} if adopted else {}
        _episode(tables, child, later, adopted, LS="E1", PLACE="A6", RNE="P", **rec)
        return
    if story is Story.WRONG_DATE:
        _episode(tables, child, child.ordered, child.came, LS="E1", PLACE="U1", RNE="L", REC="X1")
        return
    status = "C2" if story is Story.REVERSED else "E1"
    place = "Q9" if story is Story.WRONG_CODE else "U1"
    _episode(tables, child, child.ordered, None, LS=status, PLACE=place, RNE="L")


def _episode(tables: _Tables, child: _Child, began: date, ended: date | None, **cells: str) -> None:
    tables.add(
        "episodes.csv",
        CHILD=child.number,
        DECOM=_text(began),
        DEC=_text(ended),
        CIN="N1",
        PLACE_PROVIDER="PR1",
        HOME_POST=child.home,
        PL_POST=child.home,
        **cells,
    )


def _decision(tables: _Tables, chance: Chance, story: Story, child: _Child) -> None:
    if story in {Story.IN_CARE, Story.LEFT_CARE, Story.DATE_NOT_KNOWN}:
        return
    reversal = {}
    if story is Story.REVERSED:
        ceased = _text(child.ordered + timedelta(days=chance.whole(10, 60)))
        reversal = {"DATE_PLACED_CEASED": ceased, "REASON_PLACED_CEASED": chance.pick(("RD1", "RD2", "RD3", "RD4"))}
    tables.add("placed_for_adoption.csv", **child.who, DATE_PLACED=_text(child.decided), **reversal)
    if story is Story.ADOPTED:
        tables.add(
            "ad1.csv",
            **child.who,
            DATE_INT=_text(child.decided),
            DATE_MATCH=_text(child.ordered + timedelta(days=20)),
            FOSTER_CARE="0",
            NB_ADOPTR="2",
            SEX_ADOPTR="MF",
            LS_ADOPTR="L11",
        )


def _text(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _write(path: Path, columns: Sequence[str], lines: Sequence[Line]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(lines)
