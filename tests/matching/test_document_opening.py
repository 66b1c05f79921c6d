from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from matching.document import DocumentUnknown, add_par, get_document, list_versions
from matching.document_check import CheckedPdf
from matching.document_opening import Reader, UndertakingNeeded, list_readable, open_document
from matching.grant import get_grant, revoke
from matching.household import get_household
from matching.link import LinkOutcome, get_link
from matching.transition import end_link
from tenants import audit
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.report_factory import let_read, make_link, make_par, make_pdf


def as_is(content: bytes, reader: Reader) -> bytes:
    return f"{reader.name}, {reader.agency}: ".encode() + content


class TestOpenDocument:
    def test_lets_who_was_granted_it_read_and_says_so(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id, make_pdf("They have a dog."))
        grant_id = let_read(database, pairing)

        with transaction(database, pairing.children) as session:
            document = get_document(session, document_id)
            content = open_document(session, document, stamp=as_is, now=utc_now())

        assert content.startswith(f"Sam Sample {pairing.children.slug}, {pairing.children.name}: %PDF".encode())
        with transaction(database, pairing.family) as session:
            entry = audit.list_entries_of(session, pairing.household_id)[0]
        assert (entry.act, entry.level) == (audit.Act.READ, audit.Level.REPORT)
        assert (entry.actor_person_id, entry.owner_agency_id) == (pairing.children.scope.person_id, pairing.family.id)
        assert str(grant_id) in (entry.reason or "")

    def test_asks_for_the_undertaking_first(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        let_read(database, pairing, undertaken=False)

        with transaction(database, pairing.children) as session, pytest.raises(UndertakingNeeded):
            open_document(session, get_document(session, document_id), stamp=as_is, now=utc_now())

    def test_opens_the_present_version_to_the_other_side(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id, b"%PDF the first")
        let_read(database, pairing)
        with transaction(database, pairing.family) as session:
            file = CheckedPdf(b"%PDF the second", 1)
            add_par(session, get_household(session, pairing.household_id), file=file, now=utc_now())

        with transaction(database, pairing.children) as session:
            document = get_document(session, document_id)
            assert [version.version for version in list_versions(session, document)] == [2]
            assert b"the second" in open_document(session, document, stamp=as_is, now=utc_now())
            with pytest.raises(DocumentUnknown):
                open_document(session, document, stamp=as_is, now=utc_now(), version=1)
        with transaction(database, pairing.family) as session:
            document = get_document(session, document_id)
            assert b"the first" in open_document(session, document, stamp=as_is, now=utc_now(), version=1)

    def test_is_for_those_who_do_the_work(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        document_id = make_par(database, us, factories.household(us))

        with database.transaction(us.acting_as(Role.FINANCE_OFFICER)) as session, pytest.raises(NotAllowed):
            open_document(session, get_document(session, document_id), stamp=as_is, now=utc_now())

    def test_leaves_no_entry_where_the_mark_cannot_be_made(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        document_id = make_par(database, us, household_id)

        def broken(content: bytes, reader: Reader) -> bytes:
            raise ZeroDivisionError(content, reader)

        with transaction(database, us) as session, pytest.raises(ZeroDivisionError):
            open_document(session, get_document(session, document_id), stamp=broken, now=utc_now())


class TestLeave:
    """What ends it: its last day, its owner, its link."""

    def test_ends_with_the_owners_word(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        grant_id = let_read(database, pairing)
        assert _reads(database, pairing.children, document_id)

        with transaction(database, pairing.family) as session:
            revoke(session, get_grant(session, grant_id), reason="It was meant for another.", now=utc_now())

        assert not _reads(database, pairing.children, document_id)

    @pytest.mark.parametrize("ends", ["children", "family"])
    def test_ends_with_the_link_whoever_ends_it(self, factories: Factories, database: Database, ends: str) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        grant_id = let_read(database, pairing)
        tenant: Tenant = getattr(pairing, ends)

        with transaction(database, tenant) as session:
            link = get_link(session, pairing.link_id)
            facts: dict[str, Any] = {"reason": "It is too far.", "feedback": "They were kind.", "now": utc_now()}
            end_link(session, link, outcome=LinkOutcome.NOT_RIGHT, version=2, **facts)
            assert get_grant(session, grant_id).revoked_reason == "The link has ended."

        assert not _reads(database, pairing.children, document_id)
        with transaction(database, pairing.family) as session:
            entry = audit.list_entries_of(session, pairing.household_id)[0]
        assert (entry.act, entry.actor_person_id) == (audit.Act.REVOKE, tenant.scope.person_id)
        assert str(grant_id) in (entry.reason or "")

    def test_is_one_persons(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        let_read(database, pairing)
        assert pairing.children.scope.consortium_id
        third = factories.tenant(pairing.children.scope.consortium_id)

        assert not _reads(database, third, document_id)


class TestListReadable:
    def test_names_what_one_may_read_and_until_when(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        let_read(database, pairing, days=3)

        with transaction(database, pairing.children) as session:
            found = list_readable(session, now=utc_now())
        with transaction(database, pairing.family) as session:
            others = list_readable(session, now=utc_now())

        assert [(each.document.id, each.grant.ends_on) for each in found] == [
            (document_id, utc_now().date() + timedelta(days=3))
        ]
        assert others == []


def _reads(database: Database, tenant: Tenant, document_id: UUID) -> bool:
    with transaction(database, tenant) as session:
        try:
            document = get_document(session, document_id)
            open_document(session, document, stamp=as_is, now=utc_now())
        except DocumentUnknown:
            return False
        return True
