"""Returns as a council would export them, as CSV files and as XML, made of lines that a test can change."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

from matching.intake.row import RowProblem
from matching.intake.ssda903.intake import ReturnedChild, ReturnIntake, read_return
from matching.intake.ssda903.package import pack_return

TODAY = date(2026, 11, 23)
_ELSEWHERE = (
    [Path(os.environ["CONCORD_TEST_DATA"])]
    if "CONCORD_TEST_DATA" in os.environ
    else Path(__file__).parents[5].glob("*/data")
)
DATA = next((folder / "ssda903" for folder in _ELSEWHERE if (folder / "ssda903").is_dir()), None)
"""A large return made elsewhere, no part of this repository: its tests are there where it lies beside it."""

COLUMNS = {
    "header.csv": ["CHILD", "SEX", "DOB", "ETHNIC", "UPN", "MOTHER", "MC_DOB"],
    "episodes.csv": [
        *("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC"),
        *("REASON_PLACE_CHANGE", "HOME_POST", "PL_POST", "URN"),
    ],
    "ad1.csv": ["CHILD", "DOB", "DATE_INT", "DATE_MATCH", "FOSTER_CARE", "NB_ADOPTR", "SEX_ADOPTR", "LS_ADOPTR"],
    "placed.csv": ["CHILD", "DOB", "DATE_PLACED", "DATE_PLACED_CEASED", "REASON_PLACED_CEASED"],
}

Line = dict[str, str]


def header(child: str = "C1", **cells: str) -> Line:
    return {"CHILD": child, "SEX": "2", "DOB": "21/06/2022", "ETHNIC": "WBRI", **cells}


def episode(child: str = "C1", **cells: str) -> Line:
    return {
        "CHILD": child,
        "DECOM": "18/11/2024",
        "RNE": "L",
        "LS": "E1",
        "CIN": "N1",
        "PLACE": "U1",
        "HOME_POST": "EX4 4QJ",
        **cells,
    }


def decision(child: str = "C1", **cells: str) -> Line:
    return {"CHILD": child, "DOB": "21/06/2022", "DATE_PLACED": "02/09/2024", **cells}


def match(child: str = "C1", **cells: str) -> Line:
    return {"CHILD": child, "DOB": "21/06/2022", "DATE_INT": "02/09/2024", "DATE_MATCH": "03/03/2025", **cells}


@dataclass(frozen=True)
class Return:
    """The lines of each table."""

    headers: Iterable[Line] = field(default_factory=lambda: [header()])
    episodes: Iterable[Line] = field(default_factory=lambda: [episode()])
    decisions: Iterable[Line] = field(default_factory=lambda: [decision()])
    matches: Iterable[Line] = ()

    def files(self) -> dict[str, bytes]:
        tables = (self.headers, self.episodes, self.matches, self.decisions)
        return {name: csv_file(name, lines) for name, lines in zip(COLUMNS, tables, strict=True)}

    def packed(self) -> bytes:
        return pack_return(self.files())

    def xml(self) -> bytes:
        """Return the same as XML; a child without a header has no number there, so there must be none."""
        children = "".join(self._element(line["CHILD"], line) for line in self.headers)
        return f"<?xml version='1.0' encoding='utf-8'?>\n<EXPSSDA903>{children}</EXPSSDA903>".encode()

    def _element(self, child: str, line: Line) -> str:
        def own(lines: Iterable[Line]) -> list[Line]:
            return [each for each in lines if each["CHILD"] == child]

        matches = "".join(_texts(each, without=("CHILD", "DOB")) for each in own(self.matches))
        placed = "".join(
            f"<AD_PLACED>{_texts(each, without=('CHILD', 'DOB'))}</AD_PLACED>" for each in own(self.decisions)
        )
        episodes = "".join(f"<EPISODE>{_texts(each, without=('CHILD',))}</EPISODE>" for each in own(self.episodes))
        named = _texts(line, without=("CHILD",))
        head = f"<HEADER><CHILDID>{escape(child)}</CHILDID>{named}<UASC />{matches}{placed}</HEADER>"
        return f"<CHILD>{head}{episodes}</CHILD>"

    def read(self, *, today: date = TODAY) -> ReturnIntake:
        return read_return(self.packed(), filename="return.zip", today=today)

    def only(self, *, today: date = TODAY) -> ReturnedChild:
        """Return the outcome of the one child of the return."""
        [child] = self.read(today=today).children
        return child


def _texts(line: Line, *, without: tuple[str, ...]) -> str:
    names = {"PLACE": "PL"}
    return "".join(
        f"<{names.get(name, name)}>{escape(value)}</{names.get(name, name)}>"
        for name, value in line.items()
        if name not in without
    )


def csv_file(name: str, lines: Iterable[Line], *, encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS[name], restval="")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode(encoding)


def told(child: ReturnedChild) -> list[tuple[str, int, str | None, str | None]]:
    """Return where each remark of a child points, and the value there."""
    return [place(remark) for remark in child.remarks]


def place(remark: RowProblem) -> tuple[str, int, str | None, str | None]:
    return remark.sheet, remark.row, remark.column, remark.value


def reasons(child: ReturnedChild) -> str:
    return "; ".join(remark.reason for remark in child.remarks)
