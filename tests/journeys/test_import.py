"""The spreadsheet a council has: its columns named, its refusals mended, the whole of it taken back."""

from __future__ import annotations

from pathlib import Path

import python_calamine
from playwright.sync_api import Page as Tab

from tests.browser import Visit
from tests.journeys.council import Council, open_imports
from tests.matching.intake.writing import Line, xlsx_file

SHEET: list[Line] = [
    ["Anytown Council – approved adopters", None, None, None, None, None],
    [None, None, None, None, None, None],
    ["Our ref", "Adopters", "Date approved", "Approved for (ages)", "No. of children", "Zqx"],
    ["A-1", "Alder & Elm Example", "7 March 2025", "0-3 yrs", "1 or 2", "blue"],
    ["A-2", "Mockford Sampleson", "32/01/2025", "under 5", "1", "green"],
    ["A-3", "Testine Specimen", "01.02.2025", "6 – 48 months", "sib group of 2", None],
    ["Total", None, None, None, "3", None],
]


class TestImport:
    def test_columns_are_said_refusals_mended_and_all_of_it_taken_back(
        self, visit: Visit, council: Council, tmp_path: Path
    ) -> None:
        (tmp_path / "adopters.xlsx").write_bytes(xlsx_file(SHEET))
        tab = hand_in(visit, council, tmp_path / "adopters.xlsx")

        asked = visit.look("import-asks", "Check of adopters.xlsx")
        assert "it is not clear what column F holds" in asked.text
        tab.get_by_role("button", name="Say what the columns hold").click()
        columns = visit.look("import-columns", "What do the columns hold?")
        assert "1 column is not certain" in columns.text
        tab.get_by_label("Zqx (column F) is taken for").select_option("Reference")
        tab.get_by_role("button", name="Check the rows").click()
        tab.get_by_role("alert").wait_for()
        wrong = visit.look("import-columns-wrong", "What do the columns hold?")
        assert "“Reference” was chosen for 2 columns" in wrong.text
        tab.get_by_label("Zqx (column F) is taken for").select_option("")
        tab.get_by_role("button", name="Check the rows").click()
        tab.get_by_role("heading", level=1, name="Check of adopters.xlsx").wait_for()
        read_on(tab, council)

        checked = visit.look("import-checked", "Check of adopters.xlsx")
        assert "1 refused" in checked.text
        assert "2 would be added" in checked.text
        assert council.households() == 0
        with tab.expect_download() as download:
            tab.get_by_role("link", name="Download the refused rows as a workbook").click()
        to_mend = tmp_path / "to-mend.xlsx"
        download.value.save_as(to_mend)
        tab.get_by_role("button", name="Import for real").click()
        tab.get_by_role("heading", level=1, name="Import of adopters.xlsx").wait_for()
        read_on(tab, council)
        visit.look("import-taken", "Import of adopters.xlsx")
        assert council.households() == 2

        to_mend.write_bytes(mended(to_mend))
        hand_in(visit, council, to_mend)
        visit.look("import-mended", "Check of to-mend.xlsx")
        tab.get_by_role("button", name="Import for real").click()
        tab.get_by_role("heading", level=1, name="Import of to-mend.xlsx").wait_for()
        read_on(tab, council)
        assert council.households() == 3

        tab.get_by_role("link", name="Take the whole import back").click()
        visit.look("import-undo", "Take the whole import back")
        tab.get_by_role("button", name="Take the whole import back").click()
        tab.get_by_role("heading", level=1, name="Import of to-mend.xlsx").wait_for()
        read_on(tab, council)
        undone = visit.look("import-undone", "Import of to-mend.xlsx")
        assert "Every record is as it was before it." in undone.text
        assert council.households() == 2
        tab.get_by_role("link", name="Import a file").click()
        listed = visit.look("imports", "Import a file")
        assert "Taken back: 0 refused, 0 changed, 1 added, 0 unchanged" in listed.text
        visit.check_quiet(council.url)

    def test_is_stopped_before_it_begins(self, visit: Visit, council: Council, tmp_path: Path) -> None:
        (tmp_path / "adopters.xlsx").write_bytes(xlsx_file(SHEET))
        tab = open_imports(visit, council)
        choose(tab, tmp_path / "adopters.xlsx")
        visit.look("import-waits", "Check of adopters.xlsx")

        tab.get_by_role("button", name="Stop this check").click()
        tab.get_by_text("It was stopped.").wait_for()

        visit.look("import-stopped", "Check of adopters.xlsx")
        council.work_off()
        assert council.households() == 0


def hand_in(visit: Visit, council: Council, file: Path) -> Tab:
    """Hand in a file to be checked, and wait at its page until it is."""
    tab = open_imports(visit, council)
    choose(tab, file)
    read_on(tab, council)
    return tab


def choose(tab: Tab, file: Path) -> None:
    """Choose a file of households at the page of imports, and hand it in."""
    tab.get_by_role("radio", name="Adopter households").check()
    tab.locator("input[type=file]").set_input_files(file)
    tab.get_by_role("button", name="Continue").click()
    tab.get_by_role("heading", level=1, name=f"Check of {file.name}").wait_for()


def read_on(tab: Tab, council: Council) -> None:
    """Do the jobs that wait, and load the page again."""
    council.work_off()
    tab.reload()


def mended(path: Path) -> bytes:
    """Return the workbook of refusals with its date as it should be."""
    rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    return xlsx_file([["31/01/2025" if cell == "32/01/2025" else cell for cell in row] for row in rows])  # type: ignore[misc]
