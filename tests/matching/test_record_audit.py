"""Who looked at a record: told to its own agency's people, with the people of others named by their agency alone."""

from __future__ import annotations

from uuid import uuid4

import pytest

from matching.household import HouseholdUnknown, get_household, read_identity
from matching.record import open_group, open_household
from matching.record_audit import RecordUnknown, find_audited, read_group_audit, read_household_audit
from matching.register import PAGE_SIZE
from matching.sibling_group import GroupUnknown, get_group
from tenants import audit
from tenants.audit import Act, Level
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, transaction


class TestReadGroupAudit:
    def test_names_ones_own_people_and_the_agency_of_others(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        for tenant in (us, them):
            with transaction(database, tenant) as session:
                open_group(session, group_id, now=NOW)

        with transaction(database, us) as session:
            group, page = read_group_audit(session, group_id, number=1, now=NOW)

        assert group.id == group_id
        looks = {(line.person, line.agency, line.own) for line in page.cards if "profile" in line.what}
        assert looks == {(f"Sam Sample {us.slug}", us.name, True), ("Somebody of theirs", them.name, False)}
        assert "Set how far it is shared: with the consortium" in {line.what for line in page.cards}

    def test_is_itself_on_record_from_then_on(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)

        with transaction(database, us) as session:
            first = read_group_audit(session, group_id, number=1, now=NOW)[1]
        with transaction(database, us) as session:
            second = read_group_audit(session, group_id, number=1, now=NOW)[1]

        assert "Looked at who had seen it" not in {line.what for line in first.cards}
        assert [line.what for line in second.cards].count("Looked at who had seen it") == 1
        assert second.total == first.total + 1

    def test_names_commands_and_the_service(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        nobody_there = us.acting_as()
        for request_id, act in (("cli:rank", Act.RANK), ("schedule", Act.SHARE), ("job:1", Act.BUILD)):
            scope = type(nobody_there)(agency_id=us.id, consortium_id=nobody_there.consortium_id)
            with database.transaction(scope) as session:
                session.info["request_id"] = request_id
                audit.record(session, act, record_kind="sibling_group", record_id=group_id, now=NOW)

        with transaction(database, us) as session:
            page = read_group_audit(session, group_id, number=1, now=NOW)[1]

        assert {"A command on the server: rank", "Concord, by its schedule"} <= {line.person for line in page.cards}

    def test_is_not_told_of_anothers_group(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        theirs = factories.group(them)

        for group_id in (theirs, uuid4()):
            with transaction(database, us) as session, pytest.raises(GroupUnknown):
                read_group_audit(session, group_id, number=1, now=NOW)

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.MANAGER, Role.INFORMATION_GOVERNANCE}))
    def test_is_for_those_who_answer_for_it(self, role: Role, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)

        with database.transaction(us.acting_as(role)) as session, pytest.raises(NotAllowed, match="who looked"):
            read_group_audit(session, group_id, number=1, now=NOW)

    @pytest.mark.parametrize("number", [-1, 1, 2, 10**30])
    def test_comes_a_page_at_a_time(self, number: int, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        with transaction(database, us) as session:
            for _each in range(PAGE_SIZE):
                audit.record(session, Act.READ, record_kind="sibling_group", record_id=group_id, now=NOW)

        with transaction(database, us) as session:
            page = read_group_audit(session, group_id, number=number, now=NOW)[1]

        assert (page.total, page.number) == (PAGE_SIZE + 1, 1 if number < 2 else 2)
        assert len(page.cards) == (PAGE_SIZE if number < 2 else 1)


class TestReadHouseholdAudit:
    def test_says_how_much_was_seen(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        with transaction(database, us) as session:
            read_identity(session, get_household(session, household_id), now=NOW)
        with transaction(database, them) as session:
            open_household(session, household_id, now=NOW)

        with transaction(database, us) as session:
            household, page = read_household_audit(session, household_id, number=1, now=NOW)

        assert household.id == household_id
        said = {(line.agency, line.what) for line in page.cards}
        assert {(us.name, "Opened who it is about"), (them.name, "Read the anonymous profile")} <= said

    def test_is_not_told_of_anothers(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        theirs = factories.household(them)

        with transaction(database, us) as session, pytest.raises(HouseholdUnknown):
            read_household_audit(session, theirs, number=1, now=NOW)

    @pytest.mark.parametrize("act", Act)
    @pytest.mark.parametrize("level", [None, *Level])
    def test_has_words_for_every_act(
        self, act: Act, level: Level | None, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        with transaction(database, us) as session:
            audit.record(
                session, act, record_kind="household", record_id=household_id, level=level, reason="held back", now=NOW
            )

        with transaction(database, us) as session:
            page = read_household_audit(session, household_id, number=1, now=NOW)[1]

        assert all(line.what and "_" not in line.what for line in page.cards)

    @pytest.mark.parametrize(
        ("act", "kind", "level", "reason", "words"),
        [
            (Act.REQUEST, "household", Level.REPORT, None, "Asked to open a report"),
            (Act.REQUEST, "household", Level.IDENTITY, "asked", "Took a request about it: asked"),
            (Act.REQUEST, "subject_request", Level.IDENTITY, None, "Took a request for access"),
            (Act.REQUEST, "retention_run", None, None, "Asked that records be destroyed"),
            (Act.HOLD, "household", None, "hold on destruction", "Stopped its destruction"),
            (Act.HOLD, "retention_hold", None, "import_file", "Stopped its destruction: import file"),
            (Act.RELEASE, "household", None, "hold on destruction", "Let its destruction go on again"),
            (Act.RELEASE, "subject_request", None, None, "Released a part to whom it is about"),
        ],
    )
    def test_calls_what_was_done_by_the_kind_of_record(
        self,
        act: Act,
        kind: str,
        level: Level | None,
        reason: str | None,
        words: str,
        factories: Factories,
        database: Database,
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        with transaction(database, us) as session:
            audit.record(session, act, record_kind=kind, record_id=household_id, level=level, reason=reason, now=NOW)

        with transaction(database, us) as session:
            page = read_household_audit(session, household_id, number=1, now=NOW)[1]

        assert words in {line.what for line in page.cards}


class TestFindAudited:
    def test_finds_ones_own_by_code(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(us)
        theirs = factories.household(them)
        with transaction(database, us) as session:
            codes = [get_group(session, group_id).code, get_household(session, household_id).code.lower()]
            found = [find_audited(session, code) for code in codes]
            for unknown in (get_household(session, theirs).code, "H-000000", "", "\0"):
                with pytest.raises(RecordUnknown, match="Your agency has no"):
                    find_audited(session, unknown)

        assert found == [("group", group_id), ("household", household_id)]
