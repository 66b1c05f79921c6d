"""Proposals: what a line most likely pays, how certain that is, and that nothing doubtful is ever sure."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.reconciliation import rival, score_year
from bench.remittance_year import make_year
from matching.fee.reconciliation.fact import (
    Confidence,
    EarlierCredit,
    Facts,
    Kind,
    KnownInvoice,
    Payer,
    Proposal,
    WaitingLine,
)
from matching.fee.reconciliation.matcher import propose

DAY = date(2026, 5, 1)
DEVON, TORBAY, SOMERSET = (UUID(int=place) for place in (1, 2, 3))
PAYERS = (
    Payer(DEVON, ("Devon County Council",)),
    Payer(TORBAY, ("Torbay Council",)),
    Payer(SOMERSET, ("North Somerset Council",)),
)


def invoice(place: int, pence: int, *, payer: UUID = DEVON, number: str | None = None, left: int | None = None,
            agreement: str = "", order: str = "") -> KnownInvoice:  # fmt: skip
    """Return an invoice issued a month before, its number far from any other's."""
    return KnownInvoice(
        UUID(int=100 + place),
        payer,
        number or f"INV-{place * 111_111:06d}",
        DAY - timedelta(days=30),
        DAY,
        pence,
        pence if left is None else left,
        (agreement,) if agreement else (),
        (order,) if order else (),
    )


def line(place: int, pence: int, reference: str = "", payer: str = "DEVON CC", **more: object) -> WaitingLine:
    """Return a line of a bank."""
    return replace(WaitingLine(UUID(int=1_000 + place), DAY, pence, payer, reference), **more)  # type: ignore[arg-type]


def proposed(lines: list[WaitingLine], invoices: list[KnownInvoice], **more: object) -> list[Proposal]:
    """Return the proposals for lines."""
    return propose(replace(Facts(PAYERS, tuple(invoices), tuple(lines)), **more))  # type: ignore[arg-type]


def shares(proposal: Proposal) -> dict[int, int]:
    """Return the pence for each invoice by its place."""
    return {share.invoice_id.int - 100: share.pence for share in proposal.shares}


class TestSure:
    def test_is_what_is_written_whole_adds_up_and_comes_from_who_owes_it(self) -> None:
        found = proposed([line(1, 2_700_000, "INV 111111")], [invoice(1, 2_700_000), invoice(2, 900_000)])[0]

        assert (found.kind, found.confidence, shares(found)) == (Kind.WHOLE, Confidence.SURE, {1: 2_700_000})
        assert found.points >= 90
        assert len(found.reasons) == 3
        assert not found.doubts

    def test_is_one_line_for_several_that_it_names(self) -> None:
        found = proposed([line(1, 300, "INV-111111/INV-222222")], [invoice(1, 100), invoice(2, 200)])[0]

        assert (found.kind, found.sure, shares(found)) == (Kind.SEVERAL, True, {1: 100, 2: 200})

    @pytest.mark.parametrize(
        ("said", "invoices"),
        [
            (line(1, 2_700_000, "INV-111112"), [invoice(1, 2_700_000)]),
            (line(1, 2_700_000, "INV-11111"), [invoice(1, 2_700_000)]),
            (line(1, 2_700_000, "111111"), [invoice(1, 2_700_000)]),
            (line(1, 2_700_000, ""), [invoice(1, 2_700_000)]),
            (line(1, 2_600_000, "INV-111111"), [invoice(1, 2_700_000)]),
            (line(1, 2_800_000, "INV-111111"), [invoice(1, 2_700_000)]),
            (line(1, 2_700_000, "INV-111111", "TORBAY COUNCIL"), [invoice(1, 2_700_000)]),
            (line(1, 2_700_000, "INV-111111", "J SMITH"), [invoice(1, 2_700_000)]),
            (line(1, 2_700_000, "INV-111111", ""), [invoice(1, 2_700_000)]),
            (line(1, 100, "INV-111111"), [invoice(1, 100), invoice(2, 100, number="INV-111112")]),
            (line(1, 100, "FA-AAAAAA"), [invoice(each, 100 // each, agreement="FA-AAAAAA") for each in (1, 2)]),
            (line(1, 100, "INV-111111", dated_on=DAY - timedelta(days=40)), [invoice(1, 100)]),
        ],
        ids=["slip", "cut short", "figures", "no reference", "less", "more", "other agency", "stranger", "no name",
             "neighbour", "two of one agreement", "before it was issued"],
    )  # fmt: skip
    def test_is_never_what_could_be_otherwise(self, said: WaitingLine, invoices: list[KnownInvoice]) -> None:
        found = proposed([said], invoices)[0]

        assert not found.sure
        assert shares(found).keys() <= {1}
        assert found.doubts or found.kind is Kind.PART or "names" in found.reasons[0]

    def test_is_neither_of_two_lines_that_name_one_invoice(self) -> None:
        found = proposed([line(1, 100, "INV-111111"), line(2, 100, "INV-111111")], [invoice(1, 100)])

        assert [each.sure for each in found] == [False, False]
        assert [shares(each) for each in found].count({1: 100}) == 1

    def test_is_a_neighbour_that_a_second_key_names_too(self) -> None:
        near = [invoice(1, 100, agreement="FA-AAAAAA"), invoice(2, 100, number="INV-111112", agreement="FA-BBBBBB")]

        assert proposed([line(1, 100, "INV-111111 FA-AAAAAA")], near)[0].sure


class TestPropose:
    def test_reads_payers_as_banks_write_them(self) -> None:
        owed = [invoice(1, 100), invoice(2, 100, payer=TORBAY), invoice(3, 100, payer=SOMERSET)]
        names = ["DEVON COUNTY COUN", "TORBAY", "N SOMERSET COUNCIL", "SOMERSET"]

        found = proposed([line(place, 100, "", name) for place, name in enumerate(names)], owed)

        assert [shares(each) for each in found[:3]] == [{1: 100}, {2: 100}, {3: 100}]

    def test_takes_a_name_that_has_paid_before_for_who_it_was(self) -> None:
        said = line(1, 100, "", "DCC CREDITORS", known_payers=frozenset({DEVON}))

        found = proposed([said], [invoice(1, 100), invoice(2, 100, payer=TORBAY)])[0]

        assert shares(found) == {1: 100}
        assert any("before" in reason for reason in found.reasons)

    def test_shares_parts_and_rests_of_one_invoice(self) -> None:
        found = proposed([line(1, 60, "INV-111111"), line(2, 40, "INV-111111")], [invoice(1, 100)])

        assert [shares(each) for each in found] == [{1: 60}, {1: 40}]
        assert not any(each.sure for each in found)

    def test_puts_two_lines_without_a_reference_together(self) -> None:
        found = proposed([line(1, 60), line(2, 40)], [invoice(1, 100), invoice(2, 7_000)])

        assert [shares(each) for each in found] == [{1: 60}, {1: 40}]

    def test_holds_what_is_over(self) -> None:
        found = proposed([line(1, 150, "INV-111111")], [invoice(1, 100)])[0]

        assert (found.kind, shares(found), found.over) == (Kind.OVER, {1: 100}, 50)

    def test_fills_up_a_reference_that_was_cut_off(self) -> None:
        owed = [invoice(1, 100), invoice(2, 230), invoice(3, 17)]

        found = proposed([line(1, 330, "INV-111111 INV-222")], owed)[0]

        assert shares(found) == {1: 100, 2: 230}
        assert found.confidence is Confidence.LIKELY

    def test_reads_a_number_for_its_neighbour_where_only_that_fits(self) -> None:
        owed = [invoice(1, 100, left=0, payer=TORBAY), invoice(2, 250, number="INV-111121")]

        found = proposed([line(1, 250, "INV-111111")], owed)[0]

        assert shares(found) == {2: 250}
        assert any("settled" in doubt for doubt in found.doubts)

    def test_says_when_something_may_be_paid_twice(self) -> None:
        owed = [invoice(1, 250, left=0), invoice(2, 250, number="INV-111112")]

        found = proposed([line(1, 250, "INV-111111")], owed)[0]

        assert found.confidence is not Confidence.SURE
        assert any("paid twice" in doubt for doubt in found.doubts)

    @pytest.mark.parametrize(
        ("pence", "payer"), [(350, "DEVON CC"), (5_000, "J SMITH"), (100, "LOTTERY FUND 2026")], ids=str
    )
    def test_proposes_nothing_for_what_is_no_fee(self, pence: int, payer: str) -> None:
        found = proposed([line(1, pence, "TRAINING COURSE", payer)], [invoice(1, 2_700_000), invoice(2, 900_000)])[0]

        assert (found.kind, found.shares, found.points) == (Kind.NOTHING, (), 0)
        assert found.doubts

    def test_gives_an_invoice_to_the_more_certain_line(self) -> None:
        found = proposed([line(1, 100), line(2, 100, "INV-111111")], [invoice(1, 100)])

        assert [shares(each) for each in found] == [{}, {1: 100}]

    def test_never_pays_more_than_is_left_nor_more_than_came(self) -> None:
        year = make_year(3, invoices=120)
        lines = [each.line for month in year.months for each in month]

        found = propose(Facts(year.payers, year.invoices, tuple(lines)))

        paid: dict[UUID, int] = {}
        for each, said in zip(found, lines, strict=True):
            assert sum(share.pence for share in each.shares) + each.over in (0, said.pence)
            for share in each.shares:
                paid[share.invoice_id] = paid.get(share.invoice_id, 0) + share.pence
        assert all(pence <= each.outstanding for each in year.invoices for pence in [paid.get(each.id, 0)])

    def test_is_the_same_whatever_the_order_of_the_facts(self) -> None:
        year = make_year(5, invoices=60)
        lines = [each.line for month in year.months for each in month]
        mixed = random.Random(1)  # noqa: S311 - an order, no secret
        facts = Facts(year.payers, year.invoices, tuple(lines))
        other = Facts(
            tuple(mixed.sample(year.payers, len(year.payers))),
            tuple(mixed.sample(year.invoices, len(year.invoices))),
            tuple(mixed.sample(lines, len(lines))),
        )

        found, again = ({each.line_id: each for each in propose(each_way)} for each_way in (facts, other))

        assert found == again


class TestUndoing:
    CREDIT = EarlierCredit(UUID(int=77), DAY - timedelta(days=3), 100, "DEVON CC", "INV-111111", True)

    def test_finds_the_credit_that_came_back(self) -> None:
        other = replace(self.CREDIT, line_id=UUID(int=78), payer="TORBAY COUNCIL", reference="INV-555555")

        found = proposed([line(1, -100, "RETURNED INV-111111")], [], earlier=(other, self.CREDIT))[0]

        assert (found.kind, found.undone_line_id) == (Kind.UNDOES, self.CREDIT.line_id)
        assert not found.sure

    @pytest.mark.parametrize(
        "credit",
        [
            replace(CREDIT, pence=101),
            replace(CREDIT, dated_on=DAY + timedelta(days=1)),
            replace(CREDIT, dated_on=DAY - timedelta(days=93)),
        ],
        ids=["amount", "later", "long ago"],
    )
    def test_finds_none_of_another_amount_or_time(self, credit: EarlierCredit) -> None:
        assert proposed([line(1, -100, "RETURNED INV-111111")], [], earlier=(credit,))[0].kind is Kind.NOTHING

    def test_leaves_no_credit_sure_that_seems_to_have_come_back(self) -> None:
        came = line(1, 100, "INV-111111", dated_on=DAY - timedelta(days=1))
        earlier = EarlierCredit(came.id, came.dated_on, came.pence, came.payer, came.reference, False)

        found = proposed([came, line(2, -100, "RETURNED INV-111111")], [invoice(1, 100)], earlier=(earlier,))

        assert found[1].undone_line_id == came.id
        assert not found[0].sure
        assert "take it back" in found[0].doubts[-1]

    def test_takes_the_same_amount_alone_for_nothing(self) -> None:
        assert proposed([line(1, -100, "RENT", "")], [], earlier=(self.CREDIT,))[0].kind is Kind.NOTHING


class TestPayingBack:
    @pytest.mark.parametrize(
        ("pence", "reference", "payer", "confidence"),
        [(-100, "REFUND", "DEVON CC", Confidence.LIKELY), (-40, "OVERPAID INV-111111", "DEVON CC", Confidence.LIKELY),
         (-40, "REFUND", "DEVON CC", Confidence.POSSIBLE), (-100, "", "DEVON CC", Confidence.POSSIBLE),
         (-40, "REFUND INV-111111", "QZX", Confidence.LIKELY), (-101, "REFUND", "DEVON CC", Confidence.NONE),
         (-40, "", "DEVON CC", Confidence.NONE), (-100, "REFUND", "QZX", Confidence.NONE),
         (-100, "REFUND", "TORBAY COUNCIL", Confidence.NONE)],
    )  # fmt: skip
    def test_is_by_amount_name_and_reference(
        self, pence: int, reference: str, payer: str, confidence: Confidence
    ) -> None:
        given = {"held": {DEVON: 100, TORBAY: 99}}

        (found,) = proposed([line(1, pence, reference, payer)], [invoice(1, 500, left=0)], **given)

        assert found.confidence is confidence
        kept = confidence is not Confidence.NONE
        assert (found.kind, found.payer_id) == ((Kind.PAID_BACK, DEVON) if kept else (Kind.NOTHING, None))
        assert bool(found.reasons) is kept

    def test_leaves_the_undoing_of_a_credit_as_it_is_unless_more_speaks_for_it(self) -> None:
        came, said = TestUndoing.CREDIT, [line(1, -100, "RETURNED INV-111111")]
        elsewhere = replace(came, payer="TORBAY COUNCIL", reference="INV-555555")

        undone = proposed(said, [], earlier=(came,), held={DEVON: 100})[0]
        back = proposed(said, [], earlier=(elsewhere,), held={DEVON: 100})[0]

        assert (undone.kind, back.kind) == (Kind.UNDOES, Kind.PAID_BACK)

    @given(
        debits=st.lists(
            st.tuples(st.integers(1, 120), st.sampled_from(["DEVON CC", "TORBAY COUNCIL", "X"]), st.booleans()),
            max_size=6,
        ),
        held=st.dictionaries(st.sampled_from([DEVON, TORBAY]), st.integers(1, 200)),
    )
    @settings(max_examples=40, deadline=None)
    def test_never_pays_back_more_than_is_held_and_is_never_sure(
        self, debits: list[tuple[int, str, bool]], held: dict[UUID, int]
    ) -> None:
        lines = [
            line(place, -pence, "REFUND INV-111111" if said else "RENT", payer)
            for place, (pence, payer, said) in enumerate(debits)
        ]

        found = proposed(lines, [invoice(1, 500)], held=held)

        assert not any(each.sure for each in found)
        for payer_id in (DEVON, TORBAY, SOMERSET):
            back = sum(-debit.pence for debit, each in zip(lines, found, strict=True) if each.payer_id == payer_id)
            assert back <= held.get(payer_id, 0)
        assert found == proposed(lines[::-1], [invoice(1, 500)], held=held)[::-1]


class TestYear:
    def test_is_proposed_right_and_nothing_wrong_is_sure(self) -> None:
        ours, theirs = ([score_year(make_year(seed), rule) for seed in (11, 12)] for rule in (propose, rival))

        assert sum(each.right for each in ours) >= 0.95 * sum(each.lines for each in ours)
        assert sum(each.sure_wrong for each in ours) == 0
        assert sum(each.sure for each in ours) > 0.4 * sum(each.fee_lines for each in ours)
        assert sum(each.right for each in theirs) < sum(each.right for each in ours)
