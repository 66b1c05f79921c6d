"""Which invoices a bank line names: by number, agreement or purchase order, whole, with a slip, cut short or run on.

Banks pass on 18 characters (BACS) or what somebody typed. Whatever divides the parts of a reference is left out on
both sides; a number counts as written whole only where no further figure runs on at its ends.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Final
from uuid import UUID

from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching.fee.reconciliation.fact import KnownInvoice

_SHORTEST: Final = 5
_SHORTEST_WITH_SLIP: Final = 6
_LONG: Final = 9
_SHORTEST_FIGURES: Final = 3
_PART: Final = re.compile(r"[A-Z0-9][A-Z0-9\-/.]*")
_NEITHER: Final = re.compile(r"[^A-Z0-9]+")


class How(IntEnum):
    """How clearly a line names an invoice, the clearest highest."""

    FIGURES = 1
    CUT_SHORT = 2
    RUN_ON = 3
    SLIP = 4
    OTHER_KEY = 5
    NUMBER = 6


@dataclass(frozen=True, slots=True)
class Mention:
    """One invoice that a line names, and how; ``keys`` are the things of it that are written whole."""

    how: How
    words: str
    keys: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Say whether something that names it is written as it should be."""
        return self.how >= How.OTHER_KEY


@dataclass(frozen=True, slots=True)
class _Key:
    text: str
    words: str
    how: How
    invoices: tuple[UUID, ...]


class KeyBook:
    """Everything that names an invoice, open or settled, ready to be looked for."""

    def __init__(self, invoices: Iterable[KnownInvoice]) -> None:
        found: dict[tuple[str, How], list[tuple[str, UUID]]] = defaultdict(list)
        for invoice in sorted(invoices, key=lambda each: (each.due_on, each.number, each.id)):
            found[compact(invoice.number), How.NUMBER].append((invoice.words, invoice.id))
            for each in invoice.agreements:
                found[compact(each), How.OTHER_KEY].append((f"agreement {each}", invoice.id))
            for each in invoice.purchase_orders:
                found[compact(each), How.OTHER_KEY].append((f"purchase order {each}", invoice.id))
        self._keys = {
            text: _Key(text, named[0][0], how, tuple(dict.fromkeys(each for _, each in named)))
            for (text, how), named in sorted(found.items())
            if text
        }
        self._texts = list(self._keys)
        self._near: dict[str, frozenset[UUID]] = {}
        self._by_start: dict[str, list[_Key]] = defaultdict(list)
        self._by_figures: dict[int, list[_Key]] = defaultdict(list)
        for key in self._keys.values():
            self._by_start[key.text[:_SHORTEST]].append(key)
            if key.how is How.NUMBER:
                self._by_figures[_last_figures(key.words)].append(key)

    def mentions(self, reference: str) -> dict[UUID, Mention]:
        """Return every invoice that a text names, each as clearly as it is named anywhere in it."""
        found: dict[UUID, Mention] = {}
        text, breaks = _squeezed(reference)
        every = _parts(reference, text)
        taken = self._written_whole(every, text, breaks, found)
        parts = [part for part in every if taken.isdisjoint(range(part[1], part[2]))]
        for number, (part, _, end) in enumerate(parts):
            last = number == len(parts) - 1 and end == len(text)
            self._written_nearly(part, found, last=last)
        return found

    def neighbours(self, text: str) -> frozenset[UUID]:
        """Return the invoices whose numbers are one slip from this number, not those that have it."""
        wanted = compact(text)
        if wanted not in self._near:
            near = process.extract(wanted, self._texts, scorer=OSA.distance, score_cutoff=1, limit=None)
            self._near[wanted] = frozenset(
                each
                for match, distance, _ in near
                if distance and self._keys[match].how is How.NUMBER
                for each in self._keys[match].invoices
            )
        return self._near[wanted]

    def _written_whole(
        self, parts: Sequence[tuple[str, int, int]], text: str, breaks: frozenset[int], found: dict[UUID, Mention]
    ) -> set[int]:
        """Note every key that stands whole in a text, the longest first, and return the places that they take."""
        places: list[tuple[int, int, _Key, bool]] = []
        for start in range(len(text) - _SHORTEST + 1):
            for key in self._by_start.get(text[start : start + _SHORTEST], ()):
                if text.startswith(key.text, start):
                    end = start + len(key.text)
                    places.append((-len(key.text), start, key, _stands_alone(text, start, end, breaks)))
        for part, start, _ in parts:
            # So short a key says something only as a word by itself.
            if len(part) < _SHORTEST and part in self._keys and not part.isdigit():
                places.append((-len(part), start, self._keys[part], True))
        taken: set[int] = set()
        for _, start, key, alone in sorted(places, key=lambda each: (not each[3], each[0], each[1], each[2].text)):
            span = set(range(start, start + len(key.text)))
            if span & taken:
                continue
            taken |= span
            _note(found, key, key.how if alone else How.RUN_ON, key.words if alone else f"{key.words}, run on")
        return taken

    def _written_nearly(self, part: str, found: dict[UUID, Mention], *, last: bool) -> None:
        if part.isalpha():
            return
        figures = sum(letter.isdigit() for letter in part)
        if part.isdigit() and len(part) >= _SHORTEST_FIGURES:
            for key in self._by_figures.get(int(part), ()):
                _note(found, key, How.FIGURES, f"the figures of {key.words}")
        if len(part) >= _SHORTEST_WITH_SLIP and figures >= 2:
            most = 1 if len(part) < _LONG else 2
            near = process.extract(part, self._texts, scorer=OSA.distance, score_cutoff=most, limit=None)
            least = min((distance for _, distance, _ in near), default=0)
            for match, distance, _ in near:
                if distance == least:
                    key = self._keys[match]
                    _note(found, key, How.SLIP, f"{key.words}, mistyped")
        if last and len(part) >= _SHORTEST and figures:
            for key in self._by_start.get(part[:_SHORTEST], ()):
                if key.text.startswith(part) and len(part) * 10 >= len(key.text) * 6:
                    _note(found, key, How.CUT_SHORT, f"{key.words}, cut short")


def compact(text: str) -> str:
    """Return the letters and figures of a text, in capitals."""
    return _NEITHER.sub("", text.upper())


def _note(found: dict[UUID, Mention], key: _Key, how: How, words: str) -> None:
    whole = frozenset({key.text}) if how >= How.OTHER_KEY else frozenset()
    for invoice in key.invoices:
        known = found.get(invoice)
        keys = whole | (known.keys if known else frozenset())
        if known is None or how > known.how:
            found[invoice] = Mention(how, words, keys)
        else:
            found[invoice] = Mention(known.how, known.words, keys)


def _squeezed(reference: str) -> tuple[str, frozenset[int]]:
    """Return the letters and figures of a text, and before which of them something else stood."""
    divided = _NEITHER.split(reference.upper())
    return "".join(divided), frozenset(accumulate(map(len, divided[:-1])))


def _parts(reference: str, text: str) -> list[tuple[str, int, int]]:
    """Return the words of a reference, squeezed, each with where it begins and ends in the squeezed text."""
    found: list[tuple[str, int, int]] = []
    place = 0
    for match in _PART.finditer(reference.upper()):
        part = compact(match[0])
        start = text.find(part, place)
        if part and start >= 0:
            found.append((part, start, start + len(part)))
            place = start + len(part)
    return found


def _stands_alone(text: str, start: int, end: int, breaks: frozenset[int]) -> bool:
    before = start == 0 or start in breaks or not (text[start].isdigit() and text[start - 1].isdigit())
    after = end == len(text) or end in breaks or not (text[end - 1].isdigit() and text[end].isdigit())
    return before and after


def _last_figures(text: str) -> int:
    found = re.findall(r"\d+", text)
    return int(found[-1]) if found else -1


def words_of(mentions: Sequence[Mention]) -> str:
    """Return what a line names, for people: “invoice INV-1 and invoice INV-2, mistyped”."""
    words = list(dict.fromkeys(each.words for each in mentions))
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
