"""The pages of adopter households: who is approved and waits, and for each the groups that it may fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from concord.web.access import may
from concord.web.filtering import Panel, read_panel
from concord.web.household_filters import SORTS, household_filters, read_distance, read_household_filter
from concord.web.listing import SearchForm, pagination, read_fits, read_search, read_wanted, search_for, without_blanks
from concord.web.request import transaction
from matching.decline import list_declined, list_feedback_for
from matching.family_finding import find_groups
from matching.household import HouseholdUnknown, get_household, get_household_by_reference, read_identity
from matching.household_search import HouseholdFilter, HouseholdSort
from matching.link_list import list_links_of
from matching.meeting import is_office
from matching.near import list_own_groups, narrow_by_distance
from matching.profile_check import check_profile
from matching.record import open_household
from matching.rectification import count_of_record
from matching.register import (
    count_listed_households,
    household_filter_to_take_off,
    list_household_cards,
    search_households,
)
from matching.words import record_search
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("households", __name__)

TOP = 20
"""How many groups a household's page shows until all are asked for."""


@blueprint.get("/households")
@may(Verb.READ_HOUSEHOLDS)
def index() -> ResponseReturnValue:
    """Show the households that are asked for, one's own agency's first."""
    tidy = without_blanks()
    return redirect(tidy, 303) if tidy else _list(SearchForm())


@blueprint.post("/households")
@may(Verb.READ_HOUSEHOLDS)
def find() -> ResponseReturnValue:
    """Open the household whose code or own reference was typed, or show those that hold what was typed."""
    form, now = SearchForm(), utc_now()
    if not form.validate_on_submit():
        return _list(form), 422
    with transaction() as session:
        try:
            household = get_household_by_reference(session, form.code.data)
            return redirect(url_for("households.show", household_id=household.id), 303)
        except HouseholdUnknown as unknown:
            page = search_households(session, form.code.data, as_of=now.date())
            words = None if page.total else search_for(session, form, unknown=unknown, groups=False, now=now)
    if words:
        return redirect(words, 303)
    if not page.total:
        return _list(form), 422
    return render_template("households-found.html", form=form, page=page)


@blueprint.get("/households/<uuid:household_id>")
@may(Verb.READ_HOUSEHOLDS)
def show(household_id: UUID) -> ResponseReturnValue:
    """Show a household's profile and what it has said it can meet, and the groups that it may fit."""
    now, fits = utc_now(), read_fits(TOP)
    with transaction() as session:
        record = open_household(session, household_id, now=now)
        found = find_groups(session, record.household, as_of=now.date(), top=fits.top, now=now)
        links = list_links_of(session, household_id, on=now.date())
        corrections = count_of_record(session, household_id)
        declined = list_declined(session, household_id=household_id)
        feedback = list_feedback_for(session, [household_id]) if record.own else []
        sees_identity = record.own and scope_may(g.scope, Verb.READ_IDENTITY)
        findings = check_profile(session, record.household) if sees_identity else ()
    return render_template(
        "household.html",
        record=record,
        found=found,
        as_of=now.date(),
        with_points=fits.points,
        with_all=fits.top is None,
        links=links if scope_may(g.scope, Verb.READ_LINKS) else None,
        declined=declined,
        feedback=feedback,
        may_link=scope_may(g.scope, Verb.KEEP_LINKS),
        sees_reports=record.own and scope_may(g.scope, Verb.READ_REPORTS),
        sees_identity=sees_identity,
        findings=findings,
        may_confirm=record.own and scope_may(g.scope, Verb.CONFIRM_AVAILABILITY),
        sees_agreements=record.own and scope_may(g.scope, Verb.READ_AGREEMENTS),
        corrections=corrections,
        sees_audit=record.own and scope_may(g.scope, Verb.READ_AUDIT),
    )


@blueprint.get("/households/<uuid:household_id>/identity")
@may(Verb.READ_IDENTITY)
def identity(household_id: UUID) -> ResponseReturnValue:
    """Show who the household is, to its own agency alone."""
    with transaction() as session:
        household = get_household(session, household_id)
        reference, person = read_identity(session, household, now=utc_now())
    return render_template("household-identity.html", household=household, reference=reference, identity=person)


def _list(form: SearchForm) -> str:
    now = utc_now()
    as_of = now.date()
    with transaction() as session:
        counts, keeps_own = count_listed_households(session), not is_office(session)
        asked = read_wanted(counts, sorts=SORTS, keeps_own=keeps_own)
        search = read_search(session, form, groups=False)
        filters = household_filters(list_agencies(session), list_own_groups(session, as_of=as_of), own=asked.own)
        panel = read_panel(
            "households.index", filters, request.args, whose=asked.whose, sort=asked.sort, sought=search.sought
        )
        wanted = replace(_wanted(session, panel, now), sought=search.sought)
        page = list_household_cards(
            session, own=asked.own, number=asked.number, as_of=as_of, wanted=wanted, sort=HouseholdSort(asked.sort)
        )
        if search.sought:
            record_search(session, record_kind="household", shown=page.cards, now=now)
        removal = None if page.total else household_filter_to_take_off(session, wanted, own=asked.own, as_of=as_of)
    return render_template(
        "households.html",
        form=form,
        counts=counts,
        keeps_own=keeps_own,
        own=asked.own,
        page=page,
        panel=panel,
        sorts=SORTS,
        removal=removal,
        respelt=search.respelt,
        pagination=pagination(page, lambda number: panel.link(page=number)),
        may_export=asked.own and scope_may(g.scope, Verb.EXPORT_RECORDS),
        may_import=scope_may(g.scope, Verb.IMPORT_HOUSEHOLDS),
    )


def _wanted(session: Session, panel: Panel, now: datetime) -> HouseholdFilter:
    wanted, distance = read_household_filter(panel), read_distance(panel)
    return (
        wanted
        if distance is None
        else narrow_by_distance(session, wanted, code=distance[0], bands=distance[1], now=now)
    )
