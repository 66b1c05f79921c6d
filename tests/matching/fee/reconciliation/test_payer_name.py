"""Which agency a bank's name means."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.fee.reconciliation.fact import Payer
from matching.fee.reconciliation.payer_name import find_payer

NAMES = (
    "Somerset Council",
    "North Somerset Council",
    "South Gloucestershire Council",
    "Gloucestershire County Council",
    "Borough of Poole",
    "Adopt South West",
    "Bristol City Council",
)
PAYERS = [Payer(UUID(int=place), (name,)) for place, name in enumerate(NAMES)]


class TestFindPayer:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("SOMERSET CC", "Somerset Council"),
            ("NORTH SOMERSET CO", "North Somerset Council"),
            ("N SOMERSET", "North Somerset Council"),
            ("SOUTH GLOUCESTERSH", "South Gloucestershire Council"),
            ("GLOUCESTERSHIRE CC", "Gloucestershire County Council"),
            ("GLOUCESTERSHRIE", "Gloucestershire County Council"),
            ("POOLE BOROUGH COUN", "Borough of Poole"),
            ("ADOPT SOUTH WEST", "Adopt South West"),
            ("BRISTOL WATER", None),
            ("EAST SOMERSET", None),
            ("COUNCIL", None),
            ("J SMITH", None),
            ("", None),
        ],
    )
    def test_tells_alike_names_apart(self, name: str, meant: str | None) -> None:
        found = find_payer(name, PAYERS)

        assert (None if found is None else NAMES[found.int]) == meant

    def test_means_nobody_where_it_may_be_two(self) -> None:
        twins = [Payer(UUID(int=place), (name,)) for place, name in enumerate(("Ashford Council", "Ashfield Council"))]

        assert find_payer("ASH", twins) is None

    @given(st.text(max_size=40))
    def test_never_fails(self, name: str) -> None:
        assert find_payer(name, PAYERS) in {None, *(payer.id for payer in PAYERS)}
