"""The errors that the domain raises; the platform alone maps them to pages, problems and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class DomainError(Exception):
    """Something the domain refuses; its text is fit to show to the person who asked."""

    afterwards: Callable[[Any], None] | None = None
    """What to write in a session of the same scope once the refused transaction is rolled back, such as an entry."""


class NotFound(DomainError):
    """The thing does not exist for this scope; another tenant's thing is no different from none."""


class Forbidden(DomainError):
    """The scope may not do this."""


class Conflict(DomainError):
    """The thing is not in a state that allows this."""


class Invalid(DomainError):
    """What was given cannot be taken as it is."""
