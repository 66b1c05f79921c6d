"""What one ranking was made from, as bytes named by their content, so that it can be made again exactly.

Canonical bytes are a line of JSON with its keys in order, then the two place matrices. Records stand in the order of
their codes, so one state of the pool is one snapshot however it was read. The digest is of the canonical bytes, not
of the packed ones, for two builds of zlib may pack alike content differently.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np

from matching.need import Answer, NeedLevel, Tolerance, YesNo, need_catalogue
from matching.ranking.engine import Ranking, rank
from matching.ranking.facts import (
    ChildFacts,
    ContactKind,
    GroupFacts,
    HouseholdFacts,
    LegalPosition,
    Sex,
    SexApproved,
)
from matching.ranking.places import Places
from matching.ranking.policy import RankingPolicy, policy_from_data
from tenants.error import Conflict, Invalid

_MAGIC = b"concord-ranking-2\n"
_EARLIER = (b"concord-ranking-1\n",)
"""Formats of earlier releases, which compared less: the same rules no longer exist to make such a run again."""


class SnapshotInvalid(Invalid):
    """The bytes are no snapshot, or not a whole one."""


class SnapshotOfAnEarlierRelease(Conflict):
    """The snapshot was made by a release that compared less than this one does."""


class SnapshotOfAnotherCatalogue(Conflict):
    """The snapshot was made with another need catalogue than this release ships."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a run reads, in the order of the codes, with the versions that name the rest."""

    groups: tuple[GroupFacts, ...]
    households: tuple[HouseholdFacts, ...]
    places: Places
    policy: RankingPolicy
    as_of: date
    catalogue_version: str
    places_version: str
    code_version: str

    def without(self, records: Set[UUID]) -> Snapshot:
        """Return it as if these groups and households had not been there."""
        g = np.array([k for k, each in enumerate(self.groups) if each.id not in records], dtype=np.intp)
        h = np.array([k for k, each in enumerate(self.households) if each.id not in records], dtype=np.intp)
        return replace(
            self,
            groups=tuple(self.groups[k] for k in g.tolist()),
            households=tuple(self.households[k] for k in h.tolist()),
            places=self.places.taken(g, h),
        )

    def rank(self, top: int | None = None) -> Ranking:
        """Return the ranking made again.

        :raises SnapshotOfAnotherCatalogue: when this release's needs are not those the run used.
        """
        if self.catalogue_version != need_catalogue().version:
            raise SnapshotOfAnotherCatalogue(
                f"This ranking used need catalogue {self.catalogue_version}, and this release has "
                f"{need_catalogue().version}: make it again with the release it names, {self.code_version}."
            )
        return rank(self.groups, self.households, self.places, self.policy, self.as_of, top)


def take_snapshot(
    groups: Sequence[GroupFacts],
    households: Sequence[HouseholdFacts],
    places: Places,
    *,
    policy: RankingPolicy,
    as_of: date,
    places_version: str,
    code_version: str,
) -> Snapshot:
    """Return what a run reads, put in the order of the codes.

    :raises PlacesInvalid: when the places do not fit.
    """
    places.check(len(groups), len(households))
    g = np.array(sorted(range(len(groups)), key=lambda k: groups[k].code), dtype=np.intp)
    h = np.array(sorted(range(len(households)), key=lambda k: households[k].code), dtype=np.intp)
    return Snapshot(
        groups=tuple(groups[k] for k in g.tolist()),
        households=tuple(households[k] for k in h.tolist()),
        places=places.taken(g, h),
        policy=policy,
        as_of=as_of,
        catalogue_version=need_catalogue().version,
        places_version=places_version,
        code_version=code_version,
    )


def digest(snapshot: Snapshot) -> str:
    """Return the SHA-256 of the canonical bytes, in hex: the snapshot's name."""
    return hashlib.sha256(_canonical(snapshot)).hexdigest()


def to_bytes(snapshot: Snapshot) -> bytes:
    """Return the snapshot packed small."""
    return _MAGIC + zlib.compress(_canonical(snapshot), 9)


def from_bytes(content: bytes) -> Snapshot:
    """Return the snapshot that was packed.

    :raises SnapshotInvalid: when the bytes are not what :func:`to_bytes` makes.
    :raises SnapshotOfAnEarlierRelease: when an earlier release made them; it names which.
    """
    if content.startswith(_EARLIER):
        raise SnapshotOfAnEarlierRelease(
            f"This ranking was made by an earlier release, {_release(content)}, which compared less than this one: "
            "its list stands as it was recorded, and that release makes it again."
        )
    if not content.startswith(_MAGIC):
        raise SnapshotInvalid("These bytes are no ranking snapshot: take the file from the run that names it.")
    try:
        return _read(*_unpacked(content))
    except (zlib.error, ValueError, KeyError, TypeError, Invalid) as error:
        raise _damaged() from error


def _unpacked(content: bytes) -> tuple[Mapping[str, Any], bytes]:
    header, _, matrices = zlib.decompress(content[len(_MAGIC) :]).partition(b"\n")
    return json.loads(header), matrices


def _release(content: bytes) -> str:
    try:
        return str(_unpacked(content)[0]["versions"]["code"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise _damaged() from error


def _damaged() -> SnapshotInvalid:
    return SnapshotInvalid("This ranking snapshot is damaged: take the file again from the run.")


def _canonical(snapshot: Snapshot) -> bytes:
    header = {
        "as_of": snapshot.as_of.isoformat(),
        "versions": {
            "catalogue": snapshot.catalogue_version,
            "places": snapshot.places_version,
            "code": snapshot.code_version,
            "policy": snapshot.policy.version,
        },
        # The bands' order is part of a policy, and sorting keys would lose nothing else, so names carry it all.
        "policy": snapshot.policy.to_data(),
        "groups": [_group(group) for group in snapshot.groups],
        "households": [_household(household) for household in snapshot.households],
    }
    line = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    return line + b"\n" + snapshot.places.band.tobytes() + snapshot.places.exclusion.tobytes()


def _read(header: Mapping[str, Any], matrices: bytes) -> Snapshot:
    groups = tuple(_group_from(data) for data in header["groups"])
    households = tuple(_household_from(data) for data in header["households"])
    both = np.frombuffer(matrices, dtype=np.int8).reshape(2, len(groups), len(households))
    places = Places(band=both[0], exclusion=both[1])
    places.check(len(groups), len(households))
    versions = header["versions"]
    return Snapshot(
        groups=groups,
        households=households,
        places=places,
        policy=policy_from_data(header["policy"]),
        as_of=date.fromisoformat(header["as_of"]),
        catalogue_version=versions["catalogue"],
        places_version=versions["places"],
        code_version=versions["code"],
    )


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day_from(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _group(group: GroupFacts) -> dict[str, Any]:
    return {
        "id": str(group.id),
        "code": group.code,
        "agency_id": str(group.agency_id),
        "children": [
            {"birth_month": _day(child.birth_month), "sex": child.sex, "needs": dict(child.needs)}
            for child in group.children
        ],
        "legal_position": group.legal_position,
        "early_permanence": group.early_permanence,
        "contact": dict(group.contact),
        "must_be_youngest": group.must_be_youngest,
        "must_be_only": group.must_be_only,
        "no_pets": group.no_pets,
        "smoke_free": group.smoke_free,
        "adopters_hoped_for": group.adopters_hoped_for,
        "readiness_needed": [
            group.experience_needed,
            group.training_needed,
            group.parent_at_home_needed,
            group.support_needed,
        ],
        "heritage": sorted(group.heritage),
        "religions": sorted(group.religions),
        "languages": sorted(group.languages),
        "cultures": sorted(group.cultures),
        "waiting_since": _day(group.waiting_since),
    }


def _group_from(data: Mapping[str, Any]) -> GroupFacts:
    return GroupFacts(
        id=UUID(data["id"]),
        code=data["code"],
        agency_id=UUID(data["agency_id"]),
        children=tuple(
            ChildFacts(
                birth_month=_day_from(child["birth_month"]),
                sex=Sex(child["sex"]),
                needs={code: NeedLevel(level) for code, level in child["needs"].items()},
            )
            for child in data["children"]
        ),
        legal_position=LegalPosition(data["legal_position"]),
        early_permanence=YesNo(data["early_permanence"]),
        contact={ContactKind(kind): YesNo(asked) for kind, asked in data["contact"].items()},
        must_be_youngest=YesNo(data["must_be_youngest"]),
        must_be_only=YesNo(data["must_be_only"]),
        no_pets=YesNo(data["no_pets"]),
        smoke_free=YesNo(data["smoke_free"]),
        adopters_hoped_for=data["adopters_hoped_for"],
        experience_needed=YesNo(data["readiness_needed"][0]),
        training_needed=YesNo(data["readiness_needed"][1]),
        parent_at_home_needed=YesNo(data["readiness_needed"][2]),
        support_needed=YesNo(data["readiness_needed"][3]),
        heritage=frozenset(data["heritage"]),
        religions=frozenset(data["religions"]),
        languages=frozenset(data["languages"]),
        cultures=frozenset(data["cultures"]),
        waiting_since=_day_from(data["waiting_since"]),
    )


def _household(household: HouseholdFacts) -> dict[str, Any]:
    return {
        "id": str(household.id),
        "code": household.code,
        "agency_id": str(household.agency_id),
        "age": [household.age_from_months, household.age_to_months],
        "children": [household.fewest_children, household.most_children],
        "sex_approved": household.sex_approved,
        "tolerances": {code: [t.low, t.medium, t.high] for code, t in household.tolerances.items()},
        "legal": dict(household.legal),
        "early_permanence_approved": household.early_permanence_approved,
        "contact": dict(household.contact),
        "children_at_home": household.children_at_home,
        "youngest_at_home": _day(household.youngest_at_home),
        "pets": household.pets,
        "smokers": household.smokers,
        "heritage": sorted(household.heritage),
        "religions": sorted(household.religions),
        "languages": sorted(household.languages),
        "cultures": sorted(household.cultures),
        "adopters": household.adopters,
        "readiness": [
            household.experience,
            household.training,
            household.parent_at_home,
            household.support_nearby,
        ],
        "available_from": _day(household.available_from),
        "approved_on": _day(household.approved_on),
    }


def _household_from(data: Mapping[str, Any]) -> HouseholdFacts:
    return HouseholdFacts(
        id=UUID(data["id"]),
        code=data["code"],
        agency_id=UUID(data["agency_id"]),
        age_from_months=data["age"][0],
        age_to_months=data["age"][1],
        fewest_children=data["children"][0],
        most_children=data["children"][1],
        sex_approved=SexApproved(data["sex_approved"]),
        tolerances={code: Tolerance(*(Answer(a) for a in levels)) for code, levels in data["tolerances"].items()},
        legal={LegalPosition(position): Answer(answer) for position, answer in data["legal"].items()},
        early_permanence_approved=YesNo(data["early_permanence_approved"]),
        contact={ContactKind(kind): Answer(answer) for kind, answer in data["contact"].items()},
        children_at_home=data["children_at_home"],
        youngest_at_home=_day_from(data["youngest_at_home"]),
        pets=YesNo(data["pets"]),
        smokers=YesNo(data["smokers"]),
        heritage=frozenset(data["heritage"]),
        religions=frozenset(data["religions"]),
        languages=frozenset(data["languages"]),
        cultures=frozenset(data["cultures"]),
        adopters=data["adopters"],
        experience=YesNo(data["readiness"][0]),
        training=YesNo(data["readiness"][1]),
        parent_at_home=YesNo(data["readiness"][2]),
        support_nearby=YesNo(data["readiness"][3]),
        available_from=_day_from(data["available_from"]),
        approved_on=_day_from(data["approved_on"]),
    )
