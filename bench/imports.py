"""How fast a sheet of households becomes records, beside plain inserts of the very same rows in the same run.

Run ``python -m bench.imports [--rows 20000]``. It starts a PostgreSQL of its own and takes one sheet three times: new,
again (nothing changes) and with one column changed. The yardstick writes the rows that the first import left in the
register's tables into bare copies of them with psycopg's ``executemany``: no reading, checks, sealing, policies or
foreign keys. Then another agency takes as many households in a council's own workbook: headings of two rows, other
names, its own words. Beside it stands what it takes to read that file with the library alone, nothing understood.
Each step runs in a process of its own; ``memory_mb`` is its peak.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import python_calamine
from sqlalchemy import text

from concord.demo.chance import Chance
from concord.demo.consortium import AGENCIES
from concord.demo.council_columns import COUNCIL_HOUSEHOLDS
from concord.demo.household import household_row
from concord.demo.own_column import lines_of
from concord.demo.workbook import write_council_workbook
from concord.migrations import upgrade
from concord.servers.login import DatabaseUrls
from matching.intake.column import SheetKind, columns_of
from matching.intake.import_run import get_import, request_import
from matching.intake.import_work import perform_import
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import NOW, Factories, Tenant
from tests.servers import test_servers

TABLES = (
    "household",
    "household_identity",
    "household_profile",
    "household_place",
    "household_tolerance",
    "pool_entry",
    "import_row",
)
TOLERANCES = (None, "can meet low", "can meet medium; would discuss high", "would discuss low; cannot medium", "cannot")


def synthetic_sheet(rows: int, *, seed: int = 7, pets: str = "yes") -> bytes:
    """Return a CSV sheet of made-up households with every column filled but some needs; a seed gives one sheet."""
    chance = random.Random(seed)  # noqa: S311 - made-up data, no secret
    columns = columns_of(SheetKind.HOUSEHOLDS)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([column.heading for column in columns])
    for number in range(rows):
        own = {"reference": f"ADP-{number:05}", "pets": pets, "adopter_1_name": f"Alder Example-{number:05}"}
        needs = {column.field: chance.choice(TOLERANCES) for column in columns if column.of_need}
        said: dict[str, Any] = {**{column.field: column.example for column in columns}, **needs, **own}
        writer.writerow([said[column.field] for column in columns])
    return stream.getvalue().encode()


def messy_workbook(rows: int, *, seed: int = 7) -> bytes:
    """Return a council's own workbook of made-up households, as the demonstration writes them."""
    council = next(agency for agency in AGENCIES if agency.slug == "devon")
    as_of = date(2026, 11, 23)
    drawn = [
        household_row(Chance(seed, f"bench/{serial}"), council, number=serial, serial=serial, as_of=as_of)
        for serial in range(1, rows + 1)
    ]
    lines = lines_of(COUNCIL_HOUSEHOLDS, drawn, Chance(seed, "bench/words"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.xlsx"
        write_council_workbook(path, title="Adopters", about="Made up", columns=COUNCIL_HOUSEHOLDS, lines=lines)
        return path.read_bytes()


def take(urls: DatabaseUrls, tenant: Tenant, content: bytes) -> dict[str, Any]:
    """Import a sheet, and return its counts, its seconds by the clock and of this process, and its peak memory."""
    database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    before = _peak_mb()
    with database.transaction(tenant.scope) as session:
        asked = request_import(
            session, kind=SheetKind.HOUSEHOLDS, filename="bench", content=content, dry_run=False, now=NOW
        )
    began, used = time.perf_counter(), time.process_time()
    with database.transaction(tenant.scope) as session:
        run = perform_import(session, get_import(session, asked.id), progress=lambda *_told: None, now=NOW)
    counts = (run.added, run.changed, run.unchanged, run.refused)
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    database.dispose()
    return {
        "added_changed_unchanged_refused": counts,
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "rows_per_second": round(sum(counts) / seconds),
        "memory_mb": _peak_mb(),
        "memory_before_mb": before,
    }


def plainly(urls: DatabaseUrls, tenant: Tenant, content: bytes) -> dict[str, Any]:  # noqa: ARG001 - as ``take``
    """Write the rows that an import left into bare copies of their tables, and return seconds and how many rows."""
    database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    with database.transaction(tenant.scope) as session:
        found = {table: session.execute(text(f"SELECT * FROM {table}")).all() for table in TABLES}  # noqa: S608
        shapes = {table: session.scalars(_SHAPE, {"name": table}).one() for table in TABLES}
    database.dispose()
    # The application's login may not make tables, not even temporary ones.
    with psycopg.connect(urls.migrate.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        for table, shape in shapes.items():
            cursor.execute(f"CREATE TEMP TABLE bare_{table} ({shape})".encode())
        began, used = time.perf_counter(), time.process_time()
        for table, rows in found.items():
            places = ", ".join(["%s"] * len(rows[0]))
            statement = f"INSERT INTO bare_{table} VALUES ({places})"  # noqa: S608
            cursor.executemany(statement.encode(), [tuple(row) for row in rows])
        connection.commit()
        seconds, processor = time.perf_counter() - began, time.process_time() - used
    return {
        "rows_of_tables": sum(len(rows) for rows in found.values()),
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "memory_mb": _peak_mb(),
    }


def read_alone(urls: DatabaseUrls, tenant: Tenant, content: bytes) -> dict[str, Any]:  # noqa: ARG001 - as ``take``
    """Read a workbook with the library alone, nothing understood."""
    began, used = time.perf_counter(), time.process_time()
    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        rows = len(workbook.get_sheet_by_index(0).to_python())
    return {
        "rows": rows,
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "memory_mb": _peak_mb(),
    }


_SHAPE = text(
    "SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) "
    "FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND NOT attisdropped"
)


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args().rows
    with test_servers() as servers:
        urls = servers.database_urls
        upgrade(urls.migrate, scope_key=SCOPE_KEY)
        database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        factories = Factories(database)
        # Of two consortia, so that neither sees, nor its yardstick copies, what the other has pooled.
        tenant, council = (factories.tenant(factories.consortium()) for _ in range(2))
        database.dispose()
        sheet, changed = synthetic_sheet(rows), synthetic_sheet(rows, pets="no")
        answer: dict[str, Any] = {"rows": rows, "sheet_mb": round(len(sheet) / 2**20, 1)}
        answer["new"] = _apart(take, urls, tenant, sheet)
        answer["plain_executemany"] = _apart(plainly, urls, tenant, sheet)
        answer["again"] = _apart(take, urls, tenant, sheet)
        answer["changed"] = _apart(take, urls, tenant, changed)
        messy = messy_workbook(rows)
        answer["messy_mb"] = round(len(messy) / 2**20, 1)
        answer["messy"] = _apart(take, urls, council, messy)
        answer["messy_plain_executemany"] = _apart(plainly, urls, council, messy)
        answer["messy_read_alone"] = _apart(read_alone, urls, council, messy)
        answer["messy_again"] = _apart(take, urls, council, messy)
    for step in ("new", "again", "changed"):
        answer[step]["times_plain"] = round(answer[step]["seconds"] / answer["plain_executemany"]["seconds"], 2)
    for step in ("messy", "messy_again"):
        answer[step]["times_plain"] = round(answer[step]["seconds"] / answer["messy_plain_executemany"]["seconds"], 2)
        answer[step]["times_read_alone"] = round(answer[step]["seconds"] / answer["messy_read_alone"]["seconds"], 2)
    json.dump(answer, sys.stdout, indent=2)
    print()


Step = Callable[[DatabaseUrls, Tenant, bytes], dict[str, Any]]


def _apart(step: Step, urls: DatabaseUrls, tenant: Tenant, content: bytes) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, urls, tenant, content).result()


def _peak_mb() -> int:
    try:
        # What getrusage says on Linux is not less than the peak of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) // 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20


if __name__ == "__main__":
    main()
