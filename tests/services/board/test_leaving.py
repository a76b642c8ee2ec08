"""Signs that somebody may leave: each told from its threshold on, and not before."""

from dataclasses import replace

import pytest

from services.board import leaving
from services.board.leaving import Reason, Record, Sign, Stars
from services.board.leaving_limits import Limits
from services.board.workforce import PastWork

A_WEEKS_PAY = 40_000


def work(weeks, hours_a_week, pay_a_week=A_WEEKS_PAY):
    return PastWork(weeks * hours_a_week * 60, weeks * pay_a_week, weeks)


CONTENT = Record(
    lately=work(4, 20),
    before=work(8, 20),
    middle_pay_fen=A_WEEKS_PAY,
    asked=10,
    unwilling=0,
    stars_lately=Stars(5, 4.8),
    stars_before=Stars(9, 4.8),
    idle_days=1,
    open_hours=100,
    ways=12,
    way_minutes=15,
)
# What tells of a sign, and what does just not.
EDGES = {
    Sign.HOURS_FALLEN: ({"lately": work(4, 10)}, {"lately": work(4, 10.1)}),
    Sign.PAY_LOW: ({"lately": work(4, 20, 19_900)}, {"lately": work(4, 20, 20_000)}),
    Sign.SAYS_NO: ({"asked": 6, "unwilling": 3}, {"asked": 7, "unwilling": 3}),
    Sign.RATING_FALLS: (
        {"stars_before": Stars(9, 4.5), "stars_lately": Stars(3, 4.0)},
        {"stars_before": Stars(9, 4.5), "stars_lately": Stars(3, 4.1)},
    ),
    Sign.NO_VISIT: ({"idle_days": 21, "open_hours": 20}, {"idle_days": 20, "open_hours": 20}),
    Sign.LONG_WAYS: ({"way_minutes": 60}, {"way_minutes": 59.9}),
}


def signs(**changes):
    return [one.sign for one in leaving.reasons(replace(CONTENT, **changes), Limits())]


def test_who_is_content_shows_no_sign():
    assert signs() == []


@pytest.mark.parametrize("sign", Sign)
def test_each_sign_is_told_from_its_threshold_on(sign):
    told, not_yet = EDGES[sign]
    assert signs(**told) == [sign]
    assert signs(**not_yet) == []


@pytest.mark.parametrize(
    "too_little",
    [
        {"lately": work(1.9, 2, 0)},
        {"before": work(3.9, 20), "lately": work(4, 2, 0)},
        {"asked": 2, "unwilling": 2},
        {"stars_lately": Stars(2, 1.0)},
        {"idle_days": 60, "open_hours": 19},
        {"ways": 2, "way_minutes": 90},
    ],
)
def test_of_too_little_nothing_is_told(too_little):
    assert signs(**too_little) == []


def test_few_hours_are_not_halved():
    few = {"before": work(8, 3.9), "lately": work(4, 1)}
    assert signs(**few) == []


# By each number what a city may set, and a record that tells of the sign under the usual number
# and not under this one.
STRICTER = {
    "there_bp": (9_000, {"lately": work(3, 10)}),
    "fallen_bp": (4_000, {"lately": work(4, 10)}),
    "hours_before": (21, {"lately": work(4, 10)}),
    "pay_bp": (4_000, {"lately": work(4, 20, 19_900)}),
    "unwilling": (4, {"asked": 6, "unwilling": 3}),
    "unwilling_bp": (6_000, {"asked": 6, "unwilling": 3}),
    "stars_tenths": (7, {"stars_lately": Stars(3, 4.2)}),
    "reviews": (4, {"stars_lately": Stars(3, 4.2)}),
    "idle_days": (22, {"idle_days": 21}),
    "open_hours": (101, {"idle_days": 21}),
    "ways": (13, {"way_minutes": 60}),
    "way_minutes": (61, {"way_minutes": 60}),
}


@pytest.mark.parametrize("number", STRICTER)
def test_each_number_can_be_set(number):
    value, changes = STRICTER[number]
    record = replace(CONTENT, **changes)
    assert len(leaving.reasons(record, Limits())) == 1
    assert leaving.reasons(record, replace(Limits(), **{number: value})) == ()


def test_a_reason_comes_with_both_figures():
    [reason] = leaving.reasons(replace(CONTENT, lately=work(4, 8)), Limits())
    assert reason == Reason(Sign.HOURS_FALLEN, 8, 20)


def test_several_signs_are_all_told():
    assert signs(lately=work(4, 0, 0), asked=3, unwilling=3, idle_days=30) == [
        Sign.HOURS_FALLEN,
        Sign.PAY_LOW,
        Sign.SAYS_NO,
        Sign.NO_VISIT,
    ]
