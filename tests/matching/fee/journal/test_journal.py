"""Journals: the same bytes each time, totals that balance, nothing of another's book or of an open month unmarked."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import replace

import pytest
from sqlalchemy import text

from matching.fee.journal.journal import ControlTotals, MonthOpen, MonthWrong, write_journal
from matching.fee.journal.mapping import (
    POSTED,
    Column,
    DateStyle,
    Layout,
    MappingInvalid,
    MappingUnknown,
    Sign,
    get_mapping,
    keep_mapping,
    list_mappings,
    read_layout,
)
from matching.fee.ledger import TransactionKind
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.statement.books import Books, Posted, make_books

MONTH = TODAY.replace(day=1)
LAYOUT = Layout(codes={account: f"4{number:03d}" for number, account in enumerate(POSTED)}, cost_centre="AD01")


@pytest.fixture(scope="module")
def books(factories: Factories, database: Database) -> Books:
    """Three agencies, of which two have postings this month."""
    books = make_books(factories, database)
    books.post(
        [Posted(each, 1_234_50) for each in (TransactionKind.DUE, TransactionKind.INVOICED, TransactionKind.PAID)]
    )
    return books


def _written(books: Books, tenant: Tenant, layout: Layout = LAYOUT, **facts: bool) -> tuple[bytes, ControlTotals]:
    out = io.BytesIO()
    with books.database.transaction(tenant.scope) as session:
        mapping = keep_mapping(session, "Finance", layout, now=NOW)
        totals = write_journal(session, out, mapping, month=MONTH, now=NOW, **facts)
    return out.getvalue(), totals


class TestWriteJournal:
    def test_marks_an_open_month_and_writes_a_closed_one_alike_each_time(self, books: Books) -> None:
        with pytest.raises(MonthOpen, match="not closed"):
            _written(books, books.payee)
        early, provisional = _written(books, books.payee, provisional=True)
        with books.database.transaction(books.payee.scope) as session:
            session.execute(
                text(
                    "INSERT INTO fee_period (id, agency_id, month, closed_at, closed_by, totals) "
                    "VALUES (gen_random_uuid(), :own, :month, :now, :person, '{}')"
                ),
                {"own": books.payee.id, "month": MONTH, "now": NOW, "person": books.payee.scope.person_id},
            )

        first, totals = _written(books, books.payee)
        again, _ = _written(books, books.payee, provisional=True)

        assert first == again
        rows = list(csv.DictReader(io.StringIO(first.decode())))
        # Six postings of money; what is kept for memory is owed by nobody.
        assert (totals.count, len(rows), totals.provisional) == (6, 6, False)
        assert totals.debit_pence == totals.credit_pence == 3 * 1_234_50
        assert totals.sha256 == hashlib.sha256(first).hexdigest()
        assert sum(float(row["Debit"] or 0) for row in rows) == sum(float(row["Credit"] or 0) for row in rows) == 3703.5
        assert {row["Cost centre"] for row in rows} == {"AD01"}
        assert {row["Date"] for row in rows} == {TODAY.strftime("%d/%m/%Y")}
        assert provisional.provisional
        marked = list(csv.DictReader(io.StringIO(early.decode())))
        assert all(row["Narrative"].startswith("PROVISIONAL ") for row in marked)
        assert not any("PROVISIONAL" in row["Narrative"] for row in rows)

    def test_has_the_columns_days_and_signs_that_were_asked_for_and_nothing_of_others(self, books: Books) -> None:
        columns = ((Column.AMOUNT, "Amt"), (Column.CODE, "=Code"), (Column.DATE, "D"), (Column.COUNTERPARTY, "Who"))
        layout = replace(LAYOUT, columns=columns, date_style=DateStyle.PACKED, sign=Sign.CREDITS)

        said, totals = _written(books, books.payer, layout, provisional=True)
        _, strangers = _written(books, books.stranger, provisional=True)

        rows = list(csv.reader(io.StringIO(said.decode())))
        assert rows[0] == ["Amt", "'=Code", "D", "Who"]
        assert {row[2] for row in rows[1:]} == {TODAY.strftime("%Y%m%d")}
        assert {row[3] for row in rows[1:]} == {books.payee.slug}
        assert sorted(row[0] for row in rows[1:]) == ["-1234.50"] * 3 + ["1234.50"] * 3
        assert (totals.count, strangers.count) == (6, 0)

    def test_is_of_a_month_that_has_begun(self, books: Books) -> None:
        with books.database.transaction(books.payer.scope) as session:
            mapping = keep_mapping(session, "Finance", LAYOUT, now=NOW)
            for month in (MONTH.replace(day=2), MONTH.replace(year=MONTH.year + 1)):
                with pytest.raises(MonthWrong):
                    write_journal(session, io.BytesIO(), mapping, month=month, provisional=True, now=NOW)


class TestKeepMapping:
    def test_keeps_a_layout_for_its_agency_alone(self, books: Books) -> None:
        with books.database.transaction(books.payer.scope) as session:
            kept = keep_mapping(session, "  Other   system ", LAYOUT, now=NOW)
            assert (kept.name, kept.layout) == ("Other system", LAYOUT)
            assert read_layout(LAYOUT.as_data()) == LAYOUT
        with books.database.transaction(books.payee.scope) as session:
            assert "Other system" not in [each.name for each in list_mappings(session)]
            with pytest.raises(MappingUnknown):
                get_mapping(session, "Other system")

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"codes": {}}, "needs a code"),
            ({"codes": {"petty_cash": "1"}}, "no layout"),
            ({"columns": [["code", "A"], ["amount", "A"]]}, "heading of its own"),
            ({"columns": [["code", "A"], ["debit", "B"]]}, "two of debits"),
            ({"columns": [["colour", "A"]]}, "no layout"),
            ({"columns": 7}, "no layout"),
            ({"date_style": "mm/dd/yyyy"}, "no layout"),
            ({"sign": 1}, "no layout"),
            ({"cost_centre": "A\n=1"}, "no layout"),
        ],
    )
    def test_refuses_what_no_finance_system_takes(self, change: dict[str, object], said: str) -> None:
        with pytest.raises(MappingInvalid, match=said):
            read_layout({**LAYOUT.as_data(), **change})
