"""Up to which amount people of a role sign fee agreements for their agency, as its managers say."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.money import say_pounds
from matching.fee.signer import find_signer
from matching.fee.tariff import MOST_PENCE
from tenants import audit
from tenants.base import Base
from tenants.database import scope_of
from tenants.error import Forbidden, Invalid
from tenants.permission import MAY, NotAllowed, Verb, require
from tenants.role import Role

SIGNERS = (Role.FINANCE_OFFICER, Role.MANAGER)
RECORD_KIND = "signing_limit"


class SigningLimit(Base):
    """Up to how much a role of an agency signs; without a row, up to any amount."""

    __tablename__ = "signing_limit"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    pence: Mapped[int | None] = mapped_column(BigInteger)
    """``None`` for any amount; nothing for none at all."""
    set_by: Mapped[UUID | None]
    set_name: Mapped[str | None]
    set_at: Mapped[datetime]


class LimitInvalid(Invalid):
    """A limit was described in a way that cannot be."""


class BeyondLimit(Forbidden):
    """The amount is beyond what the person's roles sign."""


def list_limits(session: Session) -> dict[Role, int | None]:
    """Return up to how much each role of the scope's agency signs; ``None`` for any amount."""
    require(scope_of(session), Verb.READ_FEES)
    return _limits(session)


def set_limit(session: Session, role: Role, *, pence: int | None, now: datetime) -> None:
    """Set up to how much a role of the scope's agency signs.

    :raises NotAllowed: when the scope's person is no manager of it: nobody raises their own limit.
    :raises LimitInvalid: when the role signs nothing, or the amount cannot be.
    """
    scope = scope_of(session)
    require(scope, Verb.APPROVE_FEES)
    if Role.MANAGER not in scope.roles:
        raise NotAllowed("A manager of the agency says up to how much its people sign.")
    if role not in MAY[Verb.SIGN_FEES] or (pence is not None and not 0 <= pence <= MOST_PENCE):
        raise LimitInvalid("Give an amount between nothing and £1,000,000, or none for any amount.")
    signer = find_signer(session)
    facts = {
        "pence": pence,
        "set_by": signer.person_id if signer else None,
        "set_name": signer.name if signer else None,
        "set_at": now,
    }
    session.execute(
        insert(SigningLimit)
        .values(agency_id=scope.agency_id, role=role.value, **facts)
        .on_conflict_do_update(index_elements=["agency_id", "role"], set_=facts)
    )
    session.expire_all()
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, reason=f"{role.value} limit", now=now)


def require_within(session: Session, pence: int) -> None:
    """Let an amount pass that one of the scope's roles signs.

    :raises BeyondLimit: when none does.
    """
    scope, limits = scope_of(session), _limits(session)
    mine = [limits[role] for role in SIGNERS if role in scope.roles]
    if not any(limit is None or pence <= limit for limit in mine):
        most = max((limit for limit in mine if limit is not None), default=0)
        raise BeyondLimit(
            f"This is {say_pounds(pence)}, and you sign up to {say_pounds(most)} for your agency. "
            "Ask somebody with a higher limit to sign."
        )


def _limits(session: Session) -> dict[Role, int | None]:
    query = select(SigningLimit).where(SigningLimit.agency_id == scope_of(session).agency_id)
    found = {Role(each.role): each.pence for each in session.scalars(query)}
    return {role: found.get(role) for role in SIGNERS}
