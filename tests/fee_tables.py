"""What holds of every table of fees: files have what it shows, its totals add up, its figures lead somewhere."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO, StringIO
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

from python_calamine import CalamineWorkbook

from matching.intake.formula import unguarded
from tests.page import Page, text_of
from tests.site import Visitor

WITHOUT_FILE = {
    "Parts of the fee": "they stand in the agreement’s paper",
    "Lines": "they stand in the invoice’s paper, and in UBL",
    "What became of its lines": "it counts the lines below it",
    "What it paid": "the line is one of the bank file’s, and each posting is in the ledger",
    "Bank details of all times": "where an agency is paid is not handed out",
    "Open invoices": "a form",
    "Columns, what stands in them": "a form",
    "The first lines": "how a file would be read, which is not taken yet",
    "What your finance system calls": "a form",
    "Columns: number them": "a form",
    "Bank lines that wait": "its file has in columns what it says in sentences",
}
"""Words in the captions of tables that no file is made of from what they show, and why."""
WITHOUT_LEAD = {
    "rates": "what is published comes of no posting",
    "savings-over": "whose agreements they are the office is not told",
    "sent": "no receipt is confirmed, so nothing is posted",
    "sent-by-other": "no receipt is confirmed, so nothing is posted",
}
"""Tables whose figures lead nowhere, and why."""
_AMOUNT = re.compile(r"(−?)£([\d,]+\.\d\d)")
_DAY = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")


def check_tables(visitor: Visitor, path: str) -> set[str]:
    """Assert it of every table of a page, and return the names of those that files are made of."""
    assert visitor.get(path).status_code == 200, path
    page, names = visitor.page, set()
    assert page
    for table in page.all("table"):
        mark, _, name = (table.get("id") or "").partition("-")
        if mark != "table":
            caption = text_of(next(table.iter("caption")))
            assert any(each in caption for each in WITHOUT_FILE), f"{path}: no file is made of “{caption}”"
            continue
        names.add(name)
        _check(visitor, page, table, name)
    return names


def read_file(visitor: Visitor, path: str) -> list[list[str]]:
    """Return the rows of a file, its headings first: amounts as 1234.50, days as 2027-03-31."""
    answer = visitor.client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), path
    if "xlsx" not in answer.headers["Content-Disposition"]:
        rows = csv.reader(StringIO(answer.get_data().decode("utf-8-sig")))
        return [[unguarded(cell) for cell in row] for row in rows]
    book = CalamineWorkbook.from_filelike(BytesIO(answer.get_data()))
    (sheet,) = book.sheet_names
    return [[_typed(cell) for cell in row] for row in book.get_sheet_by_name(sheet).to_python()]


def _check(visitor: Visitor, page: Page, table: Element, name: str) -> None:
    addresses = [each.get("href") or "" for each in page.all("a")]
    files = {parse_qs(urlsplit(each).query)["file"][0]: each for each in addresses if f"file={name}." in each}
    assert set(files) == {f"{name}.csv", f"{name}.xlsx"}, (name, files)
    headings, *rows = read_file(visitor, files[f"{name}.csv"])
    body, foot = list(_rows(table, "tbody", headings)), list(_rows(table, "tfoot", headings))
    taken = [_filled(row) for row in rows]
    whole = f"Take the whole list away: Excel file: {text_of(next(table.iter('caption')))}" in page.text
    assert all(row in taken for row in body) if whole else taken == body + foot, (name, taken, body + foot)
    book = read_file(visitor, files[f"{name}.xlsx"])
    assert [_filled(row) for row in book] == [_filled(headings), *(_plain(row) for row in taken)], name
    _check_totals(name, headings, rows, count=len(rows) - len(foot))
    for row in _elements(table, "tbody"):
        figures = [text_of(each) for each in row.iter("td") if "£" in text_of(each)]
        leads = [each for each in row.iter("a") if each.get("href")]
        assert leads or name in WITHOUT_LEAD or not any(re.search("[1-9]", each) for each in figures), (name, figures)


def _check_totals(name: str, headings: list[str], rows: list[list[str]], *, count: int) -> None:
    """Assert that the last rows of a file together are what the others add up to, but where too few are told."""
    parts, totals = rows[:count], rows[count:]
    for place, heading in enumerate(headings):
        sums = [row[place] for row in totals if row[place]]
        pence = [[_pence(cell) for cell in cells] for cells in ([row[place] for row in parts], sums)]
        if place and sums and None not in pence[1] and "Too few to tell" not in [row[place] for row in parts]:
            whole, total = (sum(each or 0 for each in cells) for cells in pence)
            assert whole == total, (name, heading, whole, total)


def _rows(table: Element, part: str, headings: list[str]) -> Iterator[list[str]]:
    for row in _elements(table, part):
        cells = [each for each in row if "concord-table__offers" not in (each.get("class") or "")]
        yield [_unnamed(line, headings) for cell in cells for line in _lines(cell) if line]


def _elements(table: Element, part: str) -> list[Element]:
    return [row for group in table.iter(part) for row in group.iter("tr")]


def _lines(cell: Element) -> list[str]:
    """Return what is seen of a cell, line by line."""
    lines = [cell.text or ""]
    for each in cell:
        if each.tag == "br":
            lines.append(each.tail or "")
        else:
            lines[-1] += _seen(each) + (each.tail or "")
    return [" ".join(each.split()) for each in lines]


def _seen(element: Element) -> str:
    if "govuk-visually-hidden" in (element.get("class") or ""):
        return ""
    return (element.text or "") + "".join(_seen(each) + (each.tail or "") for each in element)


def _unnamed(line: str, headings: list[str]) -> str:
    """Return what a line says as a file does, without the heading that may stand before it."""
    named = next((each for each in headings if line.startswith(f"{each}: ")), None)
    words = line.removeprefix(f"{named}: ") if named else line
    if amount := _AMOUNT.fullmatch(words):
        return f"{'-' if amount[1] else ''}{amount[2].replace(',', '')}"
    if _DAY.fullmatch(words):
        return datetime.strptime(words, "%d %B %Y").date().isoformat()  # noqa: DTZ007 - a day has no zone
    return words.replace(",", "") if re.fullmatch(r"[\d,]+", words) else words


def _filled(row: list[str]) -> list[str]:
    return [" ".join(cell.split()) for cell in row if cell.strip()]


def _plain(row: list[str]) -> list[str]:
    """Return amounts as a number says them."""
    return [_typed(float(cell)) if re.fullmatch(r"-?\d+\.\d\d", cell) else cell for cell in row]


def _typed(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.2f}" if not cell.is_integer() else str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _pence(cell: str) -> int | None:
    found = re.fullmatch(r"(-?\d+)(?:\.(\d\d))?", cell)
    return int(found[1] + (found[2] or "")) if found else None
