"""Coming in to act for another agency: by one’s own agency’s service where both have signed for that alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tenants.agency import get_agency
from tenants.audit import Act, list_entries_of
from tenants.base import utc_now
from tenants.database import Database
from tenants.delegation import delegate, end_delegation, get_delegation, sign_delegation
from tenants.identity_provider import add_provider, close_default, get_provider, switch_off, switch_on
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import NotAppointed, SignInSession, Vouched, act_for, find_session, sign_in
from tenants.sign_in_way import find_connections, list_ways, take_trial
from tests.factories import ISSUER, LONG_AGO, Factories, Tenant
from tests.tenants.test_delegation import FINDERS, MANAGERS, consortium_of, left, person_of

# The database goes by its own day.
NOW = utc_now()
ADMINISTRATOR = frozenset({Role.MANAGER, Role.ADMINISTRATOR})


class TestByOwnService:
    @pytest.mark.parametrize("agreed", [True, False])
    def test_opens_the_others_work_where_both_have_signed_for_that(
        self, agreed: bool, database: Database, factories: Factories
    ) -> None:
        devon, dorset, finder = parties(factories)
        service = switched_on(database, devon, known=finder)
        stands(database, devon, dorset, by_own_service=agreed)

        found = acting(database, finder, dorset, service)

        assert (found is not None and found.roles == FINDERS) is agreed

    def test_opens_nothing_that_they_hold_there_of_themselves(self, database: Database, factories: Factories) -> None:
        """Their own agency's service may be as false as it likes: it vouches for what was delegated, and no more."""
        devon, dorset, finder = parties(factories)
        service = switched_on(database, devon, known=finder)
        appointed(database, finder, dorset, Role.DECISION_MAKER)

        assert acting(database, finder, dorset, service) is None
        stands(database, devon, dorset, by_own_service=True)
        by_theirs, by_default = (acting(database, finder, dorset, each) for each in (service, None))

        assert by_theirs is not None
        assert by_default is not None
        assert by_theirs.roles == FINDERS
        assert by_default.roles == FINDERS | {Role.DECISION_MAKER}

    def test_is_the_acting_agencys_service_and_no_others(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        third = factories.tenant(consortium_of(devon), roles=ADMINISTRATOR)
        appointed(database, finder, third, Role.FAMILY_FINDER)
        service = switched_on(database, third, known=finder)
        stands(database, devon, dorset, by_own_service=True)

        assert acting(database, finder, third, service) is not None
        assert acting(database, finder, dorset, service) is None

    def test_opens_no_third_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        wiltshire = factories.tenant(consortium_of(devon), roles=ADMINISTRATOR)
        service = switched_on(database, devon, known=finder)
        stands(database, devon, dorset, by_own_service=True)
        stands(database, dorset, wiltshire, by_own_service=True)

        assert acting(database, finder, dorset, service) is not None
        assert acting(database, finder, wiltshire, service) is None

    @pytest.mark.parametrize("took", [True, False])
    def test_needs_a_second_step_where_the_other_asks_one(
        self, took: bool, database: Database, factories: Factories
    ) -> None:
        devon, dorset, finder = parties(factories)
        service = switched_on(database, devon, known=finder)
        theirs = switched_on(database, dorset, known=dorset, second_step=True)
        with database.transaction(dorset.scope) as session:
            close_default(session, get_provider(session, theirs), closed=True)
        stands(database, devon, dorset, by_own_service=True)

        assert (acting(database, finder, dorset, service, second_step=took) is not None) is took
        assert acting(database, finder, dorset, None, second_step=True) is None

    def test_ends_with_the_delegation_and_with_the_service(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        service = switched_on(database, devon, known=finder)
        made = stands(database, devon, dorset, by_own_service=True)
        token = acting_token(database, finder, dorset, service)
        other = acting_token(database, finder, dorset, service)

        with database.transaction(devon.scope) as session:
            switch_off(session, get_provider(session, service), default_issuer=ISSUER)
        assert found_by(database, token).roles == frozenset()
        with database.transaction(dorset.scope) as session:
            end_delegation(session, get_delegation(session, made), now=NOW)

        with database.transaction(NOBODY) as session:
            assert find_session(session, token=other, now=NOW) is None


class TestEndOfActing:
    def test_ends_a_leavers_session_at_once_and_no_other(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        colleague = factories.colleague(devon, roles=FINDERS)
        stands(database, devon, dorset)
        theirs, others, own = (
            acting_token(database, finder, dorset, None),
            acting_token(database, colleague, dorset, None),
            acting_token(database, finder, devon, None),
        )

        left(database, finder, devon)

        with database.transaction(NOBODY) as session:
            assert find_session(session, token=theirs, now=NOW) is None
            assert find_session(session, token=others, now=NOW)
            assert find_session(session, token=own, now=NOW), "this one the agency that they leave ends"
        with database.transaction(dorset.scope) as session:
            acts = [each.act for each in list_entries_of(session, person_of(finder))]
        assert Act.SIGN_OUT in acts

    def test_leaves_open_what_stands_on_another_role_there(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        appointed(database, finder, dorset, Role.FINANCE_OFFICER)
        stands(database, devon, dorset)
        token = acting_token(database, finder, dorset, None)

        left(database, finder, devon)

        assert found_by(database, token).roles == {Role.FINANCE_OFFICER}


class TestHasChoice:
    def test_is_there_from_the_moment_that_work_is_delegated(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        with database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=finder.subject, now=NOW).token
        before = found_by(database, token).has_choice

        stands(database, devon, dorset)

        assert (before, found_by(database, token).has_choice) == (False, True)
        assert found_by(database, token).agency_id == devon.id


def parties(factories: Factories) -> tuple[Tenant, Tenant, Tenant]:
    consortium_id = factories.consortium()
    devon, dorset = (factories.tenant(consortium_id, roles=ADMINISTRATOR) for _ in range(2))
    return devon, dorset, factories.colleague(devon, roles=FINDERS)


def stands(database: Database, devon: Tenant, dorset: Tenant, *, by_own_service: bool = False) -> UUID:
    with database.transaction(dorset.scope) as session:
        agency, acts_for = (get_agency(session, each.id) for each in (devon, dorset))
        made = delegate(
            session,
            agency,
            acts_for=acts_for,
            roles=list(FINDERS),
            starts_on=NOW.date(),
            by_own_service=by_own_service,
            now=NOW,
        ).id
    for side in (devon, dorset):
        scope = replace(side.scope, roles=MANAGERS)
        with database.transaction(scope) as session:
            sign_delegation(session, get_delegation(session, made), now=NOW)
    return made


def switched_on(database: Database, agency: Tenant, *, known: Tenant, second_step: bool = False) -> UUID:
    """Return a sign-in service of an agency by which one person is known, under the subject that they have anyway."""
    with database.transaction(agency.scope) as session:
        made = add_provider(
            session,
            name="Account",
            issuer=f"https://{uuid4().hex}.example",
            client_id="concord",
            secret="a-secret",
            second_step=second_step,
            now=NOW,
        ).id
    for whom in {agency.subject: agency, known.subject: known}.values():
        with database.transaction(NOBODY) as session:
            take_trial(session, provider_id=made, person_id=person_of(whom), subject=whom.subject, now=NOW)
    with database.transaction(agency.scope) as session:
        switch_on(session, get_provider(session, made))
    return made


def appointed(database: Database, whom: Tenant, agency: Tenant, role: Role) -> None:
    with database.transaction(OPERATOR) as session:
        person = get_person(session, person_of(whom))
        appoint(session, person, agency=get_agency(session, agency.id), role=role, starts_on=LONG_AGO)


def acting_token(
    database: Database, whom: Tenant, agency: Tenant, service: UUID | None, *, second_step: bool = False
) -> str:
    with database.transaction(NOBODY) as session:
        issuer = find_connections(session, provider_id=service)[0].issuer if service else ISSUER
        vouched = Vouched(provider_id=service, second_step=second_step)
        token = sign_in(session, issuer=issuer, subject=whom.subject, now=NOW, vouched=vouched).token
        return act_for(session, token=token, agency_id=agency.id, consortium_id=None, now=NOW)


def acting(
    database: Database, whom: Tenant, agency: Tenant, service: UUID | None, *, second_step: bool = False
) -> SignInSession | None:
    """Return the session of somebody who came by a service, or the site's own, to act for an agency; if they may."""
    try:
        token = acting_token(database, whom, agency, service, second_step=second_step)
    except NotAppointed:
        return None
    return found_by(database, token)


def found_by(database: Database, token: str) -> SignInSession:
    with database.transaction(NOBODY) as session:
        found = find_session(session, token=token, now=NOW)
    assert found
    return found


@pytest.fixture(autouse=True, scope="module")
def tidied(database: Database) -> Iterator[None]:
    """Leave no way in behind: other tests' sites would offer it."""
    yield
    with database.transaction(NOBODY) as session:
        ways = list_ways(session)
    for way in ways:
        with database.transaction(Scope(agency_id=way.agency_id)) as session:
            switch_off(session, get_provider(session, way.id), default_issuer=None)
