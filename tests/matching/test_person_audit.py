"""What a person saw is told by the agency they saw it for, and by no other."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from matching.household import get_household
from matching.person_audit import export_person_audit, list_audited_people, read_person_audit
from matching.record import open_household
from tenants.agency import get_agency
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.person import PersonUnknown, appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, NOW, Factories, Tenant, transaction


class TestReadPersonAudit:
    def test_says_what_they_looked_at_and_whose_it_was(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them)
        with transaction(database, us) as session:
            open_household(session, household_id, now=NOW)
            code = get_household(session, household_id).code

        with transaction(database, us) as session:
            person, page = read_person_audit(session, _person(us), number=1, now=NOW)

        assert person.name == f"Sam Sample {us.slug}"
        seen = {(line.what, line.kind, line.code, line.owner) for line in page.cards}
        assert ("Read the anonymous profile", "Household", code, them.name) in seen

    def test_leaves_out_what_they_did_for_another_agency(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        with database.transaction(OPERATOR) as session:
            person, agency = get_person(session, _person(us)), get_agency(session, them.id)
            appoint(session, person, agency=agency, role=Role.MANAGER, starts_on=LONG_AGO)
        with database.transaction(replace(us.scope, agency_id=them.id)) as session:
            open_household(session, household_id, now=NOW)

        with transaction(database, us) as session:
            ours = read_person_audit(session, _person(us), number=1, now=NOW)[1]
        with transaction(database, them) as session:
            theirs = read_person_audit(session, _person(us), number=1, now=NOW)[1]

        assert "Read the anonymous profile" not in {line.what for line in ours.cards}
        assert "Read the anonymous profile" in {line.what for line in theirs.cards}

    def test_is_on_record_itself(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        for _each in range(2):
            with transaction(database, us) as session:
                page = read_person_audit(session, _person(us), number=1, now=NOW)[1]

        assert [line.what for line in page.cards].count("Looked at who had seen it") == 1

    def test_is_of_ones_own_people_and_for_its_readers(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()

        for person_id in (_person(them), uuid4()):
            with transaction(database, us) as session, pytest.raises(PersonUnknown):
                read_person_audit(session, person_id, number=1, now=NOW)
        with database.transaction(us.acting_as(Role.FAMILY_FINDER)) as session, pytest.raises(NotAllowed):
            read_person_audit(session, _person(us), number=1, now=NOW)


class TestExportPersonAudit:
    def test_gives_the_same_as_rows_and_says_that_it_left(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        with transaction(database, us) as session:
            rows = list(export_person_audit(session, _person(us), now=NOW)[1])

        assert "Took away who had seen it, as a file" in {row["What"] for row in rows}
        assert {row["Who"] for row in rows} == {f"Sam Sample {us.slug}"}


class TestListAuditedPeople:
    def test_lists_ones_own(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        with transaction(database, us) as session:
            people = list_audited_people(session, now=NOW)

        assert [each.person.id for each in people] == [_person(us)]


def _person(tenant: Tenant) -> UUID:
    assert tenant.scope.person_id is not None
    return tenant.scope.person_id
