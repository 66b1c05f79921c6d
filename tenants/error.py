"""The errors that the domain raises; the platform alone maps them to pages, problems and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class DomainError(Exception):
    """Something the domain refuses; its text is fit to show to the person who asked."""

    afterwards: Callable[[Any], None] | None = None
    """What to write in a session of the same scope once the refused transaction is rolled back, such as an entry."""
    about: str = ""
    """Which of the things that were given it is about, by name; empty where it is about none alone."""

    def __init__(self, *words: object, about: str = "") -> None:
        super().__init__(*words)
        self.about = about or self.about


def refusal_of(check: Callable[[], object]) -> str | None:
    """Return in words why a check refuses, or ``None`` where it lets pass: for whoever says so before it is asked."""
    try:
        check()
    except DomainError as refusal:
        return str(refusal)
    return None


class NotFound(DomainError):
    """The thing does not exist for this scope; another tenant's thing is no different from none."""


class Forbidden(DomainError):
    """The scope may not do this."""


class Conflict(DomainError):
    """The thing is not in a state that allows this."""


class Invalid(DomainError):
    """What was given cannot be taken as it is."""
