"""What may be known of where groups and households are, for every pair at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.ranking.facts import DistanceBand, Exclusion, GroupFacts, HouseholdFacts, PairPlace
from tenants.error import Invalid

BAND_CODES: tuple[DistanceBand, ...] = tuple(DistanceBand)
"""The position is the code in ``Places.band``: near 0, region 1, far 2, very far 3, unknown 4."""

EXCLUSION_CODES: tuple[Exclusion, ...] = tuple(Exclusion)
"""The position is the code in ``Places.exclusion``: pass 0, fail 1, ask 2."""


class PlacesInvalid(Invalid):
    """The matrices do not fit the register, or hold a code that means nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Two int8 matrices of shape [groups, households], in the order of the facts they go with."""

    band: NDArray[np.int8]
    exclusion: NDArray[np.int8]

    def pair(self, group: int, household: int) -> PairPlace:
        """Return one pair's place by the two positions."""
        return PairPlace(
            band=BAND_CODES[int(self.band[group, household])],
            exclusion=EXCLUSION_CODES[int(self.exclusion[group, household])],
        )

    def taken(self, groups: NDArray[np.intp], households: NDArray[np.intp]) -> Places:
        """Return the places of these groups and households, in this order."""
        return Places(
            band=np.ascontiguousarray(self.band[np.ix_(groups, households)]),
            exclusion=np.ascontiguousarray(self.exclusion[np.ix_(groups, households)]),
        )

    def check(self, groups: int, households: int) -> None:
        """Refuse matrices that do not fit.

        :raises PlacesInvalid: on another shape, another type, or a code out of range.
        """
        for name, matrix, codes in (
            ("band", self.band, len(BAND_CODES)),
            ("exclusion", self.exclusion, len(EXCLUSION_CODES)),
        ):
            if matrix.shape != (groups, households) or matrix.dtype != np.int8:
                raise PlacesInvalid(
                    f"Places: {name} is {matrix.dtype} {matrix.shape}; give int8 of shape ({groups}, {households})."
                )
            if matrix.size and (int(matrix.min()) < 0 or int(matrix.max()) >= codes):
                raise PlacesInvalid(f"Places: {name} holds a code outside 0 to {codes - 1}; make the matrix again.")


def unknown_places(groups: int, households: int) -> Places:
    """Return places of which nothing is known: every pair is a question."""
    unknown, ask = BAND_CODES.index(DistanceBand.UNKNOWN), EXCLUSION_CODES.index(Exclusion.ASK)
    return Places(
        band=np.full((groups, households), unknown, dtype=np.int8),
        exclusion=np.full((groups, households), ask, dtype=np.int8),
    )


def places_of(
    groups: tuple[GroupFacts, ...],
    households: tuple[HouseholdFacts, ...],
    place: Callable[[GroupFacts, HouseholdFacts], PairPlace],
) -> Places:
    """Return the matrices that a rule over single pairs gives."""
    places = unknown_places(len(groups), len(households))
    for g, group in enumerate(groups):
        for h, household in enumerate(households):
            pair = place(group, household)
            places.band[g, h] = BAND_CODES.index(pair.band)
            places.exclusion[g, h] = EXCLUSION_CODES.index(pair.exclusion)
    return places
