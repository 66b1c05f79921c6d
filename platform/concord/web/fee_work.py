"""What waits for a finance officer, and the places of the section: two tables that each part of fees adds rows to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from concord.web.navigation import Section
from matching.fee.remittance.line import count_waiting
from matching.fee.remittance.remittance import count_asking
from tenants.permission import Verb, may
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Wait:
    """One kind of thing that waits: how it is said of one and of many, where it is done, whose it is, how many."""

    one: str
    many: str
    endpoint: str
    verb: Verb
    count: Callable[[Session, datetime], int]
    hint: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """What the page's address takes, such as a filter."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a kind wait now."""

    wait: Wait
    count: int


WAITS: tuple[Wait, ...] = (
    Wait(
        "bank file waits for somebody to say what its columns hold",
        "bank files wait for somebody to say what their columns hold",
        "remittances.index",
        Verb.KEEP_FEES,
        lambda session, _: count_asking(session),
    ),
    Wait(
        "bank line to match",
        "bank lines to match",
        "fee_matching.index",
        Verb.KEEP_FEES,
        lambda session, _: count_waiting(session),
    ),
)
"""In the order in which a finance officer does them: sign, raise, match, settle disputes, close."""

PLACES: tuple[Section, ...] = (
    Section(
        title="Bank files",
        hint="Hand in what your bank says was paid, and see what became of each line.",
        endpoint="remittances.index",
        verb=Verb.KEEP_FEES,
    ),
    Section(
        title="Match what was paid",
        hint="Which bank line pays which invoice, with the reasons; nothing is posted before you confirm it.",
        endpoint="fee_matching.index",
        verb=Verb.KEEP_FEES,
    ),
)
"""Every part of the section, in the order of its work."""


def list_waiting(session: Session, scope: Scope, *, now: datetime) -> list[Waiting]:
    """Return what waits for the scope's agency that its roles let it do, leaving out what there is none of."""
    counted = [Waiting(each, each.count(session, now)) for each in WAITS if may(scope, each.verb)]
    return [each for each in counted if each.count]


def places_for(scope: Scope) -> list[Section]:
    """Return the parts of the section that the scope's roles open."""
    return [place for place in PLACES if may(scope, place.verb)]
