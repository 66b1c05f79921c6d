"""Who may do what: one readable table of verbs, the roles that may do them, whose records, and how much of each.

A verb is a line of ``Verb`` and at least one line of ``TABLE``. ``docs/permissions.md`` is written from both. The table
is the code's rule; the database's policies are the wall behind it, and a grant by name may be wanted on top.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

from tenants.audit import Level
from tenants.error import Forbidden
from tenants.role import Role
from tenants.scope import Scope


class Verb(StrEnum):
    """Something a person may be allowed to do, with the words for it that follow “let you”."""

    words: str

    def __new__(cls, value: str, words: str = "") -> Verb:
        """Make a verb that is its own text and carries its words."""
        verb = str.__new__(cls, value)
        verb._value_ = value
        verb.words = words
        return verb

    READ_GROUPS = "read_groups", "see sibling groups"
    READ_HOUSEHOLDS = "read_households", "see adopter households"
    READ_RANKING = "read_ranking", "see how households fit a group"
    READ_POOL_VIEW = "read_pool_view", "see the pool as a whole"
    READ_IDENTITY = "read_identity", "see who a record is about"
    IMPORT_HOUSEHOLDS = "import_households", "import adopter households"
    IMPORT_CHILDREN = "import_children", "import children"
    EXPORT_RECORDS = "export_records", "export records"
    READ_AUDIT = "read_audit", "see who looked at a record"
    READ_MEETINGS = "read_meetings", "see matching meetings"
    ARRANGE_MEETINGS = "arrange_meetings", "arrange matching meetings"
    BUILD_PACK = "build_pack", "ask for a pack"
    READ_PACK = "read_pack", "open a pack"
    KEEP_ACTIONS = "keep_actions", "set and close actions"
    CONFIRM_AVAILABILITY = "confirm_availability", "confirm that a household is available"
    READ_LINKS = "read_links", "see links of children and families"
    KEEP_LINKS = "keep_links", "start links, take their steps and end them"
    DECIDE_MATCH = "decide_match", "decide on a match"
    READ_PANEL = "read_panel", "read the panel papers that you are named for"
    ADVISE_PANEL = "advise_panel", "advise the panel on a match"
    KEEP_PANEL = "keep_panel", "keep panel papers and say who reads them"
    KEEP_LEGAL_HOLDS = "keep_legal_holds", "set and lift legal holds"
    CHANGE_PLAN = "change_plan", "change children’s plan, and decide whether they are placed together or apart"
    READ_REPORTS = "read_reports", "ask for and open reports"
    KEEP_REPORTS = "keep_reports", "keep reports and say who may read them"
    SHARE_RECORDS = "share_records", "set how far a record is shared"
    SET_TIMING = "set_timing", "set when records are shared by themselves"
    SET_BARS = "set_bars", "shut people out of a record"
    LIFT_BARS = "lift_bars", "let people who were shut out see a record again"
    BREAK_GLASS = "break_glass", "break glass on a record"
    JUDGE_GLASS = "judge_glass", "judge why glass was broken"
    READ_GLASS = "read_glass", "see each time that glass was broken"
    READ_AGENCY = "read_agency", "see how the agency is set up"
    READ_PEOPLE = "read_people", "see the agency’s people"
    MANAGE_PEOPLE = "manage_people", "manage the agency’s people"
    MANAGE_CLIENTS = "manage_clients", "manage which programs reach the agency’s records"
    DECIDE_LIFE = "decide_life", "decide how the agency leaves, and who acts for it"
    READ_RETENTION = "read_retention", "see what is kept for how long"
    KEEP_RETENTION = "keep_retention", "set how long records are kept, and hold them"
    READ_AGREEMENTS = "read_agreements", "see what adopters agreed to"
    SEAL_ADOPTIONS = "seal_adoptions", "seal the record of an adoption"
    READ_CERTIFICATES = "read_certificates", "see what was sealed, and when"
    READ_ADOPTION_RECORDS = "read_adoption_records", "open sealed adoption records"
    KEEP_AGREEMENTS = "keep_agreements", "record what adopters agree to and withdraw"
    KEEP_BREACHES = "keep_breaches", "keep the record of breaches"
    ANSWER_SUBJECTS = "answer_subjects", "answer people who ask what is held about them"
    APPROVE_DESTRUCTION = "approve_destruction", "decide on what another asked to destroy"
    READ_PAPERS = "read_papers", "see the papers of privacy"
    KEEP_PAPERS = "keep_papers", "say what the papers of privacy need, and draw them up"
    SIGN_PAPERS = "sign_papers", "sign papers of privacy"
    MANAGE_PROVIDERS = "manage_providers", "manage how the agency’s people sign in"
    CONFIRM_DOMAINS = "confirm_domains", "confirm members’ e-mail domains"
    READ_SWAPS = "read_swaps", "see swap groups and their balances"
    KEEP_SWAPS = "keep_swaps", "make and end swap groups"
    AGREE_SWAPS = "agree_swaps", "agree to a swap group"
    READ_OPPORTUNITIES = "read_opportunities", "see what could be balanced in a swap group"
    READ_MONITORING = "read_monitoring", "see how long stages take and what became of links"
    READ_TARIFFS = "read_tariffs", "see what placements between agencies cost"
    KEEP_TARIFFS = "keep_tariffs", "set what placements between agencies cost, and by which rules"
    READ_FEES = "read_fees", "see the fees that the agency pays and is paid"
    KEEP_FEES = "keep_fees", "raise, pay and reconcile fees, and close a month"
    SIGN_FEES = "sign_fees", "sign fee agreements"
    APPROVE_FEES = "approve_fees", "approve what another asked to change about fees"
    READ_SAVINGS = "read_savings", "see what swaps saved and families earned"
    RUN_PLATFORM = "run_platform", "run the service"


class Relation(StrEnum):
    """Whose a record is, as the person's agency stands to it."""

    words: str

    def __new__(cls, value: str, words: str = "") -> Relation:
        """Make a relation that is its own text and carries its words."""
        relation = str.__new__(cls, value)
        relation._value_ = value
        relation.words = words
        return relation

    OWN = "own", "the agency’s own"
    LINK = "link", "the other side’s of a link"
    POOL = "pool", "what others share with the consortium"
    OFFICE = "office", "for the consortium’s office, what members share"


class RecordKind(StrEnum):
    """What the register holds records of, by the names that the audit uses."""

    HOUSEHOLD = "household"
    GROUP = "sibling_group"


@dataclass(frozen=True, slots=True)
class Right:
    """One line of the table: these roles may do this, to whose records, and see at most so much of which kinds."""

    verb: Verb
    roles: Set[Role]
    whose: Set[Relation]
    level: Level | None = None
    kinds: Set[RecordKind] = frozenset()


FINDERS = frozenset({Role.FAMILY_FINDER, Role.CHILDS_SOCIAL_WORKER})
WORKERS = FINDERS | {Role.ADOPTERS_WORKER, Role.MANAGER}
FILERS = frozenset({Role.FAMILY_FINDER, Role.ADOPTERS_WORKER})
LEADS = frozenset({Role.COORDINATOR, Role.MANAGER})
ADVISERS = frozenset({Role.PANEL_ADVISER, Role.MEDICAL_ADVISER, Role.LEGAL_ADVISER})
DECIDERS = ADVISERS | {Role.DECISION_MAKER}
KEEPERS = frozenset({Role.ADMINISTRATOR, Role.INFORMATION_GOVERNANCE, Role.MANAGER})
FINANCE = frozenset({Role.FINANCE_OFFICER, Role.MANAGER})
GUARDS = frozenset({Role.INFORMATION_GOVERNANCE, Role.MANAGER})

OWN = frozenset({Relation.OWN})
OFFICE = frozenset({Relation.OFFICE})
POOL = OWN | {Relation.POOL}
LINKED = OWN | {Relation.LINK}

GROUP = frozenset({RecordKind.GROUP})
HOUSEHOLD = frozenset({RecordKind.HOUSEHOLD})
BOTH = GROUP | HOUSEHOLD

# fmt: off
TABLE: tuple[Right, ...] = (
    #     what                       who                                           whose   how much        of what
    Right(Verb.READ_GROUPS,          WORKERS,                                      POOL,   Level.PROFILE,  GROUP),
    Right(Verb.READ_GROUPS,          LEADS,                                        OFFICE, Level.PROFILE,  GROUP),
    Right(Verb.READ_HOUSEHOLDS,      WORKERS,                                      POOL,   Level.PROFILE,  HOUSEHOLD),
    Right(Verb.READ_HOUSEHOLDS,      LEADS,                                        OFFICE, Level.PROFILE,  HOUSEHOLD),
    Right(Verb.READ_RANKING,         WORKERS,                                      POOL,   Level.SUMMARY,  BOTH),
    Right(Verb.READ_RANKING,         LEADS,                                        OFFICE, Level.SUMMARY,  BOTH),
    Right(Verb.READ_POOL_VIEW,       {Role.FAMILY_FINDER, Role.MANAGER},           POOL,   Level.SUMMARY,  BOTH),
    Right(Verb.READ_POOL_VIEW,       LEADS,                                        OFFICE, Level.SUMMARY,  BOTH),
    Right(Verb.READ_IDENTITY,        WORKERS,                                      OWN,    Level.IDENTITY, BOTH),
    Right(Verb.IMPORT_HOUSEHOLDS,    FILERS,                                       OWN,    Level.IDENTITY, HOUSEHOLD),
    Right(Verb.IMPORT_CHILDREN,      {Role.FAMILY_FINDER},                         OWN,    Level.IDENTITY, GROUP),
    Right(Verb.EXPORT_RECORDS,       FILERS | {Role.MANAGER},                      OWN,    Level.IDENTITY, BOTH),
    Right(Verb.READ_AUDIT,           {Role.INFORMATION_GOVERNANCE, Role.MANAGER},  OWN),
    Right(Verb.READ_MEETINGS,        WORKERS,                                      POOL),
    Right(Verb.READ_MEETINGS,        LEADS,                                        OFFICE),
    Right(Verb.ARRANGE_MEETINGS,     {Role.COORDINATOR},                           OFFICE),
    Right(Verb.BUILD_PACK,           {Role.FAMILY_FINDER, Role.MANAGER},           POOL),
    Right(Verb.BUILD_PACK,           LEADS,                                        OFFICE),
    Right(Verb.READ_PACK,            WORKERS,                                      POOL,   Level.PROFILE,  BOTH),
    Right(Verb.READ_PACK,            LEADS,                                        OFFICE, Level.PROFILE,  BOTH),
    Right(Verb.KEEP_ACTIONS,         WORKERS,                                      OWN),
    Right(Verb.KEEP_ACTIONS,         LEADS,                                        OFFICE),
    Right(Verb.CONFIRM_AVAILABILITY, FILERS | {Role.MANAGER},                      OWN),
    Right(Verb.READ_LINKS,           WORKERS,                                      LINKED, Level.PROFILE,  BOTH),
    Right(Verb.KEEP_LINKS,           FILERS | {Role.MANAGER},                      LINKED, Level.PROFILE,  BOTH),
    Right(Verb.DECIDE_MATCH,         {Role.DECISION_MAKER},                        OWN),
    Right(Verb.READ_PANEL,           DECIDERS,                                     LINKED, Level.REPORT,   BOTH),
    Right(Verb.ADVISE_PANEL,         ADVISERS,                                     OWN),
    Right(Verb.KEEP_PANEL,           FILERS | {Role.MANAGER},                      OWN),
    Right(Verb.KEEP_LEGAL_HOLDS,     {Role.FAMILY_FINDER, Role.MANAGER, Role.LEGAL_ADVISER}, OWN),
    Right(Verb.CHANGE_PLAN,          {Role.FAMILY_FINDER, Role.MANAGER},           OWN),
    Right(Verb.READ_REPORTS,         WORKERS,                                      LINKED, Level.REPORT,   BOTH),
    Right(Verb.KEEP_REPORTS,         FILERS | {Role.MANAGER},                      OWN,    Level.REPORT,   BOTH),
    Right(Verb.SHARE_RECORDS,        FILERS | {Role.MANAGER},                      OWN),
    Right(Verb.SET_TIMING,           {Role.MANAGER},                               OWN),
    Right(Verb.SET_BARS,             GUARDS,                                       OWN),
    Right(Verb.LIFT_BARS,            {Role.INFORMATION_GOVERNANCE},                OWN),
    Right(Verb.BREAK_GLASS,          DECIDERS | {Role.INFORMATION_GOVERNANCE},     OWN),
    Right(Verb.JUDGE_GLASS,          FILERS | GUARDS,                              OWN),
    Right(Verb.READ_GLASS,           GUARDS,                                       OWN),
    Right(Verb.READ_AGENCY,          KEEPERS,                                      OWN),
    Right(Verb.READ_PEOPLE,          KEEPERS,                                      OWN),
    Right(Verb.MANAGE_PEOPLE,        {Role.ADMINISTRATOR},                         OWN),
    Right(Verb.MANAGE_CLIENTS,       {Role.ADMINISTRATOR},                         OWN),
    Right(Verb.DECIDE_LIFE,          {Role.INFORMATION_GOVERNANCE, Role.MANAGER},  OWN),
    Right(Verb.READ_RETENTION,       {Role.INFORMATION_GOVERNANCE, Role.MANAGER},  OWN),
    Right(Verb.KEEP_RETENTION,       {Role.INFORMATION_GOVERNANCE},                OWN),
    Right(Verb.READ_AGREEMENTS,      FILERS | {Role.INFORMATION_GOVERNANCE, Role.MANAGER}, OWN),
    Right(Verb.SEAL_ADOPTIONS,       GUARDS,                                       LINKED),
    Right(Verb.READ_CERTIFICATES,    GUARDS | {Role.ADOPTION_RECORDS},             OWN),
    Right(Verb.READ_ADOPTION_RECORDS, {Role.ADOPTION_RECORDS},                     OWN,    Level.REPORT,   BOTH),
    Right(Verb.KEEP_AGREEMENTS,      FILERS | {Role.MANAGER},                      OWN),
    Right(Verb.KEEP_BREACHES,        {Role.INFORMATION_GOVERNANCE, Role.MANAGER},  OWN),
    Right(Verb.ANSWER_SUBJECTS,      {Role.INFORMATION_GOVERNANCE},                OWN),
    Right(Verb.APPROVE_DESTRUCTION,  {Role.INFORMATION_GOVERNANCE, Role.MANAGER},  OWN),
    Right(Verb.READ_PAPERS,          KEEPERS,                                      OWN),
    Right(Verb.READ_PAPERS,          {Role.COORDINATOR},                           OFFICE),
    Right(Verb.KEEP_PAPERS,          KEEPERS,                                      OWN),
    Right(Verb.KEEP_PAPERS,          {Role.COORDINATOR},                           OFFICE),
    Right(Verb.SIGN_PAPERS,          GUARDS,                                       OWN),
    Right(Verb.MANAGE_PROVIDERS,     {Role.ADMINISTRATOR},                         OWN),
    Right(Verb.CONFIRM_DOMAINS,      {Role.COORDINATOR},                           OFFICE),
    Right(Verb.READ_SWAPS,           {Role.FINANCE_OFFICER, Role.MANAGER},         OWN),
    Right(Verb.READ_SWAPS,           LEADS,                                        OFFICE),
    Right(Verb.KEEP_SWAPS,           {Role.COORDINATOR},                           OFFICE),
    Right(Verb.AGREE_SWAPS,          {Role.MANAGER},                               OWN),
    Right(Verb.READ_OPPORTUNITIES,   {Role.MANAGER},                               POOL,   Level.SUMMARY,  BOTH),
    Right(Verb.READ_OPPORTUNITIES,   LEADS,                                        OFFICE, Level.SUMMARY,  BOTH),
    Right(Verb.READ_MONITORING,      {Role.MANAGER},                               OWN),
    Right(Verb.READ_MONITORING,      LEADS,                                        OFFICE),
    Right(Verb.READ_TARIFFS,         FINANCE,                                      OWN),
    Right(Verb.READ_TARIFFS,         {Role.COORDINATOR},                           OFFICE),
    Right(Verb.KEEP_TARIFFS,         LEADS | {Role.FINANCE_OFFICER},               OFFICE),
    Right(Verb.READ_FEES,            FINANCE,                                      OWN),
    Right(Verb.KEEP_FEES,            {Role.FINANCE_OFFICER},                       OWN),
    Right(Verb.SIGN_FEES,            FINANCE,                                      OWN),
    Right(Verb.APPROVE_FEES,         FINANCE,                                      OWN),
    Right(Verb.READ_SAVINGS,         FINANCE,                                      OWN),
    Right(Verb.READ_SAVINGS,         LEADS,                                        OFFICE),
    Right(Verb.RUN_PLATFORM,         {Role.OPERATOR},                              frozenset()),
)
# fmt: on

MAY: dict[Verb, frozenset[Role]] = {
    verb: frozenset(role for right in TABLE if right.verb is verb for role in right.roles) for verb in Verb
}


class NotAllowed(Forbidden):
    """The person's roles do not include this verb."""


def may(scope: Scope, verb: Verb) -> bool:
    """Say whether the scope's roles, or its client's token, allow ``verb``."""
    return verb in scope.opens or not MAY[verb].isdisjoint(scope.roles)


def require(scope: Scope, verb: Verb) -> None:
    """Let the scope pass when its roles allow ``verb``.

    :raises NotAllowed: when they do not.
    """
    if not may(scope, verb):
        if scope.client_id is not None:
            raise NotAllowed(f"Your token’s scopes do not let you {verb.words}.")
        roles = ", ".join(sorted(role.label.lower() for role in MAY[verb]))
        raise NotAllowed(f"Your role does not let you {verb.words}. People who may: {roles}.")


def level_of(scope: Scope, kind: RecordKind, relation: Relation) -> Level | None:
    """Return the most that the scope's roles may see of a record, or ``None`` when it is nothing.

    It is a ceiling: what the owner shares, bars or grants by name narrows it.
    """
    found = {
        right.level
        for right in TABLE
        if kind in right.kinds
        and relation in right.whose
        and (right.verb in scope.opens or not scope.roles.isdisjoint(right.roles))
    }
    return next((level for level in reversed(Level) if level in found), None)
