"""Where a finance officer starts: what waits, and the parts of the section."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.fee_places import parts_for
from concord.web.fee_work import list_waiting
from concord.web.request import transaction
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as allows

blueprint = Blueprint("fees", __name__)


@blueprint.get("/fees")
@may(Verb.READ_TARIFFS)
def index() -> ResponseReturnValue:
    """Show what waits for the agency, and where the rest is."""
    with transaction() as session:
        waiting = list_waiting(session, g.scope, now=utc_now())
    tells = allows(g.scope, Verb.READ_FEES)
    return render_template("fees.html", waiting=waiting, parts=parts_for(g.scope), tells=tells)
