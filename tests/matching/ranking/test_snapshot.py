"""Tests of what a run keeps."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.need import YesNo
from matching.ranking.engine import rank
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.places import Places, PlacesInvalid, unknown_places
from matching.ranking.policy import default_policy
from matching.ranking.snapshot import (
    Snapshot,
    SnapshotInvalid,
    SnapshotOfAnEarlierRelease,
    SnapshotOfAnotherCatalogue,
    digest,
    from_bytes,
    take_snapshot,
    to_bytes,
)
from tests.matching.ranking.registers import AS_OF, a_group, a_household, random_places, registers, tried

NEW_OF_GROUP: tuple[dict[str, Any], ...] = (
    {"adopters_hoped_for": 1},
    {"experience_needed": YesNo.YES},
    {"training_needed": YesNo.YES},
    {"parent_at_home_needed": YesNo.YES},
    {"support_needed": YesNo.YES},
    {"cultures": frozenset({"Welsh"})},
)
NEW_OF_HOUSEHOLD: tuple[dict[str, Any], ...] = (
    {"adopters": 1},
    {"experience": YesNo.NO},
    {"training": YesNo.NO},
    {"parent_at_home": YesNo.NO},
    {"support_nearby": YesNo.NO},
    {"available_from": AS_OF},
    {"cultures": frozenset({"Welsh"})},
)

Register = tuple[tuple[GroupFacts, ...], tuple[HouseholdFacts, ...], Places]


class TestTakeSnapshot:
    @given(registers(), st.integers(0, 2**32))
    @tried(20)
    def test_is_one_for_one_state_of_the_pool_in_any_order(self, register: Register, seed: int) -> None:
        groups, households, places = register
        g = np.random.default_rng(seed).permutation(len(groups))
        h = np.random.default_rng(seed + 1).permutation(len(households))
        shuffled = (tuple(groups[k] for k in g), tuple(households[k] for k in h), places.taken(g, h))

        assert digest(taken(register)) == digest(taken(shuffled))

    def test_refuses_places_of_another_register(self) -> None:
        with pytest.raises(PlacesInvalid):
            taken(((a_group(),), (a_household(),), unknown_places(2, 2)))


class TestFromBytes:
    @given(registers())
    @tried(40)
    def test_gives_back_what_was_packed(self, register: Register) -> None:
        snapshot = taken(register)

        again = from_bytes(to_bytes(snapshot))

        assert (again.groups, again.households) == (snapshot.groups, snapshot.households)
        assert (again.policy, again.as_of) == (snapshot.policy, snapshot.as_of)
        assert again.places.band.tobytes() == snapshot.places.band.tobytes()
        assert digest(again) == digest(snapshot)
        assert to_bytes(again) == to_bytes(snapshot)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"concord-ranking-2\n",
            b"concord-ranking-2\nnot packed",
            b"concord-ranking-2\n" + zlib.compress(b"{}\n"),
            b"concord-ranking-2\n" + zlib.compress(b"[1]\n"),
            b"concord-ranking-3\n",
        ],
    )
    def test_refuses_what_is_no_snapshot(self, content: bytes) -> None:
        with pytest.raises(SnapshotInvalid):
            from_bytes(content)

    def test_says_which_release_made_what_it_cannot_make_again(self) -> None:
        header = b'{"versions":{"code":"0.1.0"}}\n'

        with pytest.raises(SnapshotOfAnEarlierRelease, match=r"earlier release, 0\.1\.0, .* as it was recorded"):
            from_bytes(b"concord-ranking-1\n" + zlib.compress(header))

    def test_refuses_a_damaged_one_of_an_earlier_release(self) -> None:
        with pytest.raises(SnapshotInvalid, match="damaged"):
            from_bytes(b"concord-ranking-1\n" + zlib.compress(b"[1]\n"))

    @given(st.integers(0, 10_000), st.integers(1, 255))
    @tried(40)
    def test_never_takes_a_damaged_snapshot_for_another(self, at: int, flip: int) -> None:
        snapshot = taken(((a_group(),), (a_household(),), unknown_places(1, 1)))
        content = bytearray(to_bytes(snapshot))
        content[at % len(content)] ^= flip

        try:
            again = from_bytes(bytes(content))
        except SnapshotInvalid:
            return

        assert digest(again) == digest(snapshot)


class TestDigest:
    def test_moves_with_everything_a_run_reads(self) -> None:
        snapshot = taken(((a_group(),), (a_household(),), unknown_places(1, 1)))
        others: tuple[Snapshot, ...] = (
            replace(snapshot, as_of=AS_OF.replace(day=1)),
            replace(snapshot, code_version="2"),
            replace(snapshot, places_version="2"),
            replace(snapshot, catalogue_version="2"),
            replace(snapshot, policy=replace(default_policy(), age_margin_months=7)),
            replace(snapshot, groups=(a_group(code="G-2"),)),
            replace(snapshot, households=(a_household("H-2"),)),
            replace(snapshot, places=random_places(1, 1, seed=1)),
        )

        others += tuple(replace(snapshot, groups=(a_group(**fact),)) for fact in NEW_OF_GROUP)
        others += tuple(replace(snapshot, households=(a_household(**fact),)) for fact in NEW_OF_HOUSEHOLD)

        assert len({digest(other) for other in (snapshot, *others)}) == 1 + len(others)


class TestRankAgain:
    @given(registers())
    @tried(15)
    def test_gives_the_same_lists(self, register: Register) -> None:
        groups, households, places = register
        first = rank(groups, households, places, default_policy(), AS_OF, 5)

        again = from_bytes(to_bytes(taken(register))).rank(5)

        assert {code: tuple(map(shown, first.families_of(g))) for g, code in enumerate(first.groups)} == {
            code: tuple(map(shown, again.families_of(g))) for g, code in enumerate(again.groups)
        }

    def test_refuses_needs_of_another_release(self) -> None:
        snapshot = replace(taken(((), (), unknown_places(0, 0))), catalogue_version="elsewhere")

        with pytest.raises(SnapshotOfAnotherCatalogue, match="release it names, 1"):
            snapshot.rank()


def shown(family: object) -> tuple[object, ...]:
    """Return a line of a list without the position its household had in the register."""
    return tuple(getattr(family, name) for name in ("position", "code", "points", "band", "questions"))


def taken(register: Register) -> Snapshot:
    groups, households, places = register
    return take_snapshot(
        groups, households, places, policy=default_policy(), as_of=AS_OF, places_version="1", code_version="1"
    )
