from __future__ import annotations

import re
import zipfile
from datetime import date
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from matching.pack_content import Change, Check, Named, PackContent, Supply
from tests.workers.document.pack_factory import (
    action,
    changes,
    empty_pack,
    family,
    figures,
    group,
    household,
    pack,
    waiting,
)
from workers.document.text import clean
from workers.document.xlsx import render_xlsx

SHEETS = [
    *("Agenda", "Actions", "What has changed", "Longest waiting"),
    *("Groups", "Families", "Households", "Availability"),
    *("One family each", "Who sees no family", "Figures"),
]
FORMULAS = (
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "{=1}",
    "http://example.test/",
    "mailto:a@example.test",
    "\t=1",
)


class TestRenderXlsx:
    def test_it_has_a_sheet_for_each_part(self) -> None:
        assert CalamineWorkbook.from_filelike(BytesIO(render_xlsx(pack()))).sheet_names == SHEETS

    def test_the_same_content_gives_the_same_bytes(self) -> None:
        assert render_xlsx(pack()) == render_xlsx(pack())

    def test_every_row_is_there(self) -> None:
        content = pack(
            longest_waiting=tuple(waiting(code=f"G-{n}") for n in range(40)),
            groups=tuple(
                group(code=f"G-{n}", families=(family(code=f"H-{n}"), family(code=f"I-{n}"))) for n in range(60)
            ),
            households=tuple(household(code=f"H-{n}") for n in range(50)),
        )

        made = render_xlsx(content)

        assert [row[0] for row in rows(made, "Longest waiting")[1:]] == [f"G-{n}" for n in range(40)]
        assert [row[0] for row in rows(made, "Groups")[1:]] == [f"G-{n}" for n in range(60)]
        assert [row[4] for row in rows(made, "Families")[1:]] == [f"{kind}-{n}" for n in range(60) for kind in "HI"]
        assert [row[0] for row in rows(made, "Households")[1:]] == [f"H-{n}" for n in range(50)]

    def test_a_group_is_told_in_full(self) -> None:
        headings, told = rows(render_xlsx(pack(groups=(group(families_in_all=32),))), "Groups")

        row = dict(zip(headings, told, strict=True))
        assert row["Group"] == "G-222222"
        assert (row["Yours"], row["New"]) == ("Yes", "Yes")
        assert row["Days waiting"] == 365
        assert row["Profile"] == "They like water.\n\nThey sleep well."
        assert row["Needs: high"] == "Neglect"
        assert row["Needs: not known, ask"] == "Attachment"
        assert (row["SHOBPA decision"], row["Contact"]) == ("1 June 2025", "Letterbox contact")
        assert (row["Families listed"], row["Families not ruled out"]) == (1, 32)

    def test_own_rows_carry_the_own_reference_and_others_the_pooled_facts_alone(self) -> None:
        theirs = group(code="G-444444", own=False, profile="Theirs.", plan=(("Contact", "Theirs too"),))
        homes = (household(own=True), household(code="H-444444"))

        made = render_xlsx(pack(groups=(group(), theirs), households=homes))

        headings, own, other = rows(made, "Groups")
        assert (own[headings.index("Your reference")], other[headings.index("Your reference")]) == ("DEV-7", "")
        assert other[headings.index("Needs: high")] == "Neglect"
        assert "Theirs" not in str(other)
        headings, own, other = rows(made, "Households")
        assert (own[headings.index("Your reference")], other[headings.index("Your reference")]) == ("DEV-H-7", "")

    def test_reasons_that_are_not_told_are_said_to_be_on_the_site(self) -> None:
        untold = family(why=(), ask=(), against=(), explained=False)

        headings, told = rows(render_xlsx(pack(groups=(group(own=False, families=(untold,)),))), "Families")

        assert told[headings.index("Why")] == "The group’s page on the site says"

    def test_each_chart_stands_beside_its_numbers_and_is_told_in_words(self) -> None:
        made = render_xlsx(pack())

        assert ["Under 3 months", 0, 0] in rows(made, "Figures")
        assert ["H-333333, Plymouth", 2, ""] in rows(made, "Figures")
        small = render_xlsx(pack(figures=figures(ages=(Supply("5 and 6", None, 7),))))
        assert ["5 and 6", "Too few to tell", 7] in rows(small, "Figures")
        assert sum(name.startswith("xl/charts/chart") for name in parts(made)) == 4
        assert "Bar chart. Groups by how long they have waited." in parts(made)["xl/drawings/drawing1.xml"]

    def test_actions_and_changes_are_told(self) -> None:
        made = render_xlsx(pack(actions=(action(), action(late=False, done_on=date(2026, 11, 1), outcome="Done"))))

        assert [row[5:] for row in rows(made, "Actions")[1:]] == [
            ["Yes", "", ""],
            ["No", date(2026, 11, 1), "Done"],
        ]
        assert [row[3:] for row in rows(made, "What has changed")[1:]] == [
            ["New", ""],
            ["No longer waiting", "On hold"],
            ["Changed", "Background"],
        ]

    def test_the_whole_pool_is_told_and_small_counts_are_not(self) -> None:
        made = render_xlsx(pack())

        assert rows(made, "One family each")[1:] == [
            ["G-222222", "H-333333", "Strong fit", "Nobody", ""],
            ["H-333333", "G-222222", "Strong fit", "G-222222", "Strong fit"],
        ]
        assert rows(made, "Who sees no family")[1:] == [
            ["Age", "Under 2", 7, 0],
            ["Age", "5 and over", 6, "Too few to tell"],
        ]

    def test_columns_that_say_nothing_in_any_row_are_left_out(self) -> None:
        (headings, *_) = rows(render_xlsx(pack(groups=(group(needs=(("Neglect", "high"),)),))), "Groups")

        assert {"Needs: none", "Needs: other levels", "Religion"}.isdisjoint(headings)
        assert {"Needs: high", "Needs: medium", "Contact"} <= set(headings)

    def test_the_first_pack_calls_nothing_new(self) -> None:
        made = render_xlsx(pack(first=True, new_groups=(), households=(household(new=False),)))

        assert all("New" not in rows(made, name)[0] for name in ("Groups", "Households"))
        assert ["New groups", "This is the first meeting that Concord has packs for: every group is new."] in rows(
            made, "Agenda"
        )

    def test_a_household_is_told_with_how_many_groups_it_may_fit(self) -> None:
        headings, told = rows(render_xlsx(pack(households=(household(fits_in_all=23),))), "Households")

        row = dict(zip(headings, told, strict=True))
        assert (row["Groups they fit best"], row["Groups in all"]) == ("G-222222", 23)

    def test_a_family_is_told_with_its_band_before_its_points(self) -> None:
        headings, told = rows(render_xlsx(pack()), "Families")

        assert headings.index("Fit") < headings.index("Points")
        assert told[2:] == [
            1,
            "Strong fit",
            "H-333333",
            "Plymouth",
            "Being considered",
            81,
            "Approved for two children",
            "How old is the dog?",
            "Far from home",
        ]

    def test_dates_are_dates_and_what_is_not_known_says_so(self) -> None:
        unknown = household(approved_on=None)
        ancient = household(approved_on=date(1066, 10, 14))

        made = rows(render_xlsx(pack(households=(household(), unknown, ancient))), "Households")

        approved = [row[4] for row in made[1:]]
        assert approved == [date(2026, 2, 1), "Not known", "14 October 1066"]

    def test_the_agenda_sheet_says_whose_pack_it_is_and_that_it_is_advice(self) -> None:
        said = {(row[0], row[1]) for row in rows(render_xlsx(pack()), "Agenda")}

        assert ("Prepared for", "Devon") in said
        assert ("Agenda 2", "New groups") in said
        assert ("New group", "G-222222") in said
        assert any("a person decides" in str(value) for _, value in said)

    def test_an_empty_pack_says_so_in_words(self) -> None:
        made = render_xlsx(empty_pack())

        said = " ".join(str(cell) for name in SHEETS for row in rows(made, name) for cell in row)
        assert "No agenda has been set for this meeting." in said
        assert "No groups are new since the last meeting." in said
        assert "No groups are waiting." in said
        assert "No households are waiting." in said

    @pytest.mark.parametrize("hostile", FORMULAS)
    def test_nothing_that_people_wrote_becomes_a_formula_or_a_link(self, hostile: str) -> None:
        made = render_xlsx(everywhere(hostile))

        for name, text in parts(made).items():
            assert not re.search(r"<f[ >]|<hyperlink|externalLink", text), name
        assert rows(made, "Groups")[1][8] == clean(hostile)

    def test_the_header_row_stays_filters_and_prints_on_each_page(self) -> None:
        made = parts(render_xlsx(pack()))

        for number in range(2, 11):
            sheet = made[f"xl/worksheets/sheet{number}.xml"]
            assert 'state="frozen"' in sheet
            assert "<autoFilter" in sheet
            assert 'paperSize="9" orientation="landscape"' in sheet or 'paperSize="9"' in sheet
            assert "OFFICIAL-SENSITIVE: PERSONAL" in sheet
        assert made["xl/workbook.xml"].count("_xlnm.Print_Titles") == 9

    def test_its_properties_name_the_pack(self) -> None:
        core = parts(render_xlsx(pack()))["docProps/core.xml"]

        assert "<dc:title>Matching meeting</dc:title>" in core
        assert "Prepared for Devon" in core
        assert "2026-11-23T00:00:00Z" in core

    def test_a_text_that_no_cell_can_hold_goes_on_beneath(self) -> None:
        plain, wide = "a" * 70_000, "\N{GRINNING FACE}" * 40_000

        made = render_xlsx(pack(groups=(group(profile=plain), group(code="G-444444", profile=wide))))

        told = rows(made, "Groups")[1:]
        assert "".join(row[8] for row in told if row[0] == "G-222222") == plain
        assert "".join(row[8] for row in told if row[0] == "G-444444") == wide
        assert all(len(str(row[8]).encode("utf-16-le")) // 2 <= 32_767 for row in told)

    def test_a_text_that_looks_like_an_escape_is_kept(self) -> None:
        assert "_x005F_x0041_" in parts(render_xlsx(everywhere("_x0041_")))["xl/sharedStrings.xml"]

    @settings(max_examples=60, deadline=None)
    @given(text=st.text(max_size=200))
    def test_any_text_whatever_can_be_written_and_read_back(self, text: str) -> None:
        made = render_xlsx(everywhere(text))

        for part in parts(made).values():
            ElementTree.fromstring(part)  # noqa: S314 -- we wrote it a moment ago
        if not re.search("_x[0-9A-Fa-f]{4}_", text):
            assert rows(made, "Groups")[1][8] == clean(text)


def everywhere(text: str) -> PackContent:
    """Make a pack that says the text wherever a pack says anything."""
    one = family(code=text, agency=text, band=text, why=(text,), ask=(text,), against=(text,))
    return pack(
        title=text,
        consortium=text,
        agency=text,
        meeting_place=text,
        policy=text,
        agenda=(text,),
        new_groups=(text,),
        longest_waiting=(waiting(code=text, waiting_since=None, days=None, shobpa_days=None, order_days=None),),
        actions=(action(what=text, about=text, agency=text, person=text, done_on=date(2026, 11, 20), outcome=text),),
        changes=changes(groups=(Change(text, own=True, agency=text, kind="changed", words=(text,)),)),
        figures=figures(named=(Named(text, text, own=True, lists=2),)),
        checks=(Check(text, 1, text, None),),
        groups=(group(code=text, profile=text, summary=text, legal=text, needs=((text, text),), families=(one,)),),
        households=(household(code=text, summary=text, fits=(text,)),),
    )


def rows(made: bytes, name: str) -> list[list[Any]]:
    """Read a sheet back, every row of it."""
    return [list(row) for row in CalamineWorkbook.from_filelike(BytesIO(made)).get_sheet_by_name(name).to_python()]


def parts(made: bytes) -> dict[str, str]:
    """Return each XML part of the file."""
    with zipfile.ZipFile(BytesIO(made)) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}
