from datetime import timedelta

import pytest
from sqlalchemy import select

from data.complaints import Complaint, ComplaintCategory
from data.history import AuditEvent
from data.orders import EndReason, Party, Visit
from data.points import PenaltyPoints
from services import (
    changes,
    complaints,
    places,
    points,
    pricing,
    replays,
    reviews,
    rule_changes,
    rulings,
)
from services import clock as service_clock
from services.access import SYSTEM
from services.compliance import findings
from services.errors import Invalid, NotAllowed, NotFound
from services.replays import Count, Side, Total
from services.rulings import Ruling
from tests.factories import (
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    NANTONG,
    OPERATOR,
    TONGZHOU,
    ZHAO,
    ZHOU,
    make_operator,
    make_order,
    make_redeemed_visit,
    visit_of,
)

WHY = "试算"


def day(days=0):
    return service_clock.today() + timedelta(days=days)


def tried(session, *, first=-30, last=-1, **numbers):
    """What a draft with these numbers would have made of the days gone by."""
    version_id = rule_changes.draft(session, OPERATOR, NANTONG)
    rule_changes.revise(session, OPERATOR, version_id, numbers, said=WHY)
    return replays.replay(session, OPERATOR, version_id, day(first), day(last))


@pytest.fixture
def lived(session, clock):
    """A visit made at night, one cancelled too late by the family, one missed by the caregiver."""
    start = clock.moment + timedelta(days=1, hours=11)
    made = make_redeemed_visit(session, starts_at=start)
    cancelled = visit_of(
        session, make_order(session, starts_at=clock() + timedelta(days=3, hours=2))
    )
    clock.move(days=3)
    fee_fen = changes.quote(session, ZHOU, cancelled).fee_fen
    changes.cancel_visit(session, ZHOU, cancelled, EndReason.PLANS_CHANGED, "", fee_fen)
    missed = visit_of(
        session, make_order(session, starts_at=service_clock.now() + timedelta(hours=9))
    )
    clock.move(hours=11)
    changes.miss(session, OPERATOR, missed, Party.CAREGIVER, "没来")
    clock.move(days=2)
    return made, cancelled, missed


def booked(session, ids):
    return [session.get_one(Visit, visit_id) for visit_id in ids]


def test_under_the_rules_of_today_the_past_is_what_it_was(session, lived):
    found = tried(session, release_days=9)

    made, cancelled, missed = booked(session, lived)
    assert found.visits == 3
    for total in Total:
        was, now, then = found.totals[total]
        assert was == now == then
    assert found.totals[Total.FAMILIES][0] == made.total_fen + cancelled.fee_fen
    assert found.totals[Total.FEES][0] == cancelled.fee_fen > 0
    assert found.totals[Total.PENALTIES][0] == missed.penalty_fen > 0
    for families, caregivers, platform in zip(
        *(found.totals[one] for one in (Total.FAMILIES, Total.CAREGIVERS, Total.PLATFORM)),
        strict=True,
    ):
        assert families == caregivers + platform


def test_a_higher_commission_moves_pay_and_nothing_else(session, lived):
    found = tried(session, commission_bp=2000)

    made, cancelled, _ = booked(session, lived)
    moved = sum(
        pricing.share(fen, 2000) - pricing.share(fen, 1500)
        for fen in (made.total_fen, cancelled.fee_fen)
    )
    _, now, then = found.totals[Total.CAREGIVERS]
    assert then - now == -moved < 0
    _, now, then = found.totals[Total.PLATFORM]
    assert then - now == moved
    _, now, then = found.totals[Total.FAMILIES]
    assert now == then


def test_each_number_does_what_it_says(session, lived):
    made, cancelled, missed = booked(session, lived)

    def change(total, **numbers):
        _, now, then = tried(session, **numbers).totals[total]
        return then - now

    assert change(Total.FAMILIES, night_bp=0) == -made.price_parts["night"]
    assert change(Total.FEES, customer_fees=[]) == -cancelled.fee_fen
    assert change(Total.PENALTIES, caregiver_no_show_bp=10_000) == missed.penalty_fen
    assert change(Total.FAMILIES, prices={str(COMPANIONSHIP): {"intermediate": [4500, 6000]}}) > 0
    assert change(Total.PLATFORM, commissions={str(COMPANIONSHIP): 0}) < 0
    assert change(Total.FEES, decline_hours=72) == -cancelled.fee_fen


def test_people_come_who_changes_most_first_and_their_changes_sum_up(session, lived):
    found = tried(session, night_bp=0, commission_bp=1000)

    for side, total in ((Side.CUSTOMER, Total.FAMILIES), (Side.CAREGIVER, Total.CAREGIVERS)):
        people = found.people[found.people["side"] == side]
        _, now, then = found.totals[total]
        assert (people["now_fen"].sum(), people["then_fen"].sum()) == (now, then)
        changed = people["change_fen"].abs().tolist()
        assert changed == sorted(changed, reverse=True)
    assert set(found.people["account_id"]) == {ZHOU.id, LI.id}
    assert "name" not in found.people


def test_what_a_count_hangs_on_is_counted_only_if_it_changes(session, lived):
    changes = {"travel_kmh": 5, "weight_pay": 3, "sign_idle_days": 30}
    found = tried(session, notice_hours=24, release_days=60, **changes)

    assert set(found.counts) == {Count.TOO_LATE, Count.WAITING_FEN}
    now, then = found.counts[Count.TOO_LATE]
    assert (now, then) == (0, 1)
    assert found.counts[Count.WAITING_FEN][1] == booked(session, lived)[0].pay_fen
    assert found.untold == tuple(changes)


def test_no_visits_make_no_sums(session):
    found = tried(session, night_bp=0)

    assert found.visits == 0
    assert found.people.empty
    assert set(found.totals.values()) == {(0, 0, 0)}


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [(-1, -2, "replay_period"), (-3, 0, "replay_period"), (-100, -2, "replay_too_long")],
)
def test_only_days_gone_by_and_not_too_many_can_be_tried(session, first, last, error):
    with pytest.raises(Invalid, match=error):
        tried(session, first=first, last=last, night_bp=0)


def test_names_are_told_to_who_may_know_them_and_each_is_audited(session, lived):
    assert set(replays.names(session, OPERATOR, [ZHOU.id, LI.id])) == {ZHOU.id, LI.id}

    told = select(AuditEvent.subject_id).where(AuditEvent.action == "name_replayed")
    assert set(session.scalars(told)) == {ZHOU.id, LI.id}
    with pytest.raises(NotFound):
        replays.names(session, OPERATOR, [ZHAO.id])
    with pytest.raises(NotFound):
        replays.names(session, FAR_OPERATOR, [ZHOU.id])
    with pytest.raises(NotAllowed):
        replays.names(session, DESK, [ZHOU.id])


def test_another_citys_version_cannot_be_tried(session):
    version_id = rule_changes.draft(session, OPERATOR, NANTONG)

    with pytest.raises(NotFound, match="rules_not_found"):
        replays.replay(session, FAR_OPERATOR, version_id, day(-3), day(-1))


def test_a_replay_leaves_no_trace(session, lived):
    before = [
        (one.total_fen, one.fee_fen, one.penalty_fen, one.version) for one in booked(session, lived)
    ]
    tried(session, night_bp=0, commission_bp=0)
    session.flush()
    session.expire_all()

    assert before == [
        (one.total_fen, one.fee_fen, one.penalty_fen, one.version) for one in booked(session, lived)
    ]


class TestCases:
    """Complaints, points and breaches of the days gone by, under other numbers."""

    @pytest.fixture
    def colleague(self, session):
        return make_operator(session)

    @pytest.fixture
    def decided(self, session, clock, colleague):
        """A complaint decided after 21 working hours; the appeal three days later, after twelve."""
        visit_id = make_redeemed_visit(session)
        made = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "早退")
        clock.move(days=1, hours=9)
        rulings.decide(session, OPERATOR, made, Ruling("记三分", points=3))
        session.flush()
        clock.move(days=3)
        rulings.appeal(session, LI, made, "没有早退")
        clock.move(days=3)
        rulings.uphold(session, colleague, made, "维持")
        session.flush()
        clock.move(days=1)
        return made

    def counted(self, session, count, **numbers):
        return tried(session, **numbers).counts[count]

    @pytest.mark.parametrize(("hours", "late"), [(21, 0), (20, 1)])
    def test_a_complaint_is_late_once_its_hours_are_over(self, session, decided, hours, late):
        numbers = {"complaint_hours_quality": hours}
        assert self.counted(session, Count.COMPLAINTS_LATE, **numbers) == (0, late)

    def test_a_complaint_of_another_kind_is_not(self, session, decided):
        numbers = {"complaint_hours_price": 5, "due_soon_hours": 4}
        assert self.counted(session, Count.COMPLAINTS_LATE, **numbers) == (0, 0)

    def test_who_still_waits_waits_until_now(self, session, clock):
        visit_id = make_redeemed_visit(session)
        complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "早退")
        clock.move(days=1)
        numbers = {"complaint_hours_quality": 12}
        assert self.counted(session, Count.COMPLAINTS_LATE, **numbers) == (0, 0)
        clock.move(minutes=1)
        assert self.counted(session, Count.COMPLAINTS_LATE, **numbers) == (0, 1)
        assert self.counted(session, Count.CASES_IDLE, **numbers) == (0, 0)
        clock.move(days=2)
        assert self.counted(session, Count.CASES_IDLE, **numbers) == (0, 1)

    @pytest.mark.parametrize(("hours", "late"), [(12, 0), (11, 1)])
    def test_an_appeal_is_late_once_its_hours_are_over(self, session, decided, hours, late):
        assert self.counted(session, Count.APPEALS_LATE, appeal_hours=hours) == (0, late)

    @pytest.mark.parametrize(("days", "refused"), [(3, 0), (2, 1)])
    def test_an_appeal_comes_too_late_after_its_days(self, session, decided, days, refused):
        assert self.counted(session, Count.APPEALS_TOO_LATE, appeal_days=days) == (0, refused)

    @pytest.mark.parametrize(("hours", "reminded"), [(15, 0), (16, 1), (24, 1), (25, 2)])
    def test_the_earlier_one_reminds_the_more_it_does(self, session, decided, hours, reminded):
        numbers = {"complaint_hours_safety": 40, "complaint_hours_no_show": 40}
        found = self.counted(session, Count.CASES_SOON, due_soon_hours=hours, **numbers)
        assert found == (0, reminded)

    def test_points_are_held_against_the_most_and_the_limit(self, session, decided):
        assert self.counted(session, Count.POINTS_TOO_MANY, most_points=2) == (0, 1)
        assert self.counted(session, Count.POINTS_AT_LIMIT, limit_points=3) == (0, 1)
        assert self.counted(session, Count.POINTS_AT_LIMIT, limit_points=4) == (0, 0)

    def test_what_was_lifted_counts_towards_no_limit(self, session, colleague, decided):
        given = session.scalars(select(PenaltyPoints.id)).one()
        points.contest(session, LI, given, "没有")
        points.decide(session, colleague, given, "lift", "撤销")
        session.flush()
        assert self.counted(session, Count.POINTS_AT_LIMIT, limit_points=3) == (0, 0)

    def test_thresholds_tell_what_would_have_been_found(self, session, clock, lived):
        clock.move(days=1)
        found = tried(session, late_cancellations=1, pair_reviews=2, far_km=1)
        assert found.counts == {
            Count.OFTEN_LET_DOWN: (0, 1),
            Count.PRAISED_BY_ONE: (0, 0),
            Count.FAR_CHECK_INS: (0, 0),
        }
        assert found.untold == ()

    def test_a_check_in_is_far_beyond_the_kilometres(self, session, lived, clock):
        made, *_ = lived
        visit = session.get_one(Visit, made)
        visit.checked_in_cell = places.cell_of_district(TONGZHOU)
        away = places.distance_km(visit.cell, visit.checked_in_cell)
        clock.move(days=1)
        far_km = int(away) + 1
        assert self.counted(session, Count.FAR_CHECK_INS, far_km=far_km) == (1, 0)

    def test_points_suggested_are_those_of_what_was_found(self, session, lived, clock):
        made, *_ = lived
        session.get_one(Visit, made).checked_in_cell = places.cell_of_district(TONGZHOU)
        assert findings.detect(session, SYSTEM) == 1
        clock.move(days=1)
        found = self.counted(session, Count.POINTS_SUGGESTED, far_check_in_points=7)
        assert found == (2, 7)

    def test_praise_of_one_family_is_found_as_the_detector_finds_it(self, session, clock):
        for days in (3, 2):
            start = service_clock.now() - timedelta(days=days)
            visit_id = make_redeemed_visit(session, starts_at=start)
            reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(5, 5, 5, 5, "好"))
            session.flush()
        clock.move(days=1)
        assert self.counted(session, Count.PRAISED_BY_ONE, pair_reviews=2) == (0, 1)
        assert self.counted(session, Count.PRAISED_BY_ONE, pair_reviews=3) == (0, 0)

    def test_another_citys_cases_are_its_own(self, session, decided):
        for complaint in session.scalars(select(Complaint)):
            complaint.city_code = LUZHOU
        session.flush()
        numbers = {"complaint_hours_quality": 19}
        assert self.counted(session, Count.COMPLAINTS_LATE, **numbers) == (0, 0)

    def test_cases_of_other_days_do_not_count(self, session, clock, decided):
        clock.move(days=40)
        numbers = {"complaint_hours_quality": 19}
        assert self.counted(session, Count.COMPLAINTS_LATE, **numbers) == (0, 0)
