"""A swap group whose members invoice one another, its office, and an agency of the consortium that is in no group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from concord.servers.login import DatabaseUrls
from matching.fee.ledger import Account, balance
from matching.fee.netting import confirm_netting, get_netting, propose_group_netting
from matching.swap.group import SwapGroup, Terms, agree, make_swap_group
from matching.swap.rule import SwapRule
from tenants.agency import AgencyKind
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.invoice.invoice_ground import InvoiceGround


@dataclass(frozen=True, slots=True)
class NettingGround:
    """Members of a swap group, each of which can invoice each other."""

    database: Database
    urls: DatabaseUrls
    office: Tenant
    members: tuple[Tenant, ...]
    stranger: Tenant
    swap_group_id: UUID

    @property
    def coordinator(self) -> Tenant:
        """Return the office's coordinator."""
        return replace(self.office, scope=self.office.acting_as(Role.COORDINATOR))

    def issue(self, payer: int, payee: int, pence: int) -> UUID:
        """Let one member owe another so much, and invoice it; return the invoice's id."""
        one, other = self.members[payer], self.members[payee]
        return InvoiceGround(self.database, self.urls, one, other, self.stranger, other).issue(pence)

    def propose(
        self, tenant: Tenant, *, until_on: date = TODAY, now: datetime = NOW, without: Iterable[int] = ()
    ) -> UUID:
        """Draw up a netting among the members, or all but some."""
        left_out = [self.members[each].id for each in without]
        with self.database.transaction(tenant.scope) as session:
            group = session.get_one(SwapGroup, self.swap_group_id)
            return propose_group_netting(session, group, until_on=until_on, now=now, without=left_out).id

    def confirm(self, tenant: Tenant, netting_id: UUID) -> bool:
        """Confirm as one member; return whether that posted it."""
        with self.database.transaction(tenant.scope) as session:
            return confirm_netting(session, get_netting(session, netting_id), now=NOW)

    def net(self, member: int) -> int:
        """Return what a member is owed on the whole by its book; less than nothing where it owes."""
        with self.database.transaction(self.members[member].scope) as session:
            assert balance(session, Account.NETTING) == 0
            return balance(session, Account.RECEIVABLE) + balance(session, Account.PAYABLE)


NAMES = ("Penhallow", "Oakhanger", "Threlkeld", "Wystan", "Birkrigg", "Lanyon", "Marshfield", "Quorndon")
"""Unlike enough for a bank line to tell one from another."""


def make_netting_ground(
    database: Database, urls: DatabaseUrls, factories: Factories, *, members: int = 4
) -> NettingGround:
    """Make the agencies, with accounts to be paid on, and the swap group to which all members agreed."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    stranger, *found = (factories.tenant(consortium_id, called=each) for each in NAMES[: members + 1])
    for each in found:
        InvoiceGround(database, urls, stranger, each, stranger, each).keep()
    terms = Terms("Sample swaps", SwapRule(begins_on=TODAY, ends_on=None))
    with database.transaction(office.acting_as(Role.COORDINATOR)) as session:
        group_id = make_swap_group(session, terms, agency_ids=[each.id for each in found], now=NOW).id
    for each in found:
        with database.transaction(each.acting_as(Role.MANAGER)) as session:
            agree(session, session.get_one(SwapGroup, group_id), now=NOW)
    return NettingGround(database, urls, office, tuple(found), stranger, group_id)
