"""A demonstration is set up once, and never among the records of others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from concord.demo import write_demo
from concord.demo.stage import NotADemonstrations, set_stage
from tenants.agency import list_agencies
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import Factories


class TestSetStage:
    def test_keeps_out_of_a_database_with_a_consortium_of_somebodys_own(
        self, database: Database, factories: Factories, tmp_path: Path
    ) -> None:
        plan = write_demo(tmp_path, seed=7, as_of=date(2026, 11, 23), households=1, groups=1)
        factories.two_tenants()
        with database.transaction(OPERATOR) as session:
            before = {agency.id for agency in list_agencies(session)}

        with pytest.raises(NotADemonstrations, match="a data folder of its own"):
            set_stage(database, plan, issuer="http://127.0.0.1:1")

        with database.transaction(OPERATOR) as session:
            assert {agency.id for agency in list_agencies(session)} == before
