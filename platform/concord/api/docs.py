"""The description as JSON and as a page to read and try, from files of this very site alone."""

from __future__ import annotations

from importlib.resources import files

import flask_swagger_ui
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template, send_from_directory

from concord.api.parts import ROOT
from concord.api.spec import describe_api

blueprint = Blueprint("api_docs", __name__, url_prefix=ROOT)

_DESCRIBED = "concord-api-described"
_FILES = str(files(flask_swagger_ui) / "dist")
_SERVED = "swagger-ui.css", "swagger-ui-bundle.js"


def install_docs(app: Flask, operations: tuple[Blueprint, ...]) -> None:
    """Have ``app`` describe these operations."""
    app.extensions[_DESCRIBED] = operations


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Return the description."""
    return jsonify(describe_api(current_app.extensions[_DESCRIBED]))


@blueprint.get("/docs")
def page() -> str:
    """Show the description as a page."""
    return render_template("api-docs.html", description=f"{ROOT}/openapi.json")


@blueprint.get(f"/docs/<any({', '.join(repr(name) for name in _SERVED)}):name>")
def file(name: str) -> Response:
    """Return one of the page's files."""
    return send_from_directory(_FILES, name)


for _view in (openapi, page, file):
    vars(_view)["access"] = "anyone"
