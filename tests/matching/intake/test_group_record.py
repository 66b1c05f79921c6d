"""Groups taken from rows: what a row says of its group's status, for two agencies."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.group_record import take_groups
from matching.intake.outcome import Outcome
from matching.sibling_group import GroupStatus, SiblingGroup
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant


class TestTakeGroups:
    @pytest.mark.parametrize(
        ("said", "status"), [(None, "waiting"), ("on_hold", "on_hold"), ("withdrawn", "withdrawn")]
    )
    def test_gives_a_new_group_the_status_said_or_lets_it_wait(
        self, database: Database, factories: Factories, said: str | None, status: str
    ) -> None:
        devon, dorset = factories.two_tenants()

        assert _take(database, devon, said) == [Outcome.ADDED]

        assert _statuses(database, devon) == [GroupStatus(status)]
        assert _statuses(database, dorset) == []

    def test_leaves_the_status_when_the_row_is_silent_and_changes_it_when_it_is_not(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        _take(database, devon, "on_hold")

        assert _take(database, devon, None) == [Outcome.UNCHANGED]
        assert _statuses(database, devon) == [GroupStatus.ON_HOLD]
        assert _take(database, devon, "waiting") == [Outcome.CHANGED]
        assert _statuses(database, devon) == [GroupStatus.WAITING]


def _take(database: Database, tenant: Tenant, status: str | None) -> list[Outcome]:
    group = GroupRow("G1", (ChildRow(2, "C1"),), given=frozenset({"status"}), status=status)
    with database.transaction(tenant.scope) as session:
        return [each.outcome for each in take_groups(session, [group], now=NOW, dry_run=False)]


def _statuses(database: Database, tenant: Tenant) -> list[GroupStatus]:
    with database.transaction(tenant.scope) as session:
        return list(session.scalars(select(SiblingGroup.status)))
