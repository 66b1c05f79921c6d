"""What becomes of each table's rows when an agency hands over to another or leaves: one register of them all.

A table that names an agency has one line here, which says whether its rows move, stay or end, which of its values are
sealed, and whether it goes out with the agency's records. A test compares the lines with the database's catalogue, so
that a new table cannot be forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.cipher import unseal
from tenants.database import scope_of

_AT_ONCE = 500
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

    def row_id(self, row: dict[str, Any]) -> UUID:
        """Return the id that a row's value is bound to."""
        own = UUID(str(row[self.bound_to]))
        return uuid5(own, self.apart) if self.apart else own

    def file_name(self, table: str, row: dict[str, Any]) -> str:
        """Return where a row's file lies among the files that go out: named by the row, not by what a person wrote."""
        ending = str(row[self.named_by]).rpartition(".")[2].casefold() if self.named_by else ""
        known = ending if ending.isascii() and ending.isalnum() and len(ending) <= _LONGEST_ENDING else "bin"
        return f"files/{table}/{self.row_id(row)}.{known}"


@dataclass(frozen=True, slots=True)
class Holding:
    """One table: what becomes of its rows."""

    table: str
    course: Course
    sealed: tuple[Sealed, ...] = ()
    agencies: tuple[str, ...] = ("agency_id",)
    """The columns that name an agency; the first says whose the row is."""
    kept_in: str | None = None
    """Why its rows do not go out with the agency's records, where they do not."""


_KEYS = "keys never leave; what they seal goes out opened"
_SIGN_IN = "only the database itself reads who is signed in"
_DIRECTORY = "the directory is the service's; agency and consortium are named in the manifest"

# fmt: off
REGISTER: tuple[Holding, ...] = (
    # Records: they follow the agency's work.
    Holding("household", Course.MOVES),
    Holding("household_tolerance", Course.MOVES),
    Holding("household_profile", Course.MOVES),
    Holding("household_identity", Course.MOVES, (Sealed("sealed", "household_id"),)),
    Holding("household_place", Course.MOVES),
    Holding("sibling_group", Course.MOVES),
    Holding("sibling_group_profile", Course.MOVES),
    Holding("sibling_group_identity", Course.MOVES),
    Holding("sibling_group_place", Course.MOVES),
    Holding("sibling_placement", Course.MOVES),
    Holding("exclusion_area", Course.MOVES),
    Holding("child", Course.MOVES),
    Holding("child_need", Course.MOVES),
    Holding("child_identity", Course.MOVES, (Sealed("sealed", "child_id"),)),
    Holding("pool_entry", Course.MOVES),
    Holding("place_question", Course.MOVES),
    Holding("meeting_action", Course.MOVES, agencies=("agency_id", "office_id")),
    # History: what was done, by whom, and what was made of the records.
    Holding("audit_entry", Course.STAYS, agencies=("owner_agency_id", "actor_agency_id")),
    Holding("import_run", Course.STAYS, (
        Sealed("sealed", "id", Form.FILE, named_by="filename"), Sealed("sealed_mapping", "id", apart="mapping"))),
    Holding("import_row", Course.STAYS, (Sealed("sealed_problems", "id"), Sealed("sealed_changes", "id"))),
    Holding("import_image", Course.STAYS, (Sealed("sealed_before", "id"),)),
    Holding("import_shape", Course.STAYS, (Sealed("sealed", "id"),)),
    Holding("job", Course.STAYS),
    Holding("meeting", Course.STAYS),
    Holding("pack", Course.STAYS),
    Holding("pack_file", Course.STAYS, (Sealed("sealed", "id", Form.FILE, named_by="format"),)),
    Holding("ranking_run", Course.STAYS),
    Holding("ranking_line", Course.STAYS),
    Holding("ranking_snapshot", Course.STAYS, (Sealed("sealed", "row_id", Form.FILE),),
            kept_in="arrays that only a ranking reads; what it found is in ranking_line"),
    Holding("departure", Course.STAYS),
    Holding("agency_archive", Course.STAYS),
    # The directory.
    Holding("agency", Course.STAYS, agencies=("id", "successor_id"), kept_in=_DIRECTORY),
    Holding("agency_key", Course.STAYS, (), kept_in=_KEYS),
    Holding("agency_delegation", Course.ENDS, agencies=("agency_id", "acts_for_id")),
    Holding("appointment", Course.ENDS),
    Holding("invitation", Course.ENDS),
    Holding("consortium_member", Course.ENDS),
    Holding("sign_in_session", Course.ENDS, kept_in=_SIGN_IN),
    Holding("identity_provider", Course.ENDS, kept_in=_SIGN_IN),
    Holding("identity_provider_role", Course.ENDS, kept_in=_SIGN_IN),
    Holding("identity_provider_secret", Course.ENDS, kept_in=_SIGN_IN),
    Holding("email_domain", Course.ENDS, kept_in=_SIGN_IN),
    # Nobody's: they name no agency.
    Holding("consortium", Course.STAYS, agencies=(), kept_in=_DIRECTORY),
    Holding("person", Course.STAYS, agencies=(), kept_in="a person is not an agency's; who held which role goes out"),
    Holding("person_identity", Course.STAYS, agencies=(), kept_in="as above"),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """A row as it goes out: its columns by name, sealed values opened, and its files by the names in their columns."""

    values: dict[str, Any]
    files: dict[str, bytes]


def going_out() -> list[Holding]:
    """Return the tables that go out with an agency's records, in the register's order."""
    return [holding for holding in REGISTER if holding.kept_in is None]


def moving() -> list[Holding]:
    """Return the tables whose rows move, in the register's order."""
    return [holding for holding in REGISTER if holding.course is Course.MOVES]


def open_rows(session: Session, holding: Holding) -> Iterator[OpenedRow]:
    """Yield the scope's own agency's rows of a table, sealed values opened.

    Values are as PostgreSQL writes them in JSON: times in ISO 8601, bytes in hexadecimal digits after ``\\x``. The
    column of a sealed file holds the file's name instead.
    """
    own = {"own": scope_of(session).agency_id}
    query = text(_ROWS.format(own=_own(session, holding)))
    for (values,) in session.execute(query, own, execution_options={"yield_per": _AT_ONCE}):
        yield _opened(session, holding, dict(values))


def count_rows(session: Session, holding: Holding) -> int:
    """Return how many rows of a table are the scope's own agency's."""
    query = text(_COUNT.format(own=_own(session, holding)))
    return int(session.execute(query, {"own": scope_of(session).agency_id}).scalar_one())


def fingerprint(session: Session) -> bytes:
    """Return 32 bytes that stand for the records of the scope's own agency as they lie in the database now."""
    digest = hashlib.sha256()
    for holding in moving():
        query = text(_FINGERPRINT.format(own=_own(session, holding)))
        digest.update(session.execute(query, {"own": scope_of(session).agency_id}).scalar_one())
    return digest.digest()


_ROWS = "SELECT to_jsonb(t) FROM ({own}) t ORDER BY to_jsonb(t)::text"
_COUNT = "SELECT count(*) FROM ({own}) t"
_FINGERPRINT = """
    SELECT sha256(convert_to(coalesce(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY to_jsonb(t)::text), ''), 'UTF8'))
    FROM ({own}) t
"""
_COLUMNS = text("""
    SELECT quote_ident(attname) FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped
      AND has_column_privilege(attrelid, attnum, 'SELECT')
    ORDER BY attnum
""")


def _own(session: Session, holding: Holding) -> str:
    # Names of this register and of the catalogue, nothing from outside.
    columns = ", ".join(session.scalars(_COLUMNS, {"table": holding.table}))
    return f"SELECT {columns} FROM {holding.table} WHERE {holding.agencies[0]} = :own"  # noqa: S608


def _opened(session: Session, holding: Holding, row: dict[str, Any]) -> OpenedRow:
    values, files = dict(row), {}
    for sealed in holding.sealed:
        if row[sealed.column] is None:
            continue
        plain = unseal(session, bytes.fromhex(row[sealed.column][2:]), row_id=sealed.row_id(row))
        if sealed.form is Form.JSON:
            values[sealed.column] = json.loads(plain)
        else:
            values[sealed.column] = name = sealed.file_name(holding.table, row)
            files[name] = plain
    return OpenedRow(values, files)
