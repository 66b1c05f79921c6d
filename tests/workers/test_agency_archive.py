"""The archive: all that is the agency's and nothing else, readable with the standard library alone."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from sqlalchemy import func, select

from matching.bar import bar_oneself
from matching.household import get_household
from matching.intake.column import SheetKind
from matching.intake.import_run import request_import
from matching.need import NeedLevel, Tolerance
from matching.ranking.facts import Sex
from tenants.agency_archive import (
    AgencyArchive,
    ArchiveOutdated,
    ArchiveSigned,
    ArchiveUnknown,
    CheckWordWrong,
    get_archive,
    list_archives,
    sign_for_archive,
)
from tenants.approval import SamePerson
from tenants.audit import Act, AuditEntry
from tenants.custody import NotEverything, going_out, moving
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant
from tests.matching.report_factory import let_read, make_link, make_par
from workers.agency_archive import write_archive

MANAGERS = frozenset({Role.MANAGER})


class TestWriteArchive:
    def test_holds_each_row_of_ones_own_and_none_of_others(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        ours = {"household": factories.household(us), "sibling_group": factories.group(us)}
        theirs = [factories.household(them), factories.group(them)]

        archive = taken(database, us)

        for table, record_id in ours.items():
            (row,) = lines(archive, table)
            assert row["id"] == str(record_id)
        assert lines(archive, "household_identity")[0]["sealed"]["address"] == "1 Sample Street"
        assert lines(archive, "child_identity")[0]["sealed"]["forename"] == "Rowan"
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
        assert not [each for each in theirs if str(each) in everything]

    def test_counts_and_fingerprints_each_file(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        factories.household(us)
        factories.household(us)

        archive = taken(database, us)

        manifest = json.loads(archive.read("manifest.json"))
        assert {*manifest["files"], "README.txt", "manifest.json"} == set(archive.namelist())
        for name, facts in manifest["files"].items():
            content = archive.read(name)
            assert (facts["bytes"], facts["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
            if name.endswith(".jsonl"):
                assert facts["rows"] == len(content.splitlines())
        assert manifest["files"]["records/household.jsonl"]["rows"] == 2
        assert {f"records/{each.table}.jsonl" for each in going_out()} <= set(manifest["files"])
        assert manifest["agency"]["short_name"] == us.slug
        assert "agency_key" in manifest["not_included"]

    def test_holds_the_sheets_as_a_spreadsheet_shows_them(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        factories.household(us)

        rows = list(csv.DictReader(io.StringIO(taken(database, us).read("sheets/households.csv").decode("utf-8-sig"))))

        assert len(rows) == 1
        assert "Alder Example" in rows[0].values()

    def test_holds_the_files_that_were_handed_in(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        with database.transaction(us.scope) as session:
            run = request_import(
                session, kind=SheetKind.HOUSEHOLDS, filename="../our sheet.csv", content=b"a,b", dry_run=True, now=NOW
            )

        archive = taken(database, us)

        (row,) = lines(archive, "import_run")
        assert row["sealed"] == f"files/import_run/{run.id}.csv"
        assert archive.read(row["sealed"]) == b"a,b"

    def test_holds_ones_own_reports_opened_and_both_sides_of_a_link(
        self, database: Database, factories: Factories
    ) -> None:
        pairing = make_link(factories, database)
        third = factories.tenant(consortium_of(pairing.family))
        make_par(database, pairing.family, pairing.household_id, b"%PDF a sample report")
        let_read(database, pairing)

        theirs, readers, others = (taken(database, each) for each in (pairing.family, pairing.children, third))

        (version,) = lines(theirs, "document_version")
        assert theirs.read(version["sealed"]) == b"%PDF a sample report"
        assert version["sealed"].endswith(".pdf")
        assert "sealed_key" not in version
        for table in ("document", "document_version"):
            assert lines(readers, table) == []
        for table in ("link", "link_step", "document_grant", "document_undertaking"):
            assert lines(theirs, table) == lines(readers, table) != []
            assert lines(others, table) == []

    def test_is_not_made_for_somebody_from_whom_a_record_is_kept(
        self, database: Database, factories: Factories
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        second = factories.colleague(us, roles=MANAGERS)
        word = word_of(taken(database, us))
        with database.transaction(second.scope) as session:
            bar_oneself(session, get_household(session, household_id), reason="A cousin", now=NOW)

        with pytest.raises(NotEverything):
            taken(database, second)
        with pytest.raises(NotEverything):
            sign(database, second, word=word)

    def test_of_an_agency_with_nothing_is_whole_too(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()

        assert lines(taken(database, us), "household") == []

    @settings(max_examples=4, deadline=None)
    @given(records=st.lists(st.tuples(st.booleans(), st.sampled_from(["household", "group", "children"])), max_size=5))
    def test_of_two_agencies_hold_every_row_of_both_once(
        self, records: list[tuple[bool, str]], database: Database, factories: Factories, admin: psycopg.Connection[Any]
    ) -> None:
        two = factories.two_tenants()
        for first, what in records:
            tenant = two[0] if first else two[1]
            if what == "household":
                factories.household(tenant, tolerances={"neglect": Tolerance()})
            else:
                several = ((None, Sex.FEMALE),) * (3 if what == "children" else 1)
                factories.group(tenant, children=several, needs={"neglect": NeedLevel.LOW}, exclusion_areas={"PL4": 10})

        archives = [taken(database, tenant) for tenant in two]

        for holding in moving():
            if holding.sides == 1 and holding.kept_in is None:
                known = admin.execute(
                    sql.SQL("SELECT count(*) FROM {} WHERE agency_id = ANY (%s)").format(sql.Identifier(holding.table)),
                    ([tenant.id for tenant in two],),
                ).fetchone()
                taken_out = [json.dumps(row) for archive in archives for row in lines(archive, holding.table)]
                assert known == (len(taken_out),)
                assert len(set(taken_out)) == len(taken_out)

    def test_is_on_record_with_every_record_that_leaves(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)

        taken(database, us)

        with database.transaction(us.scope) as session:
            entries = select(AuditEntry.record_kind).where(
                AuditEntry.act == Act.EXPORT, AuditEntry.owner_agency_id == us.id
            )
            assert sorted(session.scalars(entries)) == ["agency_archive", "household"]
            assert session.scalar(select(func.count()).where(AuditEntry.record_id == household_id))

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.MANAGER}))
    def test_is_for_managers_alone(self, role: Role, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()

        with database.transaction(us.acting_as(role)) as session, pytest.raises(NotAllowed):
            write_archive(session, io.BytesIO(), now=NOW)


class TestSignForArchive:
    def test_keeps_who_signed(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        second = factories.colleague(us, roles=frozenset({Role.INFORMATION_GOVERNANCE}))
        word = word_of(taken(database, us))

        sign(database, second, word=f" {word.upper()} ")

        with database.transaction(us.scope) as session:
            (kept,) = list_archives(session)
            assert (kept.received_by, kept.received_at) == (second.scope.person_id, NOW)
        with database.transaction(them.scope) as session:
            assert list_archives(session) == []
            with pytest.raises(ArchiveUnknown):
                get_archive(session, kept.id)
        with pytest.raises(ArchiveSigned):
            sign(database, second, word=word)

    def test_refuses_who_took_it(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        word = word_of(taken(database, us))

        with pytest.raises(SamePerson):
            sign(database, us, word=word)

    def test_takes_one_person_where_a_command_took_it(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        word = word_of(taken(database, replace(us, scope=replace(us.scope, person_id=None))))

        sign(database, us, word=word)

    def test_refuses_whoever_has_not_opened_it(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        second = factories.colleague(us, roles=MANAGERS)
        taken(database, us)

        for word in ("", "bcdfghjkmnpq", "\x00", "é" * 9000):
            with pytest.raises(CheckWordWrong):
                sign(database, second, word=word)

    def test_refuses_once_a_record_has_changed(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        second = factories.colleague(us, roles=MANAGERS)
        word = word_of(taken(database, us))
        factories.household(us)

        with pytest.raises(ArchiveOutdated, match="Take them out again"):
            sign(database, second, word=word)


def consortium_of(tenant: Tenant) -> UUID:
    assert tenant.scope.consortium_id
    return tenant.scope.consortium_id


def taken(database: Database, tenant: Tenant) -> ZipFile:
    out = io.BytesIO()
    with database.transaction(tenant.scope) as session:
        write_archive(session, out, now=NOW)
    return ZipFile(out)


def lines(archive: ZipFile, table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(f"records/{table}.jsonl").splitlines()]


def word_of(archive: ZipFile) -> str:
    found = re.search(r"Check word: (\w+)", archive.read("README.txt").decode())
    assert found
    assert found[1] not in archive.read("manifest.json").decode()
    return found[1]


def sign(database: Database, tenant: Tenant, *, word: str) -> AgencyArchive:
    with database.transaction(tenant.scope) as session:
        archive = list_archives(session)[0]
        sign_for_archive(session, archive, word=word, now=NOW)
        return archive
