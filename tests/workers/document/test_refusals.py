"""The workbook of refusals, handed in again as it is, mended, and opened as a spreadsheet program would."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date

import pytest

from matching.intake.alike import heading_likeness
from matching.intake.column import SheetKind
from matching.intake.import_run import get_import
from matching.intake.outcome import Outcome
from matching.intake.reading import read_book
from matching.intake.refusals import NothingRefused, RefusedRow, RefusedSheet, list_refusals
from matching.intake.sheet import Book
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.matching.intake.importing import counts_of, report_of, sheet, take
from tests.matching.intake.writing import xlsx_file
from workers.document.refusals import render_refusals

HEADINGS = ["Reference", "Adopter 1 name", "Status", "Approved on", "Most children"]


class TestRenderRefusals:
    def test_gives_back_each_refused_row_as_it_came(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        day = date(2024, 3, 7)
        run = take(
            database,
            devon,
            xlsx_file(
                [
                    HEADINGS,
                    ["A", "Alder Example", "waiting", day, 2],
                    ["B", '=HYPERLINK("http://example.org")', "mislaid", day, "lots"],
                ],
                title="Families",
            ),
        )
        assert counts_of(run) == (1, 0, 0, 1)

        [again] = _read(_workbook(database, devon, run.id)).sheets

        [row] = again.rows
        assert (again.title, again.headings) == ("Families", ("What to mend", *HEADINGS))
        assert row.cells[1:] == ("B", '=HYPERLINK("http://example.org")', "mislaid", day, "lots")
        assert "Status: " in str(row.cells[0])
        assert "Most children: " in str(row.cells[0])

    def test_makes_no_formula_of_a_text(self) -> None:
        texts = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "{=1}", "http://example.org", "007")
        content = render_refusals([RefusedSheet("", (*HEADINGS, "=A", "+B", "@C"), (RefusedRow(2, ("=D",), texts),))])
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            written = {name: parts.read(name).decode() for name in parts.namelist() if name.endswith((".xml", ".rels"))}
        assert not any("<f>" in text or "<hyperlink " in text for text in written.values())
        assert _read(content).sheets[0].rows[0].cells[1:] == ("=1+1", "+1", "-1", "@SUM(A1)", "=1", *texts[5:])

    def test_is_taken_when_it_is_handed_in_mended(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, sheet(HEADINGS, ["A", "Alder Example", "mislaid", "07/03/2024", "2"]))
        with database.transaction(devon.scope) as session:
            [refused] = list_refusals(session, get_import(session, run.id), now=NOW)
        [row] = refused.rows
        mended = replace(row, cells=tuple("waiting" if cell == "mislaid" else cell for cell in row.cells))

        again = take(database, devon, render_refusals([refused]))
        taken = take(database, devon, render_refusals([replace(refused, rows=(mended,))]))

        assert (counts_of(again), counts_of(taken)) == ((0, 0, 0, 1), (1, 0, 0, 0))
        [told] = report_of(database, devon, again)
        assert told.outcome is Outcome.REFUSED
        assert again.refusal is None

    def test_holds_the_whole_of_a_refused_group(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        lines = [["G1", "C1", "21/06/2022"], ["G1", "C2", "someday"], ["G2", "C3", "21/06/2022"]]
        run = take(
            database, devon, sheet(["Group reference", "Child reference", "Born"], *lines), kind=SheetKind.CHILDREN
        )
        with database.transaction(devon.scope) as session:
            [refused] = list_refusals(session, get_import(session, run.id), now=NOW)
        assert [row.cells for row in refused.rows] == [tuple(line) for line in lines[:2]]

    @pytest.mark.parametrize(
        ("titles", "written"),
        [
            (["Families: 2026/27"], ["Families  2026 27"]),
            (["x" * 40, "X" * 40], ["x" * 31, "X" * 29 + " 2"]),
            (["'ours'", ""], ["ours", "Rows to mend"]),
            (["[]", "\U0001f984" * 20], ["Rows to mend", "\U0001f984" * 15]),
        ],
    )
    def test_names_worksheets_as_excel_allows(self, titles: list[str], written: list[str]) -> None:
        row = RefusedRow(number=2, to_mend=("Status: say which.",), cells=("B", "mislaid"))

        book = _read(render_refusals([RefusedSheet(title, ("Reference", "Status"), (row,)) for title in titles]))

        assert [each.title for each in book.sheets] == written

    @pytest.mark.parametrize(("cell", "written"), [(float("inf"), "inf"), (float("nan"), "nan")])
    def test_writes_a_number_that_no_workbook_can_hold_in_words(self, cell: float, written: str) -> None:
        row = RefusedRow(number=2, to_mend=("Most children: too many.",), cells=("B", cell))

        [sheet] = _read(render_refusals([RefusedSheet("", ("Reference", "Most children"), (row,))])).sheets

        assert sheet.rows[0].cells[-1] == written


class TestListRefusals:
    def test_refuses_an_import_that_refused_nothing(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, sheet(["Reference", "Status"], ["A", "waiting"]))
        with database.transaction(devon.scope) as session, pytest.raises(NothingRefused):
            list_refusals(session, get_import(session, run.id), now=NOW)


def _read(content: bytes) -> Book:
    return read_book(content, filename="refusals.xlsx", likeness=heading_likeness(SheetKind.HOUSEHOLDS))


def _workbook(database: Database, tenant: Tenant, run_id: object) -> bytes:
    with database.transaction(tenant.scope) as session:
        return render_refusals(list_refusals(session, get_import(session, run_id), now=NOW))  # type: ignore[arg-type]
