"""What transactions between two agencies moved, as whoever is paid sees it: added up by the database, never here.

Each side asks its own book. The database holds the two books to each other, so both find the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from matching.fee.ledger import TransactionKind
from matching.sealed_words import own_agency


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is between a payer and a payee, in pence: each more than nothing where it is to the payee's good."""

    agreed: int = 0
    """Agreed and not yet due."""
    to_invoice: int = 0
    """Due and not invoiced."""
    owed: int = 0
    """Invoiced and not paid."""
    ahead: int = 0
    """Paid too much, or ahead: less than nothing, for the payee owes it."""

    def __add__(self, other: Amounts) -> Amounts:
        """Add what is between them column by column."""
        return Amounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def to_pay(self) -> int:
        """Return what is to be paid: what is invoiced less what is held ahead."""
        return self.owed + self.ahead

    def as_data(self) -> dict[str, int]:
        """Return it as a statement keeps it."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Movement:
    """All transactions of one kind by one payer."""

    payer_agency_id: UUID
    kind: TransactionKind
    count: int
    pence: int
    """What they were over, taken back ones among them."""
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction, and what it moved."""

    transaction_id: UUID
    payer_agency_id: UUID
    kind: TransactionKind
    dated_on: date
    narrative: str
    reference: str | None
    """The agreement's."""
    pence: int
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Difference:
    """A transaction that one side's book has otherwise than the statement, or only one of the two has."""

    transaction_id: UUID
    narrative: str | None
    dated_on: date | None
    theirs: Amounts
    """What the statement says."""
    ours: Amounts
    """What the scope's own book says."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which transactions between the scope's agency and another are asked for."""

    other_agency_id: UUID
    until_on: date
    statement_id: UUID | None = None
    """Those of this statement; without one, those until the day that stand in none."""


KINDS = {each.value: each for each in TransactionKind}
"""Each kind by its stored word."""
_BETWEEN = (
    "((t.payer_agency_id = :own AND t.payee_agency_id = :other) "
    "OR (t.payer_agency_id = :other AND t.payee_agency_id = :own))"
)
_UNSTATED = (
    "t.dated_on <= :until AND NOT EXISTS (SELECT FROM fee_statement_line l JOIN fee_statement s "
    "ON s.id = l.statement_id WHERE l.transaction_id = t.id AND s.withdrawn_at IS NULL)"
)
_STATED = "t.id IN (SELECT l.transaction_id FROM fee_statement_line l WHERE l.statement_id = :statement)"


def _column(payees: str, payers: str) -> str:
    return f"coalesce(sum(CASE p.account WHEN '{payees}' THEN p.pence WHEN '{payers}' THEN -p.pence END), 0)::bigint"


_MOVED = f"""{_column("agreed_income_contra", "agreed_cost_contra")} AS agreed,
        {_column("to_invoice", "to_be_invoiced")} AS to_invoice,
        {_column("receivable", "payable")} AS owed,
        {_column("held_ahead", "paid_ahead")} AS ahead"""
_COLUMNS = "agreed, to_invoice, owed, ahead"
_OUR_BOOK = "p.agency_id = :own AND p.other_agency_id = :other"
_CHOSEN = f"""
    SELECT t.id, t.payer_agency_id, t.kind, t.dated_on, t.narrative, t.agreement_id, t.pence FROM ledger_transaction t
    WHERE t.consortium_id = (SELECT scope_consortium()) AND {_BETWEEN} AND {{chosen}}
"""  # noqa: S608 - of constants of this module
_EFFECTS = f"""
    SELECT t.id, t.narrative, t.dated_on, {_MOVED}
    FROM ({{transactions}}) t JOIN posting p ON p.transaction_id = t.id
    WHERE {_OUR_BOOK} GROUP BY t.id, t.narrative, t.dated_on
"""  # noqa: S608 - of constants of this module
# Postings are added up by kind at once: by transaction first, thousands of them would be sorted to be counted.
_BY_KIND = f"""
    WITH t AS MATERIALIZED ({{transactions}}),
        counted AS (
            SELECT t.payer_agency_id, t.kind, count(*) AS count, sum(t.pence)::bigint AS pence FROM t GROUP BY 1, 2
        ),
        moved AS (
            SELECT t.payer_agency_id, t.kind, {_MOVED} FROM t JOIN posting p ON p.transaction_id = t.id
            WHERE {_OUR_BOOK} GROUP BY 1, 2
        )
    SELECT * FROM counted JOIN moved USING (payer_agency_id, kind)
"""  # noqa: S608 - of constants of this module
# What was moved is asked for of one page alone.
_LINES = f"""
    WITH t AS MATERIALIZED ({{transactions}})
    SELECT t.*, m.*, f.reference
    FROM (SELECT * FROM t ORDER BY t.payer_agency_id, t.dated_on, t.id OFFSET :skipped LIMIT :most) t
        CROSS JOIN LATERAL (SELECT {_MOVED} FROM posting p WHERE p.transaction_id = t.id AND {_OUR_BOOK}) m
        LEFT JOIN fee_agreement f ON f.id = t.agreement_id
    ORDER BY t.payer_agency_id, t.dated_on, t.id
"""  # noqa: S608 - of constants of this module
_DIGEST = """
    SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws(':', e.id, e.agreed, e.to_invoice, e.owed, e.ahead),
        chr(10) ORDER BY e.id), ''), 'UTF8')), 'hex') FROM ({effects}) e
"""
_KEEP = f"""
    INSERT INTO fee_statement_line (statement_id, transaction_id, consortium_id, agency_id, other_agency_id,
        agreed_pence, to_invoice_pence, owed_pence, ahead_pence)
    SELECT :made, e.id, (SELECT scope_consortium()), :own, :other, {_COLUMNS} FROM ({{effects}}) e
"""  # noqa: S608 - of constants of this module
_DIFFERENT = """
    SELECT coalesce(l.transaction_id, e.id) AS id, e.narrative, e.dated_on,
        coalesce(l.agreed_pence, 0) AS their_agreed, coalesce(e.agreed, 0) AS agreed,
        coalesce(l.to_invoice_pence, 0) AS their_to_invoice, coalesce(e.to_invoice, 0) AS to_invoice,
        coalesce(l.owed_pence, 0) AS their_owed, coalesce(e.owed, 0) AS owed,
        coalesce(l.ahead_pence, 0) AS their_ahead, coalesce(e.ahead, 0) AS ahead
    FROM (SELECT * FROM fee_statement_line WHERE statement_id = :statement) l
    FULL JOIN ({effects}) e ON e.id = l.transaction_id
    WHERE (l.agreed_pence, l.to_invoice_pence, l.owed_pence, l.ahead_pence)
        IS DISTINCT FROM (e.agreed, e.to_invoice, e.owed, e.ahead)
    ORDER BY 1
"""
_BALANCES = f"""
    SELECT CASE WHEN p.account IN ('agreed_income_contra', 'to_invoice', 'receivable', 'held_ahead')
            THEN :other ELSE :own END AS payer_agency_id, {_MOVED}
    FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
    WHERE {_OUR_BOOK} AND {_BETWEEN} AND t.consortium_id = (SELECT scope_consortium()) AND p.account IN (
        'agreed_income_contra', 'to_invoice', 'receivable', 'held_ahead',
        'agreed_cost_contra', 'to_be_invoiced', 'payable', 'paid_ahead')
    GROUP BY 1
"""  # noqa: S608 - of constants of this module


def movements(session: Session, chosen: Chosen) -> list[Movement]:
    """Return what the chosen transactions moved, by payer and kind, in the kinds' order."""
    order = list(TransactionKind)
    found = [
        Movement(row["payer_agency_id"], KINDS[row["kind"]], row["count"], row["pence"], _amounts(row))
        for row in _ask(session, _BY_KIND, chosen)
    ]
    return sorted(found, key=lambda each: (str(each.payer_agency_id), order.index(each.kind)))


def lines(session: Session, chosen: Chosen, *, skipped: int = 0, most: int | None = None) -> list[Line]:
    """Return the chosen transactions by payer and day, some of them where ``most`` says so."""
    rows = _ask(session, _LINES, chosen, skipped=skipped, most=most)
    return [
        Line(
            row["id"],
            row["payer_agency_id"],
            KINDS[row["kind"]],
            row["dated_on"],
            row["narrative"],
            row["reference"],
            row["pence"],
            _amounts(row),
        )
        for row in rows
    ]


def digest(session: Session, chosen: Chosen) -> str:
    """Return the SHA-256 of the chosen transactions and what each moved, as hexadecimal digits."""
    return str(_execute(session, _DIGEST, chosen).scalar_one())


def keep_lines(session: Session, chosen: Chosen, *, made_id: UUID) -> None:
    """Write the chosen transactions down as the lines of a statement."""
    _execute(session, _KEEP, chosen, made=made_id)


def differences(session: Session, chosen: Chosen) -> list[Difference]:
    """Return the lines of a statement of which the scope's own book says something else."""
    return [
        Difference(
            row["id"],
            row["narrative"],
            row["dated_on"],
            Amounts(*(row[f"their_{each.name}"] for each in fields(Amounts))),
            _amounts(row),
        )
        for row in _ask(session, _DIFFERENT, chosen)
    ]


def balances(session: Session, other_agency_id: UUID) -> dict[UUID, Amounts]:
    """Return what is between the scope's agency and another in its consortium now, by payer, from its own accounts."""
    values = {"own": own_agency(session), "other": other_agency_id}
    rows = session.execute(text(_BALANCES), values).mappings()
    return {row["payer_agency_id"]: _amounts(row) for row in rows}


def _ask(session: Session, query: str, chosen: Chosen, **values: object) -> list[RowMapping]:
    return list(_execute(session, query, chosen, **values).mappings())


def _execute(session: Session, query: str, chosen: Chosen, **values: object) -> Any:  # noqa: ANN401
    transactions = _CHOSEN.format(chosen=_STATED if chosen.statement_id else _UNSTATED)
    asked: Mapping[str, object] = {"own": own_agency(session), "other": chosen.other_agency_id, **values}
    which = {"statement": chosen.statement_id} if chosen.statement_id else {"until": chosen.until_on}
    written = query.format(transactions=transactions, effects=_EFFECTS.format(transactions=transactions))
    return session.execute(text(written), {**asked, **which})


def _amounts(row: RowMapping) -> Amounts:
    return Amounts(row["agreed"], row["to_invoice"], row["owed"], row["ahead"])
