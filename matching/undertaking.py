"""What people promise before they open another agency's report, and how long a grant stands: both are data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Wording:
    """One version of the undertaking."""

    version: int
    promises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportRules:
    """How long a grant stands where nobody says otherwise, how long at most (days), and the undertaking's wordings."""

    grant_days: int
    longest_grant_days: int
    wordings: tuple[Wording, ...]

    @property
    def present(self) -> Wording:
        """Return the wording that people are shown now; older ones stay readable by their version."""
        return max(self.wordings, key=lambda wording: wording.version)


@cache
def report_rules() -> ReportRules:
    """Return the rules as the package carries them."""
    found = json.loads(files("matching.data").joinpath("reports.json").read_text("utf-8"))
    return ReportRules(
        grant_days=found["grant_days"],
        longest_grant_days=found["longest_grant_days"],
        wordings=tuple(Wording(each["version"], tuple(each["promises"])) for each in found["undertakings"]),
    )
