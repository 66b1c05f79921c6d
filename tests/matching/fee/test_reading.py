"""Whoever reads anything of fees is asked whether their role may, by the function itself and not by its page alone."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

from sqlalchemy.orm import Session

import matching.fee
from tenants.database import Database
from tenants.permission import MAY, NotAllowed, Verb
from tenants.role import Role
from tests.factories import Factories

READERS = (
    "get_",
    "list_",
    "find_",
    "count_",
    "read_",
    "view_",
    "lines_of",
    "credits_of",
    "reminders_of",
    "postings_of",
)
# Those that ask nothing, each with its reason.
OPEN = {
    "addendum.get_addendum": "whoever says that the children moved in drafts what that day's rate changed",
    "agreement.find_agreement_of": "whoever takes a step of a link moves its agreement along",
    "debt_holder.find_last": "it says whom a debt is between that somebody has read, or that a worker hands over",
    "debt_holder.list_last": "as above",
    "debt_holder.list_taken": "as above",
    "ledger.balance.list_to_invoice": "what is due is listed by verbs that ask, and reckoned by workers",
    "ledger.transaction.find_transaction": "posting asks for it, in a worker's scope too",
    "netting.get_netting": "the office of a swap group reads it too, by another verb",
    "netting.list_netting_members": "as above",
    "netting_leg.read_legs": "whoever lists what is owed has been asked, and a worker reminds of it",
    "reconciliation.owed.list_owed": "a worker's reminders and notices ask for it",
    "reconciliation.owed.list_open": "as above",
    "reconciliation.owed.list_others": "it names members of the consortium alone",
    "reconciliation.payment.list_allocations": "of payments that somebody has read",
    "remittance.line.list_lines": "whoever matches lines has been asked, and a worker takes them in",
    "rule.read_rules": "a match drafts its agreement by them, whoever decides on it",
    "rule.read_swap_waiver": "as above",
    "settlement.list_to_settle": "a worker settles them",
    "signer.find_signer": "it says who one is oneself",
    "tariff.read_tariffs": "a match is priced by them, whoever decides on it",
    "waiver.find_waiver": "as above",
}


def _readers() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in pkgutil.walk_packages(matching.fee.__path__, "matching.fee."):
        for name, found in vars(importlib.import_module(module.name)).items():
            if inspect.isfunction(found) and found.__module__ == module.name and name.startswith(READERS):
                parameters = list(inspect.signature(found).parameters.values())
                if parameters and parameters[0].annotation in ("Session", Session):
                    yield f"{module.name.removeprefix('matching.fee.')}.{name}", found


def _call(reader: Callable[..., Any], session: Session) -> None:
    wanted = [each for each in inspect.signature(reader).parameters.values() if each.default is inspect.Parameter.empty]
    keys = {each.name: MagicMock() for each in wanted if each.kind is inspect.Parameter.KEYWORD_ONLY}
    found = reader(session, *[MagicMock()] * (len(wanted) - 1 - len(keys)), **keys)
    if inspect.isgenerator(found):
        next(found)


def test_every_reader_asks_for_a_role_that_may(database: Database, factories: Factories) -> None:
    lacking = factories.tenant(factories.consortium()).acting_as(Role.FAMILY_FINDER)
    assert not {Verb.READ_FEES, Verb.READ_TARIFFS, Verb.READ_SAVINGS, Verb.KEEP_FEES} & {
        verb for verb in Verb if MAY[verb] & lacking.roles
    }
    silent = set()
    for name, reader in _readers():
        with database.transaction(lacking) as session:
            try:
                _call(reader, session)
            except NotAllowed:
                continue
            except Exception:
                session.rollback()
            silent.add(name)

    assert silent == set(OPEN)
