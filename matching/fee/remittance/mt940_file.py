"""Statements in MT940, as SWIFT’s category 9 has them, read by the library mt-940 and held to what the file says.

The library is lenient: it passes over what it does not know and joins what it cannot tell apart. So each statement is
given to it alone, and a file is refused unless as many lines come out as the file has fields “:61:”.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from mt940.models import Transactions
from mt940.options import Options

from matching.fee.remittance.bank_file import (
    CURRENCY,
    MOST_LINES,
    BankFile,
    BankLine,
    Control,
    FileFormat,
    UnreadableRemittance,
    tidy_words,
)
from matching.fee.remittance.written_amount import exact_pence

_BLOCK: Final = re.compile(r"(?m)^(?=:20:)")
_LINE: Final = re.compile(r"(?m)^:61:")
_SIGNS: Final = {"C": 1, "RD": 1, "D": -1, "RC": -1}
_NAMES: Final = re.compile(r"(?:/(?:NAME|ORDP|BENM|CNTP)/(?:[^/\n]*/)*?|/NAME/)(?P<name>[A-Za-z][^/\n]+)")
_NONE: Final = ("NONREF", "NOTPROVIDED", "NOT PROVIDED")


def looks_like_mt940(text: str) -> bool:
    """Say whether a text begins as such a file does."""
    beginning = text[:4_000]
    return bool(re.search(r"(?m)^:20:", beginning)) and bool(re.search(r"(?m)^:(25|28C?|60[FM]):", text[:8_000]))


def read_mt940(text: str) -> BankFile:
    """Return the lines of every statement in the file.

    :raises UnreadableRemittance: when a statement cannot be read whole.
    """
    if len(_LINE.findall(text)) > MOST_LINES:
        raise UnreadableRemittance(f"The file has more than {MOST_LINES:,} lines. Export shorter periods.")
    lines: list[BankLine] = []
    controls: list[Control] = []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, block in enumerate((each for each in _BLOCK.split(text) if each.startswith(":20:")), start=1):
        found, control = _statement(block, f"Statement {number}")
        lines += (replace(line, statement=number) for line in found)
        controls += control
    if len(lines) != len(_LINE.findall(text)):
        raise UnreadableRemittance("Lines stand outside a statement (:20:). Export the file again. Nothing was taken.")
    return BankFile(FileFormat.MT940, tuple(lines), tuple(controls))


def _statement(block: str, words: str) -> tuple[list[BankLine], list[Control]]:
    wanted = len(_LINE.findall(block))
    statement = Transactions(options=Options.all())
    try:
        statement.parse(block)
    except Exception as error:
        # The library raises what its regular expressions and its dates do: of many kinds, none of its own.
        raise UnreadableRemittance(f"{words} cannot be read as MT940. Export it again. Nothing was taken.") from error
    found = [each.data for each in statement.transactions if "status" in each.data]
    if len(found) != wanted:
        raise UnreadableRemittance(
            f"{words} has {wanted} lines (:61:) and {len(found)} could be read. Export it again. Nothing was taken."
        )
    account = tidy_words([str(statement.data.get("account_identification") or "")])
    lines = [_line(each, f"{words}, line {number}", account) for number, each in enumerate(found, start=1)]
    return lines, list(_controls(statement.data, words, sum(line.pence for line in lines)))


def _line(data: Mapping[str, Any], place: str, account: str) -> BankLine:
    status, amount, day = str(data["status"]).upper(), data.get("amount"), data.get("date")
    pence = None if amount is None or amount.amount is None else exact_pence(abs(amount.amount))
    if amount is None or status not in _SIGNS or pence is None or not isinstance(day, date):
        raise UnreadableRemittance(f"{place}: the day or the amount cannot be read. Nothing was taken.")
    _check_currency(amount.currency, place)
    details = str(data.get("transaction_details") or "")
    # The library already draws the parts of a structured field 86 out of it.
    said = ("customer_reference", "extra_details", "purpose", "additional_purpose", "end_to_end_reference")
    structured = data.get("applicant_name")
    return BankLine(
        place=place,
        dated_on=date(day.year, day.month, day.day),
        pence=_SIGNS[status] * pence,
        payer=tidy_words([structured or _name_in(details)]),
        reference=tidy_words([_given(each) for each in (*map(data.get, said), details)]),
        bank_id=_given(data.get("bank_reference")) or "",
        account=account,
        undoes=status in ("RC", "RD"),
    )


def _controls(data: Mapping[str, Any], words: str, moved: int) -> Iterator[Control]:
    opening = data.get("final_opening_balance") or data.get("intermediate_opening_balance")
    closing = data.get("final_closing_balance") or data.get("intermediate_closing_balance")
    if opening is None and closing is None:
        return
    if opening is None or closing is None:
        raise UnreadableRemittance(f"{words} lacks one of its two balances: the file may be cut off. Export it again.")
    sums = [exact_pence(each.amount.amount) for each in (opening, closing)]
    if sums[0] is None or sums[1] is None:
        raise UnreadableRemittance(f"{words}: a balance cannot be read. Nothing was taken.")
    _check_currency(opening.amount.currency, words)
    yield Control(words, sums[0], sums[1], moved)


def _check_currency(currency: str | None, place: str) -> None:
    if currency not in (None, "", CURRENCY):
        raise UnreadableRemittance(f"{place} is not in pounds. Export an account in pounds. Nothing was taken.")


def _name_in(details: str) -> str | None:
    found = _NAMES.search(details)
    return found["name"] if found else None


def _given(value: object) -> str | None:
    text = str(value or "").strip()
    return None if text.upper() in _NONE else text or None
