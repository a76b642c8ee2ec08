"""What caregivers offer: plans less what is taken back, and closed weeks that stay as they were."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import delete

from data.caregivers import Caregiver, CaregiverStatus, WeeklyHours
from services import calendars, caregivers, clock, closures, leaves, verifications
from services.analytics import exports, lake
from services.analytics.schemas import Fact
from tests.factories import DRAFT, LI, MONDAY, NANTONG, OPERATOR, ZHAO, decide_case
from tests.services.analytics import story
from tests.services.analytics.test_facts import name

TODAY = MONDAY.date()
A_WEEK = timedelta(weeks=1)
DAYPARTS = {"morning": 35.0, "afternoon": 42.0, "evening": 14.0}


def at(day, hour):
    return datetime.combine(TODAY + timedelta(days=day), time(hour), clock.CITY_TIME)


def supplied(week, caregiver=LI):
    """The hours of a caregiver's week by part of the day."""
    return {
        row["daypart"]: row["hours"]
        for row in story.rows(Fact.SUPPLY)
        if (row["week"], row["caregiver"]) == (week, name("caregiver", caregiver.id))
    }


def weeks():
    return sorted({row["week"] for row in story.rows(Fact.SUPPLY)})


def test_a_week_is_the_plan_from_the_approval_on(session):
    """They were approved on Monday at nine, and work from seven to twenty every day."""
    exports.refresh(session)

    assert supplied(TODAY) == DAYPARTS | {"morning": 33.0}
    assert weeks() == [TODAY]
    assert supplied(TODAY, DRAFT) == {}
    [row] = [row for row in story.rows(Fact.SUPPLY) if row["daypart"] == "evening"][:1]
    assert (row["city"], row["district"]) == (NANTONG, "320613")


def test_days_of_their_own_leave_and_closures_count(session, clock):
    hours = {TODAY + timedelta(days=day): None for day in (1, 2)}
    calendars.set_days(session, LI, LI.id, hours, [(22 * 60, 24 * 60)])
    leaves.take(session, LI, LI.id, at(3, 10), at(4, 13), leaves.LeaveReason.FAMILY, [])
    closures.close(session, OPERATOR, NANTONG, at(6, 0), at(6, 19), "台风")
    session.flush()
    exports.refresh(session)

    # Tuesday and Wednesday evenings only; Thursday until 10, Friday from 13, Sunday's last hour.
    assert supplied(TODAY) == {
        "morning": 3 + 3 + 0 + 5,
        "afternoon": 6 + 5 + 6,
        "evening": 2 + 2 + 2 + 2 + 2 + 1,
    }


def test_who_was_suspended_offers_nothing_meanwhile(session, clock):
    clock.move(days=1)
    caregivers.move(session, OPERATOR, LI.id, "suspend", "证件待补")
    clock.move(days=2)
    caregivers.move(session, OPERATOR, LI.id, "restore", "证件已补")
    session.flush()
    exports.refresh(session)

    # From Tuesday at nine until Thursday at nine: two days, that began at nine and ended so.
    lost = {"morning": 10, "afternoon": 12, "evening": 4}
    told = supplied(TODAY)
    usual = supplied(TODAY, ZHAO)
    assert {part: usual[part] - told[part] for part in usual} == lost


def test_weeks_before_the_first_export_are_told_by_the_plans_of_its_day(session, clock):
    clock.move(days=21)
    exports.refresh(session)

    assert weeks() == [TODAY + number * A_WEEK for number in range(4)]
    assert supplied(TODAY + A_WEEK) == DAYPARTS
    assert lake.contents().months(Fact.SUPPLY) == ["2030-01"]


@pytest.mark.parametrize("everything", [False, True])
def test_a_closed_week_stays_as_it_was_told(session, clock, everything):
    exports.refresh(session)
    clock.move(days=6)
    exports.refresh(session, everything=everything)
    closing = supplied(TODAY)
    clock.move(days=1)
    session.execute(delete(WeeklyHours).where(WeeklyHours.caregiver_id == LI.id))
    exports.refresh(session, everything=everything)
    assert supplied(TODAY) == {}, "the week was open when it was told last"

    session.add(
        WeeklyHours(
            created_at=clock.moment, caregiver_id=LI.id, weekday=0, starts_minute=0, ends_minute=60
        )
    )
    session.flush()
    for _ in range(6):
        clock.move(days=7)
        exports.refresh(session, everything=everything)
    assert supplied(TODAY) == {}
    assert supplied(TODAY + 2 * A_WEEK) == {"night": 1.0}
    assert closing
    assert weeks() == [TODAY + number * A_WEEK for number in range(8)]


def test_a_week_that_closed_unchanged_is_closed_too(session, clock):
    """The last week of a month lies in another file than the first of the next."""
    clock.move(to=at(21, 9))
    exports.refresh(session)
    clock.move(days=7)
    exports.refresh(session)
    assert lake.contents().months(Fact.SUPPLY) == ["2030-01", "2030-02"]
    session.execute(delete(WeeklyHours))
    exports.refresh(session, everything=True)

    assert supplied(TODAY + 3 * A_WEEK) == DAYPARTS
    assert supplied(TODAY + 4 * A_WEEK) == {}


def test_a_clock_that_jumps_back_takes_no_week_away(session, clock):
    clock.move(days=30)
    exports.refresh(session)
    before = story.rows(Fact.SUPPLY)
    clock.move(days=-20)
    session.execute(delete(WeeklyHours))
    for everything in (False, True):
        exports.refresh(session, everything=everything)
        closed = [row for row in before if row["week"] < date(2030, 2, 4)]
        assert [row for row in story.rows(Fact.SUPPLY) if row["week"] < date(2030, 2, 4)] == closed


def test_a_broken_month_is_told_by_todays_plans(session, clock):
    clock.move(days=14)
    exports.refresh(session)
    lake.path(Fact.SUPPLY, "2030-01").write_bytes(b"nothing")
    session.execute(delete(WeeklyHours).where(WeeklyHours.caregiver_id == LI.id))
    exports.refresh(session)

    assert supplied(TODAY + A_WEEK) == {}
    assert supplied(TODAY + A_WEEK, ZHAO) == DAYPARTS


def test_a_newcomer_offers_from_the_moment_of_approval(session, clock):
    person = session.get_one(Caregiver, DRAFT.id)
    verifications.submit_own(session, DRAFT)
    clock.move(days=3)
    decide_case(session, DRAFT)
    exports.refresh(session)

    assert person.status is CaregiverStatus.APPROVED
    assert supplied(TODAY, DRAFT)["evening"] == 8.0
    known = {row["caregiver"]: row for row in story.rows(Fact.CAREGIVERS)}
    assert known[name("caregiver", DRAFT.id)]["approved_at"] == clock.moment.replace(tzinfo=None)
