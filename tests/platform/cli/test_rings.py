"""``concord rings --graph``: a file in, proven rings out, and no database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
        assert answer("rings", "--graph", str(graph), "--max-length", "3") == {"rings": [["a", "b"]], "weight": 3.5}

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

    @pytest.mark.parametrize("length", ["1", "5", "x"])
    def test_refuses_another_length(self, graph: Path, length: str) -> None:
        assert run("rings", "--graph", str(graph), "--max-length", length).exit_code == 2
