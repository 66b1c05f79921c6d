"""Amounts and days as banks and spreadsheets write them, read to exact pence or not at all."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from matching.fee.remittance.bank_file import MOST_PENCE

_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d{1,2})?", re.ASCII)
_PLAIN: Final = re.compile(r"\d+(\.\d{1,2})?|\.\d{1,2}", re.ASCII)
_CONTINENTAL: Final = re.compile(r"\d{1,3}(\.\d{3})+,\d{1,2}|\d+,\d{1,2}", re.ASCII)
_SLIP: Final = re.compile(r",\d{1,2}(?!\d)", re.ASCII)
_MINUS: Final = "-−–"
_DAY_FIRST: Final = ("%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y")
_YEAR_FIRST: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_ZONE: Final = re.compile(r"(?<=\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH: Final = date(1899, 12, 30)


def pence_of(text: str) -> int | None:
    """Return an amount in pence, ``None`` where it is none: £1,234.50, (1,234.50), 1234.5-, 1234.50 CR, -12.

    A comma before three figures divides thousands; before one or two at the end it stands for the point.
    """
    words = " ".join(text.upper().split()).replace("£", "").replace("GBP", "").replace("'", "").strip()
    sign = 1
    if words.startswith("(") and words.endswith(")"):
        sign, words = -1, words[1:-1].strip()
    for ending, meant in ((" CR", 1), (" DR", -1), ("CR", 1), ("DR", -1), (" C", 1), (" D", -1)):
        if words.endswith(ending):
            sign, words = sign * meant, words[: -len(ending)].strip()
            break
    if words[:1] in _MINUS and words[:1]:
        sign, words = -sign, words[1:].strip()
    elif words[-1:] in _MINUS and words[-1:]:
        sign, words = -sign, words[:-1].strip()
    elif words[:1] == "+":
        words = words[1:].strip()
    digits = _digits(words.replace(" ", ""))
    return None if digits is None else sign * digits


def typed_pence(text: str) -> int | None:
    """Return an amount that a person typed in a form: a comma divides thousands there, and never stands for the point.

    “27,00” is a slip of 27,000 much rather than twenty-seven pounds.
    """
    return None if _SLIP.search(text) else pence_of(text)


def exact_pence(amount: Decimal | float | str) -> int | None:
    """Return a bare decimal in pence; ``None`` where it has parts of a penny, or is no number at all."""
    try:
        pence = Decimal(str(amount)) * 100
        if not pence.is_finite() or abs(pence) > MOST_PENCE * 100 or pence != pence.to_integral_value():
            return None
    except (ArithmeticError, ValueError):
        return None
    return int(pence)


def day_of(text: str) -> date | None:
    """Return a day written the British way or the ISO way; ``None`` where it is none.

    A time after it is left out, and so is a zone, which XML allows after a day.
    """
    words = _ZONE.sub("", re.split(r"[T ](?=\d{1,2}:)", " ".join(text.split()))[0])
    if words.isascii() and words.isdigit() and len(words) == 5:
        return _EPOCH + timedelta(days=int(words))
    for pattern in (*_YEAR_FIRST, *_DAY_FIRST):
        try:
            return datetime.strptime(words, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _digits(words: str) -> int | None:
    if _GROUPED.fullmatch(words) or _PLAIN.fullmatch(words):
        return exact_pence(words.replace(",", ""))
    if _CONTINENTAL.fullmatch(words):
        return exact_pence(words.replace(".", "").replace(",", "."))
    return None
