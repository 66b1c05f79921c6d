"""A bank's file as it was read: its lines in order, each credit or debit, and the sums that the bank gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from matching.fee.money import pounds
from tenants.error import Invalid

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_LINES: Final = 20_000
MOST_PENCE: Final = 10**12
"""Caps on a file: bytes, lines, and pence either way on one line (ten thousand million pounds is no fee)."""
LONGEST_TEXT: Final = 1_000
EARLIEST: Final = date(1990, 1, 1)
LATEST: Final = date(2100, 1, 1)
CURRENCY: Final = "GBP"


class FileFormat(StrEnum):
    """In which form a bank or a finance system writes its lines."""

    CSV = "csv"
    MT940 = "mt940"
    CAMT053 = "camt053"
    OFX = "ofx"

    @property
    def label(self) -> str:
        """Return what people call it."""
        return {"csv": "CSV", "mt940": "MT940", "camt053": "CAMT.053", "ofx": "OFX"}[self.value]


class UnreadableRemittance(Invalid):
    """The whole file is refused, and nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class BankLine:
    """One line: ``pence`` above nothing came in, below nothing went out; ``place`` is where it stands in the file.

    ``bank_id`` is the bank's own id of the line, “” where it gives none. ``undoes`` says that the bank marks it as
    the undoing of an earlier one.
    """

    place: str
    dated_on: date
    pence: int
    payer: str
    reference: str
    bank_id: str = ""
    account: str = ""
    undoes: bool = False
    statement: int = 1
    """Which of the statements in the file it is in."""


@dataclass(frozen=True, slots=True)
class Control:
    """The balances that a statement in a file gives, in pence: what was before its lines and what is after them."""

    words: str
    opening: int
    closing: int
    moved: int


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file that was read. ``notes`` say what was left out or assumed and quote nothing of it."""

    format: FileFormat
    lines: tuple[BankLine, ...]
    controls: tuple[Control, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def credits(self) -> int:
        """Return the pence that came in."""
        return sum(line.pence for line in self.lines if line.pence > 0)

    @property
    def debits(self) -> int:
        """Return the pence that went out, above nothing."""
        return -sum(line.pence for line in self.lines if line.pence < 0)


def checked(file: BankFile) -> BankFile:
    """Return the file when it holds to its limits and its own sums.

    :raises UnreadableRemittance: when it has no line, too many, an absurd one, or sums that do not come out.
    """
    if not file.lines:
        raise UnreadableRemittance(f"The {file.format.label} file has no line. Nothing was taken.")
    if len(file.lines) > MOST_LINES:
        raise UnreadableRemittance(
            f"The file has {len(file.lines):,} lines; at most {MOST_LINES:,} can be read. Export shorter periods."
        )
    for line in file.lines:
        _check_line(line)
    for control in file.controls:
        _check_sums(control)
    return file


def tidy_words(words: Sequence[str | None]) -> str:
    """Return texts joined in one line without what cannot be seen, each said once."""
    said: list[str] = []
    for each in words:
        text = " ".join("".join(c if c.isprintable() else " " for c in each or "").split())
        if text and text not in said:
            said.append(text)
    return " ".join(said)[:LONGEST_TEXT]


def _check_line(line: BankLine) -> None:
    if not EARLIEST <= line.dated_on < LATEST:
        raise UnreadableRemittance(f"{line.place}: {line.dated_on:%d/%m/%Y} is no day of a payment. Nothing was taken.")
    if abs(line.pence) > MOST_PENCE:
        raise UnreadableRemittance(f"{line.place}: the amount is absurd. Nothing was taken.")
    if line.pence == 0:
        raise UnreadableRemittance(f"{line.place}: the amount is nothing. Take the line out, or mend it.")


def _check_sums(control: Control) -> None:
    if control.opening + control.moved != control.closing:
        raise UnreadableRemittance(
            f"{control.words}: the opening balance {pounds(control.opening)} and its lines ({pounds(control.moved)}) "
            f"make {pounds(control.opening + control.moved)}, and the closing balance says {pounds(control.closing)}. "
            "A line may be missing: export the file again. Nothing was taken."
        )
