from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.household import Household, HouseholdStatus, get_household
from matching.intake.column import SheetKind
from matching.intake.import_run import FileDestroyed, get_import, open_file, request_import
from matching.ranking.facts import Sex
from matching.rectification import ask_rectification
from matching.retention.adoption_order import record_order
from matching.retention.destruction import NotApproved, RunUnfinished, destroy_item, finish_run
from matching.retention.due import preview
from matching.retention.hold import place_hold
from matching.retention.record_class import RecordClass
from matching.retention.run import (
    NothingChosen,
    Outcome,
    RunDecided,
    RunUnknown,
    ask_for_destruction,
    decide,
    get_run,
    list_items,
    list_runs,
    read_certificate,
)
from matching.sibling_group import GroupStatus
from matching.subject_access.request import open_request
from tenants import audit
from tenants.approval import SamePerson
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant, transaction
from tests.matching.retention.people import OLD, agreed, colleague, old_household

_OF_HOUSEHOLD = ("household", "household_identity", "household_profile", "household_place", "pool_entry")


def destroy_all(database: Database, tenant: Tenant, run_id: UUID) -> list[Outcome]:
    with transaction(database, tenant) as session:
        waiting = [item.id for item in list_items(session, get_run(session, run_id), waiting=True)]
    outcomes = []
    for item_id in waiting:
        with transaction(database, tenant) as session:
            outcomes.append(destroy_item(session, item_id, now=NOW))
    return outcomes


class TestAskForDestruction:
    def test_takes_only_what_is_due_and_nobody_asked_for(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        due, waiting, others = (
            old_household(factories, ours),
            factories.household(ours),
            old_household(factories, theirs),
        )
        for chosen in ([], [waiting], [due, others], [due, uuid4()]):
            with pytest.raises(NothingChosen), transaction(database, ours) as session:
                ask_for_destruction(session, chosen, reason="Over", now=NOW)

        with transaction(database, ours) as session:
            run = ask_for_destruction(session, [due], reason="Over", now=NOW)
        with pytest.raises(NothingChosen), transaction(database, ours) as session:
            ask_for_destruction(session, [due], reason="Again", now=NOW)

        with transaction(database, theirs) as session:
            assert list_runs(session) == []
            with pytest.raises(RunUnknown):
                get_run(session, run.id)

    def test_is_not_for_every_role(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        due = old_household(factories, ours)
        with pytest.raises(NotAllowed), database.transaction(ours.acting_as(Role.MANAGER)) as session:
            ask_for_destruction(session, [due], reason="Over", now=NOW)


class TestDecide:
    def test_wants_another_person(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        due = old_household(factories, ours)
        with transaction(database, ours) as session:
            run = ask_for_destruction(session, [due], reason="Over", now=NOW)

        with pytest.raises(SamePerson), transaction(database, ours) as session:
            decide(session, get_run(session, run.id), approve=True, reason="I agree with myself", now=NOW)
        with pytest.raises(IntegrityError, match="two_persons"), transaction(database, ours) as session:
            session.execute(
                text(
                    "UPDATE retention_run SET approved = true, sealed_decision = '', decided_by = asked_by, "
                    "decided_at = now() WHERE id = :id"
                ),
                {"id": run.id},
            )

    def test_keeps_everything_when_it_is_refused(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        due = old_household(factories, ours)
        with transaction(database, ours) as session:
            run = ask_for_destruction(session, [due], reason="Over", now=NOW)
        with transaction(database, ours) as session:
            decide(session, get_run(session, run.id), approve=False, reason="I take it back", now=NOW)

        with transaction(database, ours) as session:
            said = read_certificate(session, get_run(session, run.id), now=NOW)
            assert [item.outcome for item in said.items] == [Outcome.KEPT]
            assert (said.reason, said.decision, said.run.finished_at) == ("Over", "I take it back", NOW)
            with pytest.raises(RunDecided):
                decide(session, get_run(session, run.id), approve=False, reason="Twice", now=NOW)
        with transaction(database, ours) as session:
            ask_for_destruction(session, [due], reason="Asked anew", now=NOW)

    def test_is_not_for_every_role(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        due = old_household(factories, ours)
        with transaction(database, ours) as session:
            run = ask_for_destruction(session, [due], reason="Over", now=NOW)
        with pytest.raises(NotAllowed), database.transaction(ours.acting_as(Role.ADMINISTRATOR)) as session:
            decide(session, get_run(session, run.id), approve=True, reason="Why not", now=NOW)


class TestDestroyItem:
    def test_leaves_nothing_of_the_record_and_everything_of_others(
        self, factories: Factories, database: Database, migrated: DatabaseUrls
    ) -> None:
        ours, theirs = factories.two_tenants()
        gone, stays, others = (old_household(factories, tenant) for tenant in (ours, ours, theirs))
        run = agreed(database, ours, gone)

        assert destroy_all(database, ours, run.id) == [Outcome.DESTROYED]

        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            for table in _OF_HOUSEHOLD:
                column = "id" if table == "household" else "household_id"
                left = admin.execute(
                    f"SELECT {column} FROM {table} WHERE {column} = ANY (%s)", ([gone, stays, others],)
                ).fetchall()
                assert {row[0] for row in left} == {stays, others}, table

    def test_says_what_by_whom_and_under_which_rule_with_ids_only(
        self, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        gone = old_household(factories, ours)
        run = agreed(database, ours, gone)
        destroy_all(database, ours, run.id)

        with transaction(database, ours) as session:
            (item,) = read_certificate(session, get_run(session, run.id), now=NOW).items
            entry = next(e for e in audit.list_entries_of(session, gone) if e.act is audit.Act.DESTROY)
        assert item.destroyed == dict.fromkeys(_OF_HOUSEHOLD, 1)
        assert "7 years" in item.rule
        assert entry.reason == (
            f"household_not_placed, asked by {run.asked_by}, approved by {run.decided_by}, run {run.id}"
        )

    def test_takes_a_group_with_its_children(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        born = ((date(1940, 1, 1), Sex.FEMALE), (date(1941, 1, 1), Sex.MALE))
        group_id = factories.group(ours, status=GroupStatus.WITHDRAWN, changed_at=OLD, children=born)
        run = agreed(database, ours, group_id)

        assert destroy_all(database, ours, run.id) == [Outcome.DESTROYED]
        with transaction(database, ours) as session:
            (item,) = list_items(session, get_run(session, run.id))
        assert item.destroyed is not None
        assert (item.destroyed["child"], item.destroyed["child_identity"]) == (2, 2)

    @pytest.mark.parametrize("by_class", [True, False])
    def test_keeps_what_is_held_since_it_was_asked_for(
        self, by_class: bool, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        run = agreed(database, ours, household_id)
        with transaction(database, ours) as session:
            if by_class:
                place_hold(session, record_class=RecordClass.HOUSEHOLD_NOT_PLACED, reason="An inquiry", now=NOW)
            else:
                place_hold(session, reference=get_household(session, household_id).code, reason="A claim", now=NOW)

        assert destroy_all(database, ours, run.id) == [Outcome.KEPT]
        with transaction(database, ours) as session:
            (item,) = list_items(session, get_run(session, run.id))
            assert item.why == "A hold on destruction stands."
            assert get_household(session, household_id)

    def test_keeps_what_was_taken_up_again(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        run = agreed(database, ours, household_id)
        with transaction(database, ours) as session:
            get_household(session, household_id).status = HouseholdStatus.WAITING

        assert destroy_all(database, ours, run.id) == [Outcome.KEPT]

    def test_keeps_what_has_an_order_since(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        run = agreed(database, ours, household_id)
        with transaction(database, ours) as session:
            record_order(session, get_household(session, household_id), ordered_on=date(2005, 1, 1), now=NOW)

        assert destroy_all(database, ours, run.id) == [Outcome.KEPT]

    def test_does_nothing_without_a_second_person(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        with transaction(database, ours) as session:
            run = ask_for_destruction(session, [household_id], reason="Over", now=NOW)

        with pytest.raises(NotApproved):
            destroy_all(database, ours, run.id)
        with transaction(database, ours) as session:
            assert get_household(session, household_id)

    def test_is_all_or_nothing_and_may_be_begun_again(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        run = agreed(database, ours, household_id)
        with transaction(database, ours) as session:
            (item,) = list_items(session, get_run(session, run.id))

        class Killed(Exception):
            pass

        def destroy_and_be_killed() -> None:
            with transaction(database, ours) as session:
                destroy_item(session, item.id, now=NOW)
                raise Killed

        with pytest.raises(Killed):
            destroy_and_be_killed()
        with transaction(database, ours) as session:
            assert session.get(Household, household_id)
            assert not [e for e in audit.list_entries_of(session, household_id) if e.act is audit.Act.DESTROY]
            with pytest.raises(RunUnfinished):
                finish_run(session, get_run(session, run.id), now=NOW)
        for _ in range(2):
            with transaction(database, ours) as session:
                assert destroy_item(session, item.id, now=NOW) is Outcome.DESTROYED
        with transaction(database, ours) as session:
            assert len([e for e in audit.list_entries_of(session, household_id) if e.act is audit.Act.DESTROY]) == 1
        with database.transaction(replace(ours.scope, person_id=run.decided_by)) as session:
            assert finish_run(session, get_run(session, run.id), now=NOW) == {"destroyed": 1, "kept": 0}

    def test_destroys_an_adoption_record_once_its_hundred_years_are_over(
        self, factories: Factories, database: Database, migrated: DatabaseUrls
    ) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as admin:
            admin.execute(
                "INSERT INTO adoption_order VALUES (gen_random_uuid(), %s, %s, NULL, '1920-01-01', %s, now())",
                (ours.id, household_id, ours.scope.person_id),
            )
        run = agreed(database, ours, household_id)

        assert destroy_all(database, ours, run.id) == [Outcome.DESTROYED]

    @pytest.mark.parametrize("held", ["class", "other", "file"])
    def test_keeps_what_is_in_a_file_that_is_held(self, held: str, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        gone, other = old_household(factories, ours), factories.household(ours)
        file = _imported(database, ours, gone, other, now=OLD)
        run = agreed(database, ours, file if held == "file" else gone)
        with transaction(database, ours) as session:
            if held == "class":
                place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="An inquiry", now=NOW)
            else:
                place_hold(session, reference=get_household(session, other).code, reason="A claim", now=NOW)

        assert destroy_all(database, ours, run.id) == [Outcome.KEPT]
        with transaction(database, ours) as session:
            assert get_import(session, file).destroyed_at is None
            assert get_household(session, gone)

    @pytest.mark.parametrize("what", ["record", "file"])
    @pytest.mark.parametrize("correction", [True, False])
    def test_keeps_what_somebody_has_asked_to_see_or_to_have_corrected(
        self, what: str, correction: bool, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        gone = old_household(factories, ours)
        file = _imported(database, ours, gone, now=OLD)
        run = agreed(database, ours, file if what == "file" else gone)
        with transaction(database, ours) as session:
            code = get_household(session, gone).code
            if correction:
                ask_rectification(
                    session, code, field="Home", before="A", after="B", statement="So it is", asked_on=TODAY, now=NOW
                )
            else:
                open_request(session, code, asker="Alder Example", identity="Seen", received_on=TODAY, now=NOW)

        assert destroy_all(database, ours, run.id) == [Outcome.KEPT]
        with transaction(database, ours) as session:
            (item,) = list_items(session, get_run(session, run.id))
            assert "has not been answered" in (item.why or "")


class TestDestroyImport:
    def test_leaves_the_counts_and_the_hash_alone(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with transaction(database, ours) as session:
            asked = request_import(
                session, kind=SheetKind.HOUSEHOLDS, filename="Sample.csv", content=b"a sheet", dry_run=True, now=OLD
            )
            asked.finished_at = OLD
        run = agreed(database, ours, asked.id)

        assert destroy_all(database, ours, run.id) == [Outcome.DESTROYED]
        with transaction(database, ours) as session:
            left = get_import(session, asked.id)
            assert (left.filename, left.digest, left.destroyed_at) == ("(destroyed)", asked.digest, NOW)
            with pytest.raises(FileDestroyed):
                open_file(session, left)
            assert not preview(session, on=NOW.date()).due

    def test_goes_with_a_record_that_it_brought_in(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        file = _imported(database, ours, household_id, now=NOW)
        run = agreed(database, ours, household_id)

        assert destroy_all(database, ours, run.id) == [Outcome.DESTROYED]
        with transaction(database, ours) as session:
            assert get_import(session, file).destroyed_at == NOW


def _imported(database: Database, tenant: Tenant, *record_ids: UUID, now: datetime) -> UUID:
    """Have a file brought records in, and return its import's id."""
    with transaction(database, tenant) as session:
        asked = request_import(
            session, kind=SheetKind.HOUSEHOLDS, filename="Sample.csv", content=b"a sheet", dry_run=False, now=now
        )
        asked.finished_at = now
        session.flush()
        for number, record_id in enumerate(record_ids, start=1):
            session.execute(
                text(
                    "INSERT INTO import_row (id, import_run_id, agency_id, row_number, outcome, record_id) "
                    "VALUES (gen_random_uuid(), :run, :agency, :number, 'added', :record)"
                ),
                {"run": asked.id, "agency": tenant.id, "number": number, "record": record_id},
            )
    return asked.id


class TestColleague:
    def test_is_another_person_of_the_same_agency(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        second = colleague(database, ours)

        assert second.scope.person_id != ours.scope.person_id
        assert second.id == ours.id
