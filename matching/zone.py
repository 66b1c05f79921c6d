"""Zones: the outward codes that are alike to another agency, and what may be said of two of them.

Across agencies a place counts as its zone, never as its outward code. What is said of a pair is then the same for
every outward code of either zone, so that asking, however often and with whatever invented records, tells no more than
the zone. The database computes the same from the tables made here. Distances are metres, reaches miles.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from matching.place import (
    BAND_MILES,
    EXCLUSION_MILES,
    METRES_PER_MILE,
    ExclusionArea,
    OutwardCode,
    list_outward_codes,
    severest,
)
from matching.ranking.facts import DistanceBand, Exclusion

LEAST_CODES = 8
"""How many outward codes where people live a zone holds at least (docs/decisions/0009-zones.md)."""

NEVER_MILES = 32_767
"""The reach at which two zones certainly fail, where none that may be chosen is."""

_BANDS = (DistanceBand.NEAR, DistanceBand.REGION, DistanceBand.FAR, DistanceBand.VERY_FAR)

Matrix = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class ZoneTable:
    """What may be said of every two zones: three symmetric matrices [Z, Z], where row 0 is zone 1.

    ``bands`` are codes of near 0, region 1, far 2, very far 3. An area of up to ``passes`` miles certainly lets a home
    by, wherever in their zones both are (0: none does); one of ``fails`` miles or more certainly does not.
    """

    bands: Matrix
    passes: Matrix
    fails: Matrix


@cache
def _zones() -> dict[str, int]:
    content = (files("matching") / "data" / "zones.csv").read_text(encoding="utf-8")
    return {row["code"]: int(row["zone"]) for row in csv.DictReader(content.splitlines())}


def zone_of(place: OutwardCode) -> int:
    """Return the number of the zone that an outward code belongs to, from 1."""
    return _zones()[place.code]


@cache
def zone_members() -> dict[int, tuple[OutwardCode, ...]]:
    """Return every zone's outward codes, by the zone's number and then by code."""
    found: dict[int, list[OutwardCode]] = {}
    for place in list_outward_codes():
        found.setdefault(zone_of(place), []).append(place)
    return {number: tuple(found[number]) for number in sorted(found)}


def zone_band(a: OutwardCode | None, b: OutwardCode | None) -> DistanceBand:
    """Return the band that most pairs of outward codes of the two zones have, the nearer of two that tie."""
    if a is None or b is None:
        return DistanceBand.UNKNOWN
    return _BANDS[zone_table().bands[zone_of(a) - 1, zone_of(b) - 1]]


def zone_exclusion(home: OutwardCode | None, areas: Iterable[ExclusionArea]) -> Exclusion:
    """Return what a group's areas say of a home where each is known by its zone alone.

    For one area: fail if ``matching.place.exclusion`` fails for every two outward codes of the zones, pass if it passes
    for every two, else ask. For several areas the severest answer.
    """
    return severest(_one_area(home, area) for area in areas)


def _one_area(home: OutwardCode | None, area: ExclusionArea) -> Exclusion:
    if home is None or area.outward_code is None:
        return Exclusion.ASK
    pair = zone_of(home) - 1, zone_of(area.outward_code) - 1
    if area.miles >= zone_table().fails[pair]:
        return Exclusion.FAIL
    return Exclusion.PASS if area.miles <= zone_table().passes[pair] else Exclusion.ASK


@cache
def zone_table() -> ZoneTable:
    """Return what may be said of every two zones, worked out from every two outward codes."""
    zones = [_points(members) for members in zone_members().values()]
    shape = (len(zones), len(zones))
    table = ZoneTable(*(np.zeros(shape, dtype=np.int16) for _ in range(3)))
    for row, zone in enumerate(zones):
        _fill(table, row, zone, zones[row:])
    return table


def _points(members: tuple[OutwardCode, ...]) -> NDArray[np.int64]:
    """Return centres and extents [3, codes]."""
    return np.array([(each.easting, each.northing, each.extent_m) for each in members], dtype=np.int64).T


def _fill(table: ZoneTable, row: int, zone: NDArray[np.int64], others: list[NDArray[np.int64]]) -> None:
    """Write what may be said of one zone and of each from itself on, both ways round."""
    starts = np.cumsum([0, *(other.shape[1] for other in others[:-1])])
    there = np.concatenate(others, axis=1)
    square = (zone[0][:, None] - there[0]) ** 2 + (zone[1][:, None] - there[1]) ** 2
    unsure = zone[2][:, None] + there[2]
    same = np.eye(*square.shape, dtype=np.bool_)
    failing = np.zeros(starts.shape, dtype=np.int64)
    passing = np.zeros_like(failing)
    for miles in EXCLUSION_MILES:
        reach = miles * METRES_PER_MILE
        fails = same | ((reach >= unsure) & (square <= (reach - unsure) ** 2))
        failing += np.logical_and.reduceat(fails.all(axis=0), starts)
        passing += np.logical_and.reduceat((square > (reach + unsure) ** 2).all(axis=0), starts)
    # What fails at some reach fails at every longer one, and what passes passes at every shorter one.
    _write(table.fails, row, np.array([NEVER_MILES, *EXCLUSION_MILES[::-1]])[failing])
    _write(table.passes, row, np.array([0, *EXCLUSION_MILES])[passing])
    _write(table.bands, row, _most_common(square, starts))


def _write(matrix: Matrix, row: int, values: NDArray[np.int64]) -> None:
    matrix[row, row:] = values
    matrix[row:, row] = values


def _most_common(square: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    edges = [(miles * METRES_PER_MILE) ** 2 for miles in BAND_MILES]
    band = np.searchsorted(np.array(edges, dtype=np.int64), square)
    counts = [np.add.reduceat((band == code).sum(axis=0), starts) for code in range(len(_BANDS))]
    most: NDArray[np.int64] = np.argmax(np.stack(counts), axis=0)
    return most
