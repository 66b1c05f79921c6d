"""``concord agency leave``, ``records`` and ``consortium leave`` as an operator meets them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from tenants.base import utc_now
from tenants.consortium import get_consortium
from tenants.database import Database
from tenants.delegation import list_delegations
from tenants.departure import list_departures
from tenants.scope import OPERATOR
from tests.factories import Factories, Tenant
from tests.platform.cli.run import refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestLeave:
    def test_proposes_and_leaves_the_word_to_the_agency(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        day = utc_now().date() + timedelta(days=30)

        said = run("agency", "leave", us.slug, "--on", day.isoformat(), "--reason", "A merger")
        more = run(
            *("consortium", "leave", consortium_slug(database, us), "--agency", us.slug),
            *("--on", day.isoformat(), "--reason", "A merger"),
        )

        assert (said.exit_code, more.exit_code) == (0, 0)
        assert said.stdout == f"Proposed. Somebody of {us.slug} agrees on its page “Leaving”, at /agency/leaving.\n"
        with database.transaction(us.scope) as session:
            plans = list_departures(session)
        assert {plan.consortium_id for plan in plans} == {None, us.scope.consortium_id}
        assert {(plan.proposed_by, plan.leaves_on, plan.agreed_at) for plan in plans} == {(None, day, None)}

    def test_refuses_in_words(self, factories: Factories) -> None:
        us, _ = factories.two_tenants()

        assert "from tomorrow on" in refusal("agency", "leave", us.slug, "--on", "2020-01-01", "--reason", "A merger")
        assert "no agency called “atlantis”" in refusal(
            "agency", "leave", "atlantis", "--on", "2030-01-01", "--reason", "A flood"
        )


class TestDelegate:
    def test_proposes_and_leaves_the_word_to_both(self, factories: Factories, database: Database) -> None:
        devon, dorset = factories.two_tenants()

        said = run("agency", "delegate", devon.slug, "--for", dorset.slug, "--role", "family_finder")

        assert (said.exit_code, said.stdout.split()[0]) == (0, "Proposed.")
        for side in (devon, dorset):
            with database.transaction(side.scope) as session:
                (made,) = list_delegations(session)
                assert (made.agency_id, made.acts_for_id, made.roles) == (devon.id, dorset.id, ["family_finder"])
                assert (made.given_at, made.taken_at) == (None, None)


class TestRecords:
    def test_writes_everything_to_a_file_of_its_owners_alone(self, factories: Factories, tmp_path: Path) -> None:
        us, _ = factories.two_tenants()
        factories.group(us)
        file = tmp_path / "all.zip"

        result = run("agency", "records", us.slug, "-o", str(file))

        assert result.exit_code == 0, result.output
        assert "check word" in result.stdout
        assert file.stat().st_mode & 0o777 == 0o600
        with ZipFile(file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
        assert manifest["files"]["records/sibling_group.jsonl"]["rows"] == 1


def consortium_slug(database: Database, tenant: Tenant) -> str:
    assert tenant.scope.consortium_id
    with database.transaction(OPERATOR) as session:
        return get_consortium(session, tenant.scope.consortium_id).slug
