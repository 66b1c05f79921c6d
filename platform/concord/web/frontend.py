"""The look that the site and the development provider share: GOV.UK components, own header, own assets."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from flask import Flask, url_for
from govuk_frontend_wtf.main import WTFormsHelpers
from jinja2 import ChainableUndefined, ChoiceLoader, PackageLoader, PrefixLoader
from werkzeug.datastructures import ImmutableDict

from concord.web.answer import install_answers

_FINGERPRINT_LENGTH = 12


class PageApp(Flask):
    """A Flask application whose templates may use the GOV.UK components."""

    # The components read parameters that a caller left out; Flask's default would refuse them.
    jinja_options = ImmutableDict({**Flask.jinja_options, "undefined": ChainableUndefined})


def make_page_app(name: str) -> PageApp:
    """Return an application with the shared templates and assets, but no page yet."""
    app = PageApp(name, root_path=str(files("concord.web")), static_folder="static", template_folder="templates")
    app.jinja_loader = ChoiceLoader(
        [
            PackageLoader("concord.web"),
            PrefixLoader(
                {
                    "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
                    "govuk_frontend_wtf": PackageLoader("govuk_frontend_wtf"),
                }
            ),
        ]
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = asset
    WTFormsHelpers(app)
    install_answers(app)
    return app


def asset(name: str) -> str:
    """Return the address of a file under ``static/``, with its fingerprint so that browsers may keep it for good."""
    return url_for("static", filename=name, v=fingerprint(name))


@cache
def fingerprint(name: str) -> str:
    """Return the start of the SHA-256 of a file under ``static/``."""
    content = (files("concord.web") / "static" / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:_FINGERPRINT_LENGTH]
