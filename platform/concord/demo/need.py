"""What children need and what households say to it, drawn so that needs go together as they do in life."""

from __future__ import annotations

from dataclasses import dataclass

from concord.demo.chance import Chance
from matching.need import need_catalogue

LEVELS = ("low", "medium", "high")
DISABILITIES = ("physical_disability", "learning_disability", "sensory_impairment")


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How a need comes about: a base chance, what raises it, how often it is not known; and how readily it is met.

    ``before`` weighs what happened before birth, ``harm`` what happened after, ``age`` each year of age.
    """

    base: float
    before: float = 0.0
    harm: float = 0.0
    age: float = 0.0
    unknown: float = 0.08
    ease: float = 0.5


# [assumed] No source gives these by need: they are set so that records look plausible, and are used for nothing else.
LIKELIHOODS = {
    "physical_disability": Likelihood(0.03, ease=0.15),
    "learning_disability": Likelihood(0.04, age=0.01, unknown=0.15, ease=0.15),
    "sensory_impairment": Likelihood(0.02, ease=0.3),
    "developmental_delay": Likelihood(0.1, before=0.3, harm=0.1, unknown=0.15, ease=0.45),
    "developmental_uncertainty": Likelihood(0.5, before=0.4, age=-0.06, unknown=0.1, ease=0.6),
    "alcohol_in_pregnancy": Likelihood(0.05, before=0.55, unknown=0.3, ease=0.3),
    "drugs_in_pregnancy": Likelihood(0.05, before=0.65, unknown=0.2, ease=0.5),
    "blood_borne_virus": Likelihood(0.01, before=0.06, unknown=0.12, ease=0.35),
    "prematurity": Likelihood(0.06, before=0.2, unknown=0.03, ease=0.7),
    "genetic_risk": Likelihood(0.06, before=0.05, unknown=0.2, ease=0.3),
    "family_mental_illness": Likelihood(0.35, before=0.3, unknown=0.15, ease=0.55),
    "family_learning_disability": Likelihood(0.2, before=0.15, unknown=0.2, ease=0.4),
    "neglect": Likelihood(0.15, harm=0.6, age=0.05, unknown=0.05, ease=0.75),
    "physical_abuse": Likelihood(0.05, harm=0.25, age=0.02, ease=0.6),
    "emotional_abuse": Likelihood(0.1, harm=0.45, age=0.05, unknown=0.12, ease=0.65),
    "sexual_abuse": Likelihood(0.01, harm=0.08, age=0.01, unknown=0.15, ease=0.25),
    "domestic_abuse": Likelihood(0.2, harm=0.4, age=0.02, ease=0.75),
    "sexualised_behaviour": Likelihood(0.0, harm=0.05, age=0.01, unknown=0.1, ease=0.15),
    "conception_rape_incest": Likelihood(0.02, before=0.03, unknown=0.12, ease=0.35),
    "attachment": Likelihood(0.08, harm=0.35, age=0.06, unknown=0.15, ease=0.55),
    "behaviour": Likelihood(0.03, harm=0.3, age=0.06, unknown=0.08, ease=0.45),
    "education": Likelihood(0.0, harm=0.1, age=0.07, unknown=0.1, ease=0.5),
}  # fmt: skip


def draw_needs(chance: Chance, *, before: float, harm: float, years: int, disabled: bool) -> dict[str, str | None]:
    """Return each need's cell for one child: a level, ``none``, ``unknown``, or blank."""
    cells: dict[str, str | None] = {}
    marked = chance.some(DISABILITIES, 2 if chance.happens(0.3) else 1) if disabled else []
    for code in need_catalogue().codes():
        if code in marked:
            cells[code] = chance.pick(LEVELS[1:])
        elif code in DISABILITIES:
            cells[code] = _undiagnosed(chance, LIKELIHOODS[code])
        else:
            cells[code] = _draw_need(chance, LIKELIHOODS[code], before=before, harm=harm, years=years)
    return cells


def _not_known(chance: Chance) -> str | None:
    return "unknown" if chance.happens(0.5) else None


def _undiagnosed(chance: Chance, likelihood: Likelihood) -> str | None:
    if chance.happens(likelihood.unknown):
        return _not_known(chance)
    return "low" if chance.happens(likelihood.base) else "none"


def _draw_need(chance: Chance, likelihood: Likelihood, *, before: float, harm: float, years: int) -> str | None:
    if chance.happens(likelihood.unknown):
        return _not_known(chance)
    pressure = likelihood.before * before + likelihood.harm * harm
    if not chance.happens(min(0.95, likelihood.base + pressure + likelihood.age * years)):
        return "none"
    severity = 0.6 * chance.share() + 0.4 * max(before, harm)
    return "high" if severity > 0.72 else "medium" if severity > 0.42 else "low"


def draw_tolerances(chance: Chance) -> dict[str, str | None]:
    """Return each need's cell for one household, in the grammar of the plain sheet.

    One household in eight has been asked little: most of its answers are blank.
    """
    openness = chance.share()
    unsaid = 0.6 if chance.happens(0.125) else 0.12
    return {
        code: None if chance.happens(unsaid) else _answer(chance, openness, LIKELIHOODS[code].ease) or None
        for code in need_catalogue().codes()
    }


def _answer(chance: Chance, openness: float, ease: float) -> str:
    reach = 0.45 * openness + 0.35 * chance.share() + 0.75 * ease - 0.15
    can = _levels_within(reach)
    discuss = max(can, _levels_within(reach + 0.25 * chance.share() + 0.05))
    parts = []
    if can:
        parts.append(f"can meet {LEVELS[can - 1]}")
    if discuss > can:
        parts.append(f"would discuss {LEVELS[discuss - 1]}")
    if discuss < len(LEVELS) and chance.happens(0.75):
        parts.append(f"cannot {LEVELS[discuss]}" if discuss else "cannot")
    return "; ".join(parts)


def _levels_within(reach: float) -> int:
    return sum(reach > step for step in (0.35, 0.6, 0.85))
