"""“Your sign-ins”: where a person is signed in, and how they end it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import signed_in
from concord.web.request import find_person, transaction
from tenants.base import utc_now
from tenants.open_session import end_other_sessions, end_session, list_open_sessions
from tenants.sign_in import IDLE_MINUTES, LONGEST_HOURS

blueprint = Blueprint("my_sessions", __name__, url_prefix="/sign-ins")


@blueprint.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show a person's open sessions, this one first."""
    with transaction() as session:
        found = list_open_sessions(session, g.scope.person_id, now=utc_now())
    here = _here()
    return render_template(
        "my-sessions.html",
        sessions=sorted(found, key=lambda each: each.id != here),
        here=here,
        idle_minutes=IDLE_MINUTES,
        longest_hours=LONGEST_HOURS,
    )


@blueprint.post("/<uuid:session_id>/end")
@signed_in
def end(session_id: UUID) -> ResponseReturnValue:
    """End one session; the one in use ends like any other."""
    with transaction() as session:
        end_session(session, session_id, person_id=g.scope.person_id, now=utc_now())
    flash("That sign-in is ended.")
    return redirect(url_for("my_sessions.index"), 303)


@blueprint.post("/end-others")
@signed_in
def end_others() -> ResponseReturnValue:
    """End every session but this one."""
    with transaction() as session:
        ended = end_other_sessions(session, person_id=g.scope.person_id, keep=_here(), now=utc_now())
    flash(f"{ended} other {'sign-in is' if ended == 1 else 'sign-ins are'} ended.")
    return redirect(url_for("my_sessions.index"), 303)


def _here() -> UUID:
    person = find_person()
    assert person is not None  # noqa: S101 - the view is behind @signed_in
    return person.id
