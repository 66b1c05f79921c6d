"""Limits go down by one person's word and up by two people's, and hold for what departs from an agreement as well."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.agreement import FeeAgreement
from matching.fee.at_stake import changed_by, waived_by
from matching.fee.event import FeeEventKind
from matching.fee.exception import ExceptionInvalid, ExceptionKind, ask_exception, decide_exception, get_exception
from matching.fee.signing_limit import (
    BeyondLimit,
    BoundByLimit,
    LimitMoved,
    SigningLimit,
    count_asked,
    decide_limit,
    list_asked,
    list_limits,
    set_limit,
)
from tenants.approval import SamePerson
from tenants.audit import AuditEntry
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant, transaction
from tests.matching.fee.ledger.agreed import Agreed, agree

OFFICER, MANAGER = Role.FINANCE_OFFICER, Role.MANAGER
SIGNED, PLACED, NOW_ON = date(2024, 1, 10), date(2024, 2, 29), NOW.date()


@pytest.fixture(scope="module")
def agreed(migrated: DatabaseUrls, database: Database, factories: Factories) -> Agreed:
    """An agreement of £27,000 in two parts, the first of which is due; nothing is invoiced."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as admin:
        made = agree(admin, database, factories.two_tenants(), continuing=(93_900, 12))
        made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        made.tell(FeeEventKind.PLACED, PLACED)
        made.settle(NOW_ON)
        return made


def _limits(tenant: Tenant, database: Database) -> dict[Role, int | None]:
    with transaction(database, tenant) as session:
        return list_limits(session)


def _ask(agreed: Agreed, kind: ExceptionKind, pence: int | None) -> UUID:
    with transaction(agreed.database, agreed.payee) as session:
        agreement = session.get_one(FeeAgreement, agreed.id)
        return ask_exception(session, agreement, kind, pence=pence, reason="So", now=NOW).id


class TestSetLimit:
    def test_lowers_at_once_and_raises_by_two_people_alone(self, database: Database, factories: Factories) -> None:
        manager, neighbour = factories.two_tenants()
        officer = factories.colleague(manager, roles=frozenset({OFFICER}))
        wait: dict[str, Any] = {"now": NOW}
        with transaction(database, manager) as session:
            set_limit(session, MANAGER, pence=5_000, **wait)
            set_limit(session, MANAGER, pence=4_000, **wait)
            set_limit(session, MANAGER, pence=None, **wait)
            set_limit(session, MANAGER, pence=9_000, **wait)
            assert list_limits(session)[MANAGER] == 4_000
            assert (list_asked(session)[MANAGER].pence, count_asked(session)) == (9_000, 0)
            with pytest.raises(SamePerson):
                decide_limit(session, MANAGER, pence=9_000, approve=True, **wait)
        with transaction(database, officer) as session:
            assert count_asked(session) == 1
            with pytest.raises(LimitMoved):
                decide_limit(session, MANAGER, pence=None, approve=True, **wait)
            with pytest.raises(LimitMoved):
                decide_limit(session, OFFICER, pence=9_000, approve=True, **wait)
            decide_limit(session, MANAGER, pence=9_000, approve=True, **wait)
            assert (list_limits(session)[MANAGER], list_asked(session)) == (9_000, {})
        # Nobody whom a limit binds has a say in raising it, unless to decline.
        with transaction(database, manager) as session:
            set_limit(session, OFFICER, pence=1_000, **wait)
            set_limit(session, OFFICER, pence=2_000, **wait)
        head = factories.colleague(manager, roles=frozenset({MANAGER}))
        with transaction(database, officer) as session:
            assert count_asked(session) == 0
            with pytest.raises(BoundByLimit, match="no finance officer agrees"):
                decide_limit(session, OFFICER, pence=2_000, approve=True, **wait)
        with transaction(database, head) as session:
            assert count_asked(session) == 1
            decide_limit(session, OFFICER, pence=2_000, approve=True, **wait)
        # What is declined stays as it was; and nobody else is told of any of it.
        with transaction(database, manager) as session:
            set_limit(session, MANAGER, pence=None, **wait)
            decide_limit(session, MANAGER, pence=None, approve=False, **wait)
            query = select(AuditEntry.act).where(AuditEntry.record_kind == "signing_limit")
            acts = [act.value for act in session.scalars(query.order_by(AuditEntry.at, AuditEntry.id))]
        assert sorted(acts) == sorted(["change"] * 3 + ["request"] * 4 + ["approve"] * 2 + ["decline"])
        assert _limits(manager, database) == {OFFICER: 2_000, MANAGER: 9_000}
        assert _limits(neighbour, database) == {OFFICER: None, MANAGER: None}
        with transaction(database, neighbour) as session:
            assert list_asked(session) == {}
        finder = manager.acting_as(Role.FAMILY_FINDER)
        with database.transaction(finder) as session:
            for verb in (list_limits, list_asked, count_asked):
                with pytest.raises(NotAllowed):
                    verb(session)
            with pytest.raises(NotAllowed):
                decide_limit(session, MANAGER, pence=1, approve=False, **wait)

    def test_is_held_to_two_people_by_the_database_too(self, database: Database, factories: Factories) -> None:
        manager = factories.tenant(factories.consortium())
        me, other = manager.scope.person_id, uuid4()
        asked = {"asked_pence": 9_000, "asked_by": me, "asked_name": "Sam", "asked_at": NOW}
        over = dict.fromkeys(asked)
        with transaction(database, manager) as session:
            set_limit(session, MANAGER, pence=4_000, now=NOW)
        for first, values in (
            (None, {"pence": 9_000}),
            (None, {"pence": None}),
            (None, {"pence": 3_000, "set_by": other}),
            (None, {"set_name": "Kit", "set_by": other}),
            (None, asked | {"asked_by": other}),
            (None, asked | {"pence": 9_000, "asked_pence": 9_001}),
            (asked, over | {"pence": 9_000}),
            (asked, {"asked_by": other}),
        ):
            change = update(SigningLimit).where(SigningLimit.agency_id == manager.id)
            with transaction(database, manager) as session:
                if first:
                    session.execute(change.values(first))
                with pytest.raises(DBAPIError):
                    session.execute(change.values(values))
                session.rollback()
        with transaction(database, manager) as session:
            session.execute(change.values(asked))
        for role, refused in ((MANAGER, True), (OFFICER, False)):
            second = factories.colleague(manager, roles=frozenset({role}))
            mine = over | {"pence": 9_000, "set_by": second.scope.person_id, "set_name": "Somebody"}
            with transaction(database, second) as session:
                if refused:
                    with pytest.raises(DBAPIError, match="whom it does not bind"):
                        session.execute(change.values(mine))
                    session.rollback()
                else:
                    session.execute(change.values(mine))
                    assert (session.scalars(select(SigningLimit.set_name)).one() or "").startswith("Kit Sample")


class TestDecideException:
    def test_keeps_to_the_limit_of_who_decides_for_all_that_it_is_about(
        self, agreed: Agreed, factories: Factories
    ) -> None:
        database, asker = agreed.database, agreed.payee
        officer = factories.colleague(asker, roles=frozenset({OFFICER}))
        head = factories.colleague(asker, roles=frozenset({MANAGER}))
        with transaction(database, asker) as session:
            agreement = session.get_one(FeeAgreement, agreed.id)
            # Both parts, and each month that has passed without an order.
            months = waived_by(session, agreement, on=NOW_ON) - 2_700_000
            assert (months > 0, months % 93_900) == (True, 0)
            assert changed_by(session, agreement, 100_000, on=NOW_ON) == 2_600_000
            assert changed_by(session, agreement, 3_000_000, on=NOW_ON) == 3_000_000
            set_limit(session, OFFICER, pence=1_000_000, now=NOW)
        waiver = _ask(agreed, ExceptionKind.WAIVER, None)

        with transaction(database, officer) as session, pytest.raises(BeyondLimit, match="£10,000 for"):
            decide_exception(session, get_exception(session, waiver), approve=True, now=NOW)
        # A small fee may give up a large one.
        with transaction(database, officer) as session:
            agreement = session.get_one(FeeAgreement, agreed.id)
            with pytest.raises(BeyondLimit, match="This is £26,000"):
                ask_exception(session, agreement, ExceptionKind.OVERRIDE, pence=100_000, reason="So", now=NOW)
        with transaction(database, head) as session:
            decide_exception(session, get_exception(session, waiver), approve=True, now=NOW)
            agreement = session.get_one(FeeAgreement, agreed.id)
            assert waived_by(session, agreement, on=NOW_ON) == 0
            session.expunge(agreement)
            agreement.continuing_pence = None
        with transaction(database, asker) as session, pytest.raises(ExceptionInvalid, match="Nothing is left to waive"):
            ask_exception(session, agreement, ExceptionKind.WAIVER, pence=None, reason="So", now=NOW)

    def test_is_not_asked_for_where_there_is_no_fee_nor_another_where_it_fell_away(self, agreed: Agreed) -> None:
        with transaction(agreed.database, agreed.payee) as session:
            agreement = session.get_one(FeeAgreement, agreed.id)
            session.expunge(agreement)
            agreement.disrupted_on = NOW_ON
            with pytest.raises(ExceptionInvalid, match="fell away"):
                ask_exception(session, agreement, ExceptionKind.OVERRIDE, pence=1, reason="So", now=NOW)
            agreement.amount_pence = None
            with pytest.raises(ExceptionInvalid, match="no fee yet"):
                ask_exception(session, agreement, ExceptionKind.WAIVER, pence=None, reason="So", now=NOW)
