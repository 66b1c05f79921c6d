"""A scanner that speaks as clamd does, in a process of its own: it finds the EICAR test file, and nothing else.

Run as ``python -m tests.matching.clamd ADDRESS WAY``, where ADDRESS is a port or the path of a socket, and WAY one of
``honest``, ``mute`` (takes all, says nothing and hangs up), ``small`` (has a limit of size) and ``odd``.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# In pieces, or a scanner would take this file for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SMALL = 100_000
ROOT = Path(__file__).parents[2]


@contextmanager
def scanning(address: str | None = None, *, way: str = "honest") -> Iterator[str]:
    """Run a scanner at a socket's path, or at a free port, while the block runs; give its setting."""
    command = [sys.executable, "-m", "tests.matching.clamd", address or "0", way]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = process.stdout.readline().strip()
        try:
            yield f"unix:{address}" if address else f"tcp://127.0.0.1:{told}"
        finally:
            process.kill()


def main() -> None:
    """Listen, tell where, and answer one connection after another."""
    address, way = sys.argv[1:]
    if address.isdigit():
        listener = socket.create_server(("127.0.0.1", int(address)))
    else:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen()
    print(listener.getsockname()[1] if address.isdigit() else address, flush=True)  # noqa: T201 - it tells its parent
    while True:
        connection, _ = listener.accept()
        with connection:
            answer = _answer(connection, way)
            if answer:
                connection.sendall(answer + b"\0")


def _answer(connection: socket.socket, way: str) -> bytes:
    reader = connection.makefile("rb")
    if reader.read(10) != b"zINSTREAM\0":
        return b"UNKNOWN COMMAND"
    found = b""
    while size := struct.unpack(">I", reader.read(4))[0]:
        found += reader.read(size)
        if way == "small" and len(found) > SMALL:
            return b"INSTREAM size limit exceeded. ERROR"
    if way == "mute":
        return b""
    if way == "odd":
        return b"what was that?"
    return b"stream: Eicar-Signature FOUND" if EICAR in found else b"stream: OK"


if __name__ == "__main__":
    main()
