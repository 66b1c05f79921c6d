"""Any course of an agreement, with clocks that jump, events told twice and settlings that are undone half way.

A longer run: ``CONCORD_FEE_RUNS=500 CONCORD_FEE_STEPS=40 .venv/bin/python -m pytest -n 0
tests/matching/fee/ledger/test_machine.py``.
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from matching.fee.ledger import TransactionKind, mirrored
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.matching.fee.ledger.course import Course

RUNS = int(os.environ.get("CONCORD_FEE_RUNS", "4"))
STEPS = int(os.environ.get("CONCORD_FEE_STEPS", "12"))


def test_any_course_keeps_to_the_plan_and_balances(
    admin: psycopg.Connection[Any], database: Database, factories: Factories
) -> None:
    Course.ground = (admin, database, factories.two_tenants)

    run_state_machine_as_test(
        Course,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_reversed_part_is_its_opposite(pair: tuple[Tenant, Tenant]) -> None:
    payer, payee = pair
    there = mirrored(TransactionKind.DUE, 5, payer.id, payee.id)
    back = mirrored(TransactionKind.DUE, -5, payer.id, payee.id)

    assert [(each.account, -each.pence) for each in there] == [(each.account, each.pence) for each in back]
