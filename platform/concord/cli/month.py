"""A month as commands take it: ``2026-10``."""

from __future__ import annotations

import re
from datetime import date

import click

_MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")


class Month(click.ParamType):  # type: ignore[type-arg]
    """Reads a month as its first day."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the first day of a month."""
        if isinstance(value, date):
            return value
        found = _MONTH.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"“{value}” is no month. Write its year and its number, such as 2026-10.", param, ctx)
        return date(int(found[1]), int(found[2]), 1)


MONTH = Month()
