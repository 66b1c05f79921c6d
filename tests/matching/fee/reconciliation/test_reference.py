"""Which invoices a reference names, and how clearly."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.fee.reconciliation.fact import KnownInvoice
from matching.fee.reconciliation.reference import How, KeyBook

DAY = date(2026, 5, 1)


def invoice(place: int, number: str, agreement: str, order: str = "") -> KnownInvoice:
    """Return an invoice by its keys."""
    orders = (order,) if order else ()
    return KnownInvoice(UUID(int=place), UUID(int=99), number, DAY, DAY, 100, 100, (agreement,), orders)


BOOK = KeyBook(
    [
        invoice(1, "AC/26/00412", "FA-7Q3K2M", "4500123456"),
        invoice(2, "AC/26/00431", "FA-9ZZZZZ"),
        invoice(3, "INV12345", "FA-8ABCDE"),
        invoice(4, "INV123456", "FA-8ABCDE"),
        invoice(5, "IN-7", "FA-5FGHJK"),
    ]
)


class TestMentions:
    @pytest.mark.parametrize(
        ("reference", "named"),
        [
            ("AC/26/00412", {1: How.NUMBER}),
            ("ac 26 00412 adoption", {1: How.NUMBER}),
            ("PAYAC2600412", {1: How.NUMBER}),
            ("RE FA7Q3K2M", {1: How.OTHER_KEY}),
            ("PO 4500123456", {1: How.OTHER_KEY}),
            ("AC/26/00412 AC/26/00431", {1: How.NUMBER, 2: How.NUMBER}),
            ("AC2600412AC2600431", {1: How.NUMBER, 2: How.NUMBER}),
            ("AC/26/00421", {1: How.SLIP, 2: How.SLIP}),
            ("AC/26/0412", {1: How.SLIP}),
            ("INVOICE 412", {1: How.FIGURES}),
            ("INV12345", {3: How.NUMBER}),
            ("INV123456", {4: How.NUMBER}),
            ("FA-8ABCDE", {3: How.OTHER_KEY, 4: How.OTHER_KEY}),
            ("AC/26/00412 AC/26/004", {1: How.NUMBER, 2: How.CUT_SHORT}),
            ("AC26004129", {1: How.RUN_ON}),
            ("PAYS IN-7 TODAY", {5: How.NUMBER}),
            ("PAYSIN-7", {}),
            ("ADOPTION FEE", {}),
            ("", {}),
        ],
    )
    def test_are_as_clear_as_they_are_written(self, reference: str, named: dict[int, How]) -> None:
        found = BOOK.mentions(reference)

        assert {each.int: mention.how for each, mention in found.items()} == named

    def test_count_each_key_that_is_written_whole(self) -> None:
        assert len(BOOK.mentions("AC/26/00412 FA-7Q3K2M")[UUID(int=1)].keys) == 2

    @given(st.text(max_size=60))
    def test_never_fail(self, reference: str) -> None:
        assert all(mention.words for mention in BOOK.mentions(reference).values())


class TestNeighbours:
    def test_are_one_slip_away_and_not_itself(self) -> None:
        book = KeyBook([invoice(1, "INV-100", "A"), invoice(2, "INV-101", "B"), invoice(3, "INV-110", "C")])

        assert book.neighbours("INV-100") == {UUID(int=2), UUID(int=3)}
