"""What can go wrong for people, and what the program does against it; what is left, each agency judges."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

RISK_LEFT = (
    "Low: unlikely, and of little harm",
    "Medium: possible, or of some harm",
    "High: likely, or of grave harm",
)


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing that can go wrong, with the program’s measures."""

    code: str
    title: str
    measures: tuple[str, ...]

    @property
    def question(self) -> str:
        """Return the code of the question how much of it is left."""
        return f"risk_{self.code}"


@cache
def risks() -> tuple[Risk, ...]:
    """Return every risk, in the order of the assessment."""
    said = tomllib.loads(files("matching.papers").joinpath("risks.toml").read_text(encoding="utf-8"))
    return tuple(Risk(code, each["title"], tuple(each["measures"])) for code, each in said.items())
