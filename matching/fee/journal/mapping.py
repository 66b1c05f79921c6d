"""What an agency's finance system calls each account, and how its journal is laid out: data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.ledger import Account
from matching.fee.ledger.account import MEMORANDUM
from matching.sealed_words import own_agency
from tenants import audit
from tenants.base import Base
from tenants.database import scope_of
from tenants.error import Invalid, NotFound
from tenants.permission import Verb, require

MOST_LETTERS = 60
MOST_MAPPINGS = 20


class Column(StrEnum):
    """What a column of a journal can hold."""

    DATE = "date"
    PERIOD = "period"
    CODE = "code"
    COST_CENTRE = "cost_centre"
    DEBIT = "debit"
    CREDIT = "credit"
    AMOUNT = "amount"
    NARRATIVE = "narrative"
    REFERENCE = "reference"
    COUNTERPARTY = "counterparty"
    TRANSACTION = "transaction"


class DateStyle(StrEnum):
    """How a journal writes its days."""

    BRITISH = "dd/mm/yyyy"
    ISO = "yyyy-mm-dd"
    PACKED = "yyyymmdd"

    @property
    def pattern(self) -> str:
        """Return the pattern by which a day is written."""
        return {DateStyle.BRITISH: "%d/%m/%Y", DateStyle.ISO: "%Y-%m-%d", DateStyle.PACKED: "%Y%m%d"}[self]


class Sign(StrEnum):
    """Which amounts stand as more than nothing in a column of amounts."""

    DEBITS = "debits"
    CREDITS = "credits"


POSTED = tuple(each for each in Account if each not in MEMORANDUM)
"""The accounts that a journal has: what is kept for memory is owed by nobody."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one finance system takes a journal."""

    codes: Mapping[Account, str]
    columns: tuple[tuple[Column, str], ...] = (
        (Column.DATE, "Date"),
        (Column.CODE, "Account"),
        (Column.COST_CENTRE, "Cost centre"),
        (Column.DEBIT, "Debit"),
        (Column.CREDIT, "Credit"),
        (Column.NARRATIVE, "Narrative"),
        (Column.REFERENCE, "Reference"),
    )
    """What each column holds, under which heading, in their order."""
    cost_centre: str = ""
    cost_centres: Mapping[Account, str] = field(default_factory=dict)
    """Those of accounts that have one of their own."""
    date_style: DateStyle = DateStyle.BRITISH
    sign: Sign = Sign.DEBITS

    def as_data(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "codes": {account.value: code for account, code in self.codes.items()},
            "columns": [[column.value, heading] for column, heading in self.columns],
            "cost_centre": self.cost_centre,
            "cost_centres": {account.value: centre for account, centre in self.cost_centres.items()},
            "date_style": self.date_style.value,
            "sign": self.sign.value,
        }


class JournalMapping(Base):
    """A layout under the name that an agency gives it."""

    __tablename__ = "journal_mapping"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    mapping: Mapped[dict[str, Any]]
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]

    @property
    def layout(self) -> Layout:
        """Return what it says."""
        return read_layout(self.mapping)


class MappingInvalid(Invalid):
    """A layout says something that no journal can have."""


class MappingUnknown(NotFound):
    """The scope's agency has no layout of that name."""


def read_layout(data: Mapping[str, Any]) -> Layout:
    """Return the layout that data say.

    :raises MappingInvalid: when they say none.
    """
    try:
        layout = Layout(
            codes=_by_account(data["codes"]),
            columns=tuple((Column(column), _text(heading)) for column, heading in data["columns"]),
            cost_centre=_text(data.get("cost_centre", ""), empty=True),
            cost_centres=_by_account(data.get("cost_centres", {})),
            date_style=DateStyle(data.get("date_style", DateStyle.BRITISH)),
            sign=Sign(data.get("sign", Sign.DEBITS)),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise MappingInvalid(f"This is no layout of a journal: {problem}. docs/fees.md says what one holds.") from None
    _check(layout)
    return layout


def keep_mapping(session: Session, name: str, layout: Layout, *, now: datetime) -> JournalMapping:
    """Keep a layout under a name, in the place of the one that was there.

    :raises MappingInvalid: when it lacks a name or what a journal needs.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_FEES)
    _check(layout)
    name = _named(name)
    others = [each for each in list_mappings(session) if each.name != name]
    if len(others) >= MOST_MAPPINGS:
        raise MappingInvalid(f"An agency keeps at most {MOST_MAPPINGS} layouts. Change one that is there.")
    said = {"mapping": layout.as_data(), "made_by": scope.person_id, "made_at": now}
    new = insert(JournalMapping).values(agency_id=own_agency(session), name=name, **said)
    session.execute(new.on_conflict_do_update(index_elements=["agency_id", "name"], set_=said))
    session.expire_all()
    audit.record(session, audit.Act.CHANGE, record_kind="journal_mapping", now=now)
    return get_mapping(session, name)


def get_mapping(session: Session, name: str) -> JournalMapping:
    """Return the layout of a name.

    :raises MappingUnknown: when the scope's agency has none.
    """
    require(scope_of(session), Verb.READ_FEES)
    found = session.get(JournalMapping, (own_agency(session), name))
    if found is None:
        raise MappingUnknown(f"Your agency has no layout called “{name}”.")
    return found


def list_mappings(session: Session) -> list[JournalMapping]:
    """Return the layouts of the scope's agency, by name."""
    require(scope_of(session), Verb.READ_FEES)
    return list(session.scalars(select(JournalMapping).order_by(JournalMapping.name)))


def _check(layout: Layout) -> None:
    missing = [account.label for account in POSTED if not layout.codes.get(account)]
    if missing:
        raise MappingInvalid(f"Each account needs a code. Without one: {'; '.join(missing)}.")
    held = [column for column, _ in layout.columns]
    headings = [heading for _, heading in layout.columns]
    if len(set(headings)) < len(headings) or not headings:
        raise MappingInvalid("Each column needs a heading of its own.")
    if Column.CODE not in held or not ({Column.DEBIT, Column.CREDIT} <= set(held) or Column.AMOUNT in held):
        raise MappingInvalid("A journal needs a column of codes, and one of amounts or two of debits and credits.")


def _named(name: str) -> str:
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= MOST_LETTERS:
        raise MappingInvalid(f"Name the layout, in at most {MOST_LETTERS} letters.")
    return tidy


def _by_account(data: Mapping[str, Any]) -> dict[Account, str]:
    known = {each.value: each for each in Account}
    return {known[account]: _text(code) for account, code in data.items()}


def _text(value: object, *, empty: bool = False) -> str:
    if not isinstance(value, str) or len(value) > MOST_LETTERS or not value.isprintable():
        raise ValueError(f"“{value}” is no word of at most {MOST_LETTERS} letters")
    if not value.strip() and not empty:
        raise ValueError("a heading or code is empty")
    return value.strip()
