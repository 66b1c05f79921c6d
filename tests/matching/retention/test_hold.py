from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from matching.household import get_household
from matching.record_audit import RecordUnknown
from matching.retention.hold import HoldStands, HoldUnknown, get_hold, lift_hold, place_hold, read_holds
from matching.retention.record_class import RecordClass
from matching.sealed_words import WordsMissing
from tenants import audit
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant, transaction


def code_of(database: Database, tenant: Tenant, factories: Factories) -> str:
    household_id = factories.household(tenant)
    with transaction(database, tenant) as session:
        return get_household(session, household_id).code


class TestPlaceHold:
    def test_keeps_who_why_and_on_what(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        code = code_of(database, ours, factories)
        with transaction(database, ours) as session:
            hold = place_hold(session, reference=code.lower(), reason="An inquiry asks for it", now=NOW)
            place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="The same inquiry", now=NOW)

        with transaction(database, ours) as session:
            mine = read_holds(session, now=NOW)
            acts = {entry.act for entry in audit.list_entries_of(session, hold.record_id or hold.id)}
        with transaction(database, theirs) as session:
            others = read_holds(session, now=NOW)

        assert {(each.hold.code, each.hold.record_class, each.reason) for each in mine} == {
            (code, None, "An inquiry asks for it"),
            (None, RecordClass.IMPORT_FILE, "The same inquiry"),
        }
        assert {each.hold.held_by for each in mine} == {ours.scope.person_id}
        assert audit.Act.HOLD in acts
        assert others == []

    def test_is_in_the_way_of_every_deletion(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        code = code_of(database, ours, factories)
        with transaction(database, ours) as session:
            place_hold(session, reference=code, reason="An inquiry asks for it", now=NOW)

        with pytest.raises(IntegrityError, match="a hold on destruction"), transaction(database, ours) as session:
            session.execute(text("DELETE FROM household WHERE code = :code"), {"code": code})

    def test_refuses_anothers_record_as_one_that_is_not_there(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        code = code_of(database, theirs, factories)
        for asked in (code, "H-000000"):
            with pytest.raises(RecordUnknown, match=asked), transaction(database, ours) as session:
                place_hold(session, reference=asked, reason="Why not", now=NOW)

    def test_refuses_a_second_a_blank_and_other_roles(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with transaction(database, ours) as session:
            place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="Once", now=NOW)
        with pytest.raises(HoldStands), transaction(database, ours) as session:
            place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="Twice", now=NOW)
        with pytest.raises(WordsMissing), transaction(database, ours) as session:
            place_hold(session, record_class=RecordClass.ADOPTION_RECORD, reason=" ", now=NOW)
        with pytest.raises(NotAllowed), database.transaction(ours.acting_as(Role.FAMILY_FINDER)) as session:
            place_hold(session, record_class=RecordClass.ADOPTION_RECORD, reason="Why", now=NOW)


class TestLiftHold:
    def test_keeps_by_whom_and_why_and_happens_once(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        with transaction(database, ours) as session:
            placed = place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="An inquiry", now=NOW)
        with pytest.raises(HoldUnknown), transaction(database, theirs) as session:
            get_hold(session, placed.id)

        with transaction(database, ours) as session:
            lift_hold(session, get_hold(session, placed.id), reason="It ended", now=NOW)

        with transaction(database, ours) as session:
            (said,) = read_holds(session, now=NOW)
        assert (said.lifting, said.hold.lifted_by) == ("It ended", ours.scope.person_id)
        with pytest.raises(HoldStands), transaction(database, ours) as session:
            lift_hold(session, get_hold(session, placed.id), reason="Again", now=NOW)
        with transaction(database, ours) as session:
            place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="A new one may stand", now=NOW)
