"""Find the figures that could tell of other agencies' records: what counts in SQL, and what is reckoned of a pool."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_WHOLE = frozenset({"int", "int | None"})
_COUNTS = "func.count("
_POOLS = re.compile(r"^from [\w.]+ import (?:\([^)]*|.*)\b(Pool|open_pool|WholePool|Ranking)\b", re.MULTILINE)
_TOLD = frozenset(
    {
        *("ranking.near_miss", "ranking.standing", "ranking.engine", "pack_content", "monitoring.consortium"),
        "fee.report.office_saving",
    }
)
"""What is reckoned of a pool that others opened, or of a whole consortium by the database."""


def counting_functions() -> set[str]:
    """Return each function that counts rows in SQL, as ``module.function``."""
    return {
        f"{name}.{node.name}"
        for name, source in _sources()
        if _COUNTS in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and _COUNTS in (ast.get_source_segment(source, node) or "")
    }


def pool_figures() -> set[str]:
    """Return each whole number in the values of modules that open a pool, as ``module.Class.field``."""
    return {
        f"{name}.{owner.name}.{field.target.id}"
        for name, source in _sources()
        if name in _TOLD or _POOLS.search(source)
        for owner in ast.walk(ast.parse(source))
        if isinstance(owner, ast.ClassDef)
        for field in owner.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if ast.unparse(field.annotation) in _WHOLE
    }


def _sources() -> Iterator[tuple[str, str]]:
    for storey in ("tenants", "matching"):
        for path in sorted((ROOT / storey).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT / storey).with_suffix("").parts), path.read_text("utf-8")
