"""What is done with information, for what and by whom: the controllers’ map as data.

Each table of the register of custody, verb of the table of permissions and class of the retention schedule has its
place here, and a test compares them: the map cannot drift from the program.
"""

from __future__ import annotations

import tomllib
from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from tenants.permission import TABLE, Relation, Verb
from tenants.role import Role


class Controller(StrEnum):
    """Who decides why and how information is used."""

    OWNER = "owner"
    SIDES = "sides"
    TOGETHER = "together"
    AGENCY = "agency"
    SERVICE = "service"

    @property
    def words(self) -> str:
        """Return who that is; of what members do together, the consortium says."""
        return _CONTROLLERS[self]


_CONTROLLERS = {
    Controller.OWNER: "The agency whose record it is.",
    Controller.SIDES: "Each of the two agencies, for its own side.",
    Controller.TOGETHER: "As the consortium has settled:",
    Controller.AGENCY: "Each agency, for its own people, files and duties.",
    Controller.SERVICE: "Each agency for its own part; whoever hosts Concord does it on their behalf.",
}


class Basis(StrEnum):
    """Of whom the lawful basis is told."""

    SUBJECTS = "subjects"
    STAFF = "staff"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Processing:
    """One thing that is done with information."""

    code: str
    title: str
    purpose: str
    information: str
    about: str
    controller: Controller
    basis: Basis
    sharing: str
    tables: tuple[str, ...]
    verbs: tuple[Verb, ...]
    kept: tuple[str, ...]
    """The classes of the retention schedule that it falls under, by their codes."""

    def rights(self) -> tuple[tuple[str, str], ...]:
        """Return what people may do, and whose roles let them, in words of the table of permissions."""
        lines = (line for verb in self.verbs for line in TABLE if line.verb is verb)
        return tuple((_sentence(line.verb.words), _who(line.roles, line.whose)) for line in lines)


@cache
def processings() -> tuple[Processing, ...]:
    """Return all that is done, in the order of the map."""
    said = tomllib.loads(files("matching.papers").joinpath("processing.toml").read_text(encoding="utf-8"))
    return tuple(
        Processing(
            code=code,
            title=each["title"],
            purpose=each["purpose"],
            information=each["information"],
            about=each["about"],
            controller=Controller(each["controller"]),
            basis=Basis(each["basis"]),
            sharing=each["sharing"],
            tables=tuple(each["tables"]),
            verbs=tuple(Verb(verb) for verb in each["verbs"]),
            kept=tuple(each["kept"]),
        )
        for code, each in said.items()
    )


_WHOSE = {
    Relation.OWN: "the agency’s own",
    Relation.LINK: "the other side’s of a link",
    Relation.POOL: "what others share with the consortium",
    Relation.OFFICE: "as the office, what members share",
}


def _who(roles: Set[Role], whose: Set[Relation]) -> str:
    held = ", ".join(role.label.lower() for role in Role if role in roles)
    of = "; ".join(words for relation, words in _WHOSE.items() if relation in whose)
    return f"{held} ({of})" if of else held


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
