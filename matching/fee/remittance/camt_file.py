"""Statements in CAMT.053 (ISO 20022), of any version: the few elements that say what came in, and no other.

An entry that pays several at once is read by its parts where each part gives its amount and they make the entry;
otherwise the entry is one line. Elements are known by their names whatever the namespace, for banks differ in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

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
from matching.fee.remittance.written_amount import day_of, exact_pence

ROOT: Final = "BkToCstmrStmt"
_DEEPEST: Final = 40
_AGAIN: Final = "Export it again. Nothing was taken."
_NOT_PENDING: Final = "BOOK"
_NONE: Final = ("NOTPROVIDED", "NONREF")


def looks_like_camt(content: bytes) -> bool:
    """Say whether bytes begin as such a file does."""
    beginning = content[:2_000].replace(b"\x00", b"")
    return beginning.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<") and b"<OFX" not in beginning


def read_camt(content: bytes) -> BankFile:
    """Return the booked entries of every statement; what is pending yet is counted in a note.

    :raises UnreadableRemittance: when it is none, is not well formed, declares entities or a document type.
    """
    lines: list[BankLine] = []
    controls: list[Control] = []
    pending = 0
    try:
        for number, statement in enumerate(_statements(content), start=1):
            words = f"Statement {number}"
            entries = _children(statement, "Ntry")
            booked = [each for each in entries if _status(each) in ("", _NOT_PENDING)]
            pending += len(entries) - len(booked)
            account = tidy_words([_at(statement, "Acct", "Id", "IBAN") or _at(statement, "Acct", "Id", "Othr", "Id")])
            found = [line for place, each in enumerate(booked, start=1) for line in _entry(each, words, place, account)]
            if len(lines) + len(found) > MOST_LINES:
                raise UnreadableRemittance(f"The file has more than {MOST_LINES:,} lines. Export shorter periods.")
            lines += (replace(line, statement=number) for line in found)
            controls += _controls(statement, words, sum(line.pence for line in found))
            statement.clear()
    except DefusedXmlException as error:
        raise UnreadableRemittance(f"The file holds declarations that no statement has. {_AGAIN}") from error
    except (ParseError, LookupError, ValueError) as error:
        where = f" at line {error.position[0]}" if isinstance(error, ParseError) else ""
        raise UnreadableRemittance(f"The file is not well-formed XML{where}: it may be cut off. {_AGAIN}") from error
    notes = (f"Pending, and left for a later statement: {pending}.",) if pending else ()
    return BankFile(FileFormat.CAMT053, tuple(lines), tuple(controls), notes)


def _statements(content: bytes) -> Iterator[Element]:
    depth = 0
    path: list[str] = []
    for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            depth += 1
            path.append(_name(element))
            if depth > _DEEPEST:
                raise UnreadableRemittance(f"The file nests more deeply than a statement does. {_AGAIN}")
            if depth == 2 and ROOT not in path:
                raise UnreadableRemittance(
                    "The file is XML, but no CAMT.053 statement (BkToCstmrStmt). Export a statement, not a report of "
                    "the day or an advice. Nothing was taken."
                )
        else:
            depth -= 1
            path.pop()
            if _name(element) == "Stmt" and path[-1:] == [ROOT]:
                yield element


def _entry(entry: Element, words: str, place: int, account: str) -> list[BankLine]:
    where = f"{words}, entry {place}"
    whole = _pence(entry, where)
    day = day_of(
        _at(entry, "BookgDt", "Dt")
        or _at(entry, "BookgDt", "DtTm")
        or _at(entry, "ValDt", "Dt")
        or _at(entry, "ValDt", "DtTm")
    )
    if whole is None or day is None:
        raise UnreadableRemittance(f"{where}: the day or the amount cannot be read. {_AGAIN}")
    parts = [part for details in _children(entry, "NtryDtls") for part in _children(details, "TxDtls")]
    shares = [_share(part, whole) for part in parts]
    bank_id = _at(entry, "AcctSvcrRef")
    if len(parts) > 1 and None not in shares and sum(share or 0 for share in shares) == whole:
        return [
            _line(
                entry,
                [part],
                share or 0,
                day,
                f"{where}, part {number}",
                f"{bank_id}/{number}" if bank_id else "",
                account,
            )
            for number, (part, share) in enumerate(zip(parts, shares, strict=True), start=1)
        ]
    return [_line(entry, parts, whole, day, where, bank_id, account)]


def _line(
    entry: Element, parts: list[Element], pence: int, day: date, place: str, bank_id: str, account: str
) -> BankLine:
    side = "Dbtr" if pence > 0 else "Cdtr"
    names = [
        _at(part, "RltdPties", who, "Nm") or _at(part, "RltdPties", who, "Pty", "Nm")
        for part in parts
        for who in (f"Ultmt{side}", side)
    ]
    said: list[str | None] = []
    for part in parts:
        said.append(_given(_at(part, "Refs", "EndToEndId")))
        for info in _children(part, "RmtInf"):
            said += [each.text for each in _children(info, "Ustrd")]
            for structured in _children(info, "Strd"):
                said.append(_at(structured, "CdtrRefInf", "Ref"))
                said += [_at(each, "Nb") for each in _children(structured, "RfrdDocInf")]
                said += [each.text for each in _children(structured, "AddtlRmtInf")]
        said.append(_at(part, "AddtlTxInf"))
    said += [_given(_at(entry, "NtryRef")), _at(entry, "AddtlNtryInf")]
    return BankLine(
        place=place,
        dated_on=day,
        pence=pence,
        payer=tidy_words([next(filter(None, names), "")]),
        reference=tidy_words(said),
        bank_id=bank_id,
        account=account,
        undoes=_at(entry, "RvslInd").lower() == "true" or any(_children(part, "RtrInf") for part in parts),
    )


def _pence(entry: Element, where: str) -> int | None:
    """Return what an entry moves: its own mark already says which way, also where it undoes another."""
    amount = next(iter(_children(entry, "Amt")), None)
    if amount is None:
        return None
    if amount.get("Ccy", CURRENCY) != CURRENCY:
        raise UnreadableRemittance(f"{where} is not in pounds. Export an account in pounds. Nothing was taken.")
    return _signed(exact_pence((amount.text or "").strip()), _at(entry, "CdtDbtInd"))


def _share(part: Element, whole: int) -> int | None:
    """Return what a part of an entry moves, where it says so."""
    holders = _children(part, "Amt") or [
        amount
        for details in _children(part, "AmtDtls")
        for each in _children(details, "TxAmt")
        for amount in _children(each, "Amt")
    ]
    if not holders or holders[0].get("Ccy", CURRENCY) != CURRENCY:
        return None
    mark = _at(part, "CdtDbtInd") or ("CRDT" if whole > 0 else "DBIT")
    share = _signed(exact_pence((holders[0].text or "").strip()), mark)
    return share or None


def _signed(pence: int | None, mark: str) -> int | None:
    sign = {"CRDT": 1, "DBIT": -1}.get(mark)
    return None if pence is None or pence < 0 or sign is None else sign * pence


def _controls(statement: Element, words: str, moved: int) -> Iterator[Control]:
    balances: dict[str, int] = {}
    for each in _children(statement, "Bal"):
        code = _at(each, "Tp", "CdOrPrtry", "Cd")
        pence = _pence(each, words)
        if pence is None:
            raise UnreadableRemittance(f"{words}: a balance cannot be read. {_AGAIN}")
        if code in ("OPBD", "PRCD"):
            balances.setdefault("opening", pence)
        elif code == "CLBD":
            balances["closing"] = pence
    if len(balances) == 2:
        yield Control(words, balances["opening"], balances["closing"], moved)


def _status(entry: Element) -> str:
    return (_at(entry, "Sts", "Cd") or _at(entry, "Sts")).strip()


def _at(element: Element, *path: str) -> str:
    """Return the text at the first element of a path, “” where there is none."""
    found: Element | None = element
    for name in path:
        found = next(iter(_children(found, name)), None) if found is not None else None
    return (found.text or "").strip() if found is not None else ""


def _children(element: Element, name: str) -> list[Element]:
    return [each for each in element if _name(each) == name]


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _given(text: str) -> str | None:
    return None if text.upper() in _NONE else text or None
