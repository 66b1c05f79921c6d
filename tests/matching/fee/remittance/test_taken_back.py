"""Bank files taken back: all of their lines that nobody settled at once, and none of them counted twice after."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from concord.servers.login import DatabaseUrls
from matching.fee.reconciliation.advice import list_advised
from matching.fee.reconciliation.fact import Share
from matching.fee.reconciliation.queue import read_line, read_queue
from matching.fee.reconciliation.settling import LineSettled, confirm_match, set_aside, take_back
from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.line import LineState, count_waiting, list_lines
from matching.fee.remittance.mapping import choose_mapping, preview_mapping
from matching.fee.remittance.remittance import (
    Purpose,
    Remittance,
    RemittanceState,
    RemittanceUnknown,
    count_asking,
    get_remittance,
    request_remittance,
)
from matching.fee.remittance.taken_back import NothingTaken, count_leaving, count_lines, reason_of, take_file_back
from matching.sealed_words import WordsMissing
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories
from tests.matching.fee.reconciliation.bank import Bank, make_bank
from tests.matching.fee.remittance.samples import MT940, csv_of
from tests.matching.fee.remittance.taking import take

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def bank(database: Database, migrated: DatabaseUrls, factories: Factories) -> Bank:
    """A payee and two payers."""
    return make_bank(database, migrated, factories)


def row(bank: Bank, pence: int, reference: str, name: str | None = None) -> tuple[str, str, str, str]:
    """Return a row of a file."""
    return f"{TODAY:%d/%m/%Y}", name or bank.payer.name, reference, f"{pence / 100:.2f}"


class TestTakeFileBack:
    def test_takes_what_nobody_settled_and_lets_the_file_come_again(self, bank: Bank, factories: Factories) -> None:
        invoice_id = bank.invoice(10_000)
        content = csv_of(
            [row(bank, 10_000, bank.number), row(bank, 500, "GIFT"), row(bank, 7, "A"), row(bank, 7, "A"),
             row(bank, -10_000, f"RETURNED {bank.number}")]
        )  # fmt: skip
        colleague = factories.colleague(bank.payee, roles=frozenset({Role.FINANCE_OFFICER}))
        with bank.database.transaction(bank.payee.scope) as session:
            file_id = take(session, content).id
            paying, gift, *_ = list_lines(session, remittance_id=file_id)
            confirm_match(session, paying, [Share(invoice_id, 10_000)], now=NOW)
            set_aside(session, gift, reason="A gift.", now=NOW)

        for scope, reason in ((bank.payee.scope, "Another account’s."), (colleague.scope, "The same again.")):
            with bank.database.transaction(scope) as session:
                take_file_back(session, get_remittance(session, file_id), reason=reason, now=LATER)
        with bank.database.transaction(bank.payee.scope) as session:
            gone = get_remittance(session, file_id)
            assert (gone.state, gone.taken_back_by) == (RemittanceState.TAKEN_BACK, bank.payee.scope.person_id)
            assert (gone.taken_back_name or "").startswith("Sam Sample")
            assert reason_of(session, gone) == "Another account’s."
            assert gone.sealed_reason is not None
            assert b"account" not in gone.sealed_reason
            assert count_lines(session, gone) == {
                LineState.MATCHED: 1, LineState.SET_ASIDE: 1, LineState.TAKEN_BACK: 3
            }  # fmt: skip
            assert (count_waiting(session), read_queue(session, now=NOW).lines) == (0, ())
            last = list_lines(session, remittance_id=file_id)[-1]
            assert read_line(session, last.id, now=NOW).reason == "Another account’s."
            with pytest.raises(LineSettled, match="taken back with its file"):
                set_aside(session, last, reason="X", now=NOW)
            with pytest.raises(LineSettled):
                take_back(session, last, reason="X", now=NOW)
            query = select(AuditEntry).where(AuditEntry.record_id == file_id, AuditEntry.act == Act.CHANGE)
            assert [each.reason for each in session.scalars(query)] == ["taken back with 3 lines"]

        with bank.database.transaction(bank.payee.scope) as session:
            again = request_remittance(
                session, purpose=Purpose.RECEIPTS, filename="again.csv", content=content, now=LATER
            )
            perform_remittance(session, again, progress=lambda *_: None, now=LATER)
            # Its columns may have been taken wrongly, so that they are asked about once more.
            assert (again.state, again.id != file_id) == (RemittanceState.ASKING, True)
            preview = preview_mapping(session, again)
            choose_mapping(session, again, preview.chosen, outgoing=preview.outgoing, now=LATER + timedelta(seconds=1))
            perform_remittance(session, again, progress=lambda *_: None, now=LATER)
            assert (again.known_count, again.credit_count, again.debit_count) == (2, 2, 1)
            assert count_waiting(session) == 2
            # What stayed is a line of the file that stands, and waits with it.
            for line, now in ((paying.id, NOW), (gift.id, LATER)):
                take_back(session, bank.line(session, line), reason="Wrong.", now=now)
            assert count_waiting(session) == 4
            take_file_back(session, again, reason="Wrong too.", now=LATER)
            assert count_waiting(session) == 0
        assert bank.left(invoice_id) == [[10_000], [10_000]]

    def test_leaves_what_another_file_has_too_until_that_goes(self, bank: Bank) -> None:
        shared, wrong, right = row(bank, 100, "BOTH"), row(bank, 200, "WRONG"), row(bank, 300, "RIGHT")
        with bank.database.transaction(bank.payee.scope) as session:
            first, second = take(session, csv_of([shared, wrong])), take(session, csv_of([shared, right]))
            both = list_lines(session, remittance_id=first.id)[0]
            assert (count_leaving(session, first), count_leaving(session, second)) == (1, 1)
            take_file_back(session, first, reason="Wrong.", now=LATER)
            assert (count_leaving(session, first), count_leaving(session, second)) == (0, 2)
            assert {each.pence for each in list_lines(session, state=LineState.WAITING)} == {100, 300}
            set_aside(session, both, reason="A gift.", now=LATER)
            take_file_back(session, second, reason="Wrong.", now=LATER)
            assert count_waiting(session) == 0
            # No file that stands has it any more.
            take_back(session, both, reason="No gift.", now=LATER)
            assert (both.state, count_waiting(session)) == (LineState.TAKEN_BACK, 0)

    def test_ends_the_question_what_its_columns_hold_and_a_reading(self, bank: Bank) -> None:
        invoice_id = bank.invoice(10_000)
        assert invoice_id
        asking, advice = csv_of([row(bank, 100, "A")]), csv_of([row(bank, 10_000, bank.number, bank.payee.name)])
        with bank.database.transaction(bank.payee.scope) as session:
            asked = request_remittance(session, purpose=Purpose.RECEIPTS, filename="a", content=asking, now=NOW)
            perform_remittance(session, asked, progress=lambda *_: None, now=NOW)
            assert count_asking(session) == 1
            reading = request_remittance(session, purpose=Purpose.RECEIPTS, filename="b", content=MT940, now=NOW)
            for each in (asked, reading):
                take_file_back(session, each, reason="Wrong.", now=LATER)
                perform_remittance(session, each, progress=lambda *_: None, now=LATER)
                assert (each.state, each.line_count) == (RemittanceState.TAKEN_BACK, 0)
            assert (count_asking(session), list_lines(session)) == (0, [])
            refused = take(session, MT940.replace(b"27889,50", b"1,00"))
            with pytest.raises(NothingTaken):
                take_file_back(session, refused, reason="Wrong.", now=LATER)
        with bank.database.transaction(bank.payer.scope) as session:
            sent = take(session, advice, purpose=Purpose.ADVICE)
            assert len(list_advised(session, now=NOW)) == 1
            take_file_back(session, sent, reason="Wrong.", now=LATER)
            assert list_advised(session, now=NOW) == []

    def test_is_all_or_nothing_and_once_of_two_at_once(self, bank: Bank) -> None:
        with bank.database.transaction(bank.payee.scope) as session:
            file_id = take(session, csv_of([row(bank, 100, "A"), row(bank, 200, "B")])).id

        def killed() -> None:
            with bank.database.transaction(bank.payee.scope) as session:
                take_file_back(session, get_remittance(session, file_id), reason="Wrong.", now=LATER)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            killed()
        with bank.database.transaction(bank.payee.scope) as session:
            assert (get_remittance(session, file_id).state, count_waiting(session)) == (RemittanceState.TAKEN, 2)

        together = threading.Barrier(2)

        def take_it_back(reason: str) -> None:
            together.wait()
            with bank.database.transaction(bank.payee.scope) as session:
                take_file_back(session, get_remittance(session, file_id), reason=reason, now=LATER)

        people = [threading.Thread(target=take_it_back, args=(each,)) for each in "AB"]
        for each in people:
            each.start()
        for each in people:
            each.join()
        with bank.database.transaction(bank.payee.scope) as session:
            assert count_waiting(session) == 0
            entries = select(AuditEntry).where(AuditEntry.record_id == file_id, AuditEntry.act == Act.CHANGE)
            assert len(session.scalars(entries).all()) == 1

    def test_is_the_agencys_own_and_for_whoever_keeps_fees(self, bank: Bank) -> None:
        with bank.database.transaction(bank.payee.scope) as session:
            file_id = take(session, csv_of([row(bank, 100, "A")])).id
            with pytest.raises(WordsMissing):
                take_file_back(session, get_remittance(session, file_id), reason=" ", now=LATER)
        with bank.database.transaction(bank.payer.scope) as session, pytest.raises(RemittanceUnknown):
            get_remittance(session, file_id)
        with bank.database.transaction(bank.payee.acting_as(Role.MANAGER)) as session, pytest.raises(NotAllowed):
            take_file_back(session, get_remittance(session, file_id), reason="Wrong.", now=LATER)
        back = {"state": "taken_back", "taken_back_at": LATER, "sealed_reason": b"x"}
        for named in ({"taken_back_by": bank.payer.scope.person_id}, {"taken_back_by": None}):
            forged = back | named | {"taken_back_name": "Another" if named["taken_back_by"] else None}
            with pytest.raises(DBAPIError, match="row-level"), bank.database.transaction(bank.payee.scope) as session:
                session.execute(update(Remittance).where(Remittance.id == file_id).values(forged))
        command = replace(bank.payee.scope, person_id=None)
        with bank.database.transaction(command) as session:
            take_file_back(session, get_remittance(session, file_id), reason="Wrong.", now=LATER)
            assert get_remittance(session, file_id).taken_back_name is None
        with bank.database.transaction(bank.payee.scope) as session:
            session.execute(text("UPDATE remittance SET state = 'taken', taken_back_at = NULL, sealed_reason = NULL"))
            assert get_remittance(session, file_id).state is RemittanceState.TAKEN_BACK
