"""The check of the facts: totals of the live database against those of the files, one by one."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus, Role
from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.demands import Application, Demand
from data.footfalls import Footfall
from data.orders import Order, Visit
from data.reviews import Review
from data.unmet_needs import UnmetNeed
from services.analytics import lake
from services.analytics.facts import AGREED, Rows
from services.analytics.lake import Contents
from services.analytics.schemas import Fact

log = logging.getLogger("carepilot.analytics")
# What a total is of, word by word ("320600", "open"), and the total.
Totals = dict[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class Difference:
    """A total that is not the same in both: of which fact, of what, and both numbers."""

    fact: Fact
    what: str
    live: int
    told: int

    def __str__(self) -> str:
        return f"{self.fact} {self.what}: {self.live} live, {self.told} in the facts"


@dataclass(frozen=True, slots=True)
class _Sum:
    """One kind of total of a fact: what the live database is asked for, and what the files are.

    Both answer with what the total is of, column by column, and the number last.
    """

    fact: Fact
    what: str
    told: str
    live: tuple[Rows, ...]


_OF_DEMANDS = Demand.city_code, Demand.status
_OF_VISITS = Order.city_code, Visit.status
_made = select(*_OF_DEMANDS, func.count())
_hours = select(*_OF_DEMANDS, func.sum(Demand.units * CareItem.hours_per_unit))
_served = select(Demand.city_code, func.count()).join(Order, Order.demand_id == Demand.id)
_applied = select(Demand.city_code, func.count()).join(
    Application, Application.demand_id == Demand.id
)
_asked = select(Order.city_code, func.count()).where(Order.answer_until.is_not(None))
_shown = Review.hidden_at.is_(None)
_families = (
    select(Account.city_code, func.count())
    .join(AccountRole, AccountRole.account_id == Account.id)
    .where(AccountRole.role == Role.CUSTOMER, Account.status != AccountStatus.MERGED)
)


def _of_visits(number: Any) -> Rows:  # noqa: ANN401 - any expression
    visits = select(*_OF_VISITS, number).select_from(Visit)
    return visits.join(Order, Order.id == Visit.order_id).group_by(*_OF_VISITS)


def _of_reviews(number: Any) -> Rows:  # noqa: ANN401 - any expression
    reviews = select(Order.city_code, number).select_from(Review).where(_shown)
    return reviews.join(Order, Order.id == Review.order_id).group_by(Order.city_code)


_SUMS = (
    _Sum(Fact.NEEDS, "rows", "city, status, count(*)", (_made.group_by(*_OF_DEMANDS),)),
    _Sum(
        Fact.NEEDS,
        "hours",
        "city, status, sum(hours)",
        (_hours.join(CareItem, CareItem.id == Demand.item_id).group_by(*_OF_DEMANDS),),
    ),
    _Sum(
        Fact.NEEDS,
        "served",
        f"city, count(*) FILTER (order_status IN {tuple(map(str, AGREED))})",
        (_served.where(Order.status.in_(AGREED)).group_by(Demand.city_code),),
    ),
    _Sum(
        Fact.NEEDS,
        "applications",
        "city, sum(applications)",
        (_applied.group_by(Demand.city_code),),
    ),
    _Sum(Fact.VISITS, "rows", "city, status, count(*)", (_of_visits(func.count()),)),
    _Sum(
        Fact.VISITS,
        "total_fen",
        "city, status, sum(total_fen)",
        (_of_visits(func.sum(Visit.total_fen)),),
    ),
    _Sum(
        Fact.VISITS,
        "commission_fen",
        "city, status, sum(commission_fen)",
        (_of_visits(func.sum(Visit.commission_fen)),),
    ),
    _Sum(
        Fact.OFFERS,
        "rows",
        "city, count(*)",
        (_applied.group_by(Demand.city_code), _asked.group_by(Order.city_code)),
    ),
    _Sum(Fact.REVIEWS, "rows", "city, count(*)", (_of_reviews(func.count()),)),
    _Sum(Fact.REVIEWS, "weight", "city, sum(weight)", (_of_reviews(func.sum(Review.weight)),)),
    _Sum(
        Fact.REVIEWS,
        "overall",
        "city, sum(weight * overall)",
        (_of_reviews(func.sum(Review.weight * Review.overall)),),
    ),
    _Sum(
        Fact.UNMET,
        "rows",
        "city, source, count(*)",
        (
            select(UnmetNeed.city_code, UnmetNeed.source, func.count()).group_by(
                UnmetNeed.city_code, UnmetNeed.source
            ),
        ),
    ),
    _Sum(Fact.FAMILIES, "rows", "city, count(*)", (_families.group_by(Account.city_code),)),
    _Sum(
        Fact.CAREGIVERS,
        "rows",
        "city, status, count(*)",
        (
            select(Caregiver.city_code, Caregiver.status, func.count()).group_by(
                Caregiver.city_code, Caregiver.status
            ),
        ),
    ),
    _Sum(
        Fact.FOOTFALL,
        "opened",
        "city, sum(opened)",
        (select(Footfall.city_code, func.sum(Footfall.opened)).group_by(Footfall.city_code),),
    ),
)


def differences(session: Session) -> list[Difference]:
    """The totals that differ; none if the facts tell what this session sees.

    Meant for the session that has just exported everything: what others write meanwhile it does not
    see, and so it alarms nobody.
    """
    known = lake.contents()
    with duckdb.connect(config={"threads": 1}) as files:
        return [one for wanted in _SUMS for one in _differing(session, files, known, wanted)]


def note(session: Session) -> list[Difference]:
    """Look for differences, and keep what is found for the lamps and the log."""
    found = differences(session)
    for one in found:
        log.warning("facts differ: %s", one)
    with lake.alone():
        known = lake.contents()
        known.differing = [str(one) for one in found]
        lake.keep(known)
    return found


def _differing(
    session: Session, files: duckdb.DuckDBPyConnection, known: Contents, wanted: _Sum
) -> Iterable[Difference]:
    live = _totals(row for asked in wanted.live for row in session.execute(asked))
    paths = [str(lake.path(wanted.fact, month)) for month in known.months(wanted.fact)]
    query = f"SELECT {wanted.told} FROM read_parquet(?) GROUP BY ALL"
    told = _totals(files.execute(query, [paths]).fetchall()) if paths else {}
    for of in sorted(live.keys() | told.keys()):
        both = live.get(of, 0), told.get(of, 0)
        if both[0] != both[1]:
            yield Difference(wanted.fact, " ".join((wanted.what, *of)), *both)


def _totals(rows: Iterable[Any]) -> Totals:
    found: Counter[tuple[str, ...]] = Counter()
    for *of, number in rows:
        found[tuple(str(one) for one in of)] += int(number or 0)
    return found
