"""Run a command as an operator does, and read its answer."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from concord.cli import main


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, arguments)


def answer(*arguments: str) -> Any:
    """Run a command that succeeds, and return what it says in JSON."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refusal(*arguments: str) -> str:
    """Run a command that is refused, and return its one line."""
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line
