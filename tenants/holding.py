"""What the register of tables says of each: what becomes of its rows, and which of its values are sealed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

_LONGEST_ENDING = 5


class Course(StrEnum):
    """What becomes of an agency's rows when another takes over."""

    MOVES = "moves"
    """They become the receiving agency's, sealed values under its key."""
    STAYS = "stays"
    """They are history: they go on naming the agency that made them."""
    ENDS = "ends"
    """They were good for that agency only, and get an end date."""


class Form(StrEnum):
    """What a sealed value holds."""

    JSON = "json"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed column, and the column of the id that it is bound to."""

    column: str
    bound_to: str
    form: Form = Form.JSON
    apart: str = ""
    """What sets the id apart from the row's own, where two values of one row are sealed."""
    named_by: str | None = None
    """The column that holds the file's name."""
    ending: str = "bin"
    """What the file's name ends in, where no column says."""
    own_key: str | None = None
    """The column of the value's own key, where it has one."""

    def row_id(self, row: dict[str, Any]) -> UUID:
        """Return the id that a row's value is bound to."""
        own = UUID(str(row[self.bound_to]))
        return uuid5(own, self.apart) if self.apart else own

    def file_name(self, table: str, row: dict[str, Any]) -> str:
        """Return where a row's file lies among the files that go out: named by the row, not by what a person wrote."""
        ending = str(row[self.named_by]).rpartition(".")[2].casefold() if self.named_by else self.ending
        known = ending if ending.isascii() and ending.isalnum() and len(ending) <= _LONGEST_ENDING else self.ending
        return f"files/{table}/{self.row_id(row)}.{known}"


@dataclass(frozen=True, slots=True)
class Holding:
    """One table: what becomes of its rows."""

    table: str
    course: Course
    sealed: tuple[Sealed, ...] = ()
    agencies: tuple[str, ...] = ("agency_id",)
    """The columns that name an agency; the first of them say whose the row is."""
    sides: int = 1
    """How many of those columns do: two for what two agencies share."""
    root: bool = False
    """It is a record itself: what is handed over in part is so many of these, and what belongs to them."""
    about: str | None = None
    """The column with the id of the record that a row is about, where no foreign key says so."""
    through: tuple[str, str, str] | None = None
    """The table that says it instead, with its columns for this row's id and for the record's."""
    closed: bool = False
    """Not even the agency itself reads all of its rows, but whoever is appointed to: they are compared as they lie."""
    kept_in: str | None = None
    """Why its rows do not go out with the agency's records, where they do not."""
