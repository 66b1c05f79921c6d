"""Bank lines that people settle: in both books, once, by reversal where it was wrong, and never another agency's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.invoice.invoice import get_invoice, lines_of
from matching.fee.invoice.issuing import CreditInvalid, credit_invoice
from matching.fee.ledger import Account, TransactionKind, balance, totals_of
from matching.fee.reconciliation.advice import list_advised
from matching.fee.reconciliation.fact import Confidence, Kind, Share
from matching.fee.reconciliation.held_ahead import (
    HeldAheadUsed,
    InvoiceNotOwed,
    NothingHeld,
    allocate_held,
    list_held,
    list_used,
    put_back,
)
from matching.fee.reconciliation.paid_back import list_paid_back
from matching.fee.reconciliation.payment import Payment, live_payments
from matching.fee.reconciliation.queue import read_line, read_queue
from matching.fee.reconciliation.settling import (
    LineSettled,
    NotOwedAnyMore,
    SharesWrong,
    confirm_match,
    confirm_paid_back,
    confirm_sure,
    confirm_undone,
    set_aside,
    take_back,
)
from matching.fee.remittance.line import LineState, LineUnknown, RemittanceLine
from matching.fee.remittance.remittance import Purpose
from matching.fee.statement.aged_debt import list_debts
from matching.fee.statement.movement import Amounts, Chosen, balances, movements
from tenants.approval import NobodyNamed
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tenants.error import Conflict
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories
from tests.matching.fee.invoice.invoice_ground import InvoiceGround
from tests.matching.fee.reconciliation.bank import Bank, make_bank
from tests.matching.fee.remittance.samples import csv_of
from tests.matching.fee.remittance.taking import take


@pytest.fixture
def bank(database: Database, migrated: DatabaseUrls, factories: Factories) -> Bank:
    """A payee and two payers."""
    return make_bank(database, migrated, factories)


class TestReadQueue:
    def test_shows_what_waits_with_its_proposal_to_its_own_agency_alone(self, bank: Bank) -> None:
        invoice_id = bank.invoice(2_700_000)
        lines = bank.lines((2_700_000, bank.payer.name, bank.number), (500, "J SMITH", "GIFT"), (-100, "BANK", "FEE"))

        with bank.database.transaction(bank.payee.scope) as session:
            queue = read_queue(session, now=NOW)
            found = read_line(session, lines[0], now=NOW)

        assert {each.line.id for each in queue.lines} == set(lines[:2])
        sure = queue.sure[0]
        assert (sure.proposal.shares, sure.age) == ((Share(invoice_id, 2_700_000),), 0)
        assert [each.proposal.confidence for each in queue.lines if each.line.id == lines[1]] == [Confidence.NONE]
        assert found.queued is not None
        assert found.queued.mark == sure.mark
        for tenant in (bank.payer, bank.other):
            with bank.database.transaction(tenant.scope) as session:
                assert read_queue(session, now=NOW).lines == ()
                with pytest.raises(LineUnknown):
                    read_line(session, lines[0], now=NOW)

    def test_needs_a_finance_officer(self, bank: Bank) -> None:
        scope = bank.payee.acting_as(Role.MANAGER)
        with bank.database.transaction(scope) as session, pytest.raises(NotAllowed):
            read_queue(session, now=NOW)


class TestConfirmMatch:
    def test_pays_several_in_both_books_and_holds_the_rest(self, bank: Bank) -> None:
        first, second = bank.invoice(10_000), bank.invoice(20_000)
        (line_id,) = bank.lines((35_000, bank.payer.name, "ALL"))

        with bank.database.transaction(bank.payee.scope) as session:
            shares = [Share(first, 10_000), Share(second, 15_000)]
            made = confirm_match(session, bank.line(session, line_id), shares, now=NOW)
            payments = [(each.pence, each.over_pence, each.payer_agency_id) for each in made]

        assert payments == [(35_000, 10_000, bank.payer.id)]
        assert bank.left(first, second) == [[0, 5_000], [0, 5_000]]
        assert bank.held() == (-10_000, 10_000)
        with bank.database.transaction(bank.payer.scope) as session:
            assert len(live_payments(session, line_id)) == 1
        with bank.database.transaction(bank.other.scope) as session:
            assert live_payments(session, line_id) == []

    def test_is_done_once_by_one(self, bank: Bank, factories: Factories) -> None:
        invoice_id = bank.invoice(10_000)
        (line_id,) = bank.lines((10_000, bank.payer.name, bank.number))
        colleague = factories.colleague(bank.payee, roles=frozenset({Role.FINANCE_OFFICER}))

        for _ in range(2):
            with bank.database.transaction(bank.payee.scope) as session:
                confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 10_000)], now=NOW)
        with bank.database.transaction(colleague.scope) as session, pytest.raises(LineSettled, match="matched by"):
            confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 10_000)], now=NOW)

        assert bank.left(invoice_id) == [[0], [0]]

    def test_lets_one_of_two_people_at_once_win(self, bank: Bank, factories: Factories) -> None:
        invoice_id = bank.invoice(10_000)
        lines = bank.lines((10_000, bank.payer.name, "A"), (10_000, bank.payer.name, "B"))
        colleague = factories.colleague(bank.payee, roles=frozenset({Role.FINANCE_OFFICER}))
        told: list[str] = []
        together = threading.Barrier(2)

        def confirm(scope: object, line_id: UUID) -> None:
            together.wait()
            try:
                with bank.database.transaction(scope) as session:  # type: ignore[arg-type]
                    confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 10_000)], now=NOW)
                told.append("done")
            except Conflict as conflict:
                told.append(type(conflict).__name__)

        people = [
            threading.Thread(target=confirm, args=(each.scope, line_id))
            for each, line_id in zip((bank.payee, colleague), lines, strict=True)
        ]
        for each in people:
            each.start()
        for each in people:
            each.join()

        assert sorted(told) == ["NotOwedAnyMore", "done"]
        assert bank.left(invoice_id) == [[0], [0]]

    @pytest.mark.parametrize(
        ("shares", "error"),
        [([(0, 10_001)], NotOwedAnyMore), ([(0, 5_000), (0, 5_000)], SharesWrong), ([], SharesWrong),
         ([(0, -1)], SharesWrong), ([(1, 9_000), (0, 9_000)], SharesWrong), ([(2, 1)], NotOwedAnyMore)],
    )  # fmt: skip
    def test_refuses_what_does_not_come_out(
        self, bank: Bank, shares: list[tuple[int, int]], error: type[Exception]
    ) -> None:
        ids = [bank.invoice(10_000), bank.invoice(10_000), bank.invoice(10_000, payer=bank.other)]
        ids[2] = UUID(int=5) if error is NotOwedAnyMore else ids[2]
        (line_id,) = bank.lines((12_000, "SOMEBODY", "X"))

        given = [Share(ids[place], pence) for place, pence in shares]
        with bank.database.transaction(bank.payee.scope) as session, pytest.raises(error):
            confirm_match(session, bank.line(session, line_id), given, now=NOW)

        assert bank.left(*ids[:2])[0] == [10_000, 10_000]

    def test_waits_for_the_day_that_the_bank_gives(self, bank: Bank) -> None:
        invoice_id = bank.invoice(10_000)
        (line_id,) = bank.lines((10_000, bank.payer.name, bank.number))
        before, share = NOW - timedelta(days=1), [Share(invoice_id, 10_000)]

        with bank.database.transaction(bank.payee.scope) as session:
            (queued,) = read_queue(session, now=before).lines
            assert (queued.age, queued.proposal.kind) == (-1, Kind.NOTHING)
            with pytest.raises(SharesWrong, match="once that day has come"):
                confirm_match(session, bank.line(session, line_id), share, now=before)
            (queued,) = read_queue(session, now=NOW).lines
            assert queued.proposal.sure
            confirm_match(session, bank.line(session, line_id), share, now=NOW)

        assert bank.left(invoice_id) == [[0], [0]]

    def test_waits_for_whoever_credits_the_invoice_and_leaves_what_changed(self, bank: Bank) -> None:
        ground = InvoiceGround(bank.database, bank.urls, bank.payer, bank.payee, bank.other, bank.payee)
        ground.keep()
        invoice_id = ground.issue(1_000, days_ago=9)
        number = ground.read(bank.payee, invoice_id).number
        first, second = bank.lines((1_000, bank.payer.name, number), (1, bank.payer.name, "X"))

        def credit(pence: int) -> None:
            with bank.database.transaction(bank.payee.scope) as session:
                invoice = get_invoice(session, invoice_id)
                (line,) = lines_of(session, invoice)
                credit_invoice(session, invoice, {line.id: pence}, reason="Sorry.", now=NOW)

        with bank.database.transaction(bank.payee.scope) as session:
            marks = {each.line.id: each.mark for each in read_queue(session, now=NOW).sure}
        credit(1)
        with bank.database.transaction(bank.payee.scope) as session:
            assert (list(marks), confirm_sure(session, marks, now=NOW).changed) == ([first], 1)
            with pytest.raises(NotOwedAnyMore, match=r"£9\.99 of"):
                confirm_match(session, bank.line(session, first), [Share(invoice_id, 1_000)], now=NOW)
        with ThreadPoolExecutor() as pool, bank.database.transaction(bank.payee.scope) as session:
            confirm_match(session, bank.line(session, first), [Share(invoice_id, 999)], now=NOW)
            credited = pool.submit(credit, 1)
            with pytest.raises(TimeoutError):
                credited.result(timeout=0.3)
            session.commit()
            assert isinstance(credited.exception(), CreditInvalid)
        with bank.database.transaction(bank.payee.scope) as session, pytest.raises(NotOwedAnyMore):
            confirm_match(session, bank.line(session, second), [Share(invoice_id, 1)], now=NOW)
        assert (bank.left(invoice_id), bank.held()) == ([[0], [0]], (-1, 1))

    def test_is_a_persons_act_for_their_own_agency(self, bank: Bank) -> None:
        invoice_id = bank.invoice(10_000)
        (line_id,) = bank.lines((10_000, bank.payer.name, "A"))
        command = replace(bank.payee.scope, person_id=None)

        with bank.database.transaction(command) as session, pytest.raises(NobodyNamed):
            confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 10_000)], now=NOW)
        back = {"taken_back_at": NOW, "taken_back_by": uuid4(), "taken_back_name": "X", "taken_back_reason": "X"}
        for by, said in ((bank.payer, {}), (bank.payee, back), (bank.payee, {"confirmed_by": uuid4()})):
            forged = {
                "id": uuid4(), "consortium_id": bank.consortium_id, "payer_agency_id": bank.payer.id,
                "payee_agency_id": bank.payee.id, "line_id": line_id, "pence": 1, "received_on": NOW.date(),
                "over_pence": 0, "confirmed_at": NOW, "confirmed_by": by.scope.person_id, "confirmed_name": "X",
            }  # fmt: skip
            with (
                bank.database.transaction(by.scope) as session,
                pytest.raises(DBAPIError, match=r"row-level security|named by themselves"),
            ):
                session.execute(insert(Payment).values(forged | said))
        with bank.database.transaction(bank.payee.scope) as session:
            line = bank.line(session, line_id)
            copied = {
                each: getattr(line, each) for each in ("agency_id", "remittance_id", "dated_on", "pence", "undoes")
            }
            copied |= {"id": uuid4(), "fingerprint": b"9", "position": 9, "sealed": b"", "state": LineState.REVERSED}
            named = {"settled_at": NOW, "settled_by": uuid4(), "settled_name": "X"}
            with pytest.raises(DBAPIError, match=r"row-level security|named by themselves"):
                session.execute(insert(RemittanceLine).values(copied | named))
            session.rollback()

    def test_leaves_nothing_when_it_is_killed_in_the_middle(self, bank: Bank) -> None:
        first, second = bank.invoice(10_000), bank.invoice(20_000)
        (line_id,) = bank.lines((30_000, bank.payer.name, "ALL"))

        def killed() -> None:
            with bank.database.transaction(bank.payee.scope) as session:
                shares = [Share(first, 10_000), Share(second, 20_000)]
                confirm_match(session, bank.line(session, line_id), shares, now=NOW)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            killed()

        assert bank.left(first, second) == [[10_000, 20_000], [10_000, 20_000]]
        with bank.database.transaction(bank.payee.scope) as session:
            assert bank.line(session, line_id).state is LineState.WAITING


class TestConfirmSure:
    def test_confirms_what_was_seen_and_nothing_that_has_changed(self, bank: Bank) -> None:
        first = bank.invoice(10_000)
        rows = [(10_000, bank.payer.name, bank.number)]
        second = bank.invoice(20_000)
        rows += [(20_000, bank.payer.name, bank.number), (7, "J SMITH", "GIFT")]
        lines = bank.lines(*rows)
        with bank.database.transaction(bank.payee.scope) as session:
            marks = {each.line.id: each.mark for each in read_queue(session, now=NOW).sure}
        with bank.database.transaction(bank.payee.scope) as session:
            confirm_match(session, bank.line(session, lines[1]), [Share(second, 15_000)], now=NOW)

        with bank.database.transaction(bank.payee.scope) as session:
            result = confirm_sure(session, marks, now=NOW)
        with bank.database.transaction(bank.payee.scope) as session:
            again = confirm_sure(session, marks, now=NOW)
            waiting = [each.line.id for each in read_queue(session, now=NOW).lines]

        assert set(marks) == set(lines[:2])
        assert (result.confirmed, result.pence, result.changed) == (1, 10_000, 1)
        assert again.confirmed == 0
        assert waiting == [lines[2]]
        assert bank.left(first, second)[0] == [0, 5_000]

    def test_learns_the_name_under_which_somebody_pays(self, bank: Bank) -> None:
        invoice_id = bank.invoice(10_000)
        bank.invoice(20_000)
        (line_id,) = bank.lines((10_000, "QZX CREDITORS", "A"))
        with bank.database.transaction(bank.payee.scope) as session:
            confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 10_000)], now=NOW)
        bank.lines((20_000, "QZX CREDITORS", "B"))

        with bank.database.transaction(bank.payee.scope) as session:
            proposal = read_queue(session, now=NOW).lines[0].proposal

        assert proposal.payer_id == bank.payer.id
        assert any("before" in reason for reason in proposal.reasons)


class TestTakeBack:
    def test_reverses_in_both_books_and_lets_the_line_wait_again(self, bank: Bank) -> None:
        invoice_id = bank.invoice(10_000)
        (line_id,) = bank.lines((12_000, bank.payer.name, "A"))
        with bank.database.transaction(bank.payee.scope) as session:
            confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 10_000)], now=NOW)

        with bank.database.transaction(bank.payee.scope) as session:
            take_back(session, bank.line(session, line_id), reason="Another line's.", now=NOW)

        assert bank.left(invoice_id) == [[10_000], [10_000]]
        assert bank.held() == (0, 0)
        with bank.database.transaction(bank.payee.scope) as session:
            line = bank.line(session, line_id)
            assert (line.state, line.settled_by) == (LineState.WAITING, None)
            confirm_match(session, line, [Share(invoice_id, 10_000)], now=NOW)
        assert bank.left(invoice_id) == [[0], [0]]

    def test_refuses_while_what_was_over_is_used(self, bank: Bank) -> None:
        first, second = bank.invoice(10_000), bank.invoice(1_500)
        (line_id,) = bank.lines((12_000, bank.payer.name, "A"))
        with bank.database.transaction(bank.payee.scope) as session:
            for nobody in (bank.payee.id, UUID(int=9)):
                with pytest.raises(SharesWrong, match="from the list"):
                    confirm_match(session, bank.line(session, line_id), [], now=NOW, over_payer_id=nobody)
            confirm_match(session, bank.line(session, line_id), [Share(first, 10_000)], now=NOW)
            held = list_held(session)
            allocate_held(session, second, now=NOW)
        with bank.database.transaction(bank.payee.scope) as session, pytest.raises(HeldAheadUsed):
            take_back(session, bank.line(session, line_id), reason="Wrong.", now=NOW)
        with bank.database.transaction(bank.payee.scope) as session:
            with pytest.raises(NothingHeld):
                allocate_held(session, second, now=NOW)
            with pytest.raises(InvoiceNotOwed):
                allocate_held(session, UUID(int=9), now=NOW)
            (used,) = list_used(session)
            put_back(session, used.id, reason="Too early.", now=NOW)
            assert list_used(session) == []
            entries = session.scalars(select(AuditEntry).where(AuditEntry.record_id == used.id))
            assert {each.act for each in entries} == {Act.CONFIRM, Act.CHANGE}
            take_back(session, bank.line(session, line_id), reason="Wrong.", now=NOW)

        assert held == {bank.payer.id: 2_000}
        assert bank.left(first, second) == [[10_000, 1_500], [10_000, 1_500]]
        assert bank.held() == (0, 0)


class TestConfirmUndone:
    def test_takes_back_what_the_credit_had_paid(self, bank: Bank) -> None:
        invoice_id = bank.invoice(10_000)
        lines = bank.lines(
            (10_000, bank.payer.name, bank.number), (-10_000, bank.payer.name, f"RETURNED {bank.number}")
        )
        with bank.database.transaction(bank.payee.scope) as session:
            confirm_match(session, bank.line(session, lines[0]), [Share(invoice_id, 10_000)], reason="Told.", now=NOW)
            assert read_line(session, lines[0], now=NOW).reason == "Told."
            proposal = read_queue(session, now=NOW).lines[0].proposal

        for _ in range(2):
            with bank.database.transaction(bank.payee.scope) as session:
                confirm_undone(session, bank.line(session, lines[1]), bank.line(session, lines[0]), now=NOW)

        assert (proposal.kind, proposal.undone_line_id) == (Kind.UNDOES, lines[0])
        assert bank.left(invoice_id) == [[10_000], [10_000]]
        with bank.database.transaction(bank.payee.scope) as session:
            assert {bank.line(session, each).state for each in lines} == {LineState.REVERSED}
            assert read_line(session, lines[0], now=NOW).reason is None
            assert read_queue(session, now=NOW).lines == ()

    @pytest.mark.parametrize("first", [0, 1])
    def test_is_undone_for_both_lines_whichever_is_taken_back(self, bank: Bank, first: int) -> None:
        invoice_id = bank.invoice(10_000)
        rows = [(sign * 10_000, bank.payer.name, f"{number}") for number in (1, 2) for sign in (1, -1)]
        lines = bank.lines(*rows)
        for credit, debit, at in ((0, 1, NOW), (2, 3, NOW + timedelta(seconds=1))):
            with bank.database.transaction(bank.payee.scope) as session:
                confirm_undone(session, bank.line(session, lines[debit]), bank.line(session, lines[credit]), now=at)

        with bank.database.transaction(bank.payee.scope) as session:
            take_back(session, bank.line(session, lines[first]), reason="Another payment.", now=NOW)
        with bank.database.transaction(bank.payee.scope) as session:
            states = [bank.line(session, each).state for each in lines]
            confirm_match(session, bank.line(session, lines[0]), [Share(invoice_id, 10_000)], now=NOW)
            with pytest.raises(LineSettled):
                take_back(session, bank.line(session, lines[1]), reason="Again.", now=NOW)

        assert states == [LineState.WAITING, LineState.NOT_RECEIPT, LineState.REVERSED, LineState.REVERSED]
        assert bank.left(invoice_id) == [[0], [0]]


class TestHeldAhead:
    def test_is_of_one_consortium_and_pays_and_is_taken_back_there_alone(
        self, bank: Bank, factories: Factories
    ) -> None:
        elsewhere = factories.consortium()
        with psycopg.connect(libpq_url(bank.urls.admin), autocommit=True) as admin:
            for each in (bank.payee, bank.payer):
                admin.execute(
                    "INSERT INTO consortium_member (consortium_id, agency_id, joined_on) VALUES (%s, %s, '2020-01-01')",
                    (elsewhere, each.id),
                )
        invoice_id = bank.invoice(1_500)
        (line_id,) = bank.lines((2_000, bank.payer.name, "A"))
        there = replace(bank.payee.scope, consortium_id=elsewhere)
        with bank.database.transaction(there) as session:
            confirm_match(session, bank.line(session, line_id), [], now=NOW, over_payer_id=bank.payer.id)
            held = list_held(session)

        with bank.database.transaction(bank.payee.scope) as session:
            assert list_held(session) == {}
            assert balances(session, bank.payer.id) == {bank.payer.id: Amounts(to_invoice=-1_500, owed=1_500)}
            with pytest.raises(NothingHeld):
                allocate_held(session, invoice_id, now=NOW)
        with (
            bank.database.transaction(bank.payee.scope) as session,
            pytest.raises(LineSettled, match="another of your"),
        ):
            take_back(session, bank.line(session, line_id), reason="Wrong.", now=NOW)
        with bank.database.transaction(there) as session:
            take_back(session, bank.line(session, line_id), reason="Wrong.", now=NOW)
            assert list_held(session) == {}
        assert held == {bank.payer.id: 2_000}
        assert bank.held() == (0, 0)


class TestConfirmPaidBack:
    def test_posts_it_in_both_books_once_and_is_taken_back(self, bank: Bank, factories: Factories) -> None:
        invoice_id = bank.invoice(10_000)
        lines = bank.lines(
            (13_000, bank.payer.name, bank.number), (-2_000, bank.payer.name, "REFUND"), (-1_001, "QZX", "RENT")
        )
        colleague = factories.colleague(bank.payee, roles=frozenset({Role.FINANCE_OFFICER}))
        with bank.database.transaction(bank.payee.scope) as session:
            confirm_match(session, bank.line(session, lines[0]), [Share(invoice_id, 10_000)], now=NOW)
            (queued,) = read_queue(session, now=NOW).lines
            assert (queued.line.id, queued.proposal.kind) == (lines[1], Kind.PAID_BACK)
            for whose, other in ((lines[1], bank.other.id), (lines[1], bank.payee.id)):
                with pytest.raises(NothingHeld):
                    confirm_paid_back(session, bank.line(session, whose), other, now=NOW)
            with pytest.raises(SharesWrong, match="once that day"):
                confirm_paid_back(session, bank.line(session, lines[1]), bank.payer.id, now=NOW - timedelta(days=1))
            with pytest.raises(LineSettled):
                confirm_paid_back(session, bank.line(session, lines[0]), bank.payer.id, now=NOW)

        posted = set()
        for _ in range(2):
            with bank.database.transaction(bank.payee.scope) as session:
                posted.add(confirm_paid_back(session, bank.line(session, lines[1]), bank.payer.id, now=NOW).id)
        with bank.database.transaction(colleague.scope) as session, pytest.raises(LineSettled, match="paid back by"):
            confirm_paid_back(session, bank.line(session, lines[1]), bank.payer.id, now=NOW)

        assert len(posted) == 1
        assert bank.held() == (-1_000, 1_000)
        assert bank.left(invoice_id) == [[0], [0]]
        for tenant, turn in ((bank.payee, 1), (bank.payer, -1)):
            with bank.database.transaction(tenant.scope) as session:
                other_id = bank.payer.id if tenant is bank.payee else bank.payee.id
                assert balance(session, Account.CASH, other_agency_id=other_id) == turn * 11_000
                assert balances(session, other_id)[bank.payer.id].ahead == -1_000
                (debt,) = list_debts(session, until_on=TODAY)
                assert (debt.owed, debt.ahead) == (0, 1_000)
                until = Chosen(other_id, TODAY)
                moved = {each.kind: each.amounts.ahead for each in movements(session, until)}
                assert (moved[TransactionKind.OVERPAID], moved[TransactionKind.PAID_BACK]) == (-3_000, 2_000)
                month = {each.account: each.debits + each.credits for each in totals_of(session, TODAY.replace(day=1))}
                assert month[Account.CASH] == turn * 11_000
        with bank.database.transaction(bank.other.scope) as session:
            assert list_debts(session, until_on=TODAY) == []
            assert list_paid_back(session) == []
            with pytest.raises(LineUnknown):
                read_line(session, lines[1], now=NOW)

        with bank.database.transaction(bank.payee.scope) as session:
            assert [each.line_id for each in list_paid_back(session)] == [lines[1]]
            assert read_queue(session, now=NOW).lines == ()
            with pytest.raises(NothingHeld, match="more than"):
                confirm_paid_back(session, bank.line(session, lines[2]), bank.payer.id, now=NOW)
            with pytest.raises(HeldAheadUsed):
                take_back(session, bank.line(session, lines[0]), reason="Wrong.", now=NOW)
        with bank.database.transaction(bank.payee.scope) as session:
            take_back(session, bank.line(session, lines[1]), reason="Another agency's.", now=NOW)
            assert list_paid_back(session) == []
            line = bank.line(session, lines[1])
            assert (line.state, line.settled_by) == (LineState.NOT_RECEIPT, None)
        assert bank.held() == (-3_000, 3_000)
        with bank.database.transaction(bank.payee.scope) as session:
            again = confirm_paid_back(session, bank.line(session, lines[1]), bank.payer.id, now=NOW)
            assert again.id not in posted
        assert bank.held() == (-1_000, 1_000)


class TestSetAside:
    def test_keeps_the_reason_sealed_and_can_be_taken_back(self, bank: Bank) -> None:
        (line_id,) = bank.lines((500, "J SMITH", "GIFT"))

        with bank.database.transaction(bank.payee.scope) as session:
            set_aside(session, bank.line(session, line_id), reason="A donation.", now=NOW)
        with bank.database.transaction(bank.payee.scope) as session:
            found = read_line(session, line_id, now=NOW)
            sealed = found.line.sealed_reason
            take_back(session, found.line, reason="It is a fee.", now=NOW)
            assert found.line.state is LineState.WAITING

        assert found.reason == "A donation."
        assert sealed is not None
        assert b"donation" not in sealed


class TestListAdvised:
    def test_is_what_we_paid_and_they_have_not_confirmed(self, bank: Bank) -> None:
        invoice_id = bank.invoice(10_000)
        content = csv_of(
            [("23/11/2026", bank.payee.name, bank.number, "100.00"), ("23/11/2026", "PAYROLL", "", "9.00")]
        )
        with bank.database.transaction(bank.payer.scope) as session:
            take(session, content, purpose=Purpose.ADVICE)
            before = list_advised(session, now=NOW)
            elsewhere = list_advised(session, now=NOW, payee_agency_id=bank.other.id)
        (line_id,) = bank.lines((10_000, bank.payer.name, bank.number))
        with bank.database.transaction(bank.payee.scope) as session:
            confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 10_000)], now=NOW)
        with bank.database.transaction(bank.payer.scope) as session:
            after = list_advised(session, now=NOW)
        with bank.database.transaction(bank.payee.scope) as session:
            theirs = list_advised(session, now=NOW)

        assert [(each.pence, each.payee_agency_id, each.numbers) for each in before] == [
            (10_000, bank.payee.id, (bank.number,))
        ]
        assert (elsewhere, after, theirs) == ([], [], [])
