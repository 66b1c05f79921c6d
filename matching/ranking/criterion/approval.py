"""What a household is approved for: ages, how many children, which sex, early permanence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.need import Answer, YesNo
from matching.ranking.criterion.base import ASK_AGENCY, ASK_WORKER, Line, months, required, wanted
from matching.ranking.facts import GroupFacts, HouseholdFacts, Sex, SexApproved
from matching.ranking.standing import Standing

UNBORN = -1
_EARLY = {YesNo.YES: Answer.CAN_MEET, YesNo.NO: Answer.CANNOT, YesNo.UNKNOWN: Answer.UNKNOWN}
_SEX = {Sex.FEMALE: "a girl", Sex.MALE: "a boy", Sex.UNKNOWN: "a child whose sex is not yet known"}


def age_words(age: int | None) -> str:
    """Return an age in months as people say it, coarsely."""
    if age is None:
        return "a child whose age is not recorded"
    if age == UNBORN:
        return "a child not yet born"
    if age < 24:
        return "a child under one" if age < 12 else "a child of one"
    return f"a child of {age // 12}"


@dataclass(frozen=True)
class AgeLine(Line[int | None, tuple[int | None, int | None]]):
    """A child's age in months against the range approved, both ends included; an unborn child counts as nought."""

    margin: int
    code: str = "age"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[int | None, ...]:
        """Return each child's age on the day."""
        return tuple(
            dict.fromkeys(
                None if child.birth_month is None else max(UNBORN, months(as_of) - months(child.birth_month))
                for child in group.compared_children
            )
        )

    def offered(self, household: HouseholdFacts, as_of: date) -> tuple[int | None, int | None]:  # noqa: ARG002
        """Return the range approved."""
        return household.age_from_months, household.age_to_months

    def judge(self, asked: int | None, offered: tuple[int | None, int | None]) -> Standing:
        """Return within, near the upper end, outside, or unknown."""
        if asked is None:
            return Standing.UNKNOWN
        age, (lowest, highest) = max(0, asked), offered
        if (lowest is not None and age < lowest) or (highest is not None and age > highest):
            return Standing.CANNOT
        if lowest is None or highest is None:
            return Standing.UNKNOWN
        # A family-finder needs months from first interest to moving in, and a child grows meanwhile.
        return Standing.MOSTLY if highest - age < self.margin else Standing.MET

    def say(self, asked: int | None, offered: tuple[int | None, int | None], standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        child = age_words(asked)
        if standing is Standing.CANNOT:
            return f"Not approved for {child}."
        if standing is Standing.UNKNOWN and asked is None:
            return f"{ASK_AGENCY} how old each child is: an age is not recorded."
        if standing is Standing.UNKNOWN:
            return f"{ASK_WORKER} which ages the household is approved for: the range is not complete."
        if standing is Standing.MOSTLY:
            return f"Approved for {child}, who will soon reach the oldest age approved."
        return f"Approved for {child}."


@dataclass(frozen=True)
class SizeLine(Line[int, tuple[int | None, int | None]]):
    """How many children come together against how many are approved."""

    code: str = "size"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[int, ...]:  # noqa: ARG002
        """Return the number of children."""
        return (len(group.children),)

    def offered(self, household: HouseholdFacts, as_of: date) -> tuple[int | None, int | None]:  # noqa: ARG002
        """Return the fewest and most approved."""
        return household.fewest_children, household.most_children

    def judge(self, asked: int, offered: tuple[int | None, int | None]) -> Standing:
        """Return exact, approved for more, outside, or unknown."""
        fewest, most = offered
        if asked == 0:
            return Standing.UNKNOWN
        if (fewest is not None and asked < fewest) or (most is not None and asked > most):
            return Standing.CANNOT
        if asked == most:
            return Standing.MET
        # Approved from exactly this number up, or the whole range known: room for more, so a little less a fit,
        # for families who can keep larger groups together are few.
        if asked == fewest or (fewest is not None and most is not None):
            return Standing.MOSTLY
        return Standing.UNKNOWN

    def say(self, asked: int, offered: tuple[int | None, int | None], standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        children = "one child" if asked == 1 else f"{asked} children together"
        if standing is Standing.CANNOT:
            return f"Not approved for {children}."
        if standing is Standing.UNKNOWN and asked == 0:
            return f"{ASK_AGENCY} which children are to be placed: none is recorded."
        if standing is Standing.UNKNOWN:
            return f"{ASK_WORKER} how many children the household is approved for."
        if standing is Standing.MOSTLY:
            return f"Approved for {children}, and could take more."
        return f"Approved for {children}."


@dataclass(frozen=True)
class SexLine(Line[Sex, SexApproved]):
    """A child's sex against the sex approved."""

    code: str = "sex"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[Sex, ...]:  # noqa: ARG002
        """Return each sex among the children."""
        return tuple(dict.fromkeys(child.sex for child in group.compared_children))

    def offered(self, household: HouseholdFacts, as_of: date) -> SexApproved:  # noqa: ARG002
        """Return the sex approved."""
        return household.sex_approved

    def judge(self, asked: Sex, offered: SexApproved) -> Standing:
        """Return approved, not approved, or unknown."""
        if offered is SexApproved.ANY:
            return Standing.MET
        if offered is SexApproved.UNKNOWN or asked is Sex.UNKNOWN:
            return Standing.UNKNOWN
        return Standing.MET if asked.value == offered.value else Standing.CANNOT

    def say(self, asked: Sex, offered: SexApproved, standing: Standing) -> str:
        """Return the standing in words."""
        if standing is Standing.CANNOT:
            return f"Not approved for {_SEX[asked]}."
        if standing is Standing.UNKNOWN and offered is SexApproved.UNKNOWN:
            return f"{ASK_WORKER} whether the household is approved for girls, boys or both."
        if standing is Standing.UNKNOWN:
            return f"{ASK_AGENCY} whether the child is a girl or a boy: the household is approved for one only."
        return f"Approved for {_SEX[asked]}."


@dataclass(frozen=True)
class EarlyPermanenceLine(Line[YesNo, YesNo]):
    """Early permanence against approval as foster carers."""

    code: str = "early_permanence"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[YesNo, ...]:  # noqa: ARG002
        """Return whether early permanence is planned."""
        return wanted(group.early_permanence)

    def offered(self, household: HouseholdFacts, as_of: date) -> YesNo:  # noqa: ARG002
        """Return whether the household is approved as foster carers too."""
        return household.early_permanence_approved

    def judge(self, asked: YesNo, offered: YesNo) -> Standing:
        """Return approved, not approved, or unknown."""
        return required(asked, _EARLY[offered])

    def say(self, asked: YesNo, offered: YesNo, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        if standing is Standing.CANNOT:
            return "Early permanence is planned, and the household is not approved as foster carers."
        if standing is Standing.MET:
            return "Approved as foster carers, so early permanence is open."
        if asked is YesNo.UNKNOWN:
            return f"{ASK_AGENCY} whether early permanence is planned."
        return f"{ASK_WORKER} whether the household is approved as foster carers: early permanence is planned."
