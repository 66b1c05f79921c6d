"""Consortia: made by the operator, seen by their members."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tenants.agency import AgencyKind, get_agency
from tenants.consortium import (
    Consortium,
    ConsortiumInvalid,
    ConsortiumMember,
    ConsortiumNameTaken,
    ConsortiumUnknown,
    NotAMember,
    consortium_of,
    create_consortium,
    find_office,
    get_consortium,
    get_consortium_by_slug,
    join,
    list_consortia,
    list_consortia_of,
    list_members,
    set_caps,
    set_meeting_days,
)
from tenants.database import Database
from tenants.error import Conflict
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, TODAY, Factories, Tenant

DAY = timedelta(days=1)
YESTERDAY = TODAY - DAY


class TestCreateConsortium:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"slug": "South West"},
            {"slug": ""},
            {"name": " "},
            {"council_in_house_days": -1},
            {"household_cap": 0},
            {"group_cap": 0},
        ],
    )
    def test_refuses_what_cannot_be_kept(self, database: Database, wrong: dict[str, Any]) -> None:
        with database.transaction(OPERATOR) as session, pytest.raises(ConsortiumInvalid):
            create_consortium(session, **{"slug": "sample", "name": "Sample", **wrong})

    @pytest.mark.parametrize("wrong", [{"household_cap": 0}, {"group_cap": -1}])
    def test_has_caps_of_one_or_more(self, database: Database, wrong: dict[str, int]) -> None:
        with database.transaction(OPERATOR) as session:
            made = create_consortium(session, slug=f"sample-{uuid4().hex[:8]}", name="Sample")
            with pytest.raises(ConsortiumInvalid, match="one or more"):
                set_caps(session, made, **wrong)

            assert (made.household_cap, made.group_cap) == (3, 3)

    def test_refuses_a_name_twice(self, database: Database) -> None:
        slug = f"sample-{uuid4().hex[:8]}"

        with database.transaction(OPERATOR) as session:
            create_consortium(session, slug=slug, name="Sample")
            with pytest.raises(ConsortiumNameTaken):
                create_consortium(session, slug=slug, name="Sample")


class TestSetMeetingDays:
    def test_keeps_what_is_not_given(self, database: Database) -> None:
        with database.transaction(OPERATOR) as session:
            made = create_consortium(session, slug=f"sample-{uuid4().hex[:8]}", name="Sample")

            set_meeting_days(session, made, pack_days=0)
            set_meeting_days(session, made, confirm_days=7)

            assert (made.pack_days, made.confirm_days) == (0, 7)

    @pytest.mark.parametrize("wrong", [{"pack_days": -1}, {"confirm_days": 0}])
    def test_refuses_what_cannot_be(self, database: Database, wrong: dict[str, int]) -> None:
        with database.transaction(OPERATOR) as session:
            made = create_consortium(session, slug=f"sample-{uuid4().hex[:8]}", name="Sample")
            with pytest.raises(ConsortiumInvalid):
                set_meeting_days(session, made, **wrong)


class TestJoin:
    def test_is_done_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(OPERATOR) as session, pytest.raises(Conflict, match="already a member"):
            _join(session, devon)

    def test_takes_one_office(self, database: Database, factories: Factories) -> None:
        consortium_id = factories.consortium()
        factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        other = factories.tenant(factories.consortium(), kind=AgencyKind.CONSORTIUM_OFFICE)

        with database.transaction(OPERATOR) as session:
            agency, consortium = get_agency(session, other.id), get_consortium(session, consortium_id)
            with pytest.raises(Conflict, match="already has a consortium office"):
                join(session, consortium, agency=agency, joined_on=TODAY)


class TestGetConsortium:
    def test_finds_the_own_and_no_other(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        assert devon.scope.consortium_id is not None

        with database.transaction(devon.scope) as session:
            own = get_consortium(session, devon.scope.consortium_id)
            assert list_consortia(session) == [own]
        with database.transaction(stranger.scope) as session:
            with pytest.raises(ConsortiumUnknown):
                get_consortium(session, devon.scope.consortium_id)
            with pytest.raises(ConsortiumUnknown):
                get_consortium_by_slug(session, own.slug)


class TestListMembers:
    def test_lists_who_was_a_member_on_the_day(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        assert devon.scope.consortium_id is not None
        with database.transaction(OPERATOR) as session:
            session.get_one(ConsortiumMember, (devon.scope.consortium_id, dorset.id)).left_on = TODAY

        with database.transaction(devon.scope) as session:
            for day, members in ((LONG_AGO - DAY, 0), (YESTERDAY, 2), (TODAY, 1)):
                assert len(list_members(session, devon.scope.consortium_id, on=day)) == members

    def test_lists_no_members_of_another_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        assert devon.scope.consortium_id is not None

        with database.transaction(stranger.scope) as session:
            assert list_members(session, devon.scope.consortium_id, on=TODAY) == []


class TestConsortiumOf:
    def test_is_the_only_one_and_else_asks(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        second = factories.consortium()

        with database.transaction(OPERATOR) as session:
            agency = get_agency(session, devon.id)
            assert consortium_of(session, agency, on=TODAY).id == devon.scope.consortium_id
            join(session, get_consortium(session, second), agency=agency, joined_on=TODAY)
            assert len(list_consortia_of(session, agency, on=TODAY)) == 2
            with pytest.raises(NotAMember, match="Name one"):
                consortium_of(session, agency, on=TODAY)
            with pytest.raises(NotAMember, match="no consortium on 31/12/2009"):
                consortium_of(session, agency, on=LONG_AGO - DAY)

    def test_takes_no_name_of_a_consortium_that_the_agency_is_not_in(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        second = factories.consortium()

        with database.transaction(OPERATOR) as session:
            agency = get_agency(session, devon.id)
            names = {tenant: _consortium(session, tenant).slug for tenant in (devon, stranger)}
            join(session, get_consortium(session, second), agency=agency, joined_on=TODAY)
            own = consortium_of(session, agency, on=TODAY, slug=names[devon])
            assert own.id == devon.scope.consortium_id
            for slug, day in ((names[stranger], TODAY), ("no-such", TODAY), (names[devon], LONG_AGO - DAY)):
                with pytest.raises(NotAMember):
                    consortium_of(session, agency, on=day, slug=slug)
            session.get_one(ConsortiumMember, (own.id, dorset.id)).left_on = TODAY
            with pytest.raises(NotAMember):
                consortium_of(session, get_agency(session, dorset.id), on=TODAY, slug=own.slug)


class TestFindOffice:
    def test_finds_the_office_if_there_is_one(self, database: Database, factories: Factories) -> None:
        consortium_id = factories.consortium()
        devon = factories.tenant(consortium_id)

        with database.transaction(devon.scope) as session:
            assert find_office(session, consortium_id) is None
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        with database.transaction(devon.scope) as session:
            found = find_office(session, consortium_id)

        assert found is not None
        assert found.id == office.id


def _consortium(session: Any, tenant: Tenant) -> Consortium:
    assert tenant.scope.consortium_id is not None
    return get_consortium(session, tenant.scope.consortium_id)


def _join(session: Any, tenant: Tenant) -> None:
    join(session, _consortium(session, tenant), agency=get_agency(session, tenant.id), joined_on=TODAY)
