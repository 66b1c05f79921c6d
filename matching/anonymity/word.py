"""The words of a profile, and the lists of words that are no names, that are, and that are places."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_LETTER = r"(?:[^\W\d_][\u0300-\u036f]*)"
_WORD = re.compile(rf"{_LETTER}+(?:['’‘`´\-‐‑]{_LETTER}+)*")
_PIECE = re.compile(rf"{_LETTER}+(?:['’‘`´]{_LETTER}+)*")
_POSSESSIVE = re.compile(r"['’‘`´]s$", re.IGNORECASE)
_NO_LETTER = re.compile(r"[\W_]+")
_LIKE_ASCII = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}
"""The letters beyond ASCII that a pattern without case takes for one of it."""
_BEGINS = frozenset('.!?:;\n\r•*–—(“"‘-…/|>')


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or one part of a hyphenated one, where it stands; ``base`` is it folded, without a possessive."""

    start: int
    end: int
    text: str
    base: str
    begins: bool
    """It begins a sentence or a line, where any word has a capital."""

    @property
    def titled(self) -> bool:
        """Say whether it has a capital and goes on in small letters."""
        return self.text[:1].isupper() and not self.text[1:].isupper()

    @property
    def capital(self) -> bool:
        """Say whether it has a capital."""
        return self.text[:1].isupper()

    @property
    def telling(self) -> bool:
        """Say whether its capital says something: it is not there for a sentence's sake."""
        return self.capital and not self.begins


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of ``data/anonymity.json``, folded."""

    plain: frozenset[str]
    functions: frozenset[str]
    words_too: frozenset[str]
    forenames: frozenset[str]
    places: frozenset[str]
    unclear_places: frozenset[str]
    nations: frozenset[str]
    titles: frozenset[str]
    kin: frozenset[str]
    particles: frozenset[str]
    prepositions: frozenset[str]
    long_places: tuple[str, ...]
    short_forms: dict[str, frozenset[str]]
    rare: tuple[tuple[str, str, tuple[str, ...]], ...]

    def is_word(self, base: str) -> bool:
        """Say whether a name reads like an ordinary word too."""
        return base in self.plain or base in self.functions or base in self.words_too or base in self.unclear_places


def fold(text: str) -> str:
    """Return letters without case, accents, apostrophes or hyphens."""
    if text.isascii() and text.isalnum():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


@lru_cache(maxsize=4096)
def letters_of(text: str) -> str:
    """Return a text's letters and figures alone, in small letters: where a phrase's are not in it, no phrase is.

    It spares what looks for phrases with anything between their letters, which costs much more.
    """
    return _NO_LETTER.sub("", text.translate(_LIKE_ASCII).lower())


def may_tell(text: str, phrase: str) -> bool:
    """Say whether a text may have a phrase in it, whatever is between its letters; in doubt it may."""
    return not phrase.isascii() or letters_of(phrase) in letters_of(text)


def words_of(text: str) -> Iterator[Word]:
    """Yield the words of a text in order, each part of a hyphenated one apart."""
    for match in _WORD.finditer(text):
        begins = _begins(text, match.start())
        for piece in _PIECE.finditer(match[0]):
            said = piece[0]
            bare = _POSSESSIVE.sub("", said)
            start = match.start() + piece.start()
            yield Word(start, start + len(said), said, fold(bare), begins and piece.start() == 0)


@cache
def lists() -> Lists:
    """Return the lists of words."""
    data: dict[str, Any] = json.loads((files("matching") / "data" / "anonymity.json").read_text("utf-8"))
    forms: dict[str, set[str]] = defaultdict(set)
    for line in data["short_forms"]:
        full, *short = line.split()
        # “Ted” is Edward or Theodore: each is told from the other by the whole line.
        for name in (full, *short):
            forms[name] |= {full, *short} - {name}
    return Lists(
        plain=_folded(data["plain"]),
        functions=_folded(data["functions"]),
        words_too=_folded(data["words_too"]),
        forenames=_folded(data["forenames"]) | frozenset(line.split()[0] for line in data["short_forms"]),
        places=_folded(data["places"]),
        unclear_places=_folded(data["unclear_places"]),
        nations=_folded(data["nations"]),
        titles=_folded(data["titles"]),
        kin=_folded(data["kin"]),
        particles=_folded(data["particles"]),
        prepositions=_folded(data["prepositions"]),
        long_places=tuple(data["long_places"]),
        short_forms={name: frozenset(others) for name, others in forms.items()},
        rare=tuple((each["what"], each["instead"], tuple(each["words"])) for each in data["rare"]),
    )


def _folded(lines: list[str]) -> frozenset[str]:
    return frozenset(fold(word) for line in lines for word in line.split())


def _begins(text: str, start: int) -> bool:
    while start and text[start - 1] in " \t\u00a0'’":
        start -= 1
    return start == 0 or text[start - 1] in _BEGINS
