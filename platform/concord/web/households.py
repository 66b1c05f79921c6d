"""The pages of adopter households: who is approved and waits, and for each the groups that it may fit."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.listing import FindForm, pagination, read_fits, read_wanted
from concord.web.request import transaction
from matching.family_finding import find_groups
from matching.household import HouseholdUnknown, get_household, get_household_by_reference, read_identity
from matching.meeting import is_office
from matching.record import open_household
from matching.register import count_listed_households, list_household_cards
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("households", __name__)

TOP = 20
"""How many groups a household's page shows until all are asked for."""


@blueprint.get("/households")
@may(Verb.READ_HOUSEHOLDS)
def index() -> ResponseReturnValue:
    """Show the households that wait, one's own agency's first."""
    return _list(FindForm())


@blueprint.post("/households")
@may(Verb.READ_HOUSEHOLDS)
def find() -> ResponseReturnValue:
    """Open the household whose code or own reference was typed."""
    form = FindForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                household = get_household_by_reference(session, form.code.data)
        except HouseholdUnknown as unknown:
            form.code.errors = [str(unknown)]
        else:
            return redirect(url_for("households.show", household_id=household.id), 303)
    return _list(form), 422


@blueprint.get("/households/<uuid:household_id>")
@may(Verb.READ_HOUSEHOLDS)
def show(household_id: UUID) -> ResponseReturnValue:
    """Show a household's profile and what it has said it can meet, and the groups that it may fit."""
    now, fits = utc_now(), read_fits(TOP)
    with transaction() as session:
        record = open_household(session, household_id, now=now)
        found = find_groups(session, record.household, as_of=now.date(), top=fits.top, now=now)
    return render_template(
        "household.html",
        record=record,
        found=found,
        as_of=now.date(),
        with_points=fits.points,
        with_all=fits.top is None,
        sees_identity=record.own and scope_may(g.scope, Verb.READ_IDENTITY),
    )


@blueprint.get("/households/<uuid:household_id>/identity")
@may(Verb.READ_IDENTITY)
def identity(household_id: UUID) -> ResponseReturnValue:
    """Show who the household is, to its own agency alone."""
    with transaction() as session:
        household = get_household(session, household_id)
        reference, person = read_identity(session, household, now=utc_now())
    return render_template("household-identity.html", household=household, reference=reference, identity=person)


def _list(form: FindForm) -> str:
    with transaction() as session:
        counts = count_listed_households(session)
        keeps_own = not is_office(session)
        wanted = read_wanted(counts, keeps_own=keeps_own)
        page = list_household_cards(session, own=wanted.own, number=wanted.number, as_of=utc_now().date())
    links = pagination(page, "households.index", own=wanted.own)
    return render_template(
        "households.html",
        form=form,
        counts=counts,
        keeps_own=keeps_own,
        own=wanted.own,
        page=page,
        pagination=links,
        may_import=scope_may(g.scope, Verb.IMPORT_HOUSEHOLDS),
    )
