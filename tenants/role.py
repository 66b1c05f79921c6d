"""The roles a person may hold in an agency."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person comes to do; one person may hold several, in several agencies."""

    FAMILY_FINDER = "family_finder"
    ADOPTERS_WORKER = "adopters_worker"
    COORDINATOR = "coordinator"
    FINANCE_OFFICER = "finance_officer"
    MANAGER = "manager"
    INFORMATION_GOVERNANCE = "information_governance"
    CHILDS_SOCIAL_WORKER = "childs_social_worker"
    DECISION_MAKER = "decision_maker"
    PANEL_ADVISER = "panel_adviser"
    MEDICAL_ADVISER = "medical_adviser"
    LEGAL_ADVISER = "legal_adviser"
    ADOPTION_RECORDS = "adoption_records"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _LABELS[self]


_LABELS = {
    Role.FAMILY_FINDER: "Family finder",
    Role.ADOPTERS_WORKER: "Adopters’ worker",
    Role.COORDINATOR: "Consortium coordinator",
    Role.FINANCE_OFFICER: "Finance officer",
    Role.MANAGER: "Agency manager",
    Role.INFORMATION_GOVERNANCE: "Information-governance lead",
    Role.CHILDS_SOCIAL_WORKER: "Child’s social worker",
    Role.DECISION_MAKER: "Agency decision maker",
    Role.PANEL_ADVISER: "Panel adviser",
    Role.MEDICAL_ADVISER: "Medical adviser",
    Role.LEGAL_ADVISER: "Legal adviser",
    Role.ADOPTION_RECORDS: "Adoption-records keeper",
    Role.ADMINISTRATOR: "Agency administrator",
    Role.OPERATOR: "Platform operator",
}
