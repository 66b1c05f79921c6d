"""How much one person, one agency or one address may ask of the service: settings, with defaults that work fits in."""

from __future__ import annotations

from dataclasses import dataclass, fields

from environs import Env, EnvError
from limits import parse_many

from concord.settings import SettingInvalid
from matching.probing import ProbingLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What pages allow, each as in “120 per minute; 3000 per day”: docs/operations.md says what each is for."""

    looks: str = "120 per minute; 3000 per day"
    agency_looks: str = "600 per minute; 20000 per day"
    household_looks: str = "200 per day"
    hand_ins: str = "30 per minute; 500 per day"
    downloads: str = "60 per minute; 1000 per day"
    sign_ins: str = "300 per minute"
    logouts: str = "600 per minute"
    calendars: str = "600 per minute"
    api: str = "600 per minute; 50000 per day"
    agency_api: str = "1200 per minute; 100000 per day"


def read_limits(env: Env) -> Limits:
    """Return what the environment allows: ``CONCORD_LIMIT_LOOKS`` and so on, one variable for each.

    :raises SettingInvalid: naming the variable that does not read so.
    """
    defaults = Limits()
    return Limits(**{each.name: _limit(env, each.name, getattr(defaults, each.name)) for each in fields(Limits)})


def read_probing_limits(env: Env) -> ProbingLimits:
    """Return how much of others' places an agency may ask in 24 hours, as the environment says.

    :raises SettingInvalid: naming the variable that is no whole number of one or more.
    """
    defaults = ProbingLimits()
    return ProbingLimits(
        records=_number(env, "CONCORD_PROBING_RECORDS", defaults.records),
        places=_number(env, "CONCORD_PROBING_PLACES", defaults.places),
    )


def _limit(env: Env, name: str, default: str) -> str:
    variable = f"CONCORD_LIMIT_{name.upper()}"
    text = env.str(variable, "").strip() or default
    try:
        parse_many(text)
    except ValueError:
        raise SettingInvalid(f"{variable} is no limit: write one such as “120 per minute; 3000 per day”.") from None
    return text


def _number(env: Env, variable: str, default: int) -> int:
    try:
        number = env.int(variable, default)
    except EnvError:
        number = 0
    if number < 1:
        raise SettingInvalid(f"{variable} must be a whole number of 1 or more.")
    return number
