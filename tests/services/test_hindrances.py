"""What keeps many from a visit is what keeps each of them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services import availability, clock, hindrances
from services.availability import Taken
from tests.factories import MONDAY
from tests.services.test_availability import HERE, HOUR, RULES, at, plan


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
