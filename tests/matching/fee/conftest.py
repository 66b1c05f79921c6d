"""One consortium with tariffs for all tests of tariffs and agreements: each makes its own matches."""

from __future__ import annotations

import pytest

from tenants.database import Database
from tests.factories import Factories
from tests.matching.fee.fee_ground import FeeGround, make_fee_ground


@pytest.fixture(scope="module")
def ground(factories: Factories, database: Database) -> FeeGround:
    """A consortium with its tariffs."""
    return make_fee_ground(factories, database)
