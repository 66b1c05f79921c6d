"""Where one request ends and the next begins: after what could be read in two ways, the server reads no further."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from concord.servers.port import free_port

SERVER = """
import sys
from granian import Granian

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"seen " + environ["PATH_INFO"].encode()]

if __name__ == "__main__":
    # As the command that serves the site starts it.
    port = int(sys.argv[1])
    Granian("framed:application", address="127.0.0.1", port=port, interface="wsgi", websockets=False).serve()
"""
HOST = "Host: localhost\r\n"
SMUGGLED = f"GET /smuggled HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"


class TestServer:
    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", f"0\r\n\r\n{SMUGGLED}"),
            ("Content-Length: 3\r\nContent-Length: 5\r\n", f"abcde{SMUGGLED}"),
            ("Transfer-Encoding: xchunked\r\n", f"0\r\n\r\n{SMUGGLED}"),
            ("Content-Length : 5\r\n", f"abcde{SMUGGLED}"),
            ("Content-Length: +5\r\n", f"abcde{SMUGGLED}"),
            ("Transfer-Encoding: chunked\r\n", f"5 \x00\r\nabcde\r\n0\r\n\r\n{SMUGGLED}"),
        ],
    )
    def test_takes_nothing_for_a_request_that_could_be_part_of_another(
        self, headers: str, body: str, port: int
    ) -> None:
        answers = ask(port, f"POST / HTTP/1.1\r\n{HOST}{headers}\r\n{body}")

        assert answers.startswith("HTTP/1.1 ")
        assert "seen /smuggled" not in answers

    def test_answers_one_after_the_other_what_is_plain(self, port: int) -> None:
        answers = ask(port, f"POST /first HTTP/1.1\r\n{HOST}Content-Length: 5\r\n\r\nabcde{SMUGGLED}")

        assert "seen /first" in answers
        assert "seen /smuggled" in answers


def ask(port: int, request: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request.encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received.decode()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, number = tmp_path_factory.mktemp("framed"), free_port()
    (folder / "framed.py").write_text(SERVER, "utf-8")
    server = subprocess.Popen(
        [sys.executable, "framed.py", str(number)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(number)
        yield number
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server does not listen")
