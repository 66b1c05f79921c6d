"""What is told of a row whose profile may give away who it is about: it is taken all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matching.anonymity.finding import Finding, Known
from matching.anonymity.profile import find_betrayals
from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.household_row import HouseholdRow
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.row import RowProblem

PROFILE: Final = "Profile"
"""The heading under which the remarks stand."""
_MOST: Final = 5


def household_remarks(row: HouseholdRow) -> tuple[RowProblem, ...]:
    """Return what is to be told of a household's profile."""
    if not row.profile:
        return ()
    known = Known(
        people=_said(row.adopter_1_name, row.adopter_2_name),
        addresses=_said(row.address),
        postcodes=_said(row.postcode),
        references=(row.reference,),
        telephones=_said(row.telephone),
        emails=_said(row.email),
    )
    return _remarks(row.number, row.sheet, find_betrayals(row.profile, known))


def group_remarks(group: GroupRow, *, of: ChildRow) -> tuple[RowProblem, ...]:
    """Return what is to be told of a sibling group's profile, on the row of one of its children."""
    if not group.profile:
        return ()
    known = Known(
        people=tuple(" ".join(_said(child.forename, child.surname)) for child in group.children),
        postcodes=(*_said(group.home_outward_code), *(code for code, _ in group.exclusion_areas)),
        references=(group.reference, *(child.reference for child in group.children)),
        dates=tuple(day for child in group.children for day in (child.born_on, child.due_on) if day),
    )
    return _remarks(of.number, of.sheet, find_betrayals(group.profile, known))


def count_telling(outcomes: Sequence[RowOutcome]) -> int:
    """Return how many rows were, or would be, written with a profile that may give somebody away."""
    return sum(
        each.outcome in (Outcome.ADDED, Outcome.CHANGED) and any(told.column == PROFILE for told in each.remarks)
        for each in outcomes
    )


def _remarks(row: int, sheet: str, findings: Sequence[Finding]) -> tuple[RowProblem, ...]:
    if not findings:
        return ()
    told = [f"“{each.words}” {each.why}" for each in sorted(findings, key=lambda one: not one.sure)]
    more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
    opening = (
        "it may give away who this is" if any(each.sure for each in findings) else "look whether it tells too much"
    )
    return (RowProblem(row, PROFILE, None, f"{opening}: {'; '.join(told[:_MOST])}{more}", sheet),)


def _said(*fields: str | None) -> tuple[str, ...]:
    return tuple(field for field in fields if field)
