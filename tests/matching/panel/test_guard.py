from __future__ import annotations

from dataclasses import replace

import pytest

from matching.document_check import CheckedPdf
from matching.link import LinkState, NotYet, Passable, StepName, get_link
from matching.panel.paper import Finding, add_placement_report, write_advice
from matching.panel.reading import get_reading
from matching.transition import StepFacts, find_transition, missing, take
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, transaction
from tests.matching.panel.stage import Panel, make_panel, put
from tests.matching.placement.stage import TODAY, step
from tests.matching.report_factory import make_pdf


class TestPapersReady:
    def test_wait_for_each_paper_and_the_panel_advisers_word(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database, papers=False, at_panel=False)
        for each in (StepName.VISIT, StepName.MEET):
            step(database, panel.pairing.children, panel.pairing, each, day=TODAY)

        assert "Prospective adopter report; Child permanence report; Adoption placement" in _missing(database, panel)
        put(database, panel.pairing.family, panel.pairing)
        put(database, panel.pairing.children, panel.pairing)
        with transaction(database, panel.pairing.children) as session:
            link, file = get_link(session, panel.pairing.link_id), CheckedPdf(make_pdf(), 1)
            add_placement_report(session, link, file=file, now=utc_now())
        assert "missing: the panel adviser’s word" in _missing(database, panel)
        _check(database, panel, Finding.READY)
        assert _missing(database, panel) == ""
        _check(database, panel, Finding.MISSING)
        assert "the panel adviser’s word" in _missing(database, panel)

        with pytest.raises(NotYet, match="say why"):
            step(database, panel.pairing.children, panel.pairing, StepName.GO_TO_PANEL, day=TODAY, override=None)
        with transaction(database, panel.pairing.children) as session:
            link = get_link(session, panel.pairing.link_id)
            facts = StepFacts("It is time.", day=TODAY)
            passed = replace(facts, override="The adviser is ill.")
            take(session, link, StepName.GO_TO_PANEL, version=link.version, facts=passed, now=utc_now())
            assert link.state is LinkState.PANEL


def _check(database: Database, panel: Panel, finding: Finding) -> None:
    with transaction(database, panel.people[Role.PANEL_ADVISER]) as session:
        reader = get_reading(session, panel.readers[Role.PANEL_ADVISER], now=utc_now()).reader
        write_advice(session, reader, words="I have read them.", finding=finding, now=utc_now())


def _missing(database: Database, panel: Panel) -> str:
    transition = find_transition(LinkState.LINKING_MEETING, StepName.GO_TO_PANEL)
    assert transition is not None
    with transaction(database, panel.pairing.children) as session:
        link = get_link(session, panel.pairing.link_id)
        return " ".join(
            str(each) for each in missing(session, link, transition, now=utc_now()) if type(each) is Passable
        )
