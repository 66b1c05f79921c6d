"""A synthetic year of one agency's bank account: its invoices, what was paid, and what the bank's lines made of that.

Every kind of noise is drawn apart and named on the line, so that a score can say which kind was read wrongly. Names are
those of councils, shortened as banks do; nothing is about anybody.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from matching.fee.reconciliation.fact import Facts, KnownInvoice, Payer, Share, WaitingLine

COUNCILS: Final = (
    "Cornwall Council",
    "Devon County Council",
    "Dorset Council",
    "Gloucestershire County Council",
    "Somerset Council",
    "Wiltshire Council",
    "Bath and North East Somerset Council",
    "Bournemouth Borough Council",
    "Bristol City Council",
    "North Somerset Council",
    "Plymouth City Council",
    "Borough of Poole",
    "South Gloucestershire Council",
    "Swindon Borough Council",
    "Torbay Council",
    "Adopt South West",
    "Adoption West",
)
AMOUNTS: Final = (
    2_700_000,
    4_300_000,
    6_000_000,
    1_800_000,
    900_000,
    3_162_000,
    3_924_500,
    2_866_667,
    1_433_333,
    93_900,
)
"""What invoices are of, in pence: standard fees, fees by tariff, two thirds and one third, and a monthly charge."""
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BACS: Final = 18
FASTER: Final = 35
_IDLE_WORDS: Final = ("ADOPTION FEE", "INTERAGENCY FEE", "IA FEE", "PAYMENT", "CREDITORS BACS", "")
_OTHERS: Final = ("DONATION", "GIFT AID", "TRAINING COURSE", "ROOM HIRE", "VAT REPAYMENT", "GRANT Q2", "INTEREST")
_SPENT: Final = ("BANK CHARGES", "PAYROLL", "RENT", "HMRC PAYE", "UTILITIES", "TRAVEL")
FIRST: Final = date(2026, 4, 1)


@dataclass(slots=True)
class YearLine:
    """A line of the bank, what made it odd, and what it truly pays."""

    line: WaitingLine
    noise: str
    shares: tuple[Share, ...] = ()
    undone: UUID | None = None
    twin: UUID | None = None
    """The line that it repeats: which of the two is the first, nobody can say."""
    payer_id: UUID | None = None


@dataclass(slots=True)
class Year:
    """Payers, invoices, and the lines of twelve months."""

    payers: tuple[Payer, ...]
    invoices: tuple[KnownInvoice, ...]
    months: list[list[YearLine]] = field(default_factory=list)


def make_year(seed: int, *, invoices: int = 360) -> Year:
    """Return the same year for the same seed."""
    return _Maker(random.Random(seed)).make(invoices)  # noqa: S311 - made-up data, no secret


class _Maker:
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.payers = tuple(Payer(self.id(), (name,)) for name in COUNCILS)
        style = draw.choice(("FFC-{:06d}", "INV{:04d}", "AC/26/{:05d}", "SI-{:05d}", "{:06d}", "VA2026-{:04d}"))
        start = draw.choice((1, 40, 118, 940, 2_210))
        self.number: Callable[[int], str] = lambda place: style.format(start + place)
        self.limit = {payer.id: draw.choice((BACS, BACS, FASTER, 140)) for payer in self.payers}
        self.bank_name = {payer.id: self.shortened(payer.names[0]) for payer in self.payers}
        self.paying: list[YearLine] = []

    def id(self) -> UUID:
        return UUID(int=self.draw.getrandbits(128), version=4)

    def make(self, count: int) -> Year:
        invoices = self.invoices(count)
        open_ones = sorted(invoices, key=lambda each: (each.issued_on, each.number))
        by_payer = {payer.id: [each for each in open_ones if each.payer_id == payer.id] for payer in self.payers}
        for payer in self.payers:
            self.pay(by_payer[payer.id])
        self.oddities()
        self.others(len(self.paying))
        year = Year(self.payers, tuple(invoices))
        year.months = [[] for _ in range(12)]
        for each in sorted(self.paying, key=lambda each: (each.line.dated_on, each.line.id)):
            months = (each.line.dated_on.year - FIRST.year) * 12 + each.line.dated_on.month - FIRST.month
            if months < 12:
                year.months[months].append(each)
        return year

    def invoices(self, count: int) -> list[KnownInvoice]:
        found = []
        weights = [self.draw.uniform(0.3, 3) for _ in self.payers]
        agreement: dict[UUID, str] = {}
        for place in range(count):
            payer = self.draw.choices(self.payers, weights)[0]
            issued = FIRST + timedelta(days=place * 330 // count)
            # A later instalment of the same agreement has its reference again.
            fresh = self.draw.random() < 0.7 or payer.id not in agreement
            agreement[payer.id] = f"FA-{''.join(self.draw.choices(LETTERS, k=6))}" if fresh else agreement[payer.id]
            orders = (str(self.draw.randint(4_500_000_000, 4_599_999_999)),) if self.draw.random() < 0.5 else ()
            pence = self.draw.choices(AMOUNTS, (8, 3, 1, 6, 6, 4, 4, 2, 2, 5))[0]
            due = issued + timedelta(days=30)
            agreements = (agreement[payer.id],)
            number = self.number(place)
            found.append(KnownInvoice(self.id(), payer.id, number, issued, due, pence, pence, agreements, orders))
        return found

    # ── payments ──

    def pay(self, invoices: list[KnownInvoice]) -> None:
        waiting = list(invoices)
        while waiting:
            together = self.draw.choices((1, 2, 3, 4, 6), (80, 10, 5, 3, 2))[0]
            batch, waiting = waiting[:together], waiting[together:]
            paid_on = batch[-1].issued_on + timedelta(days=self.draw.randint(4, 70))
            if len(batch) == 1 and self.draw.random() < 0.05:
                self.in_parts(batch[0], paid_on)
                continue
            noise, reference = self.reference(batch)
            self.add(batch, sum(each.outstanding for each in batch), paid_on, reference, noise)

    def in_parts(self, invoice: KnownInvoice, paid_on: date) -> None:
        first = self.draw.choice((invoice.outstanding // 2, invoice.outstanding - 90_000, invoice.outstanding // 3))
        first = max(first, 1_000)
        _, reference = self.reference([invoice])
        self.add([invoice], first, paid_on, reference, "part payment", shares=(Share(invoice.id, first),))
        rest = invoice.outstanding - first
        later = paid_on + timedelta(days=self.draw.randint(3, 40))
        self.add([invoice], rest, later, reference, "part payment", shares=(Share(invoice.id, rest),))

    def add(
        self,
        batch: list[KnownInvoice],
        pence: int,
        paid_on: date,
        reference: str,
        noise: str,
        shares: tuple[Share, ...] | None = None,
    ) -> None:
        payer = batch[0].payer_id
        name = self.bank_name[payer]
        if self.draw.random() < 0.03:
            name = self.mistyped(name)
        self.paying.append(
            YearLine(
                WaitingLine(self.id(), paid_on, pence, name, reference),
                noise,
                shares or tuple(Share(each.id, each.outstanding) for each in batch),
                payer_id=payer,
            )
        )

    def oddities(self) -> None:
        """Let some be paid twice, by another agency, too much, or come back."""
        for each in list(self.paying):
            chance = self.draw.random()
            line = each.line
            if each.noise == "part payment":
                continue
            later = line.dated_on + timedelta(days=self.draw.randint(1, 25))
            if chance < 0.015:
                again = WaitingLine(self.id(), later, line.pence, line.payer, line.reference)
                self.paying.append(YearLine(again, "paid twice", twin=line.id, payer_id=each.payer_id))
            elif chance < 0.035 and "whole" in each.noise:
                other = self.draw.choice([payer for payer in self.payers if payer.id != each.payer_id])
                each.line = WaitingLine(line.id, line.dated_on, line.pence, self.bank_name[other.id], line.reference)
                each.noise, each.payer_id = "wrong agency", None
            elif chance < 0.045 and "whole" in each.noise:
                more = line.pence + self.draw.choice((100, 5_000, 90_000))
                each.line = WaitingLine(line.id, line.dated_on, more, line.payer, line.reference)
                each.noise = "overpaid"
            elif chance < 0.055:
                words = f"{self.draw.choice(('RETURNED', 'UNPAID', 'RECALL'))} {line.reference}"[:35]
                back = WaitingLine(self.id(), later, -line.pence, line.payer, words)
                self.paying.append(YearLine(back, "came back", undone=line.id))

    def others(self, count: int) -> None:
        """Add what has nothing to do with fees."""
        for _ in range(count // 10):
            paid_on = FIRST + timedelta(days=self.draw.randint(0, 364))
            name = self.draw.choice(
                ("J SMITH", "LOTTERY FUND", "HMRC", self.bank_name[self.draw.choice(self.payers).id])
            )
            pence = self.draw.choice((self.draw.randint(500, 900_000), self.draw.randint(1, 400) * 5_000))
            reference = self.draw.choice(_OTHERS)
            self.paying.append(YearLine(WaitingLine(self.id(), paid_on, pence, name, reference), "other receipt"))
        for _ in range(count // 8):
            spent_on = FIRST + timedelta(days=self.draw.randint(0, 364))
            pence = -self.draw.choice((self.draw.randint(100, 900_000), 1_800_000))
            line = WaitingLine(self.id(), spent_on, pence, "", self.draw.choice(_SPENT))
            self.paying.append(YearLine(line, "spent"))

    # ── words ──

    def reference(self, batch: list[KnownInvoice]) -> tuple[str, str]:
        """Return what a payer writes, cut as their bank cuts it, and what was done to it."""
        limit = self.limit[batch[0].payer_id]
        if len(batch) > 1:
            return self.of_several(batch, limit)
        invoice = batch[0]
        kinds = ("whole", "whole with words", "mistyped", "other key", "missing", "figures", "run on", "cut short")
        kind = self.draw.choices(kinds, (52, 14, 10, 6, 5, 4, 5, 4))[0]
        if kind == "mistyped":
            return kind, self.mistyped(invoice.number)[:limit]
        if kind == "other key":
            return kind, self.draw.choice([*invoice.agreements, *invoice.purchase_orders])[:limit]
        if kind == "missing":
            return kind, self.draw.choice(_IDLE_WORDS)[:limit]
        if kind == "figures":
            return kind, "".join(c for c in invoice.number.split("-")[-1].split("/")[-1] if c.isdigit())[:limit]
        if kind == "run on":
            return kind, f"{self.draw.choice(('PAY', 'REF', 'FEE'))}{invoice.number.replace('-', '').replace('/', '')}"[
                :limit
            ]
        if kind == "cut short":
            return kind, f"{self.draw.choice(('ADOPTION FEE ', 'IA FEE INV ', 'INVOICE '))}{invoice.number}"[:BACS]
        words = self.draw.choice(("", "INV ", "FEE ", "RE ")) if kind == "whole with words" else ""
        tail = f" {invoice.agreements[0]}" if kind == "whole with words" and self.draw.random() < 0.5 else ""
        number = invoice.number.replace("-", self.draw.choice(("-", " ", ""))) if words else invoice.number
        return kind, f"{words}{number}{tail}"[:limit]

    def of_several(self, batch: list[KnownInvoice], limit: int) -> tuple[str, str]:
        between = self.draw.choice((" ", "/", ",", " & ", "+", ""))
        text = between.join(each.number for each in batch)
        if self.draw.random() < 0.1:
            return "several, none named", self.draw.choice(_IDLE_WORDS)[:limit]
        return ("several" if len(text) <= limit else "several, cut off"), text[:limit]

    def mistyped(self, text: str) -> str:
        """Return a text with one slip: a letter left out, doubled, changed, or two in each other's place."""
        places = [place for place, letter in enumerate(text) if letter.isalnum()]
        place = self.draw.choice(places)
        kind = self.draw.choice(("left out", "doubled", "changed", "swapped"))
        if kind == "left out":
            return text[:place] + text[place + 1 :]
        if kind == "doubled":
            return text[: place + 1] + text[place:]
        if kind == "swapped" and place + 1 < len(text):
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        return text[:place] + self.draw.choice("0123456789" if text[place].isdigit() else "ABEIOS") + text[place + 1 :]

    def shortened(self, name: str) -> str:
        """Return a council's name as one bank has it."""
        plain = name.upper()
        kinds = (("COUNTY COUNCIL", "CC"), ("BOROUGH COUNCIL", "BC"), ("CITY COUNCIL", "CITY C"), (" COUNCIL", ""))
        short = plain
        for long, brief in kinds:
            if long in short:
                short = short.replace(long, brief).strip()
                break
        initials = "".join(word[0] for word in plain.split()) + " CREDITORS"
        return self.draw.choices((plain, plain[:BACS], short, short[:BACS], initials), (3, 3, 4, 3, 1))[0]


def facts_of(year: Year, month: int, *, left: dict[UUID, int], waiting: list[WaitingLine]) -> Facts:
    """Return what is known at the end of a month, with so much left of each invoice."""
    last = date(FIRST.year + (FIRST.month + month) // 12, (FIRST.month + month) % 12 + 1, 1)
    known = tuple(replace(each, outstanding=left[each.id]) for each in year.invoices if each.issued_on < last)
    return Facts(year.payers, known, tuple(waiting))
