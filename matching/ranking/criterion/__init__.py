"""Every criterion, in the order that people read them."""

from __future__ import annotations

from functools import cache

from matching.need import NeedCatalogue
from matching.ranking.criterion.approval import AgeLine, EarlyPermanenceLine, SexLine, SizeLine
from matching.ranking.criterion.background import AdoptersLine, CommonLine
from matching.ranking.criterion.base import Criterion
from matching.ranking.criterion.home import FreeLine, OnlyLine, YoungestLine
from matching.ranking.criterion.need import NeedCriterion, NeedLine
from matching.ranking.criterion.plan import ContactLine, LegalLine
from matching.ranking.criterion.readiness import BROUGHT, AvailableLine, BroughtLine, UnrecordedLine
from matching.ranking.criterion.where import DistanceLine, ExclusionLine
from matching.ranking.facts import ContactKind

SCORED: tuple[str, ...] = (
    "needs",
    "age",
    "size",
    "legal",
    "early_permanence",
    "contact",
    "distance",
    "readiness",
    "available",
)
"""Criteria whose weights make up the hundred."""

ADDITIONS: tuple[str, ...] = ("heritage", "religion", "languages", "culture", "adopters")
"""Criteria that may only add, and can never be a gate (guidance 4.4-4.11)."""

GATES: tuple[str, ...] = (
    "exclusion",
    "early_permanence",
    "age",
    "size",
    "sex",
    "needs",
    "legal",
    "contact",
    "home",
    "pets",
    "smoking",
    "readiness",
)
"""Criteria that pass, fail or ask, in the order that they are counted."""


@cache
def criteria(catalogue: NeedCatalogue, *, age_margin_months: int) -> tuple[Criterion, ...]:
    """Return every criterion for a catalogue of needs: first the gates in their order, then what only scores."""
    return (
        Criterion("exclusion", "Exclusion areas", place=ExclusionLine()),
        Criterion(
            "early_permanence",
            "Early permanence",
            (EarlyPermanenceLine(),),
            nothing_asked="Early permanence is not planned.",
        ),
        Criterion("age", "Age", (AgeLine(margin=age_margin_months),), nothing_asked="No child is recorded."),
        Criterion("size", "Number of children", (SizeLine(),)),
        Criterion("sex", "Sex approved", (SexLine(),), nothing_asked="No child is recorded."),
        NeedCriterion(
            "needs",
            "Needs",
            tuple(NeedLine(need) for need in catalogue.needs),
            nothing_asked="No child has a recorded need.",
        ),
        Criterion("legal", "Legal position", (LegalLine(),), nothing_asked="The legal position is settled."),
        Criterion(
            "contact",
            "Contact",
            tuple(ContactLine(kind) for kind in ContactKind),
            nothing_asked="The plan asks for no contact.",
        ),
        Criterion(
            "home",
            "Children at home",
            (YoungestLine(), OnlyLine()),
            nothing_asked="A child may live with other children of any age.",
        ),
        Criterion("pets", "Pets", (FreeLine("pets", "pets"),), nothing_asked="Pets do not matter."),
        Criterion(
            "smoking", "Smoking", (FreeLine("smoking", "smokers"),), nothing_asked="No smoke-free home is asked for."
        ),
        Criterion(
            "readiness",
            "Experience and support",
            (*(BroughtLine(what) for what in BROUGHT), UnrecordedLine()),
            nothing_asked="No experience, training, parent at home or support nearby is asked for.",
        ),
        Criterion("distance", "Distance", place=DistanceLine(), gate=False),
        Criterion("available", "Date available", (AvailableLine(),), gate=False),
        Criterion("heritage", "Heritage", (CommonLine("heritage", "heritage"),), gate=False),
        Criterion("religion", "Religion", (CommonLine("religion", "a religion"),), gate=False),
        Criterion("languages", "Languages", (CommonLine("languages", "a language"),), gate=False),
        Criterion("culture", "Culture", (CommonLine("culture", "a culture"),), gate=False),
        Criterion("adopters", "One adopter or two", (AdoptersLine(),), gate=False),
    )
