"""Where each person lands: the work of their role."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import acting
from concord.web.navigation import sections_for

blueprint = Blueprint("home", __name__)


@blueprint.get("/home")
@acting
def page() -> ResponseReturnValue:
    """Show the places where the person has work to do."""
    return render_template("home.html", sections=sections_for(g.scope))
