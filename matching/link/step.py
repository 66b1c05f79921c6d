"""A link's history: each step with who took it, when and why. Both sides read it, and nobody can change it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting
from matching.link.record import RECORD_KIND, Link
from matching.link.state import LinkState, StepName
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of


class LinkStep(Base):
    """One transition: who took it, when and why. It is never changed."""

    __tablename__ = "link_step"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    version: Mapped[int]
    from_state: Mapped[LinkState | None] = mapped_column(Word(LinkState))
    to_state: Mapped[LinkState] = mapped_column(Word(LinkState))
    at: Mapped[datetime]
    agency_id: Mapped[UUID]
    """The agency that the person acted for."""
    person_id: Mapped[UUID | None]
    """Nobody, where a program of the agency did it; the name is the program's then."""
    person_name: Mapped[str]
    person_roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    reason: Mapped[str]
    step: Mapped[StepName | None] = mapped_column(Word(StepName))
    """Which row of the table it was; steps taken before there was more than one way do not say."""
    override: Mapped[str | None]
    """Why it was taken although a cap had been reached."""

    @property
    def label(self) -> str:
        """Return what came of it, in words: the state, or what was recorded at the same state."""
        return self.step.label if self.step and self.from_state is self.to_state else self.to_state.label


def list_steps(session: Session, link: Link) -> list[LinkStep]:
    """Return a link's steps, the last first."""
    query = select(LinkStep).where(LinkStep.link_id == link.id)
    return list(session.scalars(query.order_by(LinkStep.version.desc(), LinkStep.id)))


def note_step(
    session: Session,
    link: Link,
    *,
    step: StepName,
    source: LinkState | None,
    reason: str,
    now: datetime,
    override: str | None = None,
) -> None:
    """Add to a link's history that the scope's person or program took a step, and put it on record.

    :raises NotSomebody: when it is neither a person nor a program of the agency that acts.
    """
    actor, agency_id = acting(session), scope_of(session).agency_id
    session.add(
        LinkStep(
            link_id=link.id,
            group_agency_id=link.group_agency_id,
            household_agency_id=link.household_agency_id,
            version=link.version,
            from_state=source,
            to_state=link.state,
            at=now,
            agency_id=agency_id,
            person_id=actor.person_id,
            person_name=actor.name,
            person_roles=list(actor.roles),
            reason=reason,
            step=step,
            override=override,
        )
    )
    session.flush()
    # Words of the audit stay for ever; what a person wrote stands in the step.
    way = f"{source.value} to {link.state.value}" if source else link.state.value
    said = f"{step.value} at {way}" if source is link.state else way
    audit.record(
        session,
        audit.Act.ADD if source is None else audit.Act.CHANGE,
        record_kind=RECORD_KIND,
        record_id=link.id,
        owner_agency_id=link.other_agency_id(agency_id),
        reason=f"{said}, above a cap" if override else said,
        now=now,
    )
