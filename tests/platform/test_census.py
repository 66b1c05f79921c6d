"""The census: every route, operation of the API, command and kind of job, with who may use it.

Routes and operations say it themselves (``tests/platform/web/test_access.py`` lists them); commands and jobs are listed
here. What is in none of the lists fails.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from concord.cli import main
from concord.cli.workplace import HOST_ROLES
from concord.web import create_app
from concord.web.access import list_access
from tenants.permission import MAY, Verb
from tenants.role import Role
from tests.site import make_settings
from workers.handler import HANDLERS

ROOT = Path(__file__).parents[2]

# Whoever may run commands on the host may run all of them. The scope in which each one works:
OPERATOR = "the operator: the directory of tenants, and no record"
AGENCY = "the agency named, in any role but the operator’s"
EACH = "each agency in turn"
HOST = "none: processes, servers and files of this host"
COMMANDS = {
    "agency add": OPERATOR,
    "agency delegate": OPERATOR,
    "agency glass": OPERATOR,
    "agency hand-over": OPERATOR,
    "agency hand-overs": OPERATOR,
    "agency leave": AGENCY,
    "agency list": OPERATOR,
    "agency merge": OPERATOR,
    "agency records": AGENCY,
    "audit anchors": EACH,
    "audit public-key": HOST,
    "audit seal": EACH,
    "audit verify": EACH,
    "client add": AGENCY,
    "client end": AGENCY,
    "client list": AGENCY,
    "client rotate": AGENCY,
    "consortium caps": OPERATOR,
    "consortium create": OPERATOR,
    "consortium days": OPERATOR,
    "consortium leave": AGENCY,
    "consortium sharing": OPERATOR,
    "db prepare": HOST,
    "db upgrade": HOST,
    "demo": HOST,
    "doctor": HOST,
    "domain add": AGENCY,
    "domain confirm": OPERATOR,
    "domain list": OPERATOR,
    "domain remove": AGENCY,
    "export children": AGENCY,
    "export households": AGENCY,
    "fees close": AGENCY,
    "fees ledger": AGENCY,
    "fees run": AGENCY,
    "fees cost": AGENCY,
    "fees invoice issue": AGENCY,
    "fees invoice list": AGENCY,
    "fees invoice pdf": AGENCY,
    "fees invoice ubl": AGENCY,
    "fees budget export": AGENCY,
    "fees journal": AGENCY,
    "fees netting list": AGENCY,
    "fees netting offers": AGENCY,
    "fees statement": AGENCY,
    "fees tariff add": AGENCY,
    "fees tariff list": AGENCY,
    "import children": AGENCY,
    "import households": AGENCY,
    "import refusals": AGENCY,
    "import ssda903": AGENCY,
    "import undo": AGENCY,
    "jobs list": OPERATOR,
    "jobs retry": OPERATOR,
    "keys rotate": EACH,
    "link list": AGENCY,
    "link show": AGENCY,
    "link step": AGENCY,
    "meeting actions": AGENCY,
    "meeting arrange": AGENCY,
    "meeting list": AGENCY,
    "pack build": AGENCY,
    "person appoint": OPERATOR,
    "person invite": OPERATOR,
    "person leave": OPERATOR,
    "person list": OPERATOR,
    "person move": OPERATOR,
    "placement list": AGENCY,
    "placement show": AGENCY,
    "pool assign": AGENCY,
    "profile check": AGENCY,
    "provider": HOST,
    "provider add": AGENCY,
    "provider alone": AGENCY,
    "provider beside": AGENCY,
    "provider list": AGENCY,
    "provider off": AGENCY,
    "provider on": AGENCY,
    "provider roles": AGENCY,
    "provider vouch": AGENCY,
    "rank": AGENCY,
    "relay": HOST,
    "remittance import": AGENCY,
    "remittance take-back": AGENCY,
    "retention preview": AGENCY,
    "retention run": AGENCY,
    "monitoring": AGENCY,
    "rings": AGENCY,
    "schedule": HOST,
    "up": HOST,
    "web": HOST,
    "why": AGENCY,
    "worker": HOST,
}

# Who may ask for each kind of job, which then runs in the scope of whoever asked. The schedule asks in an agency's
# scope and in no person's name.
SCHEDULE: frozenset[Verb] = frozenset()
JOBS = {
    "clock_notices": SCHEDULE,
    "hand_over": SCHEDULE,
    "mail": SCHEDULE,
    "import": {Verb.IMPORT_HOUSEHOLDS, Verb.IMPORT_CHILDREN},
    "import_undo": {Verb.IMPORT_HOUSEHOLDS, Verb.IMPORT_CHILDREN},
    "pack.build": {Verb.BUILD_PACK},
    "pack.build_all": {Verb.BUILD_PACK},
    "remittance": {Verb.KEEP_FEES},
    "retention": {Verb.APPROVE_DESTRUCTION},
    # The first by the database, for both agencies, when somebody asks; the second when another confirms.
    "sealing.gather": {Verb.SEAL_ADOPTIONS},
    "sealing.rotate": {Verb.SEAL_ADOPTIONS},
    "fee_tending": SCHEDULE,
    "invoice_reminders": SCHEDULE,
    "fee_run": SCHEDULE,
    # Whoever brings an event about, mostly a step of a link.
    "fee_event": {Verb.SIGN_FEES, Verb.APPROVE_FEES},
    "sharing.move": SCHEDULE,
    "subject_export": {Verb.ANSWER_SUBJECTS},
}

# Verbs that no page and no operation asks for by name, each with what does.
NO_PAGE = {Verb.RUN_PLATFORM: "the command line"}


class TestCommands:
    def test_are_all_listed(self) -> None:
        assert set(_commands(main)) == set(COMMANDS)

    def test_work_for_an_agency_as_anyone_but_the_operator(self) -> None:
        assert set(Role) - {Role.OPERATOR} == HOST_ROLES


class TestJobs:
    def test_are_all_listed(self) -> None:
        assert set(HANDLERS) == set(JOBS)

    def test_are_asked_for_by_somebody(self) -> None:
        assert all(MAY[verb] for verbs in JOBS.values() for verb in verbs)


class TestRoutes:
    def test_ask_for_verbs_of_the_table(self, verbs: set[str]) -> None:
        assert verbs <= {verb.value for verb in Verb}

    def test_leave_no_line_of_the_table_empty(self, verbs: set[str]) -> None:
        assert {verb for verb in Verb if verb.value not in verbs} == set(NO_PAGE)


class TestDocument:
    def test_is_the_table_in_words(self) -> None:
        written = runpy.run_path(str(ROOT / "tools/write_permissions.py"))["document"]()

        assert (ROOT / "docs/permissions.md").read_text("utf-8") == written, "run tools/write_permissions.py"


@pytest.fixture(scope="module")
def verbs() -> set[str]:
    """Return the verbs that pages and operations ask for."""
    access = list_access(create_app(make_settings())).values()
    return {word for words in access if "may " in words for word in re.split(r".*may | or ", words) if word}


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    if command.invoke_without_command:
        yield " ".join(path)
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _commands(found, (*path, name))
