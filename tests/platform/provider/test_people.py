from __future__ import annotations

import json
from pathlib import Path

import pytest

from concord.provider.people import DemoPerson, PeopleInvalid, by_agency, read_people, starters
from tenants.role import Role


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


class TestStarters:
    def test_are_the_first_of_each_role_with_pages(self) -> None:
        people = (
            person("money", Role.FINANCE_OFFICER),
            person("both", Role.FAMILY_FINDER, Role.MANAGER),
            person("finder", Role.FAMILY_FINDER),
            person("finder-2", Role.FAMILY_FINDER),
            person("office", Role.COORDINATOR),
        )

        assert [(role, each.subject) for role, each in starters(people)] == [
            (Role.FAMILY_FINDER, "finder"),
            (Role.COORDINATOR, "office"),
            (Role.MANAGER, "both"),
            (Role.FINANCE_OFFICER, "money"),
        ]

    def test_are_nobody_twice(self) -> None:
        assert len(starters((person("all", Role.FAMILY_FINDER, Role.MANAGER),))) == 1
        assert starters(()) == []


class TestByAgency:
    def test_keeps_the_order_of_the_file(self, people_path: Path) -> None:
        groups = by_agency(read_people(people_path))

        assert [(agency, [person.subject for person in people]) for agency, people in groups] == [
            ("Devon", ["ash", "cleo"]),
            ("Torbay", ["bryn"]),
        ]


def person(subject: str, *roles: Role) -> DemoPerson:
    return DemoPerson(subject=subject, name=subject.title(), email=f"{subject}@example.org", agency="D", roles=roles)
