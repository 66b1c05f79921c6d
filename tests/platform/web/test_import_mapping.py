from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from matching.intake.import_run import get_import, list_imports
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.intake.writing import Line, csv_file, xlsx_file
from tests.platform.web.equal import page_of
from tests.platform.web.test_imports import hand_in, work_off
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
VAGUE: list[Line] = [["Our ref", "Zqx", "Approved"], ["D-1", "<b>Alder</b> Example", "06/01/2025"]]


class TestShow:
    def test_shows_each_column_with_examples_and_what_it_is_taken_for(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, csv_file(VAGUE))
        work_off(database, us)

        visitor.get(path)
        assert page_of(visitor).links()["Say what the columns hold"] == f"{path}/columns"
        visitor.get(f"{path}/columns")

        text = page_of(visitor).text
        assert "Zqx Column B <b>Alder</b> Example Check Not recognised" in text
        assert chosen(visitor) == {"sheet-0-column-0": "Reference", "sheet-0-column-2": "Approved on"}

    def test_is_not_there_before_the_file_is_read(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, csv_file(VAGUE))

        assert visitor.get(f"{path}/columns").status_code == 409


class TestChoose:
    def test_checks_the_file_again_as_chosen_and_remembers(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, csv_file(VAGUE))
        work_off(database, us)
        visitor.get(f"{path}/columns")

        checked = visitor.post(f"{path}/columns", AS_CHOSEN).location or ""
        work_off(database, us)
        visitor.get(checked)

        assert "1 would be added" in page_of(visitor).text
        assert checked != path
        next_time = hand_in(visitor, csv_file([VAGUE[0], ["D-2", "Elm Example", "07/01/2025"]]))
        work_off(database, us)
        with transaction(database, us) as session:
            assert not get_import(session, UUID(next_time.rpartition("/")[2])).needs_mapping
        other = visit_as(them)
        hand_in(other, csv_file(VAGUE))
        work_off(database, them)
        with transaction(database, them) as session:
            assert [run.needs_mapping for run in list_imports(session)] == [True]

    def test_keeps_what_was_chosen_when_it_cannot_be(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, csv_file(VAGUE))
        work_off(database, us)
        visitor.get(f"{path}/columns")

        twice = {**AS_CHOSEN, "sheet-0-column-1": "Reference"}
        response = visitor.post(f"{path}/columns", twice)

        assert response.status_code == 422
        assert page_of(visitor).title.startswith("Error: ")
        assert "“Reference” was chosen for 2 columns; choose it for one." in page_of(visitor).text
        assert chosen(visitor)["sheet-0-column-1"] == "Reference"

    def test_knows_rows_by_other_columns_where_there_is_no_reference(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, csv_file(VAGUE))
        work_off(database, us)
        visitor.get(f"{path}/columns")

        none = {"sheet-0-read": "yes", "sheet-0-column-1": "Adopter 1 name"}
        assert visitor.post(f"{path}/columns", none).status_code == 422
        checked = visitor.post(f"{path}/columns", {**none, "sheet-0-keys": "Adopter 1 name"}).location or ""
        work_off(database, us)
        visitor.get(checked)

        assert "KEY-" in page_of(visitor).text
        assert "1 would be added" in page_of(visitor).text

    def test_reads_the_sheets_that_were_ticked(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        book = xlsx_file(VAGUE, title="Now", others={"Archive": [VAGUE[0], ["D-9", "Oak Example", "07/01/2019"]]})
        path = hand_in(visitor, book, filename="book.xlsx")
        work_off(database, us)
        visitor.get(f"{path}/columns")
        assert "Read this sheet (1 row)" in page_of(visitor).text

        checked = visitor.post(f"{path}/columns", AS_CHOSEN).location or ""
        work_off(database, us)
        visitor.get(checked)

        assert "1 would be added" in page_of(visitor).text
        assert "Sheet “Archive” was not read: 1 row." in page_of(visitor).text


AS_CHOSEN = {
    "sheet-0-read": "yes",
    "sheet-0-column-0": "Reference",
    "sheet-0-column-1": "Adopter 1 name",
    "sheet-0-column-2": "Approved on",
}


def chosen(visitor: Visitor) -> dict[str, str]:
    """Return what each column's list has selected; those that are left out are not named."""
    return {
        select.get("name") or "": option.text or ""
        for select in page_of(visitor).all("select")
        for option in select.iter("option")
        if option.get("selected") is not None
    }
