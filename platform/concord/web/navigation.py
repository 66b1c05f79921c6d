"""Where people can go: one table of the site's sections, read by the navigation bar and the home page.

A page's author adds a row; it shows to those whose role allows its verb.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from tenants.permission import Verb, may
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Section:
    """A place to work: its title, what one does there, where it is, and the verb that opens it."""

    title: str
    hint: str
    endpoint: str
    verb: Verb


SECTIONS: tuple[Section, ...] = (
    Section(
        title="Sibling groups",
        hint="Who waits, for how long, and which families may fit each of them.",
        endpoint="groups.index",
        verb=Verb.READ_GROUPS,
    ),
    Section(
        title="Households",
        hint="Who is approved to adopt, and which groups each of them may fit.",
        endpoint="households.index",
        verb=Verb.READ_HOUSEHOLDS,
    ),
    Section(
        title="Links",
        hint="Which group and household are looked at together, how far each link is, and reports to read.",
        endpoint="links.index",
        verb=Verb.READ_LINKS,
    ),
    Section(
        title="Panel papers",
        hint="Matches that you are named for: papers to read, and decisions to take.",
        endpoint="panel.index",
        verb=Verb.READ_PANEL,
    ),
    Section(
        title="The pool",
        hint="The pool as a whole, for a meeting to discuss: who could have whom, and whom nobody is listed for.",
        endpoint="pool.show",
        verb=Verb.READ_POOL_VIEW,
    ),
    Section(
        title="Import",
        hint="Bring in a sheet of your children or households, checked before anything is saved.",
        endpoint="imports.index",
        verb=Verb.IMPORT_HOUSEHOLDS,
    ),
    Section(
        title="Meetings",
        hint="Matching meetings, and the pack your agency takes to each.",
        endpoint="meetings.index",
        verb=Verb.READ_MEETINGS,
    ),
    Section(
        title="Swaps",
        hint="Agencies that swap with one another, and what is between them.",
        endpoint="swaps.index",
        verb=Verb.READ_SWAPS,
    ),
    Section(
        title="Fees",
        hint="What placements between agencies cost: agreements to sign, and what is owed, invoiced and paid.",
        endpoint="fees.index",
        verb=Verb.READ_TARIFFS,
    ),
    Section(
        title="Monitoring",
        hint="How long children wait and stages take, what became of links, and what changed this month.",
        endpoint="monitoring.index",
        verb=Verb.READ_MONITORING,
    ),
    Section(
        title="Audit",
        hint="Who looked at or changed one of your agency’s records.",
        endpoint="audit.index",
        verb=Verb.READ_AUDIT,
    ),
    Section(
        title="Sealed adoptions",
        hint="The records of adoptions that your agency keeps, each opened by number and on record.",
        endpoint="sealings.index",
        verb=Verb.READ_ADOPTION_RECORDS,
    ),
    Section(
        title="Your agency",
        hint="Who works here, how they sign in, and what the agency has settled.",
        endpoint="agency.index",
        verb=Verb.READ_AGENCY,
    ),
)


def sections_for(scope: Scope) -> list[Section]:
    """Return the sections that the scope's roles open, in the order of the table."""
    return [section for section in SECTIONS if may(scope, section.verb)]


def navigation_for(scope: Scope) -> list[dict[str, Any]]:
    """Return the navigation bar's items for the GOV.UK component, the present section marked."""
    home = {"text": "Home", "href": url_for("home.page"), "current": request.endpoint == "home.page"}
    return [home, *(_item(section) for section in sections_for(scope))]


def footer_for(scope: Scope) -> list[dict[str, str]]:
    """Return the links of the foot of every page: what to look things up in, as far as the scope's roles open it."""
    ranking = [("Needs", "reference.needs"), ("How families are ranked", "reference.policy")]
    links = [
        *(ranking if may(scope, Verb.READ_RANKING) else []),
        *([("E-mail domains to confirm", "providers.domains")] if may(scope, Verb.CONFIRM_DOMAINS) else []),
        *([("Papers of privacy", "papers.index")] if may(scope, Verb.READ_PAPERS) else []),
        ("Accessibility statement", "reference.accessibility"),
    ]
    return [{"text": text, "href": url_for(endpoint)} for text, endpoint in links]


def _item(section: Section) -> dict[str, Any]:
    href = url_for(section.endpoint)
    return {
        "text": section.title,
        "href": href,
        "current": request.endpoint == section.endpoint,
        "active": request.path == href or request.path.startswith(f"{href}/"),
    }
