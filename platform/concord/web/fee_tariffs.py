"""The pages of tariffs and rules: what placements between agencies cost, where that is published, and next year's."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Blueprint, g, redirect, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.fee_form import SCALE, LastDayForm, RulesForm, TariffForm, WaiverForm
from concord.web.fee_table import Cell, Column, Holds, Table, money, row, show_page
from concord.web.form import place_refusal
from concord.web.request import transaction
from concord.web.short_form import short_form
from concord.web.words import sentence
from matching.fee.published import adopt_published, published
from matching.fee.rule import RuleInvalid, RuleTaken, list_rules, read_rules, set_rules, set_swap_waiver
from matching.fee.tariff import (
    PublishedTariff,
    TariffInvalid,
    TariffsOverlap,
    add_tariff,
    end_tariff,
    following,
    get_tariff,
    in_force,
    list_tariffs,
    remove_tariff,
)
from matching.fee.waiting import list_running_out
from matching.meeting import is_office, require_office
from matching.summary import count_words
from matching.swap.group import get_swap_group, list_swap_groups
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_tariffs", __name__)


@blueprint.get("/fees/tariffs")
@may(Verb.READ_TARIFFS)
def index() -> ResponseReturnValue:
    """List the consortium's tariffs, whose payees first, with the rules that hold."""
    now = utc_now()
    with transaction() as session:
        tariffs = list_tariffs(session)
        rules = read_rules(session, published().rules, on=now.date())
        history = list_rules(session)
        running_out = list_running_out(session, now)
        keeps = scope_may(g.scope, Verb.KEEP_TARIFFS) and is_office(session)
        groups = list_swap_groups(session) if keeps and scope_may(g.scope, Verb.READ_SWAPS) else []
    listed = _tariff_table(tariffs, today=now.date())
    return show_page(
        "fee-tariffs.html",
        listed,
        listed=listed,
        rules=rules,
        history=history,
        running_out=running_out,
        keeps=keeps,
        groups=groups,
        today=now.date(),
    )


@blueprint.post("/fees/tariffs/adopt")
@may(Verb.KEEP_TARIFFS)
def adopt() -> ResponseReturnValue:
    """Take in what is published."""
    with transaction() as session:
        adopt_published(session, now=utc_now())
    return redirect(url_for("fee_tariffs.index"), 303)


@blueprint.route("/fees/tariffs/new", methods=["GET", "POST"])
@may(Verb.KEEP_TARIFFS)
def new() -> ResponseReturnValue:
    """Take a tariff."""
    return _form(None)


@blueprint.get("/fees/tariffs/<uuid:tariff_id>")
@may(Verb.READ_TARIFFS)
def show(tariff_id: UUID) -> ResponseReturnValue:
    """Show what a tariff says, and what it changed."""
    now = utc_now()
    with transaction() as session:
        tariff = get_tariff(session, tariff_id)
        before = _before(tariff, list_tariffs(session))
        keeps = scope_may(g.scope, Verb.KEEP_TARIFFS) and is_office(session)
    listed = _rate_table(tariff, before)
    return show_page(
        "fee-tariff.html",
        listed,
        listed=listed,
        tariff=tariff,
        terms=tariff.terms,
        before=before,
        in_force=in_force(tariff.terms, now.date()),
        keeps=keeps,
        today=now.date(),
    )


@blueprint.route("/fees/tariffs/<uuid:tariff_id>/next", methods=["GET", "POST"])
@may(Verb.KEEP_TARIFFS)
def follow(tariff_id: UUID) -> ResponseReturnValue:
    """Take the tariff that comes after another, in that one's shape."""
    with transaction() as session:
        former = get_tariff(session, tariff_id)
    return _form(former)


@blueprint.route("/fees/tariffs/<uuid:tariff_id>/end", methods=["GET", "POST"])
@may(Verb.KEEP_TARIFFS)
def end(tariff_id: UUID) -> ResponseReturnValue:
    """Set a tariff’s last day."""
    form = LastDayForm()
    with transaction() as session:
        require_office(session)
        tariff = get_tariff(session, tariff_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                end_tariff(session, tariff_id, ends_on=form.ends_on.data, now=utc_now())
            return redirect(url_for("fee_tariffs.show", tariff_id=tariff_id), 303)
        except TariffInvalid as refusal:
            place_refusal(form, refusal, otherwise="ends_on")
    return short_form(
        form,
        title="When does this tariff end?",
        back=(url_for("fee_tariffs.show", tariff_id=tariff_id), tariff.terms.name),
        lead="Placements that begin after that day need another tariff. Agreements made by this one stay as they are.",
        hints={"ends_on": "For example, 31 3 2027"},
    )


@blueprint.post("/fees/tariffs/<uuid:tariff_id>/remove")
@may(Verb.KEEP_TARIFFS)
def remove(tariff_id: UUID) -> ResponseReturnValue:
    """Take a tariff out that was entered by mistake."""
    with transaction() as session:
        remove_tariff(session, tariff_id, now=utc_now())
    return redirect(url_for("fee_tariffs.index"), 303)


@blueprint.route("/fees/rules", methods=["GET", "POST"])
@may(Verb.KEEP_TARIFFS)
def rules() -> ResponseReturnValue:
    """Set the rules of the consortium from a day on."""
    form, now = RulesForm(), utc_now()
    with transaction() as session:
        require_office(session)
        present = read_rules(session, published().rules, on=now.date())
    if form.validate_on_submit():
        try:
            with transaction() as session:
                set_rules(session, form.rules(), begins_on=form.begins_on.data, now=now)
            return redirect(url_for("fee_tariffs.index", _anchor="rules"), 303)
        except (RuleInvalid, RuleTaken) as refusal:
            place_refusal(form, refusal, otherwise="begins_on")
    elif not form.is_submitted():
        form.show(present, begins_on=now.date())
    return short_form(
        form,
        title="Set the rules of fees",
        back=(url_for("fee_tariffs.index"), "Tariffs"),
        lead="They hold for placements that begin from that day on. Agreements that are frozen stay as they are.",
        hints={"begins_on": "For example, 1 4 2027"},
    )


@blueprint.route("/fees/rules/<uuid:swap_group_id>", methods=["GET", "POST"])
@may(Verb.KEEP_TARIFFS)
def swaps(swap_group_id: UUID) -> ResponseReturnValue:
    """Set what one swap group’s placements carry from a day on."""
    form, now = WaiverForm(), utc_now()
    with transaction() as session:
        require_office(session)
        group = get_swap_group(session, swap_group_id)
        present = read_rules(session, published().rules, on=now.date())
    if form.validate_on_submit():
        try:
            with transaction() as session:
                found = get_swap_group(session, swap_group_id)
                set_swap_waiver(session, found, form.waiver(), begins_on=form.begins_on.data, now=now)
            return redirect(url_for("fee_tariffs.index", _anchor="rules"), 303)
        except (RuleInvalid, RuleTaken) as refusal:
            place_refusal(form, refusal, otherwise="begins_on")
    elif not form.is_submitted():
        form.show(present, begins_on=now.date())
    return short_form(
        form,
        title=f"What swaps of “{group.name}” carry",
        back=(url_for("fee_tariffs.index"), "Tariffs"),
        lead="Which placements are swaps, the swap group’s own rule says.",
        hints={"begins_on": "For example, 1 4 2027"},
    )


def _form(former: PublishedTariff | None) -> ResponseReturnValue:
    form = TariffForm()
    with transaction() as session:
        require_office(session)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                more = {
                    each: pence for each, pence in (former.terms.rates if former else {}).items() if each > SCALE[-1]
                }
                follows_id = former.id if former else None
                made = add_tariff(session, form.terms(more=more), follows_id=follows_id, now=utc_now())
            return redirect(url_for("fee_tariffs.show", tariff_id=made.id), 303)
        except (TariffInvalid, TariffsOverlap) as refusal:
            place_refusal(form, refusal, otherwise="begins_on")
    elif former and not form.is_submitted():
        form.show(following(former.terms, begins_on=_year_on(former)))
    return short_form(
        form,
        title="Add the tariff that follows" if former else "Add a tariff",
        back=(url_for("fee_tariffs.show", tariff_id=former.id), former.terms.name)
        if former
        else (url_for("fee_tariffs.index"), "Tariffs"),
        lead="These are the last one’s figures: change what is published anew, and empty what isn’t."
        if former
        else "Enter published figures only. Where there is none, Concord says so and makes none up.",
        hints=TariffForm.HINTS,
    )


def _tariff_table(tariffs: list[PublishedTariff], *, today: date) -> Table:
    """Return the tariffs with their rates."""
    scale = _scale(tariffs)
    columns = (
        Column("Tariff"),
        Column("Who is paid", below=True),
        Column("From", Holds.DAY),
        Column("To", Holds.DAY, below=True, named=True),
        Column("In force", below=True),
        *money(*(_children(each) for each in scale)),
    )
    rows = []
    for each in tariffs:
        terms, state = each.terms, Cell(None)
        if in_force(terms, today):
            state = Cell("In force", tag="govuk-tag--green")
        elif terms.begins_on > today:
            state = Cell("To come", tag="govuk-tag--blue")
        link = Cell(terms.name, url_for("fee_tariffs.show", tariff_id=each.id))
        payee = terms.payee_kind.label + (", in London" if terms.london else "")
        rates = (terms.rates.get(number, "No figure") for number in scale)
        rows.append(row(link, payee, terms.begins_on, terms.ends_on, state, *rates))
    return Table("tariffs", "Tariffs, the latest of each kind of payee first", columns, rows)


def _rate_table(tariff: PublishedTariff, before: PublishedTariff | None) -> Table:
    """Return the rates of a tariff, beside those of the one before it."""
    own, former = tariff.terms.rates, before.terms.rates if before else {}
    names = ("Before", "This tariff", "More or less") if before else ("Rate",)
    rows = []
    for number in _scale([tariff, *([before] if before else [])]):
        figures = [own.get(number, "No figure")]
        if before:
            more = own[number] - former[number] if number in own and number in former else "Can’t be said"
            figures = [former.get(number, "No figure"), *figures, more]
        rows.append(row(_children(number), *figures))
    caption = "Rates of this tariff and the one before" if before else "Rates of this tariff"
    return Table("rates", caption, (Column("Placed together"), *money(*names)), rows)


def _children(number: int) -> str:
    return sentence(count_words(number, "child", "children"))


def _year_on(former: PublishedTariff) -> date:
    """Return the day after a tariff's last, or its first day a year on."""
    terms = former.terms
    if terms.ends_on is not None:
        return date.fromordinal(terms.ends_on.toordinal() + 1)
    day = terms.begins_on
    return day.replace(year=day.year + 1, day=min(day.day, 28))


def _before(tariff: PublishedTariff, tariffs: list[PublishedTariff]) -> PublishedTariff | None:
    """Return the tariff of the same payees that went before."""
    own = tariff.terms
    same = (own.payee_kind, own.nation, own.london)
    earlier = [
        each
        for each in tariffs
        if (each.terms.payee_kind, each.terms.nation, each.terms.london) == same
        and each.terms.begins_on < own.begins_on
    ]
    return max(earlier, key=lambda each: each.terms.begins_on, default=None)


def _scale(tariffs: list[PublishedTariff]) -> list[int]:
    return sorted({children for each in tariffs for children in each.terms.rates})
