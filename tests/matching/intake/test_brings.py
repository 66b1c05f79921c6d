"""What a family brings, how busy it is and where a sibling lives, from sheets into the register."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from matching.household import get_household_by_reference, list_waiting_households
from matching.intake.column import SheetKind
from matching.need import YesNo
from matching.sibling_group import get_group_by_reference
from matching.sibling_placement import SiblingPlacement
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.matching.intake.importing import counts_of, report_of, sheet, take

HOUSEHOLD: dict[str, Any] = {
    "Reference": "ADP-1",
    "Status": "waiting",
    "Number of adopters": "2",
    "Experience with children": "yes",
    "Training done": "no",
    "Parent at home": "",
    "Support nearby": "yes",
    "Available from": "01/02/2027",
    "Culture": "welsh; TRAVELLER",
    "Considered for": "1",
    "Availability confirmed on": "16/11/2026",
}
GROUP: dict[str, Any] = {
    "Group reference": "GRP-1",
    "Child reference": "CH-1",
    "Adopters hoped for": "1",
    "Experience needed": "yes",
    "Training needed": "no",
    "Parent at home needed": "",
    "Support needed": "yes",
    "Culture": "Irish",
    "Sibling lives with": " h-7k2m4p ",
    "Families considered": "0",
}


class TestHouseholds:
    def test_are_kept_as_said(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()

        runs = [take(database, us, sheet(list(HOUSEHOLD), list(HOUSEHOLD.values()))) for _ in range(2)]

        assert [counts_of(run) for run in runs] == [(1, 0, 0, 0), (0, 0, 1, 0)]
        with database.transaction(us.scope) as session:
            household = get_household_by_reference(session, "ADP-1")
            assert (household.adopters, household.available_from) == (2, date(2027, 2, 1))
            assert (household.experience, household.training) == (YesNo.YES, YesNo.NO)
            assert (household.parent_at_home, household.support_nearby) == (YesNo.UNKNOWN, YesNo.YES)
            assert household.cultures == ["Traveller", "Welsh"]
            assert (household.considered_for, household.availability_confirmed_on) == (1, date(2026, 11, 16))
        with database.transaction(them.scope) as session:
            assert list_waiting_households(session) == []

    def test_keep_what_a_sheet_has_no_column_for(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        take(database, us, sheet(list(HOUSEHOLD), list(HOUSEHOLD.values())))

        take(database, us, sheet(["Reference", "Status", "Considered for"], ["ADP-1", "waiting", "3"]))

        with database.transaction(us.scope) as session:
            household = get_household_by_reference(session, "ADP-1")
            assert (household.considered_for, household.experience, household.adopters) == (3, YesNo.YES, 2)

    @pytest.mark.parametrize(
        ("cells", "column"),
        [
            ({"Number of adopters": "1", "Adopter 1 name": "A", "Adopter 2 name": "B"}, "Number of adopters"),
            ({"Number of adopters": "3"}, "Number of adopters"),
            ({"Availability confirmed on": "24/11/2026"}, "Availability confirmed on"),
            ({"Considered for": "-1"}, "Considered for"),
            ({"Training done": "perhaps next year"}, "Training done"),
            ({"Available from": "soon"}, "Available from"),
        ],
    )
    def test_are_refused_by_the_cell(
        self, database: Database, factories: Factories, cells: dict[str, str], column: str
    ) -> None:
        us, _ = factories.two_tenants()
        said = {**HOUSEHOLD, **cells}

        run = take(database, us, sheet(list(said), list(said.values())))

        assert counts_of(run) == (0, 0, 0, 1)
        assert [problem.column for problem in report_of(database, us, run)[0].problems] == [column]


class TestGroups:
    def test_are_kept_as_said_and_the_siblings_household_by_its_own_agency_alone(
        self, database: Database, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()

        runs = [take_group(database, us, **GROUP, Sharing="consortium") for _ in range(2)]

        assert runs == [(1, 0, 0, 0), (0, 0, 1, 0)]
        with database.transaction(us.scope) as session:
            group = get_group_by_reference(session, "GRP-1")
            assert (group.adopters_hoped_for, group.families_considered) == (1, 0)
            assert (group.experience_needed, group.training_needed) == (YesNo.YES, YesNo.NO)
            assert (group.parent_at_home_needed, group.support_needed) == (YesNo.UNKNOWN, YesNo.YES)
            assert group.cultures == ["Irish"]
            assert placements(session) == [(group.id, us.id, "H-7K2M4P")]
        with database.transaction(them.scope) as session:
            assert get_group_by_reference(session, group.code).cultures == ["Irish"]
            assert placements(session) == []

    def test_say_another_household_or_none(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        take_group(database, us, **GROUP)

        changed = take_group(database, us, **{**GROUP, "Sibling lives with": "H-000000"})
        with database.transaction(us.scope) as session:
            assert [code for _, _, code in placements(session)] == ["H-000000"]
        silent = take_group(database, us, **{"Group reference": "GRP-1", "Child reference": "CH-1"})
        with database.transaction(us.scope) as session:
            assert [code for _, _, code in placements(session)] == ["H-000000"]
        blank = take_group(database, us, **{**GROUP, "Sibling lives with": ""})
        with database.transaction(us.scope) as session:
            assert placements(session) == []

        assert (changed, silent, blank) == ((0, 1, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0))

    @pytest.mark.parametrize(
        ("heading", "value"),
        [
            ("Sibling lives with", "G-7K2M4P"),
            ("Sibling lives with", "H-7K2M4"),
            ("Sibling lives with", "ADP-0147"),
            ("Adopters hoped for", "0"),
            ("Families considered", "many"),
        ],
    )
    def test_are_refused_by_the_cell(self, database: Database, factories: Factories, heading: str, value: str) -> None:
        us, _ = factories.two_tenants()

        assert take_group(database, us, **{**GROUP, heading: value}) == (0, 0, 0, 1)


def take_group(database: Database, tenant: Tenant, **cells: str) -> tuple[int, int, int, int]:
    content = sheet(list(cells), list(cells.values()))
    return counts_of(take(database, tenant, content, kind=SheetKind.CHILDREN))


def placements(session: Any) -> list[tuple[Any, Any, str]]:
    return [
        (each.sibling_group_id, each.agency_id, each.household_code)
        for each in session.scalars(select(SiblingPlacement))
    ]
