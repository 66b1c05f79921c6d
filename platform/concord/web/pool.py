"""The page of the pool as a whole: advice for a meeting to discuss."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.request import transaction
from matching.pool_view import TOP, view_pool
from matching.small_number import LEAST_COUNT
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("pool", __name__)

SHOWN = 10
"""How many of the most named households the page lists."""


@blueprint.get("/pool")
@may(Verb.READ_POOL_VIEW)
def show() -> ResponseReturnValue:
    """Show who could have whom, who is named most, and which groups nobody is listed for."""
    now = utc_now()
    with transaction() as session:
        view = view_pool(session, as_of=now.date(), now=now)
    return render_template("pool.html", view=view, top=TOP, least=LEAST_COUNT, shown=SHOWN)
