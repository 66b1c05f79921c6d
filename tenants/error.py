"""The errors that the domain raises; the platform alone maps them to pages, problems and exit codes."""

from __future__ import annotations


class DomainError(Exception):
    """Something the domain refuses; its text is fit to show to the person who asked."""


class NotFound(DomainError):
    """The thing does not exist for this scope; another tenant's thing is no different from none."""


class Forbidden(DomainError):
    """The scope may not do this."""


class Conflict(DomainError):
    """The thing is not in a state that allows this."""


class Invalid(DomainError):
    """What was given cannot be taken as it is."""
