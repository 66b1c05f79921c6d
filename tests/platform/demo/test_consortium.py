from __future__ import annotations

import re
from collections import Counter

from concord.demo.consortium import AGENCIES, CONSORTIUM, OFFICE_SLUG, DemoKind, list_people
from matching.place import find_outward_code
from tenants.role import Role


class TestAgencies:
    def test_are_fifteen_councils_four_voluntary_agencies_and_the_office(self) -> None:
        kinds = Counter(agency.kind for agency in AGENCIES)
        assert kinds == {
            DemoKind.LOCAL_AUTHORITY: 15,
            DemoKind.VOLUNTARY_AGENCY: 4,
            DemoKind.CONSORTIUM_OFFICE: 1,
        }

    def test_have_slugs_names_and_colours_of_their_own(self) -> None:
        for word in ("slug", "name", "colour", "email_domain"):
            assert len({getattr(agency, word) for agency in AGENCIES}) == len(AGENCIES)

    def test_have_urns_that_are_plainly_made_up(self) -> None:
        assert all(agency.urn is None or re.fullmatch(r"DEMO-\d{4}", agency.urn) for agency in AGENCIES)
        assert [agency.slug for agency in AGENCIES if agency.urn is None] == [OFFICE_SLUG]

    def test_have_domains_reserved_for_examples(self) -> None:
        assert all(agency.email_domain.endswith(".example.org") for agency in AGENCIES)

    def test_have_colours_that_stand_out_from_white(self) -> None:
        assert {
            agency.slug: contrast_with_white(agency.colour)
            for agency in AGENCIES
            if contrast_with_white(agency.colour) < 3
        } == {}

    def test_live_in_places_that_the_table_has(self) -> None:
        assert all(find_outward_code(code) for agency in AGENCIES for code in agency.outward_codes)
        assert [agency.slug for agency in AGENCIES if not agency.outward_codes] == [OFFICE_SLUG]

    def test_voluntary_agencies_have_families_and_no_children(self) -> None:
        voluntary = [agency for agency in AGENCIES if agency.kind is DemoKind.VOLUNTARY_AGENCY]
        assert all(agency.household_weight > 0 and agency.child_weight == 0 for agency in voluntary)

    def test_the_consortium_says_that_it_is_a_demonstration(self) -> None:
        assert "demonstration" in CONSORTIUM.name


class TestListPeople:
    def test_holds_every_role(self) -> None:
        assert {role for person in list_people() for role in person.roles} == set(Role)

    def test_gives_every_council_its_own_twelve(self) -> None:
        posts = Counter(person.agency_slug for person in list_people())
        councils = [agency.slug for agency in AGENCIES if agency.kind is DemoKind.LOCAL_AUTHORITY]
        assert {posts[slug] for slug in councils} == {12}

    def test_gives_voluntary_agencies_nobody_who_finds_families_for_children(self) -> None:
        voluntary = {agency.slug for agency in AGENCIES if agency.kind is DemoKind.VOLUNTARY_AGENCY}
        roles = {role for person in list_people() if person.agency_slug in voluntary for role in person.roles}
        assert not roles & {Role.FAMILY_FINDER, Role.CHILDS_SOCIAL_WORKER, Role.COORDINATOR, Role.OPERATOR}

    def test_keeps_coordinator_and_operator_to_the_office(self) -> None:
        of_office = {role for person in list_people() if person.agency_slug == OFFICE_SLUG for role in person.roles}
        assert of_office == {Role.COORDINATOR, Role.MANAGER, Role.ADMINISTRATOR, Role.OPERATOR}

    def test_one_person_works_in_two_agencies(self) -> None:
        agencies: dict[str, set[str]] = {}
        for person in list_people():
            agencies.setdefault(person.subject, set()).add(person.agency_slug)
        assert [found for found in agencies.values() if len(found) > 1] == [{"bournemouth", "poole"}]

    def test_gives_nobody_the_name_or_address_of_another(self) -> None:
        by_subject = {person.subject: person for person in list_people()}
        assert len({person.name for person in by_subject.values()}) == len(by_subject)
        assert len({person.email for person in by_subject.values()}) == len(by_subject)

    def test_uses_addresses_reserved_for_examples(self) -> None:
        assert all(person.email.endswith(".example.org") for person in list_people())


def contrast_with_white(colour: str) -> float:
    """Return the WCAG 2.2 contrast ratio of a colour on white."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
