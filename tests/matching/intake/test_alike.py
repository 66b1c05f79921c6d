from __future__ import annotations

import pytest

from matching.intake.alike import heading_likeness
from matching.intake.column import SHEETS, SheetKind


class TestHeadingLikeness:
    @pytest.mark.parametrize(
        "cells", [("A", "Alder Example"), ("B", "Elm Sample"), ("Elm",), ("D-1", "waiting", "yes"), ("C-7", "Mockford")]
    )
    @pytest.mark.parametrize("kind", SHEETS)
    def test_takes_no_record_for_headings(self, cells: tuple[str, ...], kind: SheetKind) -> None:
        assert heading_likeness(kind)(cells) == 0

    def test_is_the_share_of_cells_that_are_known(self) -> None:
        assert heading_likeness(SheetKind.HOUSEHOLDS)(("Reference", "Zqx")) == 0.5
