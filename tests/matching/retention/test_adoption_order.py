from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from matching.bar import bar_person
from matching.household import get_household
from matching.retention.adoption_order import (
    AdoptionOrder,
    OrderAside,
    OrderUnknown,
    ask_to_set_aside,
    decide_on_setting_aside,
    get_order,
    list_all_orders,
    list_orders,
    record_order,
)
from matching.retention.due import find_kept
from matching.retention.record_class import RecordClass
from matching.sealed_words import WordsMissing
from tenants.approval import SamePerson
from tenants.audit import list_entries_of
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant, transaction
from tests.matching.retention.people import colleague, old_household

DAY = date(2020, 5, 1)


class TestSettingAside:
    def test_takes_two_people_and_stays_in_the_history(self, database: Database, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        household_id, second = old_household(factories, ours), colleague(database, ours)
        order_id = _asked(database, ours, household_id)
        with transaction(database, ours) as session, pytest.raises(SamePerson):
            decide_on_setting_aside(session, _order(session, order_id), approve=True, now=NOW)

        with transaction(database, second) as session:
            decide_on_setting_aside(session, _order(session, order_id), approve=True, now=NOW)

        with transaction(database, ours) as session:
            assert list_orders(session, household_id) == []
            kept = find_kept(session, household_id)
            assert kept
            assert kept.rule.record_class is RecordClass.HOUSEHOLD_NOT_PLACED
            (said,) = list_all_orders(session)
            assert (said.order.aside_reason, said.order.aside_by) == ("The wrong record", second.scope.person_id)
            assert "adoption order set aside" in {entry.reason for entry in list_entries_of(session, household_id)}
            assert record_order(session, get_household(session, household_id), ordered_on=DAY, now=NOW)
        with transaction(database, theirs) as session:
            assert list_all_orders(session) == []

    def test_is_refused_and_can_be_asked_again(self, database: Database, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        order_id = _asked(database, ours, household_id)
        with transaction(database, ours) as session:
            order = _order(session, order_id)
            with pytest.raises(OrderAside):
                ask_to_set_aside(session, order, reason="Again", now=NOW)
            decide_on_setting_aside(session, order, approve=False, now=NOW)
            assert list_orders(session, household_id) == [DAY]
            with pytest.raises(OrderAside):
                decide_on_setting_aside(session, order, approve=False, now=NOW)
            ask_to_set_aside(session, order, reason="A wrong date", now=NOW)

    def test_is_not_done_twice(self, database: Database, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        order_id, second = _asked(database, ours, old_household(factories, ours)), colleague(database, ours)
        with transaction(database, second) as session:
            decide_on_setting_aside(session, _order(session, order_id), approve=True, now=NOW)
            with pytest.raises(OrderAside):
                decide_on_setting_aside(session, _order(session, order_id), approve=False, now=NOW)

    def test_wants_a_reason_and_the_roles(self, database: Database, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        order_id = _recorded(database, ours, old_household(factories, ours))
        finder = colleague(database, ours, Role.FAMILY_FINDER)
        with transaction(database, ours) as session, pytest.raises(WordsMissing):
            ask_to_set_aside(session, _order(session, order_id), reason=" ", now=NOW)
        with transaction(database, finder) as session:
            order = _order(session, order_id)
            with pytest.raises(NotAllowed):
                ask_to_set_aside(session, order, reason="Why", now=NOW)
            with pytest.raises(NotAllowed):
                decide_on_setting_aside(session, order, approve=True, now=NOW)

    def test_is_unknown_to_others_and_to_who_is_shut_out(self, database: Database, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        household_id, barred = old_household(factories, ours), colleague(database, ours)
        order_id = _asked(database, ours, household_id)
        assert barred.scope.person_id
        with transaction(database, ours) as session:
            record = get_household(session, household_id)
            bar_person(session, record, person_id=barred.scope.person_id, reason="Her cousin", now=NOW)

        for tenant, asked in ((theirs, order_id), (barred, order_id), (ours, uuid4())):
            with transaction(database, tenant) as session, pytest.raises(OrderUnknown):
                get_order(session, asked)

    @pytest.mark.parametrize(
        "change",
        [
            "aside_by = aside_asked_by, aside_at = now()",
            "aside_by = gen_random_uuid(), aside_at = now()",
            "aside_by = NULL, aside_at = now()",
            "aside_asked_by = gen_random_uuid()",
            "ordered_on = '1920-01-01'",
        ],
    )
    def test_is_held_to_by_the_database(self, database: Database, factories: Factories, change: str) -> None:
        ours, _ = factories.two_tenants()
        _asked(database, ours, old_household(factories, ours))

        with pytest.raises(DBAPIError), transaction(database, ours) as session:
            session.execute(text(f"UPDATE adoption_order SET {change}"))


def _recorded(database: Database, tenant: Tenant, household_id: UUID) -> UUID:
    with transaction(database, tenant) as session:
        return record_order(session, get_household(session, household_id), ordered_on=DAY, now=NOW).id


def _asked(database: Database, tenant: Tenant, household_id: UUID) -> UUID:
    order_id = _recorded(database, tenant, household_id)
    with transaction(database, tenant) as session:
        ask_to_set_aside(session, _order(session, order_id), reason="The wrong record", now=NOW)
    return order_id


def _order(session: Session, order_id: UUID) -> AdoptionOrder:
    return get_order(session, order_id).order
