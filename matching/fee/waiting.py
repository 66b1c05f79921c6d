"""What of tariffs and agreements waits for the scope's agency: counted for its work list."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from matching.fee.agreement import OVER, AgreementState, FeeAddendum, FeeAgreement
from matching.fee.payer import FeePayer
from matching.fee.settlement import RUN_JOB
from matching.fee.tariff import PayeeKind, TariffTerms, in_force, list_tariffs
from matching.link import Link, LinkState
from matching.placement.placement import Placement
from matching.register import count_rows
from tenants.database import scope_of
from tenants.job import Job, JobState
from tenants.permission import Verb, require

SOON_DAYS = 90
_GOES_ON = frozenset({LinkState.MATCHED, LinkState.INTRODUCTIONS, LinkState.PLACED, LinkState.ORDERED})


def count_to_sign(session: Session, now: datetime) -> int:  # noqa: ARG001 - what waits is counted alike
    """Count the agreements that the scope's agency's side has not signed."""
    require(scope_of(session), Verb.READ_FEES)
    return _count(session, to_sign(session))


def count_unpriced(session: Session, now: datetime) -> int:  # noqa: ARG001
    """Count the agreements that have no amount, and so cannot be signed."""
    require(scope_of(session), Verb.READ_FEES)
    return _count(session, FeeAgreement.amount_pence.is_(None) & ~FeeAgreement.waived & _open())


def count_addenda(session: Session, now: datetime) -> int:  # noqa: ARG001
    """Count the addenda that the scope's agency's side has not signed."""
    require(scope_of(session), Verb.READ_FEES)
    own = scope_of(session).agency_id
    query = select(func.count()).where(
        FeeAddendum.consortium_id == scope_of(session).consortium_id,
        FeeAddendum.withdrawn_at.is_(None),
        _unsigned(FeeAddendum, own),
        exists().where(FeeAgreement.id == FeeAddendum.agreement_id, FeeAgreement.state != AgreementState.WITHDRAWN),
    )
    return session.scalar(query) or 0


def count_missing(session: Session, now: datetime) -> int:  # noqa: ARG001
    """Count the placements of the scope's agency's children that have no agreement."""
    return count_rows(session, _missing(session))


def count_payers(session: Session, now: datetime) -> int:  # noqa: ARG001
    """Count the agencies that have asked the scope's to pay for them."""
    require(scope_of(session), Verb.READ_FEES)
    scope = scope_of(session)
    query = select(func.count()).where(
        FeePayer.consortium_id == scope.consortium_id,
        FeePayer.payer_agency_id == scope.agency_id,
        FeePayer.confirmed_by.is_(None),
        FeePayer.ends_on.is_(None),
    )
    return session.scalar(query) or 0


def count_running_out(session: Session, now: datetime) -> int:
    """Count the tariffs of which none goes on in three months, for the office to add the next."""
    return len(list_running_out(session, now))


def list_running_out(session: Session, now: datetime) -> list[TariffTerms]:
    """Return the last tariff of each kind of payee that has ended, or will within three months, without a next one."""
    last: dict[tuple[PayeeKind, object, bool], TariffTerms] = {}
    for each in list_tariffs(session):
        terms = each.terms
        key = (terms.payee_kind, terms.nation, terms.london)
        if key not in last or last[key].begins_on < terms.begins_on:
            last[key] = terms
    soon = now.date() + timedelta(days=SOON_DAYS)
    return [terms for terms in last.values() if not in_force(terms, max(soon, terms.begins_on))]


def list_missing(session: Session) -> list[Placement]:
    """Return the placements of the scope's agency's children with another's families that have no agreement."""
    return list(session.scalars(_missing(session).order_by(Placement.made_at, Placement.link_id)))


def _missing(session: Session) -> Select[Placement]:
    require(scope_of(session), Verb.READ_FEES)
    scope = scope_of(session)
    agreed = exists().where(FeeAgreement.link_id == Placement.link_id, FeeAgreement.state != AgreementState.WITHDRAWN)
    return (
        select(Placement)
        .join(Link, Link.id == Placement.link_id)
        .where(
            Placement.group_agency_id == scope.agency_id,
            Placement.household_agency_id != scope.agency_id,
            Placement.consortium_id == scope.consortium_id,
            Link.state.in_(_GOES_ON),
            ~agreed,
        )
    )


def count_unsettled(session: Session, now: datetime) -> int:  # noqa: ARG001
    """Count the agreements that the last daily run could not settle."""
    return count_rows(session, select_unsettled(session))


def select_unsettled(session: Session) -> Select[FeeAgreement]:
    """Return the query of agreements that the last daily run could not settle: those that it names in why it failed."""
    require(scope_of(session), Verb.READ_FEES)
    scope = scope_of(session)
    ran = select(Job.state, Job.reason).where(
        Job.agency_id == scope.agency_id,
        Job.consortium_id == scope.consortium_id,
        Job.kind == RUN_JOB,
        Job.state.in_((JobState.DONE, JobState.FAILED)),
    )
    last = session.execute(ran.order_by(Job.requested_at.desc(), Job.id).limit(1)).first()
    if last is None or last.state is JobState.DONE or not last.reason:
        return select(FeeAgreement).where(false())
    query = select(FeeAgreement).where(
        FeeAgreement.consortium_id == scope.consortium_id,
        FeeAgreement.payee_agency_id == scope.agency_id,
        func.strpos(last.reason, FeeAgreement.reference) > 0,
    )
    return query.order_by(FeeAgreement.reference)


def select_to_sign(session: Session) -> Select[FeeAgreement]:
    """Return the query of agreements of which the scope's agency's side has not signed the paper, or an addendum."""
    require(scope_of(session), Verb.READ_FEES)
    scope = scope_of(session)
    addenda = select(FeeAddendum.agreement_id).where(
        FeeAddendum.withdrawn_at.is_(None), _unsigned(FeeAddendum, scope.agency_id)
    )
    amended = and_(FeeAgreement.id.in_(addenda), FeeAgreement.state != AgreementState.WITHDRAWN)
    query = select(FeeAgreement).where(
        FeeAgreement.consortium_id == scope.consortium_id, or_(to_sign(session), amended)
    )
    return query.order_by(FeeAgreement.drafted_at, FeeAgreement.id)


def to_sign(session: Session) -> ColumnElement[bool]:
    """Return the condition of agreements that the scope's agency's side may sign now."""
    priced = or_(FeeAgreement.amount_pence.is_not(None), FeeAgreement.waived)
    return and_(priced, _open(), _unsigned(FeeAgreement, scope_of(session).agency_id))


def _unsigned(table: type[FeeAgreement] | type[FeeAddendum], own: UUID | None) -> ColumnElement[bool]:
    return and_(
        table.payer_agency_id != table.payee_agency_id,
        or_(
            and_(table.payer_agency_id == own, table.payer_signed_by.is_(None)),
            and_(table.payee_agency_id == own, table.payee_signed_by.is_(None)),
        ),
    )


def _open() -> ColumnElement[bool]:
    return FeeAgreement.state.not_in(OVER)


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    own = FeeAgreement.consortium_id == scope_of(session).consortium_id
    return count_rows(session, select(FeeAgreement).where(own, condition))
