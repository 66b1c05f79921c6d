"""Agreements that a swap group's rule leaves without a fee, made past the verbs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg

from tests.matching.fee.ledger.agreed import Agreed

_GROUP = """
    INSERT INTO swap_group (id, consortium_id, office_id, name, begins_on, basis, under_years, disruption, follow,
        within_points, bound, made_at)
    VALUES (%(group)s, %(consortium)s, %(office)s, %(name)s, '2020-01-01', 'moving_in', 3, 'falls_away',
        'carry_forward', 10, 3, now())
"""
_WAIVE = """
    UPDATE fee_agreement SET waived = true, waiver_words = 'A swap', swap_group_id = %(group)s, leg_falls = 'charged'
    WHERE id = %(agreement)s
"""


def make_swap(admin: psycopg.Connection[Any], agreed: Agreed) -> Agreed:
    """Make a swap of an agreement, and return it."""
    made = {
        "group": uuid4(),
        "consortium": agreed.payer.scope.consortium_id,
        "office": agreed.payer.id,
        "name": f"Swaps of {agreed.reference}",
        "agreement": agreed.id,
    }
    admin.execute(_GROUP, made)
    admin.execute(_WAIVE, made)
    return agreed
