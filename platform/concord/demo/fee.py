"""The demonstration’s fees: the published tariffs, agreements that both sides signed, and one that waits for one.

The agreements themselves are drafted by the matches, and frozen by the placements.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from concord.demo.cast import Cast, acting
from matching.fee.agreement import find_agreement_of
from matching.fee.published import adopt_published
from matching.fee.signing import sign_agreement
from matching.fee.signing_limit import list_limits, set_limit
from matching.fee.tariff import list_tariffs
from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope

LIMIT = 5_000_000
"""Up to how much finance officers sign in the demonstration, in pence; managers sign more."""


def keep_tariffs(database: Database, cast: Cast, *, office: str, now: datetime) -> None:
    """Take in the published tariffs, as the office, where it keeps none."""
    with acting(database, cast(office, Role.COORDINATOR)) as session:
        if not list_tariffs(session):
            adopt_published(session, now=now)


def sign_fee(database: Database, signer: Scope, link_id: UUID, *, at: datetime) -> None:
    """Sign the agreement of a match for one side, where it has an amount or is a swap."""
    with acting(database, signer) as session:
        agreement = find_agreement_of(session, link_id)
        if agreement is not None and (agreement.amount_pence is not None or agreement.waived):
            sign_agreement(session, agreement, version=agreement.version, now=at)


def limits_set(database: Database, cast: Cast, slug: str) -> bool:
    """Say whether an agency's manager has set up to how much its finance officers sign."""
    with acting(database, cast(slug, Role.MANAGER)) as session:
        return list_limits(session)[Role.FINANCE_OFFICER] is not None


def set_limits(database: Database, cast: Cast, slug: str, *, now: datetime) -> None:
    """Set up to how much an agency's finance officers sign, as its manager."""
    with acting(database, cast(slug, Role.MANAGER)) as session:
        set_limit(session, Role.FINANCE_OFFICER, pence=LIMIT, now=now)
