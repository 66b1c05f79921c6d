"""Pages of bank files and of matching: hand in, say what columns hold, confirm, choose otherwise, take back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from matching.fee.reconciliation.settling import LineSettled, SureResult, confirm_sure
from matching.fee.remittance.line import LineState, list_lines
from matching.fee.remittance.remittance import get_remittance
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import TODAY, Factories, Tenant
from tests.fee_tables import check_tables
from tests.matching.fee.reconciliation.bank import Bank, make_bank
from tests.matching.fee.remittance.samples import MT940, csv_of
from tests.platform.web.equal import page_of
from tests.site import Visitor
from workers.handler import HANDLERS
from workers.runner import JobRunner

Visit = Callable[[Tenant], Visitor]


@pytest.fixture
def bank(database: Database, migrated: DatabaseUrls, factories: Factories) -> Bank:
    """A payee and two payers."""
    return make_bank(database, migrated, factories)


def hand_in(visitor: Visitor, content: bytes, *, purpose: str = "receipts", name: str = "bank.csv") -> str:
    """Hand a file in on the page, and return where it leads."""
    visitor.get("/fees/remittances")
    answer = visitor.post("/fees/remittances", {"purpose": purpose, "file": (BytesIO(content), name)})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def work(bank: Bank, path: str, tenant: Tenant | None = None) -> None:
    """Let a worker read the file of an address."""
    with bank.database.transaction((tenant or bank.payee).scope) as session:
        job_id = get_remittance(session, UUID(path.rsplit("/", 1)[1])).job_id
    JobRunner(bank.database, HANDLERS).run(job_id)


def said(visitor: Visitor, path: str) -> str:
    """Return what a page says."""
    assert visitor.get(path).status_code == 200
    return page_of(visitor).text


class TestRemittances:
    def test_take_a_file_from_upload_to_lines_that_add_up(self, bank: Bank, visit_as: Visit) -> None:
        officer, stranger = visit_as(bank.payee), visit_as(bank.payer)
        content = csv_of([("02/04/2026", "DEVON CC", "INV-1", "1,000.00"), ("03/04/2026", "BANK", "FEE", "-5.00")])

        path = hand_in(officer, content)
        assert "waiting to begin" in said(officer, path)
        work(bank, path)
        assert "Say what the columns hold" in said(officer, path)
        assert "bank file waits" in said(officer, "/fees")
        columns = f"{path}/columns"
        assert "DEVON CC" in said(officer, columns)
        chosen = {"column-0": "date", "column-1": "payer", "column-2": "reference", "column-3": "amount"}
        assert "no day" in _posted(
            officer, columns, {**chosen, "column-0": "payer", "column-1": "date", "preview": "y"}
        )
        assert officer.post(columns, {"column-0": "date", "save": "yes"}).status_code == 422
        officer.get(columns)
        assert officer.post(columns, {**chosen, "save": "yes"}).status_code == 303
        work(bank, path)

        text = said(officer, path)
        assert "£1,000.00" in text
        assert "−£5.00" in text
        assert "£995.00" in text
        assert "Match what waits" in text
        assert hand_in(officer, content, name="again.csv") == f"{path}?known=yes"
        assert "this very file before" in said(officer, f"{path}?known=yes")
        export = officer.get(f"{path}?file=bank-lines.csv").get_data(as_text=True)
        assert "DEVON CC" in export
        assert "1000.00" in export
        assert check_tables(officer, path) == {"bank-lines"}
        assert check_tables(officer, "/fees/remittances") == {"bank-files"}
        back = f"{path}/back"
        assert "Two lines that nobody has settled" in said(officer, back)
        assert [officer.post(back, {"reason": each}).status_code for each in ("", "Another account’s.")] == [422, 303]
        text = said(officer, path)
        assert "Another account’s." in text
        assert "Match what waits" not in text
        assert "Taken back with its file: two lines" in text
        assert f"{path}/back" not in page_of(officer).links().values()
        line = next(each for each in page_of(officer).links().values() if each.startswith("/fees/matching/"))
        assert "Its file was taken back by Sam Sample" in said(officer, line)
        assert check_tables(officer, path) == {"bank-lines"}
        fresh = hand_in(officer, content)
        assert fresh != path
        work(bank, fresh)
        assert "bank file waits" in said(officer, "/fees")
        officer.get(f"{fresh}/back")
        assert officer.post(f"{fresh}/back", {"reason": "Handed in by mistake."}).status_code == 303
        assert "bank file waits" not in said(officer, "/fees")
        assert "Handed in by mistake." in said(officer, fresh)
        assert stranger.get(back).status_code == 404
        unknown = stranger.get(f"/fees/remittances/{uuid4()}").get_data(as_text=True)
        assert stranger.get(path).status_code == 404
        assert unknown.count("There is no such file") == 1
        assert "bank.csv" not in said(stranger, "/fees/remittances")

    def test_say_why_a_file_is_refused(self, bank: Bank, visit_as: Visit) -> None:
        officer = visit_as(bank.payee)

        path = hand_in(officer, MT940.replace(b"27889,50", b"1,00"), name="may.sta")
        work(bank, path)

        assert "A line may be missing" in said(officer, path)
        assert "Refused whole" in said(officer, "/fees/remittances")
        assert officer.post("/fees/remittances", {"purpose": "receipts"}).status_code == 422

    @pytest.mark.parametrize("path", ["/fees/remittances", "/fees/matching", "/fees/held", "/fees/matching.csv"])
    def test_are_for_finance_officers(self, bank: Bank, visit_as: Visit, factories: Factories, path: str) -> None:
        manager = factories.colleague(bank.payee, roles=frozenset({Role.MANAGER}))

        assert visit_as(manager).get(path).status_code == 403


class TestMatching:
    def test_confirms_one_all_sure_ones_and_by_hand(self, bank: Bank, visit_as: Visit) -> None:
        first = bank.invoice(100_000)
        rows = [(100_000, bank.payer.name, bank.number)]
        second = bank.invoice(50_000)
        rows += [(50_000, "SOMEBODY", bank.number), (2_500, "J SMITH", "GIFT")]
        third = bank.invoice(7_000)
        lines = bank.lines(*rows)
        officer = visit_as(bank.payee)

        text = said(officer, "/fees/matching")
        assert "Confirm all that are sure (1)" in text
        assert "£1,525.00" in text
        export = officer.get("/fees/matching.csv?certain=sure").get_data(as_text=True)
        assert export.count("\r\n") == 2
        marks = [each.get("value") for each in _inputs(officer, "/fees/matching", "sure")]
        assert officer.post("/fees/matching/sure", {"sure": marks}).status_code == 200
        assert "One line of £1,000.00 confirmed" in page_of(officer).text
        officer.get(f"/fees/matching/{lines[1]}")
        wrong = officer.post(f"/fees/matching/{lines[1]}", {f"share-{second}": "5,000"})
        assert wrong.status_code == 409
        assert "is owed by now" in wrong.get_data(as_text=True)
        assert officer.post(f"/fees/matching/{lines[1]}", {f"share-{second}": "x"}).status_code == 422
        by_hand = {f"share-{second}": "400.00", f"share-{third}": "", "payer": str(bank.payer.id)}
        told = {**by_hand, "reason": "They told us by telephone."}
        assert officer.post(f"/fees/matching/{lines[1]}", {**by_hand, "reason": "x" * 10_001}).status_code == 422
        assert "at most 10,000 characters" in page_of(officer).text
        assert bank.left(second)[0] == [50_000]
        assert officer.post(f"/fees/matching/{lines[1]}", told).status_code == 303
        assert bank.left(first, second, third)[0] == [0, 10_000, 7_000]
        assert bank.held() == (-10_000, 10_000)

        made = said(officer, f"/fees/matching/{lines[1]}")
        assert "Sam Sample" in made
        assert "They told us by telephone." in made
        assert "£100.00" in said(officer, "/fees/held")
        assert officer.post(f"/fees/held/{third}").status_code == 303
        assert bank.left(third)[0] == [0]
        assert check_tables(officer, "/fees/held") == {"held", "held-used"}
        back = next(link for link in page_of(_at(officer, "/fees/held")).links().values() if link.endswith("/back"))
        officer.get(back)
        assert officer.post(back, {"reason": "Too early."}).status_code == 303
        assert bank.left(third)[0] == [7_000]

        aside = f"/fees/matching/{lines[2]}/aside"
        officer.get(aside)
        assert officer.post(aside, {"reason": ""}).status_code == 422
        assert officer.post(aside, {"reason": "A gift."}).status_code == 303
        assert "A gift." in said(officer, f"/fees/matching/{lines[2]}")
        # Pages go by this day, and look at the debits of the last 92.
        by_debit = bank.lines((-6_000, bank.payer.name, "REFUND"), (-4_000, "QZX", "RENT"), on=utc_now().date())
        assert f"Pays back what was held to {bank.payer.name}" in said(officer, "/fees/matching")
        assert officer.post(f"/fees/matching/{by_debit[0]}", {"back": str(bank.other.id)}).status_code == 409
        assert officer.post(f"/fees/matching/{by_debit[0]}", {"back": str(bank.payer.id)}).status_code == 303
        assert bank.held() == (-4_000, 4_000)
        assert f"to {bank.payer.name}: £60.00" in said(officer, f"/fees/matching/{by_debit[0]}")
        assert "Post it as paid back" in said(officer, f"/fees/matching/{by_debit[1]}")
        assert check_tables(officer, "/fees/held") == {"held", "held-paid-back"}
        undo = f"/fees/matching/{by_debit[0]}/back"
        officer.get(undo)
        assert officer.post(undo, {"reason": "Another payer’s."}).status_code == 303
        assert bank.held() == (-10_000, 10_000)
        again = f"/fees/matching/{lines[1]}/back"
        officer.get(again)
        assert officer.post(again, {"reason": "Wrong agency."}).status_code == 303
        assert bank.left(second)[0] == [50_000]
        assert "They told us by telephone." not in said(officer, f"/fees/matching/{lines[1]}")
        assert "No bank line waits" not in said(officer, "/fees/matching")

    def test_confirms_sure_ones_a_few_at_a_time(
        self, bank: Bank, visit_as: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invoices, rows = [], []
        for pence in (100_000, 20_000, 3_000):
            invoices.append(bank.invoice(pence))
            rows.append((pence, bank.payer.name, bank.number))
        bank.lines(*rows)
        officer, calls = visit_as(bank.payee), []

        def stopped(session: Session, marks: dict[UUID, str], *, now: datetime) -> SureResult:
            calls.append(len(marks))
            if len(calls) == 2:
                raise LineSettled("Ask again in a moment.")
            return confirm_sure(session, marks, now=now)

        def press() -> str:
            marks = [each.get("value") for each in _inputs(officer, "/fees/matching", "sure")]
            assert officer.post("/fees/matching/sure", {"sure": marks}).status_code == 200
            return page_of(officer).text

        monkeypatch.setattr("concord.web.fee_matching.IN_ONE_GO", 2)
        monkeypatch.setattr("concord.web.fee_matching.confirm_sure", stopped)
        text = press()
        assert "Two lines of £" in text
        assert "confirmed. One line that is sure waits still. Ask again in a moment." in text
        assert (calls, sorted(bank.left(*invoices)[0])[:2]) == ([2, 1], [0, 0])
        monkeypatch.setattr("concord.web.fee_matching.SECONDS", -1)
        assert "No lines of £0.00 confirmed. One line that is sure waits still." in press()
        monkeypatch.undo()
        assert "sure waits still" not in press()
        assert bank.left(*invoices)[0] == [0, 0, 0]

    def test_lets_a_council_pay_by_hand_what_another_agency_owes(self, bank: Bank, visit_as: Visit) -> None:
        owed = bank.invoice(90_000)
        (line,) = bank.lines((90_000, bank.other.name, "FEES NOVEMBER"))
        officer, path = visit_as(bank.payee), f"/fees/matching/{line}"
        assert f"Open invoices of {bank.payer.name}" not in said(officer, path)
        assert bank.number in said(officer, f"{path}?payer={bank.payer.id}")
        posted = officer.post(path, {"payer": str(bank.payer.id), f"share-{owed}": "900.00"})

        assert posted.status_code == 303
        assert (bank.left(owed), bank.held()) == ([[0], [0]], (0, 0))
        assert bank.other.name in said(officer, path)

    def test_undoes_a_credit_that_came_back(self, bank: Bank, visit_as: Visit) -> None:
        bank.invoice(100_000)
        lines = bank.lines(
            (100_000, bank.payer.name, bank.number), (-100_000, bank.payer.name, f"RETURNED {bank.number}")
        )
        officer = visit_as(bank.payee)
        assert "Undoes an earlier payment" in said(officer, "/fees/matching")

        assert officer.post(f"/fees/matching/{lines[1]}", {"credit": str(lines[0])}).status_code == 303

        with bank.database.transaction(bank.payee.scope) as session:
            assert [each.state for each in list_lines(session)] == [LineState.REVERSED] * 2
        assert "No bank line waits" in said(officer, "/fees/matching")

    def test_hides_another_agencys_lines_as_if_there_were_none(self, bank: Bank, visit_as: Visit) -> None:
        (line_id,) = bank.lines((100_000, bank.payer.name, "X"))
        other = visit_as(bank.payer)
        other.get("/fees/matching")
        pages = (f"/fees/matching/{line_id}", f"/fees/matching/{line_id}/aside", f"/fees/matching/{line_id}/back")

        assert [other.get(path).status_code for path in pages] == [404] * 3
        assert other.post(pages[0], {"credit": str(line_id)}).status_code == 404
        assert f"{TODAY:%Y}" in said(visit_as(bank.payee), pages[0])


def _posted(visitor: Visitor, path: str, data: dict[str, str]) -> str:
    visitor.post(path, data)
    return page_of(visitor).text


def _at(visitor: Visitor, path: str) -> Visitor:
    visitor.get(path)
    return visitor


def _inputs(visitor: Visitor, path: str, name: str) -> list[dict[str, str]]:
    visitor.get(path)
    return [dict(each.attrib) for each in page_of(visitor).all("input") if each.get("name") == name]
