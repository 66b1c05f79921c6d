"""What several tests of pages ask: who sees what, what a box holds, whether two answers are the same."""

from __future__ import annotations

import re
from uuid import UUID

from werkzeug.test import TestResponse

from matching.household import get_household
from tenants.database import Database
from tests.factories import Tenant, transaction
from tests.page import Page
from tests.site import Visitor

_NEW_EACH_TIME = re.compile(
    r'nonce="[^"]*"|Reference: [0-9a-f]+|name="csrf_token"[^>]*|value="[^"]*"( name="csrf_token")'
)


def page_of(visitor: Visitor) -> Page:
    """Return the page last seen."""
    assert visitor.page, "no page has been seen"
    return visitor.page


def typed_in(page: Page, name: str) -> str:
    """Return what a box of the page holds."""
    return next(field.get("value", "") for field in page.all("input") if field.get("name") == name)


def household_code(database: Database, tenant: Tenant, household_id: UUID) -> str:
    """Return the code of a household that ``tenant`` sees."""
    with transaction(database, tenant) as session:
        return get_household(session, household_id).code


def same_but_for_the_reference(one: TestResponse, other: TestResponse, **typed: str) -> bool:
    """Say whether two answers are the same, byte for byte, but for what is new in each and what was typed."""

    def told(response: TestResponse) -> str:
        text = response.get_data(as_text=True)
        for word in typed.values():
            text = text.replace(word, "…").replace(word.lower(), "…")
        return _NEW_EACH_TIME.sub("", text)

    return one.status_code == other.status_code and told(one) == told(other)
