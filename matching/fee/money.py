"""Amounts of money as people and programs write them."""

from __future__ import annotations


def say_pounds(pence: int) -> str:
    """Return an amount in pounds, the pence where there are any: ``£27,000``, ``£31,620.50``, ``−£12``."""
    whole, rest = divmod(abs(pence), 100)
    return f"{'−' if pence < 0 else ''}£{whole:,}{f'.{rest:02d}' if rest else ''}"


def pounds(pence: int) -> str:
    """Return an amount in pounds, always with its pence: ``£1,234.50``, ``−£0.05``."""
    sign = "−" if pence < 0 else ""
    return f"{sign}£{abs(pence) // 100:,}.{abs(pence) % 100:02d}"


def plain_pounds(pence: int) -> str:
    """Return an amount in pounds as files hold it: ``1234.50``, ``-0.05``."""
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02d}"
