"""``concord keys``: an operator changes keys, and it is on record."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from concord.settings import encode_key
from tenants.audit import Act, AuditEntry, Origin
from tenants.database import Database
from tests.conftest import MASTER_KEY
from tests.factories import Factories, Tenant
from tests.platform.cli.run import refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestRotate:
    def test_changes_one_agencys_key_and_says_so_in_its_audit(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        for tenant in (devon, dorset):
            factories.household(tenant)

        said = run("keys", "rotate", "--agency", devon.slug).stdout

        assert said == f"{devon.slug}: 1 values sealed anew, 1 old key deleted.\n"
        assert [_rotations(database, tenant) for tenant in (devon, dorset)] == [[("cli:keys", Origin.CLI)], []]

    def test_leaves_an_agency_without_a_key_alone(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        assert "has no key" in run("keys", "rotate", "--agency", devon.slug).stdout

    def test_has_nothing_to_do_where_the_master_key_is_in_force(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "CONCORD_MASTER_KEY_OLD" in refusal("keys", "rotate", "--master")
        monkeypatch.setenv("CONCORD_MASTER_KEY_OLD", encode_key(MASTER_KEY))

        assert run("keys", "rotate", "--master").stdout.startswith("0 keys sealed anew.")

    @pytest.mark.parametrize("words", [(), ("--all", "--master"), ("--agency", "devon", "--all")])
    def test_wants_to_be_told_one_thing(self, words: tuple[str, ...]) -> None:
        assert run("keys", "rotate", *words).exit_code == 2


def _rotations(database: Database, tenant: Tenant) -> list[tuple[str | None, Origin | None]]:
    query = select(AuditEntry.request_id, AuditEntry.origin).where(AuditEntry.act == Act.ROTATE)
    with database.transaction(tenant.scope) as session:
        return [(request_id, origin) for request_id, origin in session.execute(query)]
