"""``docs/api.md`` shows how to ask: its examples are asked here as they stand, by whoever reads curl's options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from tenants.api_scope import ApiScope
from tests.factories import Factories, Tenant
from tests.matching.report_factory import make_link
from tests.platform.api.program import Program

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text("utf-8")
SHEET = b"Reference,Status\nA1,waiting\n"


def examples() -> list[str]:
    return re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL)


class TestExamples:
    def test_are_answered(
        self, program_of: Callable[..., Program], two_tenants: tuple[Tenant, Tenant], factories: Factories
    ) -> None:
        program = program_of(two_tenants[0])
        pairing = make_link(factories, factories.database, tenants=two_tenants)
        facts = {
            "CLIENT_ID": str(program.made.client.id),
            "CLIENT_SECRET": program.made.secret,
            "TOKEN": program.token,
            "SITE": "http://localhost",
            "GROUP": str(factories.group(two_tenants[0])),
            "LINK": str(pairing.link_id),
            "ETAG": program.get(f"/links/{pairing.link_id}").headers["ETag"].replace('"', r"\""),
        }

        answers = [curl(program, example, facts) for example in examples()]

        assert [each.status_code for each in answers] == [200, 200, 200, 200, 201, 202, 200, 200, 202]


class TestScopes:
    def test_are_those_that_there_are(self) -> None:
        told = re.findall(r"^\| `([a-z.]+)` \| (.+) \|$", PAGE, re.MULTILINE)

        assert [scope for scope, _ in told] == list(ApiScope)
        for scope, words in told:
            assert words.casefold() == ApiScope(scope).words.casefold().replace("’", "'")


def curl(program: Program, command: str, facts: dict[str, str]) -> TestResponse:
    """Do what a curl command does, at the site of a program."""
    for name, value in facts.items():
        command = command.replace(f"${name}", value)
    asked: dict[str, Any] = {"method": "GET", "headers": {}}
    words = iter(shlex.split(command.replace("\\\n", " ")))
    assert next(words) == "curl"
    for word in words:
        _read(word, words, asked)
    return program.http.open(**asked)


def _read(word: str, words: Iterator[str], asked: dict[str, Any]) -> None:
    match word:
        case "-s":
            pass
        case "-X":
            asked["method"] = next(words)
        case "-u":
            asked["auth"] = tuple(next(words).split(":", 1))
        case "-H":
            name, _, value = next(words).partition(": ")
            asked["headers"][name] = value
        case "--data-binary":
            assert next(words) in {"@households.csv", "@november.csv"}
            asked["data"] = SHEET
        case "-d":
            asked["data"], asked["method"] = next(words), "POST"
            asked["headers"].setdefault("Content-Type", "application/x-www-form-urlencoded")
        case _:
            parts = urlsplit(word)
            asked["path"], asked["query_string"] = parts.path, parts.query
