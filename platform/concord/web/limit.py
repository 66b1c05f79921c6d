"""Too much in too short a time is refused, in words and with the time to try again.

Counts are kept in Valkey, for all web processes together. While Valkey is away each process counts for itself, and the
service goes on. What must hold in any case, how much of others' places may be asked, is counted in the database
(``matching.probing``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import structlog
from flask import Flask, Response, make_response, request
from flask.typing import ResponseReturnValue
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from limits import parse
from sqlalchemy.exc import SQLAlchemyError

from concord.api.problem import asks_api
from concord.api.token import known_caller
from concord.limits import Limits
from concord.web.error import error_page
from concord.web.request import current_database, find_person
from concord.web.settings import WebSettings
from concord.web.trace import request_id
from matching.code import read_code
from matching.probing import AskedTooOften
from tenants import audit
from tenants.base import utc_now
from tenants.scope import Scope

_log = structlog.get_logger("concord.web")


class Kind(StrEnum):
    """What is asked for, as far as it is limited."""

    LOOK = "look"
    HAND_IN = "hand_in"
    DOWNLOAD = "download"
    SIGN_IN = "sign_in"
    LOGOUT = "logout"
    CALENDAR = "calendar"
    API = "api"


LOOKS = frozenset({"availability.index", "groups.show", "groups.why", "households.show", "pool.show"})
"""The pages that rank, or say why a household is or is not on a list."""
LISTS = frozenset({"households.index", "households.find"})
"""The pages that compare places where a distance is asked for, and else limit nothing."""
OPERATIONS = {
    **dict.fromkeys(("rank_group", "read_why", "read_groups_for", "read_pool"), Kind.LOOK),
    "hand_in": Kind.HAND_IN,
    **dict.fromkeys(("download_pack", "read_refusals"), Kind.DOWNLOAD),
    **dict.fromkeys(("token", "revoke"), Kind.SIGN_IN),
}
"""What an operation of the API asks for, by its name, where it is more than reading and writing."""
_DOWNLOADS = ("/export/", "/packs/", "/imports/<uuid:run_id>/refusals")
_ASKED = {
    Kind.LOOK: "You, or your agency, have asked for more lists than work takes.",
    Kind.HAND_IN: "You have handed in more sheets than work takes.",
    Kind.DOWNLOAD: "You have taken more files than work takes.",
    Kind.SIGN_IN: "Somebody at your address has tried to sign in too often.",
    Kind.LOGOUT: "Your address has told of more sign-ins that ended than can be.",
    Kind.CALENDAR: "Your address has asked for more calendars than programs do.",
    Kind.API: "Your program, or your agency’s programs together, have asked for more than work takes.",
}


def install_limits(app: Flask, settings: WebSettings) -> None:
    """Hold the requests of ``app`` to the settings' limits, and show what was refused."""
    limiter = Limiter(
        _person,
        application_limits=[*_limits(settings.limits)],
        storage_uri=settings.valkey_url,
        storage_options={"socket_connect_timeout": 2, "socket_timeout": 2},
        in_memory_fallback_enabled=True,
        key_prefix="concord-limit",
        strategy="fixed-window",
    )
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, lambda refusal: _show_limit(limiter, refusal))
    app.register_error_handler(AskedTooOften, _show_too_often)
    app.after_request(lambda response: _tell_rate(limiter, response))


def kind_of_request() -> Kind | None:
    """Return what the present request asks for, or ``None`` where nothing limits it."""
    rule = request.url_rule.rule if request.url_rule else ""
    if asks_api():
        return _kind_of_operation()
    if request.endpoint in LOOKS or (request.endpoint in LISTS and request.args.get("near")):
        return Kind.LOOK
    if rule == "/sign-in" or rule.startswith("/sign-in/"):
        return Kind.SIGN_IN
    if rule.startswith("/back-channel-logout"):
        return Kind.LOGOUT
    if rule.startswith("/calendar/"):
        return Kind.CALENDAR
    if rule.startswith("/imports") and request.method == "POST":
        return Kind.HAND_IN
    return Kind.DOWNLOAD if rule.startswith(_DOWNLOADS) else None


def _kind_of_operation() -> Kind | None:
    area, _, name = (request.endpoint or "").partition(".")
    if name == "list_households" and request.args.get("near"):
        return Kind.LOOK
    return OPERATIONS.get(name, None if area == "api_docs" else Kind.API)


def _limits(limits: Limits) -> list[ApplicationLimit]:
    return [
        _limit(limits.looks, Kind.LOOK, _person, "person"),
        _limit(limits.agency_looks, Kind.LOOK, _agency, "agency"),
        _limit(limits.household_looks, Kind.LOOK, _household, "household", only=_names_household),
        _limit(limits.hand_ins, Kind.HAND_IN, _person, "person"),
        _limit(limits.downloads, Kind.DOWNLOAD, _person, "person"),
        _limit(limits.sign_ins, Kind.SIGN_IN, _address, "address"),
        _limit(limits.logouts, Kind.LOGOUT, _address, "address"),
        _limit(limits.calendars, Kind.CALENDAR, _address, "address"),
        _limit(limits.api, Kind.API, _person, "person"),
        _limit(limits.agency_api, Kind.API, _agency, "agency"),
    ]


def _limit(
    words: str, kind: Kind, key: Callable[[], str], of: str, *, only: Callable[[], bool] = lambda: True
) -> ApplicationLimit:
    return ApplicationLimit(
        words, key_function=key, scope=f"{kind}:{of}", exempt_when=lambda: kind_of_request() is not kind or not only()
    )


def _person() -> str:
    scope = _scope()
    return f"person {scope[1]}" if scope else _address()


def _agency() -> str:
    scope = _scope()
    return f"agency {scope[0]}" if scope else _address()


def _household() -> str:
    """Name one agency's looks at one household, by its page or by the code that was typed."""
    asked = (request.view_args or {}).get("household_id") or read_code(request.args.get("household", "")[:60])
    return f"{_agency()} {asked}"


def _names_household() -> bool:
    return "household_id" in (request.view_args or {}) or bool(request.args.get("household"))


def _address() -> str:
    return f"address {request.remote_addr}"


def _scope() -> tuple[object, object] | None:
    """Return for which agency, and who, asks: a person at a page, a client at the API."""
    try:
        scope = _asking()
    except SQLAlchemyError:
        return None
    return (scope.agency_id, scope.client_id or scope.person_id) if scope else None


def _asking() -> Scope | None:
    asks = known_caller() if asks_api() else find_person()
    return asks.scope if asks else None


def _show_limit(limiter: Limiter, refusal: RateLimitExceeded) -> ResponseReturnValue:
    kind = kind_of_request()
    limit = limiter.current_limit
    # The moment is rounded up, and nobody waits for longer than the limit's own time.
    wait = min(max(1, math.ceil(limit.reset_at - time.time())), limit.limit.get_expiry()) if limit else 60
    _log.warning("limit reached", kind=kind, limit=str(refusal.limit.limit), address=request.remote_addr)
    if kind is Kind.LOOK:
        _put_on_record(limiter)
    return too_many(_ASKED[kind] if kind else "", wait)


def _show_too_often(refusal: AskedTooOften) -> ResponseReturnValue:
    _log.warning("limit reached", kind="places")
    return too_many(str(refusal), _seconds_until(refusal.retry_at), said=True)


def _tell_rate(limiter: Limiter, response: Response) -> Response:
    """Tell a program how much it may still ask, and when that begins anew (draft-ietf-httpapi-ratelimit-headers)."""
    if not asks_api():
        return response
    told = {
        f"{each.limit.get_expiry()}": (
            each.limit.amount,
            each.remaining,
            max(0, math.ceil(each.reset_at - time.time())),
        )
        for each in sorted(limiter.current_limits, key=lambda each: -each.remaining)
    }
    if told:
        response.headers["RateLimit-Policy"] = ", ".join(
            f'"{span}s";q={most};w={span}' for span, (most, *_) in told.items()
        )
        response.headers["RateLimit"] = ", ".join(
            f'"{span}s";r={left};t={wait}' for span, (_, left, wait) in told.items()
        )
    return response


def _seconds_until(moment: datetime) -> int:
    return max(1, math.ceil((moment - utc_now()).total_seconds()))


def too_many(words: str, wait: int, *, said: bool = False) -> ResponseReturnValue:
    """Return the page of too many requests, which says in words and in a header (RFC 9110) when to try again."""
    response = make_response(error_page(429, body=words if said else f"{words} {again_in(wait)}".strip()))
    response.headers["Retry-After"] = str(wait)
    return response


def again_in(seconds: int) -> str:
    """Return when to try again, rounded up to what people wait by."""
    if seconds <= 60:
        return "Nothing was lost: try again in a minute."
    minutes = math.ceil(seconds / 60)
    if minutes <= 90:
        return f"Nothing was lost: try again in {minutes} minutes."
    return f"Nothing was lost: try again in {math.ceil(minutes / 60)} hours, or ask your agency’s administrator."


def _put_on_record(limiter: Limiter) -> None:
    """Put a refused look on record, once a minute for each person: who goes on trying adds nothing."""
    scope = _asking()
    if scope is None or scope.agency_id is None:
        return
    if not limiter.limiter.hit(parse("1 per minute"), "refusal", _person()):
        return
    with current_database().transaction(scope) as session:
        session.info["request_id"] = request_id()
        audit.record(
            session,
            audit.Act.REFUSE,
            record_kind="ranking",
            reason="looked at more lists in a short time than the limits allow",
            now=utc_now(),
        )
