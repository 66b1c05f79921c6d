"""Rings cleared, against kep_solver on the same graphs in the same run: the same optimum, and the ratio of times.

Run ``python -m bench.rings [--small 5000] [--seconds 120] [--seeds 1] [--json]``; ``--seeds`` is how often each kind of
graph is drawn anew. kep_solver (AGPL-3.0) is no dependency and is
never imported here: it is installed into an environment of its own, which lasts as long as the run, and works in a
process of its own with the solver that it brings (CBC). Where it cannot be installed, the run says so and measures
Concord alone. Both are timed from reading the graph to the rings, without starting Python. ``--small`` graphs are held
against a search of everything as well.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from matching.swap.digraph import read_digraph
from matching.swap.ring import Rings, clear_rings
from tests.matching.swap.brute import best_weight, check_rings

RIVAL = "kep_solver==4.0.2"
BLOOD = ("O", "A", "B", "AB"), (48, 33, 14, 5)
SENSITISED = (0.05, 0.1, 0.9), (70, 20, 10)
# How the arcs lie, nodes, arcs (the most, where the kind decides), longest ring, whether arcs have weights
CASES = (
    ("kidney", 100, 1_000, 3, True),
    ("kidney", 200, 3_000, 3, True),
    ("kidney", 360, 8_000, 3, False),
    ("kidney", 360, 8_000, 3, True),
    ("kidney", 360, 8_000, 4, True),
    ("uneven", 360, 8_000, 3, False),
    ("uneven", 360, 8_000, 3, True),
    ("uneven", 360, 8_000, 2, True),
    ("even", 100, 1_500, 3, True),
    ("even", 150, 2_000, 3, True),
    ("even", 200, 3_000, 3, True),
    ("even", 360, 8_000, 3, False),
    ("tournament", 360, 8_000, 3, False),
    ("near", 360, 8_000, 3, False),
    ("blocks", 360, 8_000, 3, True),
    ("even", 360, 8_000, 3, True),
)


def make_graph(kind: str, nodes: int, arcs: int, *, weighted: bool, draw: random.Random) -> dict[str, Any]:
    """Return a synthetic digraph: as kidney exchanges are, or of another kind of ``_pairs``."""
    pairs = _kidney(nodes, draw) if kind == "kidney" else _pairs(nodes, arcs, kind, draw)
    chosen = sorted(draw.sample(pairs, min(arcs, len(pairs))))
    names = [f"n{k:04}" for k in range(nodes)]
    return {
        "nodes": names,
        "arcs": [
            {"from": names[a], "to": names[b], "weight": draw.randint(1, 90) if weighted else 1} for a, b in chosen
        ],
    }


def _pairs(nodes: int, arcs: int, kind: str, draw: random.Random) -> list[tuple[int, int]]:
    """Return ends to draw from: any, one way alone, near in a round, within a twelfth of the nodes, or uneven."""
    every = [(a, b) for a in range(nodes) for b in range(nodes) if a != b]
    if kind == "even":
        return every
    if kind == "tournament":
        return [(a, b) if draw.random() < 0.5 else (b, a) for a, b in every if a < b]
    if kind == "near":
        return [(a, b) for a, b in every if min((a - b) % nodes, (b - a) % nodes) <= 15]
    if kind == "blocks":
        return [(a, b) for a, b in every if a * 12 // nodes == b * 12 // nodes]
    gives, takes = ([draw.random() ** 2 + 0.02 for _ in range(nodes)] for _ in range(2))
    found: set[tuple[int, int]] = set()
    while len(found) < arcs:
        a, b = draw.choices(range(nodes), gives)[0], draw.choices(range(nodes), takes)[0]
        if a != b:
            found.add((a, b))
    return sorted(found)


def _kidney(nodes: int, draw: random.Random) -> list[tuple[int, int]]:
    """Return the arcs of incompatible pairs by blood and sensitisation (S. Saidman et al., 2006)."""
    pairs: list[tuple[str, str, float]] = []
    while len(pairs) < nodes:
        patient, donor = draw.choices(*BLOOD, k=2)
        cross = draw.choices(*SENSITISED)[0]
        if not (_bears(donor, patient) and draw.random() > cross):
            pairs.append((patient, donor, cross))
    return [
        (a, b)
        for a, (_, donor, _) in enumerate(pairs)
        for b, (patient, _, cross) in enumerate(pairs)
        if a != b and _bears(donor, patient) and draw.random() > cross
    ]


def _bears(donor: str, patient: str) -> bool:
    return donor == "O" or set(donor) <= set(patient)


def measure(source: dict[str, Any], longest: int, seconds: float) -> tuple[Rings, float, float]:
    """Return Concord's rings, checked, its seconds by the clock, and those of the processor."""
    start, worked = time.perf_counter(), time.process_time()
    found = clear_rings(read_digraph(source), longest=longest, seconds=seconds)
    taken = time.perf_counter() - start, time.process_time() - worked
    check_rings(source, found, longest)
    return found, *taken


def install_rival(folder: Path) -> str | None:
    """Return the Python of a new environment that holds the rival, or ``None`` when it can't be had."""
    python = str(folder / "bin" / "python")
    uv = [sys.executable, "-m", "uv"]
    make = [*uv, "venv", "-q", "-p", sys.executable, str(folder)]
    for step in (make, [*uv, "pip", "install", "-q", "-p", python, RIVAL]):
        done = subprocess.run(step, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            print(f"kep_solver can't be installed here, so Concord is measured alone: {done.stderr.strip()[-200:]}")
            return None
    return python


def ask_rival(python: str, source: dict[str, Any], longest: int, seconds: float) -> tuple[float | None, float]:
    """Return the rival's proven weight, or ``None``, and its seconds."""
    script = Path(__file__).with_name("rings_rival.py")
    done = subprocess.run(  # noqa: S603
        [python, script, str(longest), str(seconds)],
        input=json.dumps(source),
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["weight"], answer["seconds"]


def compare_small(count: int, draw: random.Random) -> int:
    """Hold so many small graphs against a search of everything; return how many are equal: all, or it stops."""
    for trial in range(count):
        size, longest = draw.randint(2, 9), 2 + trial % 3
        pairs = [(a, b) for a in range(size) for b in range(size) if a != b]
        arcs = [
            {"from": f"n{a}", "to": f"n{b}", "weight": (1, draw.randint(-3, 9), draw.random())[trial % 7 % 3]}
            for a, b in draw.sample(pairs, draw.randint(0, min(len(pairs), 30)))
        ]
        source = {"nodes": [f"n{k}" for k in range(size)], "arcs": arcs}
        found = clear_rings(read_digraph(source), longest=longest)
        check_rings(source, found, longest)
        assert abs(Fraction(found.weight) - best_weight(source, longest)) <= Fraction(1, 10**9), source
    return count


def main() -> None:
    """Measure, and print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        python = install_rival(Path(folder) / "rival")
        drawn = enumerate((case, again) for case in CASES for again in range(options.seeds))
        for seed, ((kind, nodes, arcs, longest, weighted), _) in drawn:
            source = make_graph(kind, nodes, arcs, weighted=weighted, draw=random.Random(seed))  # noqa: S311
            ours, our_time, worked = measure(source, longest, options.seconds)
            theirs, their_time = ask_rival(python, source, longest, options.seconds) if python else (None, 0.0)
            assert theirs is None or (ours.weight == theirs if ours.proven else ours.weight <= theirs)
            rows.append(
                {
                    "graph": f"{kind}, {nodes} nodes, {len(source['arcs']):,} arcs{'' if weighted else ', weights 1'}",
                    "longest": longest,
                    "weight": ours.weight,
                    "at_most": ours.weight if ours.proven else ours.at_most,
                    "seconds": round(our_time, 2),
                    "processor_seconds": round(worked, 2),
                    "kep_solver": theirs if python else "not measured",
                    "kep_solver_seconds": round(their_time, 2),
                    "ratio": round(their_time / our_time, 1) if python else None,
                }
            )
            if not options.json:
                print(rows[-1], flush=True)
    equal = compare_small(options.small, random.Random(1))  # noqa: S311
    print(json.dumps({"cases": rows, "small_graphs_equal": equal}) if options.json else f"{equal} small graphs equal")


if __name__ == "__main__":
    main()
