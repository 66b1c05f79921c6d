"""What somebody says when they take a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from matching.link import LinkOutcome


@dataclass(frozen=True, slots=True)
class StepFacts:
    """Why, and what else the step asks for."""

    reason: str
    day: date | None = None
    """The day of what the step is: see ``Transition.day``."""
    override: str | None = None
    """Why a cap may be passed, where one is reached."""
    outcome: LinkOutcome | None = None
    feedback: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """What effects of other modules need, by names of their own."""
