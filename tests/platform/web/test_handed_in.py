"""A return handed in as one file or several, and its page, for two councils."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.matching.intake.ssda903.returns import Return, episode, header
from tests.platform.web.equal import page_of
from tests.platform.web.test_imports import narrow_to, sheet, work_off
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
_WHOLE = Return(
    [header(), header("C2"), header("C3", SEX="9"), header("C4")],
    [episode(HOME_POST="EG19 7TT"), episode("C4", PLACE="A6")],
)


class TestHandIn:
    def test_takes_the_files_of_a_return_at_once(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        visitor, other = visit_as(us), visit_as(them)

        place = _hand_in(visitor, _WHOLE.files())
        work_off(database, us)

        visitor.get(place)
        seen = page_of(visitor).text
        assert "Check of return.zip" in seen
        assert "Nothing has been saved" in seen
        assert "The children of the return" in seen
        assert all(words in seen for words in ("header.csv", "row 4", "C3", "It is no code of SEX"))
        visitor.get(f"{place}?rows=added")
        assert "with adopters since 18/11/2024" in page_of(visitor).text.lower()
        visitor.get(f"{place}?rows=not_for_adoption")
        assert "The return has no SHOBPA decision and no episode of this child" in page_of(visitor).text
        nowhere = other.get(place)
        assert nowhere.status_code == 404
        assert "header.csv" not in page_of(other).text

    def test_takes_xml_and_imports_it_for_real(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        place = _hand_in(visitor, {"return.xml": _WHOLE.xml()})
        work_off(database, us)
        visitor.get(place)

        saved = visitor.post(f"{place}/real").location
        work_off(database, us)

        visitor.get(saved or "")
        assert "The file has been imported, but not its refused rows." in page_of(visitor).text
        visitor.get(f"{saved}?rows=added")
        assert any(address.startswith("/groups/") for address in page_of(visitor).links().values())
        visitor.get("/imports")
        assert "1 not for adoption" in page_of(visitor).text

    def test_says_when_the_whole_return_is_refused(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        place = _hand_in(visitor, {"header.csv": _WHOLE.files()["header.csv"]})
        work_off(database, us)

        visitor.get(place)

        assert "The whole file was refused" in page_of(visitor).text
        assert "lacks the table Episodes" in page_of(visitor).text

    def test_refuses_several_sheets_that_are_no_return(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        assert _hand_in(visitor, {"a.csv": sheet({}), "b.csv": sheet({})}, kind="households") == "422"

        assert "Hand in one sheet at a time" in page_of(visitor).text

    def test_keeps_files_of_one_name_apart(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        files = [(BytesIO(content), "table.csv") for content in _WHOLE.files().values()]
        visitor.get("/imports")
        place = visitor.post("/imports", {"kind": "ssda903", "mode": "check", "file": files}).location or ""
        work_off(database, us)

        visitor.get(place)

        assert "1/table.csv" in page_of(visitor).text

    def test_is_not_for_an_adopters_worker(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        place = _hand_in(visitor, _WHOLE.files())
        narrow_to(database, us, Role.ADOPTERS_WORKER)

        assert visitor.get(place).status_code == 403
        visitor.get("/imports")
        assert "SSDA903" not in page_of(visitor).html


def _hand_in(visitor: Visitor, files: dict[str, bytes], *, kind: str = "ssda903") -> str:
    visitor.get("/imports")
    uploads: Any = [(BytesIO(content), name) for name, content in files.items()]
    response = visitor.post("/imports", {"kind": kind, "mode": "check", "file": uploads})
    return response.location or str(response.status_code)
