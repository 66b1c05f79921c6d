"""The data directory: ours alone, one program at a time."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from concord.servers import data_directory
from concord.servers.data_directory import (
    DataDirectory,
    DataDirectoryInUse,
    DataDirectoryUnusable,
    open_data_directory,
)
from concord.servers.secret import kept_secrets
from tests.servers import short_directory


class TestOpenDataDirectory:
    def test_it_is_made_for_its_owner(self, place: Path) -> None:
        data = open_data_directory(place / "deep" / "down")

        assert data.path.stat().st_mode & 0o766 == 0o700
        assert data.room("postgres").stat().st_mode & 0o777 == 0o700
        assert data.servers.parent == data.path

    def test_it_is_closed_when_it_was_open_to_others(self, place: Path) -> None:
        place.mkdir(mode=0o777)
        place.chmod(0o777)

        open_data_directory(place)

        assert place.stat().st_mode & 0o066 == 0

    def test_a_file_in_its_place_is_refused(self, place: Path) -> None:
        place.write_text("")

        with pytest.raises(DataDirectoryUnusable, match="--data-dir"):
            open_data_directory(place)

    def test_servers_data_that_are_gone_are_not_made_anew(self, place: Path) -> None:
        place.mkdir()
        (place / "servers").symlink_to(place / "gone")

        with pytest.raises(DataDirectoryUnusable, match="gone"):
            open_data_directory(place)


# Only root hands the servers to another account, or can make a directory somebody else's.
if os.geteuid() == 0:

    class TestOpenDataDirectoryAsRoot:
        def test_roots_private_home_is_linked_to_a_place_that_the_servers_reach(
            self, place: Path, monkeypatch: pytest.MonkeyPatch
        ) -> None:
            monkeypatch.setattr(data_directory, "REACHABLE", place.parent)
            (place.parent / "home").mkdir(mode=0o700)

            data = open_data_directory(place.parent / "home" / "data")

            assert (data.path / "servers").is_symlink()
            assert data.servers.parent == place.parent
            assert open_data_directory(data.path).servers == data.servers

        def test_another_accounts_is_refused(self, place: Path) -> None:
            place.mkdir()
            os.chown(place, pwd.getpwnam("nobody").pw_uid, -1)

            with pytest.raises(DataDirectoryUnusable, match="belongs to another account"):
                open_data_directory(place)


class TestHeld:
    def test_one_at_a_time(self, data: DataDirectory) -> None:
        with data.held():
            assert data.holder() == os.getpid()
            with (
                pytest.raises(DataDirectoryInUse, match=rf"process {os.getpid()}\).*kill {os.getpid()}.*--data-dir"),
                data.held(),
            ):
                pass

        assert data.holder() is None
        with data.held():
            pass


class TestKeep:
    def test_it_is_kept_for_its_owner_only(self, data: DataDirectory) -> None:
        data.keep("x.json", {"a": 1})
        data.keep("x.json", {"a": 2})

        assert data.read("x.json") == {"a": 2}
        assert (data.path / "x.json").stat().st_mode & 0o777 == 0o600
        assert [path.name for path in data.path.glob(".*")] == []

    @pytest.mark.parametrize("text", ["", "{", "[]", "\udcff"])
    def test_what_is_broken_is_not_taken_for_absent(self, data: DataDirectory, text: str) -> None:
        (data.path / "x.json").write_bytes(text.encode(errors="surrogateescape"))

        with pytest.raises(DataDirectoryUnusable, match="backup"):
            data.read("x.json")

        assert data.read("y.json") == {}


class TestKeptSecrets:
    def test_they_are_made_once_and_no_two_are_alike(self, data: DataDirectory, place: Path) -> None:
        secrets = kept_secrets(data)
        kept = json.loads((data.path / "secrets.json").read_text())

        assert kept_secrets(data) == secrets
        assert len(set(kept.values())) == len(kept) == 9
        assert kept_secrets(open_data_directory(place.parent / "other")) != secrets
        assert not any(value in repr(secrets) for value in kept.values())

    def test_lost_ones_are_not_made_anew_over_data(self, data: DataDirectory) -> None:
        kept_secrets(data)
        data.room("postgres")
        (data.path / "secrets.json").unlink()

        with pytest.raises(DataDirectoryUnusable, match="is gone, but the database it opens is not"):
            kept_secrets(data)

    def test_from_before_the_audit_was_signed_get_a_key_for_it_once(self, data: DataDirectory) -> None:
        first = kept_secrets(data)
        kept = json.loads((data.path / "secrets.json").read_text())
        data.keep("secrets.json", {name: value for name, value in kept.items() if name != "audit_key"})

        later = kept_secrets(data)

        assert later.audit_key != first.audit_key
        assert (later.master_key, kept_secrets(data)) == (first.master_key, later)

    def test_incomplete_ones_are_refused(self, data: DataDirectory) -> None:
        data.keep("secrets.json", {"app": "x"})

        with pytest.raises(DataDirectoryUnusable, match="incomplete"):
            kept_secrets(data)


@pytest.fixture
def place() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory / "data"


@pytest.fixture
def data(place: Path) -> DataDirectory:
    return open_data_directory(place)
