"""A row of the plain sheet, by heading, and what a cell may hold."""

from __future__ import annotations

from datetime import date

from matching.need import need_catalogue

Cell = str | int | date | None


def need_heading(code: str) -> str:
    """Return the heading of a need's column."""
    return f"Need: {_titles()[code]}"


def _titles() -> dict[str, str]:
    return {need.code: need.title for need in need_catalogue().needs}
