"""Send what should lead nowhere, and see what it led to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule
from werkzeug.test import TestResponse

from tests.trespass.answer import readable, telling, told_in
from tests.trespass.attempt import Attempt, made_up, methods_of, rule_of, rules_of
from tests.trespass.grounds import Grounds
from tests.trespass.intruder import EVERY_ROLE, EVERY_SCOPE, Intruder
from tests.trespass.programs import BODIES, is_operation

_ASKED = ("q", "near", "household", "group", "whose", "page", "sort", "agency", "person", "record", "from")
_ABSURD = ("all", "-1", "%00", "H-", "*", "%F0%9F%90%B1", "9" * 40)
_TRIES = 3
EXPECTED = frozenset({*EVERY_ROLE, *EVERY_SCOPE})
"""Roles and scopes as each of which alone somebody must have come."""


@dataclass(slots=True)
class Findings:
    """What came of it: how much was tried, and each way in that was found."""

    requests: int = 0
    faults: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each method of each route was sent with something that is hidden from who sent it."""
    came: set[str] = field(default_factory=set)
    """Who came, as which roles or scopes."""

    def unreached(self, app: Flask) -> list[str]:
        """Return the routes, by method, to which nothing hidden was ever sent."""
        every = {(method, rule.rule) for rule in rules_of(app) for method in methods_of(rule)}
        return sorted(" ".join(each) for each in every - set(self.reached))


def trespass(grounds: Grounds, *, requests: int, chance: random.Random) -> Findings:
    """Send each route what is hidden from who sends it, then ``requests`` in all, and return what they led to."""
    findings = Findings()
    for intruder, attempt in _one_of_each(grounds, chance=chance):
        if findings.requests < requests:
            _try(grounds.app, intruder, attempt, findings)
    rules = rules_of(grounds.app)
    everyone = cycle(chance.sample(grounds.intruders, k=len(grounds.intruders)))
    while findings.requests < requests:
        intruder = next(everyone)
        known = grounds.operations if intruder.program else grounds.learnt
        if chance.random() < 0.6:
            attempt = chance.choice(known[chance.choice(list(known))])
        else:
            open_to = [rule for rule in rules if is_operation(rule)] if intruder.program else rules
            attempt = _invented(grounds, chance.choice(open_to), grounds.all_ids, chance=chance)
        _try(grounds.app, intruder, attempt, findings)
    return findings


def _try(app: Flask, intruder: Intruder, attempt: Attempt, findings: Findings) -> None:
    answer = _sent(intruder, attempt)
    findings.requests += 1
    findings.statuses[answer.status_code] += 1
    findings.came.add(intruder.name.rpartition(" as ")[2])
    who = f"{intruder.name}: {attempt.method} {attempt.path} {dict(attempt.form)} {attempt.body}"
    if answer.status_code >= 500:
        findings.faults.append(f"{who} fails with {answer.status_code}")
    for word in sorted(telling(readable(answer)) & intruder.hidden):
        if word not in attempt.said:
            findings.faults.append(f"{who} is told {word}")
    unseen = attempt.ids & intruder.hidden
    if unseen:
        rule = rule_of(app, attempt)
        findings.reached[attempt.method, rule.rule if rule else ""] += 1
    # A stranger's key beside a record that one sees is a write of one's own: it does something new each time.
    named = attempt.ids - attempt.foreign
    if attempt.alike and (named & intruder.hidden or (attempt.foreign and not named)):
        instead = made_up(unseen | attempt.foreign)
        if not _answered_alike(intruder, attempt, answer, instead, findings):
            findings.faults.append(f"{who} is answered otherwise than for what does not exist")


def _answered_alike(
    intruder: Intruder, attempt: Attempt, answer: TestResponse, instead: dict[str, str], findings: Findings
) -> bool:
    """Say whether an answer is that for made-up words; what differs is asked again, for a page may tell the time."""
    for _ in range(_TRIES):
        none = _sent(intruder, attempt.instead(instead))
        findings.requests += 1
        if told_in(answer, instead) == told_in(none, instead.values()):
            return True
        answer = _sent(intruder, attempt)
        findings.requests += 1
    return False


def _sent(intruder: Intruder, attempt: Attempt) -> TestResponse:
    answer = intruder.send(attempt)
    answer.get_data()  # what is streamed too
    answer.close()
    return answer


def _one_of_each(grounds: Grounds, *, chance: random.Random) -> Iterator[tuple[Intruder, Attempt]]:
    """Yield, for each method of each route, somebody who may do the most, and a request with what is hidden."""
    most = sorted(grounds.intruders, key=lambda each: -len(each.name.split(" and ")))
    people = cycle([each for each in most if not each.program][:9])
    programs = cycle([each for each in most if each.program][:9])
    for rule in rules_of(grounds.app):
        for method in methods_of(rule):
            intruder = next(programs if is_operation(rule) else people)
            ids = [each for each in grounds.all_ids if each in intruder.hidden]
            attempt = _invented(grounds, rule, ids, chance=chance, method=method)
            if not attempt.ids & intruder.hidden:
                attempt = _mentioning(attempt, chance.choice(ids))
            yield intruder, attempt


def _mentioning(attempt: Attempt, hidden: str) -> Attempt:
    """Return a request that takes no id in its address with one wherever else it might be read."""
    if attempt.method == "GET":
        query = "&".join(f"{name}={hidden}" for name in _ASKED)
        return Attempt("GET", f"{attempt.path}?{query}")
    # What names nothing in its address does something of one's own, and so may be answered otherwise the second time.
    return Attempt(
        attempt.method,
        attempt.path,
        form=tuple((name, hidden) for name in _ASKED),
        body=f'{{"id": "{hidden}"}}',
        alike=False,
    )


def _invented(
    grounds: Grounds, rule: Rule, ids: Sequence[str], *, chance: random.Random, method: str | None = None
) -> Attempt:
    """Return a request that a route allows, with ids of the right kind, or of any, wherever one is taken."""
    path = _built(grounds, rule, ids, chance=chance)
    method = method or chance.choice(methods_of(rule))
    if method == "GET" and chance.random() < 0.3:
        path = f"{path}?{chance.choice(_ASKED)}={chance.choice([*ids, *_ABSURD])}"
    return Attempt(method, path, body=BODIES.get(path.rpartition("/")[2], "") if is_operation(rule) else "")


def _built(grounds: Grounds, rule: Rule, ids: Sequence[str], *, chance: random.Random) -> str:
    given: dict[str, Any] = {}
    known = frozenset(ids)
    for name in rule.arguments:
        converter = rule._converters[name]
        match converter:
            case AnyConverter():
                given[name] = chance.choice(sorted(converter.items))
            case IntegerConverter():
                given[name] = chance.choice((0, 1, 2, 7))
            case _:
                right = [each for each in grounds.ids_for(name) if each in known]
                given[name] = chance.choice(right if right and chance.random() < 0.7 else ids)
    return grounds.app.url_map.bind("localhost").build(rule.endpoint, given)
