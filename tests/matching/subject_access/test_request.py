from __future__ import annotations

from datetime import date, timedelta

import pytest

from matching.household import get_household
from matching.record_audit import RecordUnknown
from matching.sealed_words import WordsMissing
from matching.subject_access.request import (
    RequestClosed,
    RequestInvalid,
    RequestUnknown,
    close_request,
    extend_request,
    get_request,
    list_requests,
    open_request,
    read_request,
)
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant, transaction
from tests.matching.subject_access.asking import asked


class TestOpenRequest:
    def test_is_due_a_month_on_and_ones_own_agencys(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        request = asked(database, ours, factories.household(ours), received_on=date(2026, 1, 31))

        with transaction(database, ours) as session:
            said = read_request(session, get_request(session, request.id), now=NOW)
            assert [each.id for each in list_requests(session)] == [request.id]
        assert (said.asker, said.identity, said.extension) == ("Alder Example", "Passport seen", None)
        assert said.request.due_on == date(2026, 2, 28)
        with transaction(database, theirs) as session:
            assert list_requests(session) == []
            with pytest.raises(RequestUnknown):
                get_request(session, request.id)

    def test_refuses_another_agencys_record(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        household_id = factories.household(theirs)
        with transaction(database, theirs) as session:
            code = get_household(session, household_id).code

        with pytest.raises(RecordUnknown), transaction(database, ours) as session:
            open_request(session, code, asker="Somebody", identity="Passport", received_on=TODAY, now=NOW)

    @pytest.mark.parametrize("day", [TODAY + timedelta(days=1), TODAY - timedelta(days=400)])
    def test_refuses_days_that_cannot_be(self, day: date, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with pytest.raises(RequestInvalid):
            asked(database, ours, factories.household(ours), received_on=day)

    def test_wants_who_asks_and_the_right_role(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        with pytest.raises(WordsMissing):
            asked(database, ours, household_id, asker=" ")
        with pytest.raises(NotAllowed):
            asked(database, _with_roles(ours, Role.MANAGER), household_id)


class TestExtendRequest:
    def test_puts_it_off_once_to_three_months(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = asked(database, ours, factories.household(ours))
        with transaction(database, ours) as session:
            extend_request(session, get_request(session, request.id), reason="Paper files", now=NOW)

        with transaction(database, ours) as session:
            said = read_request(session, get_request(session, request.id), now=NOW)
            assert (said.request.due_on, said.extension) == (date(2027, 2, 23), "Paper files")
            with pytest.raises(RequestInvalid):
                extend_request(session, said.request, reason="Again", now=NOW)


class TestCloseRequest:
    def test_ends_it(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = asked(database, ours, factories.household(ours))
        with transaction(database, ours) as session:
            close_request(session, get_request(session, request.id), now=NOW)

        with transaction(database, ours) as session:
            closed = get_request(session, request.id)
            assert closed.closed_by == ours.scope.person_id
            with pytest.raises(RequestClosed):
                close_request(session, closed, now=NOW)


def _with_roles(tenant: Tenant, *roles: Role) -> Tenant:
    return Tenant(tenant.slug, tenant.name, tenant.acting_as(*roles), tenant.subject)
