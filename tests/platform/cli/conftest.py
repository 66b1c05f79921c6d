"""The command line on the session's servers, named by the environment."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.settings import encode_key
from tests.conftest import MASTER_KEY, SCOPE_KEY


@pytest.fixture
def on_servers(
    monkeypatch: pytest.MonkeyPatch, migrated: DatabaseUrls, valkey_url: str, tmp_path: Path
) -> Iterator[None]:
    """Have commands use the session's servers, and logging be as it was afterwards."""
    for name in os.environ:
        if name.startswith(("CONCORD_", "DATABASE_", "VALKEY_")):
            monkeypatch.delenv(name)
    variables = {
        "CONCORD_DATA_DIR": str(tmp_path / "unused"),
        "CONCORD_PORT": str(free_port()),
        "CONCORD_SCOPE_KEY": encode_key(SCOPE_KEY),
        "CONCORD_MASTER_KEY": encode_key(MASTER_KEY),
        "CONCORD_SECRET_KEY": encode_key(SCOPE_KEY),
        "DATABASE_MIGRATE_URL": migrated.migrate,
        "DATABASE_RELAY_URL": migrated.relay,
        "DATABASE_URL": migrated.app,
        "VALKEY_URL": valkey_url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
