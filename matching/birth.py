"""A birth: the day on which a child who was expected came, recorded by the child's agency. Nobody is placed before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.link import LinkInvalid, NotYet, NotYourStep
from matching.ranking.facts import Sex
from matching.sibling_group import Child, ChildIdentity, SiblingGroup, open_child, seal_child
from tenants import audit
from tenants.database import scope_of
from tenants.permission import Verb, require


def record_birth(
    session: Session, group: SiblingGroup, child_id: UUID, *, born_on: date, sex: Sex, now: datetime
) -> Child:
    """Record that an expected child of one's own agency's group was born.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises NotYourStep: when the children are another agency's.
    :raises NotYet: when no such child is expected, or the birth is on record.
    :raises LinkInvalid: when the day lies ahead.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    if group.agency_id != scope_of(session).agency_id:
        raise NotYourStep("The children’s own agency records a birth.")
    if born_on > now.date():
        raise LinkInvalid("A birth is recorded on its day or after. Choose today or a day before.")
    query = select(Child).where(Child.id == child_id, Child.sibling_group_id == group.id).with_for_update()
    child = session.scalar(query.execution_options(populate_existing=True))
    if child is None or not child.unborn:
        raise NotYet("No such child is expected, or the birth is on record already.")
    child.unborn, child.birth_month, child.sex = False, born_on.replace(day=1), sex
    identity = session.get_one(ChildIdentity, child.id)
    name = replace(open_child(session, identity), born_on=born_on.isoformat(), due_on=None)
    identity.sealed = seal_child(session, name, child_id=child.id, agency_id=child.agency_id, now=now)
    group.changed_at = now
    session.flush()
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind="child",
        record_id=child.id,
        owner_agency_id=group.agency_id,
        level=audit.Level.IDENTITY,
        reason="birth",
        now=now,
    )
    return child
