"""The pages of sibling groups: who waits, and for each the families that may fit, with why."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovTextInput
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from concord.web.access import may
from concord.web.filtering import read_panel
from concord.web.form import one_line
from concord.web.group_filters import SORTS, group_filters, read_group_filter
from concord.web.listing import SearchForm, pagination, read_fits, read_search, read_wanted, search_for, without_blanks
from concord.web.request import transaction
from matching.decline import Decline, declines_of_group, list_declined, list_feedback_for
from matching.family_finding import ExplainedFamily, explain_family, find_families
from matching.group_search import GroupSort
from matching.household import HouseholdUnknown, get_household_by_reference
from matching.link_list import list_links_of
from matching.meeting import is_office
from matching.profile_check import check_profile
from matching.record import open_group
from matching.rectification import count_of_record
from matching.register import (
    count_listed_groups,
    group_filter_to_take_off,
    list_group_cards,
    search_groups,
)
from matching.sibling_group import GroupUnknown, SiblingGroup, get_group, get_group_by_reference, read_identity
from matching.words import record_search
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("groups", __name__)

TOP = 20
"""How many families a group's page shows until all are asked for."""
OPEN = 3
"""How many of them show their reasons without being asked."""


class WhyForm(FlaskForm):  # type: ignore[misc]
    """The code of a household that is missed on a group's list; it changes nothing, so it needs no token."""

    class Meta:
        """Read from the address, as a search is."""

        csrf = False

    household = StringField(
        "Household’s code",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[
            DataRequired("Enter the household’s code, for example H-7K2M4P"),
            Length(max=60, message="A code has eight characters, for example H-7K2M4P"),
        ],
    )


@blueprint.get("/groups")
@may(Verb.READ_GROUPS)
def index() -> ResponseReturnValue:
    """Show the groups that are asked for, one's own agency's first."""
    tidy = without_blanks()
    return redirect(tidy, 303) if tidy else _list(SearchForm())


@blueprint.post("/groups")
@may(Verb.READ_GROUPS)
def find() -> ResponseReturnValue:
    """Open the group whose code or own reference was typed, or show those that hold what was typed."""
    form, now = SearchForm(), utc_now()
    if not form.validate_on_submit():
        return _list(form), 422
    with transaction() as session:
        try:
            return redirect(url_for("groups.show", group_id=get_group_by_reference(session, form.code.data).id), 303)
        except GroupUnknown as unknown:
            page = search_groups(session, form.code.data, as_of=now.date())
            words = None if page.total else search_for(session, form, unknown=unknown, groups=True, now=now)
    if words:
        return redirect(words, 303)
    if not page.total:
        return _list(form), 422
    return render_template("groups-found.html", form=form, page=page)


@blueprint.get("/groups/<uuid:group_id>")
@may(Verb.READ_GROUPS)
def show(group_id: UUID) -> ResponseReturnValue:
    """Show a group's profile and needs, and the families that may fit."""
    now, fits, only_free = utc_now(), read_fits(TOP), "free" in request.args
    with transaction() as session:
        record = open_group(session, group_id, now=now)
        found = find_families(session, record.group, as_of=now.date(), top=fits.top, now=now, only_free=only_free)
        links = list_links_of(session, group_id, on=now.date())
        corrections = count_of_record(session, group_id)
        declined = list_declined(session, group_id=group_id)
        feedback = list_feedback_for(session, [group_id]) if record.own else []
        sees_identity = record.own and scope_may(g.scope, Verb.READ_IDENTITY)
        findings = check_profile(session, record.group) if sees_identity else ()
    return render_template(
        "group.html",
        record=record,
        found=found,
        form=WhyForm(None),
        as_of=now.date(),
        with_points=fits.points,
        with_all=fits.top is None,
        only_free=only_free,
        open_first=OPEN,
        links=links if scope_may(g.scope, Verb.READ_LINKS) else None,
        declined=declined,
        feedback=feedback,
        may_link=scope_may(g.scope, Verb.KEEP_LINKS),
        sees_reports=record.own and scope_may(g.scope, Verb.READ_REPORTS),
        sees_identity=sees_identity,
        findings=findings,
        corrections=corrections,
        sees_audit=record.own and scope_may(g.scope, Verb.READ_AUDIT),
    )


@blueprint.get("/groups/<uuid:group_id>/why")
@may(Verb.READ_RANKING)
def why(group_id: UUID) -> ResponseReturnValue:
    """Show why a household, typed by its code, is or is not on a group's list."""
    now = utc_now()
    form = WhyForm(request.args)
    with transaction() as session:
        group = get_group(session, group_id)
        if "household" not in request.args or not form.validate():
            return _show_why(group, form), 422 if form.errors else 200
        try:
            household = get_household_by_reference(session, form.household.data)
        except HouseholdUnknown as unknown:
            form.household.errors = [str(unknown)]
            return _show_why(group, form), 404
        if household.code != form.household.data:
            # An agency's own reference is nothing for an address, which browsers keep.
            return redirect(url_for("groups.why", group_id=group_id, household=household.code), 303)
        found = explain_family(session, group, household, as_of=now.date(), now=now)
        declined = declines_of_group(session, group_id).get(household.id)
    return _show_why(group, form, found, declined)


@blueprint.get("/groups/<uuid:group_id>/identity")
@may(Verb.READ_IDENTITY)
def identity(group_id: UUID) -> ResponseReturnValue:
    """Show who the children are, to their own agency alone."""
    with transaction() as session:
        group = get_group(session, group_id)
        reference, children = read_identity(session, group, now=utc_now())
    return render_template("group-identity.html", group=group, reference=reference, children=children)


def _show_why(
    group: SiblingGroup, form: WhyForm, found: ExplainedFamily | None = None, declined: Decline | None = None
) -> str:
    may_link = scope_may(g.scope, Verb.KEEP_LINKS)
    ours = found is not None and g.scope.agency_id in (group.agency_id, found.household.agency_id)
    said = {"found": found, "declined": declined, "ours": ours}
    return render_template("group-why.html", group=group, form=form, top=TOP, may_link=may_link, **said)


def _list(form: SearchForm) -> str:
    now = utc_now()
    as_of = now.date()
    with transaction() as session:
        counts, keeps_own = count_listed_groups(session), not is_office(session)
        asked = read_wanted(counts, sorts=SORTS, keeps_own=keeps_own)
        search = read_search(session, form, groups=True)
        filters = group_filters(list_agencies(session), own=asked.own)
        panel = read_panel(
            "groups.index", filters, request.args, whose=asked.whose, sort=asked.sort, sought=search.sought
        )
        wanted = replace(read_group_filter(panel), sought=search.sought)
        page = list_group_cards(
            session, own=asked.own, number=asked.number, as_of=as_of, wanted=wanted, sort=GroupSort(asked.sort)
        )
        if search.sought:
            record_search(session, record_kind="sibling_group", shown=page.cards, now=now)
        removal = None if page.total else group_filter_to_take_off(session, wanted, own=asked.own, as_of=as_of)
    return render_template(
        "groups.html",
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
        may_import=scope_may(g.scope, Verb.IMPORT_CHILDREN),
    )
