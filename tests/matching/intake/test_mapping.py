"""What is said of a file's columns: asked about, noted, settled by a person, kept."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.intake.column import SHEETS, SheetKind, columns_of
from matching.intake.mapping import (
    SURE,
    TO_MEND,
    BookMapping,
    How,
    MappedColumn,
    MappingWrong,
    SheetChoice,
    SheetMapping,
    correct,
    doubts_of,
    is_to_mend,
    notes_of,
    plain_heading,
    read_back,
    shape_of,
    written,
)
from matching.intake.proposal import propose
from matching.intake.sheet import Book
from tests.matching.intake.headings import book_of, kinds, odd_words

_some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_HOUSEHOLDS, _CHILDREN = SheetKind.HOUSEHOLDS, SheetKind.CHILDREN

_texts = st.text(max_size=12)
_columns = st.builds(
    MappedColumn,
    index=st.integers(0, 199),
    letter=st.text(string.ascii_uppercase, min_size=1, max_size=2),
    heading=_texts,
    column=st.none() | _texts,
    confidence=st.integers(0, 100),
    how=st.sampled_from(How),
    examples=st.lists(_texts, max_size=3).map(tuple),
    filled=st.integers(0, 50_000),
)
_sheets = st.builds(
    SheetMapping,
    title=_texts,
    shape=_texts,
    rows=st.integers(0, 50_000),
    read=st.booleans(),
    columns=st.lists(_columns, max_size=3).map(tuple),
    keys=st.lists(_texts, max_size=2).map(tuple),
    confirmed=st.booleans(),
    doubtful=st.booleans(),
)
_mappings = st.builds(BookMapping, kind=kinds, sheets=st.lists(_sheets, max_size=3).map(tuple))


class TestMappedColumn:
    @pytest.mark.parametrize(
        ("confidence", "filled", "sure"), [(SURE, 1, True), (SURE - 1, 1, False), (SURE - 1, 0, True), (0, 1, False)]
    )
    def test_is_sure_from_a_confidence_or_when_empty(self, confidence: int, filled: int, sure: bool) -> None:
        assert _column(0, None, confidence=confidence, filled=filled).sure is sure


class TestShapeOf:
    @given(st.lists(odd_words, min_size=1, max_size=5), st.data())
    def test_is_the_same_whatever_the_case_spaces_and_punctuation(self, words: list[str], data: st.DataObject) -> None:
        def rewritten(word: str) -> str:
            before, after = (data.draw(st.text(" .:_-\n", max_size=3)) for _ in range(2))
            return before + data.draw(st.sampled_from((word, word.upper(), word.title()))) + after

        assert shape_of([rewritten(word) for word in words]) == shape_of(words)

    @given(st.lists(odd_words, min_size=2, max_size=5, unique=True), st.data())
    def test_is_another_in_another_order_and_with_a_column_more_or_less(
        self, words: list[str], data: st.DataObject
    ) -> None:
        turned = data.draw(st.permutations(words))
        assert (shape_of(turned) == shape_of(words)) is (turned == words)
        assert shape_of(words[1:]) != shape_of(words)
        assert shape_of([*words, "Pets"]) != shape_of(words)

    @given(st.lists(odd_words, min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 3))
    def test_leaves_out_the_column_of_refusals_and_blank_ends(self, words: list[str], place: int, blank: int) -> None:
        assert shape_of([*words[:place], "what TO mend", *words[place:], *[""] * blank]) == shape_of(words)

    def test_counts_a_blank_heading_between_others(self) -> None:
        assert shape_of(["A", "", "B"]) != shape_of(["A", "B"])

    def test_keeps_words_apart(self) -> None:
        assert shape_of(["A B"]) != shape_of(["AB"])
        assert shape_of(["A B"]) != shape_of(["A", "B"])

    def test_says_nothing_of_the_headings(self) -> None:
        shape = shape_of(["Alder Example"])
        assert (len(shape), set(shape) <= set(string.hexdigits)) == (64, True)


class TestPlainHeading:
    @pytest.mark.parametrize(
        ("heading", "plain"),
        [("  Our  REF. ", "our ref"), ("Need: X_y", "need x y"), ("Straße 1", "strasse 1"), ("§ – …", ""), ("", "")],
    )
    def test_is_small_words_apart_by_one_space(self, heading: str, plain: str) -> None:
        assert plain_heading(heading) == plain

    @given(st.text(max_size=20))
    def test_is_plain_itself(self, heading: str) -> None:
        plain = plain_heading(heading)
        assert " ".join(plain.split()) == plain
        assert is_to_mend(heading) is (plain == "what to mend")


class TestDoubtsOf:
    def test_names_each_column_that_is_not_clear_and_what_it_may_be(self) -> None:
        columns = (
            _column(0, "Reference"),
            _column(1, "Status", confidence=80),
            _column(2, None, confidence=0),
            _column(3, "Pets", confidence=70, filled=0),
        )
        assert doubts_of(_book(_HOUSEHOLDS, _sheet(*columns))) == (
            "The sheet: it is not clear what columns B (perhaps “Status”) and C hold.",
        )

    def test_says_that_no_column_knows_a_row(self) -> None:
        sheet = _sheet(_column(0, "Status"), title="Two")
        assert doubts_of(_book(_HOUSEHOLDS, sheet)) == (
            "Sheet “Two”: no column holds your own reference, nor the adopters’ names and their postcode.",
        )
        assert doubts_of(_book(_HOUSEHOLDS, replace(sheet, keys=("Adopters", "Postcode")))) == ()

    def test_says_which_needed_column_is_missing(self) -> None:
        sheet = _sheet(_column(0, "Reference"))
        assert doubts_of(_book(_HOUSEHOLDS, sheet)) == ("The sheet: no column is known to be “Status”.",)
        assert doubts_of(_book(_CHILDREN, _sheet(_column(0, "Child reference")))) == ()

    def test_asks_whether_a_doubtful_sheet_is_one(self) -> None:
        known = _sheet(_column(0, "Child reference"), title="One")
        doubtful = replace(_sheet(_column(0, None), title="Two"), read=False, doubtful=True)
        assert doubts_of(_book(_CHILDREN, known, doubtful)) == ("Sheet “Two” may or may not be one of children.",)

    def test_asks_when_no_sheet_is_read(self) -> None:
        passed = replace(_sheet(_column(0, None)), read=False)
        for mapping in (_book(_HOUSEHOLDS, passed), _book(_HOUSEHOLDS)):
            assert doubts_of(mapping) == ("No sheet has columns that are known from sheets of adopter households.",)

    def test_asks_nothing_of_what_a_person_confirmed(self) -> None:
        sheet = replace(_sheet(_column(0, None, confidence=0)), confirmed=True)
        assert doubts_of(_book(_HOUSEHOLDS, sheet)) == ()


class TestNotesOf:
    def test_say_what_was_assumed_of_households(self) -> None:
        sheet = replace(
            _sheet(_column(0, "Adopters"), _column(1, "Postcode"), _column(2, None), _column(3, None, filled=0)),
            keys=("Adopters", "Postcode"),
        )
        assert notes_of(_book(_HOUSEHOLDS, sheet)) == (
            "The sheet: left out column C.",
            "The sheet: no column holds your own reference, so each row is known by its Adopters and Postcode. "
            "Change one of these and it is another record.",
            "The sheet: no column holds the status, so each new household is waiting.",
        )

    def test_say_that_each_child_is_a_group_of_its_own(self) -> None:
        alone, grouped = _column(0, "Child reference"), _column(1, "Group reference")
        assert len(notes_of(_book(_CHILDREN, _sheet(alone)))) == 1
        assert notes_of(_book(_CHILDREN, _sheet(alone, grouped))) == ()

    def test_say_nothing_of_a_documented_sheet(self) -> None:
        assert notes_of(_book(_HOUSEHOLDS, _sheet(_column(0, "Reference"), _column(1, "Status")))) == ()

    @pytest.mark.parametrize(("rows", "said"), [(1, "1 row."), (2, "2 rows."), (1200, "1,200 rows.")])
    def test_name_a_sheet_that_was_not_read(self, rows: int, said: str) -> None:
        passed = replace(_sheet(_column(0, None), title="Rota"), read=False, rows=rows)
        assert notes_of(_book(_HOUSEHOLDS, passed)) == (f"Sheet “Rota” was not read: {said}",)

    def test_pass_over_the_column_of_refusals(self) -> None:
        own = replace(_column(2, None), heading=TO_MEND)
        sheet = _sheet(_column(0, "Reference"), _column(1, "Status"), own)
        assert notes_of(_book(_HOUSEHOLDS, sheet)) == ()

    def test_list_letters_as_a_sentence_does(self) -> None:
        sheet = _sheet(_column(0, "Reference"), _column(1, "Status"), *(_column(index, None) for index in (2, 3, 4)))
        assert notes_of(_book(_HOUSEHOLDS, sheet)) == ("The sheet: left out columns C, D and E.",)


class TestDoubtsAndNotes:
    @given(kinds, st.lists(odd_words, min_size=2, max_size=12, unique=True), st.booleans(), st.data())
    @_some
    def test_quote_no_heading_and_no_cell(
        self, kind: SheetKind, words: list[str], several: bool, data: st.DataObject
    ) -> None:
        # They are kept unsealed, and a heading may be a record's where a sheet has none.
        known = data.draw(
            st.lists(st.sampled_from([each.heading for each in columns_of(kind)]), max_size=4, unique=True)
        )
        half = len(words) // 2
        pairs = {**dict.fromkeys(known, words[0]), **dict(zip(words[:half], words[half:], strict=False))}
        book = book_of(pairs, title="One")
        if several:
            book = Book("a", (*book.sheets, replace(book.sheets[0], title="Two")))
        mapping = propose(book, kind, {})
        said = " ".join((*doubts_of(mapping), *notes_of(mapping))).casefold()
        assert said
        assert not [word for word in words if word in said]


class TestCorrect:
    def test_takes_a_persons_word_for_every_column(self) -> None:
        sheet = replace(
            _sheet(_column(0, "Pets"), _column(1, "Status"), _column(2, None)), keys=("Adopters",), doubtful=True
        )
        choice = SheetChoice("", True, {0: "Reference", 2: "Status"}, keys=("Status",))

        [settled] = correct(_book(_HOUSEHOLDS, sheet), [choice]).sheets

        assert [each.column for each in settled.columns] == ["Reference", None, "Status"]
        assert {(each.how, each.confidence) for each in settled.columns} == {(How.CHOSEN, 100)}
        # A row with a reference is known by it alone.
        assert (settled.read, settled.confirmed, settled.doubtful, settled.keys) == (True, True, False, ())

    def test_keeps_the_chosen_keys_where_there_is_no_reference(self) -> None:
        choice = SheetChoice("", True, {0: "Adopters", 1: "Postcode"}, keys=("Adopters", "Postcode"))
        [settled] = correct(_book(_HOUSEHOLDS, _sheet(_column(0, None), _column(1, None))), [choice]).sheets
        assert settled.keys == ("Adopters", "Postcode")

    def test_reads_no_sheet_that_was_not_chosen(self) -> None:
        sheets = [_sheet(_column(0, "Reference"), title=title) for title in ("One", "Two", "Three")]
        doubtful = replace(sheets[2], doubtful=True)
        choices = [SheetChoice("One", True, {0: "Reference"}), SheetChoice("Two", False, {5: "Nonsense"})]

        settled = correct(_book(_HOUSEHOLDS, sheets[0], sheets[1], doubtful), choices)

        assert [(each.read, each.confirmed, each.doubtful) for each in settled.sheets] == [
            (True, True, False),
            (False, True, False),
            (False, True, False),
        ]
        assert doubts_of(settled) == ()

    @pytest.mark.parametrize(
        ("columns", "keys", "problem"),
        [
            ({0: "Reference", 7: "Status"}, (), "The sheet has no column number 8."),
            ({0: "Reference", 1: "Nonsense"}, (), "“Nonsense” is not a heading of a sheet of adopter households."),
            ({0: "Reference", 1: "Born"}, (), "“Born” is not a heading of a sheet of adopter households."),
            (
                {0: "Reference", 1: "Reference"},
                (),
                "The sheet: “Reference” was chosen for 2 columns; choose it for one.",
            ),
            (
                {0: "Status"},
                (),
                "The sheet: choose the column that holds your own reference, or the columns that know a row.",
            ),
            (
                {0: "Adopters"},
                ("Adopters", "Postcode"),
                "The sheet: “Postcode” is to know a row, and no column was chosen for it.",
            ),
        ],
    )
    def test_refuses_what_cannot_be(
        self, columns: Mapping[int, str | None], keys: tuple[str, ...], problem: str
    ) -> None:
        mapping = _book(_HOUSEHOLDS, _sheet(_column(0, None), _column(1, None)))
        with pytest.raises(MappingWrong) as wrong:
            correct(mapping, [SheetChoice("", True, columns, keys)])
        assert wrong.value.problems == (problem,)

    def test_leaves_any_number_of_columns_out(self) -> None:
        mapping = _book(_HOUSEHOLDS, _sheet(*(_column(index, None) for index in range(3))))
        assert correct(mapping, [SheetChoice("", True, {0: "Reference", 1: None, 2: None})])

    def test_names_every_problem(self) -> None:
        mapping = _book(_HOUSEHOLDS, _sheet(_column(0, None), title="One"))
        choices = [SheetChoice(title, False, {}) for title in ("Three", "One", "Two")]
        with pytest.raises(MappingWrong) as wrong:
            correct(mapping, choices)
        assert wrong.value.problems == (
            "There is no sheet “Three” in the file.",
            "There is no sheet “Two” in the file.",
            "Choose at least one sheet to read.",
        )

    @pytest.mark.parametrize("kind", SHEETS)
    def test_confirms_what_was_proposed(self, kind: SheetKind) -> None:
        mapping = propose(book_of({each.heading: each.example or None for each in columns_of(kind)}), kind, {})
        choices = [SheetChoice(each.title, True, {c.index: c.column for c in each.columns}) for each in mapping.sheets]
        assert correct(mapping, choices).sheets[0].headings() == mapping.sheets[0].headings()


class TestWritten:
    @given(_mappings)
    @_some
    def test_is_read_back_as_it_was(self, mapping: BookMapping) -> None:
        assert read_back(written(mapping)) == mapping


def _column(index: int, column: str | None, *, confidence: int = 100, filled: int = 1) -> MappedColumn:
    return MappedColumn(index, "ABCDE"[index], f"Heading {index}", column, confidence, How.SAME, (), filled)


def _sheet(*columns: MappedColumn, title: str = "") -> SheetMapping:
    return SheetMapping(title=title, shape="", rows=1, read=True, columns=columns)


def _book(kind: SheetKind, *sheets: SheetMapping) -> BookMapping:
    return BookMapping(kind, sheets)
