"""Anonymous profiles in plain, warm words: nothing in them names a person, a place, a school or a date."""

from __future__ import annotations

from concord.demo.chance import Chance

_NUMBER_WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
)  # fmt: skip

_HOMES = (
    "a terraced house with a small garden", "a bungalow at the end of a quiet lane", "a bright flat beside a park",
    "a semi-detached house with room to run about", "an old cottage with a wild garden",
    "a modern house on a friendly street",
)  # fmt: skip
_WORK = (
    "One works with their hands and the other in an office; both can take adoption leave.",
    "Work can be done from home most of the week.",
    "One parent would stay at home for the first year and return part time.",
    "Shifts are regular, and leave has been agreed for whenever a child arrives.",
    "They run a small business together and choose their own hours.",
)
_SINGLE_WORK = (
    "Work can be done from home most of the week.",
    "A year’s leave has been agreed, with a return to part-time work after it.",
    "Hours are school hours, and an understanding employer comes with them.",
)
_PLEASURES = (
    "baking", "long walks in all weathers", "swimming", "board games", "growing vegetables", "singing in a choir",
    "camping", "reading stories aloud", "football in the garden", "mending old bicycles", "painting",
    "looking for crabs",
)  # fmt: skip
_EXPERIENCE = (
    "Nieces and nephews visit often and stay in the holidays.",
    "There has been time spent volunteering with a play group.",
    "Work with children who find learning hard has taught patience.",
    "Friends have adopted, and their advice is taken gladly.",
    "A friend’s toddler has spent a day here every week for a year.",
    "A course on therapeutic parenting gave new ways to think about behaviour.",
)
_SUPPORT = (
    "Grandparents live a few minutes away and cannot wait.",
    "A close circle of friends has been part of every step.",
    "Brothers and sisters nearby have offered practical help.",
    "Neighbours with children of many ages keep the door open.",
    "The wider family lives further off but calls every day.",
)
_HOPES = (
    "They would help a child make sense of their story, at the child’s pace.",
    "Calm, routine and laughter are what this home offers.",
    "They expect hard days and know whom to ask.",
    "They would keep a child’s heritage and history alive with pride.",
)

_NATURES = (
    "curious", "cheerful", "thoughtful", "determined", "gentle", "funny", "lively", "affectionate", "watchful",
    "bright",
)  # fmt: skip
_LOVES = (
    "splashing in puddles", "anything with wheels", "being read to", "music and dancing", "dinosaurs", "water play",
    "building towers and knocking them down", "helping in the kitchen", "animals", "the swings", "drawing",
    "hide and seek",
)  # fmt: skip
_BABY_LOVES = (
    "being sung to", "bath time", "a soft blanket", "watching faces", "a good cuddle after a bottle",
    "bright mobiles",
)  # fmt: skip
_SETTLING = (
    "A steady routine and warning of what comes next make the day go well.",
    "New faces take a little time; after that there is no stopping the chatter.",
    "Sleep has become much better with a patient foster carer.",
    "Loud voices are frightening, and a quiet reassuring adult helps.",
    "Meals are enjoyed, and second helpings asked for.",
)
_FUTURE = (
    "A family is sought that can offer patience, play and plenty of time.",
    "The right family will be warm, consistent and ready to ask for help early.",
    "What matters most is a home that feels safe, and adults who enjoy small steps.",
    "Adopters who can be advocates in the years ahead would be a good match.",
)
_TOGETHER = (
    "They look for each other first thing in the morning.",
    "The eldest likes to be the helper; the youngest copies everything.",
    "They squabble and make up like any brothers and sisters, and should stay together.",
)
_UNKNOWNS = (
    "It is too early to say how development will go, and this should be talked through.",
    "Some of the early history is not known.",
)


def number_word(number: int) -> str:
    """Return a small number in words, a large one in figures."""
    return _NUMBER_WORDS[number] if number < len(_NUMBER_WORDS) else str(number)


def household_profile(chance: Chance, *, adopters: int, at_home: int) -> str:
    """Return a household's profile: who they are, their home, what they enjoy, who stands by them."""
    who = "A couple" if adopters == 2 else "A single adopter"
    pronoun_home = f"{who} in their {chance.pick(('late twenties', 'thirties', 'early forties', 'forties'))}"
    joys = chance.some(_PLEASURES, 3)
    already = "" if not at_home else f" {_at_home(at_home)}"
    sentences = (
        f"{pronoun_home}, living in {chance.pick(_HOMES)}.{already}",
        f"Weekends mean {joys[0]}, {joys[1]} and {joys[2]}.",
        chance.pick(_WORK if adopters == 2 else _SINGLE_WORK),
        chance.pick(_EXPERIENCE),
        chance.pick(_SUPPORT),
        chance.pick(_HOPES),
    )
    return " ".join(sentences)


def _at_home(children: int) -> str:
    if children == 1:
        return "A child already at home is looking forward to company."
    return f"The {number_word(children)} children already at home have been part of every talk."


def group_profile(chance: Chance, *, children: list[tuple[str, int | None]], unsure: bool) -> str:
    """Return a sibling group's profile; each child is a sex and an age in whole years (``None`` before birth)."""
    if children[0][1] is None:
        return (
            f"A baby not yet born, for whom an early permanence family is sought. {_UNKNOWNS[0]} {chance.pick(_FUTURE)}"
        )
    sentences = [_opening(chance, children), *_middle(chance, children)]
    if unsure:
        sentences.append(chance.pick(_UNKNOWNS))
    return " ".join([*sentences, chance.pick(_FUTURE)])


def _opening(chance: Chance, children: list[tuple[str, int | None]]) -> str:
    natures = chance.some(_NATURES, 2)
    described = [_child(sex, years or 0) for sex, years in children]
    if len(described) == 1:
        return f"{described[0].capitalize()}: {natures[0]}, {natures[1]} and much loved by the foster carer."
    listed = f"{', '.join(described[:-1])} and {described[-1]}"
    return f"{listed[0].upper()}{listed[1:]}, to be placed together; one {natures[0]}, another {natures[1]}."


def _child(sex: str, years: int) -> str:
    age = "under one" if years == 0 else f"of {number_word(years)}"
    return f"a {'girl' if sex == 'female' else 'boy'} {age}"


def _middle(chance: Chance, children: list[tuple[str, int | None]]) -> list[str]:
    baby = all((years or 0) == 0 for _, years in children)
    loves = chance.some(_BABY_LOVES if baby else _LOVES, 2)
    sentences = [f"Favourite things are {loves[0]} and {loves[1]}."]
    if len(children) > 1:
        sentences.append(chance.pick(_TOGETHER))
    if not baby:
        sentences.append(chance.pick(_SETTLING))
    return sentences
