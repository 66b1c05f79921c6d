"""Classes of record, and the retention schedule that an agency starts from, by nation."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from tenants.agency import Nation

FLOOR_MONTHS: Final = 1200
"""At least 100 years from the order (SI 2005/888, regulation 6); the database holds every agency to it too."""


class RecordClass(StrEnum):
    """A class of record whose period an agency may set."""

    ADOPTION_RECORD = "adoption_record"
    HOUSEHOLD_NOT_PLACED = "household_not_placed"
    GROUP_NOT_PLACED = "group_not_placed"
    IMPORT_FILE = "import_file"


class Clock(StrEnum):
    """What starts the clock of a class."""

    ORDER = "order"
    WITHDRAWN = "withdrawn"
    YOUNGEST_BIRTH = "youngest_birth"
    FINISHED = "finished"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _CLOCKS[self]


class Ends(StrEnum):
    """What happens when the period is over."""

    DESTROY = "destroy"
    REVIEW = "review"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"destroy": "Destroyed, once two people agree", "review": "Reviewed: kept unless somebody picks it"}[
            self
        ]


_CLOCKS: Final = {
    Clock.ORDER: "the adoption order",
    Clock.WITHDRAWN: "the last change of the withdrawn record",
    Clock.YOUNGEST_BIRTH: "the birth of the youngest child",
    Clock.FINISHED: "the end of the import",
}
CLOCKS_OF: Final = {
    RecordClass.ADOPTION_RECORD: (Clock.ORDER,),
    RecordClass.HOUSEHOLD_NOT_PLACED: (Clock.WITHDRAWN,),
    RecordClass.GROUP_NOT_PLACED: (Clock.YOUNGEST_BIRTH, Clock.WITHDRAWN),
    RecordClass.IMPORT_FILE: (Clock.FINISHED,),
}
"""What may start the clock of each class."""


@dataclass(frozen=True, slots=True)
class ClassDefault:
    """What Concord starts from for a class whose period an agency may set."""

    record_class: RecordClass
    title: str
    what: str
    clock: Clock
    months: int
    ends: Ends
    basis: str


@dataclass(frozen=True, slots=True)
class FixedClass:
    """A class that Concord itself removes or keeps, and that no agency sets."""

    code: str
    title: str
    what: str
    period: str
    removed: bool
    basis: str


@cache
def class_defaults(nation: Nation) -> dict[RecordClass, ClassDefault]:
    """Return what an agency of a nation starts from, in the order of the schedule."""
    return {
        record_class: ClassDefault(
            record_class=record_class,
            title=said["title"],
            what=said["what"],
            clock=Clock(said["clock"]),
            months=said["months"],
            ends=Ends(said["ends"]),
            basis=said["basis"],
        )
        for record_class in RecordClass
        for said in [_said(record_class.value, nation)]
    }


@cache
def fixed_classes() -> tuple[FixedClass, ...]:
    """Return the classes that no agency sets, in the order of the schedule."""
    return tuple(
        FixedClass(
            code=code,
            title=said["title"],
            what=said["what"],
            period=said["period"],
            removed=said["ends"] == "automatic",
            basis=said["basis"],
        )
        for code, said in _schedule().items()
        if "months" not in said
    )


def title_of(record_class: RecordClass) -> str:
    """Return what pages call a class."""
    return class_defaults(Nation.ENGLAND)[record_class].title


def _said(code: str, nation: Nation) -> dict[str, Any]:
    said = _schedule()[code]
    return {**said, **said.get(nation.value, {})}


@cache
def _schedule() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("matching.retention").joinpath("schedule.toml").read_text(encoding="utf-8"))
