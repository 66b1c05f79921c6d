"""The data directory: who may use it, what is kept in it, and where the servers keep theirs.

It holds ``lock`` (held while the servers run), ``secrets.json`` (passwords and keys), ``ports.json`` (where the
servers listen) and ``servers`` (their data, or a link to it).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from concord.servers.account import Account, server_account
from tenants.error import Conflict, Invalid

# Where root puts the servers' data when an unprivileged account can't reach the data directory. Not /tmp or
# /var/tmp, which machines clear by themselves.
REACHABLE = Path("/var/lib")


class DataDirectoryUnusable(Invalid):
    """The data directory can't be used as it is."""


class DataDirectoryInUse(Conflict):
    """Another program runs the servers of this data directory."""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """A directory that is ours, readable by nobody else but for the way through to the servers' data."""

    path: Path
    servers: Path
    account: Account

    def room(self, name: str) -> Path:
        """Make, where it is missing, a directory that only the servers' account may enter."""
        room = self.servers / name
        room.mkdir(mode=0o700, exist_ok=True)
        self.account.own(room)
        room.chmod(0o700)
        return room

    def read(self, name: str) -> dict[str, object]:
        """Read a JSON object that was kept, or an empty one.

        :raises DataDirectoryUnusable: when the file is there but can't be read.
        """
        path = self.path / name
        try:
            kept = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            kept = None
        if not isinstance(kept, dict):
            raise DataDirectoryUnusable(f"{path} can't be read. Put it back from a backup.")
        return kept

    def keep(self, name: str, values: Mapping[str, object]) -> None:
        """Keep a JSON object, whole or not at all, readable by its owner only."""
        replace_file(self.path / name, json.dumps(values, indent=2) + "\n")

    def holder(self) -> int | None:
        """Return the process that runs the servers of this data directory, if one does; 0 when it can't be told."""
        descriptor = self._open_lock()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(descriptor, 20, 0).decode().strip()
            return int(text) if text.isdigit() else 0
        finally:
            os.close(descriptor)
        return None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the data directory: one program at a time. The kernel lets go of it however the program ends.

        :raises DataDirectoryInUse: when another program holds it, saying which and what to do.
        """
        descriptor = self._open_lock()
        try:
            if not _locks(descriptor):
                raise self.in_use()
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def in_use(self) -> DataDirectoryInUse:
        """Make the error that says who runs the servers of this data directory."""
        pid = self.holder()
        who = f"process {pid}" if pid else "another program"
        stop = f"Stop it (Ctrl-C where it runs, or `kill {pid}`)" if pid else "Stop it"
        return DataDirectoryInUse(
            f"Concord is already running on {self.path} ({who}). {stop}, or choose another place with --data-dir."
        )

    def _open_lock(self) -> int:
        return os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)


def open_data_directory(path: Path) -> DataDirectory:
    """Open the data directory, making it where it is missing.

    :raises DataDirectoryUnusable: when it is another account's, or can't be made.
    """
    account = server_account()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_ours(path)
        path.chmod(0o711 if account.switches else 0o700)
        return DataDirectory(path, _servers(path, account), account)
    except OSError as error:
        raise DataDirectoryUnusable(
            f"{path} can't be used for data: {error.strerror}. Choose another place with --data-dir."
        ) from None


def replace_file(path: Path, text: str) -> None:
    """Write a file readable by its owner only; a reader, or a crash, sees the old one or the new one, whole."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _locks(descriptor: int) -> bool:
    # More than once: somebody who asks for the holder has it for a moment.
    for _ in range(5):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def _require_ours(path: Path) -> None:
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise DataDirectoryUnusable(
            f"{path} belongs to another account (uid {found.st_uid}). "
            "Run concord as that account, or choose another place with --data-dir."
        )
    if not stat.S_ISDIR(found.st_mode):
        raise DataDirectoryUnusable(f"{path} is not a directory. Choose another place with --data-dir.")


def _servers(path: Path, account: Account) -> Path:
    """Return where the servers' data is: inside, or behind a link when their account can't come inside."""
    servers = path / "servers"
    if servers.is_symlink() and not servers.exists():
        raise DataDirectoryUnusable(
            f"{servers} points at {servers.readlink()}, which is gone. Put that back from a backup, "
            "or remove the link to begin with empty servers."
        )
    if not servers.exists():
        if _can_pass(path, account):
            servers.mkdir(mode=0o711, exist_ok=True)
        else:
            servers.symlink_to(tempfile.mkdtemp(prefix="concord-", dir=REACHABLE), target_is_directory=True)
    found = servers.resolve()
    found.chmod(0o711)
    return found


def _can_pass(path: Path, account: Account) -> bool:
    """Say whether the account may walk through every directory on the way to ``path``."""
    if not account.switches:
        return True
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (path.resolve(), *path.resolve().parents))
