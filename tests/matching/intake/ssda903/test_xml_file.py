"""The XML of a return."""

from __future__ import annotations

import pytest

from matching.intake.sheet import UnreadableSheet
from matching.intake.ssda903.table import Table
from matching.intake.ssda903.xml_file import read_xml_file
from tests.matching.intake.ssda903.returns import Return, decision, episode, header, match

_CHILD = "<HEADER><CHILDID>A</CHILDID><DOB>01/02/2020</DOB></HEADER>"


class TestReadXmlFile:
    def test_gives_the_tables_of_each_child(self) -> None:
        content = Return(
            [header("A"), header("B")], [episode("A"), episode("B"), episode("B")], [decision("B")], [match("B")]
        ).xml()
        records = read_xml_file(content, sheet="r.xml")
        assert [(each.row, each.child, each.table) for each in records] == [
            (1, "A", Table.HEADER),
            (1, "A", Table.EPISODES),
            (2, "B", Table.HEADER),
            (2, "B", Table.EPISODES),
            (2, "B", Table.EPISODES),
            (2, "B", Table.AD1),
            (2, "B", Table.PLACED),
        ]
        assert records[1].cells["PLACE"] == "U1"
        assert records[4].problem("LS", "").column == "LS of episode 2"

    def test_takes_a_namespace_and_small_letters(self) -> None:
        content = f'<expssda903 xmlns="urn:x"><child>{_CHILD.lower()}</child></expssda903>'.encode()
        assert [each.child for each in read_xml_file(content, sheet="r")] == ["a"]

    def test_keeps_a_child_without_a_number(self) -> None:
        content = b"<EXPSSDA903><CHILD/><CHILD><EPISODE><LS>E1</LS></EPISODE></CHILD></EXPSSDA903>"
        records = read_xml_file(content, sheet="r")
        assert [(each.row, each.child, each.table) for each in records] == [
            (1, None, Table.HEADER),
            (2, None, Table.HEADER),
            (2, None, Table.EPISODES),
        ]

    def test_tells_of_an_element_that_says_two_things(self) -> None:
        twice = _CHILD.replace("<DOB>", "<DOB>02/02/2020</DOB><DOB>")
        [record] = read_xml_file(f"<EXPSSDA903><CHILD>{twice}</CHILD></EXPSSDA903>".encode(), sheet="r")
        assert [(each.column, each.reason) for each in record.problems] == [
            ("DOB", "the child’s record gives it twice, differently")
        ]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"<EXPSSDA903><CHILD>", "not well-formed"),
            (b"<html></html>", "no SSDA903 return"),
            (b"<EXPSSDA903>\xff</EXPSSDA903>", "not well-formed"),
            (b"<?xml version='1.0' encoding='nonsense'?><EXPSSDA903/>", "not well-formed"),
            (b"<!DOCTYPE x [<!ENTITY a 'b'>]><EXPSSDA903>&a;</EXPSSDA903>", "declarations"),
            (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><EXPSSDA903/>", "declarations"),
            (b"<EXPSSDA903>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</EXPSSDA903>", "nests"),
            (b"<EXPSSDA903><CHILD><HEADER><UPN>" + b"x" * 30_000 + b"</UPN></HEADER></CHILD></EXPSSDA903>", "30000"),
        ],
    )
    def test_refuses_what_is_no_return(self, content: bytes, words: str) -> None:
        with pytest.raises(UnreadableSheet, match=words):
            read_xml_file(content, sheet="r.xml")
