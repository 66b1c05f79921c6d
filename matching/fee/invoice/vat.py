"""What value added tax does to a fee: a category that the payee's finance chooses, and nobody else guesses.

Which it is, Concord does not say: adoption services are exempt for some bodies (Value Added Tax Act 1994, Schedule 9,
Group 7), outside the scope for others, and a payee that has opted otherwise charges the standard rate.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

TO_CONFIRM: Final = "To be confirmed"
"""What stands where no category is chosen."""
_WHOLE = 10_000
_STANDARD: Final = ((date(2011, 1, 4), 2_000), (date(2010, 1, 1), 1_750))
"""The standard rate in hundredths of a per cent from each day on (VAT Act 1994, section 2), the latest first."""


class VatCategory(StrEnum):
    """How a payee's fees are taxed."""

    EXEMPT = "exempt"
    OUTSIDE_SCOPE = "outside_scope"
    ZERO = "zero"
    STANDARD = "standard"

    @property
    def label(self) -> str:
        """Return the words that pages and invoices use."""
        return {
            "exempt": "Exempt",
            "outside_scope": "Outside the scope of VAT",
            "zero": "Zero rate",
            "standard": "Standard rate",
        }[self]

    @property
    def code(self) -> str:
        """Return its code in UNTDID 5305, as EN 16931 takes it (BT-118, BT-151)."""
        return {"exempt": "E", "outside_scope": "O", "zero": "Z", "standard": "S"}[self]

    @property
    def reason(self) -> str:
        """Return why no tax is charged, where a payee says nothing else (BT-120)."""
        return {
            "exempt": "Exempt from VAT: welfare services, VAT Act 1994, Schedule 9, Group 7",
            "outside_scope": "Outside the scope of VAT",
        }.get(self, "")


def rate_on(category: VatCategory, on: date) -> int:
    """Return a category's rate on a day, in hundredths of a per cent."""
    if category is not VatCategory.STANDARD:
        return 0
    return next((rate for begins_on, rate in _STANDARD if begins_on <= on), _STANDARD[-1][1])


def tax_of(net_pence: int, rate: int) -> int:
    """Return the tax on a net sum in pence, rounded to the nearest penny and half a penny up (EN 16931, BR-CO-17).

    :param rate: hundredths of a per cent.
    """
    return (net_pence * rate + _WHOLE // 2) // _WHOLE


def tax_to_credit(net_pence: int, rate: int, *, open_net_pence: int, open_vat_pence: int) -> int:
    """Return the tax of a credit note, so that a whole invoice credited bit by bit leaves no penny of tax behind.

    :param open_net_pence: how much of the invoice's net sum is not credited yet, and of its tax.
    """
    if net_pence == open_net_pence:
        return open_vat_pence
    return min(tax_of(net_pence, rate), open_vat_pence)
