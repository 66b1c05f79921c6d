"""A person’s calendar for other programs, by an address that is a secret; and one day of a link to take along.

Entries say which kind of day it is and lead into Concord: no name, no code and no agency leaves with them (RFC 5545).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import icalendar
from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may, public
from concord.web.request import current_database, current_settings, nobody, transaction
from concord.web.trace import request_id
from matching.calendar_event import Event, get_event, list_events
from matching.calendar_feed import find_feed, make_feed, owner_of_feed, withdraw_feed
from matching.link import DayKind, get_link
from tenants import audit
from tenants.base import utc_now
from tenants.error import NotFound
from tenants.permission import Verb

blueprint = Blueprint("calendars", __name__)

_AGAIN = timedelta(hours=6)


class CalendarUnknown(NotFound):
    """No calendar is at this address, or none any more."""


@blueprint.get("/calendar/<secret>.ics")
@public
def feed(secret: str) -> ResponseReturnValue:
    """Hand out a person’s calendar to whoever has its address, in that person’s own scope."""
    with nobody() as session:
        scope = owner_of_feed(session, secret)
    if scope is None:
        raise CalendarUnknown("There is no calendar at this address. Make a new one under “Notices”.")
    with current_database().transaction(scope) as session:
        session.info.update(request_id=request_id(), origin=audit.Origin.PAGE)
        events = list_events(session)
        audit.record(session, audit.Act.READ, record_kind="calendar_feed", now=utc_now())
    return _calendar(events, "concord.ics", attached=False)


@blueprint.get("/links/<uuid:link_id>/<any(visit, linking_meeting, panel, introductions):kind>.ics")
@may(Verb.READ_LINKS)
def day(link_id: UUID, kind: str) -> ResponseReturnValue:
    """Hand out one day of a link for a calendar."""
    with transaction() as session:
        event = get_event(session, get_link(session, link_id), DayKind(kind))
    return _calendar([event], f"concord-{kind}.ics", attached=True)


@blueprint.get("/notices/calendar")
@may(Verb.READ_LINKS)
def settings() -> ResponseReturnValue:
    """Show whether the person’s calendar has an address."""
    with transaction() as session:
        found = find_feed(session)
    return render_template("calendar.html", feed=found, address=None)


@blueprint.post("/notices/calendar")
@may(Verb.READ_LINKS)
def make() -> ResponseReturnValue:
    """Make a new address for the person’s calendar, and show it this once."""
    with transaction() as session:
        secret = make_feed(session, now=utc_now())
        found = find_feed(session)
    address = current_settings().site_url + url_for("calendars.feed", secret=secret)
    response = Response(render_template("calendar.html", feed=found, address=address))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/notices/calendar/withdraw")
@may(Verb.READ_LINKS)
def withdraw() -> ResponseReturnValue:
    """Let the person’s calendar be read by its address no more."""
    with transaction() as session:
        withdraw_feed(session, now=utc_now())
    return redirect(url_for("calendars.settings"), 303)


def _calendar(events: Iterable[Event], name: str, *, attached: bool) -> Response:
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Concord//Links//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Concord")
    calendar.add("refresh-interval", _AGAIN, parameters={"VALUE": "DURATION"})
    for each in events:
        calendar.add_component(_entry(each))
    response = Response(calendar.to_ical(), mimetype="text/calendar")
    response.headers["Content-Disposition"] = f"{'attachment' if attached else 'inline'}; filename={name}"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _entry(event: Event) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("uid", f"{event.uid}@{current_settings().host}")
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", event.changed_at.astimezone(UTC))
    entry.add("dtstart", _moment(event.starts))
    entry.add("dtend", _moment(event.ends))
    entry.add("summary", f"{event.what} – open in Concord")
    entry.add("url", current_settings().site_url + url_for("links.show", link_id=event.link_id))
    return entry


def _moment(when: date | datetime) -> date | datetime:
    """Return a day as it is, and a moment in UTC, so that no table of time zones has to go along."""
    return when.astimezone(UTC) if isinstance(when, datetime) else when
