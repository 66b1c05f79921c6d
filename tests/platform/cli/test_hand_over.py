"""``concord agency merge``, ``hand-over`` and ``hand-overs`` as an operator meets them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenants.base import utc_now
from tenants.database import Database
from tenants.hand_over import list_hand_overs
from tests.factories import Factories
from tests.hand_over import agreed, do
from tests.platform.cli.run import refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestPropose:
    def test_leaves_the_word_to_both(self, factories: Factories, database: Database) -> None:
        devon, dorset = factories.two_tenants()
        day = utc_now().date().isoformat()

        merged = run("agency", "merge", devon.slug, "--into", dorset.slug, "--on", day, "--reason", "One council")
        handed = run("agency", "hand-over", dorset.slug, "--to", devon.slug, "--what", "groups", "--reason", "Staff")

        assert (merged.exit_code, handed.exit_code) == (0, 0)
        assert "each agree on their page “Handing over”" in merged.stdout
        with database.transaction(dorset.scope) as session:
            plans = {(each.agency_id, each.whole, tuple(each.kinds)) for each in list_hand_overs(session)}
            assert {each.state(on=utc_now().date()) for each in list_hand_overs(session)} == {"Proposed"}
        assert plans == {(devon.id, True, ()), (dorset.id, False, ("sibling_group",))}

    def test_refuses_in_words(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        stranger, _ = factories.two_tenants()

        for words, said in (
            ("a day to come", ("--into", dorset.slug, "--on", "2020-01-01", "--reason", "Staff")),
            ("hand over to itself", ("--into", devon.slug, "--reason", "Staff")),
            ("in no consortium with", ("--into", stranger.slug, "--reason", "Staff")),
            ("Say why", ("--into", dorset.slug, "--reason", " ")),
        ):
            assert words in refusal("agency", "merge", devon.slug, *said)


class TestList:
    def test_says_how_far_each_is(self, factories: Factories, database: Database) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(devon)
        run("agency", "hand-over", dorset.slug, "--to", devon.slug, "--what", "households", "--reason", "Staff")
        agreed(database, devon, dorset)
        before = listed("--try")
        do(database, dorset)
        after = listed()

        there, back = (before[each.slug] for each in (devon, dorset))
        assert (there["state"], there["rows"] > 3, there["hindrances"]) == ("To be done", True, [])
        assert back["hindrances"] == ["There is no such record to hand over."]
        done = after[devon.slug]
        assert (done["state"], done["rows"]) == ("Done, to be signed", there["rows"])
        assert list(done["signed"].values()) == [None, None]
        words = run("agency", "hand-overs").stdout
        assert f"{devon.slug} merges into {dorset.slug}: Done, to be signed\n  agreed by: {devon.slug}" in words


def listed(*options: str) -> dict[str, dict[str, Any]]:
    found = json.loads(run("agency", "hand-overs", "--json", *options).stdout)
    return {each["agency"]: each for each in found}
