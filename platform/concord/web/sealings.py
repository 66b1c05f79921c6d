"""The pages of sealing: ask and confirm, certificates, and adoption records for who keeps them."""

from __future__ import annotations

import json
from io import BytesIO
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import BooleanField, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.request import transaction
from matching.link import get_link
from matching.link_list import read_link
from matching.sealing.certificate import REMAINS, certificate_content, removed_of, words_of
from matching.sealing.reading import (
    get_certificate,
    kinds_of,
    list_certificates,
    list_records,
    open_record,
    open_report,
)
from matching.sealing.record import PartKind
from matching.sealing.seal import ask_to_seal, find_sealing, list_unsealed, seal_adoption, withdraw_sealing
from tenants.agency import get_agency
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may
from workers.document.paper import render_paper
from workers.document.watermark import watermark

blueprint = Blueprint("sealings", __name__)


class SealForm(FlaskForm):  # type: ignore[misc]
    """That somebody has read what sealing does."""

    sure = BooleanField(
        "I have read what is removed, and that it cannot be taken back",
        widget=GovCheckboxInput(),
        validators=[InputRequired("Confirm that you have read it, or go back")],
    )
    submit = SubmitField("Go on", widget=GovSubmitInput())


@blueprint.route("/links/<uuid:link_id>/seal", methods=["GET", "POST"])
@may(Verb.SEAL_ADOPTIONS)
def seal(link_id: UUID) -> ResponseReturnValue:
    """Show what sealing removes and what remains; take a first person's request, and a second one's word."""
    form = SealForm()
    with transaction() as session:
        record = read_link(session, link_id)
        progress = find_sealing(session, record.link)
    if form.validate_on_submit():
        with transaction() as session:
            number = _go_on(session, link_id)
        if number is not None:
            return redirect(url_for("sealings.show", number=number), 303)
        return redirect(url_for("sealings.seal", link_id=link_id), 303)
    ours = record.link.group_agency_id == g.scope.agency_id
    facts = {"record": record, "progress": progress, "remains": REMAINS, "ours": ours}
    facts["may_read"] = scope_may(g.scope, Verb.READ_LINKS)
    mine = progress is not None and progress.sealing.asked_by == g.scope.person_id
    page = render_template("seal.html", form=form, errors=error_summary(form), mine=mine, **facts)
    return page, 422 if form.errors else 200


@blueprint.post("/links/<uuid:link_id>/seal/withdraw")
@may(Verb.SEAL_ADOPTIONS)
def withdraw(link_id: UUID) -> ResponseReturnValue:
    """Take back that an adoption be sealed."""
    with transaction() as session:
        withdraw_sealing(session, get_link(session, link_id), now=utc_now())
    return redirect(url_for("sealings.seal", link_id=link_id), 303)


@blueprint.get("/sealings")
@may(Verb.READ_CERTIFICATES)
def index() -> ResponseReturnValue:
    """Show the agency's certificates, what is still to be sealed, and to their keepers the adoption records."""
    keeps, seals = (scope_may(g.scope, verb) for verb in (Verb.READ_ADOPTION_RECORDS, Verb.SEAL_ADOPTIONS))
    with transaction() as session:
        facts = {
            "certificates": list_certificates(session),
            "records": list_records(session) if keeps else [],
            "unsealed": list_unsealed(session) if seals else [],
        }
    return render_template("sealings.html", keeps=keeps, seals=seals, own=g.scope.person_id, **facts)


@blueprint.get("/sealings/<number>")
@may(Verb.READ_CERTIFICATES)
def show(number: str) -> ResponseReturnValue:
    """Show a certificate."""
    with transaction() as session:
        certificate = get_certificate(session, number)
    removed = [(words_of(table), count) for table, count in removed_of(certificate)]
    return render_template("sealing-certificate.html", certificate=certificate, removed=removed, remains=REMAINS)


@blueprint.get("/sealings/<number>/certificate.pdf")
@may(Verb.READ_CERTIFICATES)
def pdf(number: str) -> ResponseReturnValue:
    """Hand out a certificate as a PDF."""
    now = utc_now()
    with transaction() as session:
        certificate = get_certificate(session, number)
        content = certificate_content(certificate, agency=get_agency(session, certificate.agency_id).name)
    made = render_paper(content, state=f"Printed {now:%d/%m/%Y}", places=[], made_at=now)
    name = f"certificate-{number}.pdf"
    return send_file(BytesIO(made), "application/pdf", as_attachment=True, download_name=name)


@blueprint.get("/adoption-records/<number>")
@may(Verb.READ_ADOPTION_RECORDS)
def record(number: str) -> ResponseReturnValue:
    """Show an adoption record to who keeps them."""
    with transaction() as session:
        said, kinds = open_record(session, number, now=utc_now()), kinds_of(session, number)
    tables = {table: len(rows) for table, rows in sorted(said["link"].items())}
    return render_template("adoption-record.html", number=number, said=said, kinds=kinds, tables=tables)


@blueprint.get("/adoption-records/<number>/record.json")
@may(Verb.READ_ADOPTION_RECORDS)
def whole(number: str) -> ResponseReturnValue:
    """Hand out all that an adoption record says, table by table."""
    with transaction() as session:
        said = open_record(session, number, now=utc_now())
    content = json.dumps(said, ensure_ascii=False, indent=2).encode()
    response = send_file(BytesIO(content), "application/json", as_attachment=True, download_name=f"{number}.json")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/adoption-records/<number>/<any(par, cpr):kind>.pdf")
@may(Verb.READ_ADOPTION_RECORDS)
def report(number: str, kind: str) -> ResponseReturnValue:
    """Hand out a report of an adoption record, marked with who reads it."""
    with transaction() as session:
        content = open_report(session, number, PartKind(kind), stamp=watermark, now=utc_now())
    response = send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=f"{number}-{kind}.pdf")
    response.headers["Cache-Control"] = "no-store"
    return response


def _go_on(session: Session, link_id: UUID) -> str | None:
    """Ask for the sealing, or seal what another person asked for; return the record's number once it is sealed."""
    link, now = get_link(session, link_id), utc_now()
    if find_sealing(session, link) is None:
        ask_to_seal(session, link, now=now)
        return None
    return seal_adoption(session, link, now=now)
