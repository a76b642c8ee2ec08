"""What keeps many from a visit is what keeps each of them."""

from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from data.calendars import Closure, DayHours, Leave, LeaveReason
from data.caregivers import Caregiver
from data.cities import City
from data.orders import VisitStatus
from services import availability, calendars, clock, gate, hindrances
from services.availability import A_DAY, Obstacle, Taken
from tests.factories import LI, MONDAY, NANTONG, ZHAO, make_order, new_visit
from tests.services.test_availability import FAR, HERE, HOUR, RULES, at, plan

PEOPLE = LI.id or 0, ZHAO.id or 0
WHO, DAYS, STARTS = st.sampled_from(PEOPLE), st.integers(0, 9), st.integers(0, 9 * 24)
SPANS = st.tuples(STARTS, st.integers(1, 30))
SEEN = {
    Obstacle.CITY_CLOSED,
    Obstacle.OFF_HOURS,
    Obstacle.ON_LEAVE,
    Obstacle.BUSY,
    Obstacle.TRAVEL,
    Obstacle.REST,
    Obstacle.WEEK_FULL,
}


class TestMany:
    @given(
        people=st.lists(
            st.tuples(
                st.lists(
                    st.tuples(st.integers(0, 6), st.integers(0, 12), st.integers(13, 24)),
                    max_size=7,
                ),
                st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=1),
            ),
            max_size=6,
        ),
        start=st.integers(20, 160),
        hours=st.integers(1, 50),
    )
    def test_plans_looked_at_together_tell_what_each_tells_alone(self, people, start, hours):
        sought = Taken(at(0) + start * HOUR, at(0) + (start + hours) * HOUR, HERE)
        plans = {}
        for one, (stretches, away) in enumerate(people):
            leaves = tuple((at(0) + a * HOUR, at(0) + (a + long) * HOUR) for a, long in away)
            plans[one] = replace(plan(*stretches), leaves=leaves)
        with clock.at(MONDAY):
            together = hindrances.by_plan(plans, RULES, sought)
            alone = {one: availability.obstacle(plans[one], RULES, [], sought) for one in plans}
        assert together == alone


def fill(session, order_id, own_days, leaves, closures, visits):
    """A calendar of everything that can stand in the way of a visit in the coming days."""
    now = clock.now()
    for one, day, first, hours in own_days:
        minutes = (first * 60, (first + hours) * 60) if hours else (None, None)
        session.add(
            DayHours(
                created_at=now,
                caregiver_id=one,
                on_day=(at(0) + day * A_DAY).date(),
                starts_minute=minutes[0],
                ends_minute=minutes[1],
            )
        )
    for one, (start, hours), withdrawn in leaves:
        session.add(
            Leave(
                created_at=now,
                caregiver_id=one,
                taken_by_id=one,
                starts_at=at(0) + start * HOUR,
                ends_at=at(0) + (start + hours) * HOUR,
                reason=LeaveReason.FAMILY,
                withdrawn_at=now if withdrawn else None,
            )
        )
    for start, hours in closures:
        span = at(0) + start * HOUR, at(0) + (start + hours) * HOUR
        session.add(
            Closure(
                created_at=now, city_code=NANTONG, starts_at=span[0], ends_at=span[1], words="检修"
            )
        )
    session.flush()
    for one, (start, hours), cell, status in visits:
        placed = new_visit(at(0) + start * HOUR, at(0) + (start + hours) * HOUR, status=status)
        if gate.is_free(session, one, placed.starts_at, placed.ends_at):
            gate.place(session, order_id, one, [replace(placed, cell=cell)])


class TestTheDatabase:
    def test_it_tells_of_many_what_is_told_of_each_of_them_alone(self, session):
        order_id = make_order(session, starts_at=MONDAY + 20 * A_DAY)
        people = [session.get_one(Caregiver, one) for one in PEOPLE]
        met = Counter()

        @settings(
            max_examples=20,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(
            own_days=st.lists(
                st.tuples(WHO, DAYS, st.integers(0, 12), st.integers(0, 12)), max_size=4
            ),
            leaves=st.lists(st.tuples(WHO, SPANS, st.booleans()), max_size=3),
            closures=st.lists(SPANS, max_size=1),
            visits=st.lists(
                st.tuples(
                    WHO,
                    st.tuples(STARTS, st.integers(1, 8)),
                    st.sampled_from((HERE, FAR)),
                    st.sampled_from((VisitStatus.PLANNED, VisitStatus.CANCELLED)),
                ),
                max_size=8,
            ),
            week_hours=st.integers(4, 40),
            rest_hours=st.integers(0, 24),
            wanted=st.lists(
                st.tuples(
                    st.integers(12, 9 * 24),
                    st.one_of(st.integers(1, 6), st.integers(7, 50)),
                    st.sampled_from((0, 30)),
                ),
                min_size=6,
                max_size=6,
            ),
        )
        def tells(own_days, leaves, closures, visits, week_hours, rest_hours, wanted):
            with session.begin_nested() as world:
                session.execute(update(City).values(week_hours=week_hours, rest_hours=rest_hours))
                fill(session, order_id, own_days, leaves, closures, visits)
                rules = calendars.rules(session, NANTONG)
                soon_after = [
                    (start + long + gap, 2, 0) for _, (start, long), *_ in visits for gap in (0, 9)
                ]
                for start, hours, minutes in [*wanted, *soon_after]:
                    starts_at = at(0, minutes) + start * HOUR
                    sought = Taken(starts_at, starts_at + hours * HOUR, HERE)
                    many = hindrances.of(session, PEOPLE, sought, rules)
                    alone = {one.id: calendars.obstacle(session, one, sought) for one in people}
                    assert many == alone
                    met.update(many.values())
                world.rollback()

        tells()
        assert set(met) >= SEEN | {None}
