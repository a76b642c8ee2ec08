"""Detectors find what they are for and nothing else; findings are decided once."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.caregivers import Certificate
from data.catalogue import CareItem
from data.chat import Message, Side, Talk
from data.compliance import ComplianceFinding, FindingKind, FindingStatus
from data.follow_ups import FollowUp
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.orders import EndReason, Order, Visit
from data.points import PenaltyPoints
from services import changes, complaints, forgetting, places, points, reviews, rules, to_do
from services import clock as service_clock
from services.access import SYSTEM
from services.compliance import findings
from services.compliance.detectors import DETECTORS
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.to_do import ToDoKind
from tests.factories import (
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    OPERATOR,
    TONGZHOU,
    ZHOU,
    make_demand,
    make_order,
    make_redeemed_visit,
    make_rules,
    make_visit,
    order_of,
)

WHY = "核对过了"
REACH_ME = "电话 138 1234 5678"


def found(session, kind):
    values = rules.now(session, NANTONG)
    return list(DETECTORS[kind](session, NANTONG, values))


def quiet(session):
    """What no detector finds anything in."""
    return {kind: found(session, kind) for kind in FindingKind}


def test_an_ordinary_life_holds_no_breach(session):
    make_redeemed_visit(session)
    make_visit(session, starts_at=service_clock.now() + timedelta(days=4))

    assert quiet(session) == {kind: [] for kind in FindingKind}


class TestDetectors:
    def test_a_price_outside_the_table_of_its_day(self, session):
        make_rules(session, prices={str(COMPANIONSHIP): {"intermediate": [3500, 4500]}})
        order_id = make_order(session)
        assert found(session, FindingKind.PRICE) == []
        session.execute(update(Order).values(unit_price_fen=4600))

        [one] = found(session, FindingKind.PRICE)
        assert (one.caregiver_id, one.order_id) == (LI.id, order_id)
        assert one.facts == {"price_fen": 4600, "lowest_fen": 3500, "highest_fen": 4500}

    def test_late_cancellations_of_a_month_from_so_many_on(self, session, clock):
        make_rules(session, late_cancellations=2)

        def let_down(hours):
            visit_id = make_visit(session, starts_at=service_clock.now() + timedelta(hours=hours))
            clock.move(hours=hours - 2)
            fee_fen = changes.quote(session, LI, visit_id).fee_fen
            assert fee_fen
            changes.cancel_visit(session, LI, visit_id, EndReason.ILLNESS, "", fee_fen)
            session.flush()

        let_down(24)
        assert found(session, FindingKind.LATE_CANCELLATIONS) == []
        let_down(26)
        [one] = found(session, FindingKind.LATE_CANCELLATIONS)
        assert (one.caregiver_id, one.facts["count"]) == (LI.id, 2)

    def test_a_number_in_a_demand(self, session):
        make_demand(session, words=REACH_ME)
        make_demand(session, words="请在 13:00 前到")

        [one] = found(session, FindingKind.CONTACTS)
        assert (one.caregiver_id, one.facts) == (None, {"place": "demand"})
        assert "138" not in str(one)

    @pytest.mark.parametrize(
        ("side", "hers"), [(Side.CAREGIVER, LI.id), (Side.CUSTOMER, None), (Side.STAFF, 0)]
    )
    def test_a_number_in_an_orders_chat_but_not_from_staff(self, session, side, hers):
        order_id = make_order(session)
        talk = Talk(
            created_at=service_clock.now(),
            kind="order",
            status="open",
            order_id=order_id,
            account_id=ZHOU.id,
            city_code=NANTONG,
        )
        session.add(talk)
        session.flush()
        session.add(
            Message(
                created_at=service_clock.now(),
                talk_id=talk.id,
                side=side,
                words=REACH_ME,
                said_key="k",
            )
        )
        session.flush()

        told = found(session, FindingKind.CONTACTS)
        assert [one.caregiver_id for one in told] == ([] if hers == 0 else [hers])

    def test_best_reviews_of_one_family_mostly(self, session):
        make_rules(session, pair_reviews=2)
        for days in (3, 2):
            start = service_clock.now() - timedelta(days=days)
            visit_id = make_redeemed_visit(session, starts_at=start)
            scores = reviews.ReviewForm(5, 5, 5, 5, "好")
            reviews.write(session, ZHOU, visit_id, scores)
            session.flush()

        [one] = found(session, FindingKind.TRADED_REVIEWS)
        assert (one.caregiver_id, one.facts) == (LI.id, {"place": "pair", "count": 2, "of": 2})
        make_rules(session, pair_reviews=3)
        assert found(session, FindingKind.TRADED_REVIEWS) == []

    def test_a_check_in_far_away(self, session):
        visit_id = make_redeemed_visit(session)
        session.execute(
            update(Visit)
            .where(Visit.id == visit_id)
            .values(checked_in_cell=places.cell_of_district(TONGZHOU))
        )

        [one] = found(session, FindingKind.FAR_CHECK_IN)
        assert one.order_id == order_of(session, visit_id)
        assert one.facts["km"] > rules.now(session, NANTONG)["far_km"]

    def test_work_to_come_without_papers_that_hold_by_then(self, session):
        starts_at = service_clock.now() + timedelta(days=5)
        visit_id = make_visit(session, starts_at=starts_at)
        kind = session.scalars(select(Certificate.kind).limit(1)).one()
        needing = update(CareItem).where(CareItem.id == COMPANIONSHIP)
        session.execute(needing.values(required_certificates=[kind]))
        assert found(session, FindingKind.EXPIRED_PAPERS) == []
        session.execute(
            update(Certificate).values(expires_on=service_clock.today() + timedelta(days=2))
        )

        [one] = found(session, FindingKind.EXPIRED_PAPERS)
        assert one.key == f"visit:{visit_id}"
        assert one.facts == {"lacking": [kind]}

    def test_a_complaint_that_waits_past_its_deadline(self, session, clock):
        visit_id = make_redeemed_visit(session)
        complaints.lodge(session, ZHOU, visit_id, complaints.ComplaintCategory.QUALITY, "粗心")
        clock.move(days=2)
        assert found(session, FindingKind.IDLE_COMPLAINT) == []
        clock.move(days=12)

        [one] = found(session, FindingKind.IDLE_COMPLAINT)
        assert one.facts["days"] >= 2


@pytest.fixture
def finding_id(session):
    order_id = make_order(session)
    session.execute(update(Order).where(Order.id == order_id).values(unit_price_fen=9900))
    assert findings.detect(session, SYSTEM) == 1
    return session.scalars(select(ComplianceFinding.id)).one()


class TestFindings:
    def test_the_same_thing_is_found_once_and_its_facts_are_renewed(self, session, finding_id):
        session.execute(update(Order).values(unit_price_fen=9800))

        assert findings.detect(session, SYSTEM) == 0
        [one] = findings.listing(session, OPERATOR)
        assert one.facts["price_fen"] == 9800
        told = select(OutboxMessage.kind).where(OutboxMessage.kind == NoticeKind.BREACHES_FOUND)
        assert len(session.scalars(told).all()) == 1

    def test_what_was_decided_stays_decided(self, session, finding_id):
        findings.dismiss(session, OPERATOR, finding_id, WHY)

        assert findings.detect(session, SYSTEM) == 0
        assert findings.listing(session, OPERATOR) == []
        [one] = findings.listing(session, OPERATOR, decided=True)
        assert (one.status, one.decision_words) == (FindingStatus.DISMISSED, WHY)
        with pytest.raises(Conflict, match="finding_moved_on"):
            findings.uphold(session, OPERATOR, finding_id, WHY)

    def test_upheld_with_points_she_hears_of_it_and_may_contest(self, session, finding_id):
        findings.take(session, OPERATOR, finding_id)
        findings.uphold(session, OPERATOR, finding_id, WHY, 2)
        session.flush()

        given = session.scalars(select(PenaltyPoints)).one()
        assert (given.caregiver_id, given.points, given.finding_id) == (LI.id, 2, finding_id)
        points.contest(session, LI, given.id, "当时家属同意的")
        assert [one.id for one in points.contested(session, OPERATOR)] == [given.id]
        deeds = select(AuditEvent.action).where(AuditEvent.subject == "compliance_finding")
        assert session.scalars(deeds).all() == ["uphold_finding"]

    def test_without_points_nobody_is_told(self, session, finding_id):
        findings.uphold(session, OPERATOR, finding_id, WHY)

        assert session.scalars(select(PenaltyPoints)).all() == []

    def test_a_finding_of_nobody_takes_no_points(self, session):
        make_demand(session, words=REACH_ME)
        findings.detect(session, SYSTEM)
        [one] = findings.listing(session, OPERATOR)

        assert (one.kind, one.suggested) == (FindingKind.CONTACTS, 0)
        with pytest.raises(Invalid, match="finding_of_nobody"):
            findings.uphold(session, OPERATOR, one.id, WHY, 1)

    def test_more_points_than_the_rules_allow_are_refused(self, session, finding_id):
        with pytest.raises(Invalid, match="points_out_of_range"):
            findings.uphold(session, OPERATOR, finding_id, WHY, 13)

    def test_the_words_of_evidence_are_read_under_audit(self, session):
        make_demand(session, words=REACH_ME)
        findings.detect(session, SYSTEM)
        [one] = findings.listing(session, OPERATOR)

        assert findings.written(session, OPERATOR, one.id) == REACH_ME
        read = select(AuditEvent.subject_id).where(AuditEvent.action == "read_evidence")
        assert session.scalars(read).all() == [one.id]

    def test_other_findings_have_no_words(self, session, finding_id):
        with pytest.raises(NotFound):
            findings.written(session, OPERATOR, finding_id)

    def test_without_a_reason_nothing_is_decided(self, session, finding_id):
        for deed in (findings.uphold, findings.dismiss):
            with pytest.raises(Invalid, match="missing"):
                deed(session, OPERATOR, finding_id, " ")

    def test_the_queue_is_the_citys_own_and_counted_by_kind(self, session, finding_id):
        assert findings.counts(session, OPERATOR) == {FindingKind.PRICE: 1}
        assert findings.counts(session, OPERATOR, decided=True) == {}
        assert findings.listing(session, FAR_OPERATOR) == []
        with pytest.raises(NotFound, match="finding_not_found"):
            findings.take(session, FAR_OPERATOR, finding_id)
        with pytest.raises(NotAllowed):
            findings.listing(session, DESK)

    def test_what_is_undecided_waits_for_the_operators_until_it_is_put_aside(
        self, session, clock, finding_id
    ):
        def waiting(actor=OPERATOR):
            waits = {one.kind: one.count for one in to_do.today(session, actor)}
            return waits[ToDoKind.FINDINGS]

        make_demand(session, words=REACH_ME)
        findings.detect(session, SYSTEM)
        findings.take(session, OPERATOR, finding_id)
        things = to_do.things(session, OPERATOR, ToDoKind.FINDINGS)
        assert {(one.finding, one.name) for one in things} == {
            (FindingKind.PRICE, "李桂兰"), (FindingKind.CONTACTS, None)
        }  # fmt: skip
        assert (waiting(), waiting(FAR_OPERATOR)) == (2, 0)
        until = clock.moment + timedelta(days=1)
        to_do.see_to(session, OPERATOR, ToDoKind.FINDINGS, finding_id, "问过了", until)
        session.flush()
        assert waiting() == 1
        clock.move(days=1)
        findings.dismiss(session, OPERATOR, finding_id, WHY)
        assert waiting() == 1

    def test_what_was_noted_of_it_goes_with_whoever_is_erased(self, session, clock):
        make_demand(session, words=REACH_ME)
        findings.detect(session, SYSTEM)
        [one] = findings.listing(session, OPERATOR)
        until = clock.moment + timedelta(days=1)
        to_do.see_to(session, OPERATOR, ToDoKind.FINDINGS, one.id, "周家留了电话", until)
        session.flush()
        forgetting.follow_ups(session, [ZHOU.id])
        assert session.scalars(select(FollowUp.words)).all() == [""]
