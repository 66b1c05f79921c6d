"""Agreements outlive the link that they were made for, and go along when an agency becomes another."""

from __future__ import annotations

import json

from matching.fee.agreement import FeeAgreement, find_agreement_of, get_agreement
from matching.fee.drafting import state_fee
from matching.fee.signing import sign_agreement
from matching.fee.tending import tend_agreements
from matching.link import get_link
from matching.sealing.gathering import gather
from matching.sealing.reading import open_record
from matching.sealing.seal import ask_to_seal, seal_adoption
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.hand_over import agreed, do
from tests.matching.fee.fee_ground import make_fee_ground
from tests.matching.placement.stage import make_ordered


class TestSealing:
    def test_leaves_the_agreement_without_its_link_and_its_reference_with_the_adoption_record(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_ordered(factories, database)
        children, family = pairing.children, pairing.family
        second = factories.colleague(children, roles=children.scope.roles)
        with transaction(database, children) as session:
            agreement = find_agreement_of(session, pairing.link_id)
            assert agreement is not None
            agreement_id, reference, placed_on = agreement.id, agreement.reference, agreement.placed_on
            ask_to_seal(session, get_link(session, pairing.link_id), now=utc_now())
        for side in (children, family):
            with transaction(database, side) as session:
                gather(session, get_link(session, pairing.link_id), tally=None, now=utc_now())
        with transaction(database, second) as session:
            number = seal_adoption(session, get_link(session, pairing.link_id), now=utc_now())

        for side in (children, family):
            with transaction(database, side) as session:
                left = get_agreement(session, agreement_id)
                assert (left.link_id, left.reference, left.placed_on) == (None, reference, placed_on)
                assert left.ordered_on is not None
        with transaction(database, children) as session:
            # It is signed and reckoned on without the link.
            left = get_agreement(session, agreement_id)
            state_fee(session, left, pence=1_000_000, reason="Minute 1.", version=left.version, now=utc_now())
        for side in (children, family):
            with transaction(database, side) as session:
                found = get_agreement(session, agreement_id)
                sign_agreement(session, found, version=found.version, now=utc_now())
        with transaction(database, children) as session:
            tend_agreements(session, now=utc_now())
            assert reference in json.dumps(open_record(session, number, now=utc_now()))


class TestHandOver:
    def test_takes_agreements_along_with_their_agency(self, factories: Factories, database: Database) -> None:
        ground = make_fee_ground(factories, database)
        first = ground.match(ground.devon, ground.dorset)
        second = ground.match(ground.dorset, ground.devon)
        agreed(database, ground.devon, ground.region)

        assert do(database, ground.region).reason is None

        with transaction(database, ground.region) as session:
            moved, other = session.get_one(FeeAgreement, first), session.get_one(FeeAgreement, second)
            assert (moved.authority_agency_id, moved.payer_agency_id) == (ground.region.id, ground.region.id)
            assert (moved.payee_agency_id, other.payee_agency_id) == (ground.dorset.id, ground.region.id)
        with transaction(database, ground.dorset) as session:
            assert get_agreement(session, first).payer_agency_id == ground.region.id
