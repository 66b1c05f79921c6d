from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from matching.fee.addendum import AddendumOpen, draft_addendum, withdraw_addendum
from matching.fee.agreement import (
    AddendumKind,
    AgreementInvalid,
    AgreementMoved,
    AgreementState,
    AgreementUnknown,
    FeeAgreement,
    NotYourSide,
    Wanted,
    find_agreement_of,
    get_agreement,
    list_addenda,
    select_agreements,
)
from matching.fee.agreement_page import view_agreement
from matching.fee.drafting import draft_missing, state_fee
from matching.fee.event import FeeEvent, FeeEventKind, record_event
from matching.fee.exception import ExceptionInvalid, ExceptionKind, ask_exception, decide_exception, get_exception
from matching.fee.rule import LegFalls
from matching.fee.signing import sign_addendum, sign_agreement
from matching.fee.signing_limit import BeyondLimit, decide_limit, list_limits, set_limit
from matching.placement.placement import get_placement
from tenants.agency import get_agency
from tenants.approval import BothSides, NobodyNamed
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import Factories, Tenant, transaction
from tests.matching.fee.fee_ground import MOVED_IN, TODAY, FeeGround
from tests.matching.placement.stage import make_ordered


def read(ground: FeeGround, tenant: Tenant, agreement_id: UUID) -> FeeAgreement:
    with transaction(ground.database, tenant) as session:
        agreement = get_agreement(session, agreement_id)
        session.refresh(agreement)
        session.expunge(agreement)
        return agreement


def sign(ground: FeeGround, tenant: Tenant, agreement_id: UUID) -> FeeAgreement:
    with transaction(ground.database, tenant) as session:
        agreement = get_agreement(session, agreement_id)
        return sign_agreement(session, agreement, version=agreement.version, now=utc_now())


def sign_both(ground: FeeGround, agreement_id: UUID, *sides: Tenant) -> None:
    for side in sides:
        sign(ground, side, agreement_id)


def kinds(ground: FeeGround, tenant: Tenant, agreement_id: UUID) -> list[FeeEventKind]:
    with transaction(ground.database, tenant) as session:
        query = select(FeeEvent.kind).where(FeeEvent.agreement_id == agreement_id)
        return list(session.scalars(query.order_by(FeeEvent.recorded_at, FeeEvent.key)))


class TestDraft:
    def test_says_who_pays_whom_how_much_and_by_which_rule(self, ground: FeeGround) -> None:
        agreement = read(ground, ground.devon, ground.match(ground.devon, ground.dorset, months=(50, 20)))

        assert (agreement.payer_agency_id, agreement.payee_agency_id) == (ground.devon.id, ground.dorset.id)
        assert (agreement.amount_pence, agreement.children, agreement.waived) == (4_300_000, 2, False)
        assert agreement.state is AgreementState.DRAFTED
        assert "“Councils and regional agencies, England”" in agreement.rate_words
        assert sum(part.pence for part in agreement.instalments) == 4_300_000
        assert agreement.reference.startswith("FA-")

    def test_without_a_figure_says_what_to_do_and_is_signed_by_nobody(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.charity)
        agreement = read(ground, ground.charity, agreement_id)

        assert agreement.amount_pence is None
        assert "Ask the consortium’s office" in (agreement.refusal or "")
        with pytest.raises(AgreementInvalid, match="no amount to sign"):
            sign(ground, ground.charity, agreement_id)

    def test_is_shown_to_its_parties_and_is_unknown_to_others(self, ground: FeeGround, factories: Factories) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        stranger = factories.tenant(factories.consortium())

        for party in (ground.devon, ground.dorset):
            with transaction(ground.database, party) as session:
                assert agreement_id in {each.id for each in session.scalars(select_agreements(session))}
                wanted = Wanted(reference=get_agreement(session, agreement_id).reference)
                assert [each.id for each in session.scalars(select_agreements(session, wanted))] == [agreement_id]
        for other in (ground.charity, ground.office, stranger):
            with transaction(ground.database, other) as session:
                assert agreement_id not in {each.id for each in session.scalars(select_agreements(session))}
                with pytest.raises(AgreementUnknown) as hidden:
                    get_agreement(session, agreement_id)
                with pytest.raises(AgreementUnknown) as missing:
                    get_agreement(session, uuid4())
                assert str(hidden.value) == str(missing.value)

    def test_is_for_finance_and_managers(self, ground: FeeGround) -> None:
        with ground.database.transaction(ground.devon.acting_as(Role.FAMILY_FINDER)) as session:
            with pytest.raises(NotAllowed):
                select_agreements(session)
            with pytest.raises(NotAllowed):
                get_agreement(session, uuid4())

    def test_goes_with_the_steps_of_a_link(self, factories: Factories, database: Database) -> None:
        pairing = make_ordered(factories, database)

        with transaction(database, pairing.children) as session:
            agreement = find_agreement_of(session, pairing.link_id)
            assert agreement is not None
            placement = get_placement(session, pairing.link_id)
            dates = (agreement.matched_on, agreement.placed_on, agreement.ordered_on)
            assert dates == (placement.matched_on, placement.adoptive_start_on, placement.ordered_on)
            # Nobody keeps tariffs in this consortium: that holds no step up.
            assert (agreement.amount_pence, agreement.frozen_at) == (None, None)
            events = set(session.scalars(select(FeeEvent.kind).where(FeeEvent.agreement_id == agreement.id)))
            assert events == {FeeEventKind.PLACED, FeeEventKind.ORDERED}

    def test_that_is_missing_is_made_later_by_the_childrens_agency(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        ground.place(ground.devon, agreement_id)
        with transaction(ground.database, ground.devon) as session:
            link_id = session.get_one(FeeAgreement, agreement_id).link_id
            assert link_id is not None
            placement = get_placement(session, link_id)
            # As it is with a placement of before there were agreements.
            session.execute(update(FeeAgreement).where(FeeAgreement.id == agreement_id).values(state="withdrawn"))
            session.expire_all()
            drafted = draft_missing(session, placement, now=utc_now())
            assert (drafted.id != agreement_id, drafted.placed_on) == (True, MOVED_IN)
            assert drafted.frozen_at is not None
            assert draft_missing(session, placement, now=utc_now()).id == drafted.id
        with transaction(ground.database, ground.dorset) as session, pytest.raises(NotYourSide):
            draft_missing(session, get_placement(session, link_id), now=utc_now())


class TestSign:
    def test_takes_one_of_each_side(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)

        sign(ground, ground.dorset, agreement_id)
        assert read(ground, ground.devon, agreement_id).state is AgreementState.DRAFTED
        signed = sign(ground, ground.devon, agreement_id)

        assert signed.state is AgreementState.SIGNED
        assert {signed.payer_signed_by, signed.payee_signed_by} == {
            ground.devon.scope.person_id,
            ground.dorset.scope.person_id,
        }
        assert kinds(ground, ground.dorset, agreement_id) == [FeeEventKind.AGREEMENT_SIGNED]
        with pytest.raises(AgreementInvalid, match="has signed this already"):
            sign(ground, ground.devon, agreement_id)

    def test_refuses_who_works_for_both_and_whoever_is_nobody(self, ground: FeeGround, factories: Factories) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        double = factories.colleague(ground.devon, roles=frozenset({Role.FINANCE_OFFICER}))
        with ground.database.transaction(OPERATOR) as session:
            person = get_person(session, double.scope.person_id or uuid4())
            there = get_agency(session, ground.dorset.id)
            appoint(session, person, agency=there, role=Role.FINANCE_OFFICER, starts_on=TODAY - timedelta(days=9))

        with pytest.raises(BothSides):
            sign(ground, double, agreement_id)
        nobody = replace(ground.devon.scope, person_id=None)
        with ground.database.transaction(nobody) as session, pytest.raises(NobodyNamed):
            sign_agreement(session, get_agreement(session, agreement_id), version=1, now=utc_now())

    def test_refuses_an_agency_that_is_no_side_and_a_role_that_signs_nothing(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        finder = ground.devon.acting_as(Role.FAMILY_FINDER)

        with ground.database.transaction(finder) as session:
            agreement = session.get_one(FeeAgreement, agreement_id)
            with pytest.raises(NotAllowed):
                sign_agreement(session, agreement, version=1, now=utc_now())

    def test_keeps_to_limits_that_managers_set(self, ground: FeeGround, factories: Factories) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        officer = factories.colleague(ground.devon, roles=frozenset({Role.FINANCE_OFFICER}))
        with transaction(ground.database, ground.devon) as session:
            set_limit(session, Role.FINANCE_OFFICER, pence=2_699_999, now=utc_now())
            assert list_limits(session) == {Role.FINANCE_OFFICER: 2_699_999, Role.MANAGER: None}
        with transaction(ground.database, ground.dorset) as session:
            assert list_limits(session) == {Role.FINANCE_OFFICER: None, Role.MANAGER: None}

        with pytest.raises(BeyondLimit, match=r"£27,000, and you sign up to £26,999\.99"):
            sign(ground, officer, agreement_id)
        with transaction(ground.database, officer) as session, pytest.raises(NotAllowed):
            set_limit(session, Role.FINANCE_OFFICER, pence=None, now=utc_now())
        with transaction(ground.database, ground.devon) as session:
            set_limit(session, Role.FINANCE_OFFICER, pence=2_700_000, now=utc_now())
        with pytest.raises(BeyondLimit):
            sign(ground, officer, agreement_id)
        head = factories.colleague(ground.devon, roles=frozenset({Role.MANAGER}))
        with transaction(ground.database, head) as session:
            decide_limit(session, Role.FINANCE_OFFICER, pence=2_700_000, approve=True, now=utc_now())
        assert sign(ground, officer, agreement_id).payer_signed_by == officer.scope.person_id
        # Another fee takes a word of each side, as a signature does.
        with transaction(ground.database, ground.dorset) as session:
            more: dict[str, Any] = {
                "kind": ExceptionKind.OVERRIDE,
                "pence": 2_700_001,
                "reason": "As agreed.",
                "now": utc_now(),
            }
            asked_id = ask_exception(session, get_agreement(session, agreement_id), **more).id
            with pytest.raises(ExceptionInvalid, match="asked for already"):
                ask_exception(session, get_agreement(session, agreement_id), **more)
        with transaction(ground.database, officer) as session:
            with pytest.raises(BeyondLimit):
                ask_exception(session, get_agreement(session, agreement_id), **more)
            with pytest.raises(BeyondLimit):
                decide_exception(session, get_exception(session, asked_id), approve=True, now=utc_now())
            decide_exception(session, get_exception(session, asked_id), approve=False, now=utc_now())

    def test_by_two_at_once_counts_both_once(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)

        def attempt(side: Tenant) -> str:
            for _ in range(3):
                try:
                    sign(ground, side, agreement_id)
                except AgreementMoved:
                    continue
                except AgreementInvalid as refusal:
                    return str(refusal)
                return "signed"
            return "moved"

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(attempt, [ground.devon, ground.dorset, ground.devon, ground.dorset]))

        assert answers.count("signed") == 2
        assert read(ground, ground.devon, agreement_id).state is AgreementState.SIGNED
        assert kinds(ground, ground.devon, agreement_id) == [FeeEventKind.AGREEMENT_SIGNED]

    def test_is_refused_by_the_database_for_the_other_side(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        forged = {"payee_signed_by": ground.devon.scope.person_id, "payee_signed_name": "Sam"}

        for values in (forged, {"state": "in_force"}):
            change = update(FeeAgreement).where(FeeAgreement.id == agreement_id)
            with pytest.raises(DBAPIError), transaction(ground.database, ground.devon) as session:
                session.execute(change.values(**values, payee_signed_at=utc_now()))
        sign(ground, ground.devon, agreement_id)
        # What one has signed is neither made another sum nor given another name by who signs next.
        change = update(FeeAgreement).where(FeeAgreement.id == agreement_id)
        with pytest.raises(DBAPIError, match="sign"), transaction(ground.database, ground.dorset) as session:
            session.execute(change.values(amount_pence=1))
        with transaction(ground.database, ground.dorset) as session:
            session.execute(change.values(payer_signed_name="Sam"))
        assert read(ground, ground.devon, agreement_id).payer_signed_name == f"Sam Sample {ground.devon.slug}"

    def test_leaves_what_becomes_of_a_placement_to_the_childrens_agency(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        sign_both(ground, agreement_id, ground.devon, ground.dorset)
        ground.place(ground.devon, agreement_id, on=MOVED_IN)

        change = update(FeeAgreement).where(FeeAgreement.id == agreement_id)
        for column in ("ordered_on", "disrupted_on"):
            with pytest.raises(DBAPIError, match="append-only"), transaction(ground.database, ground.dorset) as session:
                session.execute(change.values({column: MOVED_IN}))
        with transaction(ground.database, ground.dorset) as session:
            agreement, kind = get_agreement(session, agreement_id), FeeEventKind.LEG_UNBALANCED
            with pytest.raises(DBAPIError, match="as the agreement has it"):
                record_event(session, agreement, kind, key=kind.value, happened_on=MOVED_IN, now=utc_now())
            session.rollback()


class TestFreeze:
    def test_keeps_the_rate_of_the_day_and_asks_both_to_see_another_than_expected(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        sign_both(ground, agreement_id, ground.devon, ground.dorset)

        ground.place(ground.devon, agreement_id, on=MOVED_IN)

        agreement = read(ground, ground.devon, agreement_id)
        assert (agreement.state, agreement.placed_on) == (AgreementState.IN_FORCE, MOVED_IN)
        assert agreement.frozen_at is not None
        assert f"{MOVED_IN.day} {MOVED_IN:%B %Y}" in agreement.rate_words
        assert FeeEventKind.PLACED in kinds(ground, ground.dorset, agreement_id)
        with transaction(ground.database, ground.dorset) as session:
            assert list_addenda(session, [agreement_id]) == {agreement_id: []}

    def test_with_another_rate_is_in_force_by_what_was_signed(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.charity)
        with transaction(ground.database, ground.charity) as session:
            agreement = get_agreement(session, agreement_id)
            state_fee(session, agreement, pence=4_000_000, reason="The board’s minute 12.", version=1, now=utc_now())
        sign_both(ground, agreement_id, ground.devon, ground.charity)
        ground.place(ground.devon, agreement_id)

        stated = read(ground, ground.devon, agreement_id)
        assert (stated.amount_pence, stated.stated, stated.state) == (4_000_000, True, AgreementState.IN_FORCE)
        assert "not by a tariff: £40,000. The board’s minute 12." in stated.rate_words

    def test_lets_a_fee_mistyped_then_be_stated_anew_until_both_have_signed(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.charity)
        ground.place(ground.devon, agreement_id)
        for side, pence in ((ground.devon, 2_700), (ground.charity, 2_700_000)):
            with transaction(ground.database, side) as session:
                agreement = get_agreement(session, agreement_id)
                state_fee(session, agreement, pence=pence, reason="So.", version=agreement.version, now=utc_now())
                assert view_agreement(session, agreement, on=TODAY).may_state
        sign_both(ground, agreement_id, ground.devon, ground.charity)

        stated = read(ground, ground.devon, agreement_id)
        assert (stated.amount_pence, stated.state) == (2_700_000, AgreementState.IN_FORCE)
        assert stated.frozen_at is not None


class TestAddendum:
    def test_changes_what_both_signed_once_both_have_signed_it(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        sign_both(ground, agreement_id, ground.devon, ground.dorset)
        with transaction(ground.database, ground.dorset) as session:
            agreement = get_agreement(session, agreement_id)
            made = draft_addendum(
                session,
                agreement,
                pence=2_500_000,
                children=1,
                reason="A brother joins in spring.",
                version=agreement.version,
                now=utc_now(),
            )
            assert made.kind is AddendumKind.AMENDMENT
            with pytest.raises(AddendumOpen):
                draft_addendum(
                    session, agreement, pence=1, children=1, reason="Less.", version=agreement.version, now=utc_now()
                )
        self._sign(ground, ground.dorset, agreement_id)
        assert read(ground, ground.devon, agreement_id).amount_pence == 2_700_000

        self._sign(ground, ground.devon, agreement_id)

        changed = read(ground, ground.devon, agreement_id)
        assert (changed.amount_pence, changed.addenda) == (2_500_000, 1)
        assert [part.pence for part in changed.instalments] == [1_666_666, 833_334]
        assert FeeEventKind.ADDENDUM in kinds(ground, ground.devon, agreement_id)

    def test_that_is_withdrawn_changes_nothing(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        sign_both(ground, agreement_id, ground.devon, ground.dorset)
        with transaction(ground.database, ground.devon) as session:
            agreement = get_agreement(session, agreement_id)
            for _ in range(2):
                made = draft_addendum(
                    session, agreement, pence=1, children=1, reason="No.", version=agreement.version, now=utc_now()
                )
                position, version = made.position, agreement.version
                withdraw_addendum(session, agreement, position, version=version, now=utc_now())
            with pytest.raises(AgreementInvalid):
                withdraw_addendum(session, agreement, position, version=agreement.version, now=utc_now())
        with pytest.raises(AgreementInvalid, match="isn’t to be signed"):
            self._sign(ground, ground.devon, agreement_id, position=2)

    def test_is_the_one_way_to_change_what_both_signed(self, ground: FeeGround) -> None:
        agreement_id = ground.match(ground.devon, ground.dorset)
        sign_both(ground, agreement_id, ground.devon, ground.dorset)

        for values in (
            {"amount_pence": 1},
            {"plan": [{"position": 1, "pence": 1, "due": "placement", "months": None}]},
            {"addenda": 1},
            {"placed_on": TODAY},
            {"waived": True, "waiver_words": "So.", "leg_falls": LegFalls.CHARGED},
        ):
            with pytest.raises(DBAPIError), transaction(ground.database, ground.dorset) as session:
                session.execute(update(FeeAgreement).where(FeeAgreement.id == agreement_id).values(**values))
        with transaction(ground.database, ground.devon) as session:
            agreement = get_agreement(session, agreement_id)
            with pytest.raises(AgreementInvalid, match="by an addendum"):
                state_fee(session, agreement, pence=1, reason="So.", version=agreement.version, now=utc_now())

    @staticmethod
    def _sign(ground: FeeGround, tenant: Tenant, agreement_id: UUID, position: int = 1) -> None:
        with transaction(ground.database, tenant) as session:
            agreement = get_agreement(session, agreement_id)
            sign_addendum(session, agreement, position, version=agreement.version, now=utc_now())
