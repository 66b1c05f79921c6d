"""How errors become pages: one table from the domain's errors to statuses, one page for them all."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from psycopg import OperationalError as DriverError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from concord.api.problem import asks_api, problem, problem_of_http, problem_of_refusal
from concord.web.trace import request_id
from matching.pack import PackExpired
from matching.probing import AskedTooOften
from tenants.cipher import CannotOpen
from tenants.database import ScopeRefused
from tenants.error import Conflict, DomainError, Forbidden, Invalid, NotFound

STATUS: dict[type[DomainError], int] = {
    NotFound: 404,
    Forbidden: 403,
    Conflict: 409,
    Invalid: 422,
    PackExpired: 410,
    ScopeRefused: 503,
    AskedTooOften: 429,
    CannotOpen: 500,
}

_log = structlog.get_logger("concord.web")


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says of a status when nothing closer is known."""

    title: str
    body: str


WORDS: dict[int, Words] = {
    400: Words("We could not read that request", "Go back, check what you entered and try again."),
    403: Words("You do not have access to this page", "If you need it for your work, ask your agency’s administrator."),
    404: Words(
        "Page not found",
        "If you typed the web address, check it is correct. If you followed a link, the record may have been "
        "withdrawn, or belong to another agency.",
    ),
    405: Words("Page not found", "This address takes forms only. Go back and use the button on the page."),
    409: Words("That has changed in the meantime", "Go back, load the page again and repeat what you did."),
    410: Words("This is no longer kept", "Its days are over, and it has been destroyed."),
    413: Words("That file is too large", "Nothing was saved. Split the file into smaller ones and try again."),
    421: Words("Wrong address", "Use the address by which your agency knows this service."),
    422: Words("There is a problem", "Go back, check what you entered and try again."),
    429: Words("That was too much at once", "Nothing was lost: try again in a minute."),
    500: Words(
        "Sorry, there is a problem with the service",
        "Nothing you entered was saved. Try again later. If it keeps happening, tell your administrator the reference.",
    ),
    503: Words(
        "Sorry, the service is not available",
        "Nothing you entered was saved. Try again in a few minutes.",
    ),
}
_DATABASE_AWAY = "Concord’s database does not answer. Nothing you entered was saved. Try again in a few minutes."
_FORM_TOO_OLD = (
    "You may have signed in or out, or changed the agency whose work you do, in another window since you opened it, or "
    "your browser may refuse cookies. Nothing was saved. Go back, load the page again and repeat what you did."
)


def status_of(error: type[DomainError]) -> int | None:
    """Return the status of the nearest ancestor that the table knows."""
    return next((STATUS[ancestor] for ancestor in error.__mro__ if ancestor in STATUS), None)


def error_page(status: int, *, title: str | None = None, body: str | None = None) -> ResponseReturnValue:
    """Return the error page of a status, with the request's id to quote; programs are told a problem."""
    if asks_api():
        return problem(status, detail=body)
    words = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    page = render_template(
        "error.html", heading=title or words.title, body=body or words.body, status=status, reference=request_id()
    )
    return page, status


def install_errors(app: Flask) -> None:
    """Show each error as a page."""
    app.register_error_handler(DomainError, _show_refusal)
    app.register_error_handler(CSRFError, _show_stale_form)
    app.register_error_handler(HTTPException, _show_http)
    for away in (OperationalError, InterfaceError, PoolTimeout, DriverError):
        app.register_error_handler(away, _show_database_away)
    app.register_error_handler(Exception, _show_fault)


def _show_refusal(error: DomainError) -> ResponseReturnValue:
    if isinstance(error, Forbidden):
        _log_refused(type(error).__name__)
    status = status_of(type(error)) or 500
    return problem_of_refusal(error, status) if asks_api() else error_page(status, body=str(error))


def _log_refused(kind: str) -> None:
    caller = g.get("known_caller")
    scope = g.get("scope") or (caller.scope if caller else None)
    ids = {"agency": scope.agency_id, "person": scope.person_id, "client": scope.client_id} if scope else {}
    who = {name: str(id_) for name, id_ in ids.items() if id_}
    _log.warning("access refused", kind=kind, address=request.remote_addr, **who)


def _show_stale_form(error: CSRFError) -> ResponseReturnValue:
    _log.info("form refused", reason=error.description, address=request.remote_addr)
    return error_page(400, title="This form can no longer be sent", body=_FORM_TOO_OLD)


def _show_http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    if error.code in {401, 403}:
        _log_refused(type(error).__name__)
    return problem_of_http(error) if asks_api() else error_page(error.code)


def _show_database_away(error: Exception) -> ResponseReturnValue:
    _log.error("database away", error=type(error).__name__)
    return error_page(503, body=_DATABASE_AWAY)


def _show_fault(error: Exception) -> ResponseReturnValue:
    _log.error("fault", exc_info=error)
    return error_page(500)
