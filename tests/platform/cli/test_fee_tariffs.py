"""``concord fees tariff`` and ``cost``: tariffs with their sources, and no cost before a family is chosen."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.agreement import FeeAgreement
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.fee.fee_ground import make_fee_ground
from tests.platform.cli.run import answer, refusal, run

ADD = (
    *("fees", "tariff", "add", "--name", "Standard fee", "--payee", "standard", "--from", "2027-04-01"),
    *("--rate", "1=20000", "--rate", "2=30,000.50", "--plan", "2/3 placement, 1/3 order or 12 months"),
    *("--continuing", "900", "--continuing-after", "12", "--source", "Minute 7"),
)


@pytest.mark.usefixtures("on_servers")
class TestFees:
    def test_keep_tariffs_and_say_a_cost_once_a_family_is_chosen(
        self, factories: Factories, database: Database, database_urls: DatabaseUrls
    ) -> None:
        ground = make_fee_ground(factories, database)
        office, devon = ("--agency", ground.office.slug), ("--agency", ground.devon.slug)
        assert "Added “Standard fee”, from 2027-04-01." in run(*ADD, *office).stdout
        assert "Two tariffs can’t be in force on one day" in refusal(*ADD, *office)
        assert "office" in refusal(*ADD, *devon)
        assert "tariffs already" in refusal("fees", "tariff", "add", "--published", *office)
        listed = answer("fees", "tariff", "list", *devon)["tariffs"]
        [added] = [each for each in listed if each["name"] == "Standard fee"]
        assert added["rates"] == {"1": 2_000_000, "2": 3_000_050}
        assert added["plan"] == ["2/3 placement", "1/3 order or 12 months"]
        assert added["source"] == "Minute 7"
        said = run("fees", "tariff", "list", *devon, "--on", "2021-05-01").stdout
        assert "no figure is published" in said
        assert "£39,245" not in said

        agreement_id = ground.match(ground.devon, ground.dorset)
        with transaction(database, ground.devon) as session:
            link_id = session.get_one(FeeAgreement, agreement_id).link_id
        hidden, missing = (refusal("fees", "cost", "--link", str(each), *devon) for each in (link_id, uuid4()))
        assert hidden == missing
        with psycopg.connect(libpq_url(database_urls.admin), autocommit=True) as admin:
            admin.execute("UPDATE link SET state = 'panel' WHERE id = %s", (link_id,))
        cost = answer("fees", "cost", "--link", str(link_id), *devon)
        assert (cost["pence"], cost["waived"], len(cost["parts"])) == (2_700_000, False, 2)
        assert (
            "£27,000\n  £18,000 when the placement begins\n"
            in run("fees", "cost", "--link", str(link_id), *devon).stdout
        )

    def test_refuse_what_cannot_be_read(self) -> None:
        for wrong in (("--rate", "one=5"), ("--rate", "1=much"), ("--plan", "soon"), ("--continuing", "x")):
            assert run(*ADD, *wrong, "--agency", "sample-office").exit_code == 2
        assert run("fees", "tariff", "add", "--agency", "sample-office", "--name", "Half").exit_code == 2
