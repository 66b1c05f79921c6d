"""Exports: one's own records alone, each put on record, and an import of them that changes nothing."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from matching.export import NotExported, export_headings, export_records
from matching.household import Household, HouseholdStatus
from matching.intake.column import SHEETS, SheetKind, columns_of
from matching.intake.import_run import get_import, read_report, request_import
from matching.need import Answer, NeedLevel, Tolerance
from matching.pool import Stage
from matching.ranking.facts import Sex
from tenants.audit import Act, AuditEntry, Level
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant, transaction
from workers.document.sheet import SheetFormat, write_sheet
from workers.handler import HANDLERS
from workers.runner import JobRunner

HOSTILE = "=HYPERLINK(“x”)\nand a second line, with a comma; “quotes” and é"


class TestExportRecords:
    @pytest.mark.parametrize("kind", SHEETS)
    @pytest.mark.parametrize("file_format", SheetFormat)
    def test_come_back_unchanged(
        self, kind: SheetKind, file_format: SheetFormat, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        fill(factories, us)

        content, count = exported(database, us, kind, file_format)
        with transaction(database, us) as session:
            run = request_import(
                session, kind=kind, filename=f"own.{file_format}", content=content, dry_run=False, now=NOW
            )
        JobRunner(database, HANDLERS).run(run.job_id)
        with transaction(database, us) as session:
            done = get_import(session, run.id)
            report = read_report(session, done, now=NOW)

        assert done.refusal is None
        assert [row.problems for row in report if row.problems] == []
        assert (done.added, done.changed, done.unchanged, done.refused) == (0, 0, count, 0)
        assert count == {SheetKind.HOUSEHOLDS: 3, SheetKind.CHILDREN: 5}[kind]

    @pytest.mark.parametrize("kind", SHEETS)
    def test_are_ones_own_alone(self, kind: SheetKind, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        fill(factories, them)

        with transaction(database, us) as session:
            ours = list(export_records(session, kind, now=NOW))
        with transaction(database, them) as session:
            theirs = list(export_records(session, kind, now=NOW))

        assert ours == []
        assert len(theirs) == {SheetKind.HOUSEHOLDS: 3, SheetKind.CHILDREN: 5}[kind]

    @pytest.mark.parametrize("kind", SHEETS)
    def test_put_each_record_on_record(self, kind: SheetKind, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        fill(factories, us)
        fill(factories, them)
        exported(database, us, kind, SheetFormat.CSV)

        with transaction(database, us) as session:
            entries = list(session.scalars(select(AuditEntry).where(AuditEntry.act == Act.EXPORT)))

        assert {entry.level for entry in entries} == {Level.IDENTITY}
        assert {entry.owner_agency_id for entry in entries} == {us.id}
        assert len({entry.record_id for entry in entries}) == len(entries) == 3

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.FAMILY_FINDER, Role.ADOPTERS_WORKER, Role.MANAGER}))
    def test_are_for_those_who_may(self, role: Role, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        with database.transaction(us.acting_as(role)) as session, pytest.raises(NotAllowed, match="export records"):
            export_records(session, SheetKind.HOUSEHOLDS, now=NOW)

    def test_stand_by_reference_and_siblings_together(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        fill(factories, us)

        with transaction(database, us) as session:
            rows = list(export_records(session, SheetKind.CHILDREN, now=NOW))

        references = [row["Group reference"] for row in rows]
        assert references == sorted(references)
        by_group: dict[str, set[str]] = {}
        for row in rows:
            by_group.setdefault(row["Group reference"], set()).add(row["Legal position"])
        assert {len(said) for said in by_group.values()} == {1}

    def test_lock_nothing(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)

        with transaction(database, us) as exporting:
            list(export_records(exporting, SheetKind.HOUSEHOLDS, now=NOW))
            with transaction(database, us) as other:
                found = other.scalar(
                    select(func.count()).select_from(
                        select(Household.id).where(Household.id == household_id).with_for_update(nowait=True).subquery()
                    )
                )

        assert found == 1


class TestExportHeadings:
    @pytest.mark.parametrize("kind", SHEETS)
    def test_are_the_documented_ones(self, kind: SheetKind) -> None:
        assert export_headings(kind) == tuple(each.heading for each in columns_of(kind) if not each.spreads)

    def test_are_none_of_a_return(self) -> None:
        with pytest.raises(NotExported):
            export_headings(SheetKind.SSDA903)


def fill(factories: Factories, tenant: Tenant) -> None:
    """Make households and groups of every sort that is easily lost on the way out and in."""
    mixed = Tolerance(low=Answer.UNKNOWN, medium=Answer.CAN_MEET, high=Answer.CANNOT)
    factories.household(
        tenant,
        tolerances={"neglect": mixed},
        profile=HOSTILE,
        children_at_home=1,
        youngest_at_home=TODAY.replace(day=1),
    )
    factories.household(tenant, held=True, status=HouseholdStatus.WITHDRAWN, age_to_months=30, age_from_months=None)
    factories.household(tenant, stage=Stage.IN_HOUSE, outward_code=None, approved_on=TODAY - timedelta(days=400))
    factories.group(
        tenant,
        children=((TODAY.replace(year=2023, day=1), Sex.FEMALE), (TODAY.replace(year=2021, day=1), Sex.UNKNOWN)),
        needs={"neglect": NeedLevel.HIGH, "attachment": NeedLevel.NONE},
        exclusion_areas={"EX4": 10, "PL1": 5},
    )
    factories.group(tenant, held=True, profile=HOSTILE, outward_code=None)
    factories.group(tenant, stage=Stage.IN_HOUSE, children=((None, Sex.MALE), (None, Sex.MALE)))


def exported(database: Database, tenant: Tenant, kind: SheetKind, file_format: SheetFormat) -> tuple[bytes, int]:
    """Return an export's file and how many rows it has."""
    out = io.BytesIO()
    with transaction(database, tenant) as session:
        rows = export_records(session, kind, now=NOW)
        count = write_sheet(out, export_headings(kind), rows, file_format=file_format, title=kind.value)
    return out.getvalue(), count
