"""A paper as it is written: sections of sentences, of things with what is said of each, and what is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from matching.papers.question import questions

TO_COMPLETE = "To be completed."
Pairs = Iterable[tuple[str, str]]


class Draft:
    """One paper that is being written; what people have not said is left open and listed."""

    def __init__(self, title: str, of: str) -> None:
        """Begin a paper of ``title``, of an agency or consortium by its name."""
        self._title, self._of = title, of
        self._sections: list[dict[str, Any]] = []
        self._missing: dict[str, None] = {}

    def answer(self, code: str, answers: Mapping[str, str], *, of: str = "") -> str:
        """Return what was answered, or that it is to be completed; then it is listed at the top, ``of`` whom."""
        if code in answers:
            return answers[code]
        title = questions()[code].title
        self._missing[f"{of}: {title}" if of else title] = None
        return TO_COMPLETE

    def section(self, title: str, *paragraphs: str, pairs: Pairs = (), points: Iterable[str] = ()) -> None:
        """Add a section: paragraphs, then points, then pairs of a thing and what is said of it."""
        self._sections.append(
            {
                "title": title,
                "paragraphs": list(paragraphs),
                "points": list(points),
                "pairs": [[name, words] for name, words in pairs],
            }
        )

    def content(self) -> dict[str, Any]:
        """Return the paper as data, for a page, a file or a version."""
        return {"title": self._title, "of": self._of, "missing": list(self._missing), "sections": self._sections}


def digest_of(content: Mapping[str, Any]) -> bytes:
    """Return 32 bytes that stand for a paper’s content, to the letter."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).digest()


def lines_of(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each sentence of a paper, under the name of its section."""
    found = [("At the top", f"To be completed: {each}") for each in content["missing"]]
    for section in content["sections"]:
        found += [(section["title"], words) for words in (*section["paragraphs"], *section["points"])]
        found += [(section["title"], f"{name}: {words}") for name, words in section["pairs"]]
    return found


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[tuple[str, str]], ...]:
    """Return what a paper says no longer, and what it says now; each with the name of its section."""
    old, new = lines_of(before), lines_of(after)
    gone, come = set(old) - set(new), set(new) - set(old)
    return [line for line in old if line in gone], [line for line in new if line in come]
