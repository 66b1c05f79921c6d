"""What a person makes of a bank line: it pays invoices, it is something else, it came back, or all that taken back.

Each is done in somebody's own name and once: the same again is the first, and of two people who settle one line at the
same moment one does and the other is told. All of an agency's settling waits in one row, for two lines may want one
invoice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.fee.ledger import LedgerTransaction, TransactionKind, get_transaction, mirrored, post, share_books
from matching.fee.money import pounds
from matching.fee.reconciliation.fact import KnownInvoice, Share
from matching.fee.reconciliation.held_ahead import refuse_used
from matching.fee.reconciliation.owed import list_open, list_others
from matching.fee.reconciliation.paid_back import find_paid_back, pay_back
from matching.fee.reconciliation.payment import Payment, PaymentAllocation, list_allocations, live_payments
from matching.fee.reconciliation.queue import RECORD_KIND, draw_queue
from matching.fee.remittance.line import LineState, RemittanceLine, get_line, reason_id
from matching.fee.remittance.remittance import lock_remittances
from matching.fee.remittance.taken_back import free_state
from matching.fee.signer import Signer, find_signer
from matching.fee.transfer import undo
from matching.sealed_words import own_agency, own_person, seal_words, tidy
from tenants import audit
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require

_ELSEWHERE = "This line was matched in another of your consortia. Act in that one, then undo it there."


class LineSettled(Conflict):
    """Somebody has settled the line already."""


class NotOwedAnyMore(Conflict):
    """An invoice is not owed as far as a line is to pay it."""


class SharesWrong(Invalid):
    """The shares of a line do not make the line."""


@dataclass(frozen=True, slots=True)
class SureResult:
    """How many lines were confirmed at once, and how many are no longer what the person saw."""

    confirmed: int
    pence: int
    changed: int


def confirm_match(
    session: Session,
    line: RemittanceLine,
    shares: Sequence[Share],
    *,
    now: datetime,
    over_payer_id: UUID | None = None,
    reason: str = "",
) -> list[Payment]:
    """Let a line pay invoices, in both books; what is over is held for the payer. Return a payment for each payer.

    :param over_payer_id: whose the rest is, where no share says so or shares are of several payers.
    :param reason: why so, where the person says it; it is kept with the line until that is taken back.
    :raises LineSettled: when the line is settled, otherwise than so.
    :raises NotOwedAnyMore: when an invoice is owed less than its share.
    :raises SharesWrong: when the shares are more than the line, nobody is named for the rest, or its day is to come.
    """
    signer = _begin(session, line)
    if line.state is LineState.MATCHED:
        return _same_again(session, line, shares)
    if line.dated_on > now.date():
        raise SharesWrong(f"The bank dates it {line.dated_on:%d/%m/%Y}. Match it once that day has come.")
    if over_payer_id is not None and over_payer_id not in {each.id for each in list_others(session)}:
        raise SharesWrong("Choose whose the rest is from the list.")
    owed = {each.id: each for each in list_open(session)}
    made = _match(session, line, shares, owed, signer=signer, now=now, over_payer_id=over_payer_id)
    if reason.strip():
        _keep_reason(session, line, tidy(reason, what="why it is matched so"), now=now)
    return made


def confirm_sure(session: Session, marks: Mapping[UUID, str], *, now: datetime) -> SureResult:
    """Confirm all sure proposals that a person saw, as they saw them; what has changed since is left as it is.

    Others who post wait while the books are held: give few at a time. Proposals are drawn before that, and what is owed
    is read once more after.
    """
    own_person(session)
    lock_remittances(session, own_agency(session))
    queue = draw_queue(session, now=now)
    seen = [each for each in queue.sure if marks.get(each.line.id) == each.mark]
    share_books(session)
    owed = {each.id: each for each in list_open(session)}
    confirmed = [
        each
        for each in seen
        if all(owed.get(share.invoice_id) == queue.invoices[share.invoice_id] for share in each.proposal.shares)
    ]
    for each in confirmed:
        # No two proposals of one queue want the same pence of an invoice.
        signer = _begin(session, each.line)
        _match(session, each.line, each.proposal.shares, queue.invoices, signer=signer, now=now)
    return SureResult(len(confirmed), sum(each.line.pence for each in confirmed), len(marks) - len(confirmed))


def confirm_undone(session: Session, debit: RemittanceLine, credit: RemittanceLine, *, now: datetime) -> None:
    """Let a debit undo an earlier credit: what that had paid is taken back, and neither waits any more.

    :raises LineSettled: when either is settled otherwise.
    :raises SharesWrong: when they are not of one amount.
    """
    signer = _begin(session, debit)
    session.refresh(credit)
    if debit.state is LineState.REVERSED and credit.state is LineState.REVERSED:
        return
    _require_state(debit, LineState.NOT_RECEIPT)
    if credit.pence != -debit.pence or credit.pence <= 0:
        raise SharesWrong("The two lines are not of the same amount.")
    if credit.state is LineState.MATCHED:
        _reverse(session, credit, reason="The bank took the money back.", signer=signer, now=now)
    else:
        _require_state(credit, LineState.WAITING)
    for line in (debit, credit):
        _settle(session, line, LineState.REVERSED, signer, act=audit.Act.CONFIRM, now=now)


def confirm_paid_back(session: Session, debit: RemittanceLine, payer_id: UUID, *, now: datetime) -> LedgerTransaction:
    """Let a debit pay back what is held ahead for a payer, in both books; the same again is the first.

    :raises LineSettled: when it is settled, otherwise than so.
    :raises NothingHeld: when less than that is held for them.
    :raises SharesWrong: when its day is to come.
    """
    signer = _begin(session, debit)
    if debit.state is LineState.PAID_BACK and debit.settled_by == signer.person_id:
        stands = find_paid_back(session, debit)
        if stands is not None and stands.payer_agency_id == payer_id:
            return stands
    _require_state(debit, LineState.NOT_RECEIPT)
    if debit.dated_on > now.date():
        raise SharesWrong(f"The bank dates it {debit.dated_on:%d/%m/%Y}. Match it once that day has come.")
    posted = pay_back(session, debit, payer_id, now=now)
    _settle(session, debit, LineState.PAID_BACK, signer, act=audit.Act.CONFIRM, now=now)
    return posted


def set_aside(session: Session, line: RemittanceLine, *, reason: str, now: datetime) -> None:
    """Say that a line pays no fee, and why; it waits no more.

    :raises LineSettled: when the line is settled already.
    """
    said = tidy(reason, what="why it is set aside")
    signer = _begin(session, line)
    if line.state is LineState.SET_ASIDE and line.settled_by == signer.person_id:
        return
    _require_state(line, LineState.WAITING, LineState.NOT_RECEIPT)
    _keep_reason(session, line, said, now=now)
    _settle(session, line, LineState.SET_ASIDE, signer, act=audit.Act.DECIDE, now=now)


def take_back(session: Session, line: RemittanceLine, *, reason: str, now: datetime) -> None:
    """Undo what was made of a line, by reversal in both books: it waits again, or is no receipt again.

    A line of no file that stands follows the file that was taken back.
    Of two lines that undo each other neither stays behind: money that came back was never received.

    :raises LineSettled: when nothing was made of it, or in another consortium.
    :raises HeldAheadUsed: when what it had paid too much has since paid an invoice or was paid back.
    """
    said = tidy(reason, what="why it is taken back")
    signer = _begin(session, line)
    _require_state(line, LineState.MATCHED, LineState.PAID_BACK, LineState.SET_ASIDE, LineState.REVERSED)
    if line.state is LineState.MATCHED:
        _reverse(session, line, reason=said, signer=signer, now=now)
    if line.state is LineState.PAID_BACK:
        undo(session, _paid_back(session, line), reason=said, now=now)
    other = _undone_with(session, line) if line.state is LineState.REVERSED else None
    for each in filter(None, (line, other)):
        each.state = free_state(session, each)
        each.settled_at = each.settled_by = each.settled_name = each.sealed_reason = None
        audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=each.id, now=now)
    session.flush()


# ── within ──


def _match(
    session: Session,
    line: RemittanceLine,
    shares: Sequence[Share],
    owed: Mapping[UUID, KnownInvoice],
    *,
    signer: Signer,
    now: datetime,
    over_payer_id: UUID | None = None,
) -> list[Payment]:
    _require_state(line, LineState.WAITING)
    by_payer = _by_payer(line, shares, owed, over_payer_id)
    made = [
        _pay(session, line, payer_id, theirs, over, owed, signer=signer, now=now)
        for payer_id, (theirs, over) in sorted(by_payer.items())
    ]
    _settle(session, line, LineState.MATCHED, signer, act=audit.Act.CONFIRM, now=now)
    return made


def _begin(session: Session, line: RemittanceLine) -> Signer:
    require(scope_of(session), Verb.KEEP_FEES)
    own_person(session)
    lock_remittances(session, line.agency_id)
    share_books(session)
    get_line(session, line.id)
    signer = find_signer(session)
    assert signer is not None  # noqa: S101 - own_person has refused everybody else
    return signer


def _require_state(line: RemittanceLine, *states: LineState) -> None:
    if line.state in states:
        return
    who = f" by {line.settled_name}" if line.settled_name else ""
    raise LineSettled(f"This line is {line.state.label.lower()}{who} already. Look at the list again.")


def _same_again(session: Session, line: RemittanceLine, shares: Sequence[Share]) -> list[Payment]:
    payments = live_payments(session, line.id)
    stand = {(each.paid_id, each.pence) for each in list_allocations(session, [p.id for p in payments])}
    another = any(each.confirmed_by != scope_of(session).person_id for each in payments)
    if another or stand != {(each.invoice_id, each.pence) for each in shares}:
        _require_state(line)
    return payments


def _by_payer(
    line: RemittanceLine, shares: Sequence[Share], owed: Mapping[UUID, KnownInvoice], over_payer_id: UUID | None
) -> dict[UUID, tuple[list[Share], int]]:
    """Return for each payer their shares and what is over.

    :raises SharesWrong: as :func:`confirm_match` does.
    :raises NotOwedAnyMore: as :func:`confirm_match` does.
    """
    theirs: dict[UUID, list[Share]] = defaultdict(list)
    if len({share.invoice_id for share in shares}) != len(shares) or any(share.pence <= 0 for share in shares):
        raise SharesWrong("Give each invoice one share, of a penny at least.")
    for share in shares:
        invoice = owed.get(share.invoice_id)
        if invoice is None or invoice.outstanding < share.pence:
            left = f"{pounds(invoice.outstanding)} of {invoice.number} is owed" if invoice else "It is not owed"
            raise NotOwedAnyMore(f"{left} by now. Look at the line again.")
        theirs[invoice.payer_id].append(share)
    over = line.pence - sum(share.pence for share in shares)
    if over < 0:
        raise SharesWrong(f"The shares are {pounds(-over)} more than the line. Make them smaller.")
    whose = over_payer_id or (next(iter(theirs)) if len(theirs) == 1 else None)
    if over and whose is None:
        raise SharesWrong(f"{pounds(over)} of the line is left. Say whose it is, or share it out.")
    if over and whose is not None:
        theirs.setdefault(whose, [])
    return {payer_id: (found, over if payer_id == whose else 0) for payer_id, found in theirs.items()}


def _pay(
    session: Session,
    line: RemittanceLine,
    payer_id: UUID,
    shares: Sequence[Share],
    over: int,
    owed: Mapping[UUID, KnownInvoice],
    *,
    signer: Signer,
    now: datetime,
) -> Payment:
    payment_id, consortium_id, payee_id = uuid4(), _consortium(session), line.agency_id

    def posted(kind: TransactionKind, pence: int, key: str, narrative: str, paid: KnownInvoice | None = None) -> UUID:
        return post(
            session,
            consortium_id=consortium_id,
            payer_agency_id=payer_id,
            payee_agency_id=payee_id,
            kind=kind,
            key=key,
            dated_on=line.dated_on,
            entries=mirrored(kind, pence, payer_id, payee_id),
            narrative=narrative,
            now=now,
            invoice_id=paid.invoice_id if paid else None,
            leg_id=paid.leg_id if paid else None,
        ).id

    words = "Received more than was owed"
    transaction_id = posted(TransactionKind.OVERPAID, over, f"payment/{payment_id}/over", words) if over else None
    payment = Payment(
        id=payment_id,
        consortium_id=consortium_id,
        payer_agency_id=payer_id,
        payee_agency_id=payee_id,
        line_id=line.id,
        pence=over + sum(share.pence for share in shares),
        received_on=line.dated_on,
        over_pence=over,
        transaction_id=transaction_id,
        confirmed_at=now,
        confirmed_by=signer.person_id,
        confirmed_name=signer.name,
    )
    session.add(payment)
    session.flush()
    for share in shares:
        key, paid = f"payment/{payment_id}/{share.invoice_id}", owed[share.invoice_id]
        posted_id = posted(TransactionKind.PAID, share.pence, key, f"Received for {paid.words}", paid)
        session.add(
            PaymentAllocation(
                consortium_id=consortium_id,
                payer_agency_id=payer_id,
                payee_agency_id=payee_id,
                payment_id=payment_id,
                invoice_id=paid.invoice_id,
                leg_id=paid.leg_id,
                pence=share.pence,
                transaction_id=posted_id,
            )
        )
    session.flush()
    return payment


def _undone_with(session: Session, line: RemittanceLine) -> RemittanceLine | None:
    """Return the other of two lines that undo each other: settled by one act, at one moment, of opposite amounts."""
    query = select(RemittanceLine).where(
        RemittanceLine.state == LineState.REVERSED,
        RemittanceLine.settled_at == line.settled_at,
        RemittanceLine.settled_by == line.settled_by,
        RemittanceLine.pence == -line.pence,
    )
    return session.scalar(query.order_by(RemittanceLine.id).limit(1))


def _reverse(session: Session, line: RemittanceLine, *, reason: str, signer: Signer, now: datetime) -> None:
    payments = live_payments(session, line.id)
    if not payments:
        raise LineSettled(_ELSEWHERE)
    posted = [each.transaction_id for each in list_allocations(session, [each.id for each in payments])]
    for payment in payments:
        if payment.transaction_id is not None:
            refuse_used(session, payment)
            posted.append(payment.transaction_id)
        payment.taken_back_at, payment.taken_back_by = now, signer.person_id
        payment.taken_back_name, payment.taken_back_reason = signer.name, reason
    for transaction_id in posted:
        undo(session, get_transaction(session, transaction_id), reason=reason, now=now)
    line.sealed_reason = None
    session.flush()


def _paid_back(session: Session, line: RemittanceLine) -> LedgerTransaction:
    found = find_paid_back(session, line)
    if found is None:
        raise LineSettled(_ELSEWHERE)
    return found


def _settle(
    session: Session, line: RemittanceLine, state: LineState, signer: Signer, *, act: audit.Act, now: datetime
) -> None:
    line.state, line.settled_at = state, now
    line.settled_by, line.settled_name = signer.person_id, signer.name
    audit.record(session, act, record_kind=RECORD_KIND, record_id=line.id, now=now)
    session.flush()


def _keep_reason(session: Session, line: RemittanceLine, said: str, *, now: datetime) -> None:
    line.sealed_reason = seal_words(session, {"reason": said}, row_id=reason_id(line.id), now=now)


def _consortium(session: Session) -> UUID:
    consortium_id = scope_of(session).consortium_id
    if consortium_id is None:
        raise SharesWrong("Choose the consortium that you act in, then try again.")
    return consortium_id
