"""Up to which amount people of a role sign and decide for their agency, as its managers say.

A limit goes down by a manager's word and up by two people's, of whom the second is nobody whom it binds: a manager
agrees to that of finance officers, a finance officer to that of managers. The database holds to that too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.money import say_pounds
from matching.fee.signer import find_signer, require_signer
from matching.fee.tariff import MOST_PENCE
from tenants import audit
from tenants.approval import require_two
from tenants.base import Base
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid
from tenants.permission import MAY, NotAllowed, Verb, require
from tenants.role import Role
from tenants.scope import Scope

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
    asked_pence: Mapped[int | None] = mapped_column(BigInteger)
    """A higher one, which waits for a second person; ``None`` for any amount."""
    asked_by: Mapped[UUID | None]
    asked_name: Mapped[str | None]
    asked_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class AskedLimit:
    """A higher limit that waits for a second person."""

    pence: int | None
    """``None`` for any amount."""
    asked_by: UUID
    asked_name: str
    asked_at: datetime


class LimitInvalid(Invalid):
    """A limit was described in a way that cannot be."""


class LimitMoved(Conflict):
    """No higher limit waits, or another than was seen."""


class BoundByLimit(Forbidden):
    """The limit binds the person who is to agree to a higher one."""


class BeyondLimit(Forbidden):
    """The amount is beyond what the person's roles sign."""


def list_limits(session: Session) -> dict[Role, int | None]:
    """Return up to how much each role of the scope's agency signs; ``None`` for any amount."""
    require(scope_of(session), Verb.READ_FEES)
    return _limits(session)


def list_asked(session: Session) -> dict[Role, AskedLimit]:
    """Return the higher limits of the scope's agency that wait for a second person."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(SigningLimit).where(SigningLimit.agency_id == scope_of(session).agency_id)
    return {
        Role(each.role): AskedLimit(each.asked_pence, each.asked_by, each.asked_name, each.asked_at)
        for each in session.scalars(query.order_by(SigningLimit.role))
        if each.asked_by and each.asked_name and each.asked_at
    }


def count_asked(session: Session) -> int:
    """Count the higher limits that wait for the scope's person: somebody else asked, and they don't bind them."""
    scope = scope_of(session)
    return sum(may_agree(scope, role, each) for role, each in list_asked(session).items())


def may_agree(scope: Scope, role: Role, asked: AskedLimit) -> bool:
    """Say whether a person may agree to a higher limit of a role, as the second."""
    return asked.asked_by != scope.person_id and role not in scope.roles


def set_limit(session: Session, role: Role, *, pence: int | None, now: datetime) -> None:
    """Set up to how much a role of the scope's agency signs; a higher limit than now waits for a second person.

    :raises NotAllowed: when the scope's person is no manager of it.
    :raises LimitInvalid: when the role signs nothing, or the amount cannot be.
    :raises NobodyNamed: when a higher one is asked for by no person.
    """
    scope = scope_of(session)
    require(scope, Verb.APPROVE_FEES)
    if Role.MANAGER not in scope.roles:
        raise NotAllowed("A manager of the agency says up to how much its people sign.")
    if role not in MAY[Verb.SIGN_FEES] or (pence is not None and not 0 <= pence <= MOST_PENCE):
        raise LimitInvalid("Give an amount between nothing and £1,000,000, or none for any amount.")
    present = _lock(session, role)
    if present is not None and present.pence is not None and (pence is None or pence > present.pence):
        signer = require_signer(session)
        present.asked_pence, present.asked_at = pence, now
        present.asked_by, present.asked_name = signer.person_id, signer.name
        _note(session, role, audit.Act.REQUEST, now=now)
        return
    facts = _facts(session, pence, now=now)
    query = insert(SigningLimit).values(agency_id=scope.agency_id, role=role.value, **facts)
    session.execute(query.on_conflict_do_update(index_elements=["agency_id", "role"], set_=facts))
    session.expire_all()
    _note(session, role, audit.Act.CHANGE, now=now)


def decide_limit(session: Session, role: Role, *, pence: int | None, approve: bool, now: datetime) -> None:
    """Agree to a higher limit as the second person; or decline it, which whoever asked may do as well.

    :param pence: the limit that the person saw.
    :raises LimitMoved: when none waits, or another.
    :raises SamePerson: when whoever asked approves; NobodyOfItsOwn when both act by delegation.
    :raises BoundByLimit: when somebody approves whom it binds.
    """
    require(scope_of(session), Verb.APPROVE_FEES)
    present = _lock(session, role)
    if present is None or present.asked_by is None or present.asked_pence != pence:
        raise LimitMoved("This limit doesn’t wait any more, or another does. Look at the page again.")
    if approve:
        require_two(session, first_person_id=present.asked_by, on=now.date())
        if role in scope_of(session).roles:
            raise BoundByLimit(f"This limit binds you. Somebody who is no {role.label.lower()} agrees to a higher one.")
        for column, said in _facts(session, pence, now=now).items():
            setattr(present, column, said)
    present.asked_pence = present.asked_by = present.asked_name = present.asked_at = None
    _note(session, role, audit.Act.APPROVE if approve else audit.Act.DECLINE, now=now)


def require_within(session: Session, pence: int, *, does: str = "sign") -> None:
    """Let an amount pass that one of the scope's roles signs, or ``does`` otherwise.

    :raises BeyondLimit: when none does.
    """
    scope, limits = scope_of(session), _limits(session)
    mine = [limits[role] for role in SIGNERS if role in scope.roles]
    if not any(limit is None or pence <= limit for limit in mine):
        most = max((limit for limit in mine if limit is not None), default=0)
        raise BeyondLimit(
            f"This is {say_pounds(pence)}, and you {does} up to {say_pounds(most)} for your agency. "
            f"Ask somebody with a higher limit to {does} it."
        )


def _limits(session: Session) -> dict[Role, int | None]:
    query = select(SigningLimit).where(SigningLimit.agency_id == scope_of(session).agency_id)
    found = {Role(each.role): each.pence for each in session.scalars(query)}
    return {role: found.get(role) for role in SIGNERS}


def _lock(session: Session, role: Role) -> SigningLimit | None:
    query = select(SigningLimit).where(
        SigningLimit.agency_id == scope_of(session).agency_id, SigningLimit.role == role.value
    )
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def _facts(session: Session, pence: int | None, *, now: datetime) -> dict[str, object]:
    signer = find_signer(session)
    none = dict.fromkeys(("asked_pence", "asked_by", "asked_name", "asked_at"))
    name = signer.name if signer else None
    return {"pence": pence, "set_by": signer.person_id if signer else None, "set_name": name, "set_at": now, **none}


def _note(session: Session, role: Role, act: audit.Act, *, now: datetime) -> None:
    session.flush()
    audit.record(session, act, record_kind=RECORD_KIND, reason=f"{role.value} limit", now=now)
