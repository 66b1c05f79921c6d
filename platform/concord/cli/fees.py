"""``concord fees``: tariffs, what a placement costs, and what is owed. Each part of fees adds its commands here."""

from __future__ import annotations

import click

from concord.cli.fee_invoices import invoice
from concord.cli.fee_ledger import close, ledger, run
from concord.cli.fee_nettings import budget, netting
from concord.cli.fee_statements import journal, statement
from concord.cli.fee_tariffs import cost, tariff


@click.group("fees")
def command() -> None:
    """Keep tariffs, say what a placement costs, and see what is owed."""


command.add_command(tariff)
command.add_command(cost)
command.add_command(invoice)
command.add_command(run)
command.add_command(ledger)
command.add_command(close)
command.add_command(statement)
command.add_command(journal)
command.add_command(netting)
command.add_command(budget)
