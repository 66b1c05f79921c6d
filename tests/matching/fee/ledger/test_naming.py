"""Nobody names in a ledger what is between other agencies, nor anybody but themselves, whatever SQL they send."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from matching.fee.agreement import AddendumKind, FeeAddendum
from matching.fee.event import FeeEvent, FeeEventKind
from matching.fee.exception import ExceptionKind, FeeException
from matching.fee.ledger import LedgerTransaction, TransactionKind, mirrored, post
from matching.fee.signer import Signer
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.ledger.agreed import Agreed, agree

DUE = TransactionKind.DUE
_BECAME = ("placed", "ordered", "disrupted", "withdrawn")


@pytest.fixture(scope="module")
def agreed(admin: psycopg.Connection[Any], database: Database, pair: tuple[Tenant, Tenant]) -> Agreed:
    """What the two agreed."""
    return agree(admin, database, pair)


@pytest.fixture(scope="module")
def elsewhere(
    admin: psycopg.Connection[Any], database: Database, factories: Factories, pair: tuple[Tenant, Tenant]
) -> Agreed:
    """What the payee agreed with a third agency, signed and settled."""
    third = factories.tenant(pair[0].scope.consortium_id or uuid4())
    made = agree(admin, database, (third, pair[1]))
    made.tell(FeeEventKind.AGREEMENT_SIGNED, TODAY)
    made.settle(TODAY)
    return made


def _post(agreed: Agreed, kind: TransactionKind = DUE, *, by: Tenant | None = None, **facts: Any) -> None:
    parties = (agreed.payer.id, agreed.payee.id)
    said = {"entries": mirrored(DUE, 5, *parties), **facts}
    with agreed.database.transaction((by or agreed.payee).scope) as session:
        post(
            session,
            consortium_id=agreed.payer.scope.consortium_id or uuid4(),
            payer_agency_id=agreed.payer.id,
            payee_agency_id=agreed.payee.id,
            kind=kind,
            key=uuid4().hex,
            dated_on=TODAY,
            narrative="A sample",
            now=NOW,
            **said,
        )


def _tell(agreed: Agreed, kind: FeeEventKind, **facts: Any) -> None:
    parties = {"payer_agency_id": agreed.payer.id, "payee_agency_id": agreed.payee.id}
    with agreed.database.transaction(agreed.payee.scope) as session:
        said: dict[str, Any] = {
            "recorded_by": agreed.payee.scope.person_id,
            "recorded_name": "Somebody",
            "recorded_at": NOW,
        }
        said |= {"key": f"{kind}/{facts.get('exception_id', uuid4())}", "happened_on": TODAY}
        said |= {each: facts.pop(each) for each in list(facts) if each in said}
        about = {"agreement_id": agreed.id, "consortium_id": agreed.payee.scope.consortium_id}
        session.add(FeeEvent(id=uuid4(), kind=kind, facts=facts, **about, **parties, **said))


class TestPost:
    def test_is_about_what_its_two_agencies_agreed(self, agreed: Agreed, elsewhere: Agreed) -> None:
        parties = (agreed.payer.id, agreed.payee.id)
        with agreed.database.transaction(elsewhere.payee.scope) as session:
            theirs = session.scalars(
                select(LedgerTransaction).where(LedgerTransaction.agreement_id == elsewhere.id)
            ).one()
        for facts, refusal in (
            ({"agreement_id": elsewhere.id}, "row-level security"),
            ({"agreement_id": uuid4()}, "row-level security"),
            ({"entries": mirrored(DUE, 5, *parties, agreement_id=elsewhere.id)}, "agreement of its two agencies"),
            ({"agreement_id": agreed.id, "event_id": theirs.event_id}, "foreign key"),
            ({"event_id": theirs.event_id}, "check constraint"),
            (
                {"kind": TransactionKind.REVERSAL, "reverses_id": theirs.id, "reason": "No"},
                "a transaction of its two agencies",
            ),
        ):
            for side in (agreed.payee, agreed.payer):
                with pytest.raises(DBAPIError, match=refusal):
                    _post(agreed, by=side, **facts)

        _post(agreed, agreement_id=agreed.id)

    def test_is_made_and_approved_in_ones_own_name_or_as_an_event_tells(self, agreed: Agreed) -> None:
        somebody = Signer(uuid4(), "Somebody")
        for facts in (
            {"made_by": somebody},
            {"approved_by": somebody},
            {"approved_by": somebody, "kind": TransactionKind.NETTED},
        ):
            with pytest.raises(DBAPIError, match="row-level security"):
                _post(agreed, **facts)

        agreed.waive(TODAY, kept=[])
        with agreed.database.transaction(agreed.payee.scope) as session:
            event = session.scalars(select(FeeEvent).where(FeeEvent.kind == FeeEventKind.WAIVER)).one()
            asked, decided = (Signer(event.facts[f"{word}_by"], "Kit") for word in ("asked", "decided"))
        about: dict[str, Any] = {"agreement_id": agreed.id, "event_id": event.id}
        with pytest.raises(DBAPIError, match="row-level security"):
            _post(agreed, made_by=decided, approved_by=asked, **about)
        _post(agreed, made_by=replace(asked, name="X"), approved_by=replace(decided, name="Y"), **about)
        me = Signer(agreed.payee.scope.person_id or uuid4(), "Z")
        _post(agreed, made_by=me, agreement_id=agreed.id)
        query = "SELECT made_name, approved_name FROM ledger_transaction WHERE agreement_id = %s ORDER BY written_in"
        names = agreed.admin.execute(query, [agreed.id]).fetchall()[-2:]
        assert names == [("Kit", "Sam"), (f"Sam Sample {agreed.payee.slug}", None)]

    def test_names_an_invoice_of_its_two_agencies(self, agreed: Agreed, elsewhere: Agreed) -> None:
        ours, theirs = (each.invoice("due/1", 5, TODAY) for each in (agreed, elsewhere))
        for invoice_id in (uuid4(), theirs):
            for kind in (TransactionKind.PAID, TransactionKind.TRANSFERRED, TransactionKind.INVOICED):
                moved: dict[str, Any] = {"entries": mirrored(TransactionKind.PAID, 5, agreed.payer.id, agreed.payee.id)}
                with pytest.raises(DBAPIError, match="an invoice of its two agencies"):
                    _post(agreed, kind, invoice_id=invoice_id, **moved)
        _post(agreed, TransactionKind.PAID, invoice_id=ours)


class TestEvent:
    def test_tells_what_two_people_decided_and_nothing_else_of_the_kind(self, agreed: Agreed) -> None:
        me, other = str(agreed.payee.scope.person_id), str(uuid4())
        asked_id = _ask(agreed)
        named = {"exception_id": str(asked_id), "asked_by": me, "decided_by": me, "pence": 5}
        for kind, facts in (
            (FeeEventKind.WAIVER, {}),
            (FeeEventKind.REFUND, {"pence": 5}),
            (FeeEventKind.OVERRIDE, {"amounts": {"1": 1}}),
            (FeeEventKind.REFUND, named),
            (FeeEventKind.REFUND, named | {"exception_id": other}),
            (FeeEventKind.MONTHS, {"decided_by": other}),
        ):
            with pytest.raises(DBAPIError, match="row-level security"):
                _tell(agreed, kind, **facts)
        # Approved by two, it is told of that sum, with those two names, and once.
        by, to = {"asked_by": other, "decided_by": me}, {"exception_id": str(asked_id), "pence": 5}
        agreed.admin.execute(
            "UPDATE fee_exception SET asked_by = %s, approved = true, decided_at = now(), decided_by = %s, "
            "decided_name = 'Sam' WHERE id = %s",
            [other, me, asked_id],
        )
        with pytest.raises(DBAPIError, match="row-level security"):
            _tell(agreed, FeeEventKind.MONTHS, recorded_by=uuid4())
        for facts in (to | by | {"pence": 6}, to | by | {"asked_by": me}, to | by | {"decided_by": other}):
            with pytest.raises(DBAPIError, match="row-level security"):
                _tell(agreed, FeeEventKind.REFUND, **facts)
        _tell(agreed, FeeEventKind.REFUND, **to, **by, decided_name="Somebody")
        with pytest.raises(DBAPIError, match="fee_event_key"):
            _tell(agreed, FeeEventKind.REFUND, **to, **by)
        told = agreed.admin.execute(
            "SELECT recorded_name, facts ->> 'asked_name', facts ->> 'decided_name' FROM fee_event "
            "WHERE facts ->> 'exception_id' = %s",
            [str(asked_id)],
        ).fetchone()
        name = f"Sam Sample {agreed.payee.slug}"
        assert told == (name, name, "Sam")

    def test_tells_of_signatures_and_addenda_that_are_there(
        self, admin: psycopg.Connection[Any], database: Database, pair: tuple[Tenant, Tenant]
    ) -> None:
        made, draft = (agree(admin, database, pair) for _ in range(2))
        made.tell(FeeEventKind.ADDENDUM, TODAY, amounts={"1": 5})
        admin.execute(
            "UPDATE fee_agreement SET state = 'drafted', payee_signed_by = NULL, payee_signed_name = NULL, "
            "payee_signed_at = NULL WHERE id = %s",
            [draft.id],
        )
        signed, amended = FeeEventKind.AGREEMENT_SIGNED, FeeEventKind.ADDENDUM
        early = TODAY - timedelta(days=400)
        placed = agree(admin, database, pair)
        placed.tell(FeeEventKind.PLACED, early)
        cases: tuple[tuple[Agreed, FeeEventKind, dict[str, Any]], ...] = (
            (draft, signed, {"key": signed.value}),
            (made, signed, {"key": "agreement_signed/2"}),
            (made, signed, {"key": signed.value, "happened_on": early}),
            (draft, amended, {"key": "addendum/1", "amounts": {"1": 5}}),
            (made, amended, {"key": "addendum/2", "amounts": {"1": 5}}),
            (made, amended, {"key": "addendum/1", "amounts": {"1": 6}}),
            (made, amended, {"key": "addendum/1"}),
            (made, amended, {"key": "addendum/1", "amounts": {"1": 5}, "happened_on": early}),
            *((made, kind, {"key": kind.value}) for kind in FeeEventKind if kind.value in _BECAME),
            (placed, FeeEventKind.PLACED, {"key": "placed"}),
            (placed, FeeEventKind.PLACED, {"key": "placed/2", "happened_on": early}),
        )
        for about, kind, facts in cases:
            with pytest.raises(DBAPIError, match="told"):
                _tell(about, kind, **facts)


class TestAddendum:
    def test_counts_without_a_signature_until_the_rate_is_kept_and_by_the_childrens_agency_alone(
        self, admin: psycopg.Connection[Any], database: Database, pair: tuple[Tenant, Tenant]
    ) -> None:
        made = agree(admin, database, pair)
        made.tell(FeeEventKind.PLACED, TODAY)
        for side, frozen, refused in ((made.payee, False, True), (made.payer, True, True), (made.payer, False, False)):
            frozen_at = NOW if frozen else None
            admin.execute("UPDATE fee_agreement SET frozen_at = %s WHERE id = %s", [frozen_at, made.id])
            parties = {"authority_agency_id": made.payer.id, "payer_agency_id": made.payer.id}
            said: dict[str, Any] = {
                "changes": {},
                "reason": "So",
                "drafted_by": side.scope.person_id,
                "drafted_name": "Concord",
            }
            about = {"consortium_id": side.scope.consortium_id, "agreement_id": made.id, "drafted_at": NOW}
            rate = insert(FeeAddendum).values(
                id=uuid4(),
                kind=AddendumKind.RATE,
                position=1,
                payee_agency_id=made.payee.id,
                **parties,
                **said,
                **about,
            )
            with database.transaction(side.scope) as session:
                if refused:
                    with pytest.raises(DBAPIError, match="row-level security"):
                        session.execute(rate)
                    session.rollback()
                else:
                    session.execute(rate)


def _ask(agreed: Agreed) -> UUID:
    parties = {"payer_agency_id": agreed.payer.id, "payee_agency_id": agreed.payee.id}
    sides = {"agency_id": agreed.payee.id, "deciding_agency_id": agreed.payee.id}
    asked = {"asked_by": agreed.payee.scope.person_id, "asked_name": "Sam", "asked_at": NOW}
    with agreed.database.transaction(agreed.payee.scope) as session:
        about = {"consortium_id": agreed.payee.scope.consortium_id, "agreement_id": agreed.id, **parties}
        made = FeeException(id=uuid4(), kind=ExceptionKind.REFUND, pence=5, reason="So", **about, **sides, **asked)
        session.add(made)
        session.flush()
        return made.id
