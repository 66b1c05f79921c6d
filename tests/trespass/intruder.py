"""Who comes: people of each role, and programs of each scope, of agencies that own nothing of what is tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import uuid4

from flask import Flask
from werkzeug.test import TestResponse

from tenants.api_scope import ApiScope
from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import Factories, Tenant
from tests.page import Page
from tests.platform.api.program import ROOT, Program
from tests.site import Visitor
from tests.trespass.attempt import Attempt

EVERY_ROLE = frozenset(Role) - {Role.OPERATOR}
EVERY_SCOPE = tuple(str(scope) for scope in ApiScope)
_ROLES = (*(frozenset({role}) for role in sorted(EVERY_ROLE)), *[EVERY_ROLE] * len(EVERY_ROLE))
"""As many times every role at once as each alone: alone, most ends at what the role does not open."""
_SCOPES = (*((scope,) for scope in EVERY_SCOPE), *[EVERY_SCOPE] * 6)
_RENEWED_AFTER = 600
"""Seconds; a token is good for fifteen minutes."""
_WITH_ITS_SECRET = (f"{ROOT}/token", f"{ROOT}/revoke")


class Intruder(Protocol):
    """Somebody who tries what is not theirs."""

    @property
    def name(self) -> str:
        """Return whose they are, and as what they come."""

    @property
    def hidden(self) -> frozenset[str]:
        """Return ids, codes and words of rows that their scope does not see."""

    @property
    def program(self) -> bool:
        """Say whether it is no person."""

    def send(self, attempt: Attempt) -> TestResponse:
        """Send a request as them."""


@dataclass(slots=True)
class PersonIntruder:
    """A person of one role, or of all, in one agency, signed in."""

    tenant: Tenant
    hidden: frozenset[str]
    visitor: Visitor
    token: str
    """What forms must send."""

    @property
    def program(self) -> bool:
        """Say no."""
        return False

    @property
    def name(self) -> str:
        """Return the agency and the roles."""
        return f"{self.tenant.name} as {' and '.join(sorted(self.tenant.scope.roles))}"

    def send(self, attempt: Attempt) -> TestResponse:
        """Send a request as this person."""
        more: dict[str, Any] = {"headers": dict(attempt.headers)}
        if attempt.media:
            more.update(data=attempt.body, content_type=attempt.media)
        elif attempt.method != "GET":
            more["data"] = {"csrf_token": self.token, **dict(attempt.form)}
        return self.visitor.client.open(attempt.path, method=attempt.method, **more)


@dataclass(slots=True)
class ProgramIntruder:
    """A program of one agency's, with a token of some scopes."""

    made: Program
    hidden: frozenset[str]
    scopes: tuple[str, ...]
    since: float = field(default_factory=time.monotonic)

    @property
    def program(self) -> bool:
        """Say yes."""
        return True

    @property
    def name(self) -> str:
        """Return the agency and the scopes."""
        return f"{self.made.tenant.name}’s program as {' and '.join(self.scopes)}"

    def send(self, attempt: Attempt) -> TestResponse:
        """Send a request with this program's token, or with its secret where a token is asked for."""
        self._renew()
        headers = dict(attempt.headers)
        more: dict[str, Any] = {"headers": headers}
        if attempt.path in _WITH_ITS_SECRET:
            more.update(data=dict(attempt.form), auth=(str(self.made.made.client.id), self.made.made.secret))
        else:
            headers["Authorization"] = f"Bearer {self.made.token}"
            if attempt.method != "GET":
                headers.setdefault("Idempotency-Key", str(uuid4()))
                more.update(data=attempt.body or "{}", content_type=attempt.media or "application/json")
        return self.made.http.open(attempt.path, method=attempt.method, **more)

    def _renew(self) -> None:
        if time.monotonic() - self.since > _RENEWED_AFTER:
            self.since, self.made.token = time.monotonic(), self.made.ask_token().json["access_token"]  # type: ignore[index]


def gather(
    app: Flask, database: Database, tenants: Iterable[Tenant], *, hidden: Callable[[Scope], frozenset[str]]
) -> Iterator[Intruder]:
    """Sign people and programs of each agency in, given what a scope does not see."""
    for tenant in tenants:
        from_people = hidden(tenant.scope)
        from_programs = hidden(replace(tenant.scope, person_id=None, client_id=uuid4()))
        for roles in _ROLES:
            person = Factories(database).colleague(tenant, roles=roles)
            visitor = Visitor(app).sign_in(database, person)
            page = Page(visitor.client.get("/home").get_data(as_text=True))
            yield PersonIntruder(person, from_people, visitor, page.csrf_token())
        for scopes in _SCOPES:
            yield ProgramIntruder(Program(app, database, tenant, *scopes), from_programs, scopes)
