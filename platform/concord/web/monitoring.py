"""The pages of monitoring: how long stages take, what became of links, and what changed in a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

from flask import Blueprint, Response, render_template, request, send_file
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.chart import draw
from concord.web.export import MEDIA
from concord.web.request import transaction
from matching.monitoring.figure import Figure
from matching.monitoring.month import Change, Month, month_named, read_month
from matching.monitoring.report import Report, read_report
from tenants.base import utc_now
from tenants.permission import Verb
from workers.document.sheet import SheetFormat, write_book, write_sheet

blueprint = Blueprint("monitoring", __name__, url_prefix="/monitoring")


@blueprint.get("")
@may(Verb.READ_MONITORING)
def index() -> ResponseReturnValue:
    """Show measures, stages, who waits longest, the funnel and why links end."""
    report = _read()
    return render_template(
        "monitoring.html",
        report=report,
        figures=[(each, draw(each)) for each in report.figures],
        last=report.ends - timedelta(days=1),
    )


@blueprint.get("/all.xlsx")
@may(Verb.READ_MONITORING)
def take_all() -> ResponseReturnValue:
    """Hand out every figure and trend as it is shown, a worksheet each."""
    report, file = _read(), BytesIO()
    shown = [(each.name, each) for each in report.figures]
    shown += [(f"{each.name} by quarter", each) for each in report.trends]
    write_book(file, ((title, each.headings, _rows(each)) for title, each in shown))
    return _handed_out(file, "monitoring", SheetFormat.XLSX)


@blueprint.get("/<name>.<any(xlsx, csv):file_format>")
@may(Verb.READ_MONITORING)
def take(name: str, file_format: str) -> ResponseReturnValue:
    """Hand out a figure as it is shown."""
    return _sheet(_read().figure(name), file_format)


@blueprint.get("/trends/<name>")
@may(Verb.READ_MONITORING)
def trend(name: str) -> ResponseReturnValue:
    """Show one stage or measure quarter by quarter."""
    figure = _read().figure(name, trend=True)
    return render_template("monitoring-trend.html", figure=figure, chart=draw(figure))


@blueprint.get("/trends/<name>.<any(xlsx, csv):file_format>")
@may(Verb.READ_MONITORING)
def take_trend(name: str, file_format: str) -> ResponseReturnValue:
    """Hand out a trend as it is shown."""
    return _sheet(_read().figure(name, trend=True), file_format)


@blueprint.get("/month")
@may(Verb.READ_MONITORING)
def month() -> ResponseReturnValue:
    """Show what changed for the agency in a month, and the list behind each number."""
    found = _month()
    counts = found.counts()
    return render_template(
        "monitoring-month.html",
        month=found,
        counts=counts,
        chart=draw(counts),
        jumps={each.label: f"#{each.value}" for each in Change if found.lines[each]},
        before=(found.begins - timedelta(days=1)).replace(day=1),
        today=utc_now().date(),
    )


@blueprint.get("/month.<any(xlsx, csv):file_format>")
@may(Verb.READ_MONITORING)
def take_month(file_format: str) -> ResponseReturnValue:
    """Hand out the lists of a month."""
    return _sheet(_month().listed(), file_format)


def _read() -> Report:
    with transaction() as session:
        return read_report(session, now=utc_now())


def _month() -> Month:
    now = utc_now()
    begins: date = month_named(request.args.get("of"), on=now.date())
    with transaction() as session:
        return read_month(session, begins, now=now)


def _sheet(figure: Figure, file_format: str) -> Response:
    wanted, file = SheetFormat(file_format), BytesIO()
    write_sheet(file, figure.headings, _rows(figure), file_format=wanted, title=figure.name)
    return _handed_out(file, figure.name, wanted)


def _rows(figure: Figure) -> Iterator[dict[str, str]]:
    return ({heading: str(cell) for heading, cell in row.items()} for row in figure.as_dicts())


def _handed_out(file: BytesIO, what: str, wanted: SheetFormat) -> Response:
    file.seek(0)
    name = f"concord-{what}-{utc_now().date().isoformat()}.{wanted}"
    response = send_file(file, mimetype=MEDIA[wanted], as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response
