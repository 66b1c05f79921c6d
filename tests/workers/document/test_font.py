from __future__ import annotations

import pytest

from workers.document import font


class TestCovered:
    @pytest.mark.parametrize("character", "Aaz09£€éżΩЖשم•–\ufffd")
    def test_it_knows_what_the_fonts_draw(self, character: str) -> None:
        assert ord(character) in font.covered()

    @pytest.mark.parametrize("character", "漢न\uffff")
    def test_it_knows_what_they_do_not(self, character: str) -> None:
        assert ord(character) not in font.covered()

    def test_each_font_has_its_licence_beside_it(self) -> None:
        names = {path.name for path in font.FOLDER.iterdir()}

        assert names == {
            "DejaVuSans.ttf",
            "DejaVuSans-LICENSE.txt",
            "SourceSansPro-Regular.ttf",
            "SourceSansPro-Semibold.ttf",
            "SourceSansPro-LICENSE.txt",
        }
