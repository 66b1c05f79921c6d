"""Pages to look things up in: the needs, how families are ranked, and how far the site is accessible."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import may, public
from concord.web.request import current_settings
from matching.need import need_catalogue
from matching.ranking.policy import default_policy
from matching.ranking.policy_words import describe_policy
from tenants.permission import Verb

blueprint = Blueprint("reference", __name__)

STATEMENT_PREPARED = date(2026, 11, 23)
"""When the accessibility statement was last held against the pages."""


@blueprint.get("/needs")
@may(Verb.READ_RANKING)
def needs() -> ResponseReturnValue:
    """Show the catalogue of needs, by group."""
    catalogue = need_catalogue()
    groups = [(group, list(found)) for group, found in groupby(catalogue.needs, key=lambda need: need.group)]
    return render_template("needs.html", groups=groups, catalogue=catalogue)


@blueprint.get("/policy")
@may(Verb.READ_RANKING)
def policy() -> ResponseReturnValue:
    """Show the ranking policy: each number, and what it is for."""
    found = default_policy()
    return render_template("policy.html", policy=found, tables=describe_policy(found))


@blueprint.get("/accessibility")
@public
def accessibility() -> ResponseReturnValue:
    """Show how far the site is accessible, what is not, and how to say so."""
    return render_template("accessibility.html", contact=current_settings().contact, prepared=STATEMENT_PREPARED)
