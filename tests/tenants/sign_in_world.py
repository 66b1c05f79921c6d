"""An agency's own sign-in service and e-mail domain, for the world of the wall's tests."""

from __future__ import annotations

from typing import Any

from tenants.database import Database
from tenants.email_domain import add_domain
from tenants.identity_provider import add_provider, set_role_rules
from tenants.role import Role
from tenants.scope import NOBODY
from tenants.sign_in import end_sessions_there
from tests.factories import ISSUER, NOW, Tenant


def make_sign_in_service(database: Database, agency: Tenant) -> None:
    """Give an agency a row in each table of signing in."""
    with database.transaction(agency.scope) as session:
        facts: dict[str, Any] = {
            "name": "Council account",
            "issuer": "https://id.council.example",
            "client_id": "concord",
        }
        provider = add_provider(session, **facts, secret="sealed", now=NOW)
        set_role_rules(session, provider, claim="groups", rules=[("finders", Role.FAMILY_FINDER)])
        add_domain(session, "council.example", now=NOW)
    with database.transaction(NOBODY) as session:
        end_sessions_there(session, mark=None, issuer=ISSUER, subject="nobody", sid=None, token="once", now=NOW)
