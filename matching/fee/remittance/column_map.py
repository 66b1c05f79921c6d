"""Which column of a bank's CSV file holds what: guessed from headings and cells, settled by a person, remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from tenants.error import Invalid


class Holds(StrEnum):
    """What a column holds, as a person chooses it."""

    DATE = "date"
    AMOUNT = "amount"
    CREDIT = "credit"
    DEBIT = "debit"
    DIRECTION = "direction"
    PAYER = "payer"
    REFERENCE = "reference"
    BANK_ID = "bank_id"
    BALANCE = "balance"

    @property
    def label(self) -> str:
        """Return it in words."""
        return {
            "date": "Date",
            "amount": "Amount, with its sign",
            "credit": "Paid in (credit)",
            "debit": "Paid out (debit)",
            "direction": "Credit or debit, as a word",
            "payer": "Who paid",
            "reference": "Reference or details",
            "bank_id": "The bank’s own number of the line",
            "balance": "Balance after the line",
        }[self.value]


_WORDS: Final[dict[Holds, tuple[str, ...]]] = {
    Holds.DATE: (
        "date",
        "transaction date",
        "posting date",
        "value date",
        "entry date",
        "booking date",
        "date posted",
        "payment date",
        "paid on",
    ),
    Holds.CREDIT: ("credit", "credit amount", "paid in", "money in", "credits", "receipts", "in", "credit (£)", "cr"),
    Holds.DEBIT: ("debit", "debit amount", "paid out", "money out", "debits", "payments", "out", "withdrawn", "dr"),
    Holds.AMOUNT: (
        "amount",
        "value",
        "transaction amount",
        "net amount",
        "amount (gbp)",
        "amount gbp",
        "amount (£)",
        "payment amount",
        "total",
    ),
    Holds.DIRECTION: ("credit/debit", "cr/dr", "dr/cr", "debit/credit", "credit debit indicator", "c/d", "sign"),
    Holds.PAYER: (
        "payer",
        "payer name",
        "name",
        "counterparty",
        "counter party",
        "from",
        "remitter",
        "customer",
        "paid by",
        "merchant",
        "account name",
        "payee",
        "payee name",
        "supplier",
        "supplier name",
    ),
    Holds.REFERENCE: (
        "reference",
        "details",
        "description",
        "narrative",
        "transaction description",
        "memo",
        "payment reference",
        "remittance information",
        "particulars",
        "transaction details",
        "narrative 1",
        "narrative 2",
        "narrative 3",
        "additional information",
        "invoice",
        "invoice number",
        "your ref",
        "our ref",
        "document",
    ),
    Holds.BANK_ID: (
        "transaction id",
        "id",
        "bank reference",
        "unique reference",
        "fitid",
        "entry id",
        "transaction no",
        "sequence number",
    ),
    Holds.BALANCE: (
        "balance",
        "running balance",
        "account balance",
        "ledger balance",
        "balance (£)",
        "closing balance",
    ),
}
_OF_WORD: Final = {word: holds for holds, words in _WORDS.items() for word in words}
_MANY: Final = (Holds.PAYER, Holds.REFERENCE)


class ColumnsWrong(Invalid):
    """The columns cannot be taken so; ``problems`` says why, a sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Columns by what they hold, from 0. ``outgoing``: bare amounts went out, as in a list of payments made."""

    date: int
    amount: int | None = None
    credit: int | None = None
    debit: int | None = None
    direction: int | None = None
    payer: tuple[int, ...] = ()
    reference: tuple[int, ...] = ()
    bank_id: int | None = None
    balance: int | None = None
    outgoing: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it to be kept."""
        return asdict(self)

    def chosen(self) -> dict[int, Holds]:
        """Return what each column holds."""
        one = {getattr(self, holds.value): holds for holds in Holds if holds not in _MANY}
        many = {index: holds for holds in _MANY for index in getattr(self, holds.value)}
        return {index: holds for index, holds in (one | many).items() if index is not None}


def map_of(kept: Mapping[str, Any]) -> ColumnMap:
    """Return what ``as_json`` was given."""
    return ColumnMap(**{**kept, "payer": tuple(kept["payer"]), "reference": tuple(kept["reference"])})


def chosen_map(chosen: Mapping[int, Holds], *, outgoing: bool = False) -> ColumnMap:
    """Return the map that a person's choices make.

    :raises ColumnsWrong: when a file cannot be read by them.
    """
    by_holds: dict[Holds, list[int]] = {}
    for index, holds in sorted(chosen.items()):
        by_holds.setdefault(holds, []).append(index)
    problems = [
        f"Choose one column for “{holds.label}”; {len(columns)} are chosen."
        for holds, columns in by_holds.items()
        if len(columns) > 1 and holds not in _MANY
    ]
    if Holds.DATE not in by_holds:
        problems.append("Choose the column that holds the date.")
    split = Holds.CREDIT in by_holds or Holds.DEBIT in by_holds
    if split == (Holds.AMOUNT in by_holds):
        problems.append("Choose either the amount with its sign, or the columns paid in and paid out.")
    if split and Holds.DIRECTION in by_holds:
        problems.append("A column that says credit or debit goes with one amount, not with two.")
    if not {Holds.PAYER, Holds.REFERENCE} & by_holds.keys():
        problems.append("Choose the column that says who paid, or the reference: without both nothing can be matched.")
    if problems:
        raise ColumnsWrong(problems)
    return ColumnMap(
        date=by_holds[Holds.DATE][0],
        payer=tuple(by_holds.get(Holds.PAYER, ())),
        reference=tuple(by_holds.get(Holds.REFERENCE, ())),
        outgoing=outgoing,
        **{
            holds.value: by_holds[holds][0]
            for holds in (Holds.AMOUNT, Holds.CREDIT, Holds.DEBIT, Holds.DIRECTION, Holds.BANK_ID, Holds.BALANCE)
            if holds in by_holds
        },
    )


def guess(headings: Sequence[str]) -> dict[int, Holds]:
    """Return what columns most likely hold by their headings alone: the first of each, more than one of words."""
    found: dict[int, Holds] = {}
    for index, heading in enumerate(headings):
        holds = _OF_WORD.get(heading_words(heading))
        if holds is not None and (holds in _MANY or holds not in found.values()):
            found[index] = holds
    if {Holds.CREDIT, Holds.DEBIT} & set(found.values()):
        found = {index: holds for index, holds in found.items() if holds not in (Holds.AMOUNT, Holds.DIRECTION)}
    return found


def heading_words(heading: str) -> str:
    """Return a heading as it is compared."""
    return " ".join(heading.replace("_", " ").casefold().split()).strip(" :.")


def signature_of(headings: Sequence[str]) -> bytes:
    """Return what files of one layout have alike: their headings in order, as a SHA-256."""
    return hashlib.sha256("\x1f".join(map(heading_words, headings)).encode()).digest()
