"""A council's SSDA903 return: its files chosen at once, checked, imported, and every child of it told."""

from __future__ import annotations

from pathlib import Path

from concord.demo.consortium import AGENCIES
from concord.demo.ssda903 import write_return
from tenants.base import utc_now
from tests.browser import Visit
from tests.journeys.council import Council, open_imports


class TestReturn:
    def test_is_checked_imported_and_told_child_by_child(self, visit: Visit, council: Council, tmp_path: Path) -> None:
        folder = tmp_path / "return"
        written = write_return(folder, agency=AGENCIES[1], seed=3, as_of=utc_now().date(), children=60)
        tab = open_imports(visit, council)

        tab.get_by_role("radio", name="SSDA903 return").check()
        tab.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
        tab.get_by_role("button", name="Continue").click()
        tab.get_by_role("heading", level=1, name="Check of return.zip").wait_for()
        council.work_off()
        tab.reload()
        checked = visit.look("return-checked", "Check of return.zip")

        assert council.groups() == 0
        assert f"{written.refused} refused" in checked.text
        assert f"{written.not_for_adoption} not for adoption" in checked.text

        tab.get_by_role("link", name=f"{written.not_for_adoption} not for adoption").click()
        tab.get_by_text("A return holds every child looked after.").wait_for()
        visit.look("return-not-for-adoption", "Check of return.zip")

        tab.get_by_role("button", name="Import for real").click()
        tab.get_by_role("heading", level=1, name="Import of return.zip").wait_for()
        council.work_off()
        tab.reload()
        imported = visit.look("return-imported", "Import of return.zip")

        assert "The file has been imported, but not its refused rows." in imported.text
        assert council.groups() == written.taken
        tab.get_by_role("link", name=f"{written.taken} added").click()
        tab.get_by_role("table", name="Rows that are added").wait_for()
        visit.look("return-added", "Import of return.zip")
        tab.get_by_role("table", name="Rows that are added").get_by_role("link").first.click()
        tab.get_by_role("heading", level=1).wait_for()
        visit.check_quiet(council.url)

    def test_says_what_a_return_lacks(self, visit: Visit, council: Council, tmp_path: Path) -> None:
        write_return(tmp_path, agency=AGENCIES[1], seed=3, as_of=utc_now().date(), children=3)
        tab = open_imports(visit, council)

        tab.get_by_role("radio", name="SSDA903 return").check()
        tab.locator("input[type=file]").set_input_files(tmp_path / "header.csv")
        tab.get_by_role("button", name="Continue").click()
        tab.get_by_role("heading", level=1, name="Check of header.csv").wait_for()
        council.work_off()
        tab.reload()

        refused = visit.look("return-refused", "Check of header.csv")
        assert "The return lacks the table Episodes" in refused.text
        assert council.groups() == 0
