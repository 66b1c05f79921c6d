"""The words that councils and agencies use in their own sheets for what the documented sheet says in its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from concord.demo.chance import Chance
from concord.demo.own_column import Say
from concord.demo.row import Cell

Words = Mapping[Cell, tuple[Cell, ...]]

YES_NO: Final[Words] = {"yes": ("Y", "Yes", "y"), "no": ("N", "No"), None: (None, "?", "tbc")}
ANSWERS: Final[Words] = {
    "can meet": ("Y", "Yes"),
    "would discuss": ("Discuss", "Maybe", "Would consider"),
    "cannot": ("N", "No"),
    None: (None, "not discussed", "tbc"),
}
PETS: Final[Words] = {"yes": ("2 dogs", "1 cat", "Y"), "no": ("None", "N"), None: (None, "?")}
SMOKERS: Final[Words] = {"yes": ("Smoker",), "no": ("Non-smokers", "N"), None: (None,)}
SEX_APPROVED: Final[Words] = {
    "any": ("Either", "M/F", "No preference"),
    "female": ("Girl only", "F"),
    "male": ("Boy", "M"),
    None: (None,),
}
STATUS: Final[Words] = {
    "waiting": ("Available", "Family finding", "Approved and waiting"),
    "on hold": ("On hold", "Paused"),
    "withdrawn": ("Withdrawn", "Closed"),
}
ADOPTERS: Final[Words] = {1: ("Single",), 2: ("Couple",), None: (None,)}
SHARING: Final[Words] = {"consortium": ("Shared",), "in-house": ("Own agency only",), "hold": ("Hold back",)}
SEX: Final[Words] = {"female": ("F", "Girl"), "male": ("M", "Boy"), None: (None,)}
LEGAL: Final[Words] = {
    "order granted": ("PO granted", "PO"),
    "order applied": ("PO applied for",),
    "contested": ("PO contested",),
    "consent": ("s.19 consent",),
    "appeal": ("Under appeal",),
    None: (None, "tbc"),
}
NEED_LEVELS: Final[Words] = {
    "none": ("None", "N"),
    "low": ("Mild", "Low"),
    "medium": ("Moderate", "Med"),
    "high": ("Severe", "High"),
    "unknown": ("Not known", "Query"),
    None: (None,),
}
HERITAGE: Final = {
    "WBRI": "White British",
    "WIRI": "White Irish",
    "WOTH": "White other",
    "WIRT": "Irish Traveller",
    "WROM": "Gypsy/Roma",
    "MWBC": "White & Black Caribbean",
    "MWBA": "White and Black African",
    "MWAS": "Mixed – White and Asian",
    "MOTH": "Other mixed",
    "AIND": "Indian",
    "APKN": "Pakistani",
    "ABAN": "Bangladeshi",
    "AOTH": "Other Asian",
    "BCRB": "Black Caribbean",
    "BAFR": "Black African",
    "BOTH": "Black other",
    "CHNE": "Chinese",
    "OOTH": "Any other ethnic group",
}
HERITAGE_WORDS: Final[Words] = {None: (None, "not known"), **{code: (name,) for code, name in HERITAGE.items()}}

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def written_out(heading: str) -> Say:
    """Say a date as 7 March 2024."""
    return lambda row, _chance: _dated(row.get(heading), lambda day: f"{day.day} {MONTHS[day.month - 1]} {day.year}")


def with_dots(heading: str) -> Say:
    """Say a date as 7.3.24."""
    return lambda row, _chance: _dated(row.get(heading), lambda day: f"{day.day}.{day.month}.{day:%y}")


def by_month_name(heading: str) -> Say:
    """Say a month, mm/yyyy, as Mar 2019."""

    def say(row: Mapping[str, Cell], _chance: Chance) -> Cell:
        said = row.get(heading)
        if not isinstance(said, str):
            return said
        month, _, year = said.partition("/")
        return f"{MONTHS[int(month) - 1][:3]} {year}"

    return say


def ages_in_years(youngest: Cell, oldest: Cell, chance: Chance) -> Cell:
    """Say the ages approved for in one of the ways that people do."""
    if not (isinstance(youngest, int) and isinstance(oldest, int)):
        return chance.pick((None, "tbc"))
    spans = (f"{youngest}-{oldest} yrs", f"{youngest} to {oldest} years")
    return chance.pick(spans if youngest else (*spans, f"under {oldest + 1}", f"birth to {oldest}"))


def ages_in_months(youngest: Cell, oldest: Cell, chance: Chance) -> Cell:
    """Say the ages approved for in months."""
    if youngest is None or oldest is None:
        return chance.pick((None, "n/k"))
    return f"{_first_month(youngest)} – {_last_month(oldest)} months"


def children_approved(fewest: Cell, most: Cell, chance: Chance) -> Cell:
    """Say how many children a household is approved for."""
    if not (isinstance(fewest, int) and isinstance(most, int)):
        return None
    if fewest == most:
        return (
            chance.pick(("1", "single")) if most == 1 else chance.pick((f"sib group of {most}", f"siblings ({most})"))
        )
    if fewest == 1:
        return chance.pick(("1 or 2", "up to 2") if most == 2 else (f"1-{most}", f"up to {most}"))
    return f"{fewest} or {most}"


def both_names(first: Cell, second: Cell, chance: Chance) -> Cell:
    """Say the names of one adopter or two in one cell."""
    forename, _, surname = str(first).partition(" ")
    if second is None:
        return chance.pick((f"{forename} {surname}", f"{surname}, {forename}"))
    partner = str(second).partition(" ")[0]
    return chance.pick(
        (f"{forename} & {partner} {surname}", f"{forename} and {partner} {surname}", f"{first} / {second}")
    )


def childs_name(forename: Cell, surname: Cell, chance: Chance) -> Cell:
    """Say the name of a child, surname first as in a register, or not."""
    return None if forename is None else chance.pick((f"{surname}, {forename}", f"{forename} {surname}"))


def areas_in_words(row: Mapping[str, Cell], _chance: Chance) -> Cell:
    """Say the areas where no home may be."""
    said = row.get("Exclusion areas")
    if not isinstance(said, str):
        return "None" if "Exclusion areas" in row else None
    areas = (area.split() for area in said.split("; "))
    return "; ".join(f"not within {miles} miles of {code}" for code, miles in areas)


def or_none(heading: str) -> Say:
    """Say a number, and “None” for nought."""
    return lambda row, _chance: "None" if row.get(heading) == 0 else row.get(heading)


def _dated(day: Cell, form: Callable[[date], str]) -> Cell:
    return form(day) if isinstance(day, date) else day


def _first_month(age: Cell) -> int:
    return age * 12 if isinstance(age, int) else int(str(age).split()[0])


def _last_month(age: Cell) -> int:
    return age * 12 + 11 if isinstance(age, int) else int(str(age).split()[0])
