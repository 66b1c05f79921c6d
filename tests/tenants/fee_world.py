"""Tariffs and rules of a consortium, and what two of its agencies agreed about the fee of a link between them."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select

from matching.fee.agreement import AddendumKind, AgreementState, FeeAddendum, FeeAgreement
from matching.fee.payer import FeePayer
from matching.fee.published import adopt_published
from matching.fee.rule import CountsFrom, OnDisruption
from matching.fee.signing_limit import set_limit
from matching.link import Link
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, TODAY, Tenant


def make_fees(database: Database, *, office: Tenant, agency: Tenant, neighbour: Tenant) -> None:
    """Have the office adopt what is published, and the two agree on a fee and on changing it."""
    with database.transaction(office.scope) as session:
        adopt_published(session, now=NOW)
    person_id = agency.scope.person_id
    assert person_id is not None
    with database.transaction(agency.scope) as session:
        set_limit(session, Role.FINANCE_OFFICER, pence=5_000_000, now=NOW)
        where = {"consortium_id": agency.scope.consortium_id, "payer_agency_id": neighbour.id}
        asked = {"asked_by": person_id, "asked_name": "Sam", "asked_at": NOW}
        session.add(FeePayer(id=uuid4(), agency_id=agency.id, begins_on=TODAY, **where, **asked))
    with database.transaction(neighbour.scope) as session:
        link = session.scalars(
            select(Link).where(Link.group_agency_id == neighbour.id, Link.household_agency_id == agency.id)
        ).first()
        assert link is not None
        parties = {
            "consortium_id": link.consortium_id,
            "authority_agency_id": neighbour.id,
            "payer_agency_id": neighbour.id,
            "payee_agency_id": agency.id,
        }
        agreement = FeeAgreement(
            id=uuid4(),
            reference="FA-000000",
            link_id=link.id,
            children=1,
            rate_words="As published.",
            amount_pence=2_700_000,
            waived=False,
            plan=[{"position": 1, "pence": 2_700_000, "due": "placement", "months": None}],
            counts_from=CountsFrom.ADOPTIVE_START,
            disruption=OnDisruption.FALL_AWAY,
            state=AgreementState.DRAFTED,
            version=1,
            addenda=0,
            drafted_at=NOW,
            drafted_by=neighbour.scope.person_id,
            **parties,
        )
        session.add(agreement)
        session.flush()
        session.add(
            FeeAddendum(
                id=uuid4(),
                agreement_id=agreement.id,
                position=1,
                kind=AddendumKind.AMENDMENT,
                changes={"before": _terms(2_700_000), "after": _terms(2_800_000)},
                reason="Another number.",
                drafted_by=neighbour.scope.person_id,
                drafted_name="Sam",
                drafted_at=NOW,
                **parties,
            )
        )


def _terms(pence: int) -> dict[str, object]:
    """Return what an addendum says of an agreement, before it or after it."""
    plan = [{"position": 1, "pence": pence, "due": "placement", "months": None}]
    return {"children": 1, "amount_pence": pence, "waived": False, "plan": plan}
