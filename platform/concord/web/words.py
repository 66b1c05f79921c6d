"""How templates say dates, bands, verdicts and levels: filters, so that no template chooses words of its own."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Flask

from matching.anonymity.finding import marked
from matching.availability import Availability
from matching.fee.money import pounds
from matching.need import Need, NeedLevel, Tolerance, need_catalogue
from matching.ranking.facts import ChildFacts, HouseholdFacts
from matching.ranking.standing import Band, Verdict
from matching.summary import (
    adopters_words,
    answer_words,
    contact_words,
    count_words,
    describe_age,
    describe_approval,
    describe_available_from,
    describe_child,
    describe_children,
    describe_contact_plan,
    describe_days,
    describe_family_asked,
    describe_heritage,
    describe_home,
    describe_home_asked,
    join_words,
    legal_position_words,
    level_words,
    needs_by_level,
    yes_no_words,
)

BAND_WORDS = {
    Band.STRONG: "Strong fit",
    Band.GOOD: "Good fit",
    Band.POSSIBLE: "Possible fit",
    Band.EXPLORE: "To explore",
}
_BAND_COLOURS = {
    Band.STRONG: "green",
    Band.GOOD: "turquoise",
    Band.POSSIBLE: "yellow",
    Band.EXPLORE: "grey",
}
_VERDICTS = {
    Verdict.PASS: {"text": "Passes", "classes": "govuk-tag--green"},
    Verdict.ASK: {"text": "To ask", "classes": "govuk-tag--yellow"},
    Verdict.FAIL: {"text": "Rules out", "classes": "govuk-tag--red"},
}
_UNITED_KINGDOM = ZoneInfo("Europe/London")
_AVAILABILITY_COLOURS = {
    Availability.FREE: "green",
    Availability.CONSIDERED: "yellow",
    Availability.AT_CAP: "red",
    Availability.UNKNOWN: "grey",
}
_AGAINST = {"text": "Counts against", "classes": "govuk-tag--orange"}


def install_words(app: Flask) -> None:
    """Offer the filters to every template of ``app``."""
    app.jinja_env.filters.update(
        day=day,
        pounds=pounds,
        moment=moment,
        iso_day=iso_day,
        marked=marked,
        approval=describe_approval,
        at_home=describe_home,
        contact_plan=describe_contact_plan,
        home_asked=describe_home_asked,
        family_asked=describe_family_asked,
        adopters=adopters_words,
        available_from=describe_available_from,
        availability_tag=availability_tag,
        needs_by_level=_needs_by_level,
        answers=answers,
        unanswered=unanswered,
        sentence=sentence,
        days=describe_days,
        band_tag=band_tag,
        verdict_tag=verdict_tag,
        legal=legal_position_words,
        level=level_words,
        answer=answer_words,
        yes_no=yes_no_words,
        contact=contact_words,
        heritage=describe_heritage,
        in_words=join_words,
        counted=count_words,
        age=describe_age,
        child=describe_child,
        children=describe_children,
    )


def day(value: date | None) -> str:
    """Return a date as ``2 March 2026``."""
    return "Not recorded" if value is None else f"{value.day} {value:%B %Y}"


def moment(value: datetime | None) -> str:
    """Return a time as ``2 March 2026 at 14:05``, by the clock of the United Kingdom."""
    if value is None:
        return "Not yet"
    here = value.astimezone(_UNITED_KINGDOM)
    return f"{day(here.date())} at {here:%H:%M}"


def iso_day(text: str | None) -> str:
    """Return a date that is kept as ISO text as ``2 March 2026``."""
    return day(date.fromisoformat(text) if text else None)


def sentence(words: str) -> str:
    """Return words with their first letter large and the others as they are."""
    return words[:1].upper() + words[1:]


def answers(facts: HouseholdFacts) -> list[tuple[Need, Tolerance]]:
    """Return the needs of which a household has said something, in catalogue order, with what it said."""
    said = ((need, facts.tolerances.get(need.code, Tolerance())) for need in need_catalogue().needs)
    return [(need, tolerance) for need, tolerance in said if tolerance != Tolerance()]


def unanswered(facts: HouseholdFacts) -> list[str]:
    """Return the titles of the needs of which a household has said nothing."""
    said = {need.code for need, _ in answers(facts)}
    return [need.title for need in need_catalogue().needs if need.code not in said]


def band_tag(band: Band) -> dict[str, str]:
    """Return the tag of a band; its colour is never the only sign."""
    return {"text": BAND_WORDS[band], "classes": f"govuk-tag--{_BAND_COLOURS[band]}"}


def availability_tag(availability: Availability) -> dict[str, str]:
    """Return the tag of how busy a family is."""
    return {"text": availability.label, "classes": f"govuk-tag--{_AVAILABILITY_COLOURS[availability]}"}


def verdict_tag(verdict: Verdict, bars: bool = True) -> dict[str, str]:
    """Return the tag of what a gate says; one that the policy has opened counts against and rules nobody out."""
    return _AGAINST if verdict is Verdict.FAIL and not bars else _VERDICTS[verdict]


def _needs_by_level(child: ChildFacts) -> tuple[tuple[NeedLevel, tuple[str, ...]], ...]:
    return needs_by_level(child, need_catalogue())
