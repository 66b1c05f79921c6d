"""A profile is searched for what gives somebody away: everything planted is found, and clean words are let be."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.demo.chance import Chance
from concord.demo.profile import group_profile, household_profile
from matching.anonymity.finding import Finding, Kind, Known, apart, found, marked
from matching.anonymity.profile import find_betrayals
from matching.anonymity.word import lists

CLEAN = tuple((Path(__file__).parent / "clean.txt").read_text("utf-8").splitlines())
BORN = date(2023, 5, 7)
RECORD = Known(
    people=("Mrs Rosalind O’Brien-Sample", "Theodore Example", "Zoë de Souza"),
    addresses=("12 Placeholder Street, Newton Abbot, Devon TQ12 9ZZ",),
    postcodes=("TQ12 9ZZ",),
    references=("ADP-0042",),
    dates=(BORN,),
    telephones=("01632 960001",),
    emails=("rosalind@family.example",),
)

cases = st.sampled_from([str, str.upper, str.lower, str.title])
possessives = st.sampled_from(["", "’s", "'s", "'S", "s’"])


class TestFindBetrayals:
    @pytest.mark.parametrize("text", CLEAN)
    def test_is_sure_of_nothing_in_a_clean_profile(self, text: str) -> None:
        assert [each for each in find_betrayals(text, RECORD) if each.sure] == []

    def test_says_little_of_clean_profiles_at_all(self) -> None:
        told = [each.words for text in CLEAN for each in find_betrayals(text, RECORD)]

        assert told == ["famous"]

    def test_finds_nothing_in_the_demonstrations_profiles(self) -> None:
        for seed in range(150):
            chance = Chance(seed, "profiles")
            adopters = household_profile(chance, adopters=1 + seed % 2, at_home=seed % 3)
            siblings: list[tuple[str, int | None]] = [("female", 4), ("male", 1)]
            children = group_profile(chance, children=siblings[: 1 + seed % 2], unsure=True)
            assert find_betrayals(f"{adopters}\n{children}", RECORD) == ()

    @given(
        text=st.sampled_from(CLEAN),
        name=st.sampled_from(
            ["Rosalind", "O’Brien", "O'Brien", "Sample", "OBrien-Sample", "Theodore", "Example", "Zoë"]
        ),
        case=cases,
        possessive=possessives,
        data=st.data(),
    )
    def test_finds_a_name_wherever_it_stands(
        self, text: str, name: str, case: object, possessive: str, data: st.DataObject
    ) -> None:
        planted, start = _planted(text, f"{case(name)}{possessive}", data)  # type: ignore[operator]

        assert _covered(find_betrayals(planted, RECORD), start, len(name))

    @given(
        text=st.sampled_from(CLEAN), code=st.sampled_from(["TQ12 9ZZ", "TQ129ZZ", "TQ12"]), case=cases, data=st.data()
    )
    def test_finds_its_postcode(self, text: str, code: str, case: object, data: st.DataObject) -> None:
        planted, start = _planted(text, case(code), data)  # type: ignore[operator]

        assert _covered(find_betrayals(planted, RECORD), start, len(code), sure=True)

    @given(text=st.sampled_from(CLEAN), born=st.dates(date(1950, 1, 1), date(2030, 1, 1)), case=cases, data=st.data())
    def test_finds_a_birth_date_in_every_british_form(
        self, text: str, born: date, case: object, data: st.DataObject
    ) -> None:
        known = Known(dates=(born,))
        forms = (
            *("%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d-%m-%y", "%Y-%m-%d", "%d %B %Y", "%d %b %y", "%d %B", "%B %d, %Y"),
            *("%dth of %B %Y", "%d %b '%y", "%dst %B", "%d/%m", "%d%m%Y", "%d%m%y"),
        )
        said = born.strftime(data.draw(st.sampled_from(forms)))
        planted, start = _planted(text, case(said), data)  # type: ignore[operator]

        assert _covered(find_betrayals(planted, known), start, len(said), sure=True)

    @given(text=st.text(), people=st.lists(st.text(), max_size=3), address=st.text(), code=st.text())
    def test_takes_whatever_is_written(self, text: str, people: list[str], address: str, code: str) -> None:
        known = Known(people=tuple(people), addresses=(address,), postcodes=(code,), references=(code, address))
        findings = find_betrayals(f"{text} {' '.join(people)} {address} {code}", known)

        assert all(before.end <= after.start for before, after in pairwise(findings))
        whole = f"{text} {' '.join(people)} {address} {code}"
        assert all(whole[each.start : each.end] == each.words for each in findings)
        assert "".join(words for words, _ in marked(whole, findings)) == whole

    @pytest.mark.parametrize(
        ("text", "words", "kind"),
        [
            ("She plays with Theadore daily.", "Theadore", Kind.NAME),
            ("Everyone knows rosalindobrien here.", "", None),
            ("Her friend is zoedesouza online.", "zoedesouza", Kind.NAME),
            ("Her teacher is Mrs Placard.", "Mrs Placard", Kind.NAME),
            ("They live on placeholder st now.", "placeholder st", Kind.PLACE),
            ("They moved to newton abbot lately.", "newton abbot", Kind.PLACE),
            ("They live in Mockup Avenue.", "Mockup Avenue", Kind.PLACE),
            ("She was born in Exeter.", "Exeter", Kind.PLACE),
            ("Exeter is home.", "Exeter", Kind.PLACE),
            ("They holiday at Weston-super-Mare.", "Weston-super-Mare", Kind.PLACE),
            ("Their home is at EX4 4QJ now.", "EX4 4QJ", Kind.PLACE),
            ("Their home is at ex44qj now.", "ex44qj", Kind.PLACE),
            ("He goes to St Specimen’s Primary School.", "St Specimen’s Primary School", Kind.INSTITUTION),
            ("He goes to St. Specimen's.", "St. Specimen's", Kind.INSTITUTION),
            ("He goes to Mockup Academy.", "Mockup Academy", Kind.INSTITUTION),
            ("She was seen at Specimen General Hospital.", "Specimen General Hospital", Kind.INSTITUTION),
            ("She goes to Little Mockups Nursery.", "Little Mockups Nursery", Kind.INSTITUTION),
            ("He was placed on 3 June 2024.", "3 June 2024", Kind.DATE),
            ("He was placed on the third of June 2024.", "third of June 2024", Kind.DATE),
            ("Ring 01632 960 123.", "01632 960 123", Kind.CONTACT),
            ("Ring +44 7700 900123.", "+44 7700 900123", Kind.CONTACT),
            ("Write to mock@up.example.", "mock@up.example", Kind.CONTACT),
            ("See www.mockup.example for more.", "www.mockup.example", Kind.CONTACT),
            ("See mockup.co.uk for more.", "mockup.co.uk", Kind.CONTACT),
            ("His number is 943 476 5919.", "943 476 5919", Kind.NUMBER),
            ("UPN A123456789012.", "A123456789012", Kind.NUMBER),
            ("The case is ZW23C00123.", "ZW23C00123", Kind.NUMBER),
            ("Ours is adp 0042.", "adp 0042", Kind.NUMBER),
        ],
    )
    def test_is_sure_of(self, text: str, words: str, kind: Kind | None) -> None:
        sure = [(each.words, each.kind) for each in find_betrayals(text, RECORD) if each.sure]

        assert sure == ([(words, kind)] if kind else [])

    @pytest.mark.parametrize(
        ("text", "words", "kind"),
        [
            ("She loves Theo best.", "Theo", Kind.NAME),
            ("Known to all as Rosa here.", "Rosa", Kind.NAME),
            ("He plays with T.E. often.", "T.E.", Kind.NAME),
            ("They will miss Mockup Specimen most.", "Mockup Specimen", Kind.NAME),
            ("Auntie Mockup lives near.", "Mockup", Kind.NAME),
            ("Here Sandra helps.", "Sandra", Kind.NAME),
            ("They live near Specimenham now.", "Specimenham", Kind.PLACE),
            ("They moved to Bath lately.", "Bath", Kind.PLACE),
            ("He supports Plymouth Argyle.", "Plymouth Argyle", Kind.NAME),
            ("He supports Liverpool.", "Liverpool", Kind.PLACE),
            ("Their code is EX4 there.", "EX4", Kind.PLACE),
            ("Bonfires on 5 November are loved.", "5 November", Kind.DATE),
            ("On the net as @mockup he writes.", "@mockup", Kind.CONTACT),
            ("The file is 1234567 there.", "1234567", Kind.NUMBER),
            ("He has Prader-Willi syndrome.", "Prader-Willi", Kind.RARE),
            ("She is a twin.", "twin", Kind.RARE),
            ("The adopters are vicar and nurse.", "vicar", Kind.RARE),
        ],
    )
    def test_asks_to_look_at(self, text: str, words: str, kind: Kind) -> None:
        told = [(each.words, each.kind, each.sure) for each in find_betrayals(text, RECORD)]

        assert (words, kind, False) in told or ((words, kind, True) in told and words == "Theo")
        assert all(each.instead and each.why for each in find_betrayals(text, RECORD))

    @pytest.mark.parametrize(
        "text",
        [
            *(
                "They took vitamin B12 daily.",
                "He loves Sesame seeds.",
                "It was 10.30 and 1/2 an hour.",
                "On St George’s Day.",
            ),
            *("They help St John Ambulance.", "They may 2 or 3 times.", "It costs £250000.", "Mum and Dad said so."),
        ],
    )
    def test_lets_be(self, text: str) -> None:
        assert find_betrayals(text, Known()) == ()

    def test_takes_a_name_that_is_a_word_for_the_word_until_its_capital_tells(self) -> None:
        known = Known(people=("Will Rose",))

        told = find_betrayals("He will go. A rose grows. Rose sings. We saw Will there. Will sings.", known)

        assert [(each.words, each.sure) for each in told] == [
            *(("rose", False), ("Rose", True), ("Will", True), ("Will", False)),
        ]

    def test_looks_for_nobody_where_nobody_is_known(self) -> None:
        assert find_betrayals("A child who loves puddles.", Known(people=("", "X"), addresses=("",))) == ()


class TestApart:
    def test_keeps_the_sure_then_the_rare_then_the_longest(self) -> None:
        text = "abcdefghij"
        long = found(text, 0, 8, Kind.NAME, sure=False, why="reads so")
        short = found(text, 1, 3, Kind.NAME, sure=True, why="is one")
        rare = found(text, 5, 6, Kind.RARE, sure=False, why="is rare")
        broad = found(text, 4, 9, Kind.PLACE, sure=False, why="is one")

        assert apart([long, rare, broad, short]) == (short, rare)
        assert apart([broad, long]) == (long,)


class TestLists:
    def test_hold_nothing_twice_over(self) -> None:
        known = lists()

        assert not known.places & known.unclear_places
        assert not known.places & known.plain
        assert all(instead and words for _, instead, words in known.rare)


def _planted(text: str, words: str, data: st.DataObject) -> tuple[str, int]:
    """Put words between two words of a text, and return it with where they begin."""
    gaps = [0, *(place + 1 for place, letter in enumerate(text) if letter == " ")]
    gap = data.draw(st.sampled_from(gaps))
    return f"{text[:gap]}{words} {text[gap:]}", gap


def _covered(findings: tuple[Finding, ...], start: int, length: int, *, sure: bool = False) -> bool:
    return any(each.start < start + length and start < each.end and each.sure >= sure for each in findings)
