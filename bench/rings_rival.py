"""The rival of ``bench.rings``, run in an environment of its own: kep_solver's best rings of the graph on its input.

It imports nothing of Concord, and nothing of Concord imports it. Cycles only, no chains: its cycle formulation by CBC.
"""

# mypy: ignore-errors
from __future__ import annotations

import json
import sys
import time

if __name__ == "__main__":
    import pulp
    from kep_solver.entities import Donor, Instance, Recipient, Transplant
    from kep_solver.model import CycleAndChainModel, Objective, Sense
    from kep_solver.programme import Programme
    from kep_solver.solving import SolvingOptions

    graph, longest, seconds = json.load(sys.stdin), int(sys.argv[1]), float(sys.argv[2])
    start = time.perf_counter()
    weight = {(arc["from"], arc["to"]): arc["weight"] for arc in graph["arcs"]}

    class Weight(Objective):
        """What the arcs of a cycle weigh."""

        def __init__(self):  # noqa: ANN204 - the rival's own shape
            pass

        def value(self, graph, exchange):  # noqa: ANN001, ANN201, ARG002
            """Return the weight of a cycle."""
            ring = [vertex.donor.id for vertex in exchange.vertices]
            return sum(weight[ends] for ends in zip(ring, ring[1:] + ring[:1], strict=True))

        def describe(self):  # noqa: ANN201
            """Say what it is."""
            return "weight"

        @property
        def sense(self):  # noqa: ANN201
            """Say that more is better."""
            return Sense.MAX

    instance = Instance()
    recipients = {node: Recipient(node) for node in graph["nodes"]}
    donors = {node: Donor(node) for node in graph["nodes"]}
    for node, recipient in recipients.items():
        instance.addRecipient(recipient)
        donors[node].recipient = recipient
        recipient.addDonor(donors[node])
        instance.addDonor(donors[node])
    for (tail, head), value in weight.items():
        donors[tail].addTransplant(Transplant(donors[tail], recipients[head], float(value)))
    solver = pulp.getSolver("PULP_CBC_CMD", msg=False, timeLimit=seconds)
    programme = Programme([Weight()], longest, 0, "rings", model=CycleAndChainModel, full_details=False)
    solution, model = programme.solve_single(instance, solvingOptions=SolvingOptions(solver))
    taken = time.perf_counter() - start
    certain = solution is not None and taken < seconds
    print(json.dumps({"weight": solution.values[0] if certain else None, "seconds": taken}))
