"""Makes packs for the tests of documents; whatever is not given is plain and plainly made up."""

from __future__ import annotations

from datetime import date
from typing import Any

from matching.pack_content import (
    ActionLine,
    Assigned,
    AssignedBy,
    Change,
    Changes,
    Check,
    Compared,
    Count,
    Figures,
    Named,
    PackContent,
    PackFamily,
    PackGroup,
    PackHousehold,
    Seen,
    Supply,
    Telling,
    WaitingGroup,
    WholePool,
)


def pack(**facts: Any) -> PackContent:
    """Make a pack with one group, one family and one household, but for the facts given."""
    plain: dict[str, Any] = {
        "title": "Matching meeting",
        "consortium": "Synthetic Consortium",
        "agency": "Devon",
        "meeting_on": date(2026, 12, 3),
        "meeting_place": "Room 2",
        "version": 2,
        "as_of": date(2026, 11, 23),
        "expires_on": date(2026, 12, 31),
        "policy": "Default, version 1",
        "agenda": ("Welcome", "New groups"),
        "first": False,
        "actions": (action(),),
        "changes": changes(),
        "new_groups": ("G-222222",),
        "longest_waiting": (waiting(),),
        "figures": figures(),
        "groups": (group(),),
        "households": (household(),),
        "checks": (Check("H-333333", 4, "Free", None),),
        "confirm_days": 28,
        "pool": whole_pool(),
    }
    return PackContent(**plain | facts)


def waiting(**facts: Any) -> WaitingGroup:
    """Make the plain group's line among the longest waiting."""
    plain: dict[str, Any] = {
        "code": "G-222222",
        "children": 2,
        "waiting_since": date(2025, 11, 23),
        "days": 365,
        "shobpa_days": 541,
        "order_days": 366,
    }
    return WaitingGroup(**plain | facts)


def action(**facts: Any) -> ActionLine:
    """Make an open action of another agency about the plain group."""
    plain: dict[str, Any] = {
        "what": "Ask the school how mornings go",
        "about": "G-222222",
        "agency": "Plymouth",
        "own": False,
        "person": "Robin Sample",
        "due_on": date(2026, 11, 20),
        "late": True,
        "done_on": None,
        "outcome": None,
    }
    return ActionLine(**plain | facts)


def changes(**facts: Any) -> Changes:
    """Make changes since an earlier pack: a new group, one that left, a household that says something else."""
    plain: dict[str, Any] = {
        "compared": Compared(date(2026, 11, 3), 4, date(2026, 10, 27)),
        "groups": (
            Change("G-222222", own=True, agency="Devon", kind="new", words=()),
            Change("G-777777", own=False, agency="Plymouth", kind="left", words=("On hold",)),
        ),
        "households": (Change("H-333333", own=False, agency="Plymouth", kind="changed", words=("Background",)),),
    }
    return Changes(**plain | facts)


def whole_pool(**facts: Any) -> WholePool:
    """Make a pool in which the two ways of assigning differ for the plain group."""
    plain: dict[str, Any] = {
        "ways": (AssignedBy("The most", 1, (("strong", 1), ("good", 0))), AssignedBy("In turn", 0, ())),
        "assigned": (
            Assigned("G-222222", None, ("H-333333", "strong"), None),
            Assigned(None, "H-333333", ("G-222222", "strong"), ("G-222222", "strong")),
        ),
        "seen": (Seen("Age", "Under 2", 7, 0), Seen("Age", "5 and over", 6, None)),
        "share": 42,
    }
    return WholePool(**plain | facts)


def figures(**facts: Any) -> Figures:
    """Make figures of one group and one household."""
    plain: dict[str, Any] = {
        "waiting": (Count("Under 3 months", 0, 0), Count("12 to 18 months", 1, 1)),
        "ages": (Supply("5 and 6", 1, 0),),
        "sizes": (Supply("2 children", 1, 1),),
        "named": (Named("H-333333", "Plymouth", own=False, lists=2),),
        "top": 5,
        "never": 0,
    }
    return Figures(**plain | facts)


def empty_pack() -> PackContent:
    """Make a pack that has nothing to say."""
    lists = ("agenda", "actions", "new_groups", "longest_waiting", "groups", "households", "checks")
    nothing: dict[str, Any] = dict.fromkeys(lists, ()) | {
        "changes": None,
        "figures": figures(**NO_BARS),
        "pool": WholePool(ways=(), assigned=(), seen=(), share=None),
    }
    return pack(title="", consortium="", agency="", meeting_place="", policy="", **nothing)


def group(**facts: Any) -> PackGroup:
    """Make a group of the reader's agency with one family."""
    plain: dict[str, Any] = {
        "code": "G-222222",
        "own": True,
        "agency": "Devon",
        "summary": "Two children, a girl of 3 and a boy of 5",
        "profile": "They like water.\n\nThey sleep well.",
        "waiting_days": 365,
        "legal": "Placement order granted",
        "plan": (("SHOBPA decision", "1 June 2025"), ("Contact", "Letterbox contact")),
        "needs": (("Neglect", "high"), ("Prematurity", "none"), ("Attachment", "unknown")),
        "families": (family(),),
    }
    told = plain | facts
    telling = Telling.FULL if told["own"] else Telling.SHORT
    more: dict[str, Any] = {
        "families_in_all": len(told["families"]),
        "telling": telling,
        "reference": "DEV-7" if told["own"] else None,
    }
    return PackGroup(**more | told)


def family(**facts: Any) -> PackFamily:
    """Make a family at the top of a list."""
    plain: dict[str, Any] = {
        "position": 1,
        "code": "H-333333",
        "agency": "Plymouth",
        "band": "strong",
        "points": 81,
        "why": ("Approved for two children",),
        "ask": ("How old is the dog?",),
        "against": ("Far from home",),
        "availability": "Being considered",
        "explained": True,
    }
    return PackFamily(**plain | facts)


def household(**facts: Any) -> PackHousehold:
    """Make a household of another agency that fits the plain group."""
    plain: dict[str, Any] = {
        "code": "H-333333",
        "own": False,
        "agency": "Plymouth",
        "approved_on": date(2026, 2, 1),
        "summary": "Two adopters, one dog",
        "fits": ("G-222222",),
        "new": True,
        "availability": "Free",
        "confirmed_on": date(2026, 11, 2),
        "lists": 4,
    }
    told = plain | facts
    more: dict[str, Any] = {"fits_in_all": len(told["fits"]), "reference": "DEV-H-7" if told["own"] else None}
    return PackHousehold(**more | told)


NO_BARS: dict[str, Any] = {"waiting": (), "ages": (), "sizes": (), "named": ()}
