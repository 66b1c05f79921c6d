"""Whose work something about fees is, is told of it once, by words that name nobody; others are told nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from sqlalchemy import select, text

from concord.servers.login import DatabaseUrls
from matching.fee.agreement import get_agreement
from matching.fee.invoice.bank import ask_change, get_change, read_details, withdraw_change
from matching.fee.invoice.dispute import DisputeOutcome, answer_dispute, open_dispute
from matching.fee.invoice.invoice import get_invoice
from matching.fee.invoice.reminder import raise_reminders
from matching.fee.ledger import ask_to_reopen, close_month, list_periods, open_months, reopen
from matching.fee.netting import confirm_netting, decline_netting, get_netting, propose_netting
from matching.fee.notice import FeeWord, give_fee_notices
from matching.fee.signing import sign_agreement
from matching.fee.signing_limit import set_limit
from matching.notice import Notice, list_notices, take_unmailed
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import MAY, Verb
from tenants.role import Role
from tenants.scope import NOBODY
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.fee_ground import FeeGround
from tests.matching.fee.invoice.invoice_ground import InvoiceGround, make_invoice_ground


class Told:
    """What people have been told of since they were last asked for, but for one word."""

    def __init__(self, database: Database, *, but: FeeWord | None = None) -> None:
        self._database = database
        self._but = but
        self._seen: dict[object, int] = {}

    def __call__(self, tenant: Tenant) -> list[str]:
        """Return the words that are new to a person, the first first."""
        with self._database.transaction(tenant.scope) as session:
            found = [card.fee for card in list_notices(session, number=1).cards]
        words = [word.value for word in found if word is not None and word is not self._but]
        before = self._seen.get(tenant.scope.person_id, 0)
        self._seen[tenant.scope.person_id] = len(words)
        return sorted(words[: len(words) - before])


@pytest.fixture
def deal(database: Database, migrated: DatabaseUrls, factories: Factories) -> InvoiceGround:
    """Two agencies that may invoice each other, and a stranger."""
    made = make_invoice_ground(database, migrated, factories)
    replace(made, payer=made.payee, payee=made.payer).keep()
    return made


class TestNoticeFee:
    def test_tells_the_side_whose_turn_it_is_and_never_who_did_it(
        self, deal: InvoiceGround, database: Database, factories: Factories
    ) -> None:
        told, payer, payee, colleague = Told(database, but=FeeWord.TO_SIGN), deal.payer, deal.payee, deal.colleague
        manager = factories.colleague(payer, roles=frozenset({Role.MANAGER}))
        worker = factories.colleague(payer, roles=frozenset({Role.FAMILY_FINDER}))
        invoice_id = deal.issue(1_000, days_ago=60)
        for _ in range(2):
            with database.transaction(replace(payee.scope, person_id=None)) as session:
                raise_reminders(session, now=NOW)
        assert (told(payer), told(payee)) == (["reminder"], [])

        with database.transaction(payer.scope) as session:
            open_dispute(session, get_invoice(session, invoice_id), words="No order.", now=NOW)
        with database.transaction(payee.scope) as session:
            answer_dispute(session, get_invoice(session, invoice_id), words="There was.", version=1, now=NOW)
        with database.transaction(payer.scope) as session:
            invoice = get_invoice(session, invoice_id)
            answer_dispute(session, invoice, words="Right", version=2, now=NOW, outcome=DisputeOutcome.WITHDRAWN)
        assert told(payer) == ["dispute_answered"]
        assert told(payee) == told(colleague) == ["dispute_opened", "dispute_over"]

        replace(deal, payer=payee, payee=payer).issue(400)
        told(payee)
        with database.transaction(payer.scope) as session:
            first = propose_netting(session, payee.id, until_on=TODAY, now=NOW).id
        with database.transaction(payee.scope) as session:
            decline_netting(session, get_netting(session, first), reason="Later", now=NOW)
            second = propose_netting(session, payer.id, until_on=TODAY, now=NOW).id
        with database.transaction(payer.scope) as session:
            confirm_netting(session, get_netting(session, second), now=NOW)
        assert told(payer) == ["netting", "netting_declined"]
        assert told(payee) == ["netting", "netting_posted"]
        assert told(colleague) == ["netting", "netting_posted"]
        assert told(manager) == told(worker) == told(deal.stranger) == []

    def test_tells_who_pays_of_bank_details_before_they_change(self, deal: InvoiceGround, database: Database) -> None:
        told = Told(database, but=FeeWord.TO_SIGN)
        deal.set_bank("11112222")
        deal.issue(1_000)
        assert (told(deal.payee), told(deal.colleague), told(deal.payer)) == (["bank_approved"], ["bank_asked"], [])

        change_id = deal.set_bank("33334444")
        assert (told(deal.payee), told(deal.payer)) == (["bank_approved"], ["bank_changes"])
        with database.transaction(deal.payer.scope) as session:
            card = list_notices(session, number=1).cards[0]
            assert (card.fee_id, card.group, card.household) == (change_id, None, None)
        for days, brought in ((0, ["month_open"]), (6, ["bank_soon"]), (6, [])):
            for agency in (deal.payer, deal.payee, deal.stranger):
                with database.transaction(replace(agency.scope, person_id=None, roles=frozenset())) as session:
                    give_fee_notices(session, now=utc_now() + timedelta(days=days))
            assert told(deal.payee) == told(deal.payer) == brought
        with database.transaction(deal.payee.scope) as session:
            withdraw_change(session, get_change(session, change_id), now=NOW)
            ask_change(session, read_details("Sample", "12-34-56", "55556666"), now=NOW)
        assert (told(deal.payee), told(deal.payer)) == ([], ["bank_stays"])
        assert told(deal.stranger) == []

    def test_tells_of_months_that_are_open_and_asked_to_be(self, deal: InvoiceGround, database: Database) -> None:
        told = Told(database, but=FeeWord.TO_SIGN)
        deal.due(1_000)
        with database.transaction(deal.payee.scope) as session:
            (month,) = open_months(session)
        start = NOW.replace(year=month.year, month=month.month, day=1)
        for days in (36, 40, 70):
            for agency in (deal.payee, deal.stranger):
                with database.transaction(replace(agency.scope, person_id=None)) as session:
                    give_fee_notices(session, now=start + timedelta(days))
        assert told(deal.payee) == told(deal.colleague) == ["month_open"]
        with database.transaction(deal.payee.scope) as session:
            ask_to_reopen(session, close_month(session, month, now=NOW), reason="A late order", now=NOW)
        assert (told(deal.payee), told(deal.colleague)) == ([], ["reopen_asked"])
        with database.transaction(deal.colleague.scope) as session:
            reopen(session, list_periods(session)[0], now=NOW)
        assert (told(deal.payee), told(deal.colleague)) == (["reopened"], [])
        assert told(deal.payer) == told(deal.stranger) == []

    def test_tells_of_a_higher_limit_whom_it_does_not_bind(self, database: Database, factories: Factories) -> None:
        told, (asker, stranger) = Told(database), factories.two_tenants()
        roles = (Role.FINANCE_OFFICER, Role.MANAGER, Role.ADOPTERS_WORKER)
        people = {role: factories.colleague(asker, roles=frozenset({role})) for role in roles}
        for role, other in ((Role.FINANCE_OFFICER, Role.MANAGER), (Role.MANAGER, Role.FINANCE_OFFICER)):
            for pence in (1, 2, 3):
                with database.transaction(asker.scope) as session:
                    set_limit(session, role, pence=pence, now=utc_now())
            assert told(people[other]) == ["limit_asked"] * 2
            assert [word for each in (*people.values(), asker, stranger) for word in told(each)] == []

    def test_tells_who_may_sign_once_there_is_something_to_sign(self, ground: FeeGround, factories: Factories) -> None:
        told = Told(ground.database)
        manager = factories.colleague(ground.dorset, roles=frozenset({Role.MANAGER}))
        worker = factories.colleague(ground.dorset, roles=frozenset({Role.ADOPTERS_WORKER}))
        told(ground.devon), told(ground.dorset)
        agreement_id = ground.match(ground.devon, ground.dorset)
        assert told(ground.dorset) == told(manager) == ["to_sign"]
        with ground.database.transaction(ground.dorset.scope) as session:
            agreement = get_agreement(session, agreement_id)
            sign_agreement(session, agreement, version=agreement.version, now=utc_now())
        assert told(ground.dorset) == told(manager) == told(worker) == told(ground.charity) == []


class TestFeeWord:
    def test_are_what_the_database_tells_of_by_the_table_of_permissions(self) -> None:
        revision = import_module("concord.migrations.versions.0049_fee_notices")
        spoken = (*revision.PAYERS_TOLD, *revision.ALL_TOLD)
        told = {each.word for each in revision.TELLS} | {word for word, *_ in spoken} | {"limit_asked"}
        assert {word.value for word in FeeWord} - told == {"bank_soon", "month_open", "netting_over", "leg_reminder"}
        assert all(word.label for word in FeeWord)
        assert set(revision.APPROVERS.split(",")) == {
            role.value for role in MAY[Verb.SIGN_FEES] & MAY[Verb.APPROVE_FEES]
        }
        assert MAY[Verb.KEEP_FEES] == {Role.FINANCE_OFFICER}


class TestPeopleToMail:
    def test_are_finance_officers_too_for_as_long_as_they_are(self, deal: InvoiceGround, database: Database) -> None:
        deal.issue(1_000, days_ago=60)
        with database.transaction(deal.payee.scope) as session:
            raise_reminders(session, now=NOW)
        with database.transaction(NOBODY) as session:
            due = session.scalars(text("SELECT person_id FROM people_to_mail(:at)"), {"at": NOW.replace(hour=12)}).all()
            asked = session.scalars(text("SELECT * FROM agencies_with_clocks('a sample day')")).all()
        assert deal.payer.scope.person_id in due
        assert {deal.payer.id, deal.payee.id} <= set(asked)
        assert deal.stranger.id not in asked
        with database.transaction(replace(deal.payer.scope, roles=frozenset())) as session:
            assert take_unmailed(session, now=NOW) == 2
            assert set(session.scalars(select(Notice.kind))) == {"fee"}
            assert list_notices(session, number=1).total == 0
