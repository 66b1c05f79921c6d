from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.swap import ring as ring_module
from matching.swap.anneal import cool
from matching.swap.cycle import Arcs, TooMany, heaviest_closed_walk, heavy_cycles, list_cycles
from matching.swap.digraph import GraphUnreadable, read_digraph
from matching.swap.ring import LengthUnknown, Rings, RingsUnproven, clear_rings
from tests.matching.swap.brute import best_weight, check_rings

LENGTHS = (2, 3, 4)


def make(nodes: int, arcs: Mapping[tuple[int, int], float]) -> dict[str, Any]:
    names = [f"n{k}" for k in range(nodes)]
    return {"nodes": names, "arcs": [{"from": names[a], "to": names[b], "weight": w} for (a, b), w in arcs.items()]}


def draw_graph(draw: random.Random) -> dict[str, Any]:
    size = draw.randint(2, 8)
    pairs = [(a, b) for a in range(size) for b in range(size) if a != b]
    chosen = draw.sample(pairs, draw.randint(0, len(pairs)))
    kind = draw.randrange(4)
    return make(size, {ends: (1, draw.randint(-3, 9), draw.randint(1, 90), draw.random())[kind] for ends in chosen})


def clear(source: dict[str, Any], longest: int) -> Rings:
    return clear_rings(read_digraph(source), longest=longest)


WEIGHTS = st.one_of(
    st.sampled_from([0, 1, 1, 2, -1]),
    st.integers(-50, 50),
    st.floats(-1, 10, allow_nan=False, width=32),
    st.sampled_from([0.1, 0.25, 1e-9, 1e9]),
)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.integers(0, 9))
    pairs = [(a, b) for a in range(size) for b in range(size) if a != b]
    return make(size, draw(st.dictionaries(st.sampled_from(pairs), WEIGHTS, max_size=40)) if pairs else {})


class TestClearRings:
    def test_are_as_heavy_as_what_a_search_of_everything_finds(self) -> None:
        draw = random.Random(5)  # noqa: S311

        for trial in range(300):
            source, longest = draw_graph(draw), LENGTHS[trial % 3]
            found = clear(source, longest)
            best = best_weight(source, longest)
            check_rings(source, found, longest)
            assert abs(Fraction(found.weight) - best) <= Fraction(1, 10**9), (trial, longest)

    @settings(max_examples=100, deadline=None)
    @given(graphs(), st.sampled_from(LENGTHS))
    def test_are_best_whatever_the_weights(self, source: dict[str, Any], longest: int) -> None:
        found = clear(source, longest)

        check_rings(source, found, longest)
        heaviest = max((abs(Fraction(arc["weight"])) for arc in source["arcs"]), default=Fraction(0))
        assert abs(Fraction(found.weight) - best_weight(source, longest)) <= heaviest / 10**8

    def test_are_best_where_cycles_are_not_all_listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ring_module, "LISTED", 2)
        monkeypatch.setattr(ring_module, "EACH", 1)
        draw = random.Random(6)  # noqa: S311

        for trial in range(100):
            source, longest = draw_graph(draw), LENGTHS[trial % 3]
            found = clear(source, longest)
            check_rings(source, found, longest)
            assert abs(Fraction(found.weight) - best_weight(source, longest)) <= Fraction(1, 10**9)

    def test_do_not_depend_on_the_order_of_the_file(self) -> None:
        draw = random.Random(7)  # noqa: S311
        for _ in range(20):
            source = draw_graph(draw)
            other = {"nodes": source["nodes"][::-1], "arcs": draw.sample(source["arcs"], len(source["arcs"]))}

            assert clear(source, 3) == clear(other, 3)

    def test_take_two_short_rings_over_a_long_one(self) -> None:
        both = make(4, {(0, 1): 3, (1, 0): 3, (2, 3): 3, (3, 2): 3, (1, 2): 5, (3, 0): 2.5})

        assert clear(both, 4) == Rings((("n0", "n1", "n2", "n3"),), 13.5)
        assert clear(both, 3) == Rings((("n0", "n1"), ("n2", "n3")), 12)

    @pytest.mark.parametrize("weight", [0, -1])
    def test_leave_out_what_adds_nothing(self, weight: int) -> None:
        assert clear(make(2, {(0, 1): 1, (1, 0): weight - 1}), 2) == Rings((), 0)

    def test_take_an_arc_that_costs_where_its_ring_pays(self) -> None:
        assert clear(make(3, {(0, 1): 9, (1, 2): -4, (2, 0): 1}), 3) == Rings((("n0", "n1", "n2"),), 6)

    def test_say_nothing_of_a_graph_without_nodes(self) -> None:
        assert clear({"nodes": [], "arcs": []}, 3) == Rings((), 0)

    def test_are_proven_where_hundreds_of_parts_stand_apart(self) -> None:
        pairs = {ends: 1 for k in range(0, 600, 2) for ends in ((k, k + 1), (k + 1, k))}

        assert clear(make(600, pairs), 3).weight == 600

    @pytest.mark.parametrize("longest", [0, 1, 5, -3])
    def test_refuses_another_length(self, longest: int) -> None:
        with pytest.raises(LengthUnknown):
            clear(make(2, {}), longest)

    def test_refuses_to_guess_when_too_many_cycles_are_as_good(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ring_module, "MOST_CYCLES", 3)
        odd = make(5, {(a, b): 1 for a in range(5) for b in range(5) if a != b})

        with pytest.raises(RingsUnproven, match="More than 3 cycles"):
            clear(odd, 2)

    def test_say_what_is_open_when_the_time_is_over(self) -> None:
        draw = random.Random(9)  # noqa: S311
        pairs = [(a, b) for a in range(60) for b in range(60) if a != b]
        source = make(60, {ends: draw.choice([0.5, 2, 7.25]) * draw.randint(1, 9) for ends in draw.sample(pairs, 500)})
        best = clear(source, 3)

        hurried = clear_rings(read_digraph(source), longest=3, seconds=0)

        check_rings(source, hurried, 3)
        assert (best.proven, hurried.proven) == (True, False)
        assert hurried.weight < best.weight <= (hurried.at_most or 0)

    def test_are_as_many_as_can_be_where_all_weigh_the_same(self) -> None:
        draw = random.Random(10)  # noqa: S311
        pairs = [(a, b) for a in range(360) for b in range(360) if a != b]

        found = clear(make(360, dict.fromkeys(draw.sample(pairs, 8_000), 1)), 3)

        assert (found.weight, found.proven) == (360, True)


class TestCool:
    def test_finds_disjoint_cycles_and_the_same_ones_each_time(self) -> None:
        draw = random.Random(11)  # noqa: S311
        for _ in range(20):
            graph = read_digraph(draw_graph(draw))
            arcs = Arcs.of(len(graph.nodes), graph.tails, graph.heads)
            cycles = list_cycles(arcs, graph.whole_weights(), longest=4, least=1, most=10**6)

            found = [cool(arcs.size, cycles, warmth=1.0, steps=2_000, seed=3, goal=2**60).tolist() for _ in range(2)]

            nodes = cycles.nodes[found[0]]
            assert len(set(nodes[nodes >= 0].tolist())) == (nodes >= 0).sum()
            assert found[0] == found[1]


class TestCycles:
    def test_lists_those_over_a_threshold_and_no_others(self) -> None:
        draw = random.Random(8)  # noqa: S311
        for _ in range(40):
            graph = read_digraph(draw_graph(draw))
            arcs, weights = Arcs.of(len(graph.nodes), graph.tails, graph.heads), graph.whole_weights()
            every = list_cycles(arcs, weights, longest=4, least=-(10**17), most=10**6)
            least = int(weights.mean()) if len(weights) else 0

            heavy = list_cycles(arcs, weights, longest=4, least=least, most=10**6)

            assert heavy.weights.tolist() == [weight for weight in every.weights.tolist() if weight >= least]
            assert int(every.weights.max(initial=-(2**61))) <= heaviest_closed_walk(arcs, weights, longest=4)
            some = heavy_cycles(arcs, weights, longest=4, each=1)
            assert (len(some) > 0) == (int(every.weights.max(initial=0)) > 0)
            assert {*map(tuple, some.nodes.tolist())} <= {*map(tuple, every.nodes.tolist())}

    def test_stops_when_there_are_more_than_wanted(self) -> None:
        graph = read_digraph(make(6, {(a, b): 1 for a in range(6) for b in range(6) if a != b}))
        arcs = Arcs.of(6, graph.tails, graph.heads)

        with pytest.raises(TooMany):
            list_cycles(arcs, graph.whole_weights(), longest=3, least=1, most=10)


class TestReadDigraph:
    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ([], "object"),
            (None, "object"),
            ({}, "nodes"),
            ({"nodes": "ab", "arcs": []}, "nodes"),
            ({"nodes": ["a", "a"], "arcs": []}, "twice"),
            ({"nodes": [1, 1.0], "arcs": []}, "twice"),
            ({"nodes": [{"b": 1, "a": 2}, {"a": 2, "b": 1}], "arcs": []}, "twice"),
            ({"nodes": ["a"]}, "arcs"),
            ({"nodes": ["a"], "arcs": {}}, "arcs"),
            ({"nodes": ["a"], "arcs": [["a", "a", 1]]}, "Arc 1"),
            ({"nodes": ["a", "b"], "arcs": [{"from": "a", "to": "c", "weight": 1}]}, "“c” is not among"),
            ({"nodes": ["1", "2"], "arcs": [{"from": "1", "to": 2, "weight": 1}]}, "“2” is not among"),
            ({"nodes": [None], "arcs": [{"from": None, "weight": 1}]}, "must name nodes"),
            ({"nodes": ["a", "b"], "arcs": [{"from": "a", "to": "b"}]}, "weight"),
            ({"nodes": ["a", "b"], "arcs": [{"from": "a", "to": "b", "weight": True}]}, "weight"),
            ({"nodes": ["a", "b"], "arcs": [{"from": "a", "to": "b", "weight": "1"}]}, "weight"),
            ({"nodes": ["a", "b"], "arcs": [{"from": "a", "to": "b", "weight": float("nan")}]}, "weight"),
            ({"nodes": ["a", "b"], "arcs": [{"from": "a", "to": "b", "weight": float("inf")}]}, "weight"),
            ({"nodes": ["a", "b"], "arcs": [{"from": "a", "to": "b", "weight": 10**400}]}, "weight"),
            ({"nodes": [str(k) for k in range(20_001)], "arcs": []}, "20,001 nodes"),
            ({"nodes": [], "arcs": [None] * 500_001}, "500,001 arcs"),
        ],
    )
    def test_refuses_what_is_no_digraph(self, source: object, words: str) -> None:
        with pytest.raises(GraphUnreadable, match=words):
            read_digraph(source)

    def test_takes_nodes_of_any_kind_arcs_to_themselves_and_the_heaviest_of_several(self) -> None:
        nodes = ["1", 10, 9, None, True, ["x", 1], {"k": 2.5}]
        ends = [(9, 9, 50), (10, 9, 1), (9, 10, 2), (10, 9, 4), (10, 9, 3), ("1", True, 1), (True, "1", 1)]
        ends += [(None, ["x", 1], 1), (["x", 1], {"k": 2.5}, 1), ({"k": 2.5}, None, 1), (None, {"k": 2.5}, -9)]
        source = {"nodes": nodes, "arcs": [{"from": a, "to": b, "weight": w} for a, b, w in ends]}

        found = clear(source, 3)

        assert found.weight == 11
        assert found.rings == ((9, 10), ("1", True), (["x", 1], {"k": 2.5}, None))

    def test_keeps_decimals_exactly(self) -> None:
        graph = read_digraph(make(3, {(0, 1): 0.1, (1, 0): 2, (1, 2): 1.25}))

        assert graph.whole_weights().tolist() == [10, 200, 125]

    def test_rounds_only_what_no_whole_number_holds(self) -> None:
        graph = read_digraph(make(3, {(0, 1): 1e15, (1, 0): 1e-9, (1, 2): 5e14}))

        large, small, half = graph.whole_weights().tolist()
        assert small == 0
        assert large == pytest.approx(2 * half, rel=1e-12)
