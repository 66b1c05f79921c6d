"""The filters of the audit's pages: read from the address; what is no answer to them is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from matching.audit_line import LEVELS
from tenants.agency import Agency
from tenants.audit import Level
from tenants.audit_search import Asked
from tenants.colleague import Colleague

_UNITED_KINGDOM = ZoneInfo("Europe/London")
Options = tuple[tuple[str, str], ...]
LEVEL_OPTIONS: Options = tuple((level.value, words) for level, words in LEVELS.items())


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the address asks: days by the clock of the United Kingdom, how much was seen, by which agency and person."""

    given: dict[str, Any]
    asked: Asked


def read_filter(args: Mapping[str, str]) -> AuditFilter:
    """Return the filter that an address gives."""
    since, until = _day(args.get("since")), _day(args.get("until"))
    if since and until and since > until:
        since, until = until, since
    level = next((each for each in Level if each.value == args.get("level")), None)
    agency_id, person_id = _id(args.get("agency")), _id(args.get("person"))
    answers = {"since": since, "until": until, "level": level, "agency": agency_id, "person": person_id}
    asked = Asked(
        agency_id=agency_id,
        person_id=person_id,
        level=level,
        since=_start(since) if since else None,
        until=_start(until + timedelta(days=1)) if until else None,
    )
    return AuditFilter({name: str(value) for name, value in answers.items() if value is not None}, asked)


def agency_options(agencies: Sequence[Agency]) -> Options:
    """Return the agencies whose people may have looked."""
    return tuple((str(each.id), each.name) for each in agencies)


def person_options(people: Sequence[Colleague]) -> Options:
    """Return one's own agency's people."""
    return tuple((str(each.person.id), each.person.name) for each in people)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=_UNITED_KINGDOM)


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    # Beyond these the clock of a time zone cannot be reckoned, nor has anybody been looked at.
    return found if 1900 < found.year < 3000 else None


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
