"""A payee's account: who invoices, how its fees are taxed, how its invoices are numbered and when they are due.

Another member reads it, for it stands on invoices. Where money goes is not in it, but in ``bank``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum.gb import vat as gb_vat

from matching.fee.invoice.vat import VatCategory
from matching.sealed_words import own_agency
from tenants import audit
from tenants.base import Base, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require

RECORD_KIND = "payee_account"
_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9/-]{0,11}")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 /._-]{0,29}")
_SCHEME = re.compile(r"[0-9]{4}", re.ASCII)
_MOST_DAYS = 120
_LAST_NUMBER = 999_999_999
_LAST = text("""
    SELECT max(substr(number, length(:prefix) + 1)::bigint) FROM invoice
    WHERE payee_agency_id = :own AND starts_with(number, :prefix)
        AND substr(number, length(:prefix) + 1) ~ '^[0-9]{5,9}$'
""")


class Series(StrEnum):
    """Whose numbers an agency's invoices carry."""

    OWN = "own"
    FINANCE_SYSTEM = "finance_system"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"own": "A series kept in Concord", "finance_system": "Those of our finance system, entered by hand"}[
            self
        ]


class PayeeAccount(Base):
    """What an agency's invoices say of it."""

    __tablename__ = "payee_account"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_name: Mapped[str]
    address: Mapped[str]
    town: Mapped[str]
    postcode: Mapped[str]
    vat_category: Mapped[VatCategory | None] = mapped_column(Word(VatCategory))
    """Unset until finance has chosen: to be confirmed, and nothing is invoiced."""
    vat_words: Mapped[str]
    vat_number: Mapped[str | None]
    tax_reference: Mapped[str | None]
    series: Mapped[Series] = mapped_column(Word(Series))
    number_prefix: Mapped[str]
    next_number: Mapped[int] = mapped_column(BigInteger)
    payment_days: Mapped[int]
    bank_delay_days: Mapped[int]
    contact: Mapped[str]
    endpoint_scheme: Mapped[str | None]
    endpoint: Mapped[str | None]
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


class AccountInvalid(Invalid):
    """An account was described in a way that cannot be kept."""


class AccountMissing(Conflict):
    """The agency has not set up its account yet."""


class SeriesBegun(Conflict):
    """Invoices carry numbers of the series, which goes on from the last of them."""

    about = "next_number"


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """What finance settles of the account."""

    legal_name: str
    address: str = ""
    town: str = ""
    postcode: str = ""
    vat_category: VatCategory | None = None
    vat_words: str = ""
    vat_number: str | None = None
    tax_reference: str | None = None
    series: Series = Series.OWN
    number_prefix: str = "INV-"
    next_number: int = 1
    payment_days: int = 30
    bank_delay_days: int = 7
    contact: str = ""
    endpoint_scheme: str | None = None
    endpoint: str | None = None


def find_account(session: Session, agency_id: UUID | None = None) -> PayeeAccount | None:
    """Return an agency's account, the scope's own where none is named, or ``None`` when it has set up none."""
    require(scope_of(session), Verb.READ_FEES)
    wanted = agency_id or own_agency(session)
    query = select(PayeeAccount).where(PayeeAccount.agency_id == wanted)
    return session.scalar(query.execution_options(populate_existing=True))


def lock_account(session: Session) -> PayeeAccount:
    """Return the scope's own account, and keep every other from issuing an invoice of it until the transaction ends.

    :raises AccountMissing: when it has set up none.
    """
    query = select(PayeeAccount).where(PayeeAccount.agency_id == own_agency(session)).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise AccountMissing("Your agency has no account for invoices yet. Set it up on “Our account” first.")
    return found


def keep_account(session: Session, terms: AccountTerms, *, now: datetime) -> PayeeAccount:
    """Set up the scope's own account, or change it; what was invoiced stays as it was.

    :raises AccountInvalid: when the terms cannot be.
    :raises SeriesBegun: when the number would leave a gap or come twice, in this series or an earlier one.
    """
    scope, own = scope_of(session), own_agency(session)
    require(scope, Verb.KEEP_FEES)
    row = {**_checked(terms), "changed_by": scope.person_id, "changed_at": now}
    before = find_account(session)
    if before is not None:
        before = lock_account(session)
    _check_series(session, before, str(row["number_prefix"]), terms.next_number)
    query = insert(PayeeAccount).values(agency_id=own, **row)
    session.execute(query.on_conflict_do_update(index_elements=["agency_id"], set_=row))
    act = audit.Act.CHANGE if before else audit.Act.ADD
    audit.record(session, act, record_kind=RECORD_KIND, record_id=own, now=now)
    return session.get_one(PayeeAccount, own, populate_existing=True)


def take_number(session: Session, account: PayeeAccount, *, entered: str) -> str:
    """Return the next invoice's number of a locked account: the series' own, or the finance system's as it was entered.

    It is used up only when the transaction is kept, so that the series has no gap.

    :raises AccountInvalid: when a number is missing that has to be entered, one is entered that must not be, or that
        can be none.
    """
    if account.series is Series.FINANCE_SYSTEM:
        if not entered.strip():
            raise AccountInvalid("Enter the number that your finance system gave the invoice.")
        if not _NUMBER.fullmatch(entered.strip()):
            raise AccountInvalid(
                "A number begins with a letter or a digit, and has at most 30 letters of A to Z, digits, spaces and "
                "signs of / . _ and -."
            )
        return entered.strip()
    if entered.strip():
        raise AccountInvalid("Your invoices are numbered here: leave the number out.")
    number = f"{account.number_prefix}{account.next_number:05d}"
    account.next_number += 1
    session.flush()
    return number


def _check_series(session: Session, before: PayeeAccount | None, prefix: str, number: int) -> None:
    if before is not None and (prefix, number) == (before.number_prefix, before.next_number):
        return
    if prefix[-1].isdigit() and (before is None or prefix != before.number_prefix):
        # INV-1 and 00001 would be INV- and 100001.
        words = "End the prefix with a letter, a hyphen or a slash, to tell it from the number."
        raise AccountInvalid(words, about="number_prefix")
    last = session.scalar(_LAST, {"own": own_agency(session), "prefix": prefix})
    if last is not None and number != last + 1:
        raise SeriesBegun(
            f"Invoices carry numbers that begin with {prefix}, and the next of these is {last + 1}. Enter that, or "
            "choose another prefix to begin anew."
        )


def _checked(terms: AccountTerms) -> dict[str, object]:
    row = {field.name: getattr(terms, field.name) for field in fields(terms)}
    row |= {name: value.strip() for name, value in row.items() if type(value) is str}
    row |= {name: row[name] or None for name in ("vat_number", "tax_reference", "endpoint_scheme", "endpoint")}
    row["number_prefix"] = terms.number_prefix.strip().upper()
    if not row["legal_name"]:
        raise AccountInvalid("Enter the name that stands on your invoices.", about="legal_name")
    if not _PREFIX.fullmatch(str(row["number_prefix"])):
        raise AccountInvalid(
            "A prefix begins with a letter or a digit, and has at most 12 capital letters, digits, hyphens or slashes, "
            "such as INV-.",
            about="number_prefix",
        )
    if not 1 <= terms.next_number <= _LAST_NUMBER:
        raise AccountInvalid("The next number is at least 1.", about="next_number")
    if not 0 <= terms.payment_days <= _MOST_DAYS:
        raise AccountInvalid(f"Give payers from 0 to {_MOST_DAYS} days to pay.", about="payment_days")
    if not 3 <= terms.bank_delay_days <= 60:
        raise AccountInvalid("A change of bank details waits from 3 to 60 days.", about="bank_delay_days")
    if (row["endpoint"] is None) is not (row["endpoint_scheme"] is None):
        missing = "endpoint" if row["endpoint"] is None else "endpoint_scheme"
        raise AccountInvalid(
            "Enter both the scheme and the address for electronic invoices, or neither.", about=missing
        )
    if row["endpoint_scheme"] is not None and not _SCHEME.fullmatch(str(row["endpoint_scheme"])):
        words = "The scheme of an electronic address has four digits, such as 0088."
        raise AccountInvalid(words, about="endpoint_scheme")
    row["vat_number"] = _vat_number(terms)
    return row


def _vat_number(terms: AccountTerms) -> str | None:
    said = "".join((terms.vat_number or "").upper().split())
    if said and not gb_vat.is_valid(said):
        words = "This is no VAT number: check the digits. For example, GB 980 7806 84."
        raise AccountInvalid(words, about="vat_number")
    if not said and terms.vat_category in {VatCategory.STANDARD, VatCategory.ZERO}:
        words = "A taxable supply needs your VAT number. Enter it, or choose another category."
        raise AccountInvalid(words, about="vat_number")
    return f"GB{gb_vat.compact(said)}" if said else None
