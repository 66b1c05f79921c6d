"""What the ranking must never read, shown by what it is made of."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

import matching.ranking
from matching.ranking import facts
from matching.ranking.policy import default_policy

FOLDER = Path(matching.ranking.__file__).parent
AFTER = FOLDER / "assignment.py"
"""It reads lists that are made, to put groups and families together; the least cost of its flow is the most fit."""
PURE = sorted(path for path in FOLDER.rglob("*.py") if path != AFTER)
MONEY = re.compile(r"fee|cost|swap|balance|tariff|price|invoice|ledger", re.IGNORECASE)
PERSONAL = re.compile(r"single|adopters?_age|marital|partner|name|postcode|address|easting|distance_m", re.IGNORECASE)
BUSY = re.compile(r"considered|availability|confirmed|sibling_household|status", re.IGNORECASE)
FACTS = [kind for kind in vars(facts).values() if dataclasses.is_dataclass(kind) and isinstance(kind, type)]


class TestFacts:
    @pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
    def test_hold_no_money_and_nothing_that_bars_by_who_people_are(self, kind: type) -> None:
        names = [field.name for field in dataclasses.fields(kind)]

        assert not [name for name in names if MONEY.search(name) or PERSONAL.search(name)]

    @pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
    def test_hold_nothing_of_how_busy_a_family_is_or_where_a_sibling_lives(self, kind: type) -> None:
        assert not [field.name for field in dataclasses.fields(kind) if BUSY.search(field.name)]


class TestModules:
    @pytest.mark.parametrize("path", PURE, ids=lambda path: path.stem)
    def test_import_nothing_of_money_or_of_the_database(self, path: Path) -> None:
        imported = list(imports(path))

        assert not [name for name in imported if MONEY.search(name)]
        assert not [
            name
            for name in imported
            if name.startswith(("sqlalchemy", "tenants.")) and not name.startswith("tenants.error")
        ]

    @pytest.mark.parametrize("path", PURE, ids=lambda path: path.stem)
    def test_read_nothing_of_what_is_made_of_their_lists(self, path: Path) -> None:
        assert not [name for name in imports(path) if AFTER.stem in name]

    @pytest.mark.parametrize("path", PURE, ids=lambda path: path.stem)
    def test_name_nothing_of_money(self, path: Path) -> None:
        names = {node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)}
        attributes = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}

        assert not [name for name in names | attributes if MONEY.search(name)]

    @pytest.mark.parametrize("path", PURE, ids=lambda path: path.stem)
    def test_hold_no_floating_point_number(self, path: Path) -> None:
        """Whole numbers are why every machine gives one list."""
        numbers = [node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant)]
        divisions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Div)]

        assert not [number for number in numbers if isinstance(number, float)]
        assert not divisions


class TestPolicy:
    def test_weighs_no_money(self) -> None:
        policy = default_policy()

        assert not [code for code in (*policy.weights, *policy.additions, *policy.gates) if MONEY.search(code)]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> list[str]:
    """Return the names of everything a module imports."""
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found
