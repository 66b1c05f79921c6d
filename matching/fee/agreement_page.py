"""An agreement as people read it: who its agencies are, what can be done now, and by whom it is signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching.fee.addendum import is_to_sign
from matching.fee.agreement import (
    OVER,
    RECORD_KIND,
    AddendumKind,
    FeeAddendum,
    FeeAgreement,
    Side,
    find_agreement_of,
    get_agreement,
    list_addenda,
)
from matching.fee.signing import require_own_signature
from matching.fee.tariff import PublishedTariff, read_tariffs
from matching.link import WAY, Link, LinkState
from tenants import audit
from tenants.agency import Agency, list_agencies
from tenants.database import scope_of
from tenants.error import refusal_of
from tenants.permission import Verb, may, require

BEFORE_MATCHED = frozenset(WAY[: WAY.index(LinkState.MATCHED)]) | {LinkState.ENDED, LinkState.DISRUPTED}
"""Where no agreement is missed."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One place to be signed: for which agency, and by whom and when it was."""

    side: Side
    agency: str
    name: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AddendumView:
    """One addendum with its signatures, and whether the scope may sign or withdraw it, or why it may not sign."""

    addendum: FeeAddendum
    signatures: tuple[Signature, ...]
    may_sign: bool
    unsigned_because: str | None
    may_withdraw: bool


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One agreement with what a page, or a paper, says of it."""

    agreement: FeeAgreement
    names: Mapping[UUID, str]
    tariff: PublishedTariff | None
    signatures: tuple[Signature, ...]
    addenda: tuple[AddendumView, ...]
    side: Side | None
    """The side that the scope's agency is on; ``None`` where another pays for it."""
    may_sign: bool
    unsigned_because: str | None
    """Why the scope's person does not sign, where their agency's side is to."""
    may_state: bool
    may_price: bool
    may_amend: bool

    @property
    def payer(self) -> str:
        """Return who pays."""
        return self.names[self.agreement.payer_agency_id]

    @property
    def payee(self) -> str:
        """Return who is paid."""
        return self.names[self.agreement.payee_agency_id]

    @property
    def authority(self) -> str:
        """Return whose children they are."""
        return self.names[self.agreement.authority_agency_id]


def read_agreement(session: Session, agreement_id: UUID, *, now: datetime) -> AgreementView:
    """Return an agreement as its page shows it, and put the look on record.

    :raises AgreementUnknown: when the scope's agency is in no such agreement.
    """
    agreement = get_agreement(session, agreement_id)
    own = scope_of(session).agency_id
    others = sorted(agreement.agencies - {own})
    audit.record_each(
        session, audit.Act.READ, record_kind=RECORD_KIND, records=[(agreement.id, each) for each in others], now=now
    )
    return view_agreement(session, agreement, on=now.date())


def view_agreement(session: Session, agreement: FeeAgreement, *, on: date) -> AgreementView:
    """Return what is said of an agreement, and what the scope may do with it."""
    require(scope_of(session), Verb.READ_FEES)
    scope = scope_of(session)
    names = names_of(list_agencies(session))
    side = _side(agreement, scope.agency_id)
    over, frozen = agreement.state in OVER, agreement.frozen_at is not None
    keeps, signs = may(scope, Verb.KEEP_FEES), may(scope, Verb.SIGN_FEES)
    amends = keeps and side is not None and not over
    to_sign = signs and not over and (agreement.amount_pence is not None or agreement.waived)
    because = _because(session, agreement, agreement, side, on=on) if to_sign else None
    tariff = next((each for each in read_tariffs(session) if each.id == agreement.tariff_id), None)
    return AgreementView(
        agreement=agreement,
        names=names,
        tariff=tariff,
        signatures=_signatures(agreement, agreement, names),
        addenda=tuple(
            _view_addendum(session, each, agreement, names, side, on=on)
            for each in list_addenda(session, [agreement.id])[agreement.id]
        ),
        side=side,
        may_sign=to_sign and _unsigned(agreement, side) and because is None,
        unsigned_because=because,
        may_state=amends and not frozen and not agreement.is_signed,
        may_price=keeps
        and not over
        and not frozen
        and agreement.link_id is not None
        and agreement.authority_agency_id == scope.agency_id
        and (not agreement.is_signed or agreement.placed_on is not None),
        may_amend=amends and agreement.is_signed and not agreement.waived,
    )


def say_agreement(session: Session, link_id: UUID) -> str | None:
    """Return how the fee agreement of a placement stands, for its workers: no amount, and nothing waits for it.

    ``None`` where the children and the family are of one agency, or it is signed.
    """
    agreement = find_agreement_of(session, link_id)
    if agreement is None:
        link = session.get(Link, link_id)
        if link is None or link.group_agency_id == link.household_agency_id or link.state in BEFORE_MATCHED:
            return None
        return "No fee agreement is drafted. Ask your finance officer to look at it; nothing here waits for it."
    if agreement.is_signed:
        return None
    return (
        f"Fee agreement {agreement.reference} is not signed by both agencies yet. Ask your finance officer early; "
        "nothing here waits for it."
    )


class Names(dict[UUID, str]):
    """Agencies' names by id. An agency's own book holds what it has with others of another consortium too."""

    def __missing__(self, agency_id: UUID) -> str:
        """Return what an agency is called that the scope does not know."""
        return "An agency outside the consortium"


def names_of(agencies: Iterable[Agency]) -> Names:
    """Return agencies' names by id."""
    return Names({each.id: each.name for each in agencies})


def _side(agreement: FeeAgreement, own: UUID | None) -> Side | None:
    if agreement.payer_agency_id == agreement.payee_agency_id:
        return None
    if own == agreement.payer_agency_id:
        return Side.PAYER
    return Side.PAYEE if own == agreement.payee_agency_id else None


def _view_addendum(
    session: Session,
    addendum: FeeAddendum,
    agreement: FeeAgreement,
    names: Mapping[UUID, str],
    side: Side | None,
    *,
    on: date,
) -> AddendumView:
    scope = scope_of(session)
    to_sign = may(scope, Verb.SIGN_FEES) and is_to_sign(agreement, addendum)
    because = _because(session, addendum, agreement, side, on=on) if to_sign else None
    return AddendumView(
        addendum,
        _signatures(addendum, agreement, names),
        may_sign=to_sign and _unsigned(addendum, side) and because is None,
        unsigned_because=because,
        may_withdraw=may(scope, Verb.KEEP_FEES)
        and side is not None
        and addendum.kind is AddendumKind.AMENDMENT
        and addendum.withdrawn_at is None
        and not addendum.is_signed,
    )


def _because(
    session: Session, paper: FeeAgreement | FeeAddendum, agreement: FeeAgreement, side: Side | None, *, on: date
) -> str | None:
    if side is None or not _unsigned(paper, side):
        return None
    return refusal_of(lambda: require_own_signature(session, paper, agreement, side, on=on))


def _unsigned(paper: FeeAgreement | FeeAddendum, side: Side | None) -> bool:
    return side is not None and getattr(paper, f"{side}_signed_by") is None


def _signatures(
    paper: FeeAgreement | FeeAddendum, agreement: FeeAgreement, names: Mapping[UUID, str]
) -> tuple[Signature, ...]:
    return (
        Signature(Side.PAYER, names[agreement.payer_agency_id], paper.payer_signed_name, paper.payer_signed_at),
        Signature(Side.PAYEE, names[agreement.payee_agency_id], paper.payee_signed_name, paper.payee_signed_at),
    )
