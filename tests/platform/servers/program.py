"""A program that has the servers up until it is told to stop: what the tests start, kill and start again.

Run as ``python -m tests.platform.servers.program DATA_DIR UID join|own [PATH]``. Started by root with another UID it
becomes that ordinary account, after it has loaded all that the account may not be able to read; PATH then leads
to wheels that it can read.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from concord.log import configure_logging
from concord.servers.deployment import running_servers
from concord.servers.stop_signal import ended_by_signals, wait_for_stop
from concord.settings import Settings
from tenants.error import DomainError


def main() -> None:
    data_dir, uid, manner, *wheels = sys.argv[1:]
    sys.path[:0] = wheels
    configure_logging()
    if int(uid) != os.geteuid():
        "localhost".encode("idna")  # Python loads its codecs late, and may then be unable to read them
        os.setgroups([])
        os.setresgid(int(uid), int(uid), int(uid))
        os.setresuid(int(uid), int(uid), int(uid))
    try:
        with ended_by_signals(), running_servers(Settings(data_dir=Path(data_dir)), join=manner == "join") as found:
            _say({"app": found.database_url, "migrate": found.migrate_url, "valkey": found.valkey_url})
            wait_for_stop()
    except DomainError as error:
        _say({"refused": str(error)})
        sys.exit(1)


def _say(what: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
