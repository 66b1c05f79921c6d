"""Ask a virus scanner, clamd, about a file before anything of it is kept."""

from __future__ import annotations

import socket
import struct
from contextlib import closing
from dataclasses import dataclass

from matching.document_check import DocumentRefused

SECONDS = 60.0
_CHUNK = 64 * 1024
_LONGEST_ANSWER = 4_096
_PORT = 3310


class Infected(DocumentRefused):
    """The scanner found something."""


class ScannerAway(DocumentRefused):
    """The scanner does not answer, or not as it should; what nobody has scanned is not kept."""


class ScannerAddressInvalid(ValueError):
    """The setting names no scanner."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """Where a clamd listens: a path of a Unix socket, or a host and a port."""

    path: str | None = None
    host: str = ""
    port: int = _PORT
    seconds: float = SECONDS

    def __call__(self, content: bytes) -> None:
        """Let a file pass in which the scanner finds nothing.

        :raises Infected: when it finds something.
        :raises ScannerAway: when it does not answer, or refuses to look.
        """
        try:
            answer = self._ask(content)
        except OSError:
            raise ScannerAway(_AWAY) from None
        # clamd(8): “stream: OK”, “stream: <name> FOUND” or “… ERROR”.
        if answer.endswith(b" FOUND"):
            raise Infected(
                "The virus scanner found something in the file. Nothing of it was kept. Tell your IT service, and do "
                "not send the file on."
            )
        if answer != b"stream: OK":
            raise ScannerAway(_AWAY)

    def _ask(self, content: bytes) -> bytes:
        with closing(self._connect()) as connection:
            try:
                connection.sendall(b"zINSTREAM\0")
                for start in range(0, len(content), _CHUNK):
                    part = content[start : start + _CHUNK]
                    connection.sendall(struct.pack(">I", len(part)) + part)
                connection.sendall(struct.pack(">I", 0))
            except (BrokenPipeError, ConnectionResetError):
                # It may have said why before it closed: past its limit of size it does.
                return _answer(connection)
            return _answer(connection)

    def _connect(self) -> socket.socket:
        if self.path is None:
            return socket.create_connection((self.host, self.port), timeout=self.seconds)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.seconds)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection


_AWAY = (
    "The virus scanner does not answer as it should, so the file could not be looked at and nothing of it was kept. "
    "Try again in a few minutes. If it goes on, tell your administrator."
)


def read_scanner(address: str) -> Scanner | None:
    """Return the scanner that a setting names: ``unix:/run/clamd.sock``, ``tcp://host:3310``, or nothing for none.

    :raises ScannerAddressInvalid: when it is neither.
    """
    words = address.strip()
    if not words:
        return None
    if words.startswith("unix:/"):
        return Scanner(path="/" + words.removeprefix("unix:").lstrip("/"))
    host, _, port = words.removeprefix("tcp://").rpartition(":")
    if not words.startswith("tcp://") or not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ScannerAddressInvalid("write unix:/run/clamav/clamd.ctl or tcp://scanner.example:3310")
    return Scanner(host=host.strip("[]"), port=int(port))


def _answer(connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        part = connection.recv(_LONGEST_ANSWER)
        if not part:
            break
        answer += part
    return answer.rstrip(b"\0").strip()
