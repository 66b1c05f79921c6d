"""The pages that say who looked at or changed a record, for the people of its own agency who answer for that."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.listing import FindForm, pagination
from concord.web.request import transaction
from matching.record_audit import find_audited, read_group_audit, read_household_audit
from tenants.base import utc_now
from tenants.error import NotFound
from tenants.permission import Verb

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@may(Verb.READ_AUDIT)
def index() -> ResponseReturnValue:
    """Ask whose audit is wanted."""
    return render_template("audit-find.html", form=FindForm())


@blueprint.post("/audit")
@may(Verb.READ_AUDIT)
def find() -> ResponseReturnValue:
    """Open the audit of the record whose code or own reference was typed."""
    form = FindForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                kind, record_id = find_audited(session, form.code.data)
            return redirect(url_for(f"audit.of_{kind}", record_id=record_id), 303)
        except NotFound as unknown:
            form.code.errors = [str(unknown)]
    return render_template("audit-find.html", form=form), 422


@blueprint.get("/groups/<uuid:record_id>/audit")
@may(Verb.READ_AUDIT)
def of_group(record_id: UUID) -> ResponseReturnValue:
    """Show who looked at or changed a group of one's own agency."""
    with transaction() as session:
        group, page = read_group_audit(session, record_id, number=_number(), now=utc_now())
    links = pagination(page, lambda number: url_for("audit.of_group", record_id=record_id, page=number))
    return render_template("audit.html", code=group.code, kind="group", page=page, pagination=links)


@blueprint.get("/households/<uuid:record_id>/audit")
@may(Verb.READ_AUDIT)
def of_household(record_id: UUID) -> ResponseReturnValue:
    """Show who looked at or changed a household of one's own agency."""
    with transaction() as session:
        household, page = read_household_audit(session, record_id, number=_number(), now=utc_now())
    links = pagination(page, lambda number: url_for("audit.of_household", record_id=record_id, page=number))
    return render_template("audit.html", code=household.code, kind="household", page=page, pagination=links)


def _number() -> int:
    return request.args.get("page", 1, type=int)
