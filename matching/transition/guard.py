"""What must hold for a step: each guard passes, or refuses in words that say what is missing and who can mend it.

They run once for the page, to say what comes next, and again inside the step's transaction with everything locked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.household import Household, HouseholdStatus
from matching.legal_hold import list_legal_holds
from matching.link import CapReached, Link, LinkState, NotYet, find_decision, list_steps
from matching.need import YesNo
from matching.ranking.facts import LegalPosition
from matching.sibling_group import GroupStatus, SiblingGroup, list_children
from matching.transition.fact import StepFacts
from tenants.approval import require_another, require_one_side

Guard = Callable[[Session, Link, StepFacts, datetime], None]

_MATCHED_ELSEWHERE = text("SELECT group_matched, household_matched FROM matched_elsewhere(:link)")
_AT_CAPS = text("SELECT group_at_cap, household_at_cap FROM pair_at_caps(:group, :household, :link)")
_BEFORE_PANEL = frozenset(
    {LinkState.PANEL, LinkState.MATCHED, LinkState.INTRODUCTIONS, LinkState.PLACED, LinkState.ORDERED}
)
_NO_ORDER_YET = frozenset({LegalPosition.ORDER_APPLIED})
_PLACEABLE = frozenset({LegalPosition.ORDER_GRANTED, LegalPosition.CONSENT})


def both_shared(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - all alike
    """Pass while the scope sees both records."""
    if find_group(session, link) is None or _household(session, link) is None:
        raise NotYet("One of the two is no longer shared with you. Ask its agency, or end the link.")


def neither_withdrawn(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while neither record that the scope sees is withdrawn."""
    group, household = find_group(session, link), _household(session, link)
    if (group and group.status is GroupStatus.WITHDRAWN) or (
        household and household.status is HouseholdStatus.WITHDRAWN
    ):
        raise NotYet("One of the two has been withdrawn. End the link, and say so as the reason.")


def two_people(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass for somebody who speaks for one side only: who holds roles in both could agree with themselves."""
    if link.group_agency_id != link.household_agency_id:
        agencies, started = (link.group_agency_id, link.household_agency_id), list_steps(session, link)[-1]
        if started.person_id is None:
            # A program speaks for its own agency alone, so whoever speaks for the other one is somebody else.
            require_one_side(session, agencies=agencies, on=now.date())
        else:
            require_another(session, first_person_id=started.person_id, on=now.date(), agencies=agencies)


def group_below_cap(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while fewer families are in consideration for the group than the consortium's cap, or for a reason."""
    if not (facts.override or "").strip() and at_caps(session, link)[0]:
        raise CapReached(
            "As many families are being considered for these children as the consortium’s cap allows. "
            "End one of those links first, or say why another may be considered."
        )


def household_below_cap(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while fewer groups are interested in the household than the consortium's cap, or for a reason."""
    if not (facts.override or "").strip() and at_caps(session, link)[1]:
        raise CapReached(
            "This family has as many expressions of interest as the consortium’s cap allows. "
            "Wait until one has ended, or say why another may be made."
        )


def shobpa_decided(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass once it is decided that the children should be placed for adoption."""
    group = find_group(session, link)
    if group is None or group.shobpa_on is None or group.shobpa_on > now.date():
        raise NotYet(
            "There is no decision on record that the children should be placed for adoption (SHOBPA). "
            "Record its day with the children first."
        )


def only_family(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while no other family goes to panel for the group, or is matched with it."""
    query = select(Link.id).where(
        Link.sibling_group_id == link.sibling_group_id, Link.id != link.id, Link.state.in_(_BEFORE_PANEL)
    )
    if session.scalar(query.limit(1)) is not None:
        raise NotYet("Another family is before panel for these children, or matched with them. Only one goes to panel.")


def neither_matched(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while the children have no other family, and the family waits for no other children to move in.

    Who has been placed with a family may be joined by other children, and who lives there looks for nobody.
    """
    found = session.execute(_MATCHED_ELSEWHERE, {"link": link.id}).one()
    if found.group_matched:
        raise NotYet(
            "The children are matched, or placed, with another family. End this link, and say so as the reason; "
            "it can go on only where that match ends first."
        )
    group = find_group(session, link)
    if group and group.status is GroupStatus.MATCHED:
        raise NotYet(
            "The children’s record says that they are matched, and no link says with whom. If it is another family, "
            "end this link, and say so as the reason. If they still wait, their agency brings that in with a sheet."
        )
    if found.household_matched and not link.lives_there:
        raise NotYet(
            "The family is matched with other children, who have not moved in yet. Wait until they have, or end "
            "this link, and say so as the reason."
        )


def match_approved(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass once the agency decision maker has approved the match."""
    decision = find_decision(session, link)
    if decision is None:
        raise NotYet("The agency decision maker has not decided on the match yet.")
    if not decision.approved:
        raise NotYet("The agency decision maker did not approve the match. End the link, and say so as the reason.")


def order_or_consent(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass with a placement order or consent; what is not known is neither."""
    group = find_group(session, link)
    ordered = (
        group is not None
        and group.placement_order_on is not None
        and group.placement_order_on <= now.date()
        and group.legal_position not in _NO_ORDER_YET
    )
    if group is None or not (ordered or group.legal_position in _PLACEABLE):
        raise NotYet(
            "There is no placement order and no consent on record. Record one with the children before they are placed."
        )


def no_legal_hold(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while no legal hold stands."""
    for hold in list_legal_holds(session, link.sibling_group_id, standing=True):
        raise NotYet(
            f"A legal hold stands since {hold.from_on:%d/%m/%Y}: {hold.kind.label.lower()}. "
            "Somebody who may lifts it, with the reason, before the children move."
        )


def all_born(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass once every child's birth is recorded."""
    if any(child.unborn for child in list_children(session, [link.sibling_group_id])[link.sibling_group_id]):
        raise NotYet("A child of the group is not born yet, or the birth is not recorded. Record it first.")


def early_permanence_agreed(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass where the children's plan is early permanence and the family is approved to foster them; unknown is no."""
    group, household = find_group(session, link), _household(session, link)
    if group is None or group.early_permanence is not YesNo.YES:
        raise NotYet("Early permanence is not the plan on record for these children.")
    if household is None or household.early_permanence_approved is not YesNo.YES:
        raise NotYet("The family is not on record as approved for early permanence. Ask its agency.")


def lives_there(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass where the children live with the family already."""
    if not link.lives_there:
        raise NotYet("The children do not live with the family, so visits and introductions come first.")


def lives_elsewhere(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass where the children do not live with the family yet."""
    if link.lives_there:
        raise NotYet("The children live with the family already, so there is nobody to introduce.")


def at_caps(session: Session, link: Link) -> tuple[bool, bool]:
    """Say whether the group, and the household, have reached their caps without this link."""
    asked = {"group": link.sibling_group_id, "household": link.household_id, "link": link.id}
    found = session.execute(_AT_CAPS, asked).one_or_none()
    return (False, False) if found is None else (found.group_at_cap, found.household_at_cap)


def find_group(session: Session, link: Link) -> SiblingGroup | None:
    """Return a link's group as it stands now, where the scope sees it."""
    query = select(SiblingGroup).where(SiblingGroup.id == link.sibling_group_id)
    return session.scalar(query.execution_options(populate_existing=True))


def _household(session: Session, link: Link) -> Household | None:
    query = select(Household).where(Household.id == link.household_id)
    return session.scalar(query.execution_options(populate_existing=True))
