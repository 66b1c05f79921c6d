from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.agreement import (
    AddendumKind,
    AgreementInvalid,
    AgreementState,
    FeeAgreement,
    NotYourSide,
    get_agreement,
    list_addenda,
)
from matching.fee.agreement_page import view_agreement
from matching.fee.cost import DayUnfit, NotChosen, cost_of, list_chosen
from matching.fee.drafting import disrupt, end_if_over, order, price_again, state_fee, withdraw
from matching.fee.event import FeeEvent, FeeEventKind
from matching.fee.instalment import split
from matching.fee.payer import (
    PayerInvalid,
    PayerSettled,
    PayerUnknown,
    ask_payer,
    confirm_payer,
    end_payer,
    get_payer,
    list_payers,
)
from matching.fee.rule import LegFalls, OnDisruption, SwapWaiver, set_swap_waiver
from matching.fee.signing import sign_addendum, sign_agreement
from matching.fee.tariff import PayeeKind, TariffTerms, add_tariff
from matching.fee.tending import tend_agreements
from matching.fee.terms import list_plans
from matching.fee.waiting import count_addenda
from matching.placement.placement import get_placement
from matching.ranking_run import open_pool
from matching.swap.group import SwapGroup, Terms, agree, make_swap_group
from matching.swap.rule import Follow, SwapRule
from tenants.agency import Nation
from tenants.base import utc_now
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Tenant, transaction
from tests.matching.fee.fee_ground import TODAY, FeeGround

CHANGES = TODAY - timedelta(days=30)
"""From this day on voluntary agencies are paid more."""
RULE = SwapRule(begins_on=TODAY - timedelta(days=900), ends_on=None, follow=Follow.STANDARD_FEE, follow_months=3)


@pytest.fixture(scope="module", autouse=True)
def paid_more(ground: FeeGround) -> None:
    """Voluntary agencies are paid £40,000 for a year, and £41,000 after that; Devon and Dorset swap."""
    with transaction(ground.database, ground.office) as session:
        for begins_on, ends_on, pence in (
            (date(2026, 4, 1), CHANGES - timedelta(days=1), 4_000_000),
            (CHANGES, None, 4_100_000),
        ):
            terms = TariffTerms(
                "Voluntary",
                PayeeKind.VOLUNTARY,
                begins_on,
                "Made up.",
                rates={1: pence},
                ends_on=ends_on,
                nation=Nation.ENGLAND,
            )
            add_tariff(session, terms, now=utc_now())
        made = make_swap_group(
            session, Terms("Under three", RULE), agency_ids=[ground.devon.id, ground.dorset.id], now=utc_now()
        )
        made_id = made.id
    for member in (ground.devon, ground.dorset):
        with transaction(ground.database, member) as session:
            agree(session, session.get_one(SwapGroup, made_id), now=utc_now() - timedelta(days=880))


def sign_all(ground: FeeGround, agreement_id: UUID, *sides: Tenant) -> None:
    for side in sides:
        with transaction(ground.database, side) as session:
            agreement = get_agreement(session, agreement_id)
            sign_agreement(session, agreement, version=agreement.version, now=utc_now())


def events(ground: FeeGround, tenant: Tenant, agreement_id: UUID) -> dict[FeeEventKind, tuple[date, object]]:
    with transaction(ground.database, tenant) as session:
        query = select(FeeEvent).where(FeeEvent.agreement_id == agreement_id)
        return {each.kind: (each.happened_on, each.facts.get("rule")) for each in session.scalars(query)}


class TestBegin:
    def test_takes_the_rate_of_the_day_and_asks_both_to_sign_that_it_is_another(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.charity)
        with transaction(ground.database, ground.devon) as session:
            assert get_agreement(session, agreement_id).amount_pence == 4_100_000
        sign_all(ground, agreement_id, ground.devon, ground.charity)

        # As whoever says that the children moved in does, who reads no fees.
        finder = replace(ground.devon, scope=ground.devon.acting_as(Role.FAMILY_FINDER))
        ground.place(finder, agreement_id, on=CHANGES - timedelta(days=1))

        with transaction(ground.database, ground.charity) as session:
            agreement = get_agreement(session, agreement_id)
            assert (agreement.amount_pence, agreement.addenda) == (4_000_000, 1)
            assert agreement.state is AgreementState.IN_FORCE
            [addendum] = list_addenda(session, [agreement_id])[agreement_id]
            assert (addendum.kind, addendum.is_signed) == (AddendumKind.RATE, False)
            before, after = addendum.changes["before"], addendum.changes["after"]
            assert (before["amount_pence"], after["amount_pence"]) == (4_100_000, 4_000_000)
            assert "£40,000" in addendum.reason
            sign_addendum(session, agreement, 1, version=agreement.version, now=utc_now())
        with transaction(ground.database, ground.devon) as session:
            agreement = get_agreement(session, agreement_id)
            # It waits to be signed though the order has ended the agreement, and is signed on its page.
            order(session, agreement, on=TODAY, now=utc_now())
            assert agreement.state is AgreementState.ENDED
            assert count_addenda(session, utc_now()) == 1
            assert view_agreement(session, agreement, on=TODAY).addenda[0].may_sign
            sign_addendum(session, agreement, 1, version=agreement.version, now=utc_now())
            assert agreement.amount_pence == 4_000_000
        # It held from the day on: signing it moves no money.
        assert FeeEventKind.ADDENDUM not in events(ground, ground.devon, agreement_id)

    def test_asks_for_a_signature_anew_where_only_one_has_signed_another_amount(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.charity)
        sign_all(ground, agreement_id, ground.charity)

        ground.place(ground.devon, agreement_id, on=CHANGES - timedelta(days=1))

        with transaction(ground.database, ground.charity) as session:
            agreement = get_agreement(session, agreement_id)
            assert (agreement.amount_pence, agreement.payee_signed_by) == (4_000_000, None)
            assert agreement.state is AgreementState.DRAFTED
        sign_all(ground, agreement_id, ground.charity, ground.devon)
        with transaction(ground.database, ground.devon) as session:
            assert get_agreement(session, agreement_id).state is AgreementState.IN_FORCE

    def test_ends_with_what_can_fall_due(self, ground: FeeGround) -> None:
        ordered, fallen, waiting, ended = (ground.match(ground.devon, ground.charity) for _ in range(4))
        council = ground.match(ground.dorset, ground.region)
        for agreement_id, side in (*((each, ground.charity) for each in (ordered, fallen, waiting)), (council, None)):
            children = ground.devon if side else ground.dorset
            sign_all(ground, agreement_id, children, side or ground.region)
            ground.place(children, agreement_id)
        with transaction(ground.database, ground.devon) as session:
            order(session, get_agreement(session, ordered), on=TODAY, now=utc_now())
            disrupt(session, get_agreement(session, fallen), on=TODAY, now=utc_now())
            withdraw(session, get_agreement(session, ended), now=utc_now())
            states = [get_agreement(session, each).state for each in (ordered, fallen, waiting, ended)]
        assert states == [
            AgreementState.ENDED,
            AgreementState.ENDED,
            AgreementState.IN_FORCE,
            AgreementState.WITHDRAWN,
        ]
        with transaction(ground.database, ground.dorset) as session:
            # A third is due at the order.
            assert get_agreement(session, council).state is AgreementState.IN_FORCE
            order(session, get_agreement(session, council), on=TODAY, now=utc_now())
            assert get_agreement(session, council).state is AgreementState.ENDED

    @pytest.mark.parametrize(
        ("disruption", "disrupted_on"),
        [
            (OnDisruption.STAND, None),
            (OnDisruption.STAND, date(2024, 5, 1)),
            (OnDisruption.FALL_AWAY, date(2024, 8, 1)),
        ],
    )
    def test_waits_for_what_time_alone_makes_due_of_a_swap_or_after_the_order(
        self, disruption: OnDisruption, disrupted_on: date | None
    ) -> None:
        parts = [
            {"position": position, "pence": 100, "due": due, "months": months}
            for position, (due, months) in enumerate((("placement", None), ("months", 18)), start=1)
        ]
        agreement = FeeAgreement(state=AgreementState.IN_FORCE, waived=True, plan=parts, disruption=disruption)
        agreement.placed_on, agreement.ordered_on = date(2024, 1, 31), date(2024, 6, 1)
        agreement.disrupted_on = disrupted_on

        ended = [end_if_over(agreement, on=day) for day in (date(2025, 7, 30), date(2025, 7, 31))]

        assert ended == [False, True]


class TestPriceAgain:
    def test_takes_tariffs_as_they_are_now_until_it_is_frozen(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.charity, months=(50, 60))
        with transaction(ground.database, ground.devon) as session:
            agreement = get_agreement(session, agreement_id)
            assert agreement.amount_pence is None
            priced = price_again(session, agreement, version=agreement.version, now=utc_now())
            assert (priced.amount_pence, priced.version) == (None, 2)
        with transaction(ground.database, ground.charity) as session, pytest.raises(NotYourSide):
            price_again(session, get_agreement(session, agreement_id), version=2, now=utc_now())
        frozen = ground.match(ground.devon, ground.charity)
        ground.place(ground.devon, frozen)
        with transaction(ground.database, ground.devon) as session, pytest.raises(AgreementInvalid):
            price_again(session, get_agreement(session, frozen), version=2, now=utc_now())


class TestWaiver:
    def test_leaves_nothing_to_pay_for_a_swap_of_children_under_three(self, ground: FeeGround) -> None:
        young = ground.match(ground.devon, ground.dorset, months=(20, 35))
        old = ground.match(ground.devon, ground.dorset, months=(20, 36))

        with transaction(ground.database, ground.dorset) as session:
            swap, paid = get_agreement(session, young), get_agreement(session, old)
            assert (swap.waived, swap.amount_pence, swap.leg_falls) == (True, 4_300_000, LegFalls.STAYS_WAIVED)
            assert "by the rule of “Under three” this is a swap" in (swap.waiver_words or "")
            assert (paid.waived, paid.swap_group_id) == (False, None)
            assert "were not under three" in (paid.waiver_words or "") or "was not under" in (paid.waiver_words or "")

    def test_tells_what_becomes_of_its_leg_once(self, ground: FeeGround) -> None:
        fallen, unbalanced = (ground.match(ground.devon, ground.dorset, months=(20,)) for _ in range(2))
        ground.place(ground.devon, fallen)
        ground.place(ground.devon, unbalanced, on=TODAY - timedelta(days=120))
        with transaction(ground.database, ground.devon) as session:
            agreement = get_agreement(session, fallen)
            assert agreement.link_id is not None
            get_placement(session, agreement.link_id).disrupted_on = TODAY
            disrupt(session, agreement, on=TODAY, now=utc_now())
        for expected in (True, False):
            with transaction(ground.database, ground.devon) as session:
                assert bool(tend_agreements(session, now=utc_now()).legs) is expected

        told = events(ground, ground.dorset, fallen)
        assert told[FeeEventKind.LEG_FALLEN] == (TODAY, "stays_waived")
        assert FeeEventKind.LEG_CONFIRMED in told
        later = events(ground, ground.dorset, unbalanced)
        assert later[FeeEventKind.LEG_UNBALANCED][0] <= TODAY
        assert FeeEventKind.LEG_FALLEN not in later

    def test_is_the_consortiums_to_change(self, ground: FeeGround) -> None:
        with transaction(ground.database, ground.office) as session:
            group = session.scalars(select(SwapGroup).where(SwapGroup.name == "Under three")).one()
            rule = SwapWaiver(waives=False, leg_falls=LegFalls.CHARGED, why="The board’s minute.")
            made = set_swap_waiver(session, group, rule, begins_on=TODAY, now=utc_now())
        agreement_id = ground.match(ground.devon, ground.dorset, months=(20,))

        with transaction(ground.database, ground.devon) as session:
            agreement = get_agreement(session, agreement_id)
            assert not agreement.waived
            assert "its swaps carry a fee. The board’s minute." in (agreement.waiver_words or "")
        with transaction(ground.database, ground.office) as session:
            session.delete(session.get_one(type(made), made.id))


class TestPayer:
    def test_is_the_regional_agency_once_both_have_said_so(self, ground: FeeGround) -> None:
        with transaction(ground.database, ground.devon) as session:
            for wrong in (ground.dorset.id, ground.devon.id):
                with pytest.raises(PayerInvalid):
                    ask_payer(session, payer_agency_id=wrong, begins_on=TODAY, now=utc_now())
            yesterday = TODAY - timedelta(days=1)
            with pytest.raises(PayerInvalid):
                ask_payer(session, payer_agency_id=ground.region.id, begins_on=yesterday, now=utc_now())
            asked_id = ask_payer(session, payer_agency_id=ground.region.id, begins_on=TODAY, now=utc_now()).id
            with pytest.raises(PayerSettled):
                ask_payer(session, payer_agency_id=ground.region.id, begins_on=TODAY, now=utc_now())
            with pytest.raises(PayerUnknown):
                confirm_payer(session, get_payer(session, asked_id), now=utc_now())
        with transaction(ground.database, ground.devon) as session, pytest.raises(DBAPIError, match="confirms it"):
            # Past the verb: as if it ended in some years, and had been confirmed.
            session.execute(
                text(
                    "UPDATE fee_payer SET ends_on = '2099-01-01', confirmed_by = :by, confirmed_name = 'X', "
                    "confirmed_at = now() WHERE id = :id"
                ),
                {"by": ground.region.scope.person_id, "id": asked_id},
            )
        before = ground.match(ground.devon, ground.charity)
        with transaction(ground.database, ground.region) as session:
            confirm_payer(session, get_payer(session, asked_id), now=utc_now())
        after = ground.match(ground.devon, ground.charity)
        own = ground.match(ground.devon, ground.region)

        with transaction(ground.database, ground.devon) as session:
            payers = [get_agreement(session, each).payer_agency_id for each in (before, after, own)]
            assert payers == [ground.devon.id, ground.region.id, ground.devon.id]
            agreement = get_agreement(session, after)
            with pytest.raises(NotYourSide):
                sign_agreement(session, agreement, version=agreement.version, now=utc_now())
        sign_all(ground, after, ground.region, ground.charity)
        for other in (ground.dorset, ground.charity):
            with transaction(ground.database, other) as session:
                assert list_payers(session) == []
                with pytest.raises(PayerUnknown):
                    get_payer(session, asked_id)
        with transaction(ground.database, ground.region) as session:
            end_payer(session, get_payer(session, asked_id), ends_on=TODAY, now=utc_now())
            with pytest.raises(PayerInvalid):
                end_payer(session, get_payer(session, asked_id), ends_on=TODAY, now=utc_now())
        tomorrow = TODAY + timedelta(days=1)
        with transaction(ground.database, ground.devon) as session:
            with pytest.raises(PayerInvalid, match="pays until then"):
                ask_payer(session, payer_agency_id=ground.region.id, begins_on=TODAY, now=utc_now())
            # What nobody confirmed is ended, and stands in the way of no other.
            for _ in range(2):
                asked = ask_payer(session, payer_agency_id=ground.region.id, begins_on=tomorrow, now=utc_now())
                end_payer(session, asked, ends_on=tomorrow, now=utc_now())


class TestCost:
    def test_is_told_to_finance_once_a_family_is_chosen_and_never_before(
        self, ground: FeeGround, database_urls: DatabaseUrls
    ) -> None:
        agreement_id = ground.match(ground.dorset, ground.charity)
        with transaction(ground.database, ground.dorset) as session:
            link_id = session.get_one(FeeAgreement, agreement_id).link_id
            assert link_id is not None
            with pytest.raises(NotChosen):
                cost_of(session, link_id, now=utc_now())
        with psycopg.connect(libpq_url(database_urls.admin), autocommit=True) as admin:
            admin.execute("UPDATE link SET state = 'panel' WHERE id = %s", (link_id,))
        officer = ground.dorset.acting_as(Role.FINANCE_OFFICER)

        with ground.database.transaction(officer) as session:
            assert link_id in {each.link_id for each in list_chosen(session)}
            cost = cost_of(session, link_id, now=utc_now())
            assert (cost.price.pence, cost.on) == (4_100_000, TODAY)
            assert "expected on" in cost.price.words
            with pytest.raises(DayUnfit):
                cost_of(session, link_id, now=utc_now(), on=TODAY - timedelta(days=1))
        for role in (Role.FAMILY_FINDER, Role.CHILDS_SOCIAL_WORKER, Role.COORDINATOR):
            with ground.database.transaction(ground.dorset.acting_as(role)) as session, pytest.raises(NotAllowed):
                cost_of(session, link_id, now=utc_now())
        for other in (ground.charity, ground.devon):
            with transaction(ground.database, other) as session, pytest.raises(NotChosen):
                cost_of(session, link_id, now=utc_now())

    def test_changes_no_ranking(self, ground: FeeGround) -> None:
        def ranking() -> tuple[bytes, bytes]:
            with transaction(ground.database, ground.dorset) as session:
                found = open_pool(session, as_of=TODAY).rank()
                return found.index.tobytes(), found.points.tobytes()

        agreement_id = ground.match(ground.region, ground.charity)
        before = ranking()
        with transaction(ground.database, ground.office) as session:
            terms = TariffTerms("Dear", PayeeKind.STANDARD, TODAY, "Made up.", {1: 90_000_000})
            add_tariff(session, terms, now=utc_now())
        sign_all(ground, agreement_id, ground.region, ground.charity)
        ground.place(ground.region, agreement_id)

        assert before[0]
        assert ranking() == before


class TestStateFee:
    def test_is_paid_in_full_or_as_a_tariff_of_the_payees(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        with transaction(ground.database, ground.dorset) as session:
            agreement = get_agreement(session, agreement_id)
            [tariff] = list_plans(session, agreement, today=TODAY)
            facts: dict[str, Any] = {"pence": 1_000_001, "reason": "Minute 1.", "now": utc_now()}
            with pytest.raises(AgreementInvalid, match="doesn’t hold for the payee") as refused:
                state_fee(session, agreement, version=1, as_tariff_id=uuid4(), **facts)
            assert refused.value.about == "plan"
            state_fee(session, agreement, version=1, as_tariff_id=tariff.id, **facts)
            assert agreement.instalments == split(1_000_001, tariff.terms.shares)
            assert agreement.continuing_pence == tariff.terms.continuing_pence
            assert (len(agreement.instalments), agreement.tariff_id) == (len(tariff.terms.shares), None)
            state_fee(session, agreement, version=2, **facts)
            assert [each.pence for each in agreement.instalments] == [1_000_001]
            assert agreement.continuing_pence is None
        charity = ground.match(ground.devon, ground.charity)
        with transaction(ground.database, ground.devon) as session:
            assert tariff not in list_plans(session, get_agreement(session, charity), today=TODAY)
