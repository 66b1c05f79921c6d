"""A month of fees between two councils: signed, invoiced, paid by a bank’s file, agreed by both, closed, and kept."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from concord.servers.login import DatabaseUrls
from matching.fee.journal.mapping import POSTED
from tenants.database import Database
from tests.browser import Visit
from tests.factories import Factories
from tests.journeys.desk import Desk
from tests.journeys.finance import Finance, finance
from tests.matching.placement.stage import TODAY

THIS_MONTH = TODAY.replace(day=1)
MOVED_IN = (THIS_MONTH - timedelta(days=1)).replace(day=10)
"""A day of the month that is closed."""
LAST_MONTH = f"{MOVED_IN:%B %Y}"
SCALE = {1: 27_000_00, 2: 43_000_00, 3: 60_000_00, 4: 68_000_00}
"""What the published tariff asks for so many children."""
FIRST = {children: fee * 2 // 3 for children, fee in SCALE.items()}
"""What of it is due when they move in."""


class TestMonthClose:
    def test_is_of_a_month_whose_fees_were_signed_raised_paid_and_agreed(self, visit: Visit, ground: Finance) -> None:
        desk = Desk(visit, ground)
        placed = {children: ground.match(children=children) for children in SCALE}
        late = ground.match(children=1)
        fees = {children: ground.agreement_of(pairing) for children, pairing in placed.items()}
        late_id, late_reference = ground.agreement_of(late)

        for pairing in placed.values():
            ground.place(pairing, on=MOVED_IN)
        sign_all(desk, [*(each for each, _ in fees.values()), late_id])
        ground.work_off()
        read_frozen(desk, fees)

        order(desk, fees[1], "PO-4711")
        set_up_account(desk)
        numbers = {children: invoice(desk, reference) for children, (_, reference) in fees.items()}
        receive(desk, numbers)

        hand_in(desk, bank_file(numbers))
        match(desk, numbers)

        agree_statement(desk)
        close(desk)
        take_journal(desk)

        ground.place(late, on=MOVED_IN + timedelta(days=5))
        ground.work_off()
        read_late(desk, late_reference)
        stay_out(desk)
        visit.check_quiet(ground.url)


def sign_all(desk: Desk, agreement_ids: list[UUID]) -> None:
    """Have the payer's manager and the payee's officer sign each agreement."""
    for person in (desk.ground.manager, desk.ground.payee):
        desk.sit(person)
        desk.open("/fees")
        desk.follow("Five agreements to sign")
        desk.heading("Fee agreements")
        *each, pays, paid = desk.amounts("Fee") + desk.amounts("Your agency pays") + desk.amounts("Your agency is paid")
        assert sum(each) == sum(SCALE.values()) + SCALE[1] == pays + paid
        for agreement_id in agreement_ids:
            desk.open(f"/fees/agreements/{agreement_id}")
            assert sum(desk.amounts("Amount")) == desk.amounts("Whole fee")[0]
            desk.press("Sign this agreement")
            desk.tab.get_by_role("button", name="Sign this agreement").wait_for(state="detached")
        desk.open("/fees/agreements?waiting=sign")
        assert "Nothing is left for your agency to sign." in desk.says()


def read_frozen(desk: Desk, fees: dict[int, tuple[UUID, str]]) -> None:
    """Have the payer's officer see the rate of the day kept, and their book balanced."""
    desk.sit(desk.ground.payer)
    agreement_id, reference = fees[2]
    desk.open(f"/fees/agreements/{agreement_id}")
    said = desk.look("fee-agreement", f"Fee agreement {reference}")
    assert "In force" in said
    assert f"{MOVED_IN.day} {LAST_MONTH}" in said
    assert desk.take("Take the agreement out as a PDF").startswith(b"%PDF-")
    desk.open("/fees/ledger")
    desk.look("fee-ledger", "Ledger")
    assert desk.adds_up("Debit") == desk.adds_up("Credit") > 0
    assert desk.adds_up("Together") == 0
    desk.follow("Due, Part 1")
    desk.tab.wait_for_url("**/fees/statements/lines/*")
    desk.look("fee-transaction", desk.tab.get_by_role("heading", level=1).inner_text())


def order(desk: Desk, fee: tuple[UUID, str], number: str) -> None:
    """Have the payer's officer give a purchase order."""
    desk.open("/fees")
    desk.look("fees", "Fees")
    desk.follow("Suppliers and orders")
    desk.look("suppliers", "Suppliers and orders")
    desk.follow(fee[1])
    desk.tab.get_by_label("Purchase order number").fill(number)
    desk.press("Save")
    desk.heading("Suppliers and orders")


def set_up_account(desk: Desk) -> None:
    """Have the payee's officer find out that VAT has to be chosen first, and choose it."""
    desk.sit(desk.ground.payee)
    desk.open("/fees")
    desk.follow("Four sums due to be invoiced")
    desk.look("invoice-new-without-account", "What is due to be invoiced")
    desk.follow("Set up what stands on your invoices")
    desk.tab.get_by_label("Address", exact=True).fill("1 Sample Street")
    desk.tab.get_by_label("Town").fill("Sampleton")
    desk.tab.get_by_label("Exempt").check()
    desk.press("Save")
    desk.look("payee-account", "Our account")


def invoice(desk: Desk, reference: str) -> str:
    """Invoice one agreement's first part by itself, take both papers, and return the number."""
    desk.open("/fees/invoices/new")
    desk.look("invoice-new", "What is due to be invoiced")
    boxes = desk.tab.get_by_role("checkbox")
    for place in range(boxes.count()):
        boxes.nth(place).uncheck()
    desk.tab.get_by_label(reference).check()
    desk.press("Issue the invoice")
    desk.tab.get_by_text("is outstanding").wait_for()
    desk.note()
    (line,) = desk.amounts("Amount")
    assert [line, 0, line] == [*desk.amounts("Net"), *desk.amounts("VAT"), *desk.amounts("Total")]
    heading = desk.tab.get_by_role("heading", level=1).inner_text()
    desk.look("invoice", heading)
    assert desk.take("as a PDF").startswith(b"%PDF-")
    written = desk.take("for a finance system (UBL)").decode()
    assert f">{line / 100:.2f}<" in written
    assert reference in written
    return heading.rpartition(" ")[2]


def receive(desk: Desk, numbers: dict[int, str]) -> None:
    """Have the payer's officer find the invoices, approve one to be paid, and see what it adds up to."""
    desk.sit(desk.ground.payer)
    desk.open("/fees")
    desk.follow("Four invoices to approve")
    desk.look("invoices-received", "Invoices received")
    assert desk.adds_up("Total") == desk.adds_up("Outstanding") == sum(FIRST.values())
    desk.follow(numbers[1])
    assert "PO-4711" in desk.says()
    desk.follow("Approve it to be paid")
    desk.press("Approve to pay")
    desk.tab.get_by_text("Approved to be paid").wait_for()


def bank_file(numbers: dict[int, str]) -> bytes:
    """Return what a bank would export of last week: UK columns, a charge, and payers who write as they like."""
    day = f"{TODAY:%d/%m/%Y}"
    slip = numbers[2].replace("-0000", "-000O")
    rows = [
        ("Date", "Type", "Payer", "Reference", "Paid out", "Paid in", "Balance"),
        (day, "BGC", "{payer}", f"{numbers[1]} PO-4711", "", "18,000.00", "118,000.00"),
        (day, "FPI", "{payer}", slip, "", "28,666.66", "146,666.66"),
        (day, "BGC", "{payer}", f"{numbers[3]} {numbers[4]}", "", "85,333.33", "231,999.99"),
        (day, "CHG", "SAMPLE BANK", "CHARGES", "12.50", "", "231,987.49"),
        (day, "BGC", "CAR PARK REFUNDS", "SEE LETTER", "", "812.50", "232,799.99"),
    ]
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("cp1252")


def hand_in(desk: Desk, content: bytes) -> None:
    """Have the payee's officer hand the file in, and say once what its columns hold."""
    payer = desk.ground.devon.name.upper().encode()
    desk.sit(desk.ground.payee)
    desk.open("/fees/remittances")
    desk.look("remittances", "Bank files")
    file = {"name": "receipts.csv", "mimeType": "text/csv", "buffer": content.replace(b"{payer}", payer)}
    desk.tab.get_by_label("The file").set_input_files(file)  # type: ignore[arg-type]
    desk.press("Hand in")
    desk.heading("receipts.csv")
    desk.ground.work_off()
    desk.tab.reload()
    desk.follow("Say what the columns hold")
    desk.look("remittance-columns", "What do the columns hold?")
    assert len(desk.amounts("Amount", table="The first lines")) >= 3
    desk.press("Read the file so")
    desk.heading("receipts.csv")
    desk.ground.work_off()
    desk.tab.reload()
    desk.look("remittance", "receipts.csv")
    came, went, _, whole = desk.amounts("Amount", table="What became of its lines")
    assert came + went == whole
    assert came == sum(FIRST.values()) + 812_50
    assert sum(desk.amounts("Amount", table="Lines of receipts.csv")) == whole
    desk.follow("Match what waits")


def match(desk: Desk, numbers: dict[int, str]) -> None:
    """Confirm what is sure, match the mistyped line by hand, and leave the unknown one waiting."""
    said = desk.look("fee-matching", "Match what was paid")
    assert desk.adds_up("Amount") == sum(FIRST.values()) + 812_50
    assert "Neither the reference nor the name says what it is." in said
    desk.press("Confirm all that are sure (2)")
    said = desk.look("fee-matching-confirmed", "Match what was paid")
    assert "Two lines of £103,333.33 confirmed." in said
    assert desk.adds_up("Amount") == FIRST[2] + 812_50

    desk.follow("Choose otherwise: £28,666.66")
    desk.look("fee-line", f"£28,666.66 of {TODAY.day} {TODAY:%B %Y}")
    box = desk.tab.get_by_label(f"This line pays of {numbers[2]}")
    assert box.input_value() == "28666.66"
    box.fill("28,666.66")
    desk.press("Post it so")
    said = desk.look("fee-matching-rest", "Match what was paid")
    assert desk.adds_up("Amount") == 812_50
    assert "CAR PARK REFUNDS" in said
    assert "new today" in said
    desk.open("/fees/invoices?side=issued")
    desk.look("invoices-issued", "Invoices issued")
    assert (desk.adds_up("Total"), desk.adds_up("Outstanding")) == (sum(FIRST.values()), 0)


def agree_statement(desk: Desk) -> None:
    """Have the payee's officer draw a statement up, and the payer's agree to it."""
    desk.open("/fees/statements")
    desk.follow(f"With {desk.ground.devon.name}")
    said = desk.look("fee-statement-draw", f"Statement with {desk.ground.devon.name}")
    assert "The accounts of your book come to something else" not in said
    columns = ("Agreed, not yet due", "Due, not invoiced", "Invoiced, not paid", "Paid ahead")
    side = f"What {desk.ground.devon.name} pays {desk.ground.dorset.name}: opening, what moved, closing"
    closings = [desk.adds_up(label, table=side) for label in columns]
    assert closings == [sum(SCALE.values()) + SCALE[1] - sum(FIRST.values()), 0, 0, 0]
    desk.press("Draw up and agree for your agency")
    desk.tab.get_by_text("to agree.").wait_for()
    desk.note()

    desk.sit(desk.ground.payer)
    desk.open("/fees")
    desk.follow("One statement to agree")
    desk.look("fee-statements", "Statements")
    desk.follow(f"With {desk.ground.dorset.name} until")
    assert "Your agency’s own book says the same, line by line." in desk.says()
    assert [desk.adds_up(label, table=side) for label in columns] == closings
    desk.press("Agree for your agency")
    desk.tab.get_by_text(re.compile("^Agreed by")).wait_for()
    desk.look("fee-statement", f"Statement with {desk.ground.dorset.name} until {TODAY.day} {TODAY:%B %Y}")


def close(desk: Desk) -> None:
    """Have the payee's officer close the month with its totals."""
    desk.sit(desk.ground.payee)
    desk.open("/fees")
    desk.follow("One month to close")
    said = desk.look("fee-periods", "Months")
    # What came in this month and waits is not of the month that is closed.
    assert "Nothing is left to finish." in said
    desk.press(f"Close {LAST_MONTH}")
    desk.look("fee-period", f"{LAST_MONTH}, as it was closed")
    assert desk.adds_up("Debit") == desk.adds_up("Credit") > sum(FIRST.values())
    assert (desk.adds_up("Brought in"), desk.adds_up("Carried out")) == (0, 0)


def take_journal(desk: Desk) -> None:
    """Have the payee's officer say what their finance system calls each account, and take the closed month."""
    desk.open("/fees/journal")
    desk.follow("Add a layout")
    desk.tab.get_by_label("Name", exact=True).fill("Sample ledger")
    for place, account in enumerate(POSTED):
        desk.tab.get_by_label(f"Ledger code of: {account.label}", exact=True).fill(f"N{place:03d}")
    desk.look("fee-journal-layout", "Layout of a journal")
    desk.press("Keep the layout")
    desk.heading("Journals")
    desk.tab.get_by_label("Month").select_option(label=LAST_MONTH)
    desk.press("Show the control totals")
    said = desk.look("fee-journals", "Journals")
    assert f"{LAST_MONTH}, closed" in said
    rows = list(csv.DictReader(io.StringIO(desk.take("Take the journal away").decode("utf-8-sig"))))
    totals = [sum(float(row[column] or 0) for row in rows) for column in ("Debit", "Credit")]
    assert [f"£{total:,.2f}" in said for total in totals] == [True, True]
    assert round(totals[0] * 100) == round(totals[1] * 100) == sum(FIRST.values())


def read_late(desk: Desk, reference: str) -> None:
    """Have the payee's officer see that what was told after both signed is due from then, not in the closed month."""
    desk.open("/fees/ledger?account=to_invoice")
    said = desk.look("fee-ledger-late", "Ledger")
    assert reference in said
    assert "counts in" not in said
    desk.open("/fees/periods")
    desk.follow(LAST_MONTH)
    assert "The ledger still comes to these totals." in desk.says()


def stay_out(desk: Desk) -> None:
    """Have a third agency's finance officer find nothing of it anywhere."""
    assert len(desk.seen) >= 15
    desk.sees_nothing(desk.ground.stranger)
    pages = ("", "/agreements", "/invoices", "/ledger", "/periods", "/matching", "/remittances", "/statements")
    for page in pages:
        desk.open(f"/fees{page}")
        assert not [word for word in ("£18,000", "PO-4711", "INV-0", "Agreed by") if word in desk.says()], page


@pytest.fixture
def ground(factories: Factories, database: Database, migrated: DatabaseUrls, valkey_url: str) -> Iterator[Finance]:
    """Two councils, a third agency and their finance people, on a site of their own."""
    with finance(factories, database, migrated, valkey_url) as ground:
        yield ground
