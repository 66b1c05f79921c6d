"""Statements in OFX, of either kind (SGML and XML): the tree is the library ofxtools’, the lines are read off it here.

The library’s own model refuses whole statements for a field that nobody needs; its tree takes what is there. It passes
over text that is no element, so a file is refused unless as many lines come out as the file has <STMTTRN>.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from matching.fee.remittance.bank_file import (
    CURRENCY,
    MOST_LINES,
    BankFile,
    BankLine,
    FileFormat,
    UnreadableRemittance,
    tidy_words,
)
from matching.fee.remittance.written_amount import day_of, pence_of

_AGAIN: Final = "Export it again. Nothing was taken."
_LINE: Final = re.compile(rb"<STMTTRN>", re.IGNORECASE)
_EMPTY: Final = re.compile(rb"<(NAME|MEMO|CHECKNUM|REFNUM|PAYEEID|SIC|NICKNAME)>[ \t]*(?=\r?\n)", re.IGNORECASE)
_DECLARED: Final = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def looks_like_ofx(content: bytes) -> bool:
    """Say whether bytes begin as such a file does."""
    beginning = content[:2_000].upper()
    return b"OFXHEADER" in beginning or b"<?OFX" in beginning or b"<OFX>" in beginning


def read_ofx(content: bytes) -> BankFile:
    """Return the lines of every bank statement in the file.

    :raises UnreadableRemittance: when a line of it cannot be read.
    """
    # Every process would load the library when it starts, for the few files that are so.
    from ofxtools.Parser import OFXTree

    if _DECLARED.search(content):
        raise UnreadableRemittance(f"The file holds declarations that no statement has. {_AGAIN}")
    if b"</OFX>" not in content.upper():
        raise UnreadableRemittance(f"The file does not end as OFX does (</OFX>): it may be cut off. {_AGAIN}")
    wanted = len(_LINE.findall(content))
    if wanted > MOST_LINES:
        raise UnreadableRemittance(f"The file has more than {MOST_LINES:,} lines. Export shorter periods.")
    try:
        # An element without text or end would swallow those after it.
        root = OFXTree().parse(io.BytesIO(_EMPTY.sub(rb"", content)))
        lines = [line for number, each in enumerate(_statements(root), start=1) for line in _lines(each, number)]
    except UnreadableRemittance:
        raise
    except Exception as error:
        # The library raises syntax errors, look-up errors and decoding errors alike, and quotes the file in them.
        raise UnreadableRemittance(f"The file cannot be read as OFX. {_AGAIN}") from error
    if len(lines) != wanted:
        raise UnreadableRemittance(f"The file has {wanted} lines and {len(lines)} could be read. {_AGAIN}")
    # Its balance is that of the day on which it was made, not of its last line, so that no sum can be checked.
    return BankFile(FileFormat.OFX, tuple(lines))


def _statements(root: Element) -> Iterator[Element]:
    for kind in ("STMTRS", "CCSTMTRS"):
        yield from root.iter(kind)


def _lines(statement: Element, number: int) -> Iterator[BankLine]:
    words = f"Statement {number}"
    currency = _text(statement, "CURDEF") or CURRENCY
    if currency != CURRENCY:
        raise UnreadableRemittance(f"{words} is not in pounds. Export an account in pounds. Nothing was taken.")
    account = tidy_words([_text(statement, "BANKACCTFROM/BANKID"), _text(statement, "BANKACCTFROM/ACCTID")])
    for place, each in enumerate(statement.iter("STMTTRN"), start=1):
        where = f"{words}, line {place}"
        day = day_of(_text(each, "DTPOSTED")[:8])
        pence = pence_of(_text(each, "TRNAMT"))
        if day is None or pence is None:
            raise UnreadableRemittance(f"{where}: the day or the amount cannot be read. {_AGAIN}")
        if _text(each, "CURRENCY/CURSYM") not in ("", CURRENCY):
            raise UnreadableRemittance(f"{where} is not in pounds. Export an account in pounds. Nothing was taken.")
        yield BankLine(
            place=where,
            dated_on=day,
            pence=pence,
            payer=tidy_words([_text(each, "NAME") or _text(each, "PAYEE/NAME")]),
            reference=tidy_words([_text(each, "MEMO"), _text(each, "REFNUM"), _text(each, "CHECKNUM")]),
            bank_id=_text(each, "FITID"),
            account=account,
            undoes=bool(_text(each, "CORRECTFITID")),
            statement=number,
        )


def _text(element: Element, path: str) -> str:
    return html.unescape(element.findtext(path) or "").strip()
