"""Pages of tariffs and agreements: the office keeps tariffs, both sides sign, and nobody else is told of either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pikepdf
import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.agreement import FeeAgreement, get_agreement, list_addenda
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.fee_tables import check_tables, read_file
from tests.matching.fee.fee_ground import FeeGround, make_fee_ground
from tests.page import text_of
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
TODAY = utc_now().date()
YEAR = TODAY.year + 1
TARIFF = {
    "name": "Our standard fee",
    "payee_kind": "standard",
    "nation": "",
    "london": "no",
    "begins_on": ["1", "4", str(YEAR)],
    "ends_on": ["", "", ""],
    "rate_1": "£20,000.50",
    "plan": "2/3 placement\n1/3 order or 12 months",
    "source": "The board’s minute 7.",
}


WRONG: tuple[tuple[dict[str, object], str, str], ...] = (
    ({"payee_kind": "council", "nation": "england"}, "holds for the same payees", "begins_on-day"),
    ({"rate_1": "twenty"}, "Enter an amount in pounds", "rate_1"),
    ({"rate_1": "-5"}, "Enter an amount in pounds", "rate_1"),
    ({"plan": "1/2 placement"}, "must come to the whole fee", "plan"),
    ({"plan": "soon"}, "can’t be read", "plan"),
    ({"source": ""}, "Enter where the figures are published", "source"),
    ({"continuing": "900"}, "after how many months", "continuing_after_months"),
    ({"continuing_after_months": "12"}, "after how many months", "continuing"),
    ({"london": "yes", "london_percent": "10"}, "that is not London’s own", "london_percent"),
    ({"begins_on": ["31", "2", "2030"]}, "Enter a real date", "begins_on-day"),
    ({"ends_on": ["1", "4", "2020"]}, "cannot lie before the first", "ends_on-day"),
)
"""What is typed, what the page says of it, and the box that it says it of."""


@pytest.fixture(scope="module")
def ground(factories: Factories, database: Database) -> FeeGround:
    """A consortium with the published tariffs."""
    return make_fee_ground(factories, database)


def said(visitor: Visitor, path: str) -> str:
    assert visitor.get(path).status_code == 200
    assert visitor.page
    return visitor.page.text


class TestTariffs:
    def test_are_taken_in_added_to_and_followed_by_the_next(self, visit_as: Visit, factories: Factories) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        member = visit_as(factories.tenant(consortium_id))
        keeper = visit_as(office)
        assert "keeps no tariffs yet, so nothing is priced. Its office adds them." in said(member, "/fees/tariffs")
        assert "Begin with the figures that are published" in said(keeper, "/fees/tariffs")

        assert keeper.post("/fees/tariffs/adopt").status_code == 303
        listed = said(keeper, "/fees/tariffs")
        assert "£39,245.00" in listed
        assert check_tables(keeper, "/fees/tariffs") == {"tariffs"}
        assert "Voluntary agencies, England, 2025 to 2026: ended on" in listed
        assert "tariff to be followed by the next" in said(keeper, "/fees")
        assert keeper.post("/fees/tariffs/adopt").status_code == 409

        keeper.get("/fees/tariffs/new")
        made = keeper.post("/fees/tariffs/new", TARIFF)
        assert made.status_code == 303
        path = made.headers["Location"]
        page = said(keeper, path)
        assert "£20,000.50" in page
        assert "2/3 when the placement begins" in page
        form = said(keeper, f"{path}/next")
        assert "The board’s minute 7." not in form
        later = {**TARIFF, "begins_on": ["1", "4", str(YEAR + 1)], "rate_1": "21,000"}
        again = keeper.post(f"{path}/next", later)
        assert again.status_code == 303
        assert "£999.50" in said(keeper, again.headers["Location"])
        # The one before ends on the day before it.
        assert f"to 31 March {YEAR + 1}" in said(keeper, path)
        keeper.get(f"{again.headers['Location']}/end")
        assert keeper.post(f"{again.headers['Location']}/end", {"ends_on": ["1", "4", "2020"]}).status_code == 422
        assert (
            keeper.post(f"{again.headers['Location']}/end", {"ends_on": ["31", "3", str(YEAR + 2)]}).status_code == 303
        )
        assert keeper.post(f"{again.headers['Location']}/remove").status_code == 303
        assert keeper.get(again.headers["Location"]).status_code == 404

    def test_are_refused_where_they_cannot_be(self, visit_as: Visit, ground: FeeGround) -> None:
        keeper = visit_as(ground.office)
        keeper.get("/fees/tariffs/new")

        for wrong, words, box in WRONG:
            answer = keeper.post("/fees/tariffs/new", {**TARIFF, **wrong})

            assert answer.status_code == 422
            assert keeper.page
            assert {to for text, to in keeper.page.links().items() if words in text} == {f"#{box}"}
            [beside] = [each for each in keeper.page.all("p") if each.get("id") == f"{box.removesuffix('-day')}-error"]
            assert words in text_of(beside)

    def test_are_the_offices_to_keep(self, visit_as: Visit, ground: FeeGround) -> None:
        member = visit_as(ground.devon)
        assert "Add a tariff" not in said(member, "/fees/tariffs")

        for path in ("/fees/tariffs/new", "/fees/rules"):
            assert member.get(path).status_code == 403
        assert member.post("/fees/tariffs/adopt").status_code == 403
        assert member.get(f"/fees/tariffs/{uuid4()}").status_code == 404

    def test_come_with_rules_that_the_office_sets(self, visit_as: Visit, ground: FeeGround) -> None:
        keeper = visit_as(ground.office)
        keeper.get("/fees/rules")
        when = TODAY + timedelta(days=400)
        rules = {
            "begins_on": [str(when.day), str(when.month), str(when.year)],
            "pricing": "standard",
            "counts_from": "moving_in",
            "disruption": "stand",
            "waives_swaps": "no",
            "leg_falls": "charged",
            "why": "The board’s minute 8.",
        }

        assert keeper.post("/fees/rules", rules).status_code == 303
        assert keeper.post("/fees/rules", rules).status_code == 422
        assert "The board’s minute 8." in said(visit_as(ground.devon), "/fees/tariffs")


class TestAgreement:
    def test_is_signed_by_both_amended_and_taken_out(
        self, visit_as: Visit, ground: FeeGround, database: Database
    ) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        devon, dorset = visit_as(ground.devon), visit_as(ground.dorset)
        path = f"/fees/agreements/{agreement_id}"
        officer = frozenset({Role.FINANCE_OFFICER})
        double = visit_as(ground.factories.of_both(ground.devon, ground.dorset, roles=officer))
        double.get("/acting")
        double.post("/acting", {"choice": f"{ground.devon.id}:{ground.devon.scope.consortium_id}"})
        page = said(double, path)
        assert "You hold roles in both agencies that this concerns" in page
        assert "Sign this agreement" not in page
        departures = said(double, f"{path}/exceptions")
        assert "You hold roles in both agencies that this concerns" in departures
        assert "Ask for one" not in departures
        assert "ne agreement to sign" in said(devon, "/fees")
        assert "Your agency pays" in said(devon, "/fees/agreements")
        assert "£18,000" in said(devon, path)

        with transaction(database, ground.devon) as session:
            placement = f"/links/{get_agreement(session, agreement_id).link_id}/placement"
        assert "is not signed by both agencies yet" in said(devon, placement)
        assert "£" not in said(devon, placement)
        assert devon.post(f"{path}/sign", {"version": "7"}).status_code == 409
        for visitor in (devon, dorset):
            said(visitor, path)
            with transaction(database, ground.devon) as session:
                version = get_agreement(session, agreement_id).version
            assert visitor.post(f"{path}/sign", {"version": str(version)}).status_code == 303
        page = said(dorset, path)
        assert page.count("signed by Sam Sample") == 2
        assert "Fee agreement" not in said(devon, placement)
        dorset.get(f"{path}/addenda/new")
        amended = {"version": "3", "amount": "26,000", "children": "1", "reason": "Settled by the two heads."}
        assert dorset.post(f"{path}/addenda/new", {**amended, "amount": "27,000"}).status_code == 422
        assert dorset.post(f"{path}/addenda/new", amended).status_code == 303
        assert "addendum to sign" in said(devon, "/fees")
        for version, visitor in ((4, devon), (5, dorset)):
            said(visitor, path)
            signed = visitor.post(f"{path}/addenda/1/sign", {"version": str(version)})
            assert signed.status_code == 303
        assert "£26,000" in said(devon, path)
        with transaction(database, ground.devon) as session:
            reference = get_agreement(session, agreement_id).reference
            assert list_addenda(session, [agreement_id])[agreement_id][0].is_signed
        assert {"months", "forecast"} <= check_tables(devon, "/fees/reports")

        made = devon.client.get(f"{path}/agreement.pdf")
        assert reference in made.headers["Content-Disposition"]
        with pikepdf.open(BytesIO(made.data)) as pdf:
            assert "pdfuaid:part" in pdf.Root.Metadata.read_bytes().decode()
        rows = read_file(devon, f"/fees/agreements?reference={reference}&file=fee-agreements.csv")
        assert [row[0] for row in rows[:2]] == ["Reference", reference]
        assert rows[1][-1] == "26000.00"
        assert check_tables(devon, "/fees/agreements") == {"fee-agreements"}

    def test_without_a_figure_says_so_until_the_two_settle_it(self, visit_as: Visit, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.charity)
        devon, path = visit_as(ground.devon), f"/fees/agreements/{agreement_id}"
        page = said(devon, path)
        assert "Not priced. No tariff of voluntary agencies in England holds" in page
        assert "Sign this agreement" not in page
        assert "agreement without an amount" in said(devon, "/fees")
        assert devon.post(f"{path}/sign", {"version": "1"}).status_code == 422
        assert devon.post(f"{path}/price", {"version": "1"}).status_code == 303

        devon.get(f"{path}/fee")
        typed = {"version": "2", "amount": "40000", "plan": "full", "reason": "The board’s minute 3."}
        assert devon.post(f"{path}/fee", {**typed, "plan": ""}).status_code == 422
        assert devon.post(f"{path}/fee", {**typed, "amount": ""}).status_code == 422
        assert devon.post(f"{path}/fee", typed).status_code == 303

        page = said(devon, path)
        assert "Settled between the two agencies, not by a tariff: £40,000. The board’s minute 3." in page
        assert "Sign this agreement" in page

    def test_is_hidden_from_others_as_if_there_were_none(
        self, visit_as: Visit, ground: FeeGround, factories: Factories
    ) -> None:
        officer = visit_as(factories.colleague(ground.dorset, roles=frozenset({Role.FINANCE_OFFICER})))
        agreement_id = ground.match(ground.devon, ground.dorset)
        finder = visit_as(factories.colleague(ground.devon, roles=frozenset({Role.FAMILY_FINDER})))
        other = visit_as(ground.charity)
        told = "A fee agreement waits for your agency’s signature"
        assert told in said(officer, "/notices")
        assert "calendar" not in said(officer, "/notices")
        assert f"/fees/agreements/{agreement_id}" in page_of(officer).links().values()
        assert told not in said(finder, "/notices")
        other.get("/notices")
        assert f"/fees/agreements/{agreement_id}" not in page_of(other).links().values()

        hidden, missing = other.get(f"/fees/agreements/{agreement_id}"), other.get(f"/fees/agreements/{uuid4()}")
        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert other.client.get(f"/fees/agreements/{agreement_id}/agreement.pdf").status_code == 404
        for path in ("/fees", "/fees/agreements", "/fees/cost", "/fees/tariffs", f"/fees/agreements/{agreement_id}"):
            assert finder.get(path).status_code == 403
        assert "No agreement is so." in said(other, "/fees/agreements?reference=FA-ZZZZZZ")


class TestCost:
    def test_is_shown_once_a_family_is_chosen(
        self, visit_as: Visit, ground: FeeGround, database: Database, database_urls: DatabaseUrls
    ) -> None:
        agreement_id = ground.match(ground.region, ground.dorset, months=(50, 60))
        visitor = visit_as(ground.region)
        with transaction(database, ground.region) as session:
            link_id = session.get_one(FeeAgreement, agreement_id).link_id
        assert "No family of another agency is chosen" in said(visitor, "/fees/cost")
        assert visitor.get(f"/fees/cost/{link_id}").status_code == 404
        with psycopg.connect(libpq_url(database_urls.admin), autocommit=True) as admin:
            admin.execute("UPDATE link SET state = 'matched' WHERE id = %s", (link_id,))

        assert ground.dorset.name in said(visitor, "/fees/cost")
        page = said(visitor, f"/fees/cost/{link_id}")
        assert "£43,000" in page
        assert "G-" not in page
        assert "H-" not in page
        ahead = TODAY + timedelta(days=30)
        asked = f"day={ahead.day}&day={ahead.month}&day={ahead.year}"
        assert f"expected on {ahead.day} {ahead:%B %Y}" in said(visitor, f"/fees/cost/{link_id}?{asked}")
        assert visitor.get(f"/fees/cost/{link_id}?day=1&day=1&day=2001").status_code == 422
        assert visitor.get(f"/fees/cost/{link_id}?day=1&day=13&day=2027").status_code == 422
        assert visit_as(ground.dorset).get(f"/fees/cost/{link_id}").status_code == 404


class TestPayers:
    def test_are_asked_confirmed_and_ended_by_the_two(self, visit_as: Visit, ground: FeeGround) -> None:
        council, region = visit_as(ground.dorset), visit_as(ground.region)
        assert "pays for its own children" in said(council, "/fees/payers")
        council.get("/fees/payers/new")
        begins = [str(TODAY.day), str(TODAY.month), str(TODAY.year)]
        assert council.post("/fees/payers/new", {"begins_on": begins}).status_code == 422
        past = {"payer": str(ground.region.id), "begins_on": ["1", "4", "2020"]}
        assert council.post("/fees/payers/new", past).status_code == 422
        words = "It cannot begin before today: agreements name who paid then."
        assert page_of(council).links()[words] == "#begins_on-day"
        asked = {"payer": str(ground.region.id), "begins_on": begins}
        assert council.post("/fees/payers/new", asked).status_code == 303
        assert "Ask a regional agency to pay" not in said(council, "/fees/payers")
        assert "set the last day of this one first" in said(council, "/fees/payers")
        assert council.post("/fees/payers/new", asked).status_code == 422
        assert "agency asks yours to pay" in said(region, "/fees")
        said(region, "/fees/payers")
        assert region.page
        [confirm] = [form.attrib["action"] for form in region.page.all("form") if "confirm" in form.get("action", "")]
        assert council.post(confirm).status_code == 404
        assert region.post(confirm).status_code == 303
        assert "confirmed by" in said(council, "/fees/payers")
        end = confirm.replace("/confirm", "/end")
        council.get(end)
        assert council.post(end, {"ends_on": ["1", "1", "2001"]}).status_code == 422
        assert council.post(end, {"ends_on": begins}).status_code == 303

    def test_come_with_limits_that_a_manager_sets(
        self, visit_as: Visit, ground: FeeGround, factories: Factories
    ) -> None:
        officer = visit_as(factories.colleague(ground.charity, roles=frozenset({Role.FINANCE_OFFICER})))
        manager, path = visit_as(ground.charity), "/fees/limits/finance_officer"
        manager.get(path)

        assert manager.post(path, {"amount": "30,000"}).status_code == 303
        assert "Up to £30,000" in said(officer, "/fees/payers")
        officer.get(path)
        assert officer.post(path, {"amount": "90000"}).status_code == 403
        # A higher one holds once a second person has agreed to what they saw.
        manager.get(path)
        assert manager.post(path, {"amount": ""}).status_code == 303
        listed = said(manager, "/fees/payers")
        assert "asked on" in listed
        assert "for any amount" in listed
        assert "Up to £30,000" in listed
        assert "Agree to it" not in listed
        assert manager.post(f"{path}/asked", {"pence": "", "approve": "yes"}).status_code == 403
        # Nobody whom it binds agrees to it.
        assert "higher signing limit to agree to" not in said(officer, "/fees")
        assert "Agree to it" not in said(officer, "/fees/payers")
        assert officer.post(f"{path}/asked", {"pence": "", "approve": "yes"}).status_code == 403
        second = visit_as(factories.colleague(ground.charity, roles=frozenset({Role.MANAGER})))
        assert "higher signing limit to agree to" in said(second, "/fees")
        assert "Agree to it" in said(second, "/fees/payers")
        assert second.post(f"{path}/asked", {"pence": "1", "approve": "yes"}).status_code == 409
        assert second.post(f"{path}/asked", {"pence": "", "approve": "yes"}).status_code == 303
        assert "Any amount" in said(officer, "/fees/payers")
        assert officer.post("/fees/limits/manager/asked", {"pence": "", "approve": "no"}).status_code == 409
