"""``concord retention``: what is due in one agency, and waiting until what two people agreed on is done."""

from __future__ import annotations

from uuid import uuid4

import pytest

from matching.household import get_household
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.retention.people import agreed, old_household
from tests.platform.cli.run import answer, refusal, run
from workers.handler import HANDLERS
from workers.runner import JobRunner

pytestmark = pytest.mark.usefixtures("on_servers")


class TestPreview:
    def test_says_what_is_due_in_the_agency_named_and_changes_nothing(
        self, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        due = old_household(factories, ours)
        old_household(factories, theirs)
        with transaction(database, ours) as session:
            code = get_household(session, due).code

        said = answer("retention", "preview", "--agency", ours.slug)

        assert said == {
            "due": [{"code": code, "class": "household_not_placed", "due_on": "2008-05-01"}],
            "held": [],
            "undated": [],
        }
        printed = run("retention", "preview", "--agency", ours.slug).stdout
        assert "1 due, 0 held, 0 without a start to count from." in printed


class TestRun:
    def test_waits_for_what_two_people_agreed_on(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        agreement = agreed(database, ours, old_household(factories, ours))
        assert agreement.job_id
        JobRunner(database, HANDLERS).run(agreement.job_id)

        said = run("retention", "run", str(agreement.id), "--agency", ours.slug)

        assert said.stdout == "1 destroyed, 0 kept.\n"
        for asked in (agreement.id, uuid4()):
            told = refusal("retention", "run", str(asked), "--agency", theirs.slug)
            assert "There is no such destruction in your agency." in told
