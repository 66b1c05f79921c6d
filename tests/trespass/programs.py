"""What an agency's programs can send: each operation with its own ids, cursors, ETags, keys and tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.routing import Rule

from tests.platform.api.program import ROOT, Program
from tests.trespass.attempt import Attempt, methods_of, rules_of

_LISTS = ("groups", "households", "imports", "jobs", "meetings", "fees/agreements", "fees/invoices", "fees/postings")
_SHEET = "Reference,Adopter 1\nA-1,Alder Example\n"
BODIES = {
    "rankings": '{"top": 1}',
    "columns": '{"sheets": [{"title": "", "columns": []}]}',
    "availability": '{"available": false}',
}
"""What is sent by the last word of an address; else an empty object."""


def is_operation(rule: Rule) -> bool:
    """Say whether a route is for programs."""
    return rule.rule.startswith(f"{ROOT}/")


def learn_operations(app: Flask, owners: Iterable[tuple[Program, dict[str, list[str]]]]) -> Iterator[Attempt]:
    """Yield what agencies' programs can send, given each with its agency's ids by the name that addresses give them."""
    for program, ids in owners:
        yield from _cursors(program)
        yield Attempt("POST", f"{ROOT}/revoke", form=(("token", program.token),), foreign=frozenset({program.token}))
        for rule in filter(is_operation, rules_of(app)):
            if rule.arguments:
                yield from _named(app, program, rule, ids)
        yield from _keyed(program, ids)


def _cursors(program: Program) -> Iterator[Attempt]:
    for name in _LISTS:
        found: dict[str, Any] = program.get(f"/{name}", query_string={"limit": 1}).json or {}
        if found.get("next"):
            path = f"{ROOT}/{name}?limit=1&cursor={found['next']}"
            yield Attempt("GET", path, foreign=frozenset({found["next"]}))


def _named(app: Flask, program: Program, rule: Rule, ids: dict[str, list[str]]) -> Iterator[Attempt]:
    """Yield a route's requests: with each of some ids and, where the answer has an ETag, with that."""
    names = [name for name in rule.arguments if name.endswith("_id")]
    if not all(ids[name] for name in names):
        return
    for position in range(max((len(ids[name]) for name in names), default=0)):
        given = {name: ids[name][position % len(ids[name])] for name in names}
        given.update({name: "pdf" for name in rule.arguments if name == "kind"})
        path = app.url_map.bind("localhost").build(rule.endpoint, given)
        seen = program.get(path.removeprefix(ROOT))
        for method in methods_of(rule):
            plain = Attempt(method, path, body=BODIES.get(path.rpartition("/")[2], ""))
            yield plain
            if seen.status_code == 200 and "ETag" in seen.headers:
                name = "If-None-Match" if method == "GET" else "If-Match"
                tag = seen.headers["ETag"]
                yield replace(plain, headers=((name, tag),), foreign=frozenset({tag.strip('"')}))


def _keyed(program: Program, ids: dict[str, list[str]]) -> Iterator[Attempt]:
    """Yield writes that the owner's program has done under a key: whoever sends it again must get nothing of them."""
    path = f"{ROOT}/imports?kind=households&filename=a.csv"
    writes = [Attempt("POST", path, body=_SHEET, media="application/octet-stream")]
    writes += [Attempt("POST", f"{ROOT}/groups/{each}/rankings", body=BODIES["rankings"]) for each in ids["group_id"]]
    for write in writes:
        key = str(uuid4())
        program.send(
            write.path.removeprefix(ROOT),
            key=key,
            data=write.body,
            content_type=write.media or "application/json",
        )
        yield replace(write, headers=(("Idempotency-Key", key),), foreign=frozenset({key}), alike=bool(write.ids))
