"""At which states of a link a report of a kind may be granted and read."""

from __future__ import annotations

from matching.document import ReportKind
from matching.link import CPR_OPEN, PAR_OPEN, Link
from tenants.error import Conflict


class NotConsidered(Conflict):
    """Reports are granted at their stages of the link: not before, and not once it has ended."""


def opens_at(kind: ReportKind, link: Link) -> bool:
    """Say whether a link has come so far, and not too far, that reports of a kind may be granted and read."""
    return link.state in (PAR_OPEN if kind is ReportKind.PAR else CPR_OPEN)


def check_stage(link: Link, kind: ReportKind) -> None:
    """Let a grant of a kind pass while the link is at its stages.

    :raises NotConsidered: when it is not.
    """
    if not opens_at(kind, link):
        since = "both agencies consider the link" if kind is ReportKind.PAR else "it has come to the linking meeting"
        raise NotConsidered(
            f"The {kind.label} is granted once {since}, until it has ended. This link is at “{link.state.label}”."
        )
