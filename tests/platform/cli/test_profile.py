"""``concord profile check``: codes and counts of profiles that may give somebody away, and none of their words."""

from __future__ import annotations

import pytest

from matching.household import get_household
from tenants.database import Database
from tests.factories import Factories
from tests.platform.cli.run import answer, refusal, run
from tests.platform.cli.test_docs import example

pytestmark = pytest.mark.usefixtures("on_servers")


class TestCheck:
    def test_lists_own_codes_and_no_words(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, profile="Alder keeps bees. A twin.")
        factories.household(dorset, profile="Alder keeps bees.")
        with database.transaction(devon.scope) as session:
            code = get_household(session, household_id).code

        said, shown = (
            answer("profile", "check", "--agency", devon.slug),
            run("profile", "check", "--agency", devon.slug),
        )

        assert said == [{"code": code, "record": "household", "sure": 1, "to_look_at": 1, "kinds": ["name", "rare"]}]
        line = " ".join(shown.stdout.split())
        assert f"{code} 1 sure 1 to look at a name; a rare detail" in line
        assert "1 to check." in shown.stdout
        assert "Alder" not in shown.stdout
        assert set(said[0]) == set(example("profile check")[0])

    def test_says_so_where_there_is_nothing(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        factories.household(devon)

        assert run("profile", "check", "--agency", devon.slug).stdout == "0 to check.\n"
        assert "no agency" in refusal("profile", "check", "--agency", "nowhere")
