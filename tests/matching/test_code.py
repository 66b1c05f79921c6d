"""Codes: random, read out aloud without mistakes, read back however they were typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.code import comparable, new_code, read_code


class TestNewCode:
    def test_says_nothing_but_its_kind(self) -> None:
        codes = {new_code("H") for _ in range(500)}

        assert len(codes) == 500
        assert all(re.fullmatch(r"H-[0-9A-HJKMNP-TV-Z]{6}", code) for code in codes)


class TestComparable:
    @given(text=st.text(max_size=50).filter(lambda text: "\0" not in text))
    def test_leaves_text_as_it_is(self, text: str) -> None:
        assert comparable(text) == text

    @pytest.mark.parametrize(("text", "compared"), [("H\0", "H?"), ("\ud800", "?")])
    def test_replaces_what_no_text_can_hold(self, text: str, compared: str) -> None:
        assert comparable(text) == compared


class TestReadCode:
    @pytest.mark.parametrize("typed", ["h-7k2m4p", " H-7K2M4P ", "H-7k2M4p\n"])
    def test_takes_any_case_and_white_space_around(self, typed: str) -> None:
        assert read_code(typed) == "H-7K2M4P"

    def test_takes_letters_for_the_digits_they_look_like(self) -> None:
        assert read_code("G-O0ILi1") == "G-001111"

    @given(text=st.text(max_size=50))
    def test_takes_whatever_is_typed(self, text: str) -> None:
        assert read_code(read_code(text)) == read_code(text)

    @given(prefix=st.sampled_from("GH"))
    def test_leaves_a_code_as_it_is(self, prefix: str) -> None:
        code = new_code(prefix)

        assert read_code(code) == code
