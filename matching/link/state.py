"""The words of a link: its states, its ways, the steps between states, what it came to, and the days it has."""

from __future__ import annotations

from enum import StrEnum


class LinkState(StrEnum):
    """How far a link has come, in the order of the way."""

    INTEREST = "interest"
    CONSIDERING = "considering"
    SHORTLISTED = "shortlisted"
    VISITING = "visiting"
    LINKING_MEETING = "linking_meeting"
    PANEL = "panel"
    MATCHED = "matched"
    INTRODUCTIONS = "introductions"
    PLACED = "placed"
    ORDERED = "ordered"
    ENDED = "ended"
    DISRUPTED = "disrupted"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _STATES[self]


_STATES = {
    LinkState.INTEREST: "Interest",
    LinkState.CONSIDERING: "Considering",
    LinkState.SHORTLISTED: "Shortlisted",
    LinkState.VISITING: "Visiting",
    LinkState.LINKING_MEETING: "Linking meeting",
    LinkState.PANEL: "Panel",
    LinkState.MATCHED: "Matched",
    LinkState.INTRODUCTIONS: "Introductions",
    LinkState.PLACED: "Placed",
    LinkState.ORDERED: "Adoption order",
    LinkState.ENDED: "Ended",
    LinkState.DISRUPTED: "Disrupted",
}
WAY = tuple(LinkState)[:10]
"""The states from first interest to the order, in their order."""
BEFORE_PLACED = frozenset(WAY[:8])
FINAL = frozenset({LinkState.ORDERED, LinkState.ENDED, LinkState.DISRUPTED})
"""From here no step leads on."""
MATCHED = frozenset(WAY[6:10])
"""Where a match stands: neither the children nor the family look for anybody else."""
CONSIDERED = frozenset(WAY[1:8])
"""Where a family is in consideration: what a group’s cap counts."""
PAR_OPEN = frozenset(WAY[1:9])
"""Where a prospective adopter report may be granted and read."""
CPR_OPEN = frozenset(WAY[4:9])
"""Where a child permanence report may be: from the linking meeting on."""


class LinkPath(StrEnum):
    """By which way the children come to the family."""

    ORDINARY = "ordinary"
    EARLY_PERMANENCE = "early_permanence"
    FOSTER_CARER = "foster_carer"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "ordinary": "The ordinary way",
            "early_permanence": "Early permanence: the children live with the family as fostered",
            "foster_carer": "The family are the children’s foster carers",
        }[self]


class LinkOutcome(StrEnum):
    """What a link came to."""

    NOT_RIGHT = "not_right"
    FAMILY_WITHDREW = "family_withdrew"
    OTHER_FAMILY = "other_family"
    OTHER_CHILDREN = "other_children"
    NOT_APPROVED = "not_approved"
    PLAN_CHANGED = "plan_changed"
    GROUP_CHANGED = "group_changed"
    OTHER = "other"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _OUTCOMES[self]


_OUTCOMES = {
    LinkOutcome.NOT_RIGHT: "Not the right family for these children",
    LinkOutcome.FAMILY_WITHDREW: "The family did not wish to go on",
    LinkOutcome.OTHER_FAMILY: "Another family was chosen for the children",
    LinkOutcome.OTHER_CHILDREN: "The family goes on with other children",
    LinkOutcome.NOT_APPROVED: "The match was not approved",
    LinkOutcome.PLAN_CHANGED: "The children’s plan has changed",
    LinkOutcome.GROUP_CHANGED: "Brothers and sisters are now placed together or apart",
    LinkOutcome.OTHER: "Something else, as the reason says",
}


class StepName(StrEnum):
    """What somebody does to a link; each is a row of the table of transitions, and a line of its history."""

    START = "start"
    CONSIDER = "consider"
    SHORTLIST = "shortlist"
    VISIT = "visit"
    MEET = "meet"
    GO_TO_PANEL = "go_to_panel"
    MATCH = "match"
    INTRODUCE = "introduce"
    PLACE = "place"
    ORDER = "order"
    DISRUPT = "disrupt"
    END = "end"
    FOSTER = "foster"
    NAME_CARER = "name_carer"
    HOLD = "hold"
    RELEASE = "release"
    STEP_BACK = "step_back"

    @property
    def label(self) -> str:
        """Return the words that buttons and histories use."""
        return _STEPS[self]


_STEPS = {
    StepName.START: "Start the link",
    StepName.CONSIDER: "Consider this link",
    StepName.SHORTLIST: "Shortlist the family",
    StepName.VISIT: "Plan the visit",
    StepName.MEET: "Plan the linking meeting",
    StepName.GO_TO_PANEL: "Take it to the matching panel",
    StepName.MATCH: "Record the match",
    StepName.INTRODUCE: "Start introductions",
    StepName.PLACE: "Record that the children moved in",
    StepName.ORDER: "Record the adoption order",
    StepName.DISRUPT: "Record a disruption",
    StepName.END: "End this link",
    StepName.FOSTER: "Record that the children moved in as fostered",
    StepName.NAME_CARER: "Record that the family fosters the children already",
    StepName.HOLD: "A legal hold was set: the children may not be placed",
    StepName.RELEASE: "A legal hold was lifted",
    StepName.STEP_BACK: "Take the last step back",
}


class DayKind(StrEnum):
    """A day that a link has: planned, or one on which something was done."""

    VISIT = "visit"
    LINKING_MEETING = "linking_meeting"
    PANEL = "panel"
    REPORT_GIVEN = "report_given"
    MINUTES_FINAL = "minutes_final"
    TOLD_ORALLY = "told_orally"
    TOLD_IN_WRITING = "told_in_writing"
    INTRODUCTIONS = "introductions"
    MOVED_IN = "moved_in"
    FOSTERED = "fostered"
    ORDERED = "ordered"
    DISRUPTED = "disrupted"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _DAYS[self]

    @property
    def planned(self) -> bool:
        """Say whether the day may lie ahead; of what was done it may not."""
        return self in _PLANNED


_DAYS = {
    DayKind.VISIT: "Visit",
    DayKind.LINKING_MEETING: "Linking meeting",
    DayKind.PANEL: "Matching panel",
    DayKind.REPORT_GIVEN: "Adoption placement report given to the adopters",
    DayKind.MINUTES_FINAL: "Panel’s final minutes",
    DayKind.TOLD_ORALLY: "Adopters told of the decision orally",
    DayKind.TOLD_IN_WRITING: "Adopters told of the decision in writing",
    DayKind.INTRODUCTIONS: "Introductions begin",
    DayKind.MOVED_IN: "Children moved in",
    DayKind.FOSTERED: "Children moved in as fostered",
    DayKind.ORDERED: "Adoption order",
    DayKind.DISRUPTED: "Placement broke down",
}
_PLANNED = frozenset({DayKind.VISIT, DayKind.LINKING_MEETING, DayKind.PANEL, DayKind.INTRODUCTIONS})
