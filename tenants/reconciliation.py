"""The reconciliation of a hand-over: what stands for each row's content before it moved, and after.

A row stands here by its table, its key and the SHA-256 of all that it says: every column but those that name an
agency, sealed values opened, files by their own SHA-256. Equal before and after, the row came as it went.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.custody import OpenedRow, moving, open_rows, row_key
from tenants.error import Conflict
from tenants.hand_over import HandOver, HandOverOver
from tenants.holding import Holding

HEADINGS = ("table", "row", "before", "after")
_WAY_IN = frozenset({"identity_provider_secret"})
"""What lets a program in, and nobody reads: it moves by the key to its sign-in service."""
_CLOSED = text("SELECT * FROM closed_in_hand_over(:hand_over, :side)")

Digests = dict[str, dict[str, bytes]]
"""By table and row, what stands for the content."""


class NotTheSame(Conflict):
    """What came is not what went; nothing of the hand-over is kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row that moved: the SHA-256 of its content before and after, in hexadecimal digits."""

    table: str
    row: str
    before: str
    after: str


def reconciled() -> list[Holding]:
    """Return the tables whose rows are compared: all that move, but for what nobody reads."""
    return [holding for holding in moving() if holding.table not in _WAY_IN]


def read_closed(session: Session, hand_over: HandOver, *, side: str, among: Digests | None = None) -> Digests:
    """Return what stands for each row that few of an agency's own people read; only once the hand-over was begun.

    :param side: “giver” or “receiver”: whose rows.
    """
    found: Digests = {holding.table: {} for holding in moving() if holding.closed}
    for table, row, digest in session.execute(_CLOSED, {"hand_over": hand_over.id, "side": side}):
        if among is None or row in among[table]:
            found[table][row] = bytes(digest)
    return found


def read_digests(session: Session, *, among: Digests | None = None) -> Digests:
    """Return what stands for each row of the scope's own agency; only of the rows ``among`` these where given."""
    found: Digests = {}
    for holding in (each for each in reconciled() if not each.closed):
        key = row_key(session, holding)
        wanted = None if among is None else among.get(holding.table, {})
        if wanted is not None and not wanted:
            continue
        ids = None if wanted is None else {row.partition("/")[0] for row in wanted}
        rows = ((_name(row, key), row) for row in open_rows(session, holding, among=ids))
        found[holding.table] = {
            name: digest_of(row, without=holding.agencies) for name, row in rows if wanted is None or name in wanted
        }
    return found


def digest_of(row: OpenedRow, *, without: Collection[str]) -> bytes:
    """Return the SHA-256 of a row's columns by name, the agencies' left out, and of its files."""
    said: dict[str, Any] = {name: value for name, value in row.values.items() if name not in without}
    said["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in row.files.items()}
    written = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).digest()


def reconcile(before: Digests, after: Digests, left: Digests, *, counts: dict[str, int], whole: bool) -> list[Line]:
    """Return each row that moved; ``left`` is what the agency that handed over has still.

    :param counts: how many rows of each table were moved.
    :raises NotTheSame: when a row is missing or says another thing, or a row stayed that should have moved.
    """
    lines: list[Line] = []
    for holding in reconciled():
        table = holding.table
        went, came, here = (each.get(table, {}) for each in (before, after, left))
        wrong = [row for row, said in went.items() if came.get(row, here.get(row)) != said]
        moved = [row for row in went if row in came]
        # A row of two sides may have been both agencies' before: then it came though nothing of it moved.
        if wrong or (whole and here) or (holding.sides == 1 and len(moved) != counts[table]):
            raise NotTheSame(
                f"Of {len(went)} rows of {table}, {len(wrong)} are not what they were, {len(here)} stayed and "
                f"{len(moved)} of {counts[table]} came. Nothing has been handed over; tell whoever runs Concord."
            )
        lines += [Line(table, row, went[row].hex(), came[row].hex()) for row in sorted(moved)]
    return lines


def pack_lines(lines: list[Line]) -> bytes:
    """Return lines as a CSV file with one heading row, compressed."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(HEADINGS)
    writer.writerows((each.table, each.row, each.before, each.after) for each in lines)
    return zlib.compress(file.getvalue().encode())


def lines_of(hand_over: HandOver) -> Iterator[Line]:
    """Yield each row that moved, by table and row.

    :raises HandOverOver: when it is not done yet.
    """
    rows = csv.reader(io.StringIO(csv_of(hand_over).decode()))
    next(rows)
    return (Line(*row) for row in rows)


def csv_of(hand_over: HandOver) -> bytes:
    """Return each row that moved as a CSV file.

    :raises HandOverOver: when it is not done yet.
    """
    if hand_over.lines is None:
        raise HandOverOver("Nothing has been handed over yet.")
    return zlib.decompress(hand_over.lines)


def _name(row: OpenedRow, key: tuple[str, ...]) -> str:
    return "/".join(str(row.values[column]) for column in key)
