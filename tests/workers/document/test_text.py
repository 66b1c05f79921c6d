from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.document.text import clean


class TestClean:
    @pytest.mark.parametrize(
        ("given_text", "cleaned"),
        [
            ("plain", "plain"),
            ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
            ("a\tb", "a b"),
            ("a\x00\x07b", "ab"),
            ("e\u0301", "\u00e9"),
            ("a\u202eb\u2066c\ufeff", "abc"),
            ("\ud800", "\ufffd"),
            ("\ue000\uffff", "\ufffd\ufffd"),
            ("\N{GRINNING FACE}", "\N{GRINNING FACE}"),
        ],
    )
    def test_it_keeps_what_can_be_read(self, given_text: str, cleaned: str) -> None:
        assert clean(given_text) == cleaned

    def test_it_keeps_the_joiners_that_shape_words(self) -> None:
        assert clean("\u0645\u200c\u0645\u200d") == "\u0645\u200c\u0645\u200d"

    @given(st.text())
    def test_what_is_clean_stays_as_it_is(self, text: str) -> None:
        assert clean(clean(text)) == clean(text)

    @given(st.text())
    def test_nothing_unprintable_is_left(self, text: str) -> None:
        left = {unicodedata.category(character) for character in clean(text) if character != "\n"}

        assert left.isdisjoint({"Cc", "Cs", "Co", "Cn"})
