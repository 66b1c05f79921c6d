from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from matching.breach import (
    Breach,
    BreachClosed,
    BreachInvalid,
    BreachUnknown,
    EntryKind,
    add_entry,
    export_breach,
    get_breach,
    list_breaches,
    open_breach,
    read_breach,
)
from matching.sealed_words import WordsMissing
from tenants import audit
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant, transaction


def begin(database: Database, tenant: Tenant, *, hours_ago: int = 1) -> Breach:
    with transaction(database, tenant) as session:
        return open_breach(
            session, what="A pack was left on a train", found_at=NOW - timedelta(hours=hours_ago), now=NOW
        )


class TestOpenBreach:
    def test_counts_each_agencys_own(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        numbers = [begin(database, tenant).number for tenant in (ours, ours, theirs)]

        assert numbers == [1, 2, 1]
        with transaction(database, ours) as session:
            mine = list_breaches(session, now=NOW)
        assert [said.breach.number for said in mine] == [2, 1]
        assert [each.text for each in mine[0].entries] == ["A pack was left on a train"]
        with transaction(database, theirs) as session:
            assert len(list_breaches(session, now=NOW)) == 1
            with pytest.raises(BreachUnknown):
                get_breach(session, mine[0].breach.id)

    @pytest.mark.parametrize("hours_ago", [-1, 24 * 3654])
    def test_refuses_times_that_cannot_be(self, hours_ago: int, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with pytest.raises(BreachInvalid):
            begin(database, ours, hours_ago=hours_ago)

    def test_wants_words_and_the_right_role(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with pytest.raises(WordsMissing), transaction(database, ours) as session:
            open_breach(session, what=" ", found_at=NOW, now=NOW)
        with pytest.raises(NotAllowed), database.transaction(ours.acting_as(Role.ADMINISTRATOR)) as session:
            open_breach(session, what="Lost", found_at=NOW, now=NOW)


class TestHoursLeft:
    @pytest.mark.parametrize(("hours_ago", "left"), [(0, 72), (1, 71), (72, 0), (73, -1)])
    def test_counts_down_from_72(self, hours_ago: int, left: int, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        breach = begin(database, ours, hours_ago=hours_ago)

        with transaction(database, ours) as session:
            assert read_breach(session, get_breach(session, breach.id), now=NOW).hours_left(NOW) == left

    @pytest.mark.parametrize("kind", [EntryKind.ICO_TOLD, EntryKind.ICO_NOT_TOLD])
    def test_stops_once_it_is_settled(self, kind: EntryKind, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        breach = begin(database, ours)
        with transaction(database, ours) as session:
            add_entry(session, get_breach(session, breach.id), kind=kind, text="By telephone", now=NOW)
            assert read_breach(session, get_breach(session, breach.id), now=NOW).hours_left(NOW) is None


class TestAddEntry:
    def test_only_adds_sealed_and_on_record(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        breach = begin(database, ours)
        with transaction(database, ours) as session:
            entry = add_entry(
                session, get_breach(session, breach.id), kind=EntryKind.RISK, text="Two families", now=NOW
            )
            assert b"families" not in entry.sealed
            assert audit.Act.ADD in {each.act for each in audit.list_entries_of(session, breach.id)}
        for statement in ("UPDATE breach_entry SET kind = 'risk'", "DELETE FROM breach_entry", "DELETE FROM breach"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction(database, ours) as session:
                session.execute(text(statement))

    def test_closes_once_the_commissioner_is_settled_and_then_takes_no_more(
        self, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        breach = begin(database, ours)
        with transaction(database, ours) as session:
            found = get_breach(session, breach.id)
            with pytest.raises(BreachClosed, match="Say first"):
                add_entry(session, found, kind=EntryKind.CLOSED, text="Done", now=NOW)
            add_entry(session, found, kind=EntryKind.ICO_NOT_TOLD, text="The pack came back unopened", now=NOW)
            add_entry(session, found, kind=EntryKind.CLOSED, text="Done", now=NOW + timedelta(minutes=1))
            with pytest.raises(BreachClosed):
                add_entry(session, found, kind=EntryKind.LEARNT, text="Late", now=NOW)


class TestExportBreach:
    def test_names_who_wrote_what_and_is_on_record(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        breach = begin(database, ours)
        with transaction(database, ours) as session:
            found = get_breach(session, breach.id)
            answer = export_breach(session, found, names={breach.opened_by: "Sam Sample"}, now=NOW)
            assert audit.Act.EXPORT in {each.act for each in audit.list_entries_of(session, breach.id)}

        assert [(each["kind"], each["by"]) for each in answer["entries"]] == [("what_happened", "Sam Sample")]
        assert answer["tell_by"] == (NOW + timedelta(hours=71)).isoformat()
