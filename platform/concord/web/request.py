"""What a request stands on: the site's parts, the person who asks, and one transaction in their scope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from flask import Flask, current_app, g, request
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from concord.web.browser import browser_words
from concord.web.settings import WebSettings
from concord.web.trace import request_id
from tenants.audit import Origin
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY, Scope
from tenants.sign_in import SignInSession, find_session

_EXTENSION = "concord"


@dataclass(frozen=True, slots=True)
class Site:
    """The parts that live as long as the process."""

    settings: WebSettings
    database: Database
    valkey: Redis


def install_site(app: Flask, site: Site) -> None:
    """Give ``app`` its parts."""
    app.extensions[_EXTENSION] = site


def current_site() -> Site:
    """Return the parts of the site that serves this request."""
    site: Site = current_app.extensions[_EXTENSION]
    return site


def current_settings() -> WebSettings:
    """Return the site's settings."""
    return current_site().settings


def current_database() -> Database:
    """Return the site's database."""
    return current_site().database


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the request's one transaction, in the scope of the person who asks; it commits when the block ends.

    Only for views behind ``@signed_in``, ``@acting`` or ``@may``, which set the scope.
    """
    with _transaction(g.scope) as session:
        yield session


def nobody() -> AbstractContextManager[Session]:
    """Open a transaction without a scope, for the few look-ups that come before anyone is known."""
    return _transaction(NOBODY)


@contextmanager
def _transaction(scope: Scope) -> Iterator[Session]:
    with current_database().transaction(scope) as session:
        # What the audit says of whence it came.
        origin = Origin.API if request.path.startswith("/api/") else Origin.PAGE
        session.info.update(request_id=request_id(), origin=origin, address=request.remote_addr)
        yield session


def cookie_name() -> str:
    """Return the name of the cookie that holds the sign-in token.

    Over TLS the ``__Host-`` prefix binds it to this host and to the whole site.
    """
    return "__Host-concord" if current_settings().https else "concord"


def give_token(response: Response, token: str) -> None:
    """Let the browser hold a sign-in token, in place of the one that it held."""
    response.set_cookie(cookie_name(), token, secure=current_settings().https, httponly=True, samesite="Lax")


def sign_in_token() -> str | None:
    """Return the random token that the browser holds."""
    return request.cookies.get(cookie_name())


def find_person() -> SignInSession | None:
    """Return who is signed in, looked up once in a request."""
    if "person" not in g:
        # Kept once it is known only: after a look-up that failed nobody is taken for signed out.
        g.person = _look_up(sign_in_token())
    person: SignInSession | None = g.person
    return person


def _look_up(token: str | None) -> SignInSession | None:
    if not token:
        return None
    with nobody() as session:
        return find_session(
            session,
            token=token,
            now=utc_now(),
            address=request.remote_addr,
            browser=browser_words(request.user_agent.string),
        )


def session_ended() -> bool:
    """Say whether the browser holds a token whose session is over."""
    return bool(sign_in_token()) and find_person() is None
