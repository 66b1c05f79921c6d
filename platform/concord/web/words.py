"""How templates say dates, bands, verdicts and levels: filters, so that no template chooses words of its own."""

from __future__ import annotations

from datetime import date, datetime

from flask import Flask

from matching.ranking.standing import Band, Verdict
from matching.summary import (
    answer_words,
    contact_words,
    describe_age,
    describe_child,
    describe_children,
    describe_days,
    describe_heritage,
    join_words,
    legal_position_words,
    level_words,
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
    Verdict.PASS: {"text": "Nothing in the way", "classes": "govuk-tag--green"},
    Verdict.ASK: {"text": "To ask", "classes": "govuk-tag--yellow"},
    Verdict.FAIL: {"text": "Rules out", "classes": "govuk-tag--red"},
}
_AGAINST = {"text": "Counts against", "classes": "govuk-tag--orange"}


def install_words(app: Flask) -> None:
    """Offer the filters to every template of ``app``."""
    app.jinja_env.filters.update(
        day=day,
        moment=moment,
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
        age=describe_age,
        child=describe_child,
        children=describe_children,
    )


def day(value: date | None) -> str:
    """Return a date as ``2 March 2026``."""
    return "Not recorded" if value is None else f"{value.day} {value:%B %Y}"


def moment(value: datetime | None) -> str:
    """Return a time as ``2 March 2026 at 14:05``, by universal time as everything recorded is."""
    return "Not yet" if value is None else f"{day(value)} at {value:%H:%M}"


def band_tag(band: Band) -> dict[str, str]:
    """Return the tag of a band; its colour is never the only sign."""
    return {"text": BAND_WORDS[band], "classes": f"govuk-tag--{_BAND_COLOURS[band]}"}


def verdict_tag(verdict: Verdict, bars: bool = True) -> dict[str, str]:
    """Return the tag of what a gate says; one that the policy has opened counts against and rules nobody out."""
    return _AGAINST if verdict is Verdict.FAIL and not bars else _VERDICTS[verdict]
