from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from concord.web.listing import Fits, Wanted, pagination, read_fits, read_wanted
from matching.register import Counts, Page


class TestReadWanted:
    @pytest.mark.parametrize(
        ("query", "own", "wanted"),
        [
            ("", 3, Wanted(own=True, number=1, sort="code")),
            ("", 0, Wanted(own=False, number=1, sort="code")),
            ("whose=all&page=2&sort=newest", 3, Wanted(own=False, number=2, sort="newest")),
            ("whose=ours", 0, Wanted(own=True, number=1, sort="code")),
            ("whose=theirs&page=two&sort=random", 3, Wanted(own=True, number=1, sort="code")),
        ],
    )
    def test_shows_ones_own_first_where_there_are_any(self, query: str, own: int, wanted: Wanted, site: Flask) -> None:
        with site.test_request_context(f"/groups?{query}"):
            assert read_wanted(Counts(own=own, all=9), sorts=SORTS) == wanted

    @pytest.mark.parametrize("query", ["", "whose=ours"])
    def test_shows_the_office_everyones_whatever_it_asks(self, query: str, site: Flask) -> None:
        with site.test_request_context(f"/groups?{query}"):
            assert not read_wanted(Counts(own=3, all=9), sorts=SORTS, keeps_own=False).own


class TestReadFits:
    @pytest.mark.parametrize(
        ("query", "fits"),
        [
            ("", Fits(top=20, points=False)),
            ("points=1&all=1", Fits(top=None, points=True)),
            ("all=0&all=x", Fits(top=None, points=False)),
        ],
    )
    def test_is_the_first_until_all_are_asked_for(self, query: str, fits: Fits, site: Flask) -> None:
        with site.test_request_context(f"/groups/1?{query}"):
            assert read_fits(20) == fits


class TestPagination:
    def test_is_left_out_of_one_page(self) -> None:
        assert pagination(page(total=25), link) is None

    def test_leads_to_the_ends_and_the_neighbours(self) -> None:
        links = pagination(page(total=250, number=5), link)

        assert links
        shown = ["…" if item.get("ellipsis") else item["number"] for item in links["items"]]
        assert shown == [1, "…", 4, 5, 6, "…", 10]
        assert [item["number"] for item in links["items"] if item.get("current")] == [5]
        assert links["previous"]["href"] == "/groups?whose=all&page=4"
        assert links["next"]["href"] == "/groups?whose=all&page=6"

    @pytest.mark.parametrize(("number", "ends"), [(1, {"next"}), (2, {"previous"})])
    def test_stops_at_the_ends(self, number: int, ends: set[str]) -> None:
        links = pagination(page(total=26, number=number), link)

        assert links
        assert links.keys() & {"previous", "next"} == ends


SORTS = ("code", "newest")


def link(number: int) -> str:
    return f"/groups?whose=all&page={number}"


def page(*, total: int, number: int = 1) -> Page[Any]:
    return Page(cards=(), total=total, number=number)
