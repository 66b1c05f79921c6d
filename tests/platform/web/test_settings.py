from __future__ import annotations

from pathlib import Path

import pytest
from environs import Env

from concord.settings import Deployment, SettingInvalid
from concord.web.settings import provider_secret, web_settings
from matching.virus_scan import Scanner

SECRET = "a-secret-key-that-must-not-be-seen"


class TestWebSettings:
    def test_of_a_demonstration_name_the_provider_beside_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)

        settings = web_settings(deployment(demo=True, port=9000, provider_port=9001), Env())

        assert settings.site_url == "http://127.0.0.1:9000"
        assert settings.issuer == "http://127.0.0.1:9001"
        assert settings.client_secret == provider_secret(SECRET)

    def test_name_no_provider_unless_one_is_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)

        assert web_settings(deployment(), Env()).issuer is None

    def test_ask_for_a_second_step_unless_they_say_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)
        monkeypatch.setenv("CONCORD_OIDC_ACR_VALUES", "strong stronger")

        usual = web_settings(deployment(), Env())
        demo = web_settings(deployment(demo=True), Env())
        monkeypatch.setenv("CONCORD_OIDC_SECOND_STEP", "0")
        without = web_settings(deployment(), Env())

        assert (usual.second_step, demo.second_step, without.second_step) == (True, False, False)
        assert usual.acr_values == ("strong", "stronger")

    @pytest.mark.parametrize(
        ("name", "text"),
        [("CONCORD_OIDC_SECOND_STEP", "perhaps"), ("CONCORD_PROXIES", "-1"), ("CONCORD_PROXIES", "many")],
    )
    def test_refuse_what_is_no_answer(self, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)
        monkeypatch.setenv(name, text)

        with pytest.raises(SettingInvalid, match=name):
            web_settings(deployment(), Env())

    def test_tell_of_proxies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)
        none = web_settings(deployment(), Env()).proxies
        monkeypatch.setenv("CONCORD_PROXIES", "2")

        assert (none, web_settings(deployment(), Env()).proxies) == (0, 2)

    def test_take_an_agencys_own_provider(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)
        monkeypatch.setenv("CONCORD_SITE_URL", "https://concord.example/")
        monkeypatch.setenv("CONCORD_OIDC_ISSUER", "https://id.example/realms/devon")
        monkeypatch.setenv("CONCORD_OIDC_CLIENT_SECRET", "given")

        settings = web_settings(deployment(), Env())

        assert (settings.issuer, settings.client_secret) == ("https://id.example/realms/devon", "given")
        assert settings.https
        assert settings.host == "concord.example"

    @pytest.mark.parametrize("issuer", ["http://id.example", "http://127.0.0.1:8001", "id.example", "ftp://id.example"])
    def test_refuse_a_provider_without_tls_outside_demo_mode(
        self, issuer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clear(monkeypatch)
        monkeypatch.setenv("CONCORD_OIDC_ISSUER", issuer)

        with pytest.raises(SettingInvalid, match="CONCORD_OIDC_ISSUER"):
            web_settings(deployment(), Env())

    @pytest.mark.parametrize("url", ["concord.example", "https://", "javascript:alert(1)"])
    def test_refuse_what_is_no_address(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)
        monkeypatch.setenv("CONCORD_SITE_URL", url)

        with pytest.raises(SettingInvalid, match="CONCORD_SITE_URL"):
            web_settings(deployment(), Env())

    def test_show_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clear(monkeypatch)

        shown = repr(web_settings(deployment(demo=True), Env()))

        assert SECRET not in shown
        assert "password" not in shown
        assert provider_secret(SECRET) not in shown


def deployment(*, demo: bool = False, port: int = 8000, provider_port: int = 8001) -> Deployment:
    return Deployment(
        data_dir=Path("nowhere"),
        database_url="postgresql+psycopg://concord_app:password@127.0.0.1/concord",
        valkey_url="redis://:password@127.0.0.1/0",
        scope_key=bytes(32),
        master_key=bytes(32),
        secret_key=SECRET,
        demo=demo,
        port=port,
        provider_port=provider_port,
    )


def clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONCORD_SITE_URL", "CONCORD_OIDC_ISSUER", "CONCORD_OIDC_CLIENT_ID", "CONCORD_OIDC_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)


class TestContact:
    def test_is_an_address_or_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert web_settings(deployment(), Env()).contact is None
        monkeypatch.setenv("CONCORD_CONTACT", " help@example.org ")

        assert web_settings(deployment(), Env()).contact == "help@example.org"

    @pytest.mark.parametrize("text", ["help", "a@b", "a@b.c?subject=x&body=y", "<a@b.c>"])
    def test_is_refused_when_it_is_no_address(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCORD_CONTACT", text)

        with pytest.raises(SettingInvalid, match="CONCORD_CONTACT"):
            web_settings(deployment(), Env())


class TestScanner:
    def test_is_one_or_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert web_settings(deployment(), Env()).scanner is None
        monkeypatch.setenv("CONCORD_CLAMD", "tcp://scanner.example:3310")

        assert web_settings(deployment(), Env()).scanner == Scanner(host="scanner.example", port=3310)

    def test_is_refused_when_it_is_no_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCORD_CLAMD", "yes")

        with pytest.raises(SettingInvalid, match="CONCORD_CLAMD"):
            web_settings(deployment(), Env())
