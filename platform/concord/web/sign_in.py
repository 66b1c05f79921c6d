"""Coming in and going out: the start page, the way to the provider and back, signing out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextInput
from sqlalchemy.orm import Session
from wtforms import StringField, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import public
from concord.web.form import error_summary, one_line
from concord.web.openid import (
    Answer,
    LogoutRefused,
    ProviderAway,
    SignInFailed,
    client_of,
    read_answer,
    read_logout,
    send_to_provider,
    sign_out_address,
)
from concord.web.request import cookie_name, current_settings, find_person, give_token, nobody, sign_in_token
from tenants import sign_in as sessions
from tenants.base import utc_now
from tenants.identity_provider import ProviderState
from tenants.sign_in_way import Connection, find_connections, list_ways, take_trial

blueprint = Blueprint("sign_in", __name__)

_log = structlog.get_logger("concord.web")


class NotInvited(SignInFailed):
    """The provider vouches for someone whom no agency has invited."""

    title = "Your account is not known to Concord"
    status = 403


class WrongDomain(SignInFailed):
    """The address is none of the agency's."""

    title = "That e-mail address is not your agency’s"
    status = 403


class EmailForm(FlaskForm):  # type: ignore[misc]
    """The address by whose domain a sign-in service is found."""

    email = StringField(
        "Your work e-mail address",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[InputRequired("Enter your work e-mail address")],
    )
    submit = SubmitField("Continue", widget=GovSubmitInput())


@blueprint.get("/")
@public
def start() -> ResponseReturnValue:
    """Show what this is and how to come in; who is in already goes on to their work."""
    if find_person():
        return redirect(url_for("home.page"), 303)
    return render_template("start.html", notice=session.pop("sign_in_notice", None))


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def begin() -> ResponseReturnValue:
    """Send the person to their provider; where there are several, find it by address or agency."""
    with nobody() as database:
        ways = list_ways(database)
    default = current_settings().issuer is not None
    if len(ways) + default < 2:
        return _leave_for(ways[0].id if ways else None)
    form = EmailForm()
    found = None
    if form.validate_on_submit():
        domain = (form.email.data or "").rpartition("@")[2].lower()
        found = [way for way in ways if domain in way.domains]
    page = render_template(
        "sign-in.html", form=form, errors=error_summary(form), ways=ways, found=found, default=default
    )
    return page, 422 if form.errors else 200


@blueprint.get("/sign-in/with/<uuid:provider_id>")
@public
def begin_with(provider_id: UUID) -> ResponseReturnValue:
    """Send the person to one agency's provider."""
    return _leave_for(provider_id)


@blueprint.get("/sign-in/with/default")
@public
def begin_with_default() -> ResponseReturnValue:
    """Send the person to the deployment's own provider."""
    return _leave_for(None)


@blueprint.get("/sign-in/answer")
@public
def answer() -> ResponseReturnValue:
    """Let in whom the deployment's provider vouches for and an agency has invited."""
    return _take_answer(None)


@blueprint.get("/sign-in/answer/<mark>")
@public
def answer_of(mark: str) -> ResponseReturnValue:
    """Let in whom an agency's own provider vouches for and that agency has invited."""
    return _take_answer(mark)


@blueprint.post("/sign-out")
@public
def leave() -> ResponseReturnValue:
    """End the session here, then at the provider."""
    with nobody() as database:
        _end_session(database)
    address = _address_of_leaving()
    session.clear()
    response = redirect(address or url_for("sign_in.left"), 303)
    # What was shown goes with the session, as far as a browser keeps pages to step back to.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    response.delete_cookie(cookie_name(), secure=current_settings().https, httponly=True, samesite="Lax")
    return response


@blueprint.get("/signed-out")
@public
def left() -> ResponseReturnValue:
    """Say that the person is out."""
    return render_template("signed-out.html")


@blueprint.post("/back-channel-logout")
@public
def end_there() -> ResponseReturnValue:
    """End what the deployment's provider says is over."""
    return _end_as_told(None)


@blueprint.post("/back-channel-logout/<mark>")
@public
def end_there_of(mark: str) -> ResponseReturnValue:
    """End what an agency's own provider says is over."""
    return _end_as_told(mark)


def leave_for_trial(provider_id: UUID) -> ResponseReturnValue:
    """Send an administrator to a provider that is to be tried, and is not on yet."""
    return _leave_for(provider_id, trial=True)


def site_url(endpoint: str, **values: Any) -> str:  # noqa: ANN401 - what the address has in it
    """Return the full address of a page, as a provider is told it."""
    # From the settings, never from the request's Host header, which anyone may write.
    return current_settings().site_url + url_for(endpoint, **values)


def _leave_for(provider_id: UUID | None, *, trial: bool = False) -> ResponseReturnValue:
    # Whoever is signed in at the provider would come back with a session that they never asked for.
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        return redirect(url_for("sign_in.start"), 303)
    try:
        connection = _connection(provider_id, trial=trial)
        session["asked"] = {"provider": provider_id and str(provider_id), "trial": trial}
        callback = site_url("sign_in.answer_of", mark=connection.mark) if connection else site_url("sign_in.answer")
        return send_to_provider(client_of(connection), callback, afresh="afresh" in request.args)
    except SignInFailed as failure:
        return _show(failure)


def _connection(provider_id: UUID | None, *, trial: bool = False) -> Connection | None:
    if provider_id is None:
        return None
    with nobody() as database:
        found = find_connections(database, provider_id=provider_id)
    if not found or not (trial or found[0].state is ProviderState.ON):
        raise ProviderAway("That sign-in service is not in use. Go back and choose your agency’s.")
    return found[0]


def _take_answer(mark: str | None) -> ResponseReturnValue:
    asked = session.get("asked") or {}
    trial = bool(asked.get("trial"))
    try:
        connection = _connection(UUID(asked["provider"]) if mark and asked.get("provider") else None, trial=trial)
        if (connection.mark if connection else None) != mark:
            raise SignInFailed("This sign-in was begun in another window or too long ago. Start again.")
        said = read_answer(client_of(connection), now=utc_now())
        if connection and trial:
            return _finish_trial(connection, said)
        return _let_in(connection, said)
    except SignInFailed as failure:
        return _show(failure, asked=asked)


def _finish_trial(connection: Connection, said: Answer) -> ResponseReturnValue:
    person = find_person()
    if person is None or person.agency_id != connection.agency_id:
        raise SignInFailed("You were signed out while you tried the sign-in service. Sign in, then try it again.")
    with nobody() as database:
        take_trial(database, provider_id=connection.id, person_id=person.person_id, subject=said.subject, now=utc_now())
    vouched = said.vouched
    session["trial"] = {
        "provider": str(connection.id),
        "email": vouched.email,
        "sid": vouched.sid is not None,
        "second_step": vouched.second_step,
        "values": [value[:80] for value in (vouched.claims or ())[:20]],
    }
    return redirect(url_for("providers.show", provider_id=connection.id), 303)


def _let_in(connection: Connection | None, said: Answer) -> ResponseReturnValue:
    try:
        with nobody() as database:
            _end_session(database)
            token = sessions.sign_in(
                database, issuer=said.issuer, subject=said.subject, vouched=said.vouched, now=utc_now()
            ).token
    except sessions.UnknownPerson as error:
        session.clear()
        raise _unknown(connection, said) from error
    response = redirect(local_page(session.get("next")) or url_for("home.page"), 303)
    _begin_session(connection, said)
    give_token(response, token)
    return response


def _unknown(connection: Connection | None, said: Answer) -> SignInFailed:
    """Say why nobody was let in, as exactly as the person may know it."""
    email = said.vouched.email
    if connection and email is None:
        return NotInvited(
            "Your agency’s sign-in service did not confirm an e-mail address of yours, and an invitation is taken up "
            "by its address. Tell your agency’s help desk, and ask your administrator whether you are invited."
        )
    if connection and email and email.rpartition("@")[2] not in connection.domains:
        return WrongDomain(
            f"You came as {email}. Invitations of {connection.agency_name} go to its own addresses alone. Sign in with "
            "your work account there."
        )
    return NotInvited("Ask your agency’s administrator to invite you. Then sign in again.")


def _end_as_told(mark: str | None) -> ResponseReturnValue:
    token, now = request.form.get("logout_token", ""), utc_now()
    with nobody() as database:
        connections = find_connections(database, mark=mark) if mark else [None]
    for connection in connections:
        try:
            word = read_logout(client_of(connection), token, now=now)
        except (LogoutRefused, ProviderAway) as refusal:
            _log.info("logout token refused", reason=str(refusal), address=request.remote_addr)
            continue
        with nobody() as database:
            ended = sessions.end_sessions_there(
                database, mark=mark, issuer=word.issuer, subject=word.subject, sid=word.sid, token=word.jti, now=now
            )
        if ended is not None:
            _log.info("sessions ended by their provider", sessions=ended)
            return "", 200
        break
    return jsonify(error="invalid_request"), 400


def _address_of_leaving() -> str | None:
    try:
        provider_id = session.get("provider")
        client = client_of(_connection(UUID(provider_id)) if provider_id else None)
    except SignInFailed:
        return None
    return sign_out_address(client, site_url("sign_in.left"), id_token=session.get("id_token"))


def _begin_session(connection: Connection | None, said: Answer) -> None:
    """Start the form cookie afresh, so that nothing from before signing in is carried over."""
    session.clear()
    session["ends_at"] = said.ends_at
    if connection:
        session["provider"] = str(connection.id)
    if said.id_token:
        session["id_token"] = said.id_token


def _end_session(database: Session) -> None:
    token = sign_in_token()
    if token:
        sessions.sign_out(database, token=token, now=utc_now())


def _show(failure: SignInFailed, *, asked: Mapping[str, Any] = MappingProxyType({})) -> ResponseReturnValue:
    provider_id = asked.get("provider")
    _log.info("sign-in failed", kind=type(failure).__name__, provider=provider_id, address=request.remote_addr)
    again = url_for("sign_in.begin")
    if provider_id and failure.afresh:
        again = url_for("sign_in.begin_with", provider_id=provider_id, afresh="yes")
    facts = {"heading": failure.title, "body": str(failure), "again": again}
    page = render_template("sign-in-failed.html", **facts, trial=provider_id if asked.get("trial") else None)
    return page, failure.status


def local_page(address: str | None) -> str | None:
    """Return the address when it is a page of this site, as a browser would read it."""
    # Browsers drop tabs and line ends, and take a backslash for a slash.
    if not address or not address.isprintable() or not address.startswith("/") or address.startswith(("//", "/\\")):
        return None
    return address
