"""A statement of two agencies until a day: opening, what moved, closing; the same figures for both, agreed by both.

It is drawn up from the book of one side and frozen under its hash; the other side's own book is asked for the same
lines before it can agree. Each transaction stands in one statement: what comes to pass, or is posted, after one was
drawn up shows in the next, which opens with what the one before it closed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, and_, func, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.ledger import lock_book
from matching.fee.statement.movement import (
    KINDS,
    Amounts,
    Chosen,
    Difference,
    Line,
    Movement,
    differences,
    digest,
    keep_lines,
    lines,
    movements,
)
from matching.fee.statement.sent import list_sent
from matching.sealed_words import own_agency, own_person, tidy
from tenants import audit
from tenants.agency import get_agency
from tenants.approval import require_another, require_one_side
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require
from tenants.person import get_person

RECORD_KIND = "fee_statement"
_EARLIEST = date(1990, 1, 1)
"""The first day of which a bank’s line may be: no fee is older."""
_MAKE = text("""
    INSERT INTO fee_statement (id, consortium_id, agency_id, other_agency_id, until_on, content, sha256, made_at,
        made_by, made_name, notes)
    SELECT :id, (SELECT scope_consortium()), :own, :other, :until_on, c.content,
        sha256(convert_to(c.content::text, 'UTF8')), :made_at, :made_by, :made_name, CAST(:notes AS jsonb)
    FROM (SELECT CAST(:content AS jsonb) AS content) c
""")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('concord.fee_statement.' || CAST(:pair AS text), 0))")


class FeeStatement(Base):
    """What one side's book said, and what the other said to it."""

    __tablename__ = "fee_statement"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    """From whose book it was drawn up."""
    other_agency_id: Mapped[UUID]
    until_on: Mapped[date]
    content: Mapped[dict[str, Any]]
    sha256: Mapped[bytes]
    made_at: Mapped[datetime]
    made_by: Mapped[UUID]
    made_name: Mapped[str]
    notes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """What the drawing side has sent and the other has not had: ``[{"on", "pence", "numbers"}]``."""
    other_notes: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    other_agreed_at: Mapped[datetime | None]
    other_agreed_by: Mapped[UUID | None]
    other_agreed_name: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_name: Mapped[str | None]
    withdrawn_reason: Mapped[str | None]

    @property
    def is_open(self) -> bool:
        """Say whether it waits for the other side."""
        return self.other_agreed_at is None and self.withdrawn_at is None

    @property
    def sides(self) -> tuple[Side, ...]:
        """Return what it says, by payer."""
        return tuple(_read_side(each) for each in self.content["sides"])


class FeeStatementLine(Base):
    """One transaction of a statement, and what it moved; written and compared by the database."""

    __tablename__ = "fee_statement_line"

    transaction_id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    other_agency_id: Mapped[UUID]
    agreed_pence: Mapped[int] = mapped_column(BigInteger)
    to_invoice_pence: Mapped[int] = mapped_column(BigInteger)
    owed_pence: Mapped[int] = mapped_column(BigInteger)
    ahead_pence: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Side:
    """What is between one payer and one payee."""

    payer_agency_id: UUID
    payee_agency_id: UUID
    opening: Amounts
    movements: tuple[Movement, ...]
    closing: Amounts


@dataclass(frozen=True, slots=True)
class Drawn:
    """A statement as it would be drawn up now."""

    other_agency_id: UUID
    until_on: date
    former: FeeStatement | None
    """The one before it."""
    sides: tuple[Side, ...]

    @property
    def chosen(self) -> Chosen:
        """Return which transactions it is made of."""
        return Chosen(self.other_agency_id, self.until_on)

    @property
    def line_count(self) -> int:
        """Return of how many transactions it is made."""
        return sum(each.count for side in self.sides for each in side.movements)


class StatementUnknown(NotFound):
    """The scope's agency is on no such statement."""


class StatementInvalid(Invalid):
    """There can be no such statement."""


class StatementWaits(Conflict):
    """One waits already between the two, or this one waits no more."""


class BooksDiffer(Conflict):
    """The scope's own book says something else."""


def draw_statement(session: Session, other_agency_id: UUID, *, until_on: date, now: datetime) -> Drawn:
    """Return the statement with another agency as it would be drawn up now, from the scope's own book.

    :raises StatementInvalid: for a day that is yet to come, absurd or that a statement covers already, or with oneself.
    """
    require(scope_of(session), Verb.READ_FEES)
    own = own_agency(session)
    get_agency(session, other_agency_id)
    former = find_last(session, other_agency_id)
    if other_agency_id == own:
        raise StatementInvalid("A statement is between two agencies. Choose the other.")
    if until_on > now.date():
        raise StatementInvalid("A statement ends today or on a day before it.")
    if until_on < _EARLIEST:
        raise StatementInvalid(f"A statement ends on {_EARLIEST:%d/%m/%Y} or a later day.")
    if former is not None and until_on < former.until_on:
        raise StatementInvalid(
            f"A statement until {former.until_on:%d/%m/%Y} is there. Choose that day or a later one."
        )
    moved = movements(session, Chosen(other_agency_id, until_on))
    opening = {side.payer_agency_id: side.closing for side in former.sides} if former else {}
    pairs = sorted(((own, other_agency_id), (other_agency_id, own)), key=lambda pair: str(pair[0]))
    return Drawn(
        other_agency_id,
        until_on,
        former,
        tuple(_side(payer, payee, opening.get(payer, Amounts()), moved) for payer, payee in pairs),
    )


def make_statement(session: Session, other_agency_id: UUID, *, until_on: date, now: datetime) -> FeeStatement:
    """Freeze a statement from the scope's own book and agree to it for its side, in the person's own name.

    :raises StatementWaits: while one between the two waits to be agreed.
    :raises StatementInvalid: as :func:`draw_statement`.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    own, person_id = own_agency(session), own_person(session)
    require_one_side(session, agencies=(own, other_agency_id), on=now.date())
    _lock(session, own, other_agency_id)
    # Nobody posts between adding up and writing down.
    lock_book(session, own)
    drawn = draw_statement(session, other_agency_id, until_on=until_on, now=now)
    if drawn.former is not None and drawn.former.is_open:
        raise StatementWaits("A statement with this agency waits to be agreed. Agree it or withdraw it first.")
    made_id = uuid4()
    values = {
        "id": made_id,
        "own": own,
        "other": other_agency_id,
        "until_on": until_on,
        "content": json.dumps(_content(session, drawn)),
        "made_at": now,
        "made_by": person_id,
        "made_name": get_person(session, person_id).name,
        "notes": json.dumps(list_sent(session, other_agency_id, until_on=until_on, now=now)),
    }
    session.execute(_MAKE, values)
    keep_lines(session, drawn.chosen, made_id=made_id)
    audit.record(session, audit.Act.SIGN, record_kind=RECORD_KIND, record_id=made_id, now=now)
    return get_statement(session, made_id)


def agree_statement(session: Session, statement: FeeStatement, *, now: datetime) -> None:
    """Agree to a statement for the side that did not draw it up, in the person's own name; it stands from then on.

    :raises StatementWaits: when it waits no more, or the scope's agency drew it up.
    :raises BooksDiffer: when the scope's own book says something else.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    own = own_agency(session)
    _lock(session, statement.agency_id, statement.other_agency_id)
    session.refresh(statement)
    if not statement.is_open or statement.other_agency_id != own:
        raise StatementWaits("This statement doesn’t wait for your agency’s agreement.")
    person_id = require_agreeing(session, statement, on=now.date())
    if compare_statement(session, statement):
        raise BooksDiffer("Your own book says something else. The differences are on the page of the statement.")
    sent = list_sent(session, statement.agency_id, until_on=statement.until_on, now=now)
    statement.other_agreed_name = get_person(session, person_id).name
    statement.other_agreed_at, statement.other_agreed_by, statement.other_notes = now, person_id, sent
    session.flush()
    audit.record(session, audit.Act.SIGN, record_kind=RECORD_KIND, record_id=statement.id, now=now)


def require_agreeing(session: Session, statement: FeeStatement, *, on: date) -> UUID:
    """Return the scope's person when they may agree to a statement for the other side.

    :raises SamePerson, BothSides: when they drew it up, or either of the two works for both.
    """
    agencies = (statement.agency_id, statement.other_agency_id)
    return require_another(session, first_person_id=statement.made_by, on=on, agencies=agencies)


def withdraw_statement(session: Session, statement: FeeStatement, *, reason: str, now: datetime) -> None:
    """Take a statement back that was not agreed, for either side: its lines stand in the next.

    :raises StatementWaits: when it waits no more.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    said, person_id = tidy(reason, what="why it is withdrawn"), own_person(session)
    _lock(session, statement.agency_id, statement.other_agency_id)
    session.refresh(statement)
    if not statement.is_open:
        raise StatementWaits("This statement was agreed or withdrawn already.")
    statement.withdrawn_name = get_person(session, person_id).name
    statement.withdrawn_at, statement.withdrawn_by, statement.withdrawn_reason = now, person_id, said
    session.flush()
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=statement.id, now=now)


def compare_statement(session: Session, statement: FeeStatement) -> list[Difference]:
    """Return where the scope's own book says something else than a statement, line by line; nothing where none does."""
    require(scope_of(session), Verb.READ_FEES)
    chosen = chosen_of(session, statement)
    if digest(session, chosen) == statement.content["lines_sha256"]:
        return []
    return differences(session, chosen)


def get_statement(session: Session, statement_id: UUID) -> FeeStatement:
    """Return a statement that the scope's agency is on.

    :raises StatementUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    found = session.get(FeeStatement, statement_id)
    if found is None:
        raise StatementUnknown("Your agency is on no such statement.")
    return found


def find_last(session: Session, other_agency_id: UUID) -> FeeStatement | None:
    """Return the last statement between the scope's agency and another that was not withdrawn."""
    require(scope_of(session), Verb.READ_FEES)
    own = own_agency(session)
    between = or_(
        and_(FeeStatement.agency_id == own, FeeStatement.other_agency_id == other_agency_id),
        and_(FeeStatement.agency_id == other_agency_id, FeeStatement.other_agency_id == own),
    )
    query = select(FeeStatement).where(between, FeeStatement.withdrawn_at.is_(None))
    return session.scalars(query.order_by(FeeStatement.made_at.desc(), FeeStatement.id).limit(1)).first()


def list_statements(session: Session) -> list[FeeStatement]:
    """Return the statements of the scope's agency, the latest first."""
    require(scope_of(session), Verb.READ_FEES)
    return list(session.scalars(select(FeeStatement).order_by(FeeStatement.made_at.desc(), FeeStatement.id)))


def count_to_agree(session: Session) -> int:
    """Count the statements that wait for the scope's agency to agree."""
    require(scope_of(session), Verb.READ_FEES)
    waits = (FeeStatement.other_agreed_at.is_(None), FeeStatement.withdrawn_at.is_(None))
    query = select(func.count()).where(FeeStatement.other_agency_id == scope_of(session).agency_id, *waits)
    return session.scalar(query) or 0


def chosen_of(session: Session, statement: FeeStatement) -> Chosen:
    """Return which transactions a statement is made of, as the scope's side asks its book for them."""
    mine = statement.agency_id == own_agency(session)
    other = statement.other_agency_id if mine else statement.agency_id
    return Chosen(other, statement.until_on, statement.id)


def lines_of(session: Session, statement: FeeStatement, *, skipped: int = 0, most: int | None = None) -> list[Line]:
    """Return the lines of a statement by payer and day, from the scope's own book."""
    require(scope_of(session), Verb.READ_FEES)
    return lines(session, chosen_of(session, statement), skipped=skipped, most=most)


def _lock(session: Session, *agency_ids: UUID) -> None:
    """Let nobody else draw up, agree or withdraw a statement between the two until this transaction ends."""
    session.execute(_LOCK, {"pair": ".".join(sorted(str(each) for each in agency_ids))})


def _side(payer: UUID, payee: UUID, opening: Amounts, moved: Sequence[Movement]) -> Side:
    own = tuple(each for each in moved if each.payer_agency_id == payer)
    return Side(payer, payee, opening, own, sum((each.amounts for each in own), opening))


def _content(session: Session, drawn: Drawn) -> dict[str, Any]:
    return {
        "until": drawn.until_on.isoformat(),
        "former": drawn.former.sha256.hex() if drawn.former else None,
        "lines": drawn.line_count,
        "lines_sha256": digest(session, drawn.chosen),
        "sides": [
            {
                "payer": str(side.payer_agency_id),
                "payee": str(side.payee_agency_id),
                "opening": side.opening.as_data(),
                "movements": [
                    {"kind": each.kind.value, "count": each.count, "pence": each.pence, **each.amounts.as_data()}
                    for each in side.movements
                ],
                "closing": side.closing.as_data(),
            }
            for side in drawn.sides
        ],
    }


def _read_side(data: dict[str, Any]) -> Side:
    payer = UUID(data["payer"])
    return Side(
        payer,
        UUID(data["payee"]),
        Amounts(**data["opening"]),
        tuple(_read_movement(payer, each) for each in data["movements"]),
        Amounts(**data["closing"]),
    )


def _read_movement(payer: UUID, data: dict[str, Any]) -> Movement:
    amounts = Amounts(data["agreed"], data["to_invoice"], data["owed"], data["ahead"])
    return Movement(payer, KINDS[data["kind"]], data["count"], data["pence"], amounts)
