"""“Your agency”: what the agency is, and the places from which its people, sign-in and settings are kept.

A page's author adds a row; it shows to those whose role allows its verb.
"""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.navigation import Section
from concord.web.request import transaction
from tenants.agency import get_agency
from tenants.base import utc_now
from tenants.consortium import list_consortia_of
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("agency", __name__)

ROWS: tuple[Section, ...] = (
    Section(
        title="People",
        hint="Who works here and in which roles, whom you have invited, and who has left.",
        endpoint="people.index",
        verb=Verb.READ_PEOPLE,
    ),
    Section(
        title="When records are shared",
        hint="After how many days your records move to the consortium, and from there nationally.",
        endpoint="sharing.timing",
        verb=Verb.SET_TIMING,
    ),
    Section(
        title="People who are shut out of records",
        hint="Who knows a family and so does not see its record, since when and why.",
        endpoint="bars.index",
        verb=Verb.SET_BARS,
    ),
    Section(
        title="Broken glass",
        hint="Each time that somebody opened who a record is about in an emergency.",
        endpoint="glass.index",
        verb=Verb.READ_GLASS,
    ),
    Section(
        title="API access",
        hint="Which of your agency’s own programs may ask in its name, what of, and until when.",
        endpoint="clients.index",
        verb=Verb.MANAGE_CLIENTS,
    ),
    Section(
        title="How your people sign in",
        hint="Your own sign-in services, the roles that follow from them, and your e-mail domains.",
        endpoint="providers.index",
        verb=Verb.MANAGE_PROVIDERS,
    ),
    Section(
        title="Privacy",
        hint="What your agency owes to the people whose records it keeps: how long they are kept, and who sees them.",
        endpoint="privacy.index",
        verb=Verb.READ_RETENTION,
    ),
    Section(
        title="Sealed adoptions",
        hint="Which adoptions were sealed, when and by whom, and what remains of each where.",
        endpoint="sealings.index",
        verb=Verb.READ_CERTIFICATES,
    ),
    Section(
        title="Papers of privacy",
        hint="Who is controller of what, the sharing agreement, the impact assessment and the privacy notices.",
        endpoint="papers.index",
        verb=Verb.READ_PAPERS,
    ),
    Section(
        title="Your agency’s records",
        hint="Take out everything that your agency has here, and sign for it.",
        endpoint="agency_archive.index",
        verb=Verb.DECIDE_LIFE,
    ),
    Section(
        title="Acting for one another",
        hint="Have another agency’s people do your agency’s work, or sign for doing theirs; and end it.",
        endpoint="delegations.index",
        verb=Verb.DECIDE_LIFE,
    ),
    Section(
        title="Handing over",
        hint="Merge into another agency, hand records over to it or take over from it, and sign for what came.",
        endpoint="hand_overs.index",
        verb=Verb.DECIDE_LIFE,
    ),
    Section(
        title="Leaving",
        hint="Leave a consortium, or Concord as a whole, from a day that two people agree to.",
        endpoint="leaving.index",
        verb=Verb.DECIDE_LIFE,
    ),
)


@blueprint.get("/agency")
@may(Verb.READ_AGENCY)
def index() -> ResponseReturnValue:
    """Show the agency and what the person's role opens of how it is set up."""
    with transaction() as session:
        agency = get_agency(session, g.scope.agency_id)
        consortia = list_consortia_of(session, agency, on=utc_now().date())
    rows = [row for row in ROWS if scope_may(g.scope, row.verb)]
    return render_template("agency.html", agency=agency, consortia=consortia, rows=rows)
