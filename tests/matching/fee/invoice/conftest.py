"""A ground for each test: invoices of one would be due in another."""

from __future__ import annotations

import pytest

from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tests.factories import Factories
from tests.matching.fee.invoice.invoice_ground import InvoiceGround, make_invoice_ground


@pytest.fixture
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> InvoiceGround:
    """A payee, a payer and a stranger."""
    return make_invoice_ground(database, migrated, factories)
