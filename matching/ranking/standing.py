"""How one thing a group asks stands against one household's answer; verdicts and bands follow from it."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """What a gate says; ``ask`` is a question for a person, never a quiet yes or no."""

    PASS = "pass"  # noqa: S105 - a verdict
    ASK = "ask"
    FAIL = "fail"


class Band(StrEnum):
    """A fit as it is first read; points are there for who asks."""

    STRONG = "strong"
    GOOD = "good"
    POSSIBLE = "possible"
    EXPLORE = "explore"


class Standing(IntEnum):
    """The only result a rule gives. Where children differ the lowest holds, so the order is part of the rule.

    ``NOTHING`` counts neither for nor against: it is what an addition gives when there is nothing to add.
    """

    CANNOT = 0
    UNKNOWN = 1
    DISCUSS = 2
    NOTHING = 3
    LITTLE = 4
    PARTLY = 5
    MOSTLY = 6
    MET = 7

    @property
    def verdict(self) -> Verdict:
        """Return what a gate says of this standing."""
        if self is Standing.CANNOT:
            return Verdict.FAIL
        return Verdict.ASK if self in (Standing.UNKNOWN, Standing.DISCUSS) else Verdict.PASS


BANDS: tuple[Band, ...] = tuple(Band)
"""Best first; the position is the code that arrays hold."""
