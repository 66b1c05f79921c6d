"""After a hand-over who owes an invoice, and who reads it, is whoever's book says so; and nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.agreement import get_agreement
from matching.fee.debt_holder import Sides, hand_on
from matching.fee.invoice.bank import list_told
from matching.fee.invoice.dispute import (
    Dispute,
    DisputeMessage,
    DisputeOutcome,
    NotYourSide,
    answer_dispute,
    count_to_answer,
    find_dispute,
    open_dispute,
    read_messages,
)
from matching.fee.invoice.invoice import (
    Invoice,
    InvoiceUnknown,
    Wanted,
    credits_of,
    get_invoice,
    lines_of,
    list_invoices,
    read_content,
)
from matching.fee.invoice.issuing import CreditInvalid, credit_invoice, issue_invoice, list_due
from matching.fee.invoice.reminder import (
    PayApproval,
    approve_payment,
    count_unapproved,
    raise_reminders,
    reminders_of,
)
from matching.fee.invoice.supplier import count_without_order, find_purchase_order, set_purchase_order
from matching.fee.ledger import MIRRORED, Account, Posting, TransactionKind, mirrored, post
from matching.fee.ledger.account import PAYEES
from matching.fee.ledger.entry import both_books
from matching.fee.netting import propose_netting
from matching.fee.netting_leg import list_open_legs
from matching.fee.notice import FeeWord
from matching.fee.reconciliation.fact import Share
from matching.fee.reconciliation.held_ahead import allocate_held, list_held, put_back
from matching.fee.reconciliation.owed import list_owed
from matching.fee.reconciliation.queue import read_queue
from matching.fee.reconciliation.settling import confirm_match, take_back
from matching.fee.statement.aged_debt import list_debts
from matching.fee.transfer import transfer_balances, undo
from matching.notice import list_notices
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.handed_over import hand_over_books, sign_hand_over
from tests.matching.fee.invoice.invoice_ground import InvoiceGround
from tests.matching.fee.netting_ground import NAMES, make_netting_ground
from tests.matching.fee.reconciliation.bank import Bank

LATER = NOW + timedelta(hours=1)
_BOOK = text("""
    SELECT p.account, p.other_agency_id, sum(p.pence)::bigint FROM posting p
    JOIN ledger_transaction t ON t.id = p.transaction_id
    WHERE p.agency_id = :own AND p.account IN ('receivable', 'payable') AND :debt IN (t.invoice_id, t.leg_id)
    GROUP BY 1, 2 HAVING sum(p.pence) <> 0
""")


@dataclass(frozen=True, slots=True)
class Four:
    """Who pays and who is paid, and two that may take over; each can invoice and be paid by bank."""

    database: Database
    urls: DatabaseUrls
    tenants: tuple[Tenant, ...]

    @property
    def payer(self) -> Tenant:
        """Return who was invoiced."""
        return self.tenants[0]

    @property
    def payee(self) -> Tenant:
        """Return who issued."""
        return self.tenants[1]

    def issue(self, pence: int, *, payer: Tenant | None = None, payee: Tenant | None = None) -> UUID:
        """Invoice a sum and return the invoice's id."""
        one, other = payer or self.payer, payee or self.payee
        return InvoiceGround(self.database, self.urls, one, other, self.tenants[3], other).issue(pence, days_ago=40)

    def pay(self, pence: int, debt_id: UUID, *, by: Tenant, to: Tenant | None = None, naming: str = "") -> UUID:
        """Let a bank line by which an agency pays an invoice be confirmed as it is proposed; return the line's id."""
        payee = to or self.payee
        with self.database.transaction(payee.scope) as session:
            number = naming or get_invoice(session, debt_id).number
        (line_id,) = Bank(self.database, self.urls, payee, by, self.tenants[3]).lines((pence, by.name, number))
        self.confirm(line_id, by=by, to=payee)
        return line_id

    def confirm(self, line_id: UUID, *, by: Tenant, to: Tenant | None = None) -> None:
        """Confirm what is proposed of a line, which is that an agency pays."""
        with self.database.transaction((to or self.payee).scope) as session:
            (queued,) = (each for each in read_queue(session, now=NOW).lines if each.line.id == line_id)
            assert queued.proposal.payer_id == by.id
            confirm_match(session, queued.line, queued.proposal.shares, now=NOW)

    def take_back(self, line_id: UUID) -> None:
        """Take back what was made of the payee's line."""
        with self.database.transaction(self.payee.scope) as session:
            bank = Bank(self.database, self.urls, self.payee, self.payer, self.payer)
            take_back(session, bank.line(session, line_id), reason="It came back.", now=NOW)

    def owed(self, debt_id: UUID) -> list[tuple[int, int, int]]:
        """Return who owes whom how much of an invoice or a leg, by places, as both books say it."""
        places = {each.id: place for place, each in enumerate(self.tenants)}
        found: dict[str, set[tuple[int, int, int]]] = {"receivable": set(), "payable": set()}
        for place, tenant in enumerate(self.tenants):
            with self.database.transaction(tenant.scope) as session:
                for account, other_id, pence in session.execute(_BOOK, {"own": tenant.id, "debt": debt_id}):
                    sides = (place, places[other_id])
                    found[account].add((*sides, -pence) if account == "payable" else (*sides[::-1], pence))
        assert found["receivable"] == found["payable"]
        return sorted(found["payable"])

    def readers(self, invoice_id: UUID) -> list[int]:
        """Return who reads an invoice, by places."""
        found = []
        for place, tenant in enumerate(self.tenants):
            with self.database.transaction(tenant.scope) as session:
                seen = session.scalar(select(Invoice.id).where(Invoice.id == invoice_id)) is not None
                try:
                    get_invoice(session, invoice_id)
                except InvoiceUnknown:
                    assert not seen
                    continue
                assert lines_of(session, get_invoice(session, invoice_id))
                assert read_content(session, get_invoice(session, invoice_id)).title
                found.append(place)
        return found

    def mirror(self) -> None:
        """See that each two books say the same of each account, and that each comes to nothing."""
        books = {}
        for tenant in self.tenants:
            with self.database.transaction(tenant.scope) as session:
                query = select(Posting.other_agency_id, Posting.account, func.sum(Posting.pence))
                query = query.where(Posting.agency_id == tenant.id).group_by(Posting.other_agency_id, Posting.account)
                for other_id, account, pence in session.execute(query):
                    books[tenant.id, other_id, account] = int(pence)
        for (own_id, other_id, account), pence in books.items():
            mirrored = (MIRRORED | PAYEES)[account]
            assert books.get((other_id, own_id, mirrored), 0) == -pence or account in MIRRORED.values()
        for tenant in self.tenants:
            assert sum(pence for (own_id, *_), pence in books.items() if own_id == tenant.id) == 0


@pytest.fixture
def four(database: Database, migrated: DatabaseUrls, factories: Factories) -> Four:
    """Four members of a consortium."""
    consortium_id = factories.consortium()
    made = tuple(factories.tenant(consortium_id, called=each) for each in NAMES[:4])
    for each in made:
        InvoiceGround(database, migrated, made[0], each, made[0], each).keep()
    return Four(database, migrated, made)


def _debts(four: Four, place: int) -> list[tuple[UUID, str, tuple[int, ...]]]:
    with four.database.transaction(four.tenants[place].scope) as session:
        return [
            (each.other_agency_id, each.direction.value, each.by_age) for each in list_debts(session, until_on=TODAY)
        ]


def _owe_leg(four: Four, leg_id: UUID, pence: int, *, days_ago: int) -> UUID:
    """Let the payer owe the payee another leg of the same netting as one, posted so many days ago."""
    payer, payee = four.payer, four.payee
    made, day = uuid4(), TODAY - timedelta(days=days_ago)
    with psycopg.connect(libpq_url(four.urls.admin)) as admin:
        # Two agencies have one leg of a netting; which it is of is not asked here.
        admin.execute(
            "WITH n AS (INSERT INTO netting SELECT (jsonb_populate_record(o, jsonb_build_object('id', "
            "gen_random_uuid()))).* FROM netting o JOIN netting_leg l ON l.netting_id = o.id WHERE l.id = %s "
            "RETURNING id) INSERT INTO netting_leg (id, netting_id, consortium_id, payer_agency_id, payee_agency_id, "
            "reference, pence, due_on) SELECT %s, n.id, %s, %s, %s, 'NT-OLDER', %s, %s FROM n",
            (leg_id, made, payer.scope.consortium_id, payer.id, payee.id, pence, day),
        )
    with four.database.transaction(payee.scope) as session:
        post(
            session,
            consortium_id=payer.scope.consortium_id or made,
            payer_agency_id=payer.id,
            payee_agency_id=payee.id,
            kind=TransactionKind.NETTED,
            key=f"netting/{made}/leg",
            dated_on=day,
            entries=both_books([(Account.RECEIVABLE, pence), (Account.NETTING, -pence)], payer.id, payee.id),
            narrative="Left to pay",
            now=NOW,
            leg_id=made,
        )
    return made


class TestPayerHandedOver:
    def test_is_owed_by_the_successor_and_paid_by_it_whatever_was_paid_before(self, four: Four) -> None:
        payer, payee, heir, _ = four.tenants
        invoice_id, settled_id = four.issue(10_000), four.issue(700)
        early = four.pay(4_000, invoice_id, by=payer)
        whole = four.pay(700, settled_id, by=payer)
        assert four.readers(invoice_id) == [0, 1]

        hand_over_books(four.database, four.urls, payer, heir)

        assert (four.owed(invoice_id), four.owed(settled_id)) == ([(2, 1, 6_000)], [])
        assert (four.readers(invoice_id), four.readers(settled_id)) == ([0, 1, 2], [0, 1])
        assert _debts(four, 1) == [(heir.id, "to_us", (0, 6_000, 0, 0))]
        assert _debts(four, 2) == [(payee.id, "by_us", (0, 6_000, 0, 0))]
        with four.database.transaction(heir.scope) as session:
            assert [row.outstanding for row in list_invoices(session, Wanted(received=True), on=TODAY)] == [6_000]
            assert [each.payer_id for each in list_owed(session, on=TODAY, as_payee=False)] == [payee.id]

        late = four.pay(6_000, invoice_id, by=heir)
        assert four.owed(invoice_id) == []
        for line_id, left in ((late, 6_000), (early, 10_000)):
            four.take_back(line_id)
            assert four.owed(invoice_id) == [(2, 1, left)]
        # What was settled before is owed again by whoever has become of the payer, which reads it from then on.
        four.take_back(whole)
        assert (four.owed(settled_id), four.readers(settled_id)) == ([(2, 1, 700)], [0, 1, 2])
        # Its bank may go on writing the name that it had.
        four.confirm(whole, by=heir)
        assert four.owed(settled_id) == []
        four.mirror()

    def test_holds_what_it_paid_ahead_for_the_successor(self, four: Four) -> None:
        payer, payee, heir, _ = four.tenants
        first, second = four.issue(1_000), four.issue(900)
        over = four.pay(1_500, first, by=payer)
        hand_over_books(four.database, four.urls, payer, heir)

        with four.database.transaction(payee.scope) as session:
            assert list_held(session) == {heir.id: 500}
            used = allocate_held(session, second, now=NOW)
            assert (list_held(session), used.payer_agency_id) == ({}, heir.id)
            put_back(session, used.id, reason="Not this one.", now=NOW)
            assert list_held(session) == {heir.id: 500}
        four.take_back(over)
        with four.database.transaction(payee.scope) as session:
            assert list_held(session) == {}
            # What was posted against whoever has given its books is taken back without a trace.
            wrong = post(
                session,
                consortium_id=payer.scope.consortium_id or payer.id,
                payer_agency_id=payer.id,
                payee_agency_id=payee.id,
                kind=TransactionKind.PAID,
                key="wrong",
                dated_on=TODAY,
                entries=mirrored(TransactionKind.PAID, 1_000, payer.id, payee.id),
                narrative="As it was matched before",
                now=NOW,
                invoice_id=first,
            )
            undo(session, wrong, reason="It was the heir.", now=NOW)
        assert (four.owed(first), four.owed(second)) == ([(2, 1, 1_000)], [(2, 1, 900)])
        four.mirror()

    def test_lets_the_successor_go_on_with_what_was_said_of_it_and_nobody_else(self, four: Four) -> None:
        payer, payee, heir, stranger = four.tenants
        invoice_id = four.issue(10_000)
        with four.database.transaction(payer.scope) as session:
            open_dispute(session, get_invoice(session, invoice_id), words="Too much.", now=NOW)
        with four.database.transaction(payee.scope) as session:
            (line,) = lines_of(session, get_invoice(session, invoice_id))
            credit_invoice(session, get_invoice(session, invoice_id), {line.id: 1_000}, reason="Sorry.", now=NOW)
        hand_over_books(four.database, four.urls, payer, heir)
        with four.database.transaction(payee.scope) as session:
            answer_dispute(session, get_invoice(session, invoice_id), words="Is it?", version=1, now=LATER)

        with four.database.transaction(heir.scope) as session:
            assert [each.fee for each in list_notices(session, number=1).cards] == [FeeWord.DISPUTE_ANSWERED]
            found = get_invoice(session, invoice_id)
            dispute = find_dispute(session, found)
            assert dispute is not None
            assert [each.words for each in read_messages(session, dispute)] == ["Too much.", "Is it?"]
            assert [each.gross_pence for each in credits_of(session, found)] == [1_000]
            answer_dispute(session, found, words="We agree.", version=2, outcome=DisputeOutcome.WITHDRAWN, now=LATER)
            assert count_unapproved(session, on=TODAY) == 1
            approve_payment(session, found, note="", now=LATER)
        with four.database.transaction(payee.scope) as session:
            found = get_invoice(session, invoice_id)
            credit_invoice(session, found, {line.id: 2_000}, reason="Sorry again.", now=LATER)
            assert raise_reminders(session, now=LATER) == 1
            assert len(read_messages(session, dispute)) == 3
        with four.database.transaction(heir.scope) as session:
            found = get_invoice(session, invoice_id)
            assert [each.gross_pence for each in credits_of(session, found)] == [1_000, 2_000]
            assert len(reminders_of(session, found)) == 1
            open_dispute(session, found, words="Still too much.", now=LATER)
        with four.database.transaction(payee.scope) as session:
            assert count_to_answer(session, received=False) == 1
        # Whoever gave it reads what was until then, and has no say in it.
        with four.database.transaction(payer.scope) as session:
            found = get_invoice(session, invoice_id)
            assert [each.gross_pence for each in credits_of(session, found)] == [1_000]
            assert len(read_messages(session, dispute)) == 1
            assert reminders_of(session, found) == []
            with pytest.raises(NotYourSide):
                answer_dispute(session, found, words="No.", version=2, now=LATER)
            with pytest.raises(NotYourSide):
                open_dispute(session, found, words="No.", now=LATER)
        with four.database.transaction(stranger.scope) as session:
            assert session.scalar(select(func.count()).select_from(Invoice)) == 0
        assert four.owed(invoice_id) == [(2, 1, 7_000)]
        four.mirror()

    def test_has_its_successor_told_where_to_pay_from_then_on(self, four: Four, factories: Factories) -> None:
        payer, payee, heir, stranger = four.tenants
        colleague = factories.colleague(payee, roles=frozenset({Role.FINANCE_OFFICER}))
        ground = InvoiceGround(four.database, four.urls, payer, payee, stranger, colleague)
        ground.set_bank("11112222")
        ground.issue(1_000)
        hand_over_books(four.database, four.urls, payer, heir)
        change_id = ground.set_bank("33334444")

        told = {}
        for tenant in (heir, stranger):
            with four.database.transaction(tenant.scope) as session:
                found = [each.id for each in list_told(session, now=NOW)]
                told[tenant.id] = found, [each.fee_id for each in list_notices(session, number=1).cards]
        assert told == {heir.id: ([change_id], [change_id]), stranger.id: ([], [])}


class TestPayeeHandedOver:
    def test_is_owed_to_the_successor_by_its_own_bank_and_credited_by_it(self, four: Four) -> None:
        payer, payee, heir, _ = four.tenants
        invoice_id = four.issue(10_000)
        early = four.pay(4_000, invoice_id, by=payer)
        hand_over_books(four.database, four.urls, payee, heir)

        assert (four.owed(invoice_id), four.readers(invoice_id)) == ([(0, 2, 6_000)], [0, 1, 2])
        four.pay(5_000, invoice_id, by=payer, to=heir)
        with four.database.transaction(heir.scope) as session:
            found = get_invoice(session, invoice_id)
            (line,) = lines_of(session, found)
            note = credit_invoice(session, found, {line.id: 1_000}, reason="Sorry.", now=LATER)
            assert (note.payer_agency_id, note.payee_agency_id) == (payer.id, heir.id)
        assert four.owed(invoice_id) == []
        with four.database.transaction(payer.scope) as session:
            assert [each.id for each in credits_of(session, get_invoice(session, invoice_id))] == [note.id]
        with four.database.transaction(payee.scope) as session:
            found = get_invoice(session, invoice_id)
            assert credits_of(session, found) == []
            with pytest.raises(CreditInvalid):
                credit_invoice(session, found, {line.id: 1}, reason="Sorry.", now=LATER)
        # What its own bank takes back is owed to it again: the line is in its book alone.
        four.take_back(early)
        assert four.owed(invoice_id) == [(0, 1, 4_000)]
        with four.database.transaction(payee.scope) as session:
            assert raise_reminders(session, now=LATER) == 0
        four.pay(4_000, invoice_id, by=payer)
        assert four.owed(invoice_id) == []
        four.mirror()

    def test_stays_with_whoever_has_it_when_more_of_it_came_back_to_who_gave_it(self, four: Four) -> None:
        payer, payee, heir, last = four.tenants
        invoice_id = four.issue(10_000)
        early = four.pay(4_000, invoice_id, by=payer)
        with four.database.transaction(payee.scope) as session:
            (line,) = lines_of(session, get_invoice(session, invoice_id))
        hand_over_books(four.database, four.urls, payee, heir, agreements=[line.agreement_id])
        four.take_back(early)
        assert four.owed(invoice_id) == [(0, 1, 4_000), (0, 2, 6_000)]
        hand_over_books(four.database, four.urls, payee, last)

        assert (four.owed(invoice_id), four.readers(invoice_id)) == ([(0, 2, 6_000), (0, 3, 4_000)], [0, 1, 2])
        assert _debts(four, 3) == [(payer.id, "to_us", (4_000, 0, 0, 0))]
        with four.database.transaction(heir.scope) as session:
            credit_invoice(session, get_invoice(session, invoice_id), {line.id: 6_000}, reason="Sorry.", now=LATER)
        assert four.owed(invoice_id) == [(0, 3, 4_000)]
        four.mirror()

    def test_goes_on_through_both_until_the_two_are_one(self, four: Four) -> None:
        payer, payee, heir, last = four.tenants
        invoice_id = four.issue(10_000)
        hand_over_books(four.database, four.urls, payer, heir)
        hand_over_books(four.database, four.urls, payee, last)

        assert (four.owed(invoice_id), four.readers(invoice_id)) == ([(2, 3, 10_000)], [0, 1, 2, 3])
        line_id = four.pay(3_000, invoice_id, by=heir, to=last)
        hand_over_books(four.database, four.urls, heir, last)
        assert four.owed(invoice_id) == []
        with four.database.transaction(last.scope) as session:
            bank = Bank(four.database, four.urls, last, heir, heir)
            take_back(session, bank.line(session, line_id), reason="It came back.", now=NOW)
            assert [each.outstanding for each in list_owed(session, on=TODAY)] == [0]
        assert four.owed(invoice_id) == []
        four.mirror()

    def test_takes_the_order_along(self, four: Four) -> None:
        payer, payee, heir, last = four.tenants
        invoice_id = four.issue(1_000)
        with four.database.transaction(payer.scope) as session:
            (line,) = lines_of(session, get_invoice(session, invoice_id))
            agreement_id = line.agreement_id
            set_purchase_order(session, get_agreement(session, agreement_id), number="PO-1", now=NOW)
        hand_over_books(four.database, four.urls, payee, last)
        hand_over_books(four.database, four.urls, payer, heir)

        def order(tenant: Tenant) -> str | None:
            with four.database.transaction(tenant.scope) as session:
                found = find_purchase_order(session, agreement_id)
                return found.number if found else None

        assert [order(each) for each in four.tenants] == ["PO-1"] * 4
        with four.database.transaction(heir.scope) as session:
            assert count_without_order(session) == 0
            set_purchase_order(session, get_agreement(session, agreement_id), number="PO-2", now=NOW)
        assert [order(each) for each in four.tenants] == [None, None, "PO-2", "PO-2"]


class TestPartHandedOver:
    def test_takes_what_goes_alone(self, four: Four) -> None:
        payer, heir = four.payer, four.tenants[2]
        going, staying = four.issue(1_000), four.issue(2_000)
        four.pay(700, four.issue(300), by=payer)
        with four.database.transaction(four.payee.scope) as session:
            used = allocate_held(session, going, now=NOW).id
        with four.database.transaction(payer.scope) as session:
            (line,) = lines_of(session, get_invoice(session, going))
        hand_over_books(four.database, four.urls, payer, heir, agreements=[line.agreement_id])

        assert (four.owed(going), four.owed(staying)) == ([(2, 1, 600)], [(0, 1, 2_000)])
        with four.database.transaction(four.payee.scope) as session:
            put_back(session, used, reason="Not this one.", now=NOW)
            # What was held is the payer's, who is there still.
            assert list_held(session) == {payer.id: 400}
        assert four.owed(going) == [(2, 1, 1_000)]
        assert (four.readers(going), four.readers(staying)) == ([0, 1, 2], [0, 1])
        four.pay(1_000, going, by=heir)
        line_id = four.pay(2_000, staying, by=payer)
        assert (four.owed(going), four.owed(staying)) == ([], [])
        four.take_back(line_id)
        assert four.owed(staying) == [(0, 1, 2_000)]
        four.mirror()


class TestConfirmMatch:
    def test_waits_for_a_hand_over_and_reads_who_owes_by_then(self, four: Four) -> None:
        payer, payee, heir, _ = four.tenants
        invoice_id = four.issue(1_000)
        (line_id,) = Bank(four.database, four.urls, payee, payer, heir).lines((1_000, payer.name, "FEE"))
        plan = sign_hand_over(four.urls, payer, heir)

        def confirm() -> list[UUID]:
            with four.database.transaction(payee.scope) as session:
                bank = Bank(four.database, four.urls, payee, payer, heir)
                made = confirm_match(session, bank.line(session, line_id), [Share(invoice_id, 1_000)], now=NOW)
                return [each.payer_agency_id for each in made]

        with ThreadPoolExecutor() as pool, four.database.transaction(heir.scope) as session:
            transfer_balances(session, plan, acting=four.database.acting, now=NOW)
            confirmed = pool.submit(confirm)
            with pytest.raises(TimeoutError):
                confirmed.result(timeout=0.3)
            session.commit()
            assert confirmed.result() == [heir.id]
        assert four.owed(invoice_id) == []
        four.mirror()


def _hand(four: Four, by: Tenant, debt_id: UUID, giver: Tenant, sides: Sides) -> None:
    """Put down as one agency that another let a debt go on."""
    with four.database.transaction(by.scope) as session:
        hand_on(
            session,
            debt_id,
            consortium_id=by.scope.consortium_id or debt_id,
            giver_id=giver.id,
            sides=sides,
            owed_since=TODAY,
            now=NOW,
        )


class TestHandOn:
    def test_is_refused_unless_both_signed_and_of_what_is_anothers(self, four: Four) -> None:
        payer, payee, heir, stranger = four.tenants
        invoice_id, theirs = four.issue(1_000), four.issue(500, payer=payee, payee=stranger)

        for tenant in four.tenants:
            with pytest.raises(DBAPIError, match="row-level security"):
                _hand(four, tenant, invoice_id, payer, Sides(heir.id, payee.id))
        sign_hand_over(four.urls, payer, heir, agreements=[])
        for tenant, debt_id, sides in (
            # By another than who gives; to another than who takes; of what was never the giver's.
            (heir, invoice_id, Sides(heir.id, payee.id)),
            (payee, invoice_id, Sides(heir.id, payee.id)),
            (payer, invoice_id, Sides(stranger.id, payee.id)),
            (payer, invoice_id, Sides(heir.id, stranger.id)),
            (payer, theirs, Sides(heir.id, stranger.id)),
        ):
            with pytest.raises(DBAPIError, match="row-level security"):
                _hand(four, tenant, debt_id, payer, sides)
        assert (four.readers(invoice_id), four.readers(theirs)) == ([0, 1], [1, 3])

    def test_is_refused_to_whoever_has_let_it_go_on_and_so_is_all_that_is_said_of_it(self, four: Four) -> None:
        payer, payee, heir, last = four.tenants
        invoice_id = four.issue(1_000)
        hand_over_books(four.database, four.urls, payer, heir)
        with four.database.transaction(heir.scope) as session:
            dispute_id = open_dispute(session, get_invoice(session, invoice_id), words="Too much.", now=NOW).id
        sign_hand_over(four.urls, heir, last, agreements=[])
        _hand(four, heir, invoice_id, heir, Sides(last.id, payee.id))
        sign_hand_over(four.urls, payer, last, agreements=[])
        for by, giver, sides in (
            # Once more, so as to read on, or to let another read on; as one of the two, or as who gave it.
            (heir, payer, Sides(heir.id, payee.id)),
            (payee, payer, Sides(heir.id, payee.id)),
            (payer, payer, Sides(last.id, payee.id)),
            (heir, heir, Sides(last.id, payee.id)),
        ):
            with pytest.raises(DBAPIError, match="row-level security"):
                _hand(four, by, invoice_id, giver, sides)

        between: dict[str, object] = {"payer_agency_id": payer.id, "payee_agency_id": payee.id}
        said = {"id": uuid4(), "dispute_id": dispute_id, "agency_id": heir.id, "at": NOW, "person_name": "Sam"}
        sealed = {"sealed_key": b"0", "sealed": b"0"}
        opened = {"id": uuid4(), "status": "opened", "version": 1, "opened_at": NOW}
        approved = {"approved_name": "Sam", "approved_at": NOW, "note": ""}
        for by, table, row in (
            (payer, Dispute, {**between, **opened, "invoice_id": invoice_id, "opened_by": payer.scope.person_id}),
            (
                payer,
                PayApproval,
                {**between, **approved, "invoice_id": invoice_id, "approved_by": payer.scope.person_id},
            ),
            # Between the two that it was opened between, and with one who has no part in it.
            (heir, DisputeMessage, {**between, **said, **sealed, "payer_agency_id": heir.id}),
            (heir, DisputeMessage, {**between, **said, **sealed, "payee_agency_id": heir.id}),
        ):
            with four.database.transaction(by.scope) as session:
                if "person_name" in row:
                    row["person_id"] = by.scope.person_id
                with pytest.raises(DBAPIError, match="row-level security"), session.begin_nested():
                    session.execute(insert(table).values(row))
        resolved = update(Dispute).where(Dispute.id == dispute_id)
        for by, outcome in ((payer, "withdrawn"), (heir, "withdrawn"), (heir, "upheld")):
            with four.database.transaction(by.scope) as session:
                said_by = {"status": "resolved", "outcome": outcome, "resolved_by": by.scope.person_id}
                assert session.execute(resolved.values(**said_by, resolved_at=NOW)).rowcount == 0  # type: ignore[attr-defined]
        with four.database.transaction(last.scope) as session:
            found = get_invoice(session, invoice_id)
            answer_dispute(session, found, words="No.", version=1, outcome=DisputeOutcome.WITHDRAWN, now=LATER)

    def test_tells_nobody_whether_there_is_such_a_leg(self, four: Four) -> None:
        payer, payee = four.payer, four.payee
        invoice_id = four.issue(300, payer=four.tenants[2], payee=four.tenants[3])
        told = []
        for about, leg_id in ((None, uuid4()), (uuid4(), None), (invoice_id, None)):
            with (
                pytest.raises(DBAPIError, match=r"names an? (leg|invoice) of its two") as refused,
                four.database.transaction(payee.scope) as session,
            ):
                post(
                    session,
                    consortium_id=payer.scope.consortium_id or payer.id,
                    payer_agency_id=payer.id,
                    payee_agency_id=payee.id,
                    kind=TransactionKind.PAID,
                    key="guess",
                    dated_on=TODAY,
                    entries=mirrored(TransactionKind.PAID, 1, payer.id, payee.id),
                    narrative="A guess",
                    now=NOW,
                    invoice_id=about,
                    leg_id=leg_id,
                )
            told.append(str(refused.value.orig).partition("\n")[0])
        assert told[1] == told[2] == told[0].replace("a leg", "an invoice")


class TestIssueInvoice:
    def test_waits_for_a_hand_over_that_has_its_agreement_and_wants_its_book(self, four: Four) -> None:
        payer, payee = four.payer, four.payee
        ground = InvoiceGround(four.database, four.urls, payer, payee, four.tenants[3], payee)
        agreement_id = ground.due(500)
        with four.database.transaction(payee.scope) as session:
            marks = [each.mark for each in list_due(session, payer.id)]

        def issue() -> int:
            with four.database.transaction(payee.scope) as session:
                return issue_invoice(session, payer.id, marks, now=NOW).gross_pence

        with ThreadPoolExecutor() as pool, psycopg.connect(libpq_url(four.urls.admin)) as giving:
            # As if it moved, and then back: what was waited for is there still.
            giving.execute("UPDATE fee_agreement SET payer_agency_id = %s WHERE id = %s", (payer.id, agreement_id))
            issued = pool.submit(issue)
            with pytest.raises(TimeoutError):
                issued.result(timeout=0.3)
            giving.execute("SET LOCAL lock_timeout = '500ms'")
            giving.execute("SELECT pg_advisory_xact_lock(fee_book_lock(%s))", [payer.id])
            giving.commit()
            assert issued.result() == 500


class TestLegHandedOver:
    def test_is_owed_and_paid_by_whoever_took_it_over(
        self, database: Database, migrated: DatabaseUrls, factories: Factories
    ) -> None:
        ground = make_netting_ground(database, migrated, factories, members=3)
        one, two, heir = ground.members
        four = Four(database, migrated, (one, two, heir, ground.stranger))
        ground.issue(0, 1, 900)
        ground.issue(1, 0, 700)
        with database.transaction(one.scope) as session:
            netting_id = propose_netting(session, two.id, until_on=TODAY, now=NOW).id
        ground.confirm(two, netting_id)
        with database.transaction(two.scope) as session:
            (leg,) = [each for each in list_owed(session, on=TODAY) if each.of_netting]
        older = _owe_leg(four, leg.id, 70, days_ago=70)
        assert _debts(four, 1) == [(one.id, "to_us", (200, 0, 70, 0))]
        hand_over_books(database, migrated, one, heir)

        # Each leg is as old as it was.
        assert _debts(four, 1) == [(heir.id, "to_us", (200, 0, 70, 0))]
        assert _debts(four, 2) == [(two.id, "by_us", (200, 0, 70, 0))]
        four.pay(70, older, by=heir, naming="NT-OLDER")
        assert four.owed(leg.id) == [(2, 1, 200)]
        for tenant, seen in ((two, [(heir.id, leg.number)]), (one, []), (heir, []), (ground.stranger, [])):
            with database.transaction(tenant.scope) as session:
                assert [
                    (each.payer_id, each.number) for each in list_owed(session, on=TODAY) if each.outstanding
                ] == seen
        with database.transaction(heir.scope) as session:
            (owed,) = [each for each in list_owed(session, on=TODAY, as_payee=False) if each.outstanding]
            assert (owed.payer_id, owed.number, owed.outstanding) == (two.id, leg.number, 200)
            assert [each.leg.id for each in list_open_legs(session)] == [leg.id]
        line_id = four.pay(200, leg.id, by=heir, naming=leg.number)
        assert four.owed(leg.id) == []
        four.take_back(line_id)
        assert four.owed(leg.id) == [(2, 1, 200)]
        four.mirror()
