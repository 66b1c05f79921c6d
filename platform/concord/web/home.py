"""Where each person lands: the work of their role."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import acting
from concord.web.navigation import sections_for
from concord.web.request import transaction
from matching.glass import list_to_judge
from matching.panel.reading import list_readings
from matching.worklist import list_work
from tenants.base import utc_now
from tenants.hand_over import list_waiting
from tenants.permission import Verb, may

blueprint = Blueprint("home", __name__)


@blueprint.get("/home")
@acting
def page() -> ResponseReturnValue:
    """Show what waits for the person's agency, and the places where they have work to do."""
    with transaction() as session:
        work, broken = list_work(session, as_of=utc_now().date()), list_to_judge(session)
        readings = list_readings(session, now=utc_now())
        waiting = list_waiting(session, on=utc_now().date()) if may(g.scope, Verb.DECIDE_LIFE) else []
    return render_template(
        "home.html",
        work=work,
        today=utc_now().date(),
        broken=broken,
        hand_overs=waiting,
        may_break=may(g.scope, Verb.BREAK_GLASS),
        sections=sections_for(g.scope),
        readings=readings,
        reads_panel=may(g.scope, Verb.READ_PANEL),
        office=work.meeting is not None and work.meeting.meeting.agency_id == g.scope.agency_id,
        may_build=may(g.scope, Verb.BUILD_PACK),
    )
