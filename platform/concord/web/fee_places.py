"""The places of the section of fees, by what one comes for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from concord.web.navigation import Section
from tenants.permission import Verb, may
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Part:
    """Places that belong together."""

    title: str
    places: tuple[Section, ...]


PARTS: tuple[Part, ...] = (
    Part(
        "Agreements",
        (
            Section(
                title="Fee agreements",
                hint="What two agencies agreed about each placement, who has signed it, and its paper.",
                endpoint="fee_agreements.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="What a placement would cost",
                hint="For your agency’s children, once their family is chosen.",
                endpoint="fee_cost.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Suppliers and orders",
                hint="Whom your finance team has approved, and the purchase orders of your agreements.",
                endpoint="payee_accounts.suppliers",
                verb=Verb.READ_FEES,
            ),
        ),
    ),
    Part(
        "Money owed",
        (
            Section(
                title="Invoices",
                hint="What was issued and received, what is overdue or in dispute, and what is due to be invoiced.",
                endpoint="invoices.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Bank files",
                hint="Hand in what your bank says was paid, and see what became of each line.",
                endpoint="remittances.index",
                verb=Verb.KEEP_FEES,
            ),
            Section(
                title="Match what was paid",
                hint="Which bank line pays which invoice, with the reasons; nothing is posted before you confirm it.",
                endpoint="fee_matching.index",
                verb=Verb.KEEP_FEES,
            ),
            Section(
                title="Statements",
                hint="What is owed between you and each other agency, for how long, and statements that both agree.",
                endpoint="fee_statements.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Netting",
                hint="Set off what you and another agency owe each other, invoice by invoice, once both agree.",
                endpoint="fee_netting.index",
                verb=Verb.READ_FEES,
            ),
        ),
    ),
    Part(
        "Month end",
        (
            Section(
                title="Months",
                hint="Close a month with its totals; two people open one again.",
                endpoint="fee_ledger.periods",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Ledger",
                hint="Every posting of your agency’s book, by agency, month, account and agreement.",
                endpoint="fee_ledger.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Journals",
                hint="A month’s postings as your finance system takes them, with control totals.",
                endpoint="fee_journals.index",
                verb=Verb.READ_FEES,
            ),
        ),
    ),
    Part(
        "Figures",
        (
            Section(
                title="Reports",
                hint="The twelve months ahead, what is due and not invoiced, and a financial year by account.",
                endpoint="fee_reports.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Budget",
                hint="What you planned to pay and earn in a year, month by month, beside what your book says.",
                endpoint="fee_budget.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Saved and earned",
                hint="The fees that swaps spared you, and those that your approved families earned, year by year.",
                endpoint="fee_savings.index",
                verb=Verb.READ_SAVINGS,
            ),
        ),
    ),
    Part(
        "Set-up",
        (
            Section(
                title="Our account",
                hint="What stands on your invoices: VAT, numbers, days to pay and where you are paid.",
                endpoint="payee_accounts.show",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Who pays, and who signs",
                hint="The regional agency that pays for yours, and up to how much people of each role sign.",
                endpoint="fee_payers.index",
                verb=Verb.READ_FEES,
            ),
            Section(
                title="Tariffs and rules",
                hint="What is published, for whom and from when, and by which rules placements are priced.",
                endpoint="fee_tariffs.index",
                verb=Verb.READ_TARIFFS,
            ),
        ),
    ),
)
"""Every place of the section, in the order of its work."""


def parts_for(scope: Scope) -> list[Part]:
    """Return the parts with the places that the scope's roles open, leaving out what has none."""
    opened = [replace(part, places=tuple(each for each in part.places if may(scope, each.verb))) for part in PARTS]
    return [part for part in opened if part.places]
