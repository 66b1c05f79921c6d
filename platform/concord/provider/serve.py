"""Run the development provider on the loopback address until it is told to stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HOST = "127.0.0.1"


class Quiet(WSGIRequestHandler):
    """The application logs its requests itself, without what addresses carry."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


def open_server(app: Flask, *, port: int) -> BaseWSGIServer:
    """Return a server for ``app`` that is bound and listening; codes and tokens live in this one process."""
    return make_server(HOST, port, app, threaded=True, request_handler=Quiet)


def serve(app: Flask, *, port: int) -> None:
    """Serve ``app`` until SIGTERM or SIGINT."""
    server = open_server(app, port=port)

    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the loop below to end, so it cannot be called from within it.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.serve_forever()
    finally:
        server.server_close()
