"""Who acts in the demonstration: its invented people, each in one role of their agency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope

Cast = Callable[[str, Role], Scope]
"""Who acts: an agency's person in a role, by the agency's short name."""


@contextmanager
def acting(database: Database, scope: Scope) -> Iterator[Session]:
    """Open a transaction in somebody's scope; the audit says that the demonstration did it."""
    with database.transaction(scope) as session:
        session.info["request_id"] = "cli:demo"
        yield session
