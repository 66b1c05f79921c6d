"""``concord link`` and ``concord placement``: both sides see them, others know nothing, programs take steps."""

from __future__ import annotations

import pytest

from tenants.api_client import add_client, end_client, get_client
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.placement.stage import MOVED_IN, make_placed
from tests.matching.report_factory import make_link
from tests.platform.cli.run import answer, refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestLink:
    def test_is_listed_shown_and_taken_on_by_a_program(self, factories: Factories, database: Database) -> None:
        pairing, other = make_link(factories, database), make_link(factories, database)
        link_id = str(pairing.link_id)
        with transaction(database, pairing.children) as session:
            client = add_client(session, name="Case system", scopes=["links.write"], now=utc_now()).client.id
        ours, theirs = (("--agency", tenant.slug) for tenant in (pairing.children, pairing.family))
        taken = ("link", "step", link_id, "shortlist", "--client", str(client), "--reason", "They fit.")

        assert [each["id"] for each in answer("link", "list", *theirs)] == [link_id]
        assert answer("link", "list", *ours, "--state", "ended") == []
        assert link_id in run("link", "list", *ours).stdout
        assert run("link", "list", *ours, "--side", "families").stdout == "There is no such link.\n"
        assert "next: shortlist, the other agency’s to take" in run("link", "show", link_id, *theirs).stdout
        nobodys = refusal("link", "show", str(other.link_id), *ours)
        assert nobodys == "concord: There is no such link of your agency."
        assert refusal(*taken, *theirs) == "concord: There is no such API client in your agency."
        found = answer(*taken, *ours, "--version", "2")
        assert (found["state"], found["steps"][-1]["by"]) == ("shortlisted", "Case system")
        assert "was first" in refusal(*taken, *ours, "--version", "2")
        with transaction(database, pairing.children) as session:
            end_client(session, get_client(session, client), now=utc_now())
        assert refusal(*taken, *ours).startswith("concord: This API client has ended.")


class TestPlacement:
    def test_is_listed_and_shown(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)
        ours = ("--agency", pairing.children.slug)

        (listed,) = answer("placement", "list", *ours, "--state", "placed")
        shown = answer("placement", "show", str(pairing.link_id), *ours)

        assert (listed["link_id"], listed["moved_in_on"]) == (str(pairing.link_id), MOVED_IN.isoformat())
        assert shown["plan"]["plan_agreed_on"]
        assert "review 1: due" in run("placement", "show", str(pairing.link_id), *ours).stdout
        assert run("placement", "list", *ours, "--state", "matched").stdout == "There is no such placement.\n"
