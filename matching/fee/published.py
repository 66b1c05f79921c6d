"""The published tariffs and the rules that Concord begins with: read from ``matching/data/tariffs.toml``, with sources.

A consortium's office adopts them once, and keeps them from then on as its own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy.orm import Session

from matching.fee.instalment import Due, Share
from matching.fee.rule import CountsFrom, FeeRules, LegFalls, OnDisruption, Pricing, list_rules, set_rules
from matching.fee.tariff import PayeeKind, PublishedTariff, TariffTerms, add_tariff, check_terms, list_tariffs
from matching.meeting import require_office
from tenants.agency import Nation
from tenants.database import scope_of
from tenants.error import Conflict
from tenants.permission import Verb, require


@dataclass(frozen=True, slots=True)
class Published:
    """What is published, and the rules that a consortium begins with."""

    tariffs: tuple[TariffTerms, ...]
    rules: FeeRules


class TariffsThere(Conflict):
    """The consortium keeps tariffs already."""


@cache
def published() -> Published:
    """Return the published tariffs, as the file has them."""
    data = tomllib.loads((files("matching.data") / "tariffs.toml").read_text(encoding="utf-8"))
    rules = data["rules"]
    tariffs = tuple(_terms(each) for each in data["tariff"])
    for terms in tariffs:
        check_terms(terms)
    return Published(
        tariffs,
        FeeRules(
            pricing=Pricing(rules["pricing"]),
            counts_from=CountsFrom(rules["counts_from"]),
            disruption=OnDisruption(rules["disruption"]),
            waives_swaps=rules["waives_swaps"],
            leg_falls=LegFalls(rules["leg_falls"]),
            why=rules["why"],
        ),
    )


def adopt_published(session: Session, *, now: datetime) -> list[PublishedTariff]:
    """Take the published tariffs into the scope's consortium, and the rules where it has none.

    :raises OfficeOnly: when the scope's agency is not the consortium's office.
    :raises TariffsThere: when it keeps tariffs already.
    """
    require(scope_of(session), Verb.KEEP_TARIFFS)
    require_office(session)
    if list_tariffs(session):
        raise TariffsThere("Your consortium keeps tariffs already. Add what is missing by itself.")
    added = [add_tariff(session, terms, now=now) for terms in published().tariffs]
    if not list_rules(session):
        set_rules(session, published().rules, begins_on=_earliest(), now=now)
    return added


def _earliest() -> date:
    return min(terms.begins_on for terms in published().tariffs)


def _terms(each: dict[str, Any]) -> TariffTerms:
    return TariffTerms(
        name=each["name"],
        payee_kind=PayeeKind(each["payee_kind"]),
        nation=Nation(each["nation"]) if "nation" in each else None,
        london=each.get("london", False),
        london_percent=each.get("london_percent"),
        begins_on=each["begins_on"],
        ends_on=each.get("ends_on"),
        source=each["source"],
        rates={int(children): pence for children, pence in each.get("rates", {}).items()},
        shares=tuple(read_share(share) for share in each["shares"]),
        continuing_pence=each.get("continuing_pence"),
        continuing_after_months=each.get("continuing_after_months"),
    )


def read_share(text: str) -> Share:
    """Return a share from how the file writes it: ``2/3 placement``, ``1/3 order_or_months 12``."""
    share, due, *months = text.split()
    of, _, parts = share.partition("/")
    return Share(int(of), int(parts), Due(due), int(months[0]) if months else None)
