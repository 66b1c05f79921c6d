"""The agreement of two agencies about what a placement costs (the content of Form IA), and who reads it.

It names neither child nor family: its reference is random, and its link is its one tie to them. When an adoption is
sealed the link goes, and the agreement reckons on from its own dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.instalment import Instalment, read_plan
from matching.fee.rule import CountsFrom, LegFalls, OnDisruption
from matching.register import Page, read_page
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "fee_agreement"
PAGE_AGREEMENTS = 50


class AgreementState(StrEnum):
    """How far an agreement is."""

    DRAFTED = "drafted"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _STATES[self]


_STATES = {
    AgreementState.DRAFTED: "To be signed",
    AgreementState.SIGNED: "Signed",
    AgreementState.IN_FORCE: "In force",
    AgreementState.ENDED: "Ended",
    AgreementState.WITHDRAWN: "Withdrawn",
}
OVER = frozenset({AgreementState.ENDED, AgreementState.WITHDRAWN})


class Side(StrEnum):
    """For which side of an agreement somebody speaks."""

    PAYER = "payer"
    PAYEE = "payee"


class FeeAgreement(Base):
    """One agreement about one placement."""

    __tablename__ = "fee_agreement"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    reference: Mapped[str]
    link_id: Mapped[UUID | None]
    authority_agency_id: Mapped[UUID]
    """Whose children they are."""
    payer_agency_id: Mapped[UUID]
    """Who pays: the same, or the regional agency that acts for it."""
    payee_agency_id: Mapped[UUID]
    """Who approved the family."""
    children: Mapped[int]
    tariff_id: Mapped[UUID | None]
    rate_words: Mapped[str]
    """Which rule chose the rate, and why."""
    amount_pence: Mapped[int | None] = mapped_column(BigInteger)
    """The whole fee; where it is waived, what it would have been."""
    refusal: Mapped[str | None]
    """Why it could not be priced, and what to do."""
    stated: Mapped[bool] = mapped_column(default=False)
    """The two agencies settled the fee between themselves."""
    waived: Mapped[bool]
    waiver_words: Mapped[str | None]
    swap_group_id: Mapped[UUID | None]
    leg_falls: Mapped[LegFalls | None] = mapped_column(Word(LegFalls))
    plan: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """``[{"position", "pence", "due", "months"}]``: together the whole fee."""
    continuing_pence: Mapped[int | None] = mapped_column(BigInteger)
    continuing_after_months: Mapped[int | None]
    counts_from: Mapped[CountsFrom] = mapped_column(Word(CountsFrom))
    disruption: Mapped[OnDisruption] = mapped_column(Word(OnDisruption))
    state: Mapped[AgreementState] = mapped_column(Word(AgreementState))
    version: Mapped[int]
    """Counts the changes: who acts on an older one is told that somebody was first."""
    addenda: Mapped[int] = mapped_column(default=0)
    """The position of the last addendum by which its terms are what they are."""
    drafted_at: Mapped[datetime]
    drafted_by: Mapped[UUID | None]
    matched_on: Mapped[date | None]
    placed_on: Mapped[date | None]
    """The day from which the fee counts, by ``counts_from``."""
    ordered_on: Mapped[date | None]
    disrupted_on: Mapped[date | None]
    frozen_at: Mapped[datetime | None]
    """When the rate of that day was kept for good."""
    payer_signed_by: Mapped[UUID | None]
    payer_signed_name: Mapped[str | None]
    payer_signed_at: Mapped[datetime | None]
    payee_signed_by: Mapped[UUID | None]
    payee_signed_name: Mapped[str | None]
    payee_signed_at: Mapped[datetime | None]

    @property
    def is_signed(self) -> bool:
        """Say whether both sides have signed."""
        return self.payer_signed_by is not None and self.payee_signed_by is not None

    @property
    def fell_away(self) -> bool:
        """Say whether the placement disrupted before an order, and what was not invoiced fell away by its rule."""
        disrupted = self.disrupted_on is not None and not (self.ordered_on or date.max) <= self.disrupted_on
        return disrupted and self.disruption is OnDisruption.FALL_AWAY

    @property
    def instalments(self) -> tuple[Instalment, ...]:
        """Return the parts in which it is paid."""
        return read_plan(self.plan)

    @property
    def agencies(self) -> frozenset[UUID]:
        """Return every agency that it concerns."""
        return frozenset({self.authority_agency_id, self.payer_agency_id, self.payee_agency_id})


class AddendumKind(StrEnum):
    """Why there is an addendum."""

    RATE = "rate"
    AMENDMENT = "amendment"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return "The rate of the day" if self is AddendumKind.RATE else "Amendment"


class FeeAddendum(Base):
    """A change of an agreement that both have signed: the terms before and after it, and why."""

    __tablename__ = "fee_addendum"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agreement_id: Mapped[UUID]
    authority_agency_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[AddendumKind] = mapped_column(Word(AddendumKind))
    changes: Mapped[dict[str, Any]]
    """``{"before": {…}, "after": {…}}``, each with children, amount_pence, plan, continuing_pence."""
    reason: Mapped[str]
    drafted_by: Mapped[UUID | None]
    drafted_name: Mapped[str]
    drafted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    payer_signed_by: Mapped[UUID | None]
    payer_signed_name: Mapped[str | None]
    payer_signed_at: Mapped[datetime | None]
    payee_signed_by: Mapped[UUID | None]
    payee_signed_name: Mapped[str | None]
    payee_signed_at: Mapped[datetime | None]

    @property
    def is_signed(self) -> bool:
        """Say whether both sides have signed."""
        return self.payer_signed_by is not None and self.payee_signed_by is not None

    @property
    def event_key(self) -> str:
        """Return the key of the event with which it counts: the rate of the day does from that day on."""
        return "placed" if self.kind is AddendumKind.RATE else f"addendum/{self.position}"


class AgreementUnknown(NotFound):
    """The scope's agency is in no such agreement."""


class AgreementInvalid(Invalid):
    """What was asked of an agreement cannot be."""


class AgreementMoved(Conflict):
    """Somebody changed the agreement first."""


class NotYourSide(Forbidden):
    """The scope's agency is not on the side that this is for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which agreements to list; ``None`` leaves a question out."""

    state: AgreementState | None = None
    other_agency_id: UUID | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """A page of a list of agreements, and what the scope's agency pays and is paid by the whole list, in pence.

    What was withdrawn, or is a swap, is in the list and counts for nothing.
    """

    page: Page[FeeAgreement]
    to_pay: int
    to_be_paid: int


def get_agreement(session: Session, agreement_id: UUID) -> FeeAgreement:
    """Return an agreement that the scope's agency pays, is paid by, or has the children of.

    :raises AgreementUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    agreement = session.get(FeeAgreement, agreement_id)
    if agreement is None:
        raise AgreementUnknown("Your agency is in no such fee agreement.")
    return agreement


def find_agreement_of(session: Session, link_id: UUID) -> FeeAgreement | None:
    """Return the agreement that stands for a link, whoever asks of its parties."""
    query = select(FeeAgreement).where(FeeAgreement.link_id == link_id, FeeAgreement.state != AgreementState.WITHDRAWN)
    return session.scalar(query)


def select_agreements(session: Session, wanted: Wanted | None = None) -> Select[FeeAgreement]:
    """Return the query of the agreements of the scope's agency, the latest drafted first."""
    scope = scope_of(session)
    require(scope, Verb.READ_FEES)
    wanted = wanted or Wanted()
    query = select(FeeAgreement).where(FeeAgreement.consortium_id == scope.consortium_id)
    if wanted.state is not None:
        query = query.where(FeeAgreement.state == wanted.state)
    if wanted.other_agency_id is not None:
        other = wanted.other_agency_id
        query = query.where(or_(FeeAgreement.payer_agency_id == other, FeeAgreement.payee_agency_id == other))
    if wanted.reference:
        query = query.where(FeeAgreement.reference == wanted.reference)
    return query.order_by(FeeAgreement.drafted_at.desc(), FeeAgreement.id)


def read_agreement_page(session: Session, query: Select[FeeAgreement], *, number: int) -> AgreementPage:
    """Return a page of a query of agreements, or the nearest that there is, with the sums of all that it finds."""
    require(scope_of(session), Verb.READ_FEES)
    own = scope_of(session).agency_id
    counts = and_(~FeeAgreement.waived, FeeAgreement.state != AgreementState.WITHDRAWN)
    pence = func.sum(FeeAgreement.amount_pence)
    sums = query.with_only_columns(
        func.count(),
        pence.filter(counts, FeeAgreement.payer_agency_id == own),
        pence.filter(counts, FeeAgreement.payee_agency_id == own),
    )
    total, to_pay, to_be_paid = session.execute(sums.order_by(None)).one()
    page = read_page(session, query, number=number, total=total, size=PAGE_AGREEMENTS)
    return AgreementPage(page, int(to_pay or 0), int(to_be_paid or 0))


def list_addenda(session: Session, agreement_ids: Sequence[UUID]) -> dict[UUID, list[FeeAddendum]]:
    """Return the addenda of agreements by agreement, the first first."""
    require(scope_of(session), Verb.READ_FEES)
    found: dict[UUID, list[FeeAddendum]] = {each: [] for each in agreement_ids}
    query = select(FeeAddendum).where(FeeAddendum.agreement_id.in_(agreement_ids))
    for addendum in session.scalars(query.order_by(FeeAddendum.agreement_id, FeeAddendum.position)):
        found[addendum.agreement_id].append(addendum)
    return found


def lock_agreement_row(session: Session, agreement: FeeAgreement, *, version: int | None = None) -> None:
    """Keep others from changing an agreement until the transaction ends.

    :raises AgreementMoved: when it is not at ``version`` any more.
    """
    query = select(FeeAgreement).where(FeeAgreement.id == agreement.id).with_for_update(key_share=True)
    session.scalars(query.execution_options(populate_existing=True)).one()
    if version is not None and agreement.version != version:
        raise AgreementMoved("Somebody changed this agreement meanwhile. Load its page again, then decide.")


def side_of(session: Session, agreement: FeeAgreement) -> Side:
    """Return for which side of an agreement the scope's agency speaks.

    :raises NotYourSide: when it neither pays nor is paid, or has become both.
    """
    own = scope_of(session).agency_id
    if agreement.payer_agency_id == agreement.payee_agency_id:
        raise NotYourSide("The two agencies have become one, so there is nothing to settle between them.")
    if own == agreement.payer_agency_id:
        return Side.PAYER
    if own == agreement.payee_agency_id:
        return Side.PAYEE
    raise NotYourSide("The agency that pays for you settles this. Ask its finance officer.")
