"""A pack as the page template takes it: every date, count and level already in words, every text fit to print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Set
from datetime import date
from typing import Any

from matching.pack_content import (
    ActionLine,
    Change,
    Changes,
    Check,
    PackContent,
    PackFamily,
    PackGroup,
    PackHousehold,
    WaitingGroup,
    WholePool,
)
from workers.document import font
from workers.document.figure import FEW, charts_of
from workers.document.text import REPLACEMENT, clean

_LONG_WORD = re.compile(r"\S{21,}")
_BREAK_EVERY = 10
_BREAK = "\u200b"
# Named here because strftime asks the machine's locale, and a pack must be the same everywhere.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_LEVELS = {"high": "High", "medium": "Medium", "low": "Low", "unknown": "Not known: ask", "none": "None"}

BANDS = {"strong": "Strong fit", "good": "Good fit", "possible": "Possible fit", "explore": "To explore"}
"""What a band is called where people read it."""


def pack_view(content: PackContent) -> dict[str, Any]:
    """Return the pack as JSON values for ``pack.typ``; a ``group`` is an index into ``groups``, or None."""
    ours = {household.code for household in content.households if household.own}
    index = {group.code: number for number, group in reversed(list(enumerate(content.groups)))}
    return {
        "title": _line(content.title) or "Matching meeting pack",
        "consortium": _line(content.consortium),
        "agency": _line(content.agency),
        "meeting_on": _day(content.meeting_on),
        "place": _line(content.meeting_place),
        "version": str(content.version),
        "as_of": _day(content.as_of),
        "date": [content.as_of.year, content.as_of.month, content.as_of.day],
        "policy": _line(content.policy),
        "expires_on": _day(content.expires_on),
        "agenda": _lines(content.agenda),
        "first": content.first,
        "actions": [_action(action, index) for action in content.actions],
        "changes": None if content.changes is None else _changes(content.changes, index),
        "new_groups": [{"code": _line(code), "group": index.get(code)} for code in content.new_groups],
        "longest_waiting": [_waiting(row, index) for row in content.longest_waiting],
        "groups": [_group(group, ours) for group in content.groups],
        "households": [_household(household, index) for household in content.households],
        "checks": [_check(check) for check in content.checks],
        "confirm_days": str(content.confirm_days),
        "charts": {name: chart.view(_line) for name, chart in charts_of(content).items()},
        "pool": _pool(content.pool),
    }


def day(value: date | None) -> str:
    """Return a date as people write it, ``3 December 2026``, or that nobody has said."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}" if value else "Not known"


def _action(action: ActionLine, index: Mapping[str, int]) -> dict[str, Any]:
    return {
        "what": _lines(action.what.splitlines()),
        "about": None if action.about is None else {"code": _line(action.about), "group": index.get(action.about)},
        "agency": _line(action.agency),
        "own": action.own,
        "person": _line(action.person or ""),
        "due": _day(action.due_on),
        "late": action.late,
        "done": "" if action.done_on is None else _day(action.done_on),
        "outcome": _line(action.outcome or ""),
    }


def _changes(changes: Changes, index: Mapping[str, int]) -> dict[str, Any]:
    compared = changes.compared
    return {
        "meeting_on": _day(compared.meeting_on),
        "version": str(compared.version),
        "as_of": _day(compared.as_of),
        "groups": [_change(change, index) for change in changes.groups],
        "households": [_change(change, {}) for change in changes.households],
    }


def _change(change: Change, index: Mapping[str, int]) -> dict[str, Any]:
    return {
        "code": _line(change.code),
        "group": index.get(change.code),
        "own": change.own,
        "agency": _line(change.agency),
        "kind": change.kind,
        "words": _lines(change.words),
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "code": _line(check.code),
        "lists": str(check.lists),
        "availability": _line(check.availability),
        "confirmed": "Never" if check.confirmed_on is None else _day(check.confirmed_on),
    }


def _pool(pool: WholePool) -> dict[str, Any]:
    return {
        "share": pool.share,
        "ways": [
            {
                "way": _line(way.way),
                "groups": str(way.groups),
                "bands": ", ".join(f"{count} {BANDS.get(band, band).lower()}" for band, count in way.bands if count),
            }
            for way in pool.ways
        ],
        "assigned": [
            {
                "code": _line(each.group or each.household or ""),
                "best": _with_band(each.best),
                "in-turn": _with_band(each.in_turn),
                "same": each.best == each.in_turn,
                "nobody": each.best is None and each.in_turn is None,
            }
            for each in pool.assigned
        ],
        "seen": [
            {
                "kind": _line(row.kind),
                "label": _line(row.label),
                "groups": FEW if row.groups is None else str(row.groups),
                "unseen": FEW if row.unseen is None else str(row.unseen),
            }
            for row in pool.seen
        ],
    }


def _with_band(pair: tuple[str, str] | None) -> str:
    return "Nobody" if pair is None else f"{_line(pair[0])}, {BANDS.get(pair[1], pair[1]).lower()}"


def _waiting(row: WaitingGroup, index: Mapping[str, int]) -> dict[str, Any]:
    return {
        "code": _line(row.code),
        "group": index.get(row.code),
        "children": str(row.children),
        "since": _day(row.waiting_since),
        "days": _count(row.days),
        "shobpa": _count(row.shobpa_days),
        "order": _count(row.order_days),
    }


def _group(group: PackGroup, ours: Set[str]) -> dict[str, Any]:
    shared = shared_questions(group)
    return {
        "code": _line(group.code),
        "own": group.own,
        "agency": _line(group.agency),
        "summary": _line(group.summary),
        "brief": _brief(_line(group.summary)),
        "profile": _lines(group.profile.splitlines()),
        "waiting": _count(group.waiting_days),
        "legal": _line(group.legal) or "Not known",
        "plan": [{"label": _line(label), "words": _line(words)} for label, words in group.plan],
        "needs": _needs(group.needs),
        "ask-all": _lines(shared),
        "families": [_family(family, ours, set(shared)) for family in group.families],
        "in_all": group.families_in_all,
        "telling": group.telling.value,
    }


def _needs(needs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Gather the needs by level, the highest first and ``none`` last, so that no level is lost among thirty rows."""
    by_level: dict[str, list[str]] = {level: [] for level in _LEVELS}
    for title, level in needs:
        by_level.setdefault(level, []).append(_line(title))
    return [
        {"level": _LEVELS.get(level, _line(level)), "needs": "; ".join(titles)}
        for level, titles in by_level.items()
        if titles
    ]


def _brief(summary: str) -> str:
    """Return who the children are without how many: “Two children: a girl of 3 and …” becomes “A girl of 3 and …”."""
    _, _, who = summary.partition(": ")
    return f"{who[0].upper()}{who[1:]}" if who else summary


def shared_questions(group: PackGroup) -> tuple[str, ...]:
    """Return what is to be asked whichever of the told families it is, where there are several: it is told once."""
    told = [family for family in group.families if family.explained]
    if len(told) < 2:
        return ()
    return tuple(question for question in told[0].ask if all(question in family.ask for family in told[1:]))


def _family(family: PackFamily, ours: Set[str], shared: Set[str]) -> dict[str, Any]:
    return {
        "position": str(family.position),
        "own": family.code in ours,
        "code": _line(family.code),
        "agency": _line(family.agency),
        "band": BANDS.get(family.band, _line(family.band)),
        "kind": family.band if family.band in BANDS else "explore",
        "points": str(family.points),
        "why": _lines(family.why),
        "ask": _lines(question for question in family.ask if question not in shared),
        "against": _lines(family.against),
        "availability": _line(family.availability),
        "explained": family.explained,
    }


def _household(household: PackHousehold, index: Mapping[str, int]) -> dict[str, Any]:
    return {
        "code": _line(household.code),
        "own": household.own,
        "new": household.new,
        "agency": _line(household.agency),
        "approved": _day(household.approved_on),
        "summary": _line(household.summary),
        "fits": [{"code": _line(code), "group": index.get(code)} for code in household.fits],
        "in_all": household.fits_in_all,
        "availability": _line(household.availability),
        "confirmed": "Never" if household.confirmed_on is None else _day(household.confirmed_on),
        "lists": str(household.lists),
    }


def _day(value: date | None) -> str:
    """Return a date that no line's end cuts in two."""
    return day(value).replace(" ", "\N{NO-BREAK SPACE}")


def _count(days: int | None) -> str:
    return "Not known" if days is None else f"{days:,}"


def _lines(texts: Iterable[str]) -> list[str]:
    return [line for line in map(_line, texts) if line]


def _line(text: str) -> str:
    """Return the text as one line of characters that the carried fonts can draw."""
    drawn = "".join(c if ord(c) in font.covered() else _stand_in(c) for c in " ".join(clean(text).split()))
    return _LONG_WORD.sub(_breakable, drawn)


def _stand_in(character: str) -> str:
    # A mark that changes the look of the character before it (an emoji's colour, an accent) goes without a trace.
    return "" if unicodedata.category(character) in ("Mn", "Me", "Cf") else REPLACEMENT


def _breakable(word: re.Match[str]) -> str:
    """Let a word that is wider than a column break every ten characters, but never between a letter and its accent."""
    pieces: list[str] = []
    since = 0
    for character in word.group():
        if since >= _BREAK_EVERY and not unicodedata.category(character).startswith(("M", "C")):
            pieces.append(_BREAK)
            since = 0
        pieces.append(character)
        since += 1
    return "".join(pieces)
