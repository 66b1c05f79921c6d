"""Records in words: how pages and packs say who children are, what a household offers and where things stand.

Pure functions over the facts that the pool may see; the same fact is said in the same words everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from matching.need import Answer, Need, NeedCatalogue, NeedLevel, YesNo
from matching.ranking.facts import ChildFacts, ContactKind, GroupFacts, HouseholdFacts, LegalPosition, Sex, SexApproved

NOT_RECORDED = "Not recorded"

_LEGAL: dict[LegalPosition, str] = {
    LegalPosition.CONSENT: "Consent given",
    LegalPosition.ORDER_GRANTED: "Placement order granted",
    LegalPosition.ORDER_APPLIED: "Placement order applied for",
    LegalPosition.CONTESTED: "Placement order contested",
    LegalPosition.APPEAL: "Placement order under appeal",
    LegalPosition.UNKNOWN: NOT_RECORDED,
}
_LEVELS: dict[NeedLevel, str] = {
    NeedLevel.NONE: "none",
    NeedLevel.LOW: "low",
    NeedLevel.MEDIUM: "medium",
    NeedLevel.HIGH: "high",
    NeedLevel.UNKNOWN: "unknown",
}
_ANSWERS: dict[Answer, str] = {
    Answer.CAN_MEET: "Can meet",
    Answer.WOULD_DISCUSS: "Would discuss",
    Answer.CANNOT: "Cannot consider",
    Answer.UNKNOWN: "Has not said",
}
_YES_NO: dict[YesNo, str] = {YesNo.YES: "Yes", YesNo.NO: "No", YesNo.UNKNOWN: NOT_RECORDED}
_CONTACT: dict[ContactKind, str] = {
    ContactKind.LETTERBOX: "Letterbox contact",
    ContactKind.DIRECT: "Direct contact",
    ContactKind.SIBLINGS: "Contact with brothers and sisters",
}
HERITAGE_WORDS: dict[str, str] = {
    "WBRI": "White British",
    "WIRI": "White Irish",
    "WOTH": "Any other White background",
    "WIRT": "Traveller of Irish heritage",
    "WROM": "Gypsy or Roma",
    "MWBC": "White and Black Caribbean",
    "MWBA": "White and Black African",
    "MWAS": "White and Asian",
    "MOTH": "Any other mixed background",
    "AIND": "Indian",
    "APKN": "Pakistani",
    "ABAN": "Bangladeshi",
    "AOTH": "Any other Asian background",
    "BCRB": "Black Caribbean",
    "BAFR": "Black African",
    "BOTH": "Any other Black background",
    "CHNE": "Chinese",
    "OOTH": "Any other ethnic group",
    "REFU": "Declined to say",
    "NOBT": "Not yet obtained",
}
"""What the SSDA903 codes of ethnic origin stand for."""

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ONE = {Sex.FEMALE: "girl", Sex.MALE: "boy", Sex.UNKNOWN: "child"}
_MANY = {Sex.FEMALE: "girls", Sex.MALE: "boys", Sex.UNKNOWN: "children"}
_APPROVED = {SexApproved.FEMALE: ("girl", "girls"), SexApproved.MALE: ("boy", "boys")}
_MONTHS_UNTIL = 24
"""Ages below two years are said in months: at that age they matter."""
_SHOWN = (NeedLevel.HIGH, NeedLevel.MEDIUM, NeedLevel.LOW, NeedLevel.UNKNOWN, NeedLevel.NONE)


def describe_age(birth_month: date | None, as_of: date) -> str:
    """Return an age as people say it: ``5``, ``18 months``, ``due in March 2027``; years from two up."""
    if birth_month is None:
        return "age not recorded"
    age = _months(as_of) - _months(birth_month)
    if age < 0:
        return f"due in {birth_month:%B %Y}"
    if age == 0:
        return "under a month"
    return _age_words(age)


def describe_child(child: ChildFacts, as_of: date) -> str:
    """Return one child in words, such as ``a girl of 3``."""
    return _described(child, as_of, count=1)


def describe_children(children: Sequence[ChildFacts], as_of: date) -> str:
    """Return a group's children in words, youngest first: ``Two children: a girl of 3 and a boy of 5``."""
    if not children:
        return "No child recorded"
    alike = Counter((child.birth_month, child.sex) for child in sorted(children, key=_youngest_first))
    described = [
        _described(ChildFacts(birth_month=born, sex=sex, needs={}), as_of, count=count)
        for (born, sex), count in alike.items()
    ]
    return f"{count_words(len(children), 'child', 'children').capitalize()}: {join_words(described)}"


def describe_household(facts: HouseholdFacts, as_of: date) -> str:
    """Return what a household is approved for and who is at home, as one phrase without a full stop."""
    said = [
        f"Approved for {_approved_for(facts)}",
        _available(facts.available_from, as_of),
        "" if facts.adopters is None else count_words(facts.adopters, "adopter", "adopters"),
        "approved for early permanence" if facts.early_permanence_approved is YesNo.YES else "",
        _at_home(facts, as_of),
        {YesNo.YES: "pets at home", YesNo.NO: "no pets", YesNo.UNKNOWN: ""}[facts.pets],
        {YesNo.YES: "someone smokes", YesNo.NO: "nobody smokes", YesNo.UNKNOWN: ""}[facts.smokers],
    ]
    return "; ".join(words for words in said if words)


def describe_approval(facts: HouseholdFacts) -> str:
    """Return the children a household is approved for, such as ``one or two girls aged 0 to 6``."""
    return _approved_for(facts)


def describe_home(facts: HouseholdFacts, as_of: date) -> str:
    """Return which children live in a household, such as ``one child at home, aged 4``."""
    return _at_home(facts, as_of)


def describe_contact_plan(facts: GroupFacts) -> str:
    """Return the contact that a group's plan asks for, and which kinds nobody has decided on."""
    planned = {kind: facts.contact.get(kind, YesNo.UNKNOWN) for kind in ContactKind}
    return _asked({_CONTACT[kind]: fact for kind, fact in planned.items()}, none="No contact planned")


def describe_home_asked(facts: GroupFacts) -> str:
    """Return what a group asks of the home, and what nobody has said."""
    asked = {
        "Must be the youngest child": facts.must_be_youngest,
        "Must be the only child": facts.must_be_only,
        "No pets": facts.no_pets,
        "Smoke-free": facts.smoke_free,
    }
    return _asked(asked, none="Nothing in particular is asked")


def describe_family_asked(facts: GroupFacts) -> str:
    """Return what a group asks that a family brings, and what nobody has said."""
    asked = {
        "Experience with children": facts.experience_needed,
        "Training in therapeutic parenting": facts.training_needed,
        "A parent at home through the first year": facts.parent_at_home_needed,
        "Support nearby": facts.support_needed,
    }
    return _asked(asked, none="Nothing in particular is asked")


def adopters_words(adopters: int | None) -> str:
    """Return how many adopters there are."""
    return NOT_RECORDED if adopters is None else count_words(adopters, "adopter", "adopters").capitalize()


def describe_available_from(day: date | None, as_of: date) -> str:
    """Return from when a child could move in."""
    if day is None:
        return NOT_RECORDED
    return "Now" if day <= as_of else f"{day.day} {day:%B %Y}"


def needs_by_level(child: ChildFacts, catalogue: NeedCatalogue) -> tuple[tuple[NeedLevel, tuple[str, ...]], ...]:
    """Return the titles of a child's needs by level, the highest first, then unknown, then none."""
    found: dict[NeedLevel, list[str]] = {level: [] for level in _SHOWN}
    for need in catalogue.needs:
        found[child.needs.get(need.code, NeedLevel.UNKNOWN)].append(need.title)
    return tuple((level, tuple(titles)) for level, titles in found.items() if titles)


def days_waiting(waiting_since: date | None, as_of: date) -> int | None:
    """Return the calendar days that a group has waited, not below nought; ``None`` where nobody has said."""
    return None if waiting_since is None else max(0, (as_of - waiting_since).days)


def describe_days(days: int | None) -> str:
    """Return a number of days in words."""
    if days is None:
        return NOT_RECORDED
    return "1 day" if days == 1 else f"{days:,} days"


def needs_of(children: Sequence[ChildFacts], catalogue: NeedCatalogue) -> tuple[tuple[Need, NeedLevel, int], ...]:
    """Return a group's needs in catalogue order, with each level found, highest first, and how many children have it.

    What a child is known not to have is left out; what nobody has recorded of a child is unknown.
    """
    found: list[tuple[Need, NeedLevel, int]] = []
    for need in catalogue.needs:
        levels = Counter(child.needs.get(need.code, NeedLevel.UNKNOWN) for child in children)
        found += [(need, level, levels[level]) for level in _SHOWN if level in levels and level is not NeedLevel.NONE]
    return tuple(found)


def describe_heritage(codes: Iterable[str]) -> str:
    """Return ethnic origins in words, in the order of the published codes."""
    held = set(codes)
    named = [words for code, words in HERITAGE_WORDS.items() if code in held]
    return join_words([*named, *sorted(held - HERITAGE_WORDS.keys())]) or NOT_RECORDED


def legal_position_words(position: LegalPosition) -> str:
    """Return where a case stands in law, such as ``Placement order granted``."""
    return _LEGAL[position]


def level_words(level: NeedLevel) -> str:
    """Return how much of a need there is, in small letters."""
    return _LEVELS[level]


def answer_words(answer: Answer) -> str:
    """Return what a household says to something, such as ``Would discuss``."""
    return _ANSWERS[answer]


def yes_no_words(fact: YesNo) -> str:
    """Return a fact as yes or no, or that it is not recorded."""
    return _YES_NO[fact]


def contact_words(kind: ContactKind) -> str:
    """Return a kind of contact, such as ``Letterbox contact``."""
    return _CONTACT[kind]


def count_words(count: int, one: str, many: str) -> str:
    """Return a count with its noun, small numbers in words: ``one child``, ``12 children``."""
    number = _NUMBERS[count] if 0 <= count < len(_NUMBERS) else f"{count:,}"
    return f"{number} {one if count == 1 else many}"


def join_words(words: Sequence[str]) -> str:
    """Return a list as a sentence has it: ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _asked(facts: Mapping[str, YesNo], *, none: str) -> str:
    planned, unknown = (
        join_words([words.lower() for words, fact in facts.items() if fact is wanted])
        for wanted in (YesNo.YES, YesNo.UNKNOWN)
    )
    said = [planned, f"not recorded: {unknown}" if unknown else ""] if planned or unknown else [none]
    words = "; ".join(each for each in said if each)
    return words[0].upper() + words[1:]


def _available(day: date | None, as_of: date) -> str:
    # The usual goes without saying.
    return "" if day is None or day <= as_of else f"a child could move in from {day.day} {day:%B %Y}"


def _described(child: ChildFacts, as_of: date, *, count: int) -> str:
    age = describe_age(child.birth_month, as_of)
    due = age.startswith("due ")
    noun = (_ONE if count == 1 else _MANY)[child.sex]
    number = "a" if count == 1 else count_words(count, "", "").strip()
    if due:
        # Before birth the sex may be recorded, but it is the coming that matters.
        sex = "" if child.sex is Sex.UNKNOWN else f" ({noun})"
        return f"{'an' if count == 1 else number} unborn {'child' if count == 1 else 'children'}{sex} {age}"
    if child.birth_month is None:
        return f"{number} {noun}, {age}"
    return f"{number} {noun} {age}" if age == "under a month" else f"{number} {noun} of {age}"


def _youngest_first(child: ChildFacts) -> tuple[bool, int, str]:
    # A child whose age nobody has said comes last.
    born = child.birth_month
    return (born is None, -(born.toordinal() if born else 0), child.sex)


def _age_words(months: int) -> str:
    if months < _MONTHS_UNTIL:
        return "1 month" if months == 1 else f"{months} months"
    return str(months // 12)


def _approved_for(facts: HouseholdFacts) -> str:
    said = [_children_approved(facts), _ages_approved(facts)]
    unsaid = [word for word, words in zip(("number", "ages"), said, strict=True) if words is None]
    children = said[0] or _APPROVED.get(facts.sex_approved, ("child", "children"))[1]
    return " ".join(
        words for words in (children, said[1], f"({join_words(unsaid)} not recorded)" if unsaid else None) if words
    )


def _children_approved(facts: HouseholdFacts) -> str | None:
    one, many = _APPROVED.get(facts.sex_approved, ("child", "children"))
    fewest, most = facts.fewest_children, facts.most_children
    if fewest is None and most is None:
        return None
    if most is None:
        return f"{count_words(fewest or 0, one, many)} or more"
    if fewest is None:
        return f"up to {count_words(most, one, many)}"
    if fewest == most:
        return count_words(most, one, many)
    between = "or" if most == fewest + 1 else "to"
    return f"{count_words(fewest, '', '').strip()} {between} {count_words(most, one, many)}"


def _ages_approved(facts: HouseholdFacts) -> str | None:
    lowest, highest = facts.age_from_months, facts.age_to_months
    if lowest is None and highest is None:
        return None
    if highest is None:
        return f"aged {_from_words(lowest or 0)} or older"
    if lowest is None:
        return f"aged up to {_to_words(highest)}"
    start, end = _from_words(lowest), _to_words(highest)
    return f"aged {start}" if start == end else f"aged {start} to {end}"


def _from_words(months: int) -> str:
    return str(months // 12) if months % 12 == 0 else f"{months} months"


def _to_words(months: int) -> str:
    # The last month is included: up to 59 months is up to four years old.
    return str(months // 12) if months % 12 == 11 else f"{months} months"


def _at_home(facts: HouseholdFacts, as_of: date) -> str:
    count, youngest = facts.children_at_home, facts.youngest_at_home
    if count is None and youngest is None:
        return "children at home not recorded"
    if count == 0:
        return "no children at home"
    who = "children" if count is None else count_words(count, "child", "children")
    if youngest is None:
        return f"{who} at home"
    age = describe_age(youngest, as_of)
    return f"{who} at home, {'' if count == 1 else 'the youngest '}{'' if age.startswith('due ') else 'aged '}{age}"


def _months(day: date) -> int:
    return day.year * 12 + day.month
