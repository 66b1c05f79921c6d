"""What lets an agency's rows become another's, made from the register at each upgrade: rights, keys and functions.

A table that gets its line in ``tenants/custody.py`` needs nothing else. Foreign keys between tables whose rows move
are made deferrable, so that within one transaction rows may move table by table; the functions that move them are
written out statement by statement, so that no table is ever named by a caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from tenants.custody import KEY, moving
from tenants.holding import Holding, Sealed

MOVER = "concord_custody"
_SEARCH = "SET search_path = pg_catalog, public, pg_temp"


@dataclass(frozen=True, slots=True)
class Tie:
    """A foreign key between two tables whose rows move: by which columns, and which agency follows which."""

    name: str
    table: str
    target: str
    columns: tuple[tuple[str, str], ...]
    """Own and other column, where they name no agency."""
    agencies: tuple[tuple[str, str], ...]
    """Own and other column, where they do."""
    deferrable: bool
    follows: bool
    """It changes its row by itself when the other's agency changes: one side of it before the other."""


def keep_custody(connection: Connection) -> None:
    """Bring rights, keys and functions to what the register says; doing it again changes nothing."""
    ties = list_ties(connection)
    for tie in ties:
        if tie.follows:
            _let_stand(connection, tie)
        elif not tie.deferrable:
            connection.execute(text(f"ALTER TABLE {tie.table} ALTER CONSTRAINT {tie.name} DEFERRABLE"))
    known = set(connection.scalars(text("SELECT tablename FROM pg_policies WHERE policyname = 'move_custody_read'")))
    for holding in moving():
        _give_rights(connection, holding, ties, fresh=holding.table not in known)
    for name, arguments, returns, body in (
        ("lock_custody", "", "void", _lock()),
        ("move_custody", "whole boolean, giver uuid, receiver uuid, moving uuid[]", "jsonb", _move(ties)),
        ("closed_custody", "whose uuid", "TABLE (its_table text, its_row text, digest bytea)", _closed(connection)),
        ("reseal_custody", "what text, receiver uuid, ids uuid[], anew bytea[]", "integer", _reseal()),
    ):
        # As it stands: the driver's own way reads no colon as a parameter.
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}({arguments}) RETURNS {returns} "
            f"LANGUAGE plpgsql {_SEARCH} AS $$ {body} $$"
        )
        types = ", ".join(each.split()[1] for each in arguments.split(", ") if each)
        connection.execute(text(f"REVOKE ALL ON FUNCTION {name}({types}) FROM PUBLIC"))
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {name}({types}) TO {MOVER}"))


def list_ties(connection: Connection) -> list[Tie]:
    """Return the foreign keys between tables whose rows move that carry an agency, by table and name."""
    agencies = {holding.table: holding.agencies for holding in moving()}
    ties = []
    for name, table, target, deferrable, follows, own, other in connection.exec_driver_sql(_FOREIGN_KEYS):
        if table not in agencies or target not in agencies:
            continue
        pairs = list(zip(own, other, strict=True))
        carried = tuple(pair for pair in pairs if pair[0] in agencies[table] and pair[1] in agencies[target])
        if carried:
            plain = tuple(pair for pair in pairs if pair not in carried)
            ties.append(Tie(name, table, target, plain, carried, deferrable, follows))
    return ties


def in_order(ties: list[Tie]) -> list[Holding]:
    """Return the tables whose rows move, each after those that its foreign keys point to."""
    left, done = moving(), list[Holding]()
    while left:
        names = {holding.table for holding in left}
        waiting = {tie.table for tie in ties if tie.target in names and tie.target != tie.table}
        ready = [holding for holding in left if holding.table not in waiting]
        if not ready:
            raise RuntimeError(f"foreign keys of these tables point in a circle: {', '.join(sorted(names))}")
        done += ready
        left = [holding for holding in left if holding not in ready]
    return done


_FOREIGN_KEYS = """
    SELECT quote_ident(c.conname), c.conrelid::regclass::text, c.confrelid::regclass::text, c.condeferrable,
           c.confupdtype <> 'a', array_agg(a.attname::text ORDER BY k.position),
           array_agg(b.attname::text ORDER BY k.position)
    FROM pg_constraint c
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, position)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own
    JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.other
    WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
    GROUP BY c.oid, c.conname, c.conrelid, c.confrelid, c.condeferrable, c.confupdtype ORDER BY 2, 1
"""


def _let_stand(connection: Connection, tie: Tie) -> None:
    """Make a key anew that is checked at the end and changes nothing by itself: a CHECK of two sides cannot wait."""
    found = connection.scalars(
        _DEFINITION,
        {"table": tie.table, "name": tie.name},
    ).one()
    anew = found.replace(" ON UPDATE CASCADE", "").removesuffix(" DEFERRABLE")
    connection.execute(
        text(f"ALTER TABLE {tie.table} DROP CONSTRAINT {tie.name}, ADD CONSTRAINT {tie.name} {anew} DEFERRABLE")
    )


_DEFINITION = text(
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE conrelid = to_regclass(:table) AND quote_ident(conname) = :name"
)


def _give_rights(connection: Connection, holding: Holding, ties: list[Tie], *, fresh: bool) -> None:
    own = [tie for tie in ties if tie.table == holding.table]
    pointed = [other for tie in ties if tie.target == holding.table for _, other in (*tie.columns, *tie.agencies)]
    read = dict.fromkeys(
        (
            *holding.agencies,
            *pointed,
            *(column for tie in own for column, _ in tie.columns),
            *(sealed.bound_to for sealed in holding.sealed),
            *((holding.about,) if holding.about else ()),
            *(("id",) if holding.root else ()),
        )
    )
    written = dict.fromkeys((*holding.agencies, *(each.column for each in _resealed(holding))))
    if holding.closed:
        connection.execute(text(f"GRANT SELECT ON {holding.table} TO {MOVER}"))
    for right in (f"SELECT ({', '.join(read)})", f"UPDATE ({', '.join(written)})", "MAINTAIN"):
        connection.execute(text(f"GRANT {right} ON {holding.table} TO {MOVER}"))
    if fresh:
        for name, verb in (("read", "SELECT"), ("update", "UPDATE")):
            policy = f"move_custody_{name} ON {holding.table} FOR {verb} TO {MOVER} USING (true)"
            connection.execute(text(f"CREATE POLICY {policy}"))


def _lock() -> str:
    # Parents first, as whoever writes a record does; no reader waits.
    return f"BEGIN LOCK TABLE {', '.join(each.table for each in moving())} IN SHARE ROW EXCLUSIVE MODE; END"


def _move(ties: list[Tie]) -> str:
    steps = []
    for holding in in_order(ties):
        part = _part(holding, [tie for tie in ties if tie.table == holding.table])
        steps.append(f"""
            moved := 0;
            IF whole THEN {_whole(holding)}; GET DIAGNOSTICS moved = ROW_COUNT;
            {f"ELSE {part}; GET DIAGNOSTICS moved = ROW_COUNT;" if part else ""}
            END IF;
            counts := counts || jsonb_build_object('{holding.table}', moved);
        """)
    return f"""
        DECLARE
            counts jsonb := '{{}}';
            moved integer;
        BEGIN
            SET CONSTRAINTS ALL DEFERRED;
            {"".join(steps)}
            RETURN counts;
        END
    """


def _whole(holding: Holding) -> str:
    sets = ", ".join(f"{each} = CASE WHEN {each} = giver THEN receiver ELSE {each} END" for each in holding.agencies)
    return f"UPDATE {holding.table} SET {sets} WHERE giver IN ({', '.join(holding.agencies)})"


def _part(holding: Holding, ties: list[Tie]) -> str | None:
    """Return the statement that moves what goes with the records that move, where a table has such rows."""
    ties = [tie for tie in ties if tie.target != tie.table]
    own = {name: [tie for tie in ties for column, _ in tie.agencies if column == name] for name in holding.agencies}
    anew = {name: _followed(name, found) for name, found in own.items() if found}
    if not anew:
        about = "id" if holding.root else holding.about
        first = holding.agencies[0]
        if holding.through is not None:
            other, own_id, record_id = holding.through
            return (
                f"UPDATE {holding.table} t SET {first} = receiver WHERE t.{first} = giver AND EXISTS (SELECT FROM "
                f"{other} o WHERE o.{own_id} = t.id AND o.{record_id} = ANY (moving))"
            )
        if about is None:
            return None
        return f"UPDATE {holding.table} SET {first} = receiver WHERE {first} = giver AND {about} = ANY (moving)"
    # Who did something on one side goes with that side, unless their agency is still the other.
    sides = ", ".join(anew.values())
    for name in holding.agencies:
        if name not in anew:
            anew[name] = f"CASE WHEN t.{name} = giver AND giver NOT IN ({sides}) THEN receiver ELSE t.{name} END"
    sets = ", ".join(f"{name} = {value}" for name, value in anew.items())
    old, new = ", ".join(f"t.{name}" for name in anew), ", ".join(anew.values())
    return (
        f"UPDATE {holding.table} t SET {sets} WHERE giver IN ({', '.join(f't.{each}' for each in holding.agencies)}) "
        f"AND ({old}, true) IS DISTINCT FROM ({new}, true)"
    )


def _followed(name: str, ties: list[Tie]) -> str:
    """Return whose a row is by the rows that it belongs to, which have moved already."""
    found = [
        f"(SELECT p.{other} FROM {tie.target} p WHERE "
        + " AND ".join(f"p.{theirs} = t.{ours}" for ours, theirs in tie.columns)
        + ")"
        for tie in ties
        for column, other in tie.agencies
        if column == name
    ]
    return f"coalesce({', '.join((*found, f't.{name}'))})"


def _closed(connection: Connection) -> str:
    steps = []
    for holding in (each for each in moving() if each.closed):
        keys = connection.scalars(KEY, {"table": holding.table}).all()
        key = " || '/' || ".join(f"t.{column}::text" for column in keys if column not in holding.agencies)
        said = " - ".join(("to_jsonb(t)", *(f"'{column}'" for column in holding.agencies)))
        steps.append(
            f"RETURN QUERY SELECT '{holding.table}', {key}, sha256(convert_to(({said})::text, 'UTF8')) "
            f"FROM {holding.table} t WHERE whose IN ({', '.join(f't.{each}' for each in holding.agencies)});"
        )
    return f"BEGIN {' '.join(steps)} END"


def _reseal() -> str:
    steps = "".join(
        f"WHEN '{holding.table}.{sealed.column}' THEN UPDATE {holding.table} t SET {sealed.column} = n.value "
        f"FROM unnest(ids, anew) AS n (id, value) WHERE t.{sealed.bound_to} = n.id AND t.{holding.agencies[0]} = "
        "receiver;"
        for holding in moving()
        for sealed in _resealed(holding)
    )
    return f"""
        DECLARE
            written integer;
        BEGIN
            CASE what {steps} END CASE;
            GET DIAGNOSTICS written = ROW_COUNT;
            RETURN written;
        END
    """


def _resealed(holding: Holding) -> Iterator[Sealed]:
    return (each for each in holding.sealed if each.own_key is None)
