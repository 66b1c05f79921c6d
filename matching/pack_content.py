"""What a meeting's pack says to one agency: plain values, ready to be printed, no database.

Whoever fills these in has already applied the reader's rights, so a renderer prints all that it is given. Codes are
the pool's own (``G-…``, ``H-…``); names, addresses and an agency's references never appear here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

PLAN = (
    "SHOBPA decision",
    "Placement order",
    "Early permanence",
    "Contact",
    "Asked of the home",
    "Heritage",
    "Religion",
    "Languages",
)
"""What a pack calls the facts of a group's plan, in the order in which it tells them."""


class Telling(StrEnum):
    """How much a pack says of a group: what helps at the meeting, for a pack of everything is read by nobody."""

    FULL = "full"
    """The reader's own: its profile, its needs, and each family with reasons."""
    SHORT = "short"
    """Likely to be talked about with the reader: its profile and needs, the reader's own families with reasons."""
    LINE = "line"
    """One line; the group's page on the site says the rest."""


@dataclass(frozen=True, slots=True)
class ActionLine:
    """What an earlier meeting left to do, as far as it concerns the reader.

    ``about`` is a pool code. ``late`` says that it is open after the day it was due. ``agency`` is who acts.
    """

    what: str
    about: str | None
    agency: str
    own: bool
    person: str | None
    due_on: date
    late: bool
    done_on: date | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """The reader's earlier pack with which this one is compared: its meeting, its version, its facts' day."""

    meeting_on: date
    version: int
    as_of: date


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed of a record since the earlier pack, in words; ``kind`` is new, back, left or changed."""

    code: str
    own: bool
    agency: str
    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """All that has changed since the earlier pack, in what the reader sees."""

    compared: Compared
    groups: tuple[Change, ...]
    households: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """One bar: how many in all, ``None`` where others' are too few to tell, and how many are the reader's own."""

    label: str
    all: int | None
    own: int


@dataclass(frozen=True, slots=True)
class Supply:
    """Beside each other: how many groups there are of a kind, and how many households are approved for it.

    ``None`` where others' are too few to tell.
    """

    label: str
    groups: int | None
    households: int | None


@dataclass(frozen=True, slots=True)
class Named:
    """A household that stands among the first families of many groups; ``lists`` counts them."""

    code: str
    agency: str
    own: bool
    lists: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a pack draws as charts, each with its numbers beside it.

    ``top`` is how many families count as the first of a list. ``never`` counts the waiting households on no such list,
    ``None`` where others' among them are too few to tell.
    """

    waiting: tuple[Count, ...]
    ages: tuple[Supply, ...]
    sizes: tuple[Supply, ...]
    named: tuple[Named, ...]
    top: int
    never: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """One of the reader's households whose availability is to be confirmed before the meeting.

    ``lists`` counts the groups on whose lists it is among the first families.
    """

    code: str
    lists: int
    availability: str
    confirmed_on: date | None


@dataclass(frozen=True, slots=True)
class Assigned:
    """A group of the reader's, or one of its households, with whom each way of assigning pairs it.

    ``best`` and ``in_turn`` are the other's code with the band of fit after it, or None where there is nobody.
    """

    group: str | None
    household: str | None
    best: tuple[str, str] | None
    in_turn: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class AssignedBy:
    """What one way of assigning comes to: how many groups have a family each, and how well the pairs fit."""

    way: str
    groups: int
    bands: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """How many groups are of one kind and how many of them no family is listed for; None where too few to tell."""

    kind: str
    label: str
    groups: int | None
    unseen: int | None


@dataclass(frozen=True, slots=True)
class WholePool:
    """The whole pool at once, for the meeting to talk about; ``share`` is of the ten most named, in hundredths.

    ``assigned`` holds the reader's own records, or for the office every group, where the two ways differ.
    """

    ways: tuple[AssignedBy, ...]
    assigned: tuple[Assigned, ...]
    seen: tuple[Seen, ...]
    share: int | None


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """A sibling group in the list of those who have waited longest.

    ``days`` are calendar days from ``waiting_since`` to the pack's ``as_of``, ``shobpa_days`` and ``order_days`` from
    the SHOBPA decision and the placement order; each is None where nobody has said.
    """

    code: str
    children: int
    waiting_since: date | None
    days: int | None
    shobpa_days: int | None
    order_days: int | None


@dataclass(frozen=True, slots=True)
class PackFamily:
    """One household on a group's ranked list, with the reasons in words.

    ``position`` counts from 1; ``band`` is ``strong``, ``good``, ``possible`` or ``explore``; ``points`` run from 0
    to 100 and are no probability.
    """

    position: int
    code: str
    agency: str
    band: str
    points: int
    why: tuple[str, ...]
    ask: tuple[str, ...]
    against: tuple[str, ...]
    availability: str
    """How busy the family is: free, being considered, at its cap, or not said; never who for."""
    explained: bool
    """Whether the reasons are told here; the group's page on the site tells them for every family."""


@dataclass(frozen=True, slots=True)
class PackGroup:
    """One sibling group: who they are, anonymously, what they need, and the families at the top of their list.

    ``own`` says whether the group belongs to the reader's agency. Of a group that is told in one line, ``profile``,
    ``plan`` and ``needs`` are empty. ``plan`` holds what else is recorded, as pairs of a
    label out of ``PLAN`` and words. ``needs`` holds pairs of the need's title, with how many children have it where
    not all do, and its level (``none``, ``low``, ``medium``, ``high``, ``unknown``). ``families_in_all`` counts the
    households that nothing recorded rules out, of which ``families`` are the first.
    """

    code: str
    own: bool
    agency: str
    summary: str
    profile: str
    waiting_days: int | None
    legal: str
    plan: tuple[tuple[str, str], ...]
    needs: tuple[tuple[str, str], ...]
    families: tuple[PackFamily, ...]
    families_in_all: int
    telling: Telling
    reference: str | None
    """The reader's own reference, for its own groups; it stands in the spreadsheet alone."""


@dataclass(frozen=True, slots=True)
class PackHousehold:
    """One adopter household that is waiting, with the codes of the groups that it fits best.

    ``fits_in_all`` counts the groups for which nothing recorded rules it out. ``new`` says that the household joined
    the pool since the last meeting; it is false where there was none.
    """

    code: str
    own: bool
    agency: str
    approved_on: date | None
    summary: str
    fits: tuple[str, ...]
    fits_in_all: int
    new: bool
    availability: str
    confirmed_on: date | None
    """When the household's agency last said how available it is."""
    lists: int
    """On how many groups' lists it is among the first families."""
    reference: str | None
    """The reader's own reference, for its own households; it stands in the spreadsheet alone."""


@dataclass(frozen=True, slots=True)
class PackContent:
    """All that one agency's pack for one meeting says.

    ``agency`` is the reader's; ``policy`` names the ranking policy and its version. ``expires_on`` is the last day on
    which the pack may be kept. ``first`` says that there was no meeting before; ``new_groups`` holds the codes of the
    groups that joined the pool since then, none at a first one. ``changes`` is None where no earlier pack can be
    compared. ``confirm_days`` is for how long a word on availability stands; ``checks`` those to be given anew.
    """

    title: str
    consortium: str
    agency: str
    meeting_on: date
    meeting_place: str
    version: int
    as_of: date
    expires_on: date
    policy: str
    agenda: tuple[str, ...]
    first: bool
    actions: tuple[ActionLine, ...]
    changes: Changes | None
    new_groups: tuple[str, ...]
    longest_waiting: tuple[WaitingGroup, ...]
    figures: Figures
    groups: tuple[PackGroup, ...]
    households: tuple[PackHousehold, ...]
    checks: tuple[Check, ...]
    confirm_days: int
    pool: WholePool
