"""A story with something of everything the facts tell, and what the files say of it."""

from datetime import timedelta
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from data.unmet_needs import NeedSource, Obstacle
from services import (
    applications,
    bookings,
    callers,
    clock,
    demands,
    footfalls,
    idle_demands,
    leaves,
    plan_requests,
    plans,
    recurrence,
    reviews,
    unmet_needs,
)
from services.analytics import lake
from services.analytics.schemas import Fact
from services.courses import Course
from services.demands import Terms
from services.plan_requests import PlanForm
from services.reviews import ReviewForm
from services.search import Wanted
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    LI,
    LUZHOU,
    MOTHER_ID,
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    TONGZHOU,
    ZHAO,
    ZHOU,
    cancel_order,
    make_application,
    make_booking,
    make_demand,
    make_order,
    make_redeemed_visit,
)

WARD_CARE_ROUND = 3  # By the day and night.
CALLER, CALLERS_PHONE = "吴来电", "13511112222"


def rows(fact: Fact) -> list[dict[str, Any]]:
    """Everything the files tell of a fact, file by file, row by row."""
    known = lake.contents()
    assert lake.broken(known) == []
    return [
        row
        for month in known.months(fact)
        for row in pq.ParquetFile(lake.path(fact, month)).read().to_pylist()
    ]


def live(session: Session) -> None:
    """Let people want, offer, agree, come, pay, complain and go, around the turn of a year."""
    now = clock.now()

    def at(days: int, hour: int = 9):
        return now.replace(hour=hour) + timedelta(days=days)

    visit_id = make_redeemed_visit(session, starts_at=at(-9))
    reviews.write(session, ZHOU, visit_id, ReviewForm(5, 4, 3, 5, "李阿姨照顾周奶奶很用心"))
    visit_id = make_redeemed_visit(session, customer=STRANGER, starts_at=at(-5))
    reviews.write(session, STRANGER, visit_id, ReviewForm(1, 1, 2, 1, "来晚了"))
    session.flush()
    hidden = reviews.of_caregiver(session, OPERATOR, LI.id)[0]
    reviews.hide(session, OPERATOR, hidden.id, "言语不当")
    cancel_order(session, ZHOU, make_order(session, starts_at=at(3)))
    make_order(session, caregiver=ZHAO, starts_at=at(4), district_code=TONGZHOU)
    answered = make_demand(session, starts_at=at(30), item_id=COMPANIONSHIP, customer=STRANGER)
    declined = make_application(session, answered, price_fen=4500)
    make_application(session, answered, caregiver=ZHAO, price_fen=5000)
    applications.decline(session, OPERATOR, declined)
    withdrawn = make_demand(session, starts_at=at(6))
    make_application(session, withdrawn)
    demands.withdraw(session, ZHOU, withdrawn)
    make_demand(session, item_id=WARD_CARE_ROUND, lowest_fen=24_001, highest_fen=30_012)
    improved = make_demand(session, starts_at=at(20))
    terms = Terms(at(40), 3, 3500, 6000)
    idle_demands.improve(session, ZHOU, improved, terms)
    for days, answer in ((10, "accept"), (12, "refuse"), (14, "")):
        order_id = make_booking(session, starts_at=at(days))
        if answer:
            getattr(bookings, answer)(session, LI, order_id)
    bookings.call_off(session, ZHOU, make_booking(session, starts_at=at(16)))
    _plan(session)
    wanted = Wanted(COMPANIONSHIP, NANTONG, CHONGCHUAN, "", 2, starts_at=at(1))
    unmet_needs.record(session, NeedSource.SEARCH, wanted, Obstacle.BUSY)
    unmet_needs.record(session, NeedSource.CALL, wanted, None)
    for city_code in (NANTONG, LUZHOU, NANTONG):
        footfalls.note(session, city_code)
    callers.register(session, DESK, CALLER, CALLERS_PHONE, NANTONG)
    leaves.take(session, ZHAO, ZHAO.id, at(1, 12), at(1, 18), leaves.LeaveReason.ILLNESS, [])
    session.flush()


def _plan(session: Session) -> None:
    """A plan of workdays' evenings, agreed by the one and handed over to the other."""
    first = clock.today() + timedelta(days=21)
    course = Course(
        recurrence.weekly(range(5), 1, first), 17 * 60, 2, PRICE_FEN, first,
        first + timedelta(days=13),
    )  # fmt: skip
    form = PlanForm(
        caregiver_id=LI.id,
        recipient_id=MOTHER_ID,
        item_id=COMPANIONSHIP,
        district_code=CHONGCHUAN,
        address="濠河花园 3 幢 502 室",
        course=course,
    )
    order_id = plan_requests.request(session, ZHOU, form, "plan")
    bookings.accept(session, LI, order_id)
    session.flush()
    second = first + timedelta(days=7)
    later = Course(
        recurrence.weekly(range(5), 1, second), 17 * 60, 2, PRICE_FEN, second,
        first + timedelta(days=13),
    )  # fmt: skip
    plans.swap(session, OPERATOR, order_id, ZHAO.id, later)
