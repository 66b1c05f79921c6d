"""Who may do what: one readable table of verbs and the roles that may do them."""

from __future__ import annotations

from enum import StrEnum

from tenants.error import Forbidden
from tenants.role import Role
from tenants.scope import Scope


class Verb(StrEnum):
    """Something a person may be allowed to do."""

    READ_GROUPS = "read_groups"
    READ_HOUSEHOLDS = "read_households"
    READ_RANKING = "read_ranking"
    READ_POOL_VIEW = "read_pool_view"
    READ_IDENTITY = "read_identity"
    IMPORT_HOUSEHOLDS = "import_households"
    IMPORT_CHILDREN = "import_children"
    EXPORT_RECORDS = "export_records"
    READ_AUDIT = "read_audit"
    READ_MEETINGS = "read_meetings"
    ARRANGE_MEETINGS = "arrange_meetings"
    BUILD_PACK = "build_pack"
    READ_PACK = "read_pack"
    KEEP_ACTIONS = "keep_actions"
    CONFIRM_AVAILABILITY = "confirm_availability"
    MANAGE_PEOPLE = "manage_people"
    RUN_PLATFORM = "run_platform"


_FINDERS = frozenset({Role.FAMILY_FINDER, Role.CHILDS_SOCIAL_WORKER})
_REGISTER = _FINDERS | {Role.ADOPTERS_WORKER, Role.COORDINATOR, Role.MANAGER}

MAY: dict[Verb, frozenset[Role]] = {
    Verb.READ_GROUPS: _REGISTER,
    Verb.READ_HOUSEHOLDS: _REGISTER,
    Verb.READ_RANKING: _REGISTER,
    Verb.READ_POOL_VIEW: frozenset({Role.FAMILY_FINDER, Role.COORDINATOR, Role.MANAGER}),
    Verb.READ_IDENTITY: _FINDERS | {Role.ADOPTERS_WORKER, Role.MANAGER},
    Verb.IMPORT_HOUSEHOLDS: frozenset({Role.FAMILY_FINDER, Role.ADOPTERS_WORKER}),
    Verb.IMPORT_CHILDREN: frozenset({Role.FAMILY_FINDER}),
    Verb.EXPORT_RECORDS: frozenset({Role.FAMILY_FINDER, Role.ADOPTERS_WORKER, Role.MANAGER}),
    Verb.READ_AUDIT: frozenset({Role.INFORMATION_GOVERNANCE, Role.MANAGER}),
    Verb.READ_MEETINGS: _REGISTER,
    Verb.ARRANGE_MEETINGS: frozenset({Role.COORDINATOR}),
    Verb.BUILD_PACK: frozenset({Role.COORDINATOR, Role.FAMILY_FINDER, Role.MANAGER}),
    Verb.READ_PACK: _REGISTER,
    Verb.KEEP_ACTIONS: _REGISTER,
    Verb.CONFIRM_AVAILABILITY: frozenset({Role.FAMILY_FINDER, Role.ADOPTERS_WORKER, Role.MANAGER}),
    Verb.MANAGE_PEOPLE: frozenset({Role.ADMINISTRATOR}),
    Verb.RUN_PLATFORM: frozenset({Role.OPERATOR}),
}

_WORDS = {
    Verb.READ_GROUPS: "see sibling groups",
    Verb.READ_HOUSEHOLDS: "see adopter households",
    Verb.READ_RANKING: "see how households fit a group",
    Verb.READ_POOL_VIEW: "see the pool as a whole",
    Verb.READ_IDENTITY: "see who a record is about",
    Verb.IMPORT_HOUSEHOLDS: "import adopter households",
    Verb.IMPORT_CHILDREN: "import children",
    Verb.EXPORT_RECORDS: "export records",
    Verb.READ_AUDIT: "see who looked at a record",
    Verb.READ_MEETINGS: "see matching meetings",
    Verb.ARRANGE_MEETINGS: "arrange matching meetings",
    Verb.BUILD_PACK: "ask for a pack",
    Verb.READ_PACK: "open a pack",
    Verb.KEEP_ACTIONS: "set and close actions",
    Verb.CONFIRM_AVAILABILITY: "confirm that a household is available",
    Verb.MANAGE_PEOPLE: "manage the agency’s people",
    Verb.RUN_PLATFORM: "run the service",
}


class NotAllowed(Forbidden):
    """The person's roles do not include this verb."""


def may(scope: Scope, verb: Verb) -> bool:
    """Say whether the scope's roles allow ``verb``."""
    return not MAY[verb].isdisjoint(scope.roles)


def require(scope: Scope, verb: Verb) -> None:
    """Let the scope pass when its roles allow ``verb``.

    :raises NotAllowed: when they do not.
    """
    if not may(scope, verb):
        roles = ", ".join(sorted(role.label.lower() for role in MAY[verb]))
        raise NotAllowed(f"Your role does not let you {_WORDS[verb]}. People who may: {roles}.")
