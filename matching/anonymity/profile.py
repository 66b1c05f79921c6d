"""The check of one profile: every passage that may give away who it is about."""

from __future__ import annotations

from matching.anonymity.finding import Finding, Known, apart
from matching.anonymity.name import other_names, own_names
from matching.anonymity.pattern import contacts, dates, numbers, rare_details
from matching.anonymity.place import institutions, other_places, own_places, without_customs
from matching.anonymity.word import words_of


def find_betrayals(text: str, known: Known) -> tuple[Finding, ...]:
    """Return the passages of a profile that may give somebody away, in its order, none over another.

    It is a help and no proof: somebody who knows a family may know it by what no list holds.
    """
    words = tuple(words_of(text))
    return apart(
        [
            *own_names(text, words, known),
            *own_places(text, known),
            *dates(text, known),
            *contacts(text, known),
            *numbers(text, known),
            *institutions(text),
            *other_places(text, words),
            *other_names(text, tuple(without_customs(text, words))),
            *rare_details(text),
        ]
    )
