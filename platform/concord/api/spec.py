"""The OpenAPI description (3.1), made of the operations themselves, once in a process."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint

from concord.api.description import SECURITY
from concord.api.parts import ROOT
from concord.api.problem import DETAILS, MEDIA, PLAIN
from concord.schema.problem import HttpProblemSchema
from tenants.api_scope import ApiScope
from tenants.api_token import TOKEN_MINUTES

ABOUT = f"""What an agency’s own programs may ask of Concord, in its agency’s name and within the scopes of their token.

A token comes from `{ROOT}/token` for a client’s id and secret and lasts {TOKEN_MINUTES} minutes. Every look is on
record as a person’s is. Errors are problems (RFC 9457). A list is read page by page with `cursor`. Every write wants an
`Idempotency-Key`. `docs/api.md` shows all of it with curl.
"""
_STATUSES = (400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 428, 429, 500, 503)


class Description(Api):  # type: ignore[misc]
    """The description alone: it serves nothing and handles no errors, which the site does."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_responses(self) -> None:
        for status in _STATUSES:
            self.spec.components.response(f"Problem{status}", _problem(status))

    def _register_doc_blueprint(self) -> None:
        """Serve nothing."""

    def _register_error_handlers(self) -> None:
        """Handle nothing."""


def describe_api(blueprints: tuple[Blueprint, ...]) -> dict[str, Any]:
    """Return the description of the operations of these blueprints."""
    return _description(blueprints)


@cache
def _description(blueprints: tuple[Blueprint, ...]) -> dict[str, Any]:
    app = Flask("concord-api-description")
    app.config.update(
        API_TITLE="Concord",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.1",
        API_SPEC_OPTIONS={"info": {"description": ABOUT}},
    )
    api = Description(app)
    api.spec.components.security_scheme(SECURITY, _security())
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    said: dict[str, Any] = api.spec.to_dict()
    return said


def _security() -> dict[str, Any]:
    scopes = {scope.value: scope.words for scope in ApiScope}
    flow = {"tokenUrl": f"{ROOT}/token", "scopes": scopes}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}


def _problem(status: int) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    example = {"type": PLAIN, "title": title, "status": status, "detail": DETAILS.get(status, f"{title}.")}
    said: dict[str, Any] = {
        "description": title,
        "content": {MEDIA: {"schema": HttpProblemSchema, "example": example}},
    }
    names = {401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 429: ("Retry-After",)}.get(status, ())
    if names:
        said["headers"] = {name: {"schema": {"type": "string"}} for name in names}
    return said
