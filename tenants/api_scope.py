"""What an agency may let its own programs do: one readable table of scopes and the verbs that each opens."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from tenants.error import Invalid
from tenants.permission import Verb


class ApiScope(StrEnum):
    """A scope of a token (RFC 6749, section 3.3), with what it lets a program do."""

    words: str
    verbs: frozenset[Verb]

    def __new__(cls, value: str, words: str = "", verbs: Iterable[Verb] = ()) -> ApiScope:
        """Make a scope that is its own text and carries its words and verbs."""
        scope = str.__new__(cls, value)
        scope._value_ = value
        scope.words = words
        scope.verbs = frozenset(verbs)
        return scope

    # fmt: off
    GROUPS_READ = "groups.read", "Read sibling groups, their children and needs", (Verb.READ_GROUPS,)
    HOUSEHOLDS_READ = "households.read", "Read adopter households", (Verb.READ_HOUSEHOLDS,)
    IDENTITY_READ = "identity.read", "Read who the agency’s own records are about", (Verb.READ_IDENTITY,)
    RANKINGS = "rankings", "Rank households for a group, and ask why or why not", (Verb.READ_RANKING,)
    POOL_READ = "pool.read", "Read the pool as a whole", (Verb.READ_POOL_VIEW,)
    HOUSEHOLDS_IMPORT = "households.import", "Import adopter households", (Verb.IMPORT_HOUSEHOLDS,)
    CHILDREN_IMPORT = "children.import", "Import children and returns", (Verb.IMPORT_CHILDREN,)
    AVAILABILITY_WRITE = (
        "availability.write", "Say how available the agency’s own households are", (Verb.CONFIRM_AVAILABILITY,)
    )
    MEETINGS_READ = "meetings.read", "Read matching meetings", (Verb.READ_MEETINGS,)
    MEETINGS_WRITE = "meetings.write", "Arrange matching meetings, as a consortium office", (Verb.ARRANGE_MEETINGS,)
    PACKS_READ = "packs.read", "Read and download the agency’s own packs", (Verb.READ_PACK,)
    PACKS_BUILD = "packs.build", "Ask for packs", (Verb.BUILD_PACK,)
    LINKS_READ = "links.read", "Read links, what is said on them, and placements", (Verb.READ_LINKS,)
    LINKS_WRITE = "links.write", "Start links, take their steps and plan placements", (Verb.KEEP_LINKS,)
    SWAPS_READ = "swaps.read", "Read swap groups and their balances", (Verb.READ_SWAPS,)
    FEES_READ = "fees.read", "Read the fees that the agency pays and is paid, and its book", (Verb.READ_FEES,)
    FEES_WRITE = (
        "fees.write", "Issue invoices, hand in bank files, take journals, read fees", (Verb.READ_FEES, Verb.KEEP_FEES)
    )
    # fmt: on


class ScopeUnknown(Invalid):
    """A scope was named that there is none of, or none was."""


def read_scopes(names: Iterable[str]) -> tuple[ApiScope, ...]:
    """Return the scopes of these names, each once, in the table's order.

    :raises ScopeUnknown: when there is none of a name, or none is named.
    """
    wanted = set(names)
    unknown = sorted(wanted - {str(scope) for scope in ApiScope})
    if unknown or not wanted:
        known = ", ".join(ApiScope)
        raise ScopeUnknown(f"Name at least one scope of these: {known}." + (f" Not “{unknown[0]}”." if unknown else ""))
    return tuple(scope for scope in ApiScope if scope in wanted)


def verbs_of(scopes: Iterable[str]) -> frozenset[Verb]:
    """Return every verb that scopes open."""
    return frozenset(verb for scope in scopes for verb in ApiScope(scope).verbs)


def scopes_for(*verbs: Verb) -> tuple[ApiScope, ...]:
    """Return the scopes of which any opens one of the verbs."""
    return tuple(scope for scope in ApiScope if not scope.verbs.isdisjoint(verbs))
