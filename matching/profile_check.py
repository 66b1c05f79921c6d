"""An agency's own profiles, each held against who its record is about, before the pool reads them.

The check opens sealed identities, and is no person's look at them: what it answers are passages of a profile that its
reader has before them, or counts. So it leaves one entry in the audit where it goes over an agency's whole register,
and none where it goes with a record's own page, whose opening is on record already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.anonymity.finding import Finding, Kind, Known
from matching.anonymity.profile import find_betrayals
from matching.household import Household, HouseholdIdentity, HouseholdProfile, Identity, open_identity
from matching.pool import Stage
from matching.sharing import Record, own_record
from matching.sibling_group import (
    Child,
    ChildIdentity,
    ChildName,
    ExclusionArea,
    GroupIdentity,
    GroupPlace,
    GroupProfile,
    SiblingGroup,
    open_child,
)
from tenants import audit
from tenants.database import scope_of
from tenants.error import Conflict
from tenants.permission import Verb, require

_BATCH = 500


@dataclass(frozen=True, slots=True)
class CheckedProfile:
    """A record of one's own agency whose profile may give away who it is about."""

    code: str
    record_kind: str
    findings: tuple[Finding, ...]

    @property
    def sure(self) -> int:
        """Return how many passages should go."""
        return sum(each.sure for each in self.findings)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return what the passages give away, each once."""
        return tuple(kind for kind in Kind if any(each.kind is kind for each in self.findings))


class ProfileTelling(Conflict):
    """A profile that surely gives somebody away was about to be shared, and nobody said that they had looked."""


def check_profile(session: Session, record: Record) -> tuple[Finding, ...]:
    """Return what of the profile of one's own agency's record may give away who it is about.

    :raises NotFound: when the record is another agency's.
    :raises NotAllowed: when the scope's roles may not see who the record is about: a finding would say so.
    """
    require(scope_of(session), Verb.READ_IDENTITY)
    own_record(session, record)
    checked = _households(session, [record]) if isinstance(record, Household) else _groups(session, [record])
    return checked[0].findings if checked else ()


def list_telling_profiles(session: Session, *, now: datetime) -> list[CheckedProfile]:
    """Return the own agency's records whose profiles may give somebody away: households, then groups, by code."""
    require(scope_of(session), Verb.READ_IDENTITY)
    own = scope_of(session).agency_id
    households = list(session.scalars(select(Household).where(Household.agency_id == own).order_by(Household.code)))
    groups = list(
        session.scalars(select(SiblingGroup).where(SiblingGroup.agency_id == own).order_by(SiblingGroup.code))
    )
    checked: list[CheckedProfile] = []
    for first in range(0, len(households), _BATCH):
        checked += _households(session, households[first : first + _BATCH])
    for first in range(0, len(groups), _BATCH):
        checked += _groups(session, groups[first : first + _BATCH])
    audit.record(session, audit.Act.READ, record_kind="profile_check", level=audit.Level.COUNT, now=now)
    return checked


def require_looked(session: Session, record: Record, *, stage: Stage, held: bool, looked: bool) -> None:
    """Let a record be shared beyond its agency where its profile gives nobody away, or somebody has looked.

    :raises ProfileTelling: when it surely does and nobody has.
    """
    if looked or held or stage is Stage.IN_HOUSE:
        return
    sure = sum(each.sure for each in check_profile(session, record))
    if sure:
        passages = "1 passage" if sure == 1 else f"{sure} passages"
        raise ProfileTelling(
            f"The profile may give away who this is: {passages} should go. Look at them on the record’s page, then "
            "confirm that the profile may be shared as it is, or hand in a better one first."
        )


def telling_codes(session: Session, *, households: Sequence[UUID], groups: Sequence[UUID]) -> frozenset[str]:
    """Return the codes of those of the own agency's records whose profiles surely give somebody away, and no more."""
    own = scope_of(session).agency_id
    found: list[CheckedProfile] = []
    for first in range(0, len(households), _BATCH):
        ids = households[first : first + _BATCH]
        query = select(Household).where(Household.id.in_(ids), Household.agency_id == own)
        found += _households(session, session.scalars(query).all())
    for first in range(0, len(groups), _BATCH):
        ids = groups[first : first + _BATCH]
        of_groups = select(SiblingGroup).where(SiblingGroup.id.in_(ids), SiblingGroup.agency_id == own)
        found += _groups(session, session.scalars(of_groups).all())
    return frozenset(each.code for each in found if each.sure)


def known_of_household(reference: str, identity: Identity) -> Known:
    """Return who a household is, as a check wants it."""
    return Known(
        people=identity.adopters,
        addresses=_said(identity.address),
        postcodes=_said(identity.postcode),
        references=(reference,),
        telephones=_said(identity.telephone),
        emails=_said(identity.email),
    )


def known_of_children(
    references: Sequence[str], children: Sequence[ChildName], *, outward_codes: Sequence[str] = ()
) -> Known:
    """Return who the children of a group are, and where they are from and must not go, as a check wants it."""
    days = [day for child in children for day in (child.born_on, child.due_on) if day]
    return Known(
        people=tuple(" ".join(_said(child.forename, child.surname)) for child in children),
        postcodes=tuple(outward_codes),
        references=tuple(references),
        dates=tuple(date.fromisoformat(day) for day in days),
    )


# ── within ──


def _households(session: Session, found: Sequence[Household]) -> list[CheckedProfile]:
    query = (
        select(HouseholdIdentity, HouseholdProfile.text)
        .join(HouseholdProfile, HouseholdProfile.household_id == HouseholdIdentity.household_id)
        .where(HouseholdIdentity.household_id.in_([each.id for each in found]))
    )
    rows = {row.household_id: (row, text) for row, text in session.execute(query)}
    checked = []
    for household in found:
        if household.id in rows:
            row, text = rows[household.id]
            known = known_of_household(row.reference, open_identity(session, row))
            checked.append(CheckedProfile(household.code, "household", find_betrayals(text, known)))
    return [each for each in checked if each.findings]


def _groups(session: Session, found: Sequence[SiblingGroup]) -> list[CheckedProfile]:
    ids = [each.id for each in found]
    texts = select(GroupProfile.sibling_group_id, GroupProfile.text).where(GroupProfile.sibling_group_id.in_(ids))
    profiles = dict(session.execute(texts).all())
    known = _known_groups(session, [group_id for group_id in ids if group_id in profiles])
    checked = [
        CheckedProfile(group.code, "sibling_group", find_betrayals(profiles[group.id], known[group.id]))
        for group in found
        if group.id in profiles
    ]
    return [each for each in checked if each.findings]


def _known_groups(session: Session, ids: Sequence[UUID]) -> dict[UUID, Known]:
    references: dict[UUID, list[str]] = defaultdict(list)
    children: dict[UUID, list[ChildName]] = defaultdict(list)
    places: dict[UUID, list[str]] = defaultdict(list)
    for table in (GroupPlace, ExclusionArea):
        placed = select(table.sibling_group_id, table.outward_code).where(table.sibling_group_id.in_(ids))
        for group_id, code in session.execute(placed):
            places[group_id].append(code)
    own = select(GroupIdentity.sibling_group_id, GroupIdentity.reference)
    for group_id, reference in session.execute(own.where(GroupIdentity.sibling_group_id.in_(ids))):
        references[group_id].append(reference)
    query = (
        select(Child.sibling_group_id, ChildIdentity)
        .join(ChildIdentity, ChildIdentity.child_id == Child.id)
        .where(Child.sibling_group_id.in_(ids))
        .order_by(Child.sibling_group_id, Child.position, Child.id)
    )
    for group_id, row in session.execute(query):
        references[group_id].append(row.reference)
        children[group_id].append(open_child(session, row))
    return {
        each: known_of_children(references[each], children[each], outward_codes=sorted(set(places[each])))
        for each in ids
    }


def _said(*fields: str | None) -> tuple[str, ...]:
    return tuple(field for field in fields if field)
