"""The directory's audit: changes of tenants, people and sharing, and sign-ins, recorded by the database itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from matching.pool import Stage, share
from tenants.audit import Act, AuditEntry, list_entries_of
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import sign_in, sign_out
from tests.factories import ISSUER, NOW, TODAY, Factories, Tenant


class TestDirectory:
    def test_records_the_agency_and_its_people_as_they_come(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            kinds = set(session.scalars(select(AuditEntry.record_kind).where(AuditEntry.owner_agency_id == devon.id)))
            others = session.scalars(select(AuditEntry.id).where(AuditEntry.owner_agency_id == dorset.id)).all()

        assert {"agency", "consortium_member", "appointment"} <= kinds
        assert others == []


class TestSharing:
    def test_records_each_step_for_the_owner_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE)

        with database.transaction(devon.scope) as session:
            share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=household_id)

        with database.transaction(devon.scope) as session:
            steps = [entry.reason for entry in list_entries_of(session, household_id) if entry.act is Act.SHARE]
        with database.transaction(dorset.scope) as session:
            assert list_entries_of(session, household_id) == []
        assert sorted(filter(None, steps)) == ["consortium", "in_house"]


class TestSigningIn:
    @pytest.fixture
    def devon(self, factories: Factories) -> Tenant:
        return factories.two_tenants()[0]

    def test_records_who_came_and_went(self, database: Database, devon: Tenant) -> None:
        with database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=devon.subject, now=NOW).token
        with database.transaction(NOBODY) as session:
            sign_out(session, token=token, now=NOW + timedelta(minutes=5))

        with database.transaction(devon.scope) as session:
            assert devon.scope.person_id is not None
            acts = {entry.act for entry in list_entries_of(session, devon.scope.person_id)}
        assert {Act.SIGN_IN, Act.SIGN_OUT} <= acts
