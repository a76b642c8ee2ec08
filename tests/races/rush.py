"""Many threads that want the same thing at once, and how many double bookings come of it.

`python -m tests.races.rush ORDER_ID SEED` is one process of several; it prints how many visits it
got.
"""

import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import TypeVar

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from data import database as engines
from data.orders import GONE, Visit
from services import gate
from services.errors import Conflict, ServiceError
from tests.factories import LI, MONDAY, ZHAO, new_visit

THREADS = 32
WISHES = 8
Place = Callable[[int, int, datetime, datetime], object]
_Result = TypeVar("_Result")


def rush(work: Callable[[int], _Result], threads: int = THREADS) -> list[_Result | ServiceError]:
    """What each of the threads, all let go together, got or was refused with."""
    start = Barrier(threads)

    def run(number: int) -> _Result | ServiceError:
        start.wait()
        try:
            return work(number)
        except ServiceError as refusal:
            return refusal

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def place_through_the_gate(
    order_id: int, caregiver_id: int, starts_at: datetime, ends_at: datetime
) -> object:
    return engines.transact(
        lambda session: gate.place(session, order_id, caregiver_id, [new_visit(starts_at, ends_at)])
    )


def fill(place: Place, order_id: int, *, seed: int = 0, threads: int = THREADS) -> int:
    """Let the threads wish for visits in two caregivers' next three days; return how many got."""

    def wish(number: int) -> int:
        chance = random.Random(f"{seed} {number}")
        got = 0
        for _ in range(WISHES):
            starts_at = MONDAY + timedelta(minutes=30 * chance.randrange(2, 144))
            ends_at = starts_at + timedelta(hours=chance.randint(1, 6))
            try:
                place(order_id, chance.choice((LI.id, ZHAO.id)), starts_at, ends_at)
            except Conflict:
                continue
            got += 1
        return got

    return sum(got for got in rush(wish, threads) if isinstance(got, int))


def overlaps(session: Session) -> int:
    """How many pairs of visits are in one caregiver's time at once."""
    return session.scalar(_OVERLAPPING) or 0


_OTHER = aliased(Visit)
_OVERLAPPING = (
    select(func.count())
    .select_from(Visit)
    .join(
        _OTHER,
        and_(
            Visit.caregiver_id == _OTHER.caregiver_id,
            Visit.id < _OTHER.id,
            Visit.starts_at < _OTHER.ends_at,
            Visit.ends_at > _OTHER.starts_at,
            Visit.status.not_in(GONE),
            _OTHER.status.not_in(GONE),
        ),
    )
)


if __name__ == "__main__":
    print(fill(place_through_the_gate, int(sys.argv[1]), seed=int(sys.argv[2])))  # noqa: T201
