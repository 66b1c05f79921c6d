"""What follows an invoice: bank details that change slowly, disputes, reminders and approvals to pay."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from matching.fee.invoice.account import find_account
from matching.fee.invoice.bank import (
    BankInvalid,
    ChangeUnknown,
    ChangeWaits,
    PayeeAccountChange,
    approve_change,
    ask_change,
    details_on,
    get_change,
    list_changes,
    list_since,
    list_told,
    open_details,
    read_details,
    withdraw_change,
)
from matching.fee.invoice.dispute import (
    DisputeMoved,
    DisputeOpen,
    DisputeOutcome,
    DisputeStatus,
    NotYourSide,
    answer_dispute,
    count_to_answer,
    count_unresolved,
    find_dispute,
    open_dispute,
    read_messages,
)
from matching.fee.invoice.invoice import InvoiceState, Wanted, get_invoice, list_invoices
from matching.fee.invoice.reminder import (
    ApprovedBefore,
    StagesInvalid,
    approve_payment,
    count_reminded,
    count_unapproved,
    find_approval,
    raise_reminders,
    reminders_of,
    set_stages,
)
from tenants.agency import get_agency
from tenants.approval import BothSides, SamePerson
from tenants.base import utc_now
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR
from tests.factories import NOW, TODAY, Factories
from tests.matching.fee.invoice.invoice_ground import InvoiceGround


class TestApproveChange:
    def test_takes_two_people_and_a_delay_and_tells_who_pays(self, ground: InvoiceGround) -> None:
        ground.set_bank("11112222")
        issued_id = ground.issue(1_000)
        with ground.database.transaction(ground.payee.scope) as session:
            change = ask_change(session, read_details("Sample", "65-43-21", "3333444"), now=NOW)
            with pytest.raises(ChangeWaits):
                ask_change(session, read_details("Sample", "65-43-21", "33334444"), now=NOW)
            with pytest.raises(SamePerson):
                approve_change(session, change, now=NOW)
        # Nobody writes that a colleague approved it, not even of what they take back in the same breath.
        forged = {"approved_by": uuid4(), "approved_at": NOW}
        mine = {"withdrawn_by": ground.payee.scope.person_id, "withdrawn_at": NOW}
        for values in (forged, forged | mine, mine | {"withdrawn_by": uuid4()}):
            with pytest.raises(DBAPIError), ground.database.transaction(ground.payee.scope) as session:
                session.execute(update(PayeeAccountChange).where(PayeeAccountChange.id == change.id).values(values))
        with ground.database.transaction(ground.payer.scope) as session:
            # Of what was in effect before the first invoice nobody is warned.
            assert list_told(session, now=NOW) == []
        with ground.database.transaction(ground.colleague.scope) as session:
            approved = approve_change(session, get_change(session, change.id), now=NOW)
            effect = approved.takes_effect_at
            # NOW is over: whoever says that they approved it earlier does not shorten the delay.
            assert effect is not None
            assert effect > utc_now() + timedelta(days=6, hours=23)
            with pytest.raises(ChangeUnknown):
                approve_change(session, approved, now=NOW)

        with ground.database.transaction(ground.payee.scope) as session:
            now, later = (details_on(session, now=effect - timedelta(days=days)) for days in (1, 0))
            assert len(list_changes(session)) == 2
        assert now is not None
        assert later is not None
        assert (now.account_number, later.account_number) == ("11112222", "03333444")
        with ground.database.transaction(ground.payer.scope) as session:
            told = list_told(session, now=NOW)
            assert [open_details(session, each).masked for each in told] == ["account ending 3444"]
            issued = get_invoice(session, issued_id)
            assert list_since(session, issued.payee_agency_id, at=issued.issued_at) == told
            with pytest.raises(ChangeUnknown):
                get_change(session, change.id)
        with ground.database.transaction(ground.stranger.scope) as session:
            assert find_account(session, ground.payee.id) is None
            assert list_told(session, now=NOW) == list_changes(session, ground.payee.id) == []

    def test_can_be_taken_back_until_it_takes_effect(self, ground: InvoiceGround) -> None:
        first, second = ground.set_bank("11112222"), ground.set_bank("33334444")
        with ground.database.transaction(ground.payee.scope) as session:
            with pytest.raises(ChangeUnknown):
                withdraw_change(session, get_change(session, first), now=NOW)
            withdraw_change(session, get_change(session, second), now=NOW)
            details = details_on(session, now=NOW + timedelta(days=30))
        assert details is not None
        assert details.account_number == "11112222"

    @pytest.mark.parametrize(
        "typed",
        [("", "123456", "12345678"), ("A", "12345", "12345678"), ("A", "123456", "1234"), ("A", "12345x", "1" * 8)],
    )
    def test_takes_no_account_that_cannot_be(self, typed: tuple[str, str, str]) -> None:
        with pytest.raises(BankInvalid):
            read_details(*typed)


class TestAnswerDispute:
    def test_goes_between_the_two_and_ends_once(self, ground: InvoiceGround) -> None:
        invoice_id = ground.issue(1_000)
        with ground.database.transaction(ground.payee.scope) as session, pytest.raises(NotYourSide):
            open_dispute(session, get_invoice(session, invoice_id), words="No", now=NOW)
        with ground.database.transaction(ground.payer.scope) as session:
            invoice = get_invoice(session, invoice_id)
            open_dispute(session, invoice, words="The order was never made.", now=NOW)
            with pytest.raises(DisputeOpen):
                open_dispute(session, invoice, words="Again", now=NOW)
            with pytest.raises(NotYourSide):
                answer_dispute(session, invoice, words="x", version=1, now=NOW, outcome=DisputeOutcome.UPHELD)
        with ground.database.transaction(ground.payee.scope) as session:
            invoice = get_invoice(session, invoice_id)
            (row,) = list_invoices(session, Wanted(state=InvoiceState.DISPUTED), on=TODAY)
            assert (row.invoice.id, count_to_answer(session, received=False)) == (invoice_id, 1)
            assert count_unresolved(session, received=False) == 1
            assert count_unresolved(session, received=True) == 0
            answered = answer_dispute(
                session, invoice, words="It was, in May.", version=1, now=NOW + timedelta(minutes=1)
            )
            assert answered.status is DisputeStatus.ANSWERED
            with pytest.raises(DisputeMoved):
                answer_dispute(session, invoice, words="x", version=1, now=NOW, outcome=DisputeOutcome.UPHELD)
        with ground.database.transaction(ground.payer.scope) as session:
            invoice = get_invoice(session, invoice_id)
            assert count_to_answer(session, received=True) == 1
            assert count_to_answer(session, received=False) == 0
            done = answer_dispute(
                session,
                invoice,
                words="Right.",
                version=2,
                now=NOW + timedelta(minutes=2),
                outcome=DisputeOutcome.WITHDRAWN,
            )
            said = read_messages(session, done)
            assert [each.words for each in said] == ["The order was never made.", "It was, in May.", "Right."]
            with pytest.raises(DisputeMoved):
                answer_dispute(session, invoice, words="x", version=3, now=NOW)
            open_dispute(session, invoice, words="Once more.", now=NOW + timedelta(hours=1))
        with ground.database.transaction(ground.stranger.scope) as session:
            assert find_dispute(session, invoice) is None
            assert read_messages(session, done) == []


class TestAgenciesWithInvoices:
    def test_are_told_to_the_schedule_alone(self, ground: InvoiceGround) -> None:
        ground.issue(1_000)
        told = []
        for scope in (OPERATOR, ground.stranger.scope, NOBODY):
            with ground.database.transaction(scope) as session:
                told.append(session.scalar(text("SELECT count(*) FROM agencies_with_invoices('today')")) or 0)
        assert told[:2] == [0, 0]
        assert told[2] > 0


class TestOneOfficerOfBoth:
    def test_neither_approves_to_pay_nor_ends_a_dispute(self, ground: InvoiceGround, factories: Factories) -> None:
        invoice_id = ground.issue(1_000)
        both = factories.colleague(ground.payer, roles=frozenset({Role.FINANCE_OFFICER}))
        assert both.scope.person_id is not None
        with ground.database.transaction(OPERATOR) as session:
            person, agency = get_person(session, both.scope.person_id), get_agency(session, ground.payee.id)
            appoint(session, person, agency=agency, role=Role.FINANCE_OFFICER, starts_on=TODAY)

        with ground.database.transaction(both.scope) as session:
            invoice = get_invoice(session, invoice_id)
            with pytest.raises(BothSides):
                approve_payment(session, invoice, note="", now=NOW)
            open_dispute(session, invoice, words="No order.", now=NOW)
            with pytest.raises(BothSides):
                answer_dispute(session, invoice, words="x", version=1, now=NOW, outcome=DisputeOutcome.WITHDRAWN)


class TestRaiseReminders:
    def test_raises_each_stage_once_and_none_in_dispute(self, ground: InvoiceGround) -> None:
        invoice_id = ground.issue(1_000, days_ago=60)
        with ground.database.transaction(ground.payee.scope) as session:
            with pytest.raises(StagesInvalid):
                set_stages(session, [400], now=NOW)
            set_stages(session, [3, 10, 40], now=NOW)
            raised = [raise_reminders(session, now=NOW) for _ in range(2)]
            assert raised == [1, 0]
        with ground.database.transaction(ground.payer.scope) as session:
            invoice = get_invoice(session, invoice_id)
            assert [(each.days, each.outstanding_pence) for each in reminders_of(session, invoice)] == [(10, 1_000)]
            assert (count_reminded(session, on=TODAY), count_unapproved(session, on=TODAY)) == (1, 1)
            approve_payment(session, invoice, note="For the next run", now=NOW)
            with pytest.raises(ApprovedBefore):
                approve_payment(session, invoice, note="", now=NOW)
            assert count_unapproved(session, on=TODAY) == 0
            open_dispute(session, invoice, words="No order.", now=NOW)
        with ground.database.transaction(ground.payee.scope) as session:
            approval = find_approval(session, get_invoice(session, invoice_id))
            assert approval is not None
            assert approval.note == "For the next run"
            with pytest.raises(ApprovedBefore):
                approve_payment(session, get_invoice(session, invoice_id), note="", now=NOW)
            assert raise_reminders(session, now=NOW + timedelta(days=30)) == 0
        with ground.database.transaction(ground.stranger.scope) as session:
            assert reminders_of(session, invoice) == []
            assert raise_reminders(session, now=NOW + timedelta(days=30)) == 0
