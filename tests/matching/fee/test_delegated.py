"""Two people of another agency act for a payee by delegation: they keep its books, and one of two is its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from matching.fee.agreement import get_agreement
from matching.fee.exception import ExceptionKind, FeeException, ask_exception, decide_exception, get_exception
from matching.fee.invoice.bank import PayeeAccountChange, approve_change, ask_change, get_change, read_details
from matching.fee.ledger import ask_to_reopen, close_month, get_period, open_months, reopen
from matching.fee.ledger.period import FeePeriod
from tenants.agency import get_agency
from tenants.approval import NobodyOfItsOwn
from tenants.base import utc_now
from tenants.database import Database
from tenants.delegation import delegate, get_delegation, sign_delegation
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.matching.fee.invoice.invoice_ground import InvoiceGround, make_invoice_ground

# The database goes by its own day.
NOW = utc_now()
OFFICER = frozenset({Role.FINANCE_OFFICER})


@pytest.fixture
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> InvoiceGround:
    """A payee for which a third agency keeps the books."""
    ground = make_invoice_ground(database, migrated, factories)
    council, region = ground.payee, ground.stranger
    with database.transaction(council.scope) as session:
        roles, agency = [Role.FINANCE_OFFICER], get_agency(session, region.id)
        acts_for = get_agency(session, council.id)
        made = delegate(session, agency, acts_for=acts_for, roles=roles, starts_on=NOW.date(), now=NOW).id
    for side in (council, region):
        with database.transaction(side.scope) as session:
            sign_delegation(session, get_delegation(session, made), now=NOW)
    return ground


def acting(ground: InvoiceGround, factories: Factories) -> Tenant:
    """Return a finance officer of the region's in the council's work."""
    officer = factories.colleague(ground.stranger, roles=OFFICER)
    return replace(ground.payee, scope=replace(officer.scope, agency_id=ground.payee.id), subject=officer.subject)


class TestTwoWhoActByDelegation:
    def test_decide_nothing_of_the_agencys_money_between_themselves(
        self, ground: InvoiceGround, factories: Factories
    ) -> None:
        first, second = acting(ground, factories), acting(ground, factories)
        agreement_id = ground.due(5_000)
        with ground.database.transaction(first.scope) as session:
            month = open_months(session)[0]
            period_id = close_month(session, month, now=NOW).id
            ask_to_reopen(session, get_period(session, period_id), reason="So", now=NOW)
            change_id = ask_change(session, read_details("Sample", "12-34-56", "12345678"), now=NOW).id
            agreement = get_agreement(session, agreement_id)
            asked_id = ask_exception(session, agreement, ExceptionKind.WAIVER, pence=None, reason="So", now=NOW).id

        approvals: tuple[tuple[Callable[[Session], object], type[Any], UUID, dict[str, object]], ...] = (
            (
                lambda session: approve_change(session, get_change(session, change_id), now=NOW),
                PayeeAccountChange,
                change_id,
                {"approved_by": second.scope.person_id, "approved_at": NOW},
            ),
            (
                lambda session: reopen(session, get_period(session, period_id), now=NOW),
                FeePeriod,
                period_id,
                {"reopened_by": second.scope.person_id, "reopened_name": "Kit", "reopened_at": NOW},
            ),
            (
                lambda session: decide_exception(session, get_exception(session, asked_id), approve=True, now=NOW),
                FeeException,
                asked_id,
                {"decided_by": second.scope.person_id, "decided_name": "Kit", "decided_at": NOW, "approved": True},
            ),
        )
        for approve, table, row_id, values in approvals:
            with ground.database.transaction(second.scope) as session:
                with pytest.raises(NobodyOfItsOwn, match="one of the two who decide this is its own"):
                    approve(session)
                with pytest.raises(ProgrammingError, match="is the agency’s own"), session.begin_nested():
                    session.execute(update(table).where(table.id == row_id).values(values))
            # Its own officer is the second of two; then a delegate may be as well.
            with ground.database.transaction(ground.colleague.scope) as session:
                approve(session)

    def test_are_second_to_somebody_of_its_own(self, ground: InvoiceGround, factories: Factories) -> None:
        with ground.database.transaction(ground.colleague.scope) as session:
            change_id = ask_change(session, read_details("Sample", "12-34-56", "12345678"), now=NOW).id

        with ground.database.transaction(acting(ground, factories).scope) as session:
            assert approve_change(session, get_change(session, change_id), now=NOW).approved_at == NOW
