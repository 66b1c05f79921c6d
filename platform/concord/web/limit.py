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
from flask import Flask, make_response, request
from flask.typing import ResponseReturnValue
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from limits import parse
from sqlalchemy.exc import SQLAlchemyError

from concord.limits import Limits
from concord.web.error import error_page
from concord.web.request import current_database, find_person
from concord.web.settings import WebSettings
from concord.web.trace import request_id
from matching.code import read_code
from matching.probing import AskedTooOften
from tenants import audit
from tenants.base import utc_now

_log = structlog.get_logger("concord.web")


class Kind(StrEnum):
    """What is asked for, as far as it is limited."""

    LOOK = "look"
    HAND_IN = "hand_in"
    DOWNLOAD = "download"
    SIGN_IN = "sign_in"


LOOKS = frozenset({"availability.index", "groups.show", "groups.why", "households.show", "pool.show"})
"""The pages that rank, or say why a household is or is not on a list."""
LISTS = frozenset({"households.index", "households.find"})
"""The pages that compare places where a distance is asked for, and else limit nothing."""
_DOWNLOADS = ("/export/", "/packs/", "/imports/<uuid:run_id>/refusals")
_ASKED = {
    Kind.LOOK: "You, or your agency, have asked for more lists than work takes.",
    Kind.HAND_IN: "You have handed in more sheets than work takes.",
    Kind.DOWNLOAD: "You have taken more files than work takes.",
    Kind.SIGN_IN: "Somebody at your address has tried to sign in too often.",
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


def kind_of_request() -> Kind | None:
    """Return what the present request asks for, or ``None`` where nothing limits it."""
    rule = request.url_rule.rule if request.url_rule else ""
    if request.endpoint in LOOKS or (request.endpoint in LISTS and request.args.get("near")):
        return Kind.LOOK
    if rule.startswith("/sign-in"):
        return Kind.SIGN_IN
    if rule.startswith("/imports") and request.method == "POST":
        return Kind.HAND_IN
    return Kind.DOWNLOAD if rule.startswith(_DOWNLOADS) else None


def _limits(limits: Limits) -> list[ApplicationLimit]:
    return [
        _limit(limits.looks, Kind.LOOK, _person, "person"),
        _limit(limits.agency_looks, Kind.LOOK, _agency, "agency"),
        _limit(limits.household_looks, Kind.LOOK, _household, "household", only=_names_household),
        _limit(limits.hand_ins, Kind.HAND_IN, _person, "person"),
        _limit(limits.downloads, Kind.DOWNLOAD, _person, "person"),
        _limit(limits.sign_ins, Kind.SIGN_IN, _address, "address"),
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
    try:
        person = find_person()
    except SQLAlchemyError:
        return None
    return (person.scope.agency_id, person.scope.person_id) if person else None


def _show_limit(limiter: Limiter, refusal: RateLimitExceeded) -> ResponseReturnValue:
    kind = kind_of_request()
    limit = limiter.current_limit
    # The moment is rounded up, and nobody waits for longer than the limit's own time.
    wait = min(max(1, math.ceil(limit.reset_at - time.time())), limit.limit.get_expiry()) if limit else 60
    _log.warning("limit reached", kind=kind, limit=str(refusal.limit.limit))
    if kind is Kind.LOOK:
        _put_on_record(limiter)
    return too_many(_ASKED[kind] if kind else "", wait)


def _show_too_often(refusal: AskedTooOften) -> ResponseReturnValue:
    _log.warning("limit reached", kind="places")
    return too_many(str(refusal), _seconds_until(refusal.retry_at), said=True)


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
    person = find_person()
    if person is None or person.scope.agency_id is None:
        return
    if not limiter.limiter.hit(parse("1 per minute"), "refusal", _person()):
        return
    with current_database().transaction(person.scope) as session:
        session.info["request_id"] = request_id()
        audit.record(
            session,
            audit.Act.REFUSE,
            record_kind="ranking",
            reason="looked at more lists in a short time than the limits allow",
            now=utc_now(),
        )
