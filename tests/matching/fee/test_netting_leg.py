"""A leg: due, reminded of and paid as an invoice is, and both sides read alike what of it is owed."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID

import pytest

from concord.servers.login import DatabaseUrls
from matching.fee.invoice.reminder import leg_reminders_of, raise_reminders
from matching.fee.netting import NettingUnknown, get_netting, own_part, propose_netting
from matching.fee.netting_leg import count_overdue_legs
from matching.fee.notice import FeeWord
from matching.fee.reconciliation.held_ahead import NothingHeld, allocate_held, put_back
from matching.fee.reconciliation.queue import read_queue
from matching.fee.reconciliation.settling import confirm_match, take_back
from matching.fee.remittance.line import get_line
from matching.notice import list_notices
from tenants.database import Database
from tenants.scope import Scope
from tests.factories import NOW, TODAY, Factories
from tests.matching.fee.invoice.invoice_ground import TERMS
from tests.matching.fee.netting_ground import NettingGround, make_netting_ground
from tests.matching.fee.remittance.samples import csv_of
from tests.matching.fee.remittance.taking import take


@pytest.fixture(scope="module")
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> NettingGround:
    """Return three members of a swap group."""
    return make_netting_ground(database, migrated, factories, members=3)


def _post(ground: NettingGround, one: int) -> UUID:
    """Let the second pay one of the others two pounds of what they owed each other, and return the netting's id."""
    ground.issue(1, one, 900)
    ground.issue(one, 1, 700)
    with ground.database.transaction(ground.members[one].scope) as session:
        netting_id = propose_netting(session, ground.members[1].id, until_on=TODAY, now=NOW).id
    assert _paid(ground, netting_id) == [(None, 0, 0)]
    ground.confirm(ground.members[1], netting_id)
    return netting_id


class TestLegs:
    def test_are_due_reminded_of_and_paid_as_invoices_are(self, ground: NettingGround) -> None:
        one, two, *_ = ground.members
        netting_id = _post(ground, 0)
        due_on = TODAY + timedelta(days=TERMS.payment_days)
        assert _paid(ground, netting_id) == [(due_on, 200, 0)]
        with ground.database.transaction(one.scope) as session:
            leg = own_part(session, get_netting(session, netting_id)).legs[0].leg
            assert count_overdue_legs(session, on=due_on + timedelta(days=1)) == 0
        # The job that reminds acts for no person, in no consortium; each stage once.
        for days in (6, 7, 20, 21):
            with ground.database.transaction(Scope(agency_id=one.id)) as session:
                assert raise_reminders(session, now=NOW + timedelta(days=TERMS.payment_days + days)) == (days % 7 == 0)
        with ground.database.transaction(two.scope) as session:
            assert [each.days for each in leg_reminders_of(session, [leg.id])] == [7, 21]
            assert [count_overdue_legs(session, on=due_on + timedelta(days=days)) for days in (0, 1)] == [0, 1]
            told = list_notices(session, number=1).cards
            assert {each.fee_id for each in told if each.fee is FeeWord.LEG_REMINDER} == {leg.id}

        with ground.database.transaction(one.scope) as session:
            take(session, csv_of([(f"{TODAY:%d/%m/%Y}", two.name, leg.reference, "2.00")]))
            (queued,) = read_queue(session, now=NOW).lines
            assert queued.proposal.sure
            assert f"netting {leg.reference}" in " ".join(queued.proposal.reasons)
            for _ in range(2):
                confirm_match(session, queued.line, queued.proposal.shares, now=NOW)
        assert _paid(ground, netting_id) == [(due_on, 0, 200)]
        assert (ground.net(0), ground.net(1)) == (0, 0)
        with ground.database.transaction(one.scope) as session:
            take_back(session, get_line(session, queued.line.id), reason="A sample", now=NOW)
            with pytest.raises(NothingHeld):
                allocate_held(session, leg.id, now=NOW)
        assert (ground.net(0), ground.net(1)) == (200, -200)
        assert _paid(ground, netting_id) == [(due_on, 200, 0)]

    def test_are_paid_from_what_is_held_ahead(self, ground: NettingGround) -> None:
        _, two, one = ground.members
        netting_id = _post(ground, 2)
        with ground.database.transaction(one.scope) as session:
            take(session, csv_of([(f"{TODAY:%d/%m/%Y}", two.name, "In advance", "1.50")]))
            (queued,) = read_queue(session, now=NOW).lines
            confirm_match(session, queued.line, (), over_payer_id=two.id, now=NOW)
            leg = own_part(session, get_netting(session, netting_id)).legs[0].leg

            used = allocate_held(session, leg.id, now=NOW)

            assert (used.invoice_id, used.leg_id) == (None, leg.id)
            assert [each.paid for each in own_part(session, get_netting(session, netting_id)).legs] == [150]
            put_back(session, used.id, reason="A sample", now=NOW)
        assert [paid for _, _, paid in _paid(ground, netting_id)] == [0]
        assert ground.net(2) == 200


def _paid(ground: NettingGround, netting_id: UUID) -> list[tuple[date | None, int, int]]:
    """Return by when each leg is to be paid, what is owed of it and what was paid, which all sides read alike."""
    found = []
    for tenant in ground.members:
        with ground.database.transaction(tenant.scope) as session, suppress(NettingUnknown):
            legs = own_part(session, get_netting(session, netting_id)).legs
            found.append([(each.leg.due_on, each.owed, each.paid) for each in legs])
    assert found == found[:1] * 2
    return found[0]
