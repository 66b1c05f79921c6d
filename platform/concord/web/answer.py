"""Answers to forms that a page sends itself, so that what was typed stays when the connection goes.

A script cannot see where a redirect leads. Asked by the page's own script, the answer names the place instead, and the
page goes there as it would have gone.
"""

from __future__ import annotations

from flask import Flask, Response, request

ASKED = "Concord-Form"
LOCATION = "Concord-Location"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def install_answers(app: Flask) -> None:
    """Name the place to go to in the answer to a form that a page's script has sent."""
    app.after_request(_name_location)


def _name_location(response: Response) -> Response:
    if ASKED not in request.headers or response.status_code not in _REDIRECTS:
        return response
    response.headers[LOCATION] = response.headers.pop("Location")
    response.status_code = 200
    response.set_data(b"")
    response.mimetype = "text/plain"
    return response
