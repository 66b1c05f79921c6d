"""What the child's plan asks: the legal position a family takes on, and contact with birth family."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.need import Answer, YesNo
from matching.ranking.criterion.base import ASK_AGENCY, ASK_WORKER, Line, answered, required, wanted
from matching.ranking.facts import ContactKind, GroupFacts, HouseholdFacts, LegalPosition
from matching.ranking.standing import Standing

_SETTLED = (LegalPosition.CONSENT, LegalPosition.ORDER_GRANTED)
_OPEN = (LegalPosition.ORDER_APPLIED, LegalPosition.CONTESTED, LegalPosition.APPEAL)
_LEGAL = {
    LegalPosition.ORDER_APPLIED: "a placement order not yet granted",
    LegalPosition.CONTESTED: "a contested placement order",
    LegalPosition.APPEAL: "an appeal",
}
_CONTACT = {
    ContactKind.LETTERBOX: "letterbox contact",
    ContactKind.DIRECT: "direct contact",
    ContactKind.SIBLINGS: "contact with brothers and sisters",
}


@dataclass(frozen=True)
class LegalLine(Line[LegalPosition, tuple[Answer, ...]]):
    """The group's legal position against what the household would take on."""

    code: str = "legal"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[LegalPosition, ...]:  # noqa: ARG002
        """Return the position; one that is settled asks nothing of a family."""
        return () if group.legal_position in _SETTLED else (group.legal_position,)

    def offered(self, household: HouseholdFacts, as_of: date) -> tuple[Answer, ...]:  # noqa: ARG002
        """Return the answers for an order not granted, contested and under appeal."""
        return tuple(household.legal.get(position, Answer.UNKNOWN) for position in _OPEN)

    def judge(self, asked: LegalPosition, offered: tuple[Answer, ...]) -> Standing:
        """Return the answer for the position; who can take on all of them settles an unknown one."""
        if asked is not LegalPosition.UNKNOWN:
            return answered(offered[_OPEN.index(asked)])
        return Standing.MET if all(answer is Answer.CAN_MEET for answer in offered) else Standing.UNKNOWN

    def say(self, asked: LegalPosition, offered: tuple[Answer, ...], standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        if asked is LegalPosition.UNKNOWN:
            if standing is Standing.MET:
                return "Comfortable with any legal position."
            return f"{ASK_AGENCY} where the case stands in law: it is not recorded."
        position = _LEGAL[asked]
        return {
            Standing.MET: f"Comfortable with {position}.",
            Standing.DISCUSS: f"Would discuss {position}. {ASK_WORKER} what would help.",
            Standing.CANNOT: f"Cannot take on {position}.",
        }.get(standing, f"{ASK_WORKER} whether the household could take on {position}: it has not said.")


@dataclass(frozen=True)
class ContactLine(Line[YesNo, Answer]):
    """One kind of contact in the plan against the household's answer."""

    kind: ContactKind

    @property
    def code(self) -> str:  # type: ignore[override]  # a read-only name is all that a line needs
        """Return the line's name."""
        return f"contact:{self.kind.value}"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[YesNo, ...]:  # noqa: ARG002
        """Return whether the plan asks for it."""
        return wanted(group.contact.get(self.kind, YesNo.UNKNOWN))

    def offered(self, household: HouseholdFacts, as_of: date) -> Answer:  # noqa: ARG002
        """Return the household's answer."""
        return household.contact.get(self.kind, Answer.UNKNOWN)

    def judge(self, asked: YesNo, offered: Answer) -> Standing:
        """Return the answer, or unknown while the plan is not."""
        return required(asked, offered)

    def say(self, asked: YesNo, offered: Answer, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        contact = _CONTACT[self.kind]
        if standing is Standing.MET:
            return f"Can support {contact}."
        if asked is YesNo.UNKNOWN:
            return f"{ASK_AGENCY} whether the plan has {contact}."
        return {
            Standing.DISCUSS: f"Would discuss {contact}. {ASK_WORKER} what would help.",
            Standing.CANNOT: f"Cannot support {contact}.",
        }.get(standing, f"{ASK_WORKER} whether the household could support {contact}: it has not said.")
