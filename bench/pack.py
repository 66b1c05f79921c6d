"""Time and memory of a pack's documents, at the size of a whole consortium.

Run ``python bench/pack.py [--groups 300] [--families 5] [--households 140] [--into FOLDER]``. Each renderer runs in a
process of its own; one JSON line says the seconds of its first and second run, its peak memory and its output's size.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

from matching.need import need_catalogue
from matching.pack_content import (
    Assigned,
    AssignedBy,
    Check,
    Count,
    Figures,
    Named,
    PackContent,
    PackFamily,
    PackGroup,
    PackHousehold,
    Seen,
    Supply,
    Telling,
    WaitingGroup,
    WholePool,
)

AS_OF = date(2026, 11, 23)
AGENCIES = (
    "Cornwall and the Isles of Scilly",
    "Devon",
    "Dorset",
    "Gloucestershire",
    "Somerset",
    "Wiltshire",
    "Bath and North East Somerset",
    "Bournemouth",
    "Bristol",
    "North Somerset",
    "Plymouth",
    "Poole",
    "South Gloucestershire",
    "Swindon",
    "Torbay",
    "Action for Children",
    "Families for Children",
    "Clifton Children's Society",
    "SSAFA Forces Help",
)
PROFILE = (
    "A bright and watchful child who loves water, buses and being read to. New places take time; a calm voice and a "
    "plan for the day help.",
    "Speech is coming on well with weekly therapy. Sleeps through most nights. Still wary at mealtimes and hides food, "
    "which is getting less.",
    "The two are close and should stay together. The elder looks out for the younger and needs help to be a child.",
)
PLAN_OF = (
    ("SHOBPA decision", "12 May 2026"),
    ("Placement order", "3 August 2026"),
    ("Early permanence", "No"),
    ("Contact", "Letterbox contact; not recorded: contact with brothers and sisters"),
    ("Asked of the home", "No pets and smoke-free; not recorded: must be the only child"),
    ("Heritage", "White British and White and Black Caribbean"),
    ("Religion", "Christian"),
    ("Languages", "English"),
)
WHY = (
    "Approved for two children aged 0 to 7",
    "Can meet developmental delay up to high",
    "Has cared for a child who was neglected",
    "Open to letterbox contact and to yearly contact with siblings",
    "Lives in the region, outside each exclusion area",
    "Shares the children's heritage (mixed White and Black Caribbean)",
    "A support network of family close by",
)
ASK = (
    "FASD or alcohol in pregnancy: they have not said at medium",
    "Would they take a placement whose order is contested?",
    "How old is the youngest child at home?",
    "Whether direct contact with a grandparent could work",
)
AGAINST = (
    "Would discuss, but not yet meet, sexualised behaviour at low",
    "Far from the children's home",
    "One adopter works full time until the summer",
)


def synthetic_pack(groups: int, families: int, households: int, *, seed: int = 7) -> PackContent:
    """Return a made-up pack of the given size; the same seed gives the same pack."""
    chance = random.Random(seed)  # noqa: S311 -- made-up data, no secret
    pool = [_code("H", chance) for _ in range(max(households, families))]
    held = tuple(_group(chance, pool, families) for _ in range(groups))
    return PackContent(
        title="South West matching meeting",
        consortium="South West Adoption Consortium (synthetic)",
        agency="Devon",
        meeting_on=date(2026, 12, 3),
        meeting_place="Taunton Library, Room 2, and by video",
        version=2,
        as_of=AS_OF,
        expires_on=date(2026, 12, 31),
        policy="Consortium default, version 1",
        agenda=(
            "Welcome and who is here",
            "Actions from last time",
            "New groups",
            "Longest waiting",
            "Groups, one by one",
        ),
        first=False,
        actions=(),
        changes=None,
        new_groups=tuple(group.code for group in held[:6]),
        longest_waiting=tuple(_waiting(chance, group) for group in sorted(held, key=_days)[:20]),
        figures=_figures(chance, pool),
        groups=held,
        households=tuple(_household(chance, code, held) for code in pool[:households]),
        checks=tuple(Check(code, chance.randint(1, 40), "Being considered", None) for code in pool[:8]),
        confirm_days=28,
        pool=WholePool(
            ways=(
                AssignedBy("Most groups first", 90, (("good", 90),)),
                AssignedBy("Each in turn", 80, (("good", 80),)),
            ),
            assigned=tuple(
                Assigned(group.code, None, (pool[at % len(pool)], "good"), None)
                for at, group in enumerate(held)
                if group.own
            ),
            seen=tuple(Seen("Age of the oldest child", band, 40, 7) for band in ("Under 2", "2 to 4", "5 and over")),
            share=38,
        ),
    )


def _figures(chance: random.Random, pool: Sequence[str]) -> Figures:
    bands = ("Under 3 months", "3 to 6 months", "6 to 12 months", "12 to 18 months", "18 months and over")
    ages = ("Under 1", "1 and 2", "3 and 4", "5 and 6", "7 to 9", "10 and over")
    return Figures(
        waiting=tuple(Count(band, chance.randint(10, 90), chance.randint(0, 9)) for band in bands),
        ages=tuple(Supply(age, chance.randint(10, 90), chance.randint(10, 90)) for age in ages),
        sizes=tuple(Supply(size, chance.randint(10, 90), chance.randint(10, 90)) for size in ("1 child", "2 children")),
        named=tuple(Named(code, "Devon", own=False, lists=40 - at) for at, code in enumerate(pool[:10])),
        top=5,
        never=30,
    )


def _code(kind: str, chance: random.Random) -> str:
    return f"{kind}-{''.join(chance.choices('23456789ABCDEFGHJKMNPQRSTVWXYZ', k=6))}"


def _group(chance: random.Random, pool: Sequence[str], families: int) -> PackGroup:
    levels = ("none", "none", "low", "medium", "high", "unknown")
    agency = chance.choice(AGENCIES)
    fitting = chance.sample(pool, families)
    own = agency == "Devon"
    # As in a pool of its size: of the other agencies' groups, a fifth has a family of the reader's among the first.
    telling = Telling.FULL if own else chance.choice((Telling.SHORT, *(Telling.LINE,) * 4))
    told = telling is not Telling.LINE
    return PackGroup(
        code=_code("G", chance),
        own=own,
        agency=agency,
        summary=f"Two children: a girl of {chance.randint(1, 4)} and a boy of {chance.randint(5, 9)}",
        profile="\n\n".join(PROFILE) if told else "",
        waiting_days=chance.randint(5, 900),
        legal="Placement order granted",
        plan=PLAN_OF if told else (),
        needs=tuple((need.title, chance.choice(levels)) for need in need_catalogue().needs) if told else (),
        families=tuple(
            _family(chance, code, number, explained=own or (told and number == 1))
            for number, code in enumerate(fitting, start=1)
        ),
        families_in_all=min(len(pool), 4 * families),
        telling=telling,
        reference="DEV-7" if own else None,
    )


def _family(chance: random.Random, code: str, position: int, *, explained: bool) -> PackFamily:
    points = max(3, 96 - 9 * position + chance.randint(0, 5))
    band = "strong" if points > 74 else "good" if points > 54 else "possible" if points > 34 else "explore"
    return PackFamily(
        position=position,
        code=code,
        agency=chance.choice(AGENCIES),
        band=band,
        points=points,
        why=tuple(chance.sample(WHY, 3)) if explained else (),
        ask=tuple(chance.sample(ASK, chance.randint(0, 2))) if explained else (),
        against=tuple(chance.sample(AGAINST, chance.randint(0, 1))) if explained else (),
        availability="Being considered",
        explained=explained,
    )


def _days(group: PackGroup) -> int:
    return -(group.waiting_days or 0)


def _waiting(chance: random.Random, group: PackGroup) -> WaitingGroup:
    days = group.waiting_days or 0
    return WaitingGroup(group.code, chance.randint(1, 3), AS_OF - timedelta(days=days), days, days + 90, days)


def _household(chance: random.Random, code: str, groups: Sequence[PackGroup]) -> PackHousehold:
    agency = chance.choice(AGENCIES)
    return PackHousehold(
        code=code,
        own=agency == "Devon",
        agency=agency,
        approved_on=AS_OF - timedelta(days=chance.randint(10, 700)),
        summary="Two adopters, approved for up to two children aged 0 to 7, near the coast, one dog",
        fits=tuple(group.code for group in chance.sample(groups, min(5, len(groups)))),
        fits_in_all=len(groups) // 3,
        new=chance.random() < 0.1,
        availability="Free",
        confirmed_on=AS_OF - timedelta(days=chance.randint(0, 60)),
        lists=chance.randint(0, 40),
        reference="DEV-H-7" if agency == "Devon" else None,
    )


def _measure(kind: str, groups: int, families: int, households: int, into: str | None) -> dict[str, object]:
    """Render twice and say what it took; peak memory is that of the largest process, in MiB."""
    # Imported here so that each process loads, and pays for, only the library that it measures.
    if kind == "pdf":
        from workers.document.pdf import render_pdf as render
    else:
        from workers.document.xlsx import render_xlsx as render
    content = synthetic_pack(groups, families, households)
    seconds, made = [], b""
    for _ in range(2):
        start = time.perf_counter()
        made = render(content)
        seconds.append(round(time.perf_counter() - start, 2))
    if into:
        Path(into, f"pack.{kind}").write_bytes(made)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in whose) // unit
    return {"document": kind, "seconds": seconds, "peak_mib": peak, "kib": len(made) // 1024}


def main() -> None:
    """Measure both renderers and print a JSON line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=300)
    parser.add_argument("--families", type=int, default=5)
    parser.add_argument("--households", type=int, default=140)
    parser.add_argument("--into", help="keep the documents in this folder")
    given = parser.parse_args()
    for kind in ("pdf", "xlsx"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            size = (given.groups, given.families, given.households)
            print(json.dumps(alone.submit(_measure, kind, *size, given.into).result()))


if __name__ == "__main__":
    main()
