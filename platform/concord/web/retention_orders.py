"""The pages of adoption orders: those on record, and setting aside one that was recorded by mistake."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.colleague import colleague_names
from matching.retention.adoption_order import (
    OrderAside,
    OrderSaid,
    ask_to_set_aside,
    decide_on_setting_aside,
    get_order,
    list_all_orders,
)
from tenants.approval import NobodyNamed, SamePerson
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("retention_orders", __name__)


class AsideForm(FlaskForm):  # type: ignore[misc]
    """Why an order was recorded by mistake."""

    reason = words_field("Why was it recorded by mistake?", missing="Enter why it was recorded by mistake")
    submit = SubmitField("Ask a second person", widget=GovSubmitInput())


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """Whether an order that a colleague calls a mistake is set aside."""

    decision = RadioField(
        "What do you decide?",
        widget=GovRadioInput(),
        choices=[SelectChoice("approve", "Set the order aside"), SelectChoice("refuse", "Let it stand")],
        validators=[InputRequired("Say what you decide")],
    )
    submit = SubmitField("Decide", widget=GovSubmitInput())


@blueprint.get("/retention/orders")
@may(Verb.READ_RETENTION)
def index() -> ResponseReturnValue:
    """Show the adoption orders on record, and those that were set aside."""
    with transaction() as session:
        orders, names = list_all_orders(session), colleague_names(session)
    keeps, decides = (scope_may(g.scope, verb) for verb in (Verb.KEEP_RETENTION, Verb.APPROVE_DESTRUCTION))
    return render_template("retention-orders.html", orders=orders, names=names, keeps=keeps, decides=decides)


@blueprint.route("/retention/orders/<uuid:order_id>/aside", methods=["GET", "POST"])
@may(Verb.KEEP_RETENTION)
def aside(order_id: UUID) -> ResponseReturnValue:
    """Ask a second person to set an order aside."""
    form = AsideForm()
    with transaction() as session:
        said = get_order(session, order_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                ask_to_set_aside(session, get_order(session, order_id).order, reason=form.reason.data, now=utc_now())
            return redirect(url_for("retention_orders.index"), 303)
        except OrderAside as refusal:
            form.reason.errors = [str(refusal)]
    lead = "Do this only where the order was recorded by mistake: on the wrong record, or with a wrong date."
    return short_form(
        form, title=f"Set aside the {_named(said)}", back=_back(), lead=lead, warning="A second person has to agree."
    )


@blueprint.route("/retention/orders/<uuid:order_id>/decide", methods=["GET", "POST"])
@may(Verb.APPROVE_DESTRUCTION)
def decide(order_id: UUID) -> ResponseReturnValue:
    """Take the second person's decision."""
    form = DecisionForm()
    with transaction() as session:
        said = get_order(session, order_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                approve = form.decision.data == "approve"
                decide_on_setting_aside(session, get_order(session, order_id).order, approve=approve, now=utc_now())
            return redirect(url_for("retention_orders.index"), 303)
        except (OrderAside, SamePerson, NobodyNamed) as refusal:
            form.decision.errors = [str(refusal)]
    warning = "A record without an order is no longer kept for 100 years: it may be due to be destroyed at once."
    text = said.order.aside_reason or "Nobody has asked to set this order aside."
    return short_form(
        form, title=f"Decide on setting aside the {_named(said)}", back=_back(), warning=warning, text=text
    )


def _back() -> tuple[str, str]:
    return url_for("retention_orders.index"), "Adoption orders"


def _named(said: OrderSaid) -> str:
    return f"adoption order of {said.order.ordered_on:%d/%m/%Y} on {said.code}"
