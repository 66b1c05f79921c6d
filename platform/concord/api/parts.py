"""What the API stands on: the site's database and its way of naming requests, given to it by the site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app

from tenants.database import Database

PREFIX = "/api"
ROOT = "/api/v1"
_EXTENSION = "concord-api"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that live as long as the process."""

    database: Database
    site_url: str
    cursor_key: str
    """Signs the places in lists that programs hand back."""
    request_id: Callable[[], str]


def install_parts(app: Flask, parts: Parts) -> None:
    """Give ``app`` what its API stands on."""
    app.extensions[_EXTENSION] = parts


def current_parts() -> Parts:
    """Return what the API that answers this request stands on."""
    parts: Parts = current_app.extensions[_EXTENSION]
    return parts
