"""``concord rings``: a graph in, proven rings out, and no database; or the rings of a swap group."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tenants.database import Database
from tests.factories import Factories
from tests.matching.swap.ground import make_ground
from tests.platform.cli.run import answer, refusal, run

GRAPH = {
    "nodes": ["a", "b", "c"],
    "arcs": [{"from": "b", "to": "a", "weight": 1.5}, {"from": "a", "to": "b", "weight": 2}],
}


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(GRAPH), encoding="utf-8")
    return path


class TestRings:
    def test_gives_what_the_documentation_shows(self, graph: Path) -> None:
        assert answer("rings", "--graph", str(graph), "--max-length", "3") == {
            "rings": [["a", "b"]],
            "weight": 3.5,
            "proven": True,
        }

    def test_says_it_in_words(self, graph: Path) -> None:
        assert run("rings", "--graph", str(graph)).stdout == "a → b → a\n1 rings, weight 3.5\n"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "graph.json is not JSON"),
            ("[" * 100_000, "graph.json is not JSON"),
            ("\xff", "graph.json is not JSON"),
            ('{"nodes": ["a"], "arcs": [{"from": "a", "to": "z", "weight": 1}]}', "Arc 1: “z” is not among the nodes."),
        ],
    )
    def test_refuses_what_is_no_graph(self, graph: Path, text: str, words: str) -> None:
        graph.write_bytes(text.encode("latin-1") if text == "\xff" else text.encode())

        assert words in refusal("rings", "--graph", str(graph))

    def test_says_what_is_open_when_the_time_is_over(self, graph: Path) -> None:
        draw = random.Random(9)  # noqa: S311
        pairs = draw.sample([(a, b) for a in range(60) for b in range(60) if a != b], 500)
        arcs = [{"from": a, "to": b, "weight": draw.randint(1, 90)} for a, b in pairs]
        graph.write_text(json.dumps({"nodes": list(range(60)), "arcs": arcs}), encoding="utf-8")

        result = run("rings", "--graph", str(graph), "--seconds", "0.000001", "--json")

        found = json.loads(result.stdout)
        assert (result.exit_code, found["proven"]) == (1, False)
        assert found["weight"] < found["at_most"]
        assert f"of weight {found['at_most']} at most" in result.stderr

    @pytest.mark.parametrize("length", ["1", "5", "x"])
    def test_refuses_another_length(self, graph: Path, length: str) -> None:
        assert run("rings", "--graph", str(graph), "--max-length", length).exit_code == 2

    def test_wants_a_graph_or_an_agency(self, graph: Path) -> None:
        assert run("rings").exit_code == 2
        assert run("rings", "--graph", str(graph), "--agency", "devon").exit_code == 2


@pytest.mark.usefixtures("on_servers")
class TestSwapGroup:
    def test_tells_the_office_all_and_an_agency_its_own(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        for member in (ground.devon, ground.dorset):
            factories.group(member)
            factories.household(member)

        office = answer("rings", "--agency", ground.office.slug, "--max-length", "2")
        devon = answer("rings", "--agency", ground.devon.slug, "--swap-group", "Under three")

        assert [len(ring) for ring in office["rings"]] == [2]
        assert office["points"] == sum(leg["points"] for ring in office["rings"] for leg in ring)
        assert (devon["rings"], len(devon["others"])) == ([], 2)
        assert "Ring 1" in run("rings", "--agency", ground.office.slug).stdout
        assert "it is in none" in refusal("rings", "--agency", ground.outsider.slug)
        assert "“Under three”" in refusal("rings", "--agency", ground.devon.slug, "--swap-group", "Another")
