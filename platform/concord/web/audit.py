"""The pages that say who looked at a record, and what a person saw, for those who answer for that in an agency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from concord.web.access import may
from concord.web.audit_filter import LEVEL_OPTIONS, AuditFilter, agency_options, person_options, read_filter
from concord.web.export import MEDIA
from concord.web.listing import FindForm, pagination, without_blanks
from concord.web.request import transaction
from matching.audit_line import HEADINGS, AuditLine
from matching.person_audit import export_person_audit, list_audited_people, read_person_audit
from matching.record_audit import (
    export_group_audit,
    export_household_audit,
    find_audited,
    read_group_audit,
    read_household_audit,
)
from matching.register import Page
from tenants.agency import list_agencies
from tenants.audit_check import find_last_check
from tenants.base import utc_now
from tenants.error import NotFound
from tenants.permission import Verb
from workers.document.sheet import SheetFormat, write_sheet

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@may(Verb.READ_AUDIT)
def index() -> ResponseReturnValue:
    """Ask whose audit is wanted, and say when the whole was last checked."""
    return _ask(FindForm())


@blueprint.post("/audit")
@may(Verb.READ_AUDIT)
def find() -> ResponseReturnValue:
    """Open the audit of the record whose code, own reference or id was typed."""
    form = FindForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                kind, record_id = find_audited(session, form.code.data)
            return redirect(url_for(f"audit.of_{kind}", record_id=record_id), 303)
        except NotFound as unknown:
            form.code.errors = [str(unknown)]
    return _ask(form), 422


@blueprint.get("/groups/<uuid:record_id>/audit")
@may(Verb.READ_AUDIT)
def of_group(record_id: UUID) -> ResponseReturnValue:
    """Show who looked at or changed a group of one's own agency."""
    wanted = read_filter(request.args)
    with transaction() as session:
        group, page = read_group_audit(session, record_id, number=_number(), now=utc_now(), asked=wanted.asked)
        choices = _choices(session)
    return _show(page, wanted, choices, record_id=record_id, subject=group.code, kind="group")


@blueprint.get("/households/<uuid:record_id>/audit")
@may(Verb.READ_AUDIT)
def of_household(record_id: UUID) -> ResponseReturnValue:
    """Show who looked at or changed a household of one's own agency."""
    wanted = read_filter(request.args)
    with transaction() as session:
        household, page = read_household_audit(session, record_id, number=_number(), now=utc_now(), asked=wanted.asked)
        choices = _choices(session)
    return _show(page, wanted, choices, record_id=record_id, subject=household.code, kind="household")


@blueprint.get("/audit/people")
@may(Verb.READ_AUDIT)
def people() -> ResponseReturnValue:
    """Ask of which of the agency's people it is to be told what they saw."""
    with transaction() as session:
        found = list_audited_people(session, now=utc_now())
    return render_template("audit-people.html", people=found)


@blueprint.get("/audit/people/<uuid:record_id>")
@may(Verb.READ_AUDIT)
def of_person(record_id: UUID) -> ResponseReturnValue:
    """Show what a person of one's own agency saw and did."""
    wanted = read_filter(request.args)
    with transaction() as session:
        person, page = read_person_audit(session, record_id, number=_number(), now=utc_now(), asked=wanted.asked)
    return _show(page, wanted, {}, record_id=record_id, subject=person.name, kind="person")


@blueprint.get("/groups/<uuid:record_id>/audit.<any(xlsx, csv):file_format>")
@may(Verb.READ_AUDIT)
def take_group(record_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out who looked at a group as a file."""
    with transaction() as session:
        asked = read_filter(request.args).asked
        group, rows = export_group_audit(session, record_id, now=utc_now(), asked=asked)
        return _file(rows, name=f"audit-{group.code}", file_format=file_format)


@blueprint.get("/households/<uuid:record_id>/audit.<any(xlsx, csv):file_format>")
@may(Verb.READ_AUDIT)
def take_household(record_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out who looked at a household as a file."""
    with transaction() as session:
        asked = read_filter(request.args).asked
        household, rows = export_household_audit(session, record_id, now=utc_now(), asked=asked)
        return _file(rows, name=f"audit-{household.code}", file_format=file_format)


@blueprint.get("/audit/people/<uuid:record_id>.<any(xlsx, csv):file_format>")
@may(Verb.READ_AUDIT)
def take_person(record_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out what a person saw as a file; its name names nobody."""
    with transaction() as session:
        _, rows = export_person_audit(session, record_id, now=utc_now(), asked=read_filter(request.args).asked)
        return _file(rows, name="audit-person", file_format=file_format)


def _ask(form: FindForm) -> str:
    with transaction() as session:
        return render_template("audit-find.html", form=form, check=find_last_check(session, now=utc_now()))


def _show(
    page: Page[AuditLine], wanted: AuditFilter, choices: Mapping[str, Any], *, record_id: UUID, subject: str, kind: str
) -> ResponseReturnValue:
    if (clean := without_blanks()) is not None:
        return redirect(clean, 303)
    endpoint = f"audit.of_{kind}"
    links = pagination(page, lambda number: url_for(endpoint, record_id=record_id, page=number, **wanted.given))
    return render_template(
        "audit-person.html" if kind == "person" else "audit.html",
        page=page,
        pagination=links,
        wanted=wanted.given,
        choices=choices,
        levels=LEVEL_OPTIONS,
        record_id=record_id,
        subject=subject,
        kind=kind,
    )


def _choices(session: Session) -> dict[str, Any]:
    return {
        "agency": agency_options(list_agencies(session)),
        "person": person_options(list_audited_people(session, now=utc_now())),
    }


def _file(rows: Iterable[Mapping[str, str]], *, name: str, file_format: str) -> ResponseReturnValue:
    file, wanted = BytesIO(), SheetFormat(file_format)
    write_sheet(file, HEADINGS, rows, file_format=wanted, title="audit")
    file.seek(0)
    response = send_file(file, mimetype=MEDIA[wanted], as_attachment=True, download_name=f"{name}.{wanted}")
    response.headers["Cache-Control"] = "no-store"
    return response


def _number() -> int:
    return request.args.get("page", 1, type=int)
