from __future__ import annotations

import json
from pathlib import Path

import pytest

from concord.provider.people import PeopleInvalid, by_agency, read_people


class TestReadPeople:
    def test_reads_each_person(self, people_path: Path) -> None:
        people = read_people(people_path)

        assert [(person.subject, person.words) for person in people] == [
            ("ash", "Family finder"),
            ("bryn", "Agency manager"),
            ("cleo", "Adopters’ worker and finance officer"),
        ]

    def test_says_what_writes_the_file_when_there_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(PeopleInvalid, match="concord demo"):
            read_people(tmp_path / "people.json")

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            "7",
            "null",
            '{"subject": "ash"}',
            '[{"subject": "ash"}]',
            '[{"subject":"a","name":"A","email":"e","agency":"D","roles":["king"]}]',
        ],
    )
    def test_refuses_what_is_no_list_of_people(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "people.json"
        path.write_text(content, encoding="utf-8")

        with pytest.raises(PeopleInvalid):
            read_people(path)

    def test_refuses_one_subject_for_two_people(self, tmp_path: Path) -> None:
        path = tmp_path / "people.json"
        row = {"subject": "ash", "name": "Ash Sample", "email": "a@example.org", "agency": "Devon", "roles": []}
        path.write_text(json.dumps([row, {**row, "name": "Else Sample"}]), encoding="utf-8")

        with pytest.raises(PeopleInvalid, match="ash"):
            read_people(path)


class TestByAgency:
    def test_keeps_the_order_of_the_file(self, people_path: Path) -> None:
        groups = by_agency(read_people(people_path))

        assert [(agency, [person.subject for person in people]) for agency, people in groups] == [
            ("Devon", ["ash", "cleo"]),
            ("Torbay", ["bryn"]),
        ]
