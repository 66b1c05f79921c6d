"""``concord fees tariff`` and ``cost``: keep tariffs, and say what a placement costs once its family is chosen."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from concord.cli.workplace import agency_session
from concord.settings import Settings
from matching.fee.cost import Cost, cost_of
from matching.fee.money import say_pounds
from matching.fee.plan_text import PlanUnreadable, read_plan_text, write_plan_text
from matching.fee.published import adopt_published
from matching.fee.remittance.written_amount import pence_of
from matching.fee.tariff import PayeeKind, PublishedTariff, TariffTerms, add_tariff, in_force, list_tariffs
from tenants.agency import Nation
from tenants.base import utc_now

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("tariff")
def tariff() -> None:
    """Keep what is published of what placements between agencies cost."""


@tariff.command("list")
@click.option("--agency", required=True, help="The agency for which to ask, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--on", "on", type=_DAY, help="Only those in force on this day.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def list_command(settings: Settings, agency: str, consortium: str | None, on: datetime | None, as_json: bool) -> None:
    """List the consortium's tariffs, with their sources."""
    now = utc_now()
    with agency_session(settings, agency, consortium, command="fees") as session:
        found = list_tariffs(session, on=on.date() if on else None)
    if as_json:
        click.echo(json.dumps({"tariffs": [_data(each) for each in found]}, indent=2, ensure_ascii=False))
        return
    for each in found:
        terms = each.terms
        until = f" to {terms.ends_on}" if terms.ends_on else ""
        mark = " (in force)" if in_force(terms, now.date()) else ""
        click.echo(f"{terms.name}: from {terms.begins_on}{until}{mark}")
        for children, pence in sorted(terms.rates.items()):
            click.echo(f"  {children} {'child' if children == 1 else 'children'}  {say_pounds(pence)}")
        if not terms.rates:
            click.echo("  no figure is published")
        click.echo(f"  {terms.source}")


@tariff.command("add")
@click.option("--agency", required=True, help="The consortium's office, by its short name.")
@click.option("--consortium", help="Which consortium, where the office belongs to several.")
@click.option("--published", is_flag=True, help="Take in all that is published; the other options are left out.")
@click.option("--name", help="What it is called.")
@click.option("--payee", "payee", type=click.Choice([each.value for each in PayeeKind]), help="Who is paid by it.")
@click.option("--nation", type=click.Choice([each.value for each in Nation]), help="Whose payees.  [default: all]")
@click.option("--london", is_flag=True, help="For payees in London alone.")
@click.option("--london-percent", type=click.IntRange(1, 100), help="What payees in London get on top, in per cent.")
@click.option("--from", "begins_on", type=_DAY, help="The first day.")
@click.option("--until", "ends_on", type=_DAY, help="The last day.  [default: none]")
@click.option("--rate", "rates", multiple=True, metavar="CHILDREN=POUNDS", help="A figure, such as 1=27000.")
@click.option("--plan", default="1/1 placement", show_default=True, help="Its parts, with commas between them.")
@click.option("--continuing", metavar="POUNDS", help="What is paid each month without an order.")
@click.option("--continuing-after", type=click.IntRange(1, 120), help="After how many months.")
@click.option("--source", help="Where it is published.")
@click.pass_obj
def add_command(
    settings: Settings,
    /,
    agency: str,
    consortium: str | None,
    *,
    published: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Add a tariff with its source, or all that is published; two that hold on one day are refused."""
    terms = None if published else _terms(**given)
    with agency_session(settings, agency, consortium, command="fees") as session:
        now = utc_now()
        added = adopt_published(session, now=now) if terms is None else [add_tariff(session, terms, now=now)]
    for each in added:
        click.echo(f"Added “{each.terms.name}”, from {each.terms.begins_on}.")


@click.command("cost")
@click.option("--link", "link_id", type=click.UUID, required=True, help="The link, by its id.")
@click.option("--agency", required=True, help="The children's agency, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--on", "on", type=_DAY, help="If it began on this day.  [default: the day planned, or today]")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def cost(
    settings: Settings, link_id: UUID, agency: str, consortium: str | None, on: datetime | None, as_json: bool
) -> None:
    """Say what a placement would cost, and which rule says so; only once its family is chosen."""
    with agency_session(settings, agency, consortium, command="fees") as session:
        found = cost_of(session, link_id, now=utc_now(), on=on.date() if on else None)
    if as_json:
        click.echo(json.dumps(_cost(found), indent=2, ensure_ascii=False))
        return
    if found.waiver.holds:
        click.echo("Nothing: it would be a swap.")
    else:
        click.echo("Not priced." if found.price.pence is None else say_pounds(found.price.pence))
        for part in found.price.plan:
            click.echo(f"  {say_pounds(part.pence)} {part.words}")
    for words in (found.price.words, found.price.refusal, found.waiver.words):
        if words:
            click.echo(words)


def _terms(
    *,
    name: str | None,
    payee: str | None,
    nation: str | None,
    london: bool,
    london_percent: int | None,
    begins_on: datetime | None,
    ends_on: datetime | None,
    rates: tuple[str, ...],
    plan: str,
    continuing: str | None,
    continuing_after: int | None,
    source: str | None,
) -> TariffTerms:
    if name is None or payee is None or begins_on is None or source is None:
        raise click.UsageError("Give --name, --payee, --from and --source; or --published alone.")
    try:
        shares = read_plan_text(plan.replace(",", "\n"))
    except PlanUnreadable as refusal:
        raise click.BadParameter(str(refusal), param_hint="--plan") from None
    return TariffTerms(
        name=name,
        payee_kind=PayeeKind(payee),
        nation=Nation(nation) if nation else None,
        london=london,
        london_percent=london_percent,
        begins_on=begins_on.date(),
        ends_on=ends_on.date() if ends_on else None,
        rates=dict(_rate(each) for each in rates),
        shares=shares,
        continuing_pence=_pence(continuing, "--continuing") if continuing else None,
        continuing_after_months=continuing_after,
        source=source,
    )


def _rate(text: str) -> tuple[int, int]:
    children, _, pounds = text.partition("=")
    if not (children.isascii() and children.isdigit()) or len(children) > 2:
        raise click.BadParameter("write the number of children, =, and pounds: 1=27000", param_hint="--rate")
    return int(children), _pence(pounds, "--rate")


def _pence(text: str, option: str) -> int:
    pence = pence_of(text)
    if pence is None:
        raise click.BadParameter(f"“{text}” is no amount in pounds", param_hint=option)
    return pence


def _data(each: PublishedTariff) -> dict[str, Any]:
    terms = each.terms
    return {
        "id": str(each.id),
        "name": terms.name,
        "payee": terms.payee_kind.value,
        "nation": terms.nation.value if terms.nation else None,
        "london": terms.london,
        "london_percent": terms.london_percent,
        "from": terms.begins_on.isoformat(),
        "until": terms.ends_on.isoformat() if terms.ends_on else None,
        "rates": {str(children): pence for children, pence in sorted(terms.rates.items())},
        "plan": write_plan_text(terms.shares).splitlines(),
        "continuing": terms.continuing_pence,
        "continuing_after_months": terms.continuing_after_months,
        "source": terms.source,
    }


def _cost(found: Cost) -> dict[str, Any]:
    return {
        "on": found.on.isoformat(),
        "children": found.family.children,
        "payee": found.family.family_agency,
        "pence": found.price.pence,
        "waived": found.waiver.holds,
        "parts": [each.as_data() for each in found.price.plan],
        "continuing": found.price.continuing_pence,
        "continuing_after_months": found.price.continuing_after_months,
        "words": found.price.words,
        "refusal": found.price.refusal,
        "swap": found.waiver.words or None,
    }
