"""A pack as a spreadsheet, written by XlsxWriter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from io import BytesIO

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.format import Format  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from matching.pack_content import PLAN, PackContent, PackGroup
from workers.document.text import clean
from workers.document.view import BANDS, day

Cell = str | int | date | None
Column = tuple[str, int]
"""A heading and the column's width in characters."""

_MARKING = "OFFICIAL-SENSITIVE: PERSONAL"
_ADVICE = "A ranked list is advice; a person decides. What is not known is a question to ask, never a yes or a no."

# Excel holds 32,767 UTF-16 units in a cell; a longer text goes on in a row of its own beneath, so that none is lost.
_CELL_UNITS = 32_767

# Excel counts its days from 1900; an older date (a slip in a sheet) is written in words.
_FIRST_YEAR = 1900

_WAITING: tuple[Column, ...] = (("Group", 14), ("Children", 10), ("Waiting since", 15), ("Days waiting", 13))
_GROUPS: tuple[Column, ...] = (
    ("Group", 14),
    ("Yours", 8),
    ("New", 8),
    ("Agency", 26),
    ("Who they are", 36),
    ("Days waiting", 13),
    ("Legal position", 24),
    ("Profile", 70),
    *((label, 26) for label in PLAN),
    ("Needs: high", 34),
    ("Needs: medium", 34),
    ("Needs: low", 34),
    ("Needs: not known, ask", 34),
    ("Needs: none", 34),
    ("Needs: other levels", 24),
    ("Families listed", 10),
    ("Families not ruled out", 12),
)
_FAMILIES: tuple[Column, ...] = (
    ("Group", 14),
    ("Group is yours", 14),
    ("Position", 10),
    ("Fit", 14),
    ("Household", 14),
    ("Agency", 26),
    ("Points", 9),
    ("Why", 50),
    ("What to ask", 50),
    ("What counts against", 50),
)
_HOUSEHOLDS: tuple[Column, ...] = (
    ("Household", 14),
    ("Yours", 8),
    ("New", 8),
    ("Agency", 26),
    ("Approved on", 14),
    ("About them", 60),
    ("Groups they fit best", 40),
    ("Groups in all", 10),
)
_OPTIONAL = frozenset({"New", "Needs: none", "Needs: other levels", *PLAN})
_LEVELS = ("high", "medium", "low", "unknown", "none")


def render_xlsx(content: PackContent) -> bytes:
    """Return the pack as an XLSX file of five sheets; the same content gives the same bytes.

    Every text is written as a constant string, so that none becomes a formula or a link.
    """
    made = BytesIO()
    with Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        workbook.set_properties(_properties(content))
        book = _Book(workbook, content)
        book.agenda(content)
        book.table("Longest waiting", _WAITING, _waiting_rows(content), "No groups are waiting.")
        book.table("Groups", _GROUPS, _group_rows(content), "No groups are in this pack.")
        book.table("Families", _FAMILIES, _family_rows(content), "No family is on a list as things stand.")
        book.table("Households", _HOUSEHOLDS, _household_rows(content), "No households are waiting.")
    return made.getvalue()


class _Book:
    """The workbook with its formats, and where it is written."""

    def __init__(self, workbook: Workbook, content: PackContent) -> None:
        self.workbook = workbook
        self.footer = f"Version {content.version}, {day(content.as_of)}"
        self.title = self._format(bold=True, font_size=16, font_color="#12436D")
        self.quiet = self._format(font_color="#4A5560")
        self.strong = self._format(bold=True)
        self.heading = self._format(bold=True, bg_color="#12436D", font_color="#FFFFFF", text_wrap=True)
        self.text = self._format(text_wrap=True)
        self.number = self._format(num_format="#,##0", align="right")
        self.date = self._format(num_format="dd/mm/yyyy", align="right")

    def _format(self, **properties: object) -> Format:
        return self.workbook.add_format({"valign": "top", "font_name": "Arial", "font_size": 10, **properties})

    def sheet(self, name: str) -> Worksheet:
        """Add a sheet that prints on A4 across, as wide as the paper, with the marking on each page."""
        sheet = self.workbook.add_worksheet(name)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
        sheet.set_header(f"&C&B{_MARKING}")
        sheet.set_footer(f"&L{self.footer}&C&A&RPage &P of &N")
        return sheet

    def agenda(self, content: PackContent) -> None:
        """Write what the pack is, the agenda and the new groups, one under the other."""
        sheet = self.sheet("Agenda")
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, _pieces(content.title)[0], self.title)
        sheet.write_string(1, 0, _MARKING, self.strong)
        row = 3
        for label, value in _front_rows(content):
            for piece in _pieces(value):
                sheet.write_string(row, 0, label, self.quiet)
                sheet.write_string(row, 1, piece, self.text)
                row += 1

    def table(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], empty: str) -> None:
        """Write a sheet of one table: headings that stay in view and repeat in print, filters, one row each.

        A column of ``_OPTIONAL`` that says nothing in any row is left out.
        """
        sheet = self.sheet(name)
        columns, rows = _told(columns, list(rows))
        for number, (heading, width) in enumerate(columns):
            sheet.set_column(number, number, width)
            sheet.write_string(0, number, heading, self.heading)
        last = 0
        for values in rows:
            for part in _parts(values):
                last += 1
                self._row(sheet, last, part)
        if last == 0:
            sheet.write_string(1, 0, empty, self.quiet)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)

    def _row(self, sheet: Worksheet, row: int, values: Sequence[Cell]) -> None:
        for column, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(row, column, value, self.text)
            elif isinstance(value, int):
                sheet.write_number(row, column, value, self.number)
            elif value is not None and value.year < _FIRST_YEAR:
                sheet.write_string(row, column, day(value), self.text)
            elif value is not None:
                sheet.write_datetime(row, column, datetime.combine(value, time()), self.date)


def _told(columns: Sequence[Column], rows: list[Sequence[Cell]]) -> tuple[Sequence[Column], list[Sequence[Cell]]]:
    kept = [at for at, (heading, _) in enumerate(columns) if heading not in _OPTIONAL or any(row[at] for row in rows)]
    return [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _properties(content: PackContent) -> dict[str, object]:
    return {
        "title": clean(content.title),
        "subject": f"Prepared for {clean(content.agency)}, version {content.version}",
        "author": clean(content.consortium),
        "category": _MARKING,
        # The moment of making would give each run its own bytes.
        "created": datetime.combine(content.as_of, time(), tzinfo=UTC),
    }


def _front_rows(content: PackContent) -> Iterable[tuple[str, str]]:
    yield "Consortium", content.consortium
    yield "Meeting", f"{day(content.meeting_on)}, {content.meeting_place}".rstrip(", ")
    yield "Prepared for", content.agency
    yield "Version", f"{content.version}, facts as they stood on {day(content.as_of)}"
    yield "Ranking policy", content.policy
    yield "Please note", _ADVICE
    for number, item in enumerate(content.agenda, start=1):
        yield f"Agenda {number}", item
    if not content.agenda:
        yield "Agenda", "No agenda has been set for this meeting."
    for code in content.new_groups:
        yield "New group", code
    if content.first:
        yield "New groups", "This is the first meeting that Concord has packs for: every group is new."
    elif not content.new_groups:
        yield "New groups", "No groups are new since the last meeting."


def _waiting_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for row in content.longest_waiting:
        yield row.code, row.children, row.waiting_since or "Not known", _known(row.days)


def _group_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    new = set(content.new_groups)
    for group in content.groups:
        yield (
            group.code,
            _yes(group.own),
            "" if content.first else _yes(group.code in new),
            group.agency,
            group.summary,
            _known(group.waiting_days),
            group.legal or "Not known",
            group.profile,
            *_plan_cells(group),
            *("; ".join(title for title, found in group.needs if found == level) for level in _LEVELS),
            "; ".join(f"{title}: {level}" for title, level in group.needs if level not in _LEVELS),
            len(group.families),
            group.families_in_all,
        )


def _family_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for group in content.groups:
        for family in group.families:
            yield (
                group.code,
                _yes(group.own),
                family.position,
                BANDS.get(family.band, family.band),
                family.code,
                family.agency,
                family.points,
                "\n".join(family.why),
                "\n".join(family.ask),
                "\n".join(family.against),
            )


def _household_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for household in content.households:
        yield (
            household.code,
            _yes(household.own),
            "" if content.first else _yes(household.new),
            household.agency,
            household.approved_on or "Not known",
            household.summary,
            ", ".join(household.fits),
            household.fits_in_all,
        )


def _plan_cells(group: PackGroup) -> Iterable[str]:
    recorded = dict(group.plan)
    return (recorded.get(label, "") for label in PLAN)


def _yes(value: bool) -> str:
    return "Yes" if value else "No"


def _known(value: int | None) -> Cell:
    return "Not known" if value is None else value


def _parts(values: Sequence[Cell]) -> Iterable[Sequence[Cell]]:
    """Give the row, then a row for what did not fit its cells, with the first column repeated to say whose it is."""
    cut = [_pieces(value) if isinstance(value, str) else [value] for value in values]
    yield [pieces[0] for pieces in cut]
    for number in range(1, max(map(len, cut))):
        yield [cut[0][0], *(pieces[number] if number < len(pieces) else None for pieces in cut[1:])]


def _pieces(text: str) -> list[str]:
    """Cut the cleaned text into pieces that a cell can hold, counted as Excel counts: in UTF-16 units."""
    left = clean(text)
    pieces = []
    # A character is at most two units, so half the limit always fits, and no surrogate pair is ever cut.
    size = _CELL_UNITS if left.isascii() else _CELL_UNITS // 2
    while len(left) > size:
        pieces.append(left[:size])
        left = left[size:]
    return [*pieces, left]
