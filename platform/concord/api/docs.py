"""The description as JSON, as a page to read and as one to try it on, from files of this very site alone."""

from __future__ import annotations

from importlib.resources import files
from itertools import groupby
from operator import attrgetter

import flask_swagger_ui
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, render_template, send_from_directory

from concord.api.parts import ROOT
from concord.api.reference_page import list_operations, list_schemas
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
    """Show the description as a page to try it on."""
    return render_template("api-docs.html", description=f"{ROOT}/openapi.json", reference=f"{ROOT}/reference")


@blueprint.get("/reference")
def reference() -> str:
    """Name the operations, on a page to read that needs no script."""
    operations = list_operations(describe_api(current_app.extensions[_DESCRIBED]))
    areas = {area: list(each) for area, each in groupby(operations, key=attrgetter("area"))}
    return render_template("api-reference.html", areas=areas, description=f"{ROOT}/openapi.json", trial=f"{ROOT}/docs")


@blueprint.get("/reference/<area>")
def reference_area(area: str) -> str:
    """Show what the description says of the operations of one area."""
    said = describe_api(current_app.extensions[_DESCRIBED])
    operations = [each for each in list_operations(said) if each.area == area]
    if not operations:
        abort(404)
    return render_template(
        "api-reference-area.html", area=area, operations=operations, schemas=list_schemas(said, operations)
    )


@blueprint.get(f"/docs/<any({', '.join(repr(name) for name in _SERVED)}):name>")
def file(name: str) -> Response:
    """Return one of the page's files."""
    return send_from_directory(_FILES, name)


for _view in (openapi, page, reference, reference_area, file):
    vars(_view)["access"] = "anyone"
