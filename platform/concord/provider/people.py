"""The invented people whom the development provider vouches for, read from a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tenants.error import Invalid
from tenants.role import Role

FILE_NAME = "people.json"
STARTING_ROLES = (
    Role.FAMILY_FINDER,
    Role.COORDINATOR,
    Role.ADOPTERS_WORKER,
    Role.CHILDS_SOCIAL_WORKER,
    Role.MANAGER,
    Role.FINANCE_OFFICER,
)
"""The roles that have pages, in the order that a visitor may like to see them."""


class PeopleInvalid(Invalid):
    """The file of people is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Someone invented: how the provider names them, and what they do where."""

    subject: str
    name: str
    email: str
    agency: str
    roles: tuple[Role, ...]

    @property
    def words(self) -> str:
        """Return what the person does, in the words of pages."""
        labels = [role.label for role in self.roles]
        return " and ".join([labels[0], *(label.lower() for label in labels[1:])]) if labels else "No role"


def read_people(path: Path) -> tuple[DemoPerson, ...]:
    """Return the people in the file, in its order: a list of subject, name, email, agency and roles.

    :raises PeopleInvalid: when it is missing, malformed, or gives two people one subject.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        people = tuple(
            DemoPerson(
                subject=str(row["subject"]),
                name=str(row["name"]),
                email=str(row["email"]),
                agency=str(row["agency"]),
                roles=tuple(Role(role) for role in row["roles"]),
            )
            for row in rows
        )
    except FileNotFoundError:
        raise PeopleInvalid(f"There is no {path.name} in {path.parent}. “concord demo” writes it.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PeopleInvalid(f"{path} is no list of people: {error}. “concord demo” writes it anew.") from error
    _refuse_doubles(people, path)
    return people


def by_agency(people: tuple[DemoPerson, ...]) -> list[tuple[str, list[DemoPerson]]]:
    """Return the people of each agency, agencies in the order of their first person."""
    order = {person.agency: place for place, person in reversed(list(enumerate(people)))}
    ordered = sorted(people, key=lambda person: order[person.agency])
    return [(agency, list(members)) for agency, members in groupby(ordered, key=lambda person: person.agency)]


def starters(people: tuple[DemoPerson, ...]) -> list[tuple[Role, DemoPerson]]:
    """Return the first person of each role that has pages of its own, none twice, with the fewest roles besides."""
    found: list[tuple[Role, DemoPerson]] = []
    for role in STARTING_ROLES:
        holders = [person for person in people if role in person.roles and person not in [each for _, each in found]]
        if holders:
            found.append((role, min(holders, key=lambda person: len(person.roles))))
    return found


def _refuse_doubles(people: tuple[DemoPerson, ...], path: Path) -> None:
    """Refuse one subject for two people; one person may stand under several agencies."""
    known: dict[str, tuple[str, str]] = {}
    for person in people:
        if known.setdefault(person.subject, (person.name, person.email)) != (person.name, person.email):
            raise PeopleInvalid(f"{path} names two people “{person.subject}”.")
