"""``concord audit``: the record is checked, and its anchors go out, as an operator asks."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import encode_key, libpq_url
from tenants.audit_anchor import PublicKey
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.own_database import own_fixtures
from tests.platform.cli.run import answer, refusal, run
from tests.platform.cli.test_docs import example
from tests.tenants.chain import KEY, look

# Sealing and checking every chain takes in whatever other tests have left in theirs.
migrated, database, factories = own_fixtures("concord_chains")

SEED = b"audit-key-for-tests-of-32-bytes!"
pytestmark = pytest.mark.usefixtures("on_servers", "signing")


class TestVerify:
    def test_finds_a_sound_record_sound(self, agencies: tuple[Tenant, Tenant]) -> None:
        devon, _ = agencies
        assert run("audit", "seal", "--agency", devon.slug).exit_code == 0

        said = answer("audit", "verify", "--agency", devon.slug)

        assert said["sound"]
        (one,) = said["chains"]
        assert (one["agency"], one["fault_count"], one["faults"], one["pending"]) == (devon.slug, 0, [], 0)
        assert one["checked"] > 2
        assert one["anchored_at"]

    def test_checks_every_chain_where_none_is_named(self, agencies: tuple[Tenant, Tenant]) -> None:
        # Another test's agencies are among them, and it has changed theirs.
        said = json.loads(run("audit", "verify", "--json").stdout)

        assert {None, *(each.slug for each in agencies)} <= {each["agency"] for each in said["chains"]}

    def test_names_what_was_edited_and_leaves_with_3(
        self, agencies: tuple[Tenant, Tenant], database: Database, migrated: DatabaseUrls
    ) -> None:
        devon, dorset = agencies
        (record_id,) = look(database, devon)
        run("audit", "seal")
        _as_superuser(migrated, "UPDATE audit_entry SET reason = 'none' WHERE record_id = %s", record_id)

        result = run("audit", "verify", "--agency", devon.slug)

        assert result.exit_code == 3
        assert "WRONG" in result.stdout
        assert "not what it was when it was chained" in result.stdout
        assert run("audit", "verify", "--agency", dorset.slug).exit_code == 0

    def test_finds_what_was_cut_off_by_a_copy_of_the_anchors(
        self, agencies: tuple[Tenant, Tenant], migrated: DatabaseUrls, tmp_path: Path
    ) -> None:
        devon, _ = agencies
        run("audit", "seal", "--agency", devon.slug)
        copy = tmp_path / "anchors.json"
        copy.write_text(json.dumps(answer("audit", "anchors", "--agency", devon.slug)))
        for statement in (
            "DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_chain WHERE agency_id = %s)",
            "DELETE FROM audit_chain WHERE agency_id = %s",
            "DELETE FROM audit_anchor WHERE agency_id = %s",
        ):
            _as_superuser(migrated, statement, devon.id)

        assert run("audit", "verify", "--agency", devon.slug).exit_code == 0
        result = run("audit", "verify", "--agency", devon.slug, "--anchors", str(copy))

        assert result.exit_code == 3
        assert "now ends before" in result.stdout

    def test_finds_an_agency_that_is_gone_with_its_chain_by_a_copy_of_the_anchors(
        self, agencies: tuple[Tenant, Tenant], tmp_path: Path
    ) -> None:
        devon, dorset = agencies
        run("audit", "seal")
        copy, gone = tmp_path / "anchors.json", str(uuid4())
        anchors = answer("audit", "anchors", "--agency", devon.slug)
        copy.write_text(json.dumps([*anchors, {**anchors[0], "id": str(uuid4()), "agency": gone}]))

        result = run("audit", "verify", "--anchors", str(copy), "--json")

        assert result.exit_code == 3
        (found,) = [each for each in json.loads(result.stdout)["chains"] if each["agency"] == gone]
        assert [fault["kind"] for fault in found["faults"]] == ["lost_anchor"]
        assert run("audit", "verify", "--agency", dorset.slug, "--anchors", str(copy)).exit_code == 0

    def test_checks_with_the_public_key_alone(
        self, agencies: tuple[Tenant, Tenant], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devon, _ = agencies
        run("audit", "seal", "--agency", devon.slug)
        monkeypatch.delenv("CONCORD_AUDIT_KEY")

        assert run("audit", "verify", "--agency", devon.slug, "--public-key", str(KEY.public)).exit_code == 0
        other = encode_key(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
        assert run("audit", "verify", "--agency", devon.slug, "--public-key", other).exit_code == 3
        monkeypatch.setenv("CONCORD_AUDIT_PUBLIC_KEYS", f"{other} {KEY.public}")
        assert run("audit", "verify", "--agency", devon.slug).exit_code == 0

    def test_refuses_what_it_cannot_check_by(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        broken, strange = tmp_path / "broken.json", tmp_path / "strange.json"
        broken.write_text("{")
        strange.write_text('[{"form": "something else"}]')

        assert "no public key" in refusal("audit", "verify", "--public-key", "x")
        assert "as JSON" in refusal("audit", "verify", "--anchors", str(broken))
        assert "copy of the anchors" in refusal("audit", "verify", "--anchors", str(strange))
        assert "no agency" in refusal("audit", "verify", "--agency", "nowhere")
        monkeypatch.delenv("CONCORD_AUDIT_KEY")
        assert "--public-key" in refusal("audit", "verify")


class TestAnchors:
    def test_lists_those_of_one_agency(self, agencies: tuple[Tenant, Tenant]) -> None:
        devon, dorset = agencies
        run("audit", "seal")

        (anchor,) = answer("audit", "anchors", "--agency", devon.slug)

        assert anchor["agency"] == str(devon.id)
        assert anchor["key"] == KEY.public.key_id
        assert len(anchor["hash"]) == 64
        assert dorset.slug not in run("audit", "anchors", "--agency", devon.slug).stdout


class TestDocument:
    def test_shows_what_the_commands_answer(self, agencies: tuple[Tenant, Tenant], migrated: DatabaseUrls) -> None:
        devon, _ = agencies
        run("audit", "seal", "--agency", devon.slug)
        _as_superuser(migrated, "UPDATE audit_entry SET reason = 'none' WHERE owner_agency_id = %s", devon.id)
        said = json.loads(run("audit", "verify", "--agency", devon.slug, "--json").stdout)
        shown, anchors = example("audit verify"), example("audit anchors")

        assert set(shown) == set(said)
        assert set(shown["chains"][0]) == set(said["chains"][0])
        assert set(shown["chains"][0]["faults"][0]) == set(said["chains"][0]["faults"][0])
        assert set(anchors[0]) == set(answer("audit", "anchors", "--agency", devon.slug)[0])


class TestPublicKey:
    def test_writes_the_public_part(self) -> None:
        assert PublicKey.read(run("audit", "public-key").stdout) == KEY.public

    def test_says_when_there_is_no_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CONCORD_AUDIT_KEY")

        assert "CONCORD_AUDIT_KEY" in refusal("audit", "public-key")


def _as_superuser(urls: DatabaseUrls, statement: str, value: object) -> None:
    with psycopg.connect(libpq_url(urls.admin)) as admin:
        admin.execute("SET session_replication_role = 'replica'")
        admin.execute(statement, (value,))


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the commands the tests' key."""
    monkeypatch.setenv("CONCORD_AUDIT_KEY", encode_key(SEED))


@pytest.fixture
def agencies(factories: Factories) -> tuple[Tenant, Tenant]:
    """Two agencies with a record of their own."""
    return factories.two_tenants()
