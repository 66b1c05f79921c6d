"""Imports taken back: exactly, once, by their own agency, and never from under something that was built on them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.agreement import AgreedHow, AgreedTo, record_agreement
from matching.bar import bar_email, bar_person
from matching.glass import break_glass
from matching.household import Household, HouseholdProfile, get_household, get_household_by_reference
from matching.intake.column import SheetKind
from matching.intake.household_row import HouseholdRow
from matching.intake.image import ImportImage, parts_of
from matching.intake.import_run import ImportUnknown, get_import
from matching.intake.sheet import CellValue
from matching.intake.undo import (
    UNDOABLE_FOR,
    NotUndoable,
    forget_images,
    request_undo,
    undo_import,
    why_not_undoable,
)
from matching.pool import Stage, share
from tenants import audit
from tenants.database import Database
from tenants.job import JobState, cancel_job, get_job
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.intake.importing import ask_for, sheet, state_of, take, undo
from tests.matching.intake.strategies import household_rows
from tests.matching.intake.writing import csv_file, headings_of, household_line

_slow = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
_LATER = NOW + timedelta(hours=1)


class TestUndoImport:
    @given(
        first=st.lists(household_rows(), min_size=1, max_size=4, unique_by=lambda row: row.reference),
        second=st.lists(household_rows(), min_size=1, max_size=4, unique_by=lambda row: row.reference),
    )
    @_slow
    def test_puts_households_back_row_for_row(
        self, database: Database, factories: Factories, first: list[HouseholdRow], second: list[HouseholdRow]
    ) -> None:
        devon, dorset = factories.two_tenants()
        mixed = [replace(row, reference=known.reference) for row, known in zip(second[1:], first, strict=False)]
        for tenant in (devon, dorset):
            take(database, tenant, _households(first))
        before = state_of(database, devon)

        others = [row for row in mixed if row.reference != second[0].reference]
        run = take(database, devon, _households([*second[:1], *others]))
        assume(run.added or run.changed)
        undone = undo(database, devon, run, now=_LATER)

        assert state_of(database, devon) == before
        assert (undone.undone_at, undone.undone_by) == (_LATER, devon.scope.person_id)

    @pytest.mark.parametrize("seed", range(4))
    def test_puts_groups_and_children_back_row_for_row(
        self, database: Database, factories: Factories, seed: int
    ) -> None:
        chance = random.Random(seed)  # noqa: S311 - made-up data, no secret
        devon, _ = factories.two_tenants()
        take(database, devon, _children(chance, 6), kind=SheetKind.CHILDREN)
        before = state_of(database, devon)

        run = take(database, devon, _children(chance, 8), kind=SheetKind.CHILDREN)
        assert run.added
        assert run.changed
        undo(database, devon, run, now=_LATER)

        assert state_of(database, devon) == before

    def test_leaves_another_agencys_records_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        content = _sheet(("A", "yes"), ("B", "no"))
        run, _ = (take(database, tenant, content) for tenant in (devon, dorset))
        theirs = state_of(database, dorset)["household_identity"]

        undo(database, devon, run)

        assert state_of(database, devon)["household_identity"] == []
        assert state_of(database, dorset)["household_identity"] == theirs

    def test_is_done_once_when_asked_twice(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        undo(database, devon, run, now=_LATER)
        again = take(database, devon, _sheet(("A", "yes")))

        twice = undo(database, devon, run, now=_LATER + timedelta(minutes=1))

        assert twice.undone_at == _LATER
        assert len(state_of(database, devon)["household"]) == again.added == 1

    def test_is_on_record_for_the_import_and_each_record(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        take(database, devon, _sheet(("A", "yes")))
        run = take(database, devon, _sheet(("A", "no"), ("B", "no")))

        undo(database, devon, run, now=_LATER)

        with database.transaction(devon.scope) as session:
            entries = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.at == _LATER)).all()
        said = sorted((entry.act.value, entry.record_kind) for entry in entries if entry.act is not audit.Act.SHARE)
        assert said == [("change", "household"), ("remove", "household"), ("remove", "import_run")]
        with database.transaction(dorset.scope) as session:
            assert audit.list_entries_of(session, run.id) == []

    @pytest.mark.parametrize("at", range(3))
    def test_leaves_everything_when_it_is_stopped(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch, at: int
    ) -> None:
        monkeypatch.setattr("matching.intake.undo._BATCH", 1)
        devon, _ = factories.two_tenants()
        take(database, devon, _sheet(("A", "yes")))
        run = take(database, devon, _sheet(("A", "no"), ("B", "no")))
        before = state_of(database, devon)
        calls = iter(range(100))

        def stop(_done: int, _total: int, _note: str) -> None:
            if next(calls) == at:
                raise InterruptedError

        with pytest.raises(InterruptedError), database.transaction(devon.scope) as session:
            undo_import(session, get_import(session, run.id), asked_at=NOW, progress=stop, now=NOW)

        assert state_of(database, devon) == before
        undo(database, devon, run)

    def test_finds_no_import_of_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        with pytest.raises(ImportUnknown):
            undo(database, dorset, run)

    @pytest.mark.parametrize("lines", [[("A", "yes")], [("A", "yes"), ("B", "yes")]])
    def test_is_not_for_who_is_shut_out_of_a_record_of_it(
        self, database: Database, factories: Factories, lines: list[tuple[str, str]]
    ) -> None:
        """They would take back the rest of it alone."""
        devon, _ = factories.two_tenants()
        kim = factories.colleague(devon, roles=devon.scope.roles)
        run = take(database, devon, _sheet(*lines))
        with database.transaction(devon.scope) as session:
            record = get_household_by_reference(session, "A")
            assert kim.scope.person_id is not None
            bar_person(session, record, person_id=kim.scope.person_id, reason="Their cousin", now=NOW)
        before = state_of(database, devon)

        with pytest.raises(NotUndoable, match="Ask somebody else"):
            undo(database, kim, run)

        assert state_of(database, devon) == before

    def test_is_not_for_added_records_of_which_something_must_be_kept(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        adviser = factories.colleague(devon, roles=frozenset({Role.MEDICAL_ADVISER}))
        with_bar, with_glass, agreed, plain = (take(database, devon, _sheet((name, "yes"))) for name in "ABCD")
        facts: dict[str, Any] = {"who": "Alder", "said_on": TODAY, "how": AgreedHow.ORAL, "now": NOW}
        with database.transaction(devon.scope) as session:
            a, b, c = (get_household_by_reference(session, name) for name in "ABC")
            bar_email(session, a, email="sam@example.org", reason="Their cousin", now=NOW)
            record_agreement(session, c, agreed_to=AgreedTo.PROFILE, **facts)
        with database.transaction(adviser.scope) as session:
            break_glass(session, get_household(session, b.id), reason="The police ask", now=NOW)

        assert not _reasons(database, devon, plain)
        for run in (with_bar, with_glass, agreed):
            with pytest.raises(NotUndoable, match="That is kept"):
                undo(database, devon, run)

    def test_takes_back_the_later_of_two_and_then_the_first(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        first = take(database, devon, _sheet(("A", "yes")))
        second = take(database, devon, _sheet(("A", "no")), now=_LATER)
        with pytest.raises(NotUndoable, match="changed after the import"):
            undo(database, devon, first, now=_LATER)

        undo(database, devon, second, now=_LATER)
        undo(database, devon, first, now=_LATER)

        assert state_of(database, devon)["household"] == []

    def test_stops_at_what_depends_on_an_added_record(
        self, database: Database, factories: Factories, admin: psycopg.Connection[Any]
    ) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        admin.execute("CREATE TABLE depends (household_id uuid REFERENCES household)")
        try:
            admin.execute("INSERT INTO depends SELECT id FROM household")
            with pytest.raises(NotUndoable, match="depends on records"):
                undo(database, devon, run)
        finally:
            admin.execute("DROP TABLE depends")
        undo(database, devon, run)


class TestWhyNotUndoable:
    def test_names_what_changed_since_and_says_nothing_of_another_agency(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes"), ("B", "no")))
        with database.transaction(devon.scope) as session:
            code = session.scalars(select(Household.code).order_by(Household.code)).first()
            session.execute(update(Household).where(Household.code == code).values(considered_for=1))

        assert _reasons(database, devon, run) == (
            f"{code} was changed after the import. Undo what came later first, if you can.",
        )

    def test_sees_a_change_of_any_part(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, sheet(["Reference", "Status", "Profile"], ["A", "waiting", "Calm."]))
        with database.transaction(devon.scope) as session:
            session.execute(update(HouseholdProfile).values(text="Calm!"))
        [reason] = _reasons(database, devon, run)
        assert "changed after the import" in reason

    def test_sees_that_a_record_is_shared_otherwise(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        with database.transaction(devon.scope) as session:
            household_id = session.scalars(select(Household.id)).one()
            share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=household_id, held=True, reason="A new baby")
        assert len(_reasons(database, devon, run)) == 1

    def test_is_over_after_a_day(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        assert _reasons(database, devon, run, now=NOW + UNDOABLE_FOR) == ()
        [reason] = _reasons(database, devon, run, now=NOW + UNDOABLE_FOR + timedelta(seconds=1))
        assert "24 hours" in reason

    def test_is_over_once_the_records_as_they_were_are_forgotten(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        late = NOW + timedelta(days=3)
        with database.transaction(devon.scope) as session:
            forget_images(session, agency_id=devon.id, now=late)

        # An undoing that was asked for in time and failed may be set to run again much later.
        with database.transaction(devon.scope) as session, pytest.raises(NotUndoable, match="no longer kept"):
            undo_import(session, get_import(session, run.id), asked_at=NOW, progress=lambda *_: None, now=late)

    def test_is_nothing_for_what_changed_nothing(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        check = take(database, devon, _sheet(("A", "yes")), dry_run=True)
        waiting = ask_for(database, devon, _sheet(("B", "yes")))
        take(database, devon, _sheet(("A", "yes")))
        same = take(database, devon, _sheet(("A", "yes")))
        for run, word in ((check, "check"), (waiting, "not finished"), (same, "changed nothing")):
            [reason] = _reasons(database, devon, run)
            assert word in reason

    @pytest.mark.parametrize(
        ("whose", "stage", "held", "packed"),
        [
            ("own", "in-house", False, True),
            ("neighbour", "consortium", False, True),
            ("neighbour", "in-house", False, False),
            ("neighbour", "hold", True, False),
        ],
    )
    def test_sees_a_pack_that_may_show_it(
        self,
        database: Database,
        factories: Factories,
        admin: psycopg.Connection[Any],
        whose: str,
        stage: str,
        held: bool,
        packed: bool,
    ) -> None:
        devon, dorset = factories.two_tenants()
        reason = "Waiting" if held else None
        run = take(
            database,
            devon,
            sheet(["Reference", "Status", "Sharing", "Sharing reason"], ["A", "waiting", stage, reason]),
        )
        builder = devon if whose == "own" else dorset
        _pack(admin, builder, built_at=NOW - timedelta(seconds=1))
        assert _reasons(database, devon, run, now=_LATER) == ()
        _pack(admin, builder, built_at=_LATER)
        assert bool(_reasons(database, devon, run, now=_LATER)) is packed


class TestRequestUndo:
    def test_is_one_job_when_asked_twice(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        with database.transaction(devon.scope) as session:
            first, second = (request_undo(session, get_import(session, run.id), now=NOW) for _ in range(2))
            job = get_job(session, first)
        assert first == second
        assert (job.kind, job.payload) == ("import_undo", {"import_run_id": str(run.id)})

    def test_runs_a_cancelled_one_again(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        with database.transaction(devon.scope) as session:
            job = get_job(session, request_undo(session, get_import(session, run.id), now=NOW))
            cancel_job(session, job, now=NOW)
            request_undo(session, get_import(session, run.id), now=_LATER)
            assert get_job(session, job.id).state is JobState.WAITING

    def test_is_refused_to_who_may_not_import(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")))
        with database.transaction(devon.acting_as(Role.MANAGER)) as session, pytest.raises(NotAllowed):
            request_undo(session, get_import(session, run.id), now=NOW)

    def test_is_refused_with_the_reasons(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, _sheet(("A", "yes")), dry_run=True)
        with database.transaction(devon.scope) as session, pytest.raises(NotUndoable) as refused:
            request_undo(session, get_import(session, run.id), now=NOW)
        assert refused.value.reasons == ("A check changes nothing, so there is nothing to undo.",)


class TestImages:
    def test_are_sealed(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        headings = ["Reference", "Status", "Profile"]
        take(database, devon, sheet(headings, ["A", "waiting", "Calm."]))
        take(database, devon, sheet(headings, ["A", "waiting", "Lively."]))
        with database.transaction(devon.scope) as session:
            images = session.scalars(select(ImportImage)).all()
        assert sorted(image.sealed_before is None for image in images) == [False, True]
        assert not any(b"Calm" in (image.sealed_before or b"") for image in images)
        with database.transaction(dorset.scope) as session:
            assert session.scalars(select(ImportImage)).all() == []

    def test_are_forgotten_once_nothing_can_be_taken_back(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        for tenant in (devon, dorset):
            take(database, tenant, _sheet(("A", "yes")))
        with database.transaction(devon.scope) as session:
            forget_images(session, agency_id=devon.id, now=NOW + timedelta(hours=47))
            assert session.scalar(select(func.count()).select_from(ImportImage)) == 1
        take(database, devon, _sheet(("A", "yes")), now=NOW + timedelta(hours=49))
        assert [_count_images(database, tenant) for tenant in (devon, dorset)] == [0, 1]

    def test_hold_every_table_that_goes_with_a_record(self, admin: psycopg.Connection[Any]) -> None:
        """A table whose rows go with a record would be lost by an undo, unless an image holds it or it stops one."""
        going = {
            table
            for (table,) in admin.execute(
                "WITH RECURSIVE gone (oid) AS (SELECT unnest(ARRAY['household', 'sibling_group']::regclass[]) UNION "
                "SELECT c.conrelid FROM pg_constraint c JOIN gone g ON c.confrelid = g.oid "
                "WHERE c.contype = 'f' AND c.confdeltype <> 'a' AND c.confdeltype <> 'r') "
                "SELECT oid::regclass::text FROM gone"
            )
        }
        held = {part.table.name for kind in (SheetKind.HOUSEHOLDS, SheetKind.CHILDREN) for part in parts_of(kind)}
        stop_one = {"agreement_entry", "glass", "glass_judgement", "record_bar", "legal_hold", "clock_mark"}
        stop_one |= {"clock_reason", "decline", "decline_feedback"}
        # Whoever moves a child changes both groups; words are kept from the records by triggers.
        assert going == held | stop_one | {"sibling_move", "household_words", "sibling_group_words"}


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, which sees every row."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection


def _count_images(database: Database, tenant: Tenant) -> int:
    with database.transaction(tenant.scope) as session:
        return session.scalar(select(func.count()).select_from(ImportImage)) or 0


def _reasons(database: Database, tenant: Tenant, run: Any, **facts: Any) -> tuple[str, ...]:
    with database.transaction(tenant.scope) as session:
        return why_not_undoable(session, get_import(session, run.id), **{"now": NOW, **facts})


def _pack(admin: psycopg.Connection[Any], tenant: Tenant, *, built_at: object) -> None:
    meeting, job = uuid4(), uuid4()
    consortium = tenant.scope.consortium_id
    admin.execute(
        "INSERT INTO meeting (id, consortium_id, agency_id, title, held_on, place, agenda, arranged_at) "
        "VALUES (%s, %s, %s, 'A', %s, 'B', '{C}', %s)",
        (meeting, consortium, tenant.id, TODAY, NOW),
    )
    admin.execute(
        "INSERT INTO job (id, agency_id, kind, urgent, key, payload, requested_at, state, attempt, due_at, "
        "progress_done) VALUES (%s, %s, 'x', false, %s, '{}', %s, 'done', 1, %s, 0)",
        (job, tenant.id, str(job), NOW, NOW),
    )
    admin.execute(
        "INSERT INTO pack (id, meeting_id, consortium_id, agency_id, version, as_of, job_id, requested_at, built_at, "
        "digest, expires_on) VALUES (%s, %s, %s, %s, 1, %s, %s, %s, %s, sha256('x'), %s)",
        (uuid4(), meeting, consortium, tenant.id, TODAY, job, NOW, built_at, TODAY),
    )


def _sheet(*lines: Sequence[CellValue]) -> bytes:
    return sheet(["Reference", "Status", "Pets"], *([line[0], "waiting", *line[1:]] for line in lines))


def _households(rows: Sequence[HouseholdRow]) -> bytes:
    return csv_file([headings_of(SheetKind.HOUSEHOLDS), *map(household_line, rows)])


def _children(chance: random.Random, groups: int) -> bytes:
    """Return a sheet of groups of one to three children, whose every cell but the references is drawn."""
    choices = {
        "Forename": ("Fictia", "Bracken", None),
        "Born": ("21/06/2022", "02/11/2023", None),
        "Need: Neglect": ("low", "high", None),
        "Legal position": ("order granted", "appeal", None),
        "Home outward code": ("EX4", "PL4", None),
        "Exclusion areas": ("PL4 10", "EX1 5; TR1 20", None),
        "Profile": ("Lively.", "Calm.", None),
        "Sharing": ("consortium", "in-house", None),
    }
    own = 3
    lines = []
    for group in range(groups):
        shared = [chance.choice(each) for each in list(choices.values())[own:]]
        for child in range(1 + (group + groups) % 3):
            drawn = [chance.choice(each) for each in list(choices.values())[:own]]
            lines.append([f"G{group}", f"C{group}-{child}", *drawn, *shared])
    return sheet(["Group reference", "Child reference", *choices], *lines)
