"""What a proposal is drawn from and what it says: plain facts; the same facts always give the same proposals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Payer:
    """An agency that owes or has owed: its names."""

    id: UUID
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownInvoice:
    """An invoice of the agency whose bank lines these are: ``gross`` pence, of which so many are outstanding still.

    What is left to pay after a netting is paid like one, and named by its reference.
    """

    id: UUID
    payer_id: UUID
    number: str
    issued_on: date
    due_on: date
    gross: int
    outstanding: int
    agreements: tuple[str, ...] = ()
    purchase_orders: tuple[str, ...] = ()
    of_netting: bool = False

    @property
    def invoice_id(self) -> UUID | None:
        """Return its id where it is an invoice."""
        return None if self.of_netting else self.id

    @property
    def leg_id(self) -> UUID | None:
        """Return its id where it is what is left after a netting."""
        return self.id if self.of_netting else None

    @property
    def words(self) -> str:
        """Return what it is called in a sentence."""
        return f"{'netting' if self.of_netting else 'invoice'} {self.number}"


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A bank line nobody has settled; ``known_payers`` have paid under this very name before, a person said."""

    id: UUID
    dated_on: date
    pence: int
    payer: str
    reference: str
    known_payers: frozenset[UUID] = frozenset()
    undoes: bool = False


@dataclass(frozen=True, slots=True)
class EarlierCredit:
    """A credit that a debit may undo: matched to invoices already, or waiting still."""

    line_id: UUID
    dated_on: date
    pence: int
    payer: str
    reference: str
    matched: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known when proposals are drawn."""

    payers: tuple[Payer, ...]
    invoices: tuple[KnownInvoice, ...]
    lines: tuple[WaitingLine, ...]
    earlier: tuple[EarlierCredit, ...] = ()
    held: Mapping[UUID, int] = field(default_factory=dict)
    """What is held ahead for each payer, in pence."""


class Kind(StrEnum):
    """What a proposal makes of a line."""

    WHOLE = "whole"
    SEVERAL = "several"
    PART = "part"
    OVER = "over"
    UNDOES = "undoes"
    PAID_BACK = "paid_back"
    NOTHING = "nothing"

    @property
    def label(self) -> str:
        """Return it in words."""
        return {
            "whole": "Pays an invoice",
            "several": "Pays several invoices",
            "part": "Pays part of an invoice",
            "over": "Pays more than is owed",
            "undoes": "Undoes an earlier payment",
            "paid_back": "Pays back what was held",
            "nothing": "Nothing found",
        }[self.value]


class Confidence(StrEnum):
    """How certain a proposal is, in the three steps that people act by."""

    SURE = "sure"
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"

    @property
    def label(self) -> str:
        """Return it in words."""
        return {"sure": "Sure", "likely": "Likely", "possible": "Possible", "none": "No proposal"}[self.value]


@dataclass(frozen=True, slots=True)
class Share:
    """So many pence of a line for an invoice."""

    invoice_id: UUID
    pence: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a line most likely pays, how certain that is from 0 to 100, and why, for and against."""

    line_id: UUID
    kind: Kind = Kind.NOTHING
    confidence: Confidence = Confidence.NONE
    points: int = 0
    payer_id: UUID | None = None
    shares: tuple[Share, ...] = ()
    over: int = 0
    undone_line_id: UUID | None = None
    reasons: tuple[str, ...] = ()
    doubts: tuple[str, ...] = field(default=())

    @property
    def sure(self) -> bool:
        """Say whether it lies above the line from which many may be confirmed at once."""
        return self.confidence is Confidence.SURE
