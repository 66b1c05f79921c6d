from __future__ import annotations

import pytest

from concord.web.form import lines, one_line


class TestOneLine:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [(None, None), ("", ""), ("  H-7K2M4P\t", "H-7K2M4P"), ("a\x00b\u200bc\nd", "abcd"), ("é – ’", "é – ’")],
    )
    def test_keeps_what_can_be_kept(self, typed: str | None, kept: str | None) -> None:
        assert one_line(typed) == kept


class TestLines:
    @pytest.mark.parametrize(
        ("typed", "kept"), [(None, None), ("\r\n a \r\nb\x00\n\n", "a\nb"), (" \n \n", ""), ("a\n\nb", "a\n\nb")]
    )
    def test_keeps_the_lines(self, typed: str | None, kept: str | None) -> None:
        assert lines(typed) == kept
