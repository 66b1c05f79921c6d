from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.intake.formula import guarded, unguarded

DANGER = "=+-@\t\r"


class TestGuarded:
    @pytest.mark.parametrize(
        "text",
        ["=1+1", "+44 1632 960001", "-5", "-1.00+1", "-1.0\n0", "-1.005", "@SUM(A1)", "\tx", "\rx", "'=1", "''-"],
    )
    def test_puts_an_apostrophe_before_what_would_run(self, text: str) -> None:
        assert guarded(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "plain", "a=b", "'tis", "O'Example", "'", " =1", "0-4", "-9012.34", "-0.05"])
    def test_leaves_the_rest_alone(self, text: str) -> None:
        assert guarded(text) == text

    @given(st.text())
    def test_never_begins_with_danger(self, text: str) -> None:
        assert not guarded(text).startswith(tuple(DANGER)) or re.fullmatch(r"-[0-9]+\.[0-9]{2}", text)


class TestUnguarded:
    @given(st.text(alphabet=st.sampled_from([*DANGER, "'", "a", "1", " "]), max_size=6) | st.text())
    def test_takes_back_exactly_what_was_added(self, text: str) -> None:
        assert unguarded(guarded(text)) == text

    @pytest.mark.parametrize("text", ["'", "''", "'a", "=1", "", "'tis"])
    def test_takes_nothing_from_what_was_never_guarded(self, text: str) -> None:
        assert unguarded(text) == text
