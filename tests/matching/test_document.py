from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from matching.document import (
    DocumentOfAnother,
    DocumentShredded,
    DocumentUnknown,
    ReportKind,
    add_cpr,
    add_par,
    get_document,
    list_documents_of,
    list_versions,
    shred_version,
    unseal_version,
)
from matching.document_check import CheckedPdf
from matching.document_opening import title_of
from matching.household import get_household
from matching.ranking.facts import Sex
from matching.sibling_group import get_group, list_children
from tenants import audit
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.report_factory import make_par

FILE = CheckedPdf(b"%PDF of a made-up family", 3)


class TestAddPar:
    def test_keeps_the_file_sealed_and_says_so(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)

        with transaction(database, us) as session:
            version = add_par(session, get_household(session, household_id), file=FILE, now=utc_now())

        assert (version.version, version.pages, version.size) == (1, 3, len(FILE.content))
        with transaction(database, us) as session:
            document = get_document(session, version.document_id)
            assert unseal_version(session, document) == FILE.content
            (kept,) = list_versions(session, document)
            assert FILE.content not in kept.sealed
            entry = audit.list_entries_of(session, household_id)[0]
        assert (entry.act, entry.level, entry.reason) == (
            audit.Act.CHANGE,
            audit.Level.REPORT,
            "PAR, version 1 added",
        )
        with transaction(database, them) as session:
            assert list_documents_of(session, [household_id]) == []
            with pytest.raises(DocumentUnknown):
                get_document(session, version.document_id)

    def test_replaces_and_keeps_the_older(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        for content in (b"%PDF one", b"%PDF two"):
            document_id = make_par(database, us, household_id, content)

        with transaction(database, us) as session:
            (document,) = list_documents_of(session, [household_id])
            assert (document.id, document.version) == (document_id, 2)
            assert [unseal_version(session, document, version=number) for number in (None, 2, 1, 3)] == [
                *(b"%PDF two", b"%PDF two", b"%PDF one"),
                None,
            ]

    def test_counts_on_when_several_add_at_once(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)

        with ThreadPoolExecutor(4) as pool:
            made = set(pool.map(lambda _: make_par(database, us, household_id), range(4)))

        assert len(made) == 1
        with transaction(database, us) as session:
            (document,) = list_documents_of(session, [household_id])
            assert [version.version for version in list_versions(session, document)] == [4, 3, 2, 1]

    def test_is_for_ones_own_agency_and_those_who_keep_reports(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)

        with transaction(database, them) as session, pytest.raises(DocumentOfAnother):
            add_par(session, get_household(session, household_id), file=FILE, now=utc_now())
        with database.transaction(us.acting_as(Role.CHILDS_SOCIAL_WORKER)) as session:
            household = get_household(session, household_id)
            with pytest.raises(NotAllowed):
                add_par(session, household, file=FILE, now=utc_now())


class TestAddCpr:
    def test_keeps_one_of_the_group_and_one_of_each_child(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, children=((None, Sex.FEMALE), (None, Sex.MALE)))

        with transaction(database, us) as session:
            group = get_group(session, group_id)
            children = list_children(session, [group_id])[group_id]
            for child in (None, *children, children[1]):
                add_cpr(session, group, file=FILE, child=child, now=utc_now())
            found = list_documents_of(session, [group_id])
            told = [(title_of(session, each), each.version, each.kind) for each in found]

        assert sorted(told) == sorted(
            [
                (f"CPR of {group.code}", 1, ReportKind.CPR),
                (f"CPR of child 1 of {group.code}", 1, ReportKind.CPR),
                (f"CPR of child 2 of {group.code}", 2, ReportKind.CPR),
            ]
        )

    def test_takes_no_child_of_another_group(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        one, other = factories.group(us), factories.group(us)

        with transaction(database, us) as session:
            (child,) = list_children(session, [other])[other]
            with pytest.raises(DocumentOfAnother):
                add_cpr(session, get_group(session, one), file=FILE, child=child, now=utc_now())


class TestShredVersion:
    def test_destroys_the_content_and_leaves_the_row(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        document_id = make_par(database, us, household_id)

        _shred(database, us, document_id)

        with transaction(database, us) as session:
            document = get_document(session, document_id)
            (version,) = list_versions(session, document)
            assert (version.sealed_key, version.sealed, version.shredded_at is not None) == (None, b"", True)
            with pytest.raises(DocumentShredded):
                unseal_version(session, document)
            assert audit.list_entries_of(session, household_id)[0].act is audit.Act.DESTROY
        with pytest.raises(DocumentShredded):
            _shred(database, us, document_id)


def _shred(database: Database, tenant: Tenant, document_id: UUID) -> None:
    with transaction(database, tenant) as session:
        (version,) = list_versions(session, get_document(session, document_id))
        shred_version(session, version, reason="kept for long enough", now=utc_now())
