"""The API put together: its operations, its tokens, its description."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Blueprint
from flask_wtf import CSRFProtect

from concord.api import (
    docs,
    fee,
    fee_invoice,
    group,
    household,
    import_run,
    job,
    link,
    meeting,
    placement,
    ranking,
    reference,
    swap,
    token,
)
from concord.api.parts import Parts, install_parts

OPERATIONS: tuple[Blueprint, ...] = (
    group.blueprint,
    household.blueprint,
    reference.blueprint,
    ranking.blueprint,
    link.blueprint,
    placement.blueprint,
    swap.blueprint,
    fee.blueprint,
    fee_invoice.blueprint,
    import_run.blueprint,
    meeting.blueprint,
    job.blueprint,
)


def install_api(app: Flask, parts: Parts, *, csrf: CSRFProtect) -> None:
    """Add the API to the site.

    Forms are guarded against other sites because a browser sends its cookie by itself; the API reads no cookie.
    """
    install_parts(app, parts)
    token.install_tokens(app)
    docs.install_docs(app, OPERATIONS)
    for blueprint in (*OPERATIONS, token.blueprint, docs.blueprint):
        app.register_blueprint(blueprint)
        csrf.exempt(blueprint)
    app.add_url_rule("/.well-known/oauth-authorization-server", view_func=token.metadata, endpoint="api_token.metadata")
