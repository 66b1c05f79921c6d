"""``docs/cli.md`` shows each answer in JSON as the commands give it: its examples have the schemas' fields."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema, fields

from concord.cli import COMMANDS
from concord.schema.import_run import ImportRunSchema, RowOutcomeSchema
from concord.schema.job import JobSchema
from concord.schema.link import LinkSchema
from concord.schema.placement import PlacementSchema
from concord.schema.pool import PoolViewSchema
from concord.schema.ranking import ExplanationSchema, FamilySchema

DOCUMENT = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


class TestDocument:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_names_every_command(self, name: str) -> None:
        assert re.search(rf"^\|[^|]*`{name}[ `]", DOCUMENT, re.MULTILINE)

    @pytest.mark.parametrize(
        ("heading", "schema", "beside"),
        [
            ("import", ImportRunSchema(), {"rows"}),
            ("jobs list", JobSchema(many=True), set()),
            ("pool assign", PoolViewSchema(), set()),
            ("why", ExplanationSchema(), {"group", "household", "as_of"}),
            ("link show", LinkSchema(), set()),
            ("placement show", PlacementSchema(), set()),
        ],
    )
    def test_shows_the_fields_of_the_schema(self, heading: str, schema: Schema, beside: set[str]) -> None:
        shown = example(heading)
        for one in shown if schema.many else [shown]:
            check(one, schema, beside=beside)

    def test_shows_the_fields_of_what_lies_within(self) -> None:
        ranked, taken = example("rank"), example("import")

        assert ranked["families"]
        assert {problem["reason"] for row in taken["rows"] for problem in row["problems"]}
        for family in ranked["families"]:
            check(family, FamilySchema())
        for row in taken["rows"]:
            check(row, RowOutcomeSchema())


def example(heading: str) -> Any:
    """Return the JSON under a heading."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert found, heading
    return json.loads(found[1])


def check(shown: dict[str, Any], schema: Schema, *, beside: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Check that an example has a schema's fields and whatever stands beside them, all the way down."""
    assert set(shown) == set(schema.fields) | beside
    known = {name: value for name, value in shown.items() if name in schema.fields}
    assert schema.validate(known, many=False) == {}
    for name, field in schema.fields.items():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            for one in shown[name] if isinstance(field, fields.List) else [shown[name]]:
                if one is not None:
                    check(one, inner.schema)
