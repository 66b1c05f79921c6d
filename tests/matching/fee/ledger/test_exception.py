"""Departing from an agreement: what cannot be is refused when it is asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEventKind
from matching.fee.exception import ExceptionInvalid, ExceptionKind, ask_exception, require_askable
from tenants.database import Database
from tenants.error import refusal_of
from tests.factories import NOW, Tenant
from tests.matching.fee.ledger.agreed import agree

SIGNED, PLACED, ON = date(2024, 1, 10), date(2024, 2, 29), date(2026, 1, 1)


class TestAskException:
    def test_refuses_what_was_invoiced_already(
        self, admin: psycopg.Connection[Any], database: Database, pair: tuple[Tenant, Tenant]
    ) -> None:
        made = agree(admin, database, pair)
        made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        made.tell(FeeEventKind.PLACED, PLACED)
        made.settle(ON)
        made.invoice("due/1", 1_800_000, PLACED)

        with database.transaction(made.payee.scope) as session:
            agreement = session.get_one(FeeAgreement, made.id)
            facts: dict[str, Any] = {"reason": "So", "now": NOW}
            with pytest.raises(ExceptionInvalid, match="More than that was invoiced") as less:
                ask_exception(session, agreement, ExceptionKind.OVERRIDE, pence=1_799_999, **facts)
            assert less.value.about == "amount"
            require_askable(session, agreement, ExceptionKind.WAIVER, on=ON)
        made.invoice("due/2", 900_000, ON)
        with database.transaction(made.payee.scope) as session:
            agreement = session.get_one(FeeAgreement, made.id)
            for kind, pence, words in (
                (ExceptionKind.WAIVER, None, "Nothing is left to waive"),
                (ExceptionKind.REFUND, 1, "There is nothing to pay back"),
            ):
                with pytest.raises(ExceptionInvalid, match=words) as refused:
                    ask_exception(session, agreement, kind, pence=pence, **facts)
                assert refused.value.about == "kind"
        with database.transaction(made.payer.scope) as session:
            agreement = session.get_one(FeeAgreement, made.id)
            said = {
                kind: refusal_of(lambda kind=kind: require_askable(session, agreement, kind, on=ON))  # type: ignore[misc]
                for kind in ExceptionKind
            }
            assert said[ExceptionKind.OVERRIDE] is None
            assert said[ExceptionKind.WAIVER] == said[ExceptionKind.REFUND]
            assert "The agency that is paid waives" in str(said[ExceptionKind.WAIVER])
