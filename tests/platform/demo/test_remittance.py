"""The demonstration's bank file shows a finance officer what is sure, what is not and what is no fee, once."""

from __future__ import annotations

import pytest

from concord.demo.remittance import make_bank_files
from concord.servers.login import DatabaseUrls
from matching.fee.reconciliation.fact import Confidence
from matching.fee.reconciliation.queue import read_queue
from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import NOW, Factories
from tests.matching.fee.reconciliation.bank import Bank, make_bank


@pytest.fixture
def bank(database: Database, migrated: DatabaseUrls, factories: Factories) -> Bank:
    return make_bank(database, migrated, factories)


class TestMakeBankFiles:
    def test_has_a_line_of_each_certainty(self, bank: Bank) -> None:
        bank.invoice(2_700_000)
        bank.invoice(1_800_000)
        tenants = {each.slug: each for each in (bank.payee, bank.payer)}

        def cast(slug: str, role: Role) -> Scope:
            return tenants[slug].acting_as(role)

        made = [make_bank_files(bank.database, cast, agencies=tenants, now=NOW) for _ in range(2)]

        with bank.database.transaction(bank.payee.scope) as session:
            found = [each.proposal.confidence for each in read_queue(session, now=NOW).lines]
        assert made == [1, 0]
        assert sorted(found) == sorted([Confidence.SURE, Confidence.LIKELY, Confidence.NONE])
