"""Whether a search by words looks words up, as it must: without its index each search would read every record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

INDEXES = {
    "household": "household_words_idx",
    "sibling_group": "sibling_group_words_idx",
    "search_word": "search_word_alike_idx",
}
"""By which index each of them has to be looked up."""


PLANS = "SELECT record, plan FROM search_plans()"
"""What to ask the database, in whatever scope: how each would be searched if reading everything were dear."""


def searches_without_index(plans: Iterable[tuple[str, Any]]) -> list[str]:
    """Return what would be searched without its index, however few its rows are now; nothing is as it must be."""
    found = dict(plans)
    return sorted(record for record, index in INDEXES.items() if index not in _conditions(found[record]))


def _conditions(plan: Any) -> set[str]:  # noqa: ANN401 - a plan as the database writes it in JSON
    """Return the indexes in which a plan looks something up, rather than reads them through."""
    return {node["Index Name"] for node in _nodes(plan[0]["Plan"]) if "Index Cond" in node}


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
