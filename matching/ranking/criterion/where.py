"""Where the two sides are: exclusion areas, and distance as a band. Never a distance, a place or a margin."""

from __future__ import annotations

from dataclasses import dataclass

from matching.ranking.criterion.base import ASK_AGENCY, PlaceLine
from matching.ranking.facts import DistanceBand, Exclusion, PairPlace
from matching.ranking.standing import Standing

_EXCLUSION = {
    Exclusion.PASS: (Standing.MET, "No exclusion area stands in the way."),
    Exclusion.FAIL: (Standing.CANNOT, "An exclusion area set by the child’s agency stands in the way."),
    # Said of every pair that is not certain, near or far alike, so that asking often teaches nothing.
    Exclusion.ASK: (Standing.UNKNOWN, f"{ASK_AGENCY} whether an exclusion area applies: it is not certain."),
}
_DISTANCE = {
    DistanceBand.NEAR: (Standing.MET, "Near the child’s home area."),
    DistanceBand.REGION: (Standing.MOSTLY, "In the same region as the child’s home area."),
    DistanceBand.FAR: (Standing.PARTLY, "Far from the child’s home area: plan for travel in introductions."),
    DistanceBand.VERY_FAR: (Standing.LITTLE, "Very far from the child’s home area: plan for travel and support."),
    DistanceBand.UNKNOWN: (Standing.UNKNOWN, f"{ASK_AGENCY} and the household’s worker how far apart they are."),
}


@dataclass(frozen=True)
class ExclusionLine(PlaceLine):
    """What the child's agency has said of areas where the child must not live."""

    code: str = "exclusion"

    def judge(self, place: PairPlace) -> Standing:
        """Return the standing of the pair's exclusion."""
        return _EXCLUSION[place.exclusion][0]

    def say(self, place: PairPlace, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words, the same to every reader."""
        return _EXCLUSION[place.exclusion][1]


@dataclass(frozen=True)
class DistanceLine(PlaceLine):
    """How far apart the two are, coarsely."""

    code: str = "distance"

    def judge(self, place: PairPlace) -> Standing:
        """Return the standing of the pair's band."""
        return _DISTANCE[place.band][0]

    def say(self, place: PairPlace, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        return _DISTANCE[place.band][1]
