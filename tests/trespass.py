"""An intruder at the site: every address, as every role of other agencies, with the ids of what is not theirs.

What an agency's people can reach is learnt by looking at each of their pages and at the forms on it. Then others send
the same, and what the routes themselves allow, with the same ids. Two things are held: the answer for an id that is
hidden from the asker is byte for byte that for one that does not exist, and no answer holds a word that is hidden
from the asker. What is hidden, the database says: whatever row the asker's scope does not see, and is not told to
anyone else's in a row that it does see.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID, uuid4
from xml.etree.ElementTree import Element

import psycopg
from flask import Flask
from psycopg import sql
from werkzeug.exceptions import HTTPException
from werkzeug.routing import AnyConverter, IntegerConverter, Rule
from werkzeug.test import TestResponse

from concord.limits import Limits
from matching.pool import Stage
from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import Factories, Tenant
from tests.page import Page
from tests.site import Visitor
from tests.tenants import catalogue
from tests.tenants.world import acting, make_world

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TELLING = re.compile(rf"{_ID.pattern}|\b[GH]-[0-9A-Z]{{6}}\b|\b[HGC][0-9a-f]{{8}}\b|\bHidden\w+")
"""What names one thing only: ids, codes, references, and words that were made to be looked for."""
_NEW_EACH_TIME = re.compile(
    r'nonce="[^"]*"|nonce-[^\']*|Reference: [0-9a-f]+|name="csrf_token"[^>]*|value="[^"]*"( name="csrf_token")|'
    r'"instance": ?"[^"]*"|"request_id": ?"[^"]*"'
)
_ASKED = ("q", "near", "household", "group", "whose", "page", "sort", "agency", "person", "record", "from")
_ABSURD = ("all", "-1", "%00", "H-", "*", "%F0%9F%90%B1", "9" * 40)
UNLIMITED = Limits(**dict.fromkeys((each.name for each in fields(Limits)), "1000000 per minute"))
"""What lets somebody try as often as they like."""
_EVERY_ROLE = frozenset(Role) - {Role.OPERATOR}
_ROLES = (*(frozenset({role}) for role in sorted(_EVERY_ROLE)), *[_EVERY_ROLE] * len(_EVERY_ROLE))
"""As many times every role at once as each alone: alone, most ends at what the role does not open."""
_OF_OTHERS = frozenset({"record_bar"})
"""Tables of an agency's rows that others add to: who knows a family says so, whosever its record is."""
_LOOKS_A_ROUTE = 2
_PASSED_BY = ("static", "health.", "sign_in.", "acting.")
"""Routes that serve no record, or after which the visitor is nobody or somebody else."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: its method, its address, and the fields of its form."""

    method: str
    path: str
    form: tuple[tuple[str, str], ...] = ()

    def with_ids(self, instead: dict[str, str]) -> Attempt:
        """Return the same with other ids."""
        return Attempt(
            self.method,
            _replaced(self.path, instead),
            tuple((name, _replaced(value, instead)) for name, value in self.form),
        )

    @property
    def ids(self) -> frozenset[str]:
        """Return every id that it names."""
        return frozenset(_ID.findall(" ".join((self.path, *(value for _, value in self.form)))))


@dataclass(slots=True)
class Intruder:
    """A person of one role in one agency, signed in, and what is hidden from them."""

    tenant: Tenant
    roles: str
    visitor: Visitor
    hidden: frozenset[str]
    """Ids, codes and words of rows that their scope does not see."""
    token: str
    """What forms must send."""

    def send(self, attempt: Attempt) -> TestResponse:
        """Send a request as this person."""
        if attempt.method == "GET":
            return self.visitor.client.get(attempt.path)
        form = {"csrf_token": self.token, **dict(attempt.form)}
        return self.visitor.client.open(attempt.path, method=attempt.method, data=form)


@dataclass(slots=True)
class Findings:
    """What came of it: how much was tried, and each way in that was found."""

    requests: int = 0
    faults: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Grounds:
    """A consortium of five agencies with everything in it, who may come, and what they may try."""

    app: Flask
    admin: psycopg.Connection[Any]
    owners: tuple[Tenant, ...]
    intruders: tuple[Intruder, ...]
    learnt: dict[str, list[Attempt]]
    """What the owners' own people can send, by route."""
    ids: tuple[str, ...]
    """Every id in the owners' rows."""

    def fingerprints(self) -> dict[str, str]:
        """Return what tells whether the owners' rows are as they were, by agency and table."""
        return {f"{owner.name}: {table}": mark for owner in self.owners for table, mark in self._of(owner)}

    def _of(self, owner: Tenant) -> Iterator[tuple[str, str]]:
        for table in catalogue.walled_tables(self.admin):
            if table not in _OF_OTHERS and "agency_id" in catalogue.columns(self.admin, table):
                query = sql.SQL("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t WHERE agency_id = {}")
                row = self.admin.execute(query.format(sql.Identifier(table), owner.id)).fetchone()
                yield table, str(row[0]) if row else ""


def make_grounds(app: Flask, database: Database, admin: psycopg.Connection[Any]) -> Grounds:
    """Fill an empty database, learn what its agencies' people can reach, and sign others in."""
    world = make_world(database, admin)
    factories = Factories(database)
    second = factories.tenant(world.agency.scope.consortium_id or UUID(int=0))
    for stage in Stage:
        factories.household(second, stage=stage, profile=f"Hidden{stage.value}home")
        factories.group(second, stage=stage, profile=f"Hidden{stage.value}group")
    owners = (world.agency, second)
    ids = tuple(dict.fromkeys(each for owner in owners for each in _ids_of(admin, owner)))
    everyone = [Visitor(app).sign_in(database, owner) for owner in owners]
    learnt: dict[str, list[Attempt]] = {}
    for attempt in dict.fromkeys(_learn(app, everyone)):
        learnt.setdefault(_route(app, attempt), []).append(attempt)
    intruders = _gather(app, database, admin, (world.stranger, world.office, world.neighbour))
    return Grounds(app, admin, owners, tuple(intruders), learnt, ids)


def trespass(grounds: Grounds, *, requests: int, chance: random.Random) -> Findings:
    """Send ``requests`` requests that should lead nowhere, and return what they led to."""
    findings = Findings()
    rules = _rules(grounds.app)
    while findings.requests < requests:
        intruder = chance.choice(grounds.intruders)
        if chance.random() < 0.6:
            attempt = chance.choice(grounds.learnt[chance.choice(list(grounds.learnt))])
        else:
            attempt = _invented(grounds.app, rules, grounds.ids, chance=chance)
        _try(intruder, attempt, findings)
    return findings


def one_of_each(app: Flask, visitor: Visitor) -> dict[str, str]:
    """Return an address of each page that somebody can reach from the site's own lists, by route."""
    pages: dict[str, str] = {}
    for attempt in _learn(app, [visitor]):
        route = _route(app, attempt)
        if route and attempt.method == "GET" and route not in pages:
            answer = visitor.client.get(attempt.path)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                pages[route] = attempt.path
            answer.close()
    return pages


# ── within ──


def _try(intruder: Intruder, attempt: Attempt, findings: Findings) -> None:
    answer = _sent(intruder, attempt)
    findings.requests += 1
    findings.statuses[answer.status_code] += 1
    findings.routes[f"{attempt.method} {_ID.sub('…', attempt.path).partition('?')[0]}"] += 1
    who = f"{intruder.tenant.name} as {intruder.roles}: {attempt.method} {attempt.path} {dict(attempt.form)}"
    if answer.status_code >= 500:
        findings.faults.append(f"{who} fails with {answer.status_code}")
    said = " ".join((attempt.path, *(value for _, value in attempt.form)))
    for word in sorted(set(_TELLING.findall(_readable(answer))) & intruder.hidden):
        if word not in said:
            findings.faults.append(f"{who} is told {word}")
    unseen = attempt.ids & intruder.hidden
    if unseen:
        instead = {each: str(uuid4()) for each in sorted(unseen)}
        absent = attempt.with_ids(instead)
        none = _sent(intruder, absent)
        findings.requests += 1
        if _told(answer, unseen) != _told(none, instead.values()):
            findings.faults.append(f"{who} is answered otherwise than for what does not exist")


def _sent(intruder: Intruder, attempt: Attempt) -> TestResponse:
    answer = intruder.send(attempt)
    answer.get_data()  # what is streamed too
    answer.close()
    return answer


def _told(answer: TestResponse, ids: Iterable[str]) -> tuple[object, ...]:
    """Return all that an answer tells, but for what is new in each and for the ids that were sent."""
    text = _body(answer)
    location = answer.headers.get("Location", "")
    for each in sorted(ids):
        text, location = text.replace(each, "…"), location.replace(each, "…")
    names = sorted(name for name, _ in answer.headers)
    return answer.status_code, answer.mimetype, names, location, _NEW_EACH_TIME.sub("", text)


def _readable(answer: TestResponse) -> str:
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers)
    return f"{headers} {_body(answer)}"


def _body(answer: TestResponse) -> str:
    content = answer.get_data()
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        # A workbook's properties say when it was written.
        parts = (name for name in book.namelist() if name != "docProps/core.xml")
        return " ".join(book.read(name).decode("utf-8", "replace") for name in parts)


def _gather(
    app: Flask, database: Database, admin: psycopg.Connection[Any], tenants: Iterable[Tenant]
) -> Iterator[Intruder]:
    told = _told_of_rows(admin)
    for tenant in tenants:
        hidden = _hidden_from(admin, tenant.scope, told)
        for roles in _ROLES:
            person = Factories(database).colleague(tenant, roles=roles)
            visitor = Visitor(app).sign_in(database, person)
            page = Page(visitor.client.get("/home").get_data(as_text=True))
            yield Intruder(person, " and ".join(sorted(roles)), visitor, hidden, page.csrf_token())


def _learn(app: Flask, owners: Iterable[Visitor]) -> Iterator[Attempt]:
    """Yield what agencies' people can send: the addresses that their pages lead to, and the forms on those."""
    starts = [rule.rule for rule in _rules(app) if not rule.arguments]
    for owner in owners:
        seen: Counter[str] = Counter()
        left = [Attempt("GET", path) for path in starts]
        while left:
            attempt = left.pop(0)
            yield attempt
            route = _route(app, attempt)
            seen[route] += 1
            if attempt.method == "GET" and seen[route] <= _LOOKS_A_ROUTE:
                left += [each for each in _leading_on(owner, attempt.path) if _route(app, each)]


def _ids_of(admin: psycopg.Connection[Any], tenant: Tenant) -> Iterator[str]:
    for table in catalogue.walled_tables(admin):
        query = sql.SQL("SELECT to_jsonb(t) FROM {} t ORDER BY t::text").format(sql.Identifier(table))
        for (row,) in admin.execute(query).fetchall():
            if str(tenant.id) in row.values():
                yield from (value for value in row.values() if isinstance(value, str) and _ID.fullmatch(value))


def _told_of_rows(admin: psycopg.Connection[Any]) -> dict[str, dict[str, frozenset[str]]]:
    """Return, by table and by a row's own mark, the telling words of each row that anybody owns."""
    return {
        table: {mark: frozenset(_TELLING.findall(text)) for mark, text in _marked(admin, table)}
        for table in catalogue.walled_tables(admin)
    }


def _hidden_from(
    admin: psycopg.Connection[Any], scope: Scope, told: dict[str, dict[str, frozenset[str]]]
) -> frozenset[str]:
    hidden: set[str] = set()
    seen: set[str] = set()
    for table, rows in told.items():
        visible = _visible(admin, scope, table)
        for mark, words in rows.items():
            (seen if mark in visible else hidden).update(words)
    return frozenset(hidden - seen)


def _visible(admin: psycopg.Connection[Any], scope: Scope, table: str) -> frozenset[str]:
    query = sql.SQL("SELECT ctid::text FROM {}").format(sql.Identifier(table))
    with acting(admin, scope):
        try:
            with admin.transaction():
                return frozenset(row[0] for row in admin.execute(query))
        except psycopg.errors.InsufficientPrivilege:
            return frozenset()


def _marked(admin: psycopg.Connection[Any], table: str) -> Iterator[tuple[str, str]]:
    query = sql.SQL("SELECT ctid::text, t::text FROM {} t").format(sql.Identifier(table))
    yield from admin.execute(query).fetchall()


def _replaced(text: str, instead: dict[str, str]) -> str:
    for one, other in instead.items():
        text = text.replace(one, other)
    return text


def _rules(app: Flask) -> list[Rule]:
    rules = (rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith(_PASSED_BY))
    return sorted(rules, key=lambda rule: (rule.rule, sorted(rule.methods or ())))


def _route(app: Flask, attempt: Attempt) -> str:
    """Return the name of the route that answers, or nothing where none does or it is passed by."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(attempt.path.partition("?")[0], method=attempt.method)
    except HTTPException:
        return ""
    return "" if str(endpoint).startswith(_PASSED_BY) else str(endpoint)


def _built(app: Flask, rule: Rule, first: str, ids: Sequence[str], *, chance: random.Random) -> str:
    """Return the address of a route with ``first`` in the first place that takes an id, and any other in the rest."""
    given: dict[str, Any] = {}
    for name in sorted(rule.arguments, key=rule.rule.index):
        converter = rule._converters[name]
        match converter:
            case AnyConverter():
                given[name] = chance.choice(sorted(converter.items))
            case IntegerConverter():
                given[name] = chance.choice((0, 1, 2, 7))
            case _:
                given[name], first = first, chance.choice(ids)
    return app.url_map.bind("localhost").build(rule.endpoint, given)


def _leading_on(owner: Visitor, path: str) -> Iterator[Attempt]:
    answer = owner.client.get(path)
    content = answer.get_data()
    answer.close()
    if answer.status_code == 200 and answer.mimetype == "text/html":
        page = Page(content.decode())
        for link in page.links().values():
            yield Attempt("GET", link.partition("#")[0])
        for form in page.all("form"):
            yield _attempt_of(form, path)


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
    return Attempt(method, action, tuple(fields))


def _typed(element: Element) -> str:
    if element.tag == "textarea":
        return element.text or "Said by somebody"
    if element.tag == "select":
        options = [option.get("value", "") for option in element.iter("option")]
        return next((each for each in options if each), "")
    return element.get("value") or "2026-12-01"


def _invented(app: Flask, rules: Sequence[Rule], ids: Sequence[str], *, chance: random.Random) -> Attempt:
    """Return a request that the routes allow, with any of the ids wherever one is taken."""
    rule = chance.choice(rules)
    path = _built(app, rule, chance.choice(ids), ids, chance=chance)
    method = chance.choice(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
    if method == "GET" and chance.random() < 0.3:
        path = f"{path}?{chance.choice(_ASKED)}={chance.choice([*ids, *_ABSURD])}"
    return Attempt(method, path)
