"""Makes packs for the tests of documents; whatever is not given is plain and plainly made up."""

from __future__ import annotations

from datetime import date
from typing import Any

from matching.pack_content import PackContent, PackFamily, PackGroup, PackHousehold, WaitingGroup


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
        "policy": "Default, version 1",
        "agenda": ("Welcome", "New groups"),
        "first": False,
        "new_groups": ("G-222222",),
        "longest_waiting": (WaitingGroup("G-222222", 2, date(2025, 11, 23), 365),),
        "groups": (group(),),
        "households": (household(),),
    }
    return PackContent(**plain | facts)


def empty_pack() -> PackContent:
    """Make a pack that has nothing to say."""
    nothing: dict[str, Any] = dict.fromkeys(("agenda", "new_groups", "longest_waiting", "groups", "households"), ())
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
    return PackGroup(**{"families_in_all": len(told["families"])} | told)


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
    }
    told = plain | facts
    return PackHousehold(**{"fits_in_all": len(told["fits"])} | told)
