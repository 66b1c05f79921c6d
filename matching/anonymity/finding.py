"""A passage of a profile that may give somebody away, and what is known of whom it must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What a passage gives away."""

    NAME = "name"
    PLACE = "place"
    INSTITUTION = "institution"
    DATE = "date"
    CONTACT = "contact"
    NUMBER = "number"
    RARE = "rare"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _WORDS[self][0]

    @property
    def instead(self) -> str:
        """Return what to write in its place."""
        return _WORDS[self][1]


_WORDS = {
    Kind.NAME: ("a name", "what they are to the child or family, such as “her brother” or “the foster carer”"),
    Kind.PLACE: ("a place", "what kind of place it is, such as “a small town” or “near the sea”"),
    Kind.INSTITUTION: ("a school, hospital, church or club", "what it is, such as “nursery” or “a football club”"),
    Kind.DATE: ("an exact date", "the age, the season, or how long ago it was"),
    Kind.CONTACT: ("a way to reach somebody", "nothing: whoever needs it asks the agency"),
    Kind.NUMBER: ("a number that names a person or a case", "nothing: the register’s code is enough"),
    Kind.RARE: ("a rare detail", "something broader that many families or children have"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One passage: ``text[start:end]``. ``sure`` says that it should go; the others a person is to look at."""

    start: int
    end: int
    words: str
    kind: Kind
    sure: bool
    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class Known:
    """Who a record is about, as its own agency knows it, so that its profile can be held against it."""

    people: tuple[str, ...] = ()
    """Full names, or parts of them."""
    addresses: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    """Postcodes and outward codes."""
    references: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()
    telephones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def found(text: str, start: int, end: int, kind: Kind, *, sure: bool, why: str, instead: str = "") -> Finding:
    """Return a finding of ``text[start:end]``; ``why`` is a clause that follows “it”."""
    return Finding(start, end, text[start:end], kind, sure, why, instead or kind.instead)


def apart(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings in the text's order, none over another: sure ones first, rare details, then the longer."""
    kept: list[Finding] = []
    for each in sorted(findings, key=_rank):
        if all(each.end <= other.start or other.end <= each.start for other in kept):
            kept.append(each)
    return tuple(sorted(kept, key=lambda one: one.start))


def marked(text: str, findings: Sequence[Finding]) -> list[tuple[str, Finding | None]]:
    """Return a text in pieces, each with the finding that it is or ``None``."""
    pieces: list[tuple[str, Finding | None]] = []
    end = 0
    for each in findings:
        pieces += [(text[end : each.start], None), (text[each.start : each.end], each)]
        end = each.end
    return [(words, each) for words, each in (*pieces, (text[end:], None)) if words]


def _rank(one: Finding) -> tuple[bool, bool, int, int, str]:
    return not one.sure, one.kind is not Kind.RARE, one.start - one.end, one.start, one.kind
