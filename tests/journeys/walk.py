"""The way of a link as the people of two councils click it, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from matching.document import add_cpr
from matching.document_check import CheckedPdf
from matching.household import get_household
from matching.link import get_link
from matching.sibling_group import get_group
from matching.transition import consider, start_link
from tenants.base import utc_now
from tests.browser import Visit
from tests.factories import Tenant, transaction
from tests.journeys.two_councils import SWAPS, Side, TwoCouncils
from tests.matching.report_factory import Pairing, let_read, make_par, make_pdf

_AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Leg:
    """One link of the swap, with the councils whose children and family it is of."""

    link_id: UUID
    children: Side
    family: Side
    household: str

    @property
    def title(self) -> str:
        """Return what its page is headed."""
        return f"Link of {self.pair}"

    @property
    def pair(self) -> str:
        """Return the two codes as pages say them."""
        return f"{self.children.group} and {self.household}"

    @property
    def pairing(self) -> Pairing:
        """Return it as other tests know links: by who may do everything in each council."""
        household_id = self.family.household_ids[self.family.households.index(self.household)]
        return Pairing(self.children.tenant, self.family.tenant, self.children.group_id, household_id, self.link_id)


class Walk:
    """A browser that one person after another sits down at."""

    def __init__(self, visit: Visit, ground: TwoCouncils) -> None:
        self.visit, self.tab, self.ground = visit, visit.tab, ground

    # Beginning

    def interest(self, children: Side, family: Side, *, why: str) -> Leg:
        """Have the children's family finder start a link by the two codes."""
        self.open(children.people["finder"], "/links")
        self.press("Start a link")
        self.tab.get_by_label("Sibling group’s code").fill(children.group)
        self.tab.get_by_label("Household’s code").fill(family.households[0])
        self.tab.get_by_label("Why may they be right for each other?").fill(why)
        self.press("Start the link")
        self.heading(f"Link of {children.group} and {family.households[0]}")
        return Leg(UUID(self.tab.url.rsplit("/", 1)[-1]), children, family, family.households[0])

    def linked(self, children: Side, family: Side, *, number: int) -> Leg:
        """Start a link from the family's side, and have the children's council consider it, as the verbs do."""
        household_id = family.household_ids[number]
        with transaction(self.ground.database, family.tenant) as session:
            group, household = get_group(session, children.group_id), get_household(session, household_id)
            link = start_link(session, group=group, household=household, reason="They asked for her.", now=utc_now())
            link_id = link.id
        with transaction(self.ground.database, children.tenant) as session:
            consider(session, get_link(session, link_id), version=1, reason="They may fit.", now=utc_now())
        return Leg(link_id, children, family, family.households[number])

    def consider(self, leg: Leg) -> None:
        """Have the family's worker take up the interest, and let the finder read the PAR."""
        make_par(self.ground.database, leg.family.tenant, leg.pairing.household_id)
        self.open(leg.family.people["worker"], "/links/mine?whose=agency")
        assert "Say whether you consider it" in self.tab.inner_text("main")
        self.tab.get_by_role("link", name=leg.pair).click()
        self.step(leg, "Consider this link", why="The family would like to hear more of her.")
        let_read(self.ground.database, leg.pairing)

    # From the shortlist to the decision

    def to_panel(self, leg: Leg, *, on: date) -> None:
        """Have the finder lead the link to the panel, with papers that its adviser found ready."""
        finder = leg.children.people["finder"]
        self.open(finder, f"/links/{leg.link_id}")
        self.step(leg, "Shortlist the family", why="Of three families they fit best.")
        self.step(leg, "Plan the visit", why="Both workers think it is time.", day=on - 3 * _AHEAD)
        self.step(leg, "Plan the linking meeting", why="The visit went well.", day=on - 2 * _AHEAD)
        self._put_papers(leg)
        self.open(finder, f"/links/{leg.link_id}")
        assert "the panel adviser’s word that they are ready" in self.tab.inner_text("main")
        self._check_papers(leg)
        self.open(finder, f"/links/{leg.link_id}")
        self.step(leg, "Take it to the matching panel", why="The meeting agreed.", day=on - timedelta(days=3))

    def _put_papers(self, leg: Leg) -> None:
        with transaction(self.ground.database, leg.children.tenant) as session:
            file = CheckedPdf(make_pdf("A made-up CPR."), 1)
            add_cpr(session, get_group(session, leg.children.group_id), file=file, now=utc_now())
        for person in (leg.family.people["worker"], leg.children.people["finder"]):
            self.open(person, f"/links/{leg.link_id}")
            self.tab.get_by_role("link", name="Panel papers and who reads them").click()
            self.press("Put your reports before panel")
            self.press("Put them before panel")
            self.heading(f"Panel papers: {leg.pair}")
        self.press("Add the placement report")
        self.tab.get_by_label("The report, as a PDF").set_input_files(
            {"name": "apr.pdf", "mimeType": "application/pdf", "buffer": make_pdf("A made-up placement report.")}
        )
        self.press("Put it before panel")
        for role in ("adviser", "decider"):
            self.heading(f"Panel papers: {leg.pair}")
            self.tab.get_by_role("link", name="Name somebody").click()
            self.tab.get_by_label(leg.children.people[role].subject).check()
            self.press("Name this person")
        self.visit.look("swap-panel-papers", f"Panel papers: {leg.pair}")

    def _check_papers(self, leg: Leg) -> None:
        self._undertake(leg, "adviser")
        self.press("Check the papers")
        self.tab.get_by_label("Ready for panel").check()
        self.tab.get_by_label("What have you checked, and what is missing?").fill("All is there.")
        self.press("Save the check")
        self.heading(f"Panel papers: {leg.pair}")

    def _undertake(self, leg: Leg, role: str) -> None:
        """Have a reader come to the papers from their own list, and promise to keep them to themselves."""
        self.open(leg.children.people[role], "/home")
        self.tab.get_by_role("link", name=leg.pair).click()
        self.tab.get_by_label("I have read this, and I undertake it").check()
        self.press("Confirm")
        self.heading(f"Panel papers: {leg.pair}")

    def decide(self, leg: Leg, *, on: date) -> None:
        """Have the decision maker open the papers and decide, and the finder take the link on."""
        self._undertake(leg, "decider")
        for paper in self.tab.get_by_role("link", name="Open (PDF)").all():
            with self.tab.expect_download() as download:
                paper.click()
            assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
        self.press("Decide on the match")
        self.tab.get_by_label("I approve the match").check()
        self.fill_day(on)
        self.tab.get_by_label("What are your reasons?").fill("They can meet her needs.")
        self.press("Record my decision")
        self.heading(f"Panel papers: {leg.pair}")
        self.open(leg.children.people["finder"], f"/links/{leg.link_id}")
        self.step(leg, "Record the match", why="The decision maker approved it.")

    # From the match to the order

    def place(self, leg: Leg, *, on: date) -> None:
        """Have both councils plan the placement, introduce the two and see the child move in."""
        finder, page = leg.children.people["finder"], f"/links/{leg.link_id}/placement"
        self.open(leg.family.people["worker"], page)
        self.press("Give the adopters’ record")
        self.tab.get_by_text("gave the children’s agency its copy").wait_for()
        self.open(finder, f"/links/{leg.link_id}")
        self.step(leg, "Start introductions", why="She has heard of them.", day=on - timedelta(days=10))
        self._plan(leg, on=on)
        self._meet(on=on - timedelta(days=10))
        self.visit.look("swap-placement", f"Placement of {leg.pair}")
        self.open(finder, f"/links/{leg.link_id}")
        self.step(leg, "Record that the children moved in", why="She was ready for it.", day=on)
        self.visit.look("swap-link-placed", leg.title)

    def _plan(self, leg: Leg, *, on: date) -> None:
        self.tab.get_by_role("link", name="The placement: plan, introductions, reviews").click()
        self.tab.get_by_role("link", name="Change the plan").click()
        days = {"Placement plan sent to the adopters": 20, "Placement plan agreed": 15, "Moving in planned": 0}
        for name, before in days.items():
            self.fill_day(on - timedelta(days=before), of=name)
        self.press("Save the plan")
        self.heading(f"Placement of {leg.pair}")

    def _meet(self, *, on: date) -> None:
        self.tab.get_by_role("link", name="The introductions day by day").click()
        self.press("Add a meeting")
        self.fill_day(on)
        self.tab.get_by_label("From").fill("9:30")
        self.tab.get_by_label("Who meets whom, and where?").fill("All of them, at the foster carer’s home.")
        self.press("Add the meeting")
        self.tab.get_by_text("at the foster carer’s home").first.wait_for()
        self.tab.get_by_role("link", name="Placement", exact=True).click()

    def order(self, leg: Leg, *, on: date) -> None:
        """Have the finder record the order."""
        self.open(leg.children.people["finder"], f"/links/{leg.link_id}/placement")
        self.press("Record the adoption order")
        self.fill_day(on)
        self.tab.get_by_label("Family court").check()
        self.tab.get_by_label("What should be on record with it?").fill("The court wrote to us.")
        self.press("Record the order")
        self.heading(f"Placement of {leg.pair}")

    def seal(self, leg: Leg) -> None:
        """Have one person ask that the adoption be sealed, and another confirm it."""
        for role, button in (("manager", "Ask for the sealing"), ("lead", "Seal the adoption")):
            self.open(leg.children.people[role], "/sealings")
            self.tab.get_by_role("link", name=leg.children.group).click()
            self.tab.get_by_label("I have read what is removed, and that it cannot be taken back").check()
            self.press(button)
            done = "asked for it. A second person confirms it." if role == "manager" else "Certificate"
            self.tab.get_by_text(done).first.wait_for()
            self.ground.work_off()
        self.ground.enter(self.tab, leg.children.people["manager"])
        response = self.tab.goto(f"{self.ground.url}/links/{leg.link_id}")
        assert response
        assert response.status == 404

    def end(self, leg: Leg, *, by: Side, why: str) -> None:
        """Have one side end a link, with what the other can use."""
        self.open(by.people["worker"], f"/links/{leg.link_id}")
        self.press("End this link")
        self.tab.get_by_label("The family did not wish to go on").check()
        self.tab.get_by_label("Why?").fill(why)
        self.tab.get_by_label("What can the other agency use?").fill("They thank you for the talk.")
        self.press("End the link")
        self.heading(leg.title)

    # What everybody does

    def check_swap(self, side: Side, balance: str, *, counts: Sequence[str], picture: str | None = None) -> None:
        """Have a council's manager read the swap group: its balance, and why each placement counts or not."""
        self.open(side.people["manager"], "/swaps")
        self.tab.get_by_role("link", name=SWAPS).click()
        self.heading(SWAPS)
        if picture:
            self.visit.look(picture, SWAPS)
        rows = self.tab.get_by_role("table", name="Your agency, over the whole swap group").get_by_role("row")
        assert balance in rows.nth(1).inner_text()
        found = self.tab.get_by_role("table", name="Placements between members").locator("tbody tr").all_inner_texts()
        assert len(found) == len(counts)
        assert all(words in text for words, text in zip(counts, found, strict=True)), found

    def open(self, person: Tenant, path: str) -> None:
        """Have somebody open a page."""
        self.ground.enter(self.tab, person)
        response = self.tab.goto(f"{self.ground.url}{path}")
        assert response
        assert response.status == 200, f"{path}: {response.status}"

    def step(self, leg: Leg, label: str, *, why: str, day: date | None = None) -> None:
        """Take a step from the link's page, and come back to it."""
        self.press(label)
        self.tab.get_by_label("Why?").fill(why)
        if day is not None:
            self.fill_day(day)
        self.press(label)
        self.heading(leg.title)

    def press(self, name: str) -> None:
        """Press a button of that name."""
        self.tab.get_by_role("button", name=name, exact=True).click()

    def heading(self, words: str) -> None:
        """Wait for the page of that heading."""
        self.tab.get_by_role("heading", level=1, name=words, exact=True).wait_for()

    def fill_day(self, day: date, *, of: str | None = None) -> None:
        """Fill in the three boxes of a day, of the question ``of`` where there are several."""
        boxes = self.tab.get_by_role("group", name=of) if of else self.tab
        for box, number in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            boxes.get_by_label(box, exact=True).fill(str(number))
