"""The account that the servers run as: our own, or an unprivileged one when we are root."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tenants.error import Invalid


class AccountMissing(Invalid):
    """Root has no unprivileged account to hand the servers to."""


class Switch(TypedDict, total=False):
    """The arguments that make ``subprocess`` start a program as another account."""

    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine; ``switches`` when a program must change to it to run as it."""

    uid: int
    gid: int
    switches: bool

    def switch(self) -> Switch:
        """Return what ``subprocess`` needs to start a program as this account."""
        return Switch(user=self.uid, group=self.gid, extra_groups=()) if self.switches else Switch()

    def own(self, path: Path) -> None:
        """Give a file or directory to this account."""
        if self.switches:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Return the account for the servers.

    PostgreSQL refuses to run as root, and initdb needs an account that the machine knows: so root uses ``nobody``.

    :raises AccountMissing: when we are root and the machine has no ``nobody``.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switches=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise AccountMissing(
            "PostgreSQL can't run as root, and this machine has no account `nobody` to run it as. "
            "Run concord as an ordinary user, or set DATABASE_URL and VALKEY_URL."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, switches=True)
