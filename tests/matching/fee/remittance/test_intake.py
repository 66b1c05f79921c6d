"""Files becoming lines: each once, whatever is handed in again, and none of another agency."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from matching.fee.remittance.column_map import Holds
from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.line import LineState, LineUnknown, count_waiting, get_line, list_lines, words_of
from matching.fee.remittance.mapping import NothingToAsk, choose_mapping, list_mappings, preview_mapping
from matching.fee.remittance.remittance import (
    Purpose,
    RemittanceState,
    RemittanceUnknown,
    count_asking,
    get_remittance,
    list_remittances,
    request_remittance,
)
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant
from tests.matching.fee.remittance.samples import ENTRY, MT940, camt, csv_of
from tests.matching.fee.remittance.taking import take

ROWS = [("02/04/2026", "DEVON CC", "INV-1", "10.00"), ("02/04/2026", "DEVON CC", "INV-1", "10.00"),
        ("03/04/2026", "BANK", "CHARGE", "-1.00")]  # fmt: skip


@pytest.fixture(scope="module")
def pair(factories: Factories) -> tuple[Tenant, Tenant]:
    """Two councils."""
    return factories.two_tenants()


@pytest.fixture
def council(factories: Factories, pair: tuple[Tenant, Tenant]) -> Tenant:
    """A council that has handed in nothing."""
    consortium_id = pair[0].scope.consortium_id
    assert consortium_id is not None
    return factories.tenant(consortium_id)


class TestPerformRemittance:
    def test_keeps_every_line_with_its_words_sealed(
        self, database: Database, council: Tenant, pair: tuple[Tenant, Tenant]
    ) -> None:
        with database.transaction(council.scope) as session:
            taken = take(session, csv_of(ROWS))
            lines = list_lines(session, remittance_id=taken.id)
            words = [words_of(session, line) for line in lines]
            waiting, first = count_waiting(session), lines[0].id

        assert (taken.state, taken.line_count, taken.known_count) == (RemittanceState.TAKEN, 3, 0)
        assert (taken.credit_count, taken.credit_pence, taken.debit_count, taken.debit_pence) == (2, 2_000, 1, 100)
        assert [line.state for line in lines] == [LineState.WAITING, LineState.WAITING, LineState.NOT_RECEIPT]
        assert (words[0].payer, words[0].reference, words[0].place) == ("DEVON CC", "INV-1", "Row 2")
        assert all(b"DEVON" not in line.sealed for line in lines)
        assert waiting == 2
        with database.transaction(pair[1].scope) as session:
            assert list_lines(session, remittance_id=taken.id) == []
            assert taken.id not in [each.id for each in list_remittances(session)]
            with pytest.raises(LineUnknown):
                get_line(session, first)
            with pytest.raises(RemittanceUnknown):
                get_remittance(session, taken.id)

    def test_takes_nothing_twice(self, database: Database, council: Tenant) -> None:
        later = [*ROWS[1:], ("04/04/2026", "TORBAY", "INV-2", "5.00"), ROWS[0], ROWS[0]]
        with database.transaction(council.scope) as session:
            first = take(session, csv_of(ROWS))
            again = take(session, csv_of(ROWS), name="other.csv")
            overlapping = take(session, csv_of(later))
            bank = [take(session, MT940), take(session, MT940.replace(b"STMT1", b"STMT2"))]
            other = MT940.replace(b"31926819", b"31926820")
            # The bank's copy of a statement beside it, and two accounts with the same line each.
            bank.append(take(session, other + other.replace(b"STMT1", b"COPY")))
            entry = ENTRY.format(amount="5.00", mark="CRDT", parts="")
            both = camt([entry, entry], opening="0.00", closing="10.00").decode().partition("<Stmt>")
            copy = both[2].replace("31926819", "31926830").partition("</BkToCstmrStmt>")[0]
            bank.append(take(session, f"{both[0]}<Stmt>{copy}<Stmt>{both[2]}".encode()))
            total = len(list_lines(session))

        assert again.id == first.id
        # Two equal lines are in both; the third of them is new, as is Torbay's.
        assert (overlapping.known_count, overlapping.credit_count, overlapping.line_count) == (3, 2, 5)
        assert [(each.known_count, each.line_count) for each in bank] == [(0, 3), (3, 3), (3, 6), (0, 4)]
        assert total == 3 + 2 + 3 + 3 + 4

    def test_refuses_the_whole_and_takes_it_once_it_is_mended(self, database: Database, council: Tenant) -> None:
        with database.transaction(council.scope) as session:
            refused = take(session, MT940.replace(b"27889,50", b"1,00"))
            state, refusal = refused.state, refused.refusal
            lines = list_lines(session, remittance_id=refused.id)
            again = request_remittance(
                session, purpose=Purpose.RECEIPTS, filename="x", content=MT940.replace(b"27889,50", b"1,00"), now=NOW
            )

        assert state is RemittanceState.REFUSED
        assert "A line may be missing" in (refusal or "")
        assert not lines
        assert again.id == refused.id
        assert again.state is RemittanceState.READING

    def test_refuses_a_day_that_lies_ahead(self, database: Database, council: Tenant) -> None:
        with database.transaction(council.scope) as session:
            refused = take(session, csv_of([("01/03/2027", "DEVON CC", "INV-1", "10.00")]))

        assert refused.refusal is not None
        assert "Row 2: 01/03/2027 lies ahead" in refused.refusal

    def test_keeps_what_went_out_as_advice(self, database: Database, council: Tenant) -> None:
        with database.transaction(council.scope) as session:
            taken = take(session, csv_of([("02/04/2026", "FAMILIES", "INV-7", "10.00")]), purpose=Purpose.ADVICE)
            lines = list_lines(session, remittance_id=taken.id)
            waiting = count_waiting(session)

        assert [(line.pence, line.state) for line in lines] == [(-1_000, LineState.ADVICE)]
        assert waiting == 0

    def test_leaves_a_file_that_is_taken_as_it_is(self, database: Database, council: Tenant) -> None:
        with database.transaction(council.scope) as session:
            taken = take(session, csv_of(ROWS))
            perform_remittance(session, taken, progress=lambda *_: None, now=NOW)
            count = len(list_lines(session, remittance_id=taken.id))

        assert count == 3

    def test_needs_a_finance_officer(self, database: Database, council: Tenant) -> None:
        manager = council.acting_as(Role.MANAGER)
        with database.transaction(manager) as session, pytest.raises(NotAllowed):
            request_remittance(session, purpose=Purpose.RECEIPTS, filename="a", content=b"a", now=NOW)


class TestMapping:
    def test_is_asked_once_for_a_layout_and_remembered_by_its_own_agency(
        self, database: Database, council: Tenant, pair: tuple[Tenant, Tenant]
    ) -> None:
        content, later = csv_of(ROWS), csv_of([("09/05/2026", "DEVON CC", "INV-3", "10.00")])
        with database.transaction(council.scope) as session:
            asked = request_remittance(session, purpose=Purpose.RECEIPTS, filename="a", content=content, now=NOW)
            perform_remittance(session, asked, progress=lambda *_: None, now=NOW)
            state, asking = asked.state, count_asking(session)
            preview = preview_mapping(session, asked, chosen={0: Holds.DATE, 2: Holds.PAYER, 3: Holds.AMOUNT})
            wrong = preview_mapping(session, asked, chosen={1: Holds.DATE, 2: Holds.PAYER, 3: Holds.AMOUNT})
            choose_mapping(session, asked, preview.chosen, outgoing=False, now=NOW)
            with pytest.raises(NothingToAsk):
                preview_mapping(session, asked)
            second = request_remittance(session, purpose=Purpose.RECEIPTS, filename="b", content=later, now=NOW)
            perform_remittance(session, second, progress=lambda *_: None, now=NOW)
            words = [words_of(session, line).payer for line in list_lines(session, remittance_id=second.id)]

        assert (state, asking) == (RemittanceState.ASKING, 1)
        assert [line.payer for line in preview.lines] == ["INV-1", "INV-1", "CHARGE"]
        assert wrong.refusal is not None
        assert (second.state, words) == (RemittanceState.TAKEN, ["INV-3"])
        with database.transaction(pair[0].scope) as session:
            theirs = request_remittance(session, purpose=Purpose.RECEIPTS, filename="c", content=later, now=NOW)
            perform_remittance(session, theirs, progress=lambda *_: None, now=NOW)
            assert theirs.state is RemittanceState.ASKING
            assert list_mappings(session) == []


class TestWall:
    def test_lets_nobody_change_what_the_bank_wrote(self, database: Database, council: Tenant) -> None:
        with database.transaction(council.scope) as session:
            take(session, csv_of(ROWS))
        for change in ("pence = 1", "dated_on = '2026-01-01'", "fingerprint = '\\x00'"):
            with pytest.raises(Exception, match="permission denied"), database.transaction(council.scope) as session:
                session.execute(text(f"UPDATE remittance_line SET {change}"))
        with pytest.raises(Exception, match="permission denied"), database.transaction(council.scope) as session:
            session.execute(text("DELETE FROM remittance_line"))
