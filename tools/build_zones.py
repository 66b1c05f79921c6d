# /// script
# requires-python = ">=3.11"
# ///
# ruff: noqa: T201
"""Build ``matching/data/zones.csv`` from ``matching/data/outward_codes.csv``: which outward codes make a zone.

Run it whenever the table of outward codes changes::

    uv run --no-project tools/build_zones.py

The same table always gives the same bytes: whole numbers, and every tie is settled by the code.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).resolve().parents[1] / "matching" / "data"
LEAST_CODES = 8
# An outward code that reaches no farther than the least extent is often one sorting office or one building: nobody's
# home is there, so it hides nobody and does not count.
LEAST_EXTENT_M = 1_000


class Code(NamedTuple):
    """An outward code's centre, and whether it counts as somewhere that people live."""

    code: str
    easting: int
    northing: int
    counts: bool


def read_codes() -> list[Code]:
    """Return the table of outward codes."""
    with (DATA / "outward_codes.csv").open(encoding="utf-8", newline="") as file:
        return [
            Code(
                code=row["code"],
                easting=int(row["easting"]),
                northing=int(row["northing"]),
                counts=int(row["extent_m"]) > LEAST_EXTENT_M,
            )
            for row in csv.DictReader(file)
        ]


def zones_of(codes: list[Code]) -> list[list[Code]]:
    """Return the codes in zones of at least ``LEAST_CODES`` that count, west before east and south before north."""
    return split(codes, sum(code.counts for code in codes) // LEAST_CODES)


def split(codes: list[Code], zones: int) -> list[list[Code]]:
    """Cut the codes across their longer side, again and again, until each piece is one zone."""
    if zones < 2:
        return [codes]
    eastings, northings = [code.easting for code in codes], [code.northing for code in codes]
    wide = max(eastings) - min(eastings) >= max(northings) - min(northings)
    ordered = sorted(codes, key=lambda code: (code.easting if wide else code.northing, code.code))
    first = zones // 2
    # Shared in proportion, so that neither side has fewer than its zones need.
    wanted = sum(code.counts for code in codes) * first // zones
    cut = counted = 0
    while counted < wanted:
        counted += ordered[cut].counts
        cut += 1
    return split(ordered[:cut], first) + split(ordered[cut:], zones - first)


def rows_of(zones: list[list[Code]]) -> list[tuple[str, int]]:
    """Return each code with its zone's number, from 1, by code."""
    return sorted((code.code, number) for number, zone in enumerate(zones, start=1) for code in zone)


def main() -> None:
    """Write the table."""
    zones = zones_of(read_codes())
    with (DATA / "zones.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("code", "zone"))
        writer.writerows(rows_of(zones))
    print(f"{len(zones)} zones written")


if __name__ == "__main__":
    main()
