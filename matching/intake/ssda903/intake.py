"""A return that was read: every child of it taken, not for adoption or refused, each exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from matching.intake.row import RowProblem
from matching.intake.ssda903.history import read_history
from matching.intake.ssda903.table import Record, Table
from matching.intake.ssda903.tables import read_tables
from matching.intake.ssda903.verdict import Fate, Verdict, Waiting, judge

_LONGEST_REFERENCE: Final = 64
_GROUPS_NOTE: Final = (
    "A return does not say which children are brothers and sisters: each new child is a group of its own. "
    "Children on the register stay in the groups in which they are."
)


@dataclass(frozen=True, slots=True)
class ReturnedChild:
    """One child of a return: where it stands first, what becomes of it, and why.

    ``reference`` is the number by which the return knows the child; ``None`` for rows that have none. ``remarks`` are
    the reasons of a child that is not taken, and what is to be told of one that is.
    """

    sheet: str
    row: int
    reference: str | None
    fate: Fate
    remarks: tuple[RowProblem, ...]
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class ReturnIntake:
    """The children of a return in its order, and what is to be told of the whole."""

    children: tuple[ReturnedChild, ...]
    notes: tuple[str, ...]

    @property
    def taken(self) -> tuple[ReturnedChild, ...]:
        """The children who are to be adopted."""
        return tuple(child for child in self.children if child.fate is Fate.TAKEN)


def read_return(content: bytes, *, filename: str, today: date) -> ReturnIntake:
    """Return what becomes of every child of an SSDA903 return, handed in as a zip of its files or as its XML.

    :raises UnreadableSheet: when the return as a whole cannot be read; the message says what, where and what to do.
    """
    tables = read_tables(content, filename=filename)
    children = [_returned(records, today) for records in _by_child(tables.records)]
    return ReturnIntake(tuple(children), (*tables.notes, _GROUPS_NOTE))


def _by_child(records: Iterable[Record]) -> Iterable[Sequence[Record]]:
    """Gather records by child, those of Header first, in the order in which children first appear.

    A record without a number belongs to nobody, so it stands alone; in XML, with what stands in the same place.
    """
    ordered = sorted(records, key=lambda record: record.table is not Table.HEADER)
    children: dict[object, list[Record]] = {}
    for record in ordered:
        children.setdefault(record.child or (record.sheet, record.row), []).append(record)
    return children.values()


def _returned(records: Sequence[Record], today: date) -> ReturnedChild:
    first = records[0]
    verdict = _verdict(records, today)
    return ReturnedChild(first.sheet, first.row, first.child, verdict.fate, verdict.remarks, verdict.waiting)


def _verdict(records: Sequence[Record], today: date) -> Verdict:
    first = records[0]
    if first.child is None:
        return Verdict(Fate.REFUSED, (first.problem("CHILD", "it is blank, so the row belongs to no child"),))
    if len(first.child) > _LONGEST_REFERENCE or not first.child.isprintable():
        return Verdict(Fate.REFUSED, (first.problem("CHILD", "it is longer than any such number, or cannot be shown"),))
    history, problems = read_history(records, today=today)
    return judge(history, today=today) if history else Verdict(Fate.REFUSED, problems)
