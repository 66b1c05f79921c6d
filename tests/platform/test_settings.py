"""What the environment says, read well or refused in words."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.settings import (
    DATA_DIR,
    Deployment,
    SettingInvalid,
    SettingMissing,
    Settings,
    complete,
    decode_key,
    encode_key,
    libpq_url,
    read_deployment,
    read_settings,
)

KEY = encode_key(b"k" * 32)
SECRETS = {
    **dict.fromkeys(
        ("DATABASE_URL", "DATABASE_MIGRATE_URL", "DATABASE_RELAY_URL", "DATABASE_ADMIN_URL"),
        "postgresql+psycopg://a:hidden@db.example:5432/concord",
    ),
    "VALKEY_URL": "redis://:hidden@h:6379/0",
    **dict.fromkeys(("CONCORD_SCOPE_KEY", "CONCORD_MASTER_KEY", "CONCORD_SECRET_KEY", "CONCORD_AUDIT_KEY"), KEY),
}


class TestReadSettings:
    def test_nothing_given_leaves_everything_to_the_embedded_servers(self) -> None:
        settings = read_settings()

        assert settings.data_dir == DATA_DIR.expanduser()
        assert settings.database_url is None
        assert settings.valkey_url is None
        assert not settings.has_database
        assert not settings.demo
        assert (settings.port, settings.provider_port) == (8000, 8001)

    def test_an_option_wins_over_the_environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CONCORD_DATA_DIR", "/elsewhere")

        assert read_settings(data_dir=tmp_path).data_dir == tmp_path
        assert read_settings().data_dir == Path("/elsewhere")

    def test_a_blank_is_not_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "  ")
        monkeypatch.setenv("CONCORD_SCOPE_KEY", "")

        assert read_settings().database_url is None
        assert read_settings().scope_key is None

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_a_database_address_is_for_psycopg(self, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
        monkeypatch.setenv("DATABASE_URL", f"{scheme}://concord_app:x@db.example:5432/concord")

        url = read_settings().database_url

        assert url == "postgresql+psycopg://concord_app:x@db.example:5432/concord"
        assert libpq_url(url) == "postgresql://concord_app:x@db.example:5432/concord"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "mysql://a:hidden@h/x"),
            ("DATABASE_URL", "postgresql://:hidden@/x"),
            ("DATABASE_MIGRATE_URL", "postgresql://a:hidden@h:port/x"),
            ("DATABASE_RELAY_URL", "hidden"),
            ("VALKEY_URL", "http://:hidden@h"),
            ("VALKEY_URL", "redis://:hidden@h:99999"),
            ("CONCORD_SCOPE_KEY", "hidden"),
            ("CONCORD_MASTER_KEY", "hidden" * 20),
            ("CONCORD_SECRET_KEY", "hidden"),
            ("CONCORD_AUDIT_KEY", "hidden"),
            ("CONCORD_PORT", "70000"),
            ("CONCORD_PROVIDER_PORT", "0"),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)

        with pytest.raises(SettingInvalid) as refused:
            read_settings()

        assert name in str(refused.value)
        assert "hidden" not in str(refused.value)

    @pytest.mark.parametrize("name", SECRETS)
    def test_a_secret_may_be_in_a_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
        file = tmp_path / "secret"
        file.write_text(f"{SECRETS[name]}\n")
        monkeypatch.setenv(f"{name}_FILE", str(file))
        from_file = read_settings()
        monkeypatch.delenv(f"{name}_FILE")
        monkeypatch.setenv(name, SECRETS[name])

        assert from_file == read_settings() != Settings()
        assert SECRETS[name] not in repr(from_file)
        assert "hidden" not in repr(from_file)
        assert repr(b"k" * 32) not in repr(from_file)

    @pytest.mark.parametrize("name", SECRETS)
    @pytest.mark.parametrize("content", [None, b" \n", b"\xff\xfe", b"hidden but wrong"])
    def test_a_file_that_holds_none_is_refused_and_not_quoted(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | None
    ) -> None:
        file = tmp_path / "secret"
        if content is not None:
            file.write_bytes(content)
        monkeypatch.setenv(f"{name}_FILE", str(file))

        with pytest.raises(SettingInvalid, match=name) as refused:
            read_settings()

        assert "hidden" not in str(refused.value)

    @pytest.mark.parametrize("name", SECRETS)
    def test_a_secret_that_is_given_twice_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
    ) -> None:
        monkeypatch.setenv(name, SECRETS[name])
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path))

        with pytest.raises(SettingInvalid, match=f"{name} and {name}_FILE are both set"):
            read_settings()

    def test_a_word_for_a_port_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCORD_PORT", "eighty")

        with pytest.raises(SettingInvalid, match="CONCORD_PORT"):
            read_settings()


class TestComplete:
    def test_every_missing_key_is_named(self) -> None:
        with pytest.raises(SettingMissing, match="CONCORD_SCOPE_KEY and CONCORD_MASTER_KEY and CONCORD_SECRET_KEY"):
            complete(read_settings())

    def test_a_missing_address_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("CONCORD_SCOPE_KEY", "CONCORD_MASTER_KEY", "CONCORD_SECRET_KEY"):
            monkeypatch.setenv(name, KEY)

        with pytest.raises(SettingMissing, match="DATABASE_URL"):
            read_deployment()


class TestDeployment:
    def test_its_environment_gives_the_same_deployment(
        self, monkeypatch: pytest.MonkeyPatch, deployment: Deployment
    ) -> None:
        for name, value in deployment.environment().items():
            monkeypatch.setenv(name, value)

        assert read_deployment() == deployment

    def test_printing_it_shows_no_secret(self, deployment: Deployment) -> None:
        assert "hidden" not in repr(deployment)

    def test_an_address_that_was_not_given_is_asked_for(self, deployment: Deployment) -> None:
        with pytest.raises(SettingMissing, match="DATABASE_RELAY_URL"):
            _ = deployment.relay_url


class TestDecodeKey:
    @given(st.binary(min_size=32, max_size=32))
    def test_both_spellings_are_read(self, key: bytes) -> None:
        assert decode_key(encode_key(key)) == key
        assert decode_key(key.hex()) == key

    @given(st.text())
    def test_anything_else_is_refused_not_guessed(self, text: str) -> None:
        with contextlib.suppress(ValueError):
            assert len(decode_key(text)) == 32


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("CONCORD_", "DATABASE_", "VALKEY_")):
            monkeypatch.delenv(name)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(
        data_dir=tmp_path,
        database_url="postgresql+psycopg://concord_app:hidden@h/concord",
        valkey_url="redis://:hidden@h:6379/0",
        scope_key=b"s" * 32,
        master_key=b"m" * 32,
        secret_key="hidden" * 6,
        demo=True,
        port=8123,
        provider_port=8124,
        given_migrate_url="postgresql+psycopg://concord_migrate:hidden@h/concord",
    )
