"""What an invoice says, as it was when it was issued: the parties, where to pay, its lines and sums."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.fee.invoice.bank import BankDetails
from matching.fee.invoice.vat import VatCategory
from tenants.own_key import seal_apart, unseal_apart


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two agencies, by what stands of it on the invoice."""

    id: str
    name: str
    address: str = ""
    town: str = ""
    postcode: str = ""
    vat_number: str | None = None
    tax_reference: str | None = None
    contact: str = ""
    endpoint_scheme: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is kept sealed with an invoice: it stays so whatever the accounts say later."""

    seller: Party
    buyer: Party
    bank: BankDetails | None
    vat_words: str
    supplier_number: str | None = None


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One line: words, the agreement's reference and pence without tax."""

    words: str
    reference: str
    pence: int


@dataclass(frozen=True, slots=True)
class InvoiceContent:
    """The whole of an invoice or a credit note, ready to be written in any format."""

    credit: bool
    number: str
    issued_on: date
    due_on: date
    credits_number: str | None
    credits_on: date | None
    reason: str | None
    purchase_order: str | None
    frozen: Frozen
    category: VatCategory
    rate: int
    """Hundredths of a per cent."""
    lines: tuple[ContentLine, ...]
    net_pence: int
    vat_pence: int
    gross_pence: int

    @property
    def title(self) -> str:
        """Return what it is called."""
        return f"{'Credit note' if self.credit else 'Invoice'} {self.number}"


def seal_frozen(session: Session, frozen: Frozen, *, invoice_id: UUID) -> tuple[bytes, bytes]:
    """Return what is kept with an invoice, under a key of its own that both agencies open."""
    return seal_apart(session, json.dumps(asdict(frozen), ensure_ascii=False).encode(), row_id=invoice_id)


def open_frozen(session: Session, sealed_key: bytes, sealed: bytes, *, invoice_id: UUID) -> Frozen:
    """Return what ``seal_frozen`` was given."""
    said: Mapping[str, Any] = json.loads(unseal_apart(session, sealed_key, sealed, row_id=invoice_id))
    bank = BankDetails(**said["bank"]) if said["bank"] else None
    return Frozen(Party(**said["seller"]), Party(**said["buyer"]), bank, said["vat_words"], said["supplier_number"])
