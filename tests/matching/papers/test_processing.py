from __future__ import annotations

from matching.papers.processing import processings
from matching.retention.record_class import RecordClass, fixed_classes
from tenants.custody import REGISTER
from tenants.permission import TABLE, Verb

FAULT = "give it its place in matching/papers/processing.toml, which the controllers’ map is written from"


class TestProcessings:
    def test_have_a_place_for_each_table_of_the_register_of_custody(self) -> None:
        named = [table for each in processings() for table in each.tables]

        assert sorted(named) == sorted(holding.table for holding in REGISTER), FAULT

    def test_have_a_place_for_each_verb(self) -> None:
        assert sorted(verb for each in processings() for verb in each.verbs) == sorted(Verb), FAULT

    def test_name_each_class_of_the_retention_schedule(self) -> None:
        classes = {*RecordClass, *(each.code for each in fixed_classes())}

        assert {code for each in processings() for code in each.kept} == classes, FAULT

    def test_tell_of_every_role_that_the_table_lets(self) -> None:
        told = {words for each in processings() for words in each.rights()}

        for line in TABLE:
            words = f"{line.verb.words[:1].upper()}{line.verb.words[1:]}"
            assert any(what == words and all(role.label.lower() in who for role in line.roles) for what, who in told), (
                line
            )
