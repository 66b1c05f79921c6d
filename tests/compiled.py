"""Templates compiled once in a process, for many tests make an application of their own."""

from __future__ import annotations

from types import CodeType

import pytest
from flask import Flask
from flask.templating import Environment
from jinja2.bccache import Bucket, BytecodeCache


class Compiled(BytecodeCache):
    """The code of each template, by where it comes from, for as long as its source is the same."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was compiled of this source, if it was."""
        checksum, code = self._codes.get(bucket.key, ("", None))
        bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._codes[bucket.key] = (bucket.checksum, bucket.code)


def share_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all applications that are made from now on share what is compiled."""
    create, compiled = Flask.create_jinja_environment, Compiled()

    def create_sharing(app: Flask) -> Environment:
        environment = create(app)
        environment.bytecode_cache = compiled
        return environment

    monkeypatch.setattr(Flask, "create_jinja_environment", create_sharing)
