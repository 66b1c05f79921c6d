"""What zones cost in certainty: how many pairs pass, fail and ask, by outward codes and by zones.

Homes and areas are drawn where the demonstration's agencies are: ``python -m bench.places``. It needs no servers.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from concord.demo.consortium import AGENCIES
from matching.place import (
    EXCLUSION_MILES,
    ExclusionArea,
    OutwardCode,
    distance_band,
    exclusion,
    find_outward_code,
)
from matching.zone import zone_band, zone_exclusion, zone_members

HOUSEHOLDS = 140
GROUPS = 300
Group = tuple[str, OutwardCode | None, list[ExclusionArea]]


def main() -> None:
    """Draw a register and print the shares of each answer."""
    random = Random(7)  # noqa: S311 - a sample
    households = _households(random)
    groups = _groups(random)
    by_code, by_zone, bands = Counter[str](), Counter[str](), Counter[bool]()
    for agency, origin, areas in groups:
        for owner, home in households:
            exact, coarse = exclusion(home, areas), zone_exclusion(home, areas)
            band, zoned = distance_band(origin, home), zone_band(origin, home)
            # An agency's own pairs are answered by outward codes to itself.
            by_code[exact] += 1
            by_zone[exact if owner == agency else coarse] += 1
            bands[owner == agency or band is zoned] += 1
    pairs = bands.total()
    sizes = sorted(len(members) for members in zone_members().values())
    print(f"{len(sizes)} zones of {sizes[0]} to {sizes[-1]} outward codes; {pairs:,} pairs")
    for words, counts in (("outward codes", by_code), ("zones", by_zone)):
        shares = ", ".join(f"{100 * counts[answer] / pairs:.1f} % {answer}" for answer in ("pass", "fail", "ask"))
        print(f"by {words}: {shares}")
    print(f"the same band: {100 * bands[True] / pairs:.1f} %")


def _households(random: Random) -> list[tuple[str, OutwardCode | None]]:
    drawn = random.choices(AGENCIES, weights=[agency.household_weight for agency in AGENCIES], k=HOUSEHOLDS)
    return [(agency.slug, _known(random.choice(agency.outward_codes))) for agency in drawn]


def _groups(random: Random) -> list[Group]:
    drawn = random.choices(AGENCIES, weights=[agency.child_weight for agency in AGENCIES], k=GROUPS)
    found: list[Group] = []
    for agency in drawn:
        count = random.choices((0, 1, 2, 3), weights=(28, 52, 17, 3))[0]
        codes = random.sample(agency.outward_codes, min(count, len(agency.outward_codes)))
        areas = [ExclusionArea(_known(code), random.choice(EXCLUSION_MILES)) for code in codes]
        origin = _known(codes[0] if codes else random.choice(agency.outward_codes))
        found.append((agency.slug, origin, areas))
    return found


def _known(code: str) -> OutwardCode | None:
    return find_outward_code(code)


if __name__ == "__main__":
    main()
