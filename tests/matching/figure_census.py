"""Find the figures that could tell of other agencies' records: what counts in SQL, and what is reckoned of a pool."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_WHOLE = frozenset({"int", "int | None"})
_POOLS = frozenset({"Pool", "open_pool", "WholePool", "Ranking"})
_TOLD = frozenset({"ranking.near_miss", "ranking.standing", "ranking.engine", "pack_content"})
"""What is reckoned of a pool that others opened."""


def counting_functions() -> set[str]:
    """Return each function that counts rows in SQL, as ``module.function``."""
    return {f"{name}.{node.name}" for name, tree in _modules() for node in ast.walk(tree) if _counts(node)}  # type: ignore[attr-defined]


def pool_figures() -> set[str]:
    """Return each whole number in the values of modules that open a pool, as ``module.Class.field``."""
    return {
        f"{name}.{owner.name}.{field.target.id}"
        for name, tree in _modules()
        if name in _TOLD or _opens_a_pool(tree)
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for field in owner.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if ast.unparse(field.annotation) in _WHOLE
    }


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for storey in ("tenants", "matching"):
        for path in sorted((ROOT / storey).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT / storey).with_suffix("").parts)
            yield name, ast.parse(path.read_text("utf-8"))


def _counts(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef):
        return False
    return any(isinstance(each, ast.Attribute) and ast.unparse(each) == "func.count" for each in ast.walk(node))


def _opens_a_pool(tree: ast.Module) -> bool:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return bool(names & _POOLS)
