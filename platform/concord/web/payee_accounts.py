"""The pages of an agency's own account, its bank details, reminders, approved suppliers and purchase orders."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from concord.web.access import may
from concord.web.fee_table import show_page, whole_asked
from concord.web.form import place_refusal
from concord.web.invoice_form import AccountForm, BankForm, OrderForm, StagesForm, SupplierForm, account_form
from concord.web.invoice_tables import order_table, supplier_table, unapproved_table
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.fee.agreement import get_agreement
from matching.fee.agreement_page import names_of
from matching.fee.invoice.account import find_account, keep_account
from matching.fee.invoice.bank import (
    approve_change,
    ask_change,
    details_on,
    get_change,
    list_changes,
    open_details,
    read_details,
    withdraw_change,
)
from matching.fee.invoice.reminder import set_stages, stages_of
from matching.fee.invoice.supplier import (
    approve_supplier,
    find_purchase_order,
    list_suppliers,
    list_unapproved,
    list_without_order,
    read_without_order,
    require_payer,
    set_purchase_order,
)
from matching.fee.invoice.vat import TO_CONFIRM
from matching.sealed_words import own_agency
from tenants import audit
from tenants.agency import get_agency, list_agencies
from tenants.approval import require_two
from tenants.base import utc_now
from tenants.error import Conflict, Invalid, refusal_of
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("payee_accounts", __name__)


@blueprint.get("/fees/account")
@may(Verb.READ_FEES)
def show() -> ResponseReturnValue:
    """Show what stands on the agency’s invoices, where it is paid, and the changes of that."""
    now = utc_now()
    with transaction() as session:
        account, bank, stages = find_account(session), details_on(session, now=now), stages_of(session)
        changes = [(each, open_details(session, each)) for each in list_changes(session)]
        waiting = next((each for each, _ in changes if each.waits), None)
        unapproved = waiting and refusal_of(
            partial(require_two, session, first_person_id=waiting.asked_by, on=now.date())
        )
        audit.record(session, audit.Act.READ, record_kind="bank_details", record_id=own_agency(session), now=now)
    facts = {"bank": bank, "stages": stages, "changes": changes, "now": now, "to_confirm": TO_CONFIRM}
    return render_template(
        "payee-account.html",
        account=account,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        approves=scope_may(g.scope, Verb.APPROVE_FEES),
        waiting=waiting,
        unapproved=unapproved,
        **facts,
    )


@blueprint.route("/fees/account/change", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def change() -> ResponseReturnValue:
    """Set up the account, or change it."""
    with transaction() as session:
        form = account_form(find_account(session), name=get_agency(session, own_agency(session)).name)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                keep_account(session, form.terms(), now=utc_now())
            return redirect(url_for("payee_accounts.show"), 303)
        except (Conflict, Invalid) as refusal:
            place_refusal(form, refusal, otherwise="legal_name")
    return short_form(
        form, title="What stands on your invoices", back=(url_for("payee_accounts.show"), "Our account"),
        lead="Invoices that are issued stay as they are.", hints=AccountForm.HINTS,
    )  # fmt: skip


@blueprint.route("/fees/account/bank", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def bank() -> ResponseReturnValue:
    """Ask for other bank details."""
    form = BankForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                details = read_details(form.name.data, form.sort_code.data, form.account_number.data)
                ask_change(session, details, now=utc_now())
            return redirect(url_for("payee_accounts.show", _anchor="bank"), 303)
        except (Conflict, Invalid) as refusal:
            place_refusal(form, refusal, otherwise="account_number")
    return short_form(
        form, title="Where is your agency paid?", back=(url_for("payee_accounts.show"), "Our account"),
        lead="A second person approves it, and a change waits some days. Those who pay you are shown it before.",
        hints=BankForm.HINTS,
    )  # fmt: skip


@blueprint.post("/fees/account/bank/<uuid:change_id>/approve")
@may(Verb.APPROVE_FEES)
def approve(change_id: UUID) -> ResponseReturnValue:
    """Approve a change of bank details as the second person."""
    with transaction() as session:
        approve_change(session, get_change(session, change_id), now=utc_now())
    return redirect(url_for("payee_accounts.show", _anchor="bank"), 303)


@blueprint.post("/fees/account/bank/<uuid:change_id>/withdraw")
@may(Verb.KEEP_FEES)
def withdraw(change_id: UUID) -> ResponseReturnValue:
    """Take a change of bank details back."""
    with transaction() as session:
        withdraw_change(session, get_change(session, change_id), now=utc_now())
    return redirect(url_for("payee_accounts.show", _anchor="bank"), 303)


@blueprint.route("/fees/account/reminders", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def reminders() -> ResponseReturnValue:
    """Set at which days payers are reminded."""
    with transaction() as session:
        form = StagesForm(days=", ".join(map(str, stages_of(session))))
    if form.validate_on_submit():
        try:
            days = [int(each) for each in (form.days.data or "").replace(",", " ").split()]
            with transaction() as session:
                set_stages(session, days, now=utc_now())
            return redirect(url_for("payee_accounts.show"), 303)
        except ValueError:
            form.days.errors = ["Enter whole numbers of days, such as 7, 21, 42"]
        except Invalid as refusal:
            form.days.errors = [str(refusal)]
    return short_form(
        form, title="When are payers reminded?", back=(url_for("payee_accounts.show"), "Our account"),
        lead="Each stage once, and none while an invoice is in dispute.", hints={"days": "Such as 7, 21, 42"},
    )  # fmt: skip


@blueprint.get("/fees/suppliers")
@may(Verb.READ_FEES)
def suppliers() -> ResponseReturnValue:
    """Show whom the agency has approved as a supplier, and what asks for a supplier or an order."""
    keeps = scope_may(g.scope, Verb.KEEP_FEES)
    with transaction() as session:
        names = names_of(list_agencies(session))
        unapproved, approved = list_unapproved(session), list_suppliers(session)
        page = read_without_order(session, number=request.args.get("page", 1, type=int))
        agreements = list_without_order(session) if whole_asked() else page.cards
    return show_page(
        "suppliers.html",
        unapproved_table(unapproved, names),
        order_table(agreements, names, keeps=keeps),
        supplier_table(approved, names),
        keeps=keeps,
        page=page,
        pagination=pagination(page, lambda number: url_for("payee_accounts.suppliers", page=number, _anchor="orders")),
    )


@blueprint.route("/fees/suppliers/new", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def add_supplier() -> ResponseReturnValue:
    """Put on record that an agency is an approved supplier."""
    form = SupplierForm()
    with transaction() as session:
        own = own_agency(session)
        agencies = [each for each in list_agencies(session) if each.id != own]
    form.payee.choices = [SelectChoice(str(each.id), each.name) for each in agencies]
    if form.validate_on_submit():
        now = utc_now()
        with transaction() as session:
            number = form.supplier_number.data or ""
            payee_id = UUID(form.payee.data)
            approve_supplier(session, payee_id, supplier_number=number, approved_on=now.date(), now=now)
        return redirect(url_for("payee_accounts.suppliers"), 303)
    return short_form(
        form, title="Approve a supplier", back=(url_for("payee_accounts.suppliers"), "Suppliers and orders"),
        lead="That your finance team has set the agency up to be paid. No placement waits for it.",
    )  # fmt: skip


@blueprint.route("/fees/agreements/<uuid:agreement_id>/order", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def order(agreement_id: UUID) -> ResponseReturnValue:
    """Give an agreement’s purchase order."""
    with transaction() as session:
        agreement, found = get_agreement(session, agreement_id), find_purchase_order(session, agreement_id)
        require_payer(session, agreement)
    form = OrderForm(number=found.number if found else "")
    if form.validate_on_submit():
        try:
            with transaction() as session:
                set_purchase_order(
                    session, get_agreement(session, agreement_id), number=form.number.data, now=utc_now()
                )
            return redirect(url_for("payee_accounts.suppliers"), 303)
        except Invalid as refusal:
            form.number.errors = [str(refusal)]
    return short_form(
        form, title=f"Purchase order for {agreement.reference}",
        back=(url_for("payee_accounts.suppliers"), "Suppliers and orders"),
        lead="It stands on the invoices that follow, so that your finance team can pay them.",
        hints={"number": "It must name no child"},
    )  # fmt: skip
