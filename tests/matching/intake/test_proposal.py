"""What a file's columns are proposed for, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.intake.alike import LEAST
from matching.intake.column import SHEETS, Column, SheetKind, columns_of
from matching.intake.key import REFERENCES
from matching.intake.mapping import TO_MEND, How, doubts_of, shape_of
from matching.intake.proposal import Remembered, memory_of, propose
from matching.intake.sheet import Book, CellValue, Sheet, SheetRow
from tests.matching.intake.headings import (
    DOCUMENTED,
    NAMED,
    book_of,
    cell_for,
    column_at,
    kinds,
    odd_words,
    proposed,
    taken_for,
    ways,
)

_some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_HOUSEHOLDS, _CHILDREN = SheetKind.HOUSEHOLDS, SheetKind.CHILDREN


class TestProposeOfDocumentedSheets:
    @given(kinds, st.data())
    @_some
    def test_is_sure_in_any_order_case_spacing_and_with_notes(self, kind: SheetKind, data: st.DataObject) -> None:
        columns = data.draw(st.permutations(columns_of(kind)))
        written = [(data.draw(ways(column.heading)), cell_for(column)) for column in columns]

        mapping = propose(book_of(written), kind, {})

        assert [each.column for each in mapping.sheets[0].columns] == [column.heading for column in columns]
        assert {each.how for each in mapping.sheets[0].columns} == {How.SAME}
        assert mapping.sheets[0].read
        assert doubts_of(mapping) == ()

    @pytest.mark.parametrize("kind", SHEETS)
    def test_takes_a_documented_heading_at_its_word_whatever_stands_below(self, kind: SheetKind) -> None:
        mapping = propose(book_of({column.heading: "zq, 7 §" for column in columns_of(kind)}), kind, {})
        assert doubts_of(mapping) == ()

    @pytest.mark.parametrize("kind", SHEETS)
    def test_is_sure_of_documented_columns_that_are_empty(self, kind: SheetKind) -> None:
        sheet = proposed(kind, {column.heading: None for column in columns_of(kind)})
        assert sheet.headings() == tuple(column.heading for column in columns_of(kind))

    def test_takes_the_heading_without_a_note_where_both_are_there(self) -> None:
        sheet = proposed(_HOUSEHOLDS, [("Profile (old)", "a"), ("Reference", "A"), ("Profile", "b")])
        assert [each.column for each in sheet.columns] == [None, "Reference", "Profile"]


class TestProposeOfOtherNames:
    @pytest.mark.parametrize(("kind", "column"), DOCUMENTED, ids=lambda each: str(getattr(each, "heading", each)))
    def test_takes_each_name_of_a_column_for_it_and_is_sure(self, kind: SheetKind, column: Column) -> None:
        for name in (column.heading, *column.other_names):
            sheet = proposed(kind, {name: cell_for(column)})
            [said] = sheet.columns
            assert (said.column, said.sure) == (column.heading, True), name
            assert said.how is (How.SAME if name == column.heading else How.OTHER_NAME)

    @given(kinds, st.data())
    @_some
    def test_takes_any_names_for_their_own_columns_in_any_order(self, kind: SheetKind, data: st.DataObject) -> None:
        columns = data.draw(st.lists(st.sampled_from(columns_of(kind)), min_size=1, max_size=12, unique=True))
        named = {data.draw(st.sampled_from((column.heading, *column.other_names))): column for column in columns}

        sheet = proposed(kind, {name: cell_for(column) for name, column in named.items()})

        assert taken_for(sheet) == {name: column.heading for name, column in named.items()}
        assert all(each.sure for each in sheet.columns)

    @pytest.mark.parametrize("name", ["Postcode", "Home postcode"])
    def test_is_not_sure_of_another_name_over_cells_that_do_not_fit(self, name: str) -> None:
        cells = ["Somebody", "Nobody", "EX4 4QJ"]
        rows = tuple(SheetRow(number, (f"A-{number}", cell)) for number, cell in enumerate(cells, start=2))
        book = Book("a.csv", (Sheet("a.csv", ("Reference", name), rows),))
        said = propose(book, _HOUSEHOLDS, {}).sheets[0].columns[1]
        assert said.sure is (name == "Postcode")

    def test_takes_the_better_of_two_columns_and_asks_about_the_other(self) -> None:
        sheet = proposed(_HOUSEHOLDS, [("Our ref", "A-1"), ("Status", "waiting"), ("Reference", "A-2")])
        assert taken_for(sheet) == {"Our ref": None, "Status": "Status", "Reference": "Reference"}
        assert [each.sure for each in sheet.columns] == [False, True, True]

    def test_takes_the_first_of_two_columns_as_good(self) -> None:
        sheet = proposed(_HOUSEHOLDS, [("Our ref", "A-1"), ("Case no", "A-2")])
        assert [each.column for each in sheet.columns] == ["Reference", None]

    def test_is_not_sure_of_a_heading_that_is_only_alike(self) -> None:
        sheet = proposed(_HOUSEHOLDS, {"Reference": "A", "Statuss": "waiting"})
        said = column_at(sheet, 1)
        assert (said.column, said.how, said.sure) == ("Status", How.ALIKE, False)

    @pytest.mark.parametrize(
        ("heading", "meant"),
        [
            ("Approved On:", "Approved on"),
            ("Smoker", "Smokers"),
            ("Need: Neglected", "Need: Neglect"),
            ("Sex aproved", "Sex approved"),
            ("E-mail", "Email"),
            ("Yougest age", "Youngest age"),
        ],
    )
    def test_takes_a_heading_written_with_a_slip_for_the_one_that_was_meant(self, heading: str, meant: str) -> None:
        columns = {column.heading: cell_for(column) for column in columns_of(_HOUSEHOLDS)}
        sheet = proposed(_HOUSEHOLDS, {"Reference": "A", "Status": "waiting", heading: columns[meant]})
        assert taken_for(sheet)[heading] == meant

    def test_takes_nothing_for_an_empty_column_that_is_only_alike(self) -> None:
        said = column_at(proposed(_HOUSEHOLDS, {"Reference": "A", "Statuss": None}), 1)
        assert (said.column, said.how, said.sure) == (None, How.NONE, True)


class TestProposeOfOtherColumns:
    @given(kinds, st.lists(odd_words, min_size=1, max_size=5, unique=True), st.booleans(), st.data())
    @_some
    def test_take_no_documented_column_away_and_are_asked_about_when_filled(
        self, kind: SheetKind, odd: list[str], filled: bool, data: st.DataObject
    ) -> None:
        columns = [(column.heading, cell_for(column)) for column in columns_of(kind)]
        cells: st.SearchStrategy[CellValue] = st.sampled_from(("yes", "EX4 4QJ", "01/02/2020", 3, "waiting"))
        others = [(word, data.draw(cells) if filled else None) for word in odd]

        mapping = propose(book_of(data.draw(st.permutations([*columns, *others]))), kind, {})

        said = taken_for(mapping.sheets[0])
        assert {name: said[name] for name, _ in columns} == {name: name for name, _ in columns}
        assert [said[name] for name in odd] == [None] * len(odd)
        assert bool(doubts_of(mapping)) is filled

    @given(st.sampled_from(NAMED), st.booleans())
    @_some
    def test_another_name_takes_nothing_from_the_documented_heading(
        self, named: tuple[SheetKind, Column, str], first: bool
    ) -> None:
        kind, column, name = named
        pairs = [(each.heading, cell_for(each)) for each in columns_of(kind)]
        pairs.insert(0 if first else len(pairs), (name, cell_for(column)))
        mapping = propose(book_of(pairs), kind, {})
        assert taken_for(mapping.sheets[0]) == {**{heading: heading for heading, _ in pairs}, name: None}
        assert doubts_of(mapping)

    @given(kinds, st.data())
    @_some
    def test_take_each_documented_column_once_and_the_same_way_in_any_order(
        self, kind: SheetKind, data: st.DataObject
    ) -> None:
        columns = data.draw(st.lists(st.sampled_from(columns_of(kind)), min_size=1, max_size=9, unique=True))
        names = [data.draw(st.sampled_from((each.heading, *each.other_names))) for each in columns]
        odd = data.draw(st.lists(odd_words, max_size=3, unique=True))
        pairs = [(name, data.draw(st.sampled_from(("yes", "A", None)))) for name in [*names, *odd]]

        first = proposed(kind, pairs)
        turned = proposed(kind, data.draw(st.permutations(pairs)))

        assert first == proposed(kind, pairs)
        assert len(first.headings()) == len(set(first.headings()))
        assert taken_for(first) == taken_for(turned)

    @given(kinds, st.lists(st.text("adeinorst ", min_size=1, max_size=20), min_size=1, max_size=12), st.data())
    @_some
    def test_take_each_documented_column_once_whatever_the_headings(
        self, kind: SheetKind, headings: list[str], data: st.DataObject
    ) -> None:
        names = st.sampled_from([name for each in columns_of(kind) for name in (each.heading, *each.other_names)])
        pairs = [(text, "A") for text in [*headings, *data.draw(st.lists(names, max_size=12))]]

        sheet = proposed(kind, pairs)

        assert sheet == proposed(kind, pairs)
        assert len(sheet.headings()) == len(set(sheet.headings()))
        assert all(each.column is None or each.confidence >= LEAST for each in sheet.columns)

    def test_a_column_without_a_heading_is_asked_about_when_it_holds_something(self) -> None:
        sheet = proposed(_HOUSEHOLDS, [("Reference", "A"), ("", "waiting"), ("", None)])
        assert [each.sure for each in sheet.columns] == [True, False, True]

    def test_the_column_of_refusals_is_passed_over_without_a_word(self) -> None:
        mapping = propose(
            book_of({"Reference": "A", "Status": "waiting", TO_MEND.upper(): "all of it"}), _HOUSEHOLDS, {}
        )
        said = mapping.sheets[0].columns[2]
        assert (said.column, said.sure) == (None, True)
        assert doubts_of(mapping) == ()

    def test_shows_three_different_examples_cut_short(self) -> None:
        cells: list[CellValue] = ["a", "a", "b" * 41, "c" * 40, "d", None]
        rows = tuple(SheetRow(number, (cell,)) for number, cell in enumerate(cells, start=2))
        sheet = propose(Book("a.csv", (Sheet("a.csv", ("Profile",), rows),)), _HOUSEHOLDS, {}).sheets[0]
        assert sheet.columns[0].examples == ("a", "b" * 39 + "…", "c" * 40)
        assert (sheet.columns[0].filled, sheet.rows) == (5, 6)


class TestProposeOfSeveralSheets:
    def test_reads_what_fits_asks_about_what_may_and_passes_over_the_rest(self) -> None:
        fits = {"Reference": "A", "Status": "waiting"}
        may = {"Reference": "A", "Xqab": "a", "Xqcd": "b"}
        other = {"Xqab": "a", "Xqcd": "b"}
        book = Book("a", tuple(_sheet(each, title) for each, title in ((fits, "F"), (may, "M"), (other, "O"))))

        sheets = propose(book, _HOUSEHOLDS, {}).sheets

        assert [(each.read, each.doubtful) for each in sheets] == [(True, False), (False, True), (False, False)]

    @pytest.mark.parametrize(("odd", "read", "doubtful"), [(1, True, False), (2, False, True), (3, False, False)])
    def test_weighs_how_many_of_the_filled_columns_are_known(self, odd: int, read: bool, doubtful: bool) -> None:
        columns: dict[str, CellValue] = {"Reference": "A", **{f"Xqbb{'bdf'[each]}": "a" for each in range(odd)}}
        book = Book("a", (_sheet(columns, "One"), _sheet({"Reference": "A"}, "Two")))
        first = propose(book, _HOUSEHOLDS, {}).sheets[0]
        assert (first.read, first.doubtful) == (read, doubtful)

    def test_does_not_read_a_sheet_whose_rows_cannot_be_known(self) -> None:
        book = Book("a", (_sheet({"Status": "waiting", "Pets": "yes"}, "One"), _sheet({"Reference": "A"}, "Two")))
        assert [each.read for each in propose(book, _HOUSEHOLDS, {}).sheets] == [False, True]

    def test_reads_the_only_sheet_when_anything_of_it_is_known(self) -> None:
        assert proposed(_HOUSEHOLDS, {"Status": "waiting", "Xqab": "a", "Xqcd": "a", "Xqef": "a"}).read
        assert not proposed(_HOUSEHOLDS, {"Xqab": "a"}).read

    def test_knows_rows_by_names_only_where_no_column_holds_references(self) -> None:
        named = {"Adopter 1 name": "Alder Example", "Postcode": "EX4 4QJ", "Status": "waiting"}
        assert proposed(_HOUSEHOLDS, named).keys == ("Adopter 1 name", "Postcode")
        assert proposed(_HOUSEHOLDS, {**named, "Reference": "A"}).keys == ()
        assert proposed(_HOUSEHOLDS, {"Status": "waiting", "Postcode": "EX4 4QJ"}).keys == ()
        assert proposed(_CHILDREN, {"Child name": "Elm Sample", "Born": "01/02/2020"}).keys == ("Child name", "Born")


class TestProposeFromMemory:
    @given(kinds, st.data())
    @_some
    def test_a_sheet_comes_back_as_it_was_settled(self, kind: SheetKind, data: st.DataObject) -> None:
        headings = data.draw(st.lists(odd_words, min_size=2, max_size=6, unique=True))
        book = book_of([(heading, "a") for heading in headings])
        first = propose(book, kind, {}).sheets[0]
        said = (REFERENCES[kind], *(None for _ in headings[1:]))
        columns = tuple(replace(each, column=column) for each, column in zip(first.columns, said, strict=True))
        settled = replace(first, columns=columns, read=True, confirmed=True)

        mapping = propose(book, kind, {first.shape: memory_of(settled)})

        again = mapping.sheets[0]
        assert tuple(each.column for each in again.columns) == said
        assert {(each.how, each.confidence) for each in again.columns} == {(How.REMEMBERED, 100)}
        assert (again.read, again.confirmed, again.keys) == (True, True, ())

    def test_says_nothing_of_other_shapes(self) -> None:
        memory = {shape_of(["Xqab", "Xqcd"]): Remembered(("Reference", None), read=True)}
        sheet = propose(book_of({"Xqcd": "A", "Xqab": "a"}), _HOUSEHOLDS, memory).sheets[0]
        assert (sheet.confirmed, sheet.headings()) == (False, ())

    def test_passes_a_sheet_over_that_was_passed_over(self) -> None:
        memory = {shape_of(["Reference"]): Remembered(("Reference",), read=False)}
        assert not propose(book_of({"Reference": "A"}), _HOUSEHOLDS, memory).sheets[0].read

    def test_is_asked_again_once_a_column_left_out_empty_is_filled(self) -> None:
        empty = book_of({"Reference": "A", "Status": "waiting", "Xqab": None})
        memory = {shape_of(empty.sheets[0].headings): memory_of(propose(empty, _HOUSEHOLDS, {}).sheets[0])}

        again = propose(empty, _HOUSEHOLDS, memory)
        filled = propose(book_of({"Reference": "A", "Status": "waiting", "Xqab": "a"}), _HOUSEHOLDS, memory)

        assert again.sheets[0].confirmed
        assert doubts_of(again) == ()
        assert not filled.sheets[0].confirmed
        assert doubts_of(filled) == ("The sheet: it is not clear what column C holds.",)

    def test_is_asked_about_a_column_without_a_heading_that_came_after(self) -> None:
        memory = {shape_of(["Reference", "Status"]): Remembered(("Reference", "Status"), read=True)}
        pairs: list[tuple[str, CellValue]] = [("Reference", "A"), ("Status", "waiting")]
        assert doubts_of(propose(book_of([*pairs, ("", "a")]), _HOUSEHOLDS, memory))
        assert not doubts_of(propose(book_of([*pairs, ("", None)]), _HOUSEHOLDS, memory))

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_is_not_put_out_by_the_column_of_refusals(self, place: int) -> None:
        pairs: list[tuple[str, CellValue]] = [("Xqab", "A"), ("Xqcd", "waiting")]
        memory = {shape_of(["Xqab", "Xqcd"]): Remembered(("Reference", "Status"), read=True)}
        mended = [*pairs[:place], (TO_MEND, "all of it"), *pairs[place:]]

        mapping = propose(book_of(mended), _HOUSEHOLDS, memory)

        assert taken_for(mapping.sheets[0]) == {"Xqab": "Reference", "Xqcd": "Status", TO_MEND: None}
        assert doubts_of(mapping) == ()
        assert memory_of(mapping.sheets[0]) == memory[mapping.sheets[0].shape]


def _sheet(columns: Mapping[str, CellValue], title: str) -> Sheet:
    return Sheet("a", tuple(columns), (SheetRow(2, tuple(columns.values())),), title=title)
