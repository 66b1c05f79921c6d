"""One request that somebody tries, and the same with other ids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import uuid4

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PASSED_BY = ("static", "health.", "sign_in.", "acting.")
"""Routes that serve no record, or after which the visitor is nobody or somebody else."""
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: its method, its address, the fields of its form or its body, and its headers."""

    method: str
    path: str
    form: Fields = ()
    headers: Fields = ()
    body: str = ""
    media: str = ""
    """The body's media type; without one there is none."""
    foreign: frozenset[str] = frozenset()
    """Cursors, ETags, keys and tokens in it that were given to somebody else."""
    alike: bool = True
    """Whether it must be answered as with made-up words: not where either does something of one's own."""

    def instead(self, other: dict[str, str]) -> Attempt:
        """Return the same with other words in place of some."""
        return replace(
            self,
            path=_replaced(self.path, other),
            form=tuple((name, _replaced(value, other)) for name, value in self.form),
            headers=tuple((name, _replaced(value, other)) for name, value in self.headers),
            body=_replaced(self.body, other),
        )

    @property
    def said(self) -> str:
        """Return all that it says."""
        return " ".join((self.path, self.body, *(value for _, value in (*self.form, *self.headers))))

    @property
    def ids(self) -> frozenset[str]:
        """Return every id that it names."""
        return frozenset(ID.findall(self.said))


def made_up(words: Iterable[str]) -> dict[str, str]:
    """Return for each word one of its length that was never given out."""
    return {each: _like(each) for each in sorted(words)}


def rules_of(app: Flask) -> list[Rule]:
    """Return the routes that are tried, in a fixed order."""
    rules = (rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith(PASSED_BY))
    return sorted(rules, key=lambda rule: (rule.rule, sorted(rule.methods or ())))


def methods_of(rule: Rule) -> list[str]:
    """Return the methods of a route that do something of their own."""
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def rule_of(app: Flask, attempt: Attempt) -> Rule | None:
    """Return the route that answers; none where none does, or where it is passed by."""
    try:
        rule, _ = app.url_map.bind("localhost").match(
            attempt.path.partition("?")[0], method=attempt.method, return_rule=True
        )
    except HTTPException:
        return None
    return None if rule.endpoint.startswith(PASSED_BY) else rule


def _like(word: str) -> str:
    return str(uuid4()) if ID.fullmatch(word) else (uuid4().hex * (len(word) // 32 + 1))[: len(word)]


def _replaced(text: str, instead: dict[str, str]) -> str:
    for one, other in instead.items():
        text = text.replace(one, other)
    return text
