"""An instalment plan as people type it: a part a line, such as “2/3 placement” and “1/3 order or 12 months”."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matching.fee.instalment import Due, Share, refuse_shares

_LINE = re.compile(
    r"(?:(?P<of>\d{1,4})/(?P<parts>\d{1,4})|all)\s+(?P<due>placement|order)?"
    r"(?:\s*or\s+)?(?:(?P<months>\d{1,3})\s+months?)?",
    re.IGNORECASE | re.ASCII,
)


class PlanUnreadable(ValueError):
    """A plan was typed in a way that cannot be read."""


def read_plan_text(text: str) -> tuple[Share, ...]:
    """Return the shares that lines of text say.

    :raises PlanUnreadable: naming the line, or saying what is wrong with all of them.
    """
    shares = tuple(_share(line.strip()) for line in text.splitlines() if line.strip())
    refusal = refuse_shares(shares)
    if refusal is not None:
        raise PlanUnreadable(refusal)
    return shares


def write_plan_text(shares: Sequence[Share]) -> str:
    """Return shares as :func:`read_plan_text` reads them."""
    return "\n".join(f"{share.of}/{share.parts} {_due(share)}" for share in shares)


def _due(share: Share) -> str:
    months = f"{share.months} month{'' if share.months == 1 else 's'}"
    return {
        Due.PLACEMENT: "placement",
        Due.ORDER: "order",
        Due.MONTHS: months,
        Due.ORDER_OR_MONTHS: f"order or {months}",
    }[share.due]


def _share(line: str) -> Share:
    found = _LINE.fullmatch(line)
    due, months = (found["due"] or "").lower() if found else "", found["months"] if found else None
    if found is None or (not due and months is None) or (due == "placement" and months is not None):
        raise PlanUnreadable(f"“{line}” can’t be read. Write lines like “2/3 placement” and “1/3 order or 12 months”.")
    when = {"placement": Due.PLACEMENT, "order": Due.ORDER_OR_MONTHS if months else Due.ORDER, "": Due.MONTHS}[due]
    of, parts = (int(found["of"]), int(found["parts"])) if found["of"] else (1, 1)
    return Share(of, parts, when, int(months) if months else None)
