from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.document.pack_factory import empty_pack, family, group, household, pack
from workers.document import font
from workers.document.view import day, pack_view


class TestPackView:
    def test_needs_are_gathered_by_level_the_highest_first(self) -> None:
        needs = (("A", "none"), ("B", "low"), ("C", "unknown"), ("D", "high"), ("E", "low"))

        view = pack_view(pack(groups=(group(needs=needs),)))

        assert [(row["level"], row["needs"]) for row in view["groups"][0]["needs"]] == [
            ("High", "D"),
            ("Low", "B; E"),
            ("Not known: ask", "C"),
            ("None", "A"),
        ]

    def test_a_code_leads_to_the_first_group_that_bears_it_or_to_none(self) -> None:
        view = pack_view(pack(groups=(group(), group()), new_groups=("G-222222", "G-000000")))

        assert [entry["group"] for entry in view["new_groups"]] == [0, None]

    def test_no_line_ends_within_a_date(self) -> None:
        assert pack_view(pack())["meeting_on"] == "3\u00a0December\u00a02026"

    def test_a_family_of_the_readers_agency_is_marked(self) -> None:
        content = pack(
            groups=(group(families=(family(code="H-1"), family(code="H-2"))),),
            households=(household(code="H-1", own=True), household(code="H-2", own=False)),
        )

        assert [row["own"] for row in pack_view(content)["groups"][0]["families"]] == [True, False]

    def test_a_word_wider_than_a_column_may_break_but_not_before_an_accent(self) -> None:
        view = pack_view(pack(title="x" * 9 + "x\u0323\u0331" + "y" * 20))

        assert view["title"].replace("\u200b", "") == "x" * 9 + "x\u0323\u0331" + "y" * 20
        assert "\u200b\u0323" not in view["title"]
        assert "\u200b" in view["title"]

    def test_an_empty_pack_still_has_a_title(self) -> None:
        assert pack_view(empty_pack())["title"] == "Matching meeting pack"

    @given(st.text())
    def test_each_character_can_be_drawn(self, text: str) -> None:
        drawn = pack_view(pack(title=f"a{text}", agenda=(text,)))

        said = drawn["title"] + "".join(drawn["agenda"])
        assert {ord(character) for character in said} - {0x200B} <= font.covered()
        assert json.loads(json.dumps(drawn)) == drawn


class TestDay:
    @pytest.mark.parametrize(("value", "words"), [(date(2026, 12, 3), "3 December 2026"), (None, "Not known")])
    def test_it_is_written_as_people_write_it(self, value: date | None, words: str) -> None:
        assert day(value) == words
