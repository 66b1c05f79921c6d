"""What an agency's people can send: the addresses that their pages lead to, and the forms on those."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from flask import Flask

from tests.page import Page
from tests.site import Visitor
from tests.trespass.attempt import Attempt, rule_of, rules_of

_LOOKS_A_ROUTE, _MORE_LOOKS = 2, 4
"""How many addresses of a route are looked at; and of a part of the site that is gone through more thoroughly."""
_HIDDEN = re.compile(r"\bHidden\w+")


_Kept = dict[str, str]
"""The source of each page that somebody opened, or nothing where there is none, by its address."""


def learn(app: Flask, owners: Iterable[Visitor]) -> Iterator[Attempt]:
    """Yield what agencies' people can send."""
    for owner in owners:
        yield from _learn(app, owner, {})


def _learn(app: Flask, owner: Visitor, kept: _Kept, *, under: str = "") -> Iterator[Attempt]:
    starts = [rule.rule for rule in rules_of(app) if not rule.arguments and rule.rule.startswith(under)]
    seen: Counter[str] = Counter()
    tried: set[Attempt] = set()
    left = [Attempt("GET", path) for path in starts]
    while left:
        attempt = left.pop(0)
        if under and (attempt in tried or not attempt.path.startswith(under)):
            continue
        tried.add(attempt)
        yield attempt
        route = route_of(app, attempt)
        seen[route] += 1
        if attempt.method == "GET" and seen[route] <= (_MORE_LOOKS if under else _LOOKS_A_ROUTE):
            left += [each for each in _leading_on(owner, attempt.path, kept) if route_of(app, each)]


def one_of_each(app: Flask, visitor: Visitor, *, under: str = "") -> dict[str, str]:
    """Return an address of each page that somebody can reach from the site's own lists, by route.

    :param under: where the addresses of a part of the site begin, which is gone through more thoroughly.
    """
    pages: dict[str, str] = {}
    kept: _Kept = {}
    for attempt in _learn(app, visitor, kept, under=under):
        route = route_of(app, attempt)
        if route and attempt.method == "GET" and route not in pages and _look(visitor, attempt.path, kept):
            pages[route] = attempt.path
    return pages


def route_of(app: Flask, attempt: Attempt) -> str:
    """Return the name of the route that answers, or nothing where none does or it is passed by."""
    rule = rule_of(app, attempt)
    return rule.endpoint if rule else ""


def _leading_on(owner: Visitor, path: str, kept: _Kept) -> Iterator[Attempt]:
    if source := _look(owner, path, kept):
        page = Page(source)
        for link in page.links().values():
            yield Attempt("GET", link.partition("#")[0])
        for form in page.all("form"):
            yield _attempt_of(form, path)


def _look(owner: Visitor, path: str, kept: _Kept) -> str:
    """Return the source of a page, or nothing where none is shown; each is opened once."""
    if path not in kept:
        answer = owner.client.get(path)
        content = answer.get_data()  # what is streamed too
        answer.close()
        assert answer.status_code < 500, f"{path}: {answer.status}"
        kept[path] = content.decode() if answer.status_code == 200 and answer.mimetype == "text/html" else ""
    return kept[path]


def _attempt_of(form: Element, path: str) -> Attempt:
    fields = []
    for element in form.iter():
        name = element.get("name")
        if element.tag not in {"input", "select", "textarea", "button"} or not name or name == "csrf_token":
            continue
        fields.append((name, _typed(element)))
    action = form.get("action") or path
    method = (form.get("method") or "get").upper()
    if method == "GET":
        query = "&".join(f"{name}={value}" for name, value in fields)
        return Attempt("GET", f"{action.partition('?')[0]}?{query}")
    # What a field says in words, its sender may store as their own, and then reads again: they bring their own words.
    return Attempt(method, action, tuple((name, _HIDDEN.sub("Somebody’s", value)) for name, value in fields))


def _typed(element: Element) -> str:
    if element.tag == "textarea":
        return element.text or "Said by somebody"
    if element.tag == "select":
        options = [option.get("value", "") for option in element.iter("option")]
        return next((each for each in options if each), "")
    return element.get("value") or "2026-12-01"
