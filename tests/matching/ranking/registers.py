"""Random registers: small enough to be checked pair by pair, odd enough to find what was not thought of."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from matching.need import Answer, NeedLevel, Tolerance, YesNo, need_catalogue
from matching.ranking.facts import (
    ChildFacts,
    ContactKind,
    DistanceBand,
    Exclusion,
    GroupFacts,
    HouseholdFacts,
    LegalPosition,
    PairPlace,
    Sex,
    SexApproved,
)
from matching.ranking.places import BAND_CODES, Places

AS_OF = date(2026, 11, 23)
AGENCY = UUID(int=1)
CODES = need_catalogue().codes()
RISKS = (LegalPosition.ORDER_APPLIED, LegalPosition.CONTESTED, LegalPosition.APPEAL)
CLEAR = PairPlace(band=DistanceBand.NEAR, exclusion=Exclusion.PASS)
NO_NEEDS = dict.fromkeys(CODES, NeedLevel.NONE)
WILLING = dict.fromkeys(CODES, Tolerance(Answer.CAN_MEET, Answer.CAN_MEET, Answer.CAN_MEET))


def tried(times: int) -> settings:
    """Return how long to look for a counter-example: by number, never by the clock of a busy machine."""
    return settings(
        max_examples=times,
        deadline=None,
        suppress_health_check=(HealthCheck.too_slow,),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )


def a_child(born: date | None = date(2023, 11, 1), sex: Sex = Sex.FEMALE, **needs: NeedLevel) -> ChildFacts:
    """Return a child of three with no needs but those named."""
    return ChildFacts(birth_month=born, sex=sex, needs={**NO_NEEDS, **needs})


def a_group(*children: ChildFacts, code: str = "G-1", **facts: object) -> GroupFacts:
    """Return a group that asks nothing of a family but the usual."""
    plain: dict[str, object] = {
        "legal_position": LegalPosition.ORDER_GRANTED,
        "early_permanence": YesNo.NO,
        "contact": dict.fromkeys(ContactKind, YesNo.NO),
        "must_be_youngest": YesNo.NO,
        "must_be_only": YesNo.NO,
        "no_pets": YesNo.NO,
        "smoke_free": YesNo.NO,
        "experience_needed": YesNo.NO,
        "training_needed": YesNo.NO,
        "parent_at_home_needed": YesNo.NO,
        "support_needed": YesNo.NO,
    }
    return GroupFacts(UUID(int=2), code, AGENCY, children or (a_child(),), **{**plain, **facts})  # type: ignore[arg-type]


def a_household(code: str = "H-1", **facts: object) -> HouseholdFacts:
    """Return a household that says yes to everything."""
    willing: dict[str, object] = {
        "age_from_months": 0,
        "age_to_months": 215,
        "fewest_children": 1,
        "most_children": 1,
        "sex_approved": SexApproved.ANY,
        "tolerances": WILLING,
        "legal": dict.fromkeys(RISKS, Answer.CAN_MEET),
        "early_permanence_approved": YesNo.YES,
        "contact": dict.fromkeys(ContactKind, Answer.CAN_MEET),
        "children_at_home": 0,
        "pets": YesNo.NO,
        "smokers": YesNo.NO,
        "adopters": 2,
        "experience": YesNo.YES,
        "training": YesNo.YES,
        "parent_at_home": YesNo.YES,
        "support_nearby": YesNo.YES,
        "available_from": date(2026, 1, 1),
        "approved_on": date(2026, 1, 1),
    }
    return HouseholdFacts(UUID(int=3), code, AGENCY, **{**willing, **facts})  # type: ignore[arg-type]


_FEW_CODES = (*CODES[:3], CODES[-1])
_YES_NO = st.sampled_from(YesNo)
_ANSWERS = st.sampled_from(Answer)
_MONTHS = st.dates(date(2006, 1, 1), date(2027, 6, 1)).map(lambda day: day.replace(day=1))
_WORDS = st.frozensets(st.sampled_from(["WBRI", "BCRB", "AIND"]), max_size=2)
_ADOPTERS = st.none() | st.integers(1, 2)
_DAYS_FROM = st.none() | st.dates(date(2026, 10, 1), date(2027, 6, 30))
_TOLERANCES = st.builds(Tolerance, _ANSWERS, _ANSWERS, _ANSWERS)
_LENIENT = st.sampled_from(
    [Tolerance(), Tolerance(Answer.CAN_MEET, Answer.CAN_MEET, Answer.WOULD_DISCUSS), WILLING[CODES[0]]]
)

children = st.builds(
    ChildFacts,
    birth_month=st.none() | _MONTHS,
    sex=st.sampled_from(Sex),
    needs=st.one_of(
        st.just(NO_NEEDS),
        st.dictionaries(st.sampled_from(_FEW_CODES), st.sampled_from(NeedLevel)),
        st.dictionaries(st.sampled_from(_FEW_CODES), st.sampled_from(NeedLevel)).map(lambda few: NO_NEEDS | few),
    ),
)


def groups(code: str) -> st.SearchStrategy[GroupFacts]:
    """Return groups of no to three children, anything of which may be unknown."""
    return st.builds(
        GroupFacts,
        id=st.just(UUID(int=2)),
        code=st.just(code),
        agency_id=st.just(AGENCY),
        children=st.lists(children, max_size=3).map(tuple),
        legal_position=st.sampled_from(LegalPosition),
        early_permanence=_YES_NO,
        contact=st.dictionaries(st.sampled_from(ContactKind), _YES_NO),
        must_be_youngest=_YES_NO,
        must_be_only=_YES_NO,
        no_pets=_YES_NO,
        smoke_free=_YES_NO,
        experience_needed=_YES_NO,
        training_needed=_YES_NO,
        parent_at_home_needed=_YES_NO,
        support_needed=_YES_NO,
        heritage=_WORDS,
        religions=_WORDS,
        languages=_WORDS,
        cultures=_WORDS,
        adopters_hoped_for=_ADOPTERS,
    )


def households(code: str) -> st.SearchStrategy[HouseholdFacts]:
    """Return households, half of them ready for nearly anything so that lists are not all empty."""
    months = st.none() | st.integers(0, 215)
    anything = st.builds(
        HouseholdFacts,
        id=st.just(UUID(int=3)),
        code=st.just(code),
        agency_id=st.just(AGENCY),
        age_from_months=months,
        age_to_months=months,
        fewest_children=st.none() | st.integers(1, 3),
        most_children=st.none() | st.integers(1, 3),
        sex_approved=st.sampled_from(SexApproved),
        tolerances=st.dictionaries(st.sampled_from(_FEW_CODES), _TOLERANCES),
        legal=st.dictionaries(st.sampled_from(RISKS), _ANSWERS),
        early_permanence_approved=_YES_NO,
        contact=st.dictionaries(st.sampled_from(ContactKind), _ANSWERS),
        children_at_home=st.none() | st.integers(0, 3),
        youngest_at_home=st.none() | _MONTHS,
        pets=_YES_NO,
        smokers=_YES_NO,
        experience=_YES_NO,
        training=_YES_NO,
        parent_at_home=_YES_NO,
        support_nearby=_YES_NO,
        available_from=_DAYS_FROM,
        heritage=_WORDS,
        religions=_WORDS,
        languages=_WORDS,
        cultures=_WORDS,
        adopters=_ADOPTERS,
        approved_on=st.none() | st.dates(date(2025, 1, 1), date(2025, 1, 3)),
    )
    ready = st.builds(
        lambda lenient, approved_on, most, words, adopters, available_from: a_household(
            code,
            adopters=adopters,
            available_from=available_from,
            tolerances=WILLING | lenient,
            approved_on=approved_on,
            fewest_children=1,
            most_children=most,
            heritage=words,
        ),
        st.dictionaries(st.sampled_from(_FEW_CODES), _LENIENT),
        st.none() | st.dates(date(2025, 1, 1), date(2025, 1, 3)),
        st.integers(1, 3),
        _WORDS,
        _ADOPTERS,
        _DAYS_FROM,
    )
    return anything | ready


@st.composite
def registers(
    draw: st.DrawFn, *, most_groups: int = 4, most_households: int = 8
) -> tuple[tuple[GroupFacts, ...], tuple[HouseholdFacts, ...], Places]:
    """Return groups, households in any order, and places for every pair."""
    g, h = draw(st.integers(0, most_groups)), draw(st.integers(0, most_households))
    some = tuple(draw(groups(f"G-{k}")) for k in range(g))
    order = draw(st.permutations(range(h)))
    homes = tuple(draw(households(f"H-{k}")) for k in order)
    seed = draw(st.integers(0, 2**32))
    return some, homes, random_places(g, h, seed)


def random_places(groups: int, households: int, seed: int) -> Places:
    """Return places drawn from a seed, one pair in six barred."""
    drawn = np.random.default_rng(seed)
    return Places(
        band=drawn.integers(0, len(BAND_CODES), (groups, households)).astype(np.int8),
        exclusion=drawn.choice(np.array([0, 0, 0, 0, 1, 2], dtype=np.int8), (groups, households)).astype(np.int8),
    )
