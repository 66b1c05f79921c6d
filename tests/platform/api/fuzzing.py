"""Send the API whatever its description allows, and much that it does not, and hold the answers to the description."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

LEFT_OUT: list[CheckFunction] = [positive_data_acceptance]
"""A description says what a cursor or a day looks like, and not which were given out or have passed."""


@dataclass
class Report:
    """How many operations were asked, how often, and what was found wrong."""

    operations: int = 0
    requests: int = 0
    answers: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def fuzz(site: Flask, token: str, *, examples: int) -> Report:
    """Ask each operation ``examples`` times with what fits its description and as often with what does not."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", site)
    report = Report()
    for found in schema.get_all_operations():
        if not isinstance(found, Ok):
            report.failures.append(str(found.err()))
            continue
        operation = found.ok()
        report.operations += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _send(operation, mode, token, report, examples)
    return report


def _send(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, token: str, report: Report, examples: int
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        _ask(case, token, report, fitting=mode is GenerationMode.POSITIVE)

    try:
        ask()
    except Unsatisfiable:
        # An operation that takes nothing can be asked nothing wrong.
        return


def _ask(case: Case[Any], token: str, report: Report, *, fitting: bool) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    if fitting and "Idempotency-Key" in (case.headers or {}):
        headers["Idempotency-Key"] = str(uuid4())
    response = case.call(headers=headers)
    report.requests += 1
    report.answers[response.status_code] = report.answers.get(response.status_code, 0) + 1
    try:
        case.validate_response(response, excluded_checks=LEFT_OUT, headers=headers)
    except FailureGroup as group:
        report.failures += [f"{case.operation.label}: {failure}" for failure in group.exceptions]
