"""What a meeting's pack says to one agency: plain values, ready to be printed, no database.

Whoever fills these in has already applied the reader's rights, so a renderer prints all that it is given. Codes are
the pool's own (``G-…``, ``H-…``); names, addresses and an agency's references never appear here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """A sibling group in the list of those who have waited longest.

    ``days`` are calendar days from ``waiting_since`` to the pack's ``as_of``; both are None where nobody has said.
    """

    code: str
    children: int
    waiting_since: date | None
    days: int | None


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


@dataclass(frozen=True, slots=True)
class PackGroup:
    """One sibling group: who they are, anonymously, what they need, and the families at the top of their list.

    ``own`` says whether the group belongs to the reader's agency. ``plan`` holds what else is recorded, as pairs of a
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


@dataclass(frozen=True, slots=True)
class PackContent:
    """All that one agency's pack for one meeting says.

    ``agency`` is the reader's; ``policy`` names the ranking policy and its version. ``first`` says that there was no
    meeting before; ``new_groups`` holds the codes of the groups that joined the pool since then, none at a first one.
    """

    title: str
    consortium: str
    agency: str
    meeting_on: date
    meeting_place: str
    version: int
    as_of: date
    policy: str
    agenda: tuple[str, ...]
    first: bool
    new_groups: tuple[str, ...]
    longest_waiting: tuple[WaitingGroup, ...]
    groups: tuple[PackGroup, ...]
    households: tuple[PackHousehold, ...]
