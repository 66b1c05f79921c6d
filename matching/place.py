"""Places: outward codes, and the two coarse things that may be said of a pair of them.

A place leaves its agency only as a band, or as pass, fail or ask: never as a distance, a point or a margin; and it is
its zone (``matching.zone``) that is compared, unless the agency that asks owns both records. The functions here are the
definition for those; the database computes the same from the same integers, so that the places of two agencies never
meet outside it. Points are metres on the British National Grid.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from matching.ranking.facts import DistanceBand, Exclusion
from tenants.error import Invalid

METRES_PER_MILE = 1609
EXCLUSION_MILES = (5, 10, 15, 20, 30, 50)
NEAR_MILES = 20
REGION_MILES = 50
FAR_MILES = 100
BAND_MILES = (NEAR_MILES, REGION_MILES, FAR_MILES)
"""The edges of the bands, nearest first; beyond the last is very far."""

_LONGEST = 20
_OUTWARD = r"(?P<outward>[A-Z]{1,2}[0-9][0-9A-Z]?|GIR)"
_POSTCODE = re.compile(_OUTWARD + r"(?P<inward>[0-9][A-Z]{2})?")
_AREA = re.compile(r"[A-Z]+")

_ASK = "record the area as unknown, and distance will be asked about"
_REFUSED_AREAS = {
    "BT": f"Northern Ireland postcodes are on the Irish grid, which Concord cannot measure yet: {_ASK}",
    "GY": f"Guernsey is not on the British National Grid: {_ASK}",
    "JE": f"Jersey is not on the British National Grid: {_ASK}",
    "IM": f"the Isle of Man is not on the British National Grid: {_ASK}",
    "BF": f"a forces (BFPO) postcode says nothing of where somebody lives: {_ASK}",
    "BX": f"a BX postcode belongs to no place: {_ASK}",
    "XX": f"an XX postcode belongs to no place: {_ASK}",
    "GIR": f"GIR 0AA belongs to no place: {_ASK}",
}


class InvalidPlace(Invalid):
    """The text is no postcode or outward code that Concord can place."""


@dataclass(frozen=True, slots=True)
class OutwardCode:
    """The first half of a postcode: its centre, and how far its farthest postcode lies from there, in metres."""

    code: str
    easting: int
    northing: int
    extent_m: int
    local_authority: str
    nation: str


@dataclass(frozen=True, slots=True)
class ExclusionArea:
    """An outward code, and how many miles around it no home may be; ``None`` where the place is not known."""

    outward_code: OutwardCode | None
    miles: int


@cache
def _content(name: str) -> bytes:
    return (files("matching") / "data" / name).read_bytes()


@cache
def _table() -> dict[str, OutwardCode]:
    rows = csv.DictReader(_content("outward_codes.csv").decode("utf-8").splitlines())
    return {row["code"]: _from_row(row) for row in rows}


def _from_row(row: dict[str, str]) -> OutwardCode:
    return OutwardCode(
        code=row["code"],
        easting=int(row["easting"]),
        northing=int(row["northing"]),
        extent_m=int(row["extent_m"]),
        local_authority=row["local_authority"],
        nation=row["nation"],
    )


@cache
def places_version() -> str:
    """Return the digest that names the tables of outward codes and of zones this release ships."""
    return hashlib.sha256(_content("outward_codes.csv") + _content("zones.csv")).hexdigest()[:12]


def list_outward_codes() -> tuple[OutwardCode, ...]:
    """Return every outward code of Great Britain, by code."""
    return tuple(_table().values())


def find_outward_code(code: str) -> OutwardCode | None:
    """Return the outward code written exactly so, or ``None``."""
    return _table().get(code)


def outward_code_of(text: str) -> str:
    """Return the outward code of a postcode or of an outward code, in any case and spacing.

    The message of an error never repeats more than the outward code: the rest would locate a home.

    :raises InvalidPlace: when the text is neither, or its place is not on the British National Grid.
    """
    compact = "".join(text.split()).upper() if text.isascii() and len(text) <= _LONGEST else ""
    match = _POSTCODE.fullmatch(compact)
    # "EX1 4" is half a postcode of EX1, not the outward code EX14.
    if match is None or (match["inward"] is None and len(text.split()) > 1):
        raise InvalidPlace("This is not a postcode: write one such as EX4 4QJ, or its first half such as EX4.")
    code = match["outward"]
    _refuse_area(code)
    if code not in _table():
        raise InvalidPlace(f"{code} is not an outward code of Great Britain: check it, or record the area as unknown.")
    return code


def _refuse_area(code: str) -> None:
    area = _AREA.match(code)
    reason = _REFUSED_AREAS.get(area[0]) if area else None
    if reason is not None:
        raise InvalidPlace(f"{code} cannot be placed: {reason}.")


def squared_metres(a: OutwardCode, b: OutwardCode) -> int:
    """Return the square of the distance between two centres: whole square metres, so that nothing is rounded."""
    return (a.easting - b.easting) ** 2 + (a.northing - b.northing) ** 2


def distance_band(a: OutwardCode | None, b: OutwardCode | None) -> DistanceBand:
    """Return how far apart two outward-code centres are, coarsely; unknown when either is.

    With ``d2 = (e1 - e2)² + (n1 - n2)²`` and ``m = 1609``: near if ``d2 <= (20 m)²``, region if ``d2 <= (50 m)²``,
    far if ``d2 <= (100 m)²``, else very far. All integers (64 bits suffice).
    """
    if a is None or b is None:
        return DistanceBand.UNKNOWN
    square = squared_metres(a, b)
    if square <= (NEAR_MILES * METRES_PER_MILE) ** 2:
        return DistanceBand.NEAR
    if square <= (REGION_MILES * METRES_PER_MILE) ** 2:
        return DistanceBand.REGION
    if square <= (FAR_MILES * METRES_PER_MILE) ** 2:
        return DistanceBand.FAR
    return DistanceBand.VERY_FAR


def exclusion(home: OutwardCode | None, areas: Iterable[ExclusionArea]) -> Exclusion:
    """Return what a group's exclusion areas say of a home known by its outward code.

    No areas recorded means that the child's agency knows of none: pass, wherever the home is. Otherwise fail if
    any area fails, else ask if any asks, else pass. For one area, all integers in metres::

        d2 = (home.easting - area.easting)² + (home.northing - area.northing)²
        u  = home.extent_m + area.extent_m      -- how far both centres together may mislead
        r  = miles * 1609

        ask   if the home or the area is not known
        fail  if the two are the same outward code            -- the area is all of it, and r around it
        fail  if r >= u and d2 <= (r - u)²                    -- wherever in its code the home is
        pass  if d2 > (r + u)²                                -- wherever in its code the home is
        ask   otherwise
    """
    return severest(_one_area(home, area) for area in areas)


def severest(answers: Iterable[Exclusion]) -> Exclusion:
    """Return what several areas say together: fail if any fails, else ask if any asks, else pass."""
    given = set(answers)
    if Exclusion.FAIL in given:
        return Exclusion.FAIL
    return Exclusion.ASK if Exclusion.ASK in given else Exclusion.PASS


def _one_area(home: OutwardCode | None, area: ExclusionArea) -> Exclusion:
    place = area.outward_code
    if home is None or place is None:
        return Exclusion.ASK
    if home.code == place.code:
        return Exclusion.FAIL
    square = squared_metres(home, place)
    unsure = home.extent_m + place.extent_m
    reach = area.miles * METRES_PER_MILE
    if reach >= unsure and square <= (reach - unsure) ** 2:
        return Exclusion.FAIL
    return Exclusion.PASS if square > (reach + unsure) ** 2 else Exclusion.ASK
