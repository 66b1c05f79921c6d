"""Coming in and going out: the start page, the way to the provider and back, signing out."""

from __future__ import annotations

import structlog
from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from concord.web.access import public
from concord.web.openid import SignInFailed, Vouched, read_answer, send_to_provider, sign_out_address
from concord.web.request import cookie_name, current_settings, find_person, nobody, sign_in_token
from tenants import sign_in as sessions
from tenants.base import utc_now

blueprint = Blueprint("sign_in", __name__)

_log = structlog.get_logger("concord.web")


class NotInvited(SignInFailed):
    """The provider vouches for someone whom no agency has invited."""

    title = "Your account is not known to Concord"
    status = 403


@blueprint.get("/")
@public
def start() -> ResponseReturnValue:
    """Show what this is and how to come in; who is in already goes on to their work."""
    if find_person():
        return redirect(url_for("home.page"), 303)
    return render_template("start.html", notice=session.pop("sign_in_notice", None))


@blueprint.get("/sign-in")
@public
def begin() -> ResponseReturnValue:
    """Send the person to their provider."""
    try:
        return send_to_provider(_site_url("sign_in.answer"))
    except SignInFailed as failure:
        return _show(failure)


@blueprint.get("/sign-in/answer")
@public
def answer() -> ResponseReturnValue:
    """Let in whom the provider vouches for and an agency has invited."""
    try:
        vouched = read_answer()
    except SignInFailed as failure:
        return _show(failure)
    try:
        with nobody() as database:
            _end_session(database)
            token = sessions.sign_in(database, issuer=vouched.issuer, subject=vouched.subject, now=utc_now()).token
            person = sessions.find_session(database, token=token, now=utc_now())
    except sessions.UnknownPerson:
        session.clear()
        return _show(NotInvited("Ask your agency’s administrator to invite you. Then sign in again."))
    response = redirect(local_page(session.get("next")) or url_for("home.page"), 303)
    _begin_session(vouched, one_agency=bool(person and person.consortium_id))
    _give_token(response, token)
    return response


@blueprint.post("/sign-out")
@public
def leave() -> ResponseReturnValue:
    """End the session here, then at the provider."""
    with nobody() as database:
        _end_session(database)
    address = sign_out_address(_site_url("sign_in.left"), id_token=session.get("id_token"))
    session.clear()
    response = redirect(address or url_for("sign_in.left"), 303)
    response.delete_cookie(cookie_name(), secure=current_settings().https, httponly=True, samesite="Lax")
    return response


@blueprint.get("/signed-out")
@public
def left() -> ResponseReturnValue:
    """Say that the person is out."""
    return render_template("signed-out.html")


def _begin_session(vouched: Vouched, *, one_agency: bool) -> None:
    """Start the form cookie afresh, so that nothing from before signing in is carried over."""
    session.clear()
    # Who works for one agency only is never asked whose work they do.
    session["one_agency"] = one_agency
    if vouched.id_token:
        session["id_token"] = vouched.id_token


def _end_session(database: Session) -> None:
    token = sign_in_token()
    if token:
        sessions.sign_out(database, token=token, now=utc_now())


def _give_token(response: Response, token: str) -> None:
    response.set_cookie(cookie_name(), token, secure=current_settings().https, httponly=True, samesite="Lax")


def _show(failure: SignInFailed) -> ResponseReturnValue:
    _log.info("sign-in failed", kind=type(failure).__name__)
    return render_template("sign-in-failed.html", heading=failure.title, body=str(failure)), failure.status


def _site_url(endpoint: str) -> str:
    # From the settings, never from the request's Host header, which anyone may write.
    return current_settings().site_url + url_for(endpoint)


def local_page(address: str | None) -> str | None:
    """Return the address when it is a page of this site, as a browser would read it."""
    # Browsers drop tabs and line ends, and take a backslash for a slash.
    if not address or not address.isprintable() or not address.startswith("/") or address.startswith(("//", "/\\")):
        return None
    return address
