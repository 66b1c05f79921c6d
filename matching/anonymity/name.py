"""Names of people: those of the record in whatever form, and others that read like one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from matching.anonymity.finding import Finding, Kind, Known, found
from matching.anonymity.word import Word, fold, lists, may_tell, words_of

_ROOT = 3
"""From how many letters on the beginning of a name may be a short form of it."""
_FUZZY = 5
"""From how many letters on a name with one letter wrong is still that name; with eight, two may be."""

_OWN = "is a name of somebody this record is about"


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a record's people, folded."""

    parts: frozenset[str]
    forenames: frozenset[str]
    joined: frozenset[str]
    """Forename and surname written as one word."""
    short: frozenset[str]
    initials: frozenset[str]


def own_names(text: str, words: Sequence[Word], known: Known) -> Iterator[Finding]:
    """Yield where a text names the record's people: whole, possessive, short, misspelt, or by telling initials."""
    names = _names(known.people)
    if not names.parts:
        return
    for word in words:
        sure = _sureness(word, names)
        if sure is not None:
            yield found(text, word.start, word.end, Kind.NAME, sure=sure, why=_OWN if sure else _may_be(word, names))
    for initials in names.initials:
        for match in _initialled(initials).finditer(text) if may_tell(text, initials) else ():
            if fold(match[0]) not in lists().plain:
                why = "reads like the initials of somebody this record is about"
                yield found(text, match.start(), match.end(), Kind.NAME, sure=False, why=why)


def other_names(text: str, words: Sequence[Word]) -> Iterator[Finding]:
    """Yield what reads like the name of anybody else: after a title or a word for kin, in pairs, or well known."""
    run: list[Word] = []
    for index, word in enumerate(words):
        before = words[index - 1] if index and _beside(text, words[index - 1], word) else None
        if not run or run[-1] is not before or not _like_a_name(word):
            yield from _pair(text, run)
            run = []
        if _like_a_name(word):
            run = [*run, word]
            yield from _alone(text, before, word)
    yield from _pair(text, run)


# ── within ──


@cache
def _initialled(initials: str) -> re.Pattern[str]:
    dotted = r"\.\s?".join(initials)
    return re.compile(rf"(?<!\w){dotted}(?!\w)\.?|(?<!\w){initials}(?!\w)")


@lru_cache(maxsize=1024)
def _names(people: tuple[str, ...]) -> _Names:
    parts: set[str] = set()
    forenames: set[str] = set()
    joined: set[str] = set()
    initials: set[str] = set()
    for person in people:
        said = [word.base for word in words_of(person) if word.base and fold(word.text) not in lists().titles]
        telling = [base for base in said if len(base) > 1 and base not in lists().particles] or said
        parts |= {base for base in telling if len(base) > 1}
        # “De Souza” and “O’Brien-Smith” are written as one word too.
        joined |= {"".join(said), "".join(said[-2:])} if len(said) > 1 else set()
        forenames |= set(telling[:1])
        if len(telling) > 1:
            initials |= {"".join(base[0] for base in telling).upper()}
    short = {form for name in forenames for form in lists().short_forms.get(name, ())}
    return _Names(
        frozenset(parts), frozenset(forenames), frozenset(joined), frozenset(short - parts), frozenset(initials)
    )


def _sureness(word: Word, names: _Names) -> bool | None:
    """Return whether a word is surely a name of the record's people, ``None`` where it is not one."""
    base = word.base
    bare = base[:-1] if base.endswith("s") and len(base) > _ROOT else base
    if base in names.joined or bare in names.joined:
        return True
    if base in names.parts or bare in names.parts:
        return _of_name(word)
    if not word.capital or base in lists().plain:
        return None
    if base in names.short or bare in names.short:
        return word.telling and not lists().is_word(base)
    if any(_misspelt(bare, part) for part in names.parts):
        return word.telling and not lists().is_word(base)
    return False if any(_begins_name(base, name) for name in names.forenames) else None


def _of_name(word: Word) -> bool | None:
    """Return how surely a name's own letters are the name: “Rowan likes …” is, “rowan” or “Will …” may be a word."""
    known = lists()
    if not known.is_word(word.base) or word.telling:
        return True
    if not word.capital:
        return None if word.base in known.functions else False
    return word.base not in known.plain and word.base not in known.functions


def _may_be(word: Word, names: _Names) -> str:
    return (
        "is a name of somebody this record is about, unless it is only the word"
        if word.base in names.parts
        else "may be a short form of a name of this record, or that name misspelt"
    )


def _misspelt(base: str, part: str) -> bool:
    if len(part) < _FUZZY or len(base) < _FUZZY or base[0] != part[0]:
        return False
    most = 2 if len(part) >= 8 else 1
    return OSA.distance(base, part, score_cutoff=most) <= most


def _begins_name(base: str, name: str) -> bool:
    """Say whether a word is a name's beginning, as in “Row” or “Rowie” for Rowan."""
    roots = {base, *(base.removesuffix(end) for end in ("ie", "y", "ey") if base.endswith(end))}
    return any(_ROOT <= len(root) < len(name) and name.startswith(root) for root in roots)


def _like_a_name(word: Word) -> bool:
    """Say whether a word may be part of a name; at the beginning of a sentence only a forename may."""
    known = lists()
    if not word.titled or len(word.base) < 2 or word.base in known.plain:
        return False
    return not word.begins or (word.base in known.forenames and word.base not in known.words_too)


def _beside(text: str, before: Word, word: Word) -> bool:
    return text[before.end : word.start] in (" ", "-", "\u00a0", ". ")


def _alone(text: str, before: Word | None, word: Word) -> Iterator[Finding]:
    if before is not None and before.base in lists().titles and before.capital:
        yield found(text, before.start, word.end, Kind.NAME, sure=True, why="is somebody’s name")
    elif before is not None and before.base in lists().kin:
        yield found(text, word.start, word.end, Kind.NAME, sure=False, why="may be the name of somebody near")
    elif word.base in lists().forenames and not word.begins:
        yield found(text, word.start, word.end, Kind.NAME, sure=False, why="is a forename")


def _pair(text: str, run: Sequence[Word]) -> Iterator[Finding]:
    if len(run) > 1:
        yield found(text, run[0].start, run[-1].end, Kind.NAME, sure=False, why="reads like a name")
