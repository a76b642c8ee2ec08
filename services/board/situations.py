"""Situations: the open work and the workforce of a city as one problem of dispatch."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

import data
from data.cities import City
from data.demands import Application, ApplicationStatus
from data.dispatch import DispatchOverride, OverrideKind
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.recipients import Mobility
from services import availability, clock, kept_apart, places, rule_book, rules
from services.board import open_work, roads, workforce
from services.board.open_work import Scope, Work
from services.dispatch import columns
from services.dispatch.problem import Demand, Point, Problem, Window
from services.dispatch.rules import blocking
from services.dispatch.travel import Travel
from services.dispatch.weights import Weights

_A_MINUTE = timedelta(minutes=1)
_SAID_NO = OrderStatus.REFUSED, OrderStatus.EXPIRED, OrderStatus.BLOCKED, OrderStatus.CANCELLED

Key = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Situation:
    """A problem, and whose its demands are: their numbers are the keys' places from 1 on."""

    problem: Problem
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Means:
    """How a problem is to be solved: by which ways and weights, with which fairness and chance."""

    travel: Travel
    weights: Weights
    window_days: int
    seed: int = 0


def read(session: Session, scope: Scope, means: Means) -> Situation:
    """What is to be dispatched in a scope now, with what operators laid down.

    A visit that could not be agreed anew with whoever is to make it stays hers as it is.
    """
    works = open_work.find(session, scope)
    found = of(session, scope, works, means)
    fixed = _fixed(found.problem, works)
    if not fixed:
        return found
    return of(session, scope, [one for one in works if one.visit_id not in fixed], means)


def alone(session: Session, city_code: str, works: Sequence[Work]) -> Problem:
    """One work or some as if there were no others, by the rule book of today."""
    city = session.scalars(select(City).where(City.code == city_code)).one()
    said = rules.now(session, city_code)
    means = Means(roads.of(city), rule_book.weights(said), said["dispatch_window_days"])
    day = clock.in_city(works[0].starts_at).date()
    return of(session, Scope(city_code, day, day), works, means, narrowly=True).problem


def kept_apart_from(
    session: Session, city_code: str, works: Sequence[Work]
) -> dict[int, frozenset[int]]:
    """By family of some works who is kept apart from it, or is of it."""
    families = {one.customer_id for one in works}
    found = {one: {one} for one in families}
    for customer_id, caregiver_id in kept_apart.pairs(session, city_code, list(families)):
        found[customer_id].add(caregiver_id)
    return {one: frozenset(apart) for one, apart in found.items()}


def of(
    session: Session,
    scope: Scope,
    works: Sequence[Work],
    means: Means,
    *,
    narrowly: bool = False,
) -> Situation:
    """These works, in their order, before the whole workforce of the city.

    Narrowly, the time of those is left out who could not come to any of them as they are.
    """
    city = session.scalars(select(City).where(City.code == scope.city_code)).one()
    span = (
        min((one.starts_at for one in works), default=scope.since) - availability.A_DAY,
        max((one.ends_at for one in works), default=scope.until) + availability.A_DAY,
    )
    refused, offers = _refused(session, city, works), _offers(session, works)
    faces = _faces(session, works)
    people = workforce.find(
        session,
        city.code,
        works,
        span,
        availability.pace(city),
        means.window_days,
        asked=_by_caregiver(works, offers),
        narrowly=narrowly,
    )
    number = {one.key: place for place, one in enumerate(works, 1)}
    pins, forbidden = _laid_down(session, number)
    problem = Problem(
        now=clock.now(),
        demands=tuple(
            _demand(place, one, refused[one.key], offers[one.key], faces[one.recipient_id])
            for place, one in enumerate(works, 1)
        ),
        caregivers=tuple(people),
        weights=means.weights,
        travel=means.travel,
        pins=pins,
        forbidden=frozenset(forbidden),
        before={
            place: one.before_id for place, one in enumerate(works, 1) if one.before_id is not None
        },
        seed=means.seed,
    )
    return Situation(problem, tuple(one.key for one in works))


def _demand(
    number: int,
    work: Work,
    refused: frozenset[int],
    offers: Mapping[int, int],
    faces: Mapping[int, int],
) -> Demand:
    spoken = work.language.strip().lower()
    return Demand(
        id=number,
        recipient_id=work.recipient_id,
        item_id=work.item_id,
        point=Point(*places.middle(work.cell)),
        district_code=work.district_code,
        windows=(Window(work.starts_at, work.ends_at),),
        minutes=(work.ends_at - work.starts_at) // _A_MINUTE,
        highest_fen=work.highest_fen,
        lowest_fen=work.lowest_fen,
        units=work.units,
        certificates=frozenset(work.required_certificates),
        skills=frozenset(work.skills),
        sex=work.wished_sex,
        language=workforce.DIALECT if spoken and spoken not in _spoken_everywhere() else "",
        conditions=frozenset({str(work.mobility)} - {str(Mobility.WALKS)}),
        refused=refused,
        visits_by=faces,
        offers=offers,
    )


@cache
def _spoken_everywhere() -> frozenset[str]:
    file = Path(data.__file__).parent / "reference" / "spoken.toml"
    return frozenset(tomllib.loads(file.read_text(encoding="utf-8"))["everywhere"])


def _fixed(problem: Problem, works: Sequence[Work]) -> set[int]:
    """The visits nobody has to be sought for that break a rule with whoever is to make them."""
    table = columns.of(problem)
    return {
        one.visit_id
        for place, one in enumerate(works, 1)
        if one.visit_id is not None
        and not one.sought
        and (
            (hers := table.row_of_caregiver.get(one.before_id or 0)) is None
            or blocking(table, table.row_of_demand[place], hers)
        )
    }


def _refused(
    session: Session, city: City, works: Sequence[Work]
) -> defaultdict[Key, frozenset[int]]:
    """Who is kept apart from a family, is of it, was turned down for it, or said no already."""
    apart = kept_apart_from(session, city.code, works)
    declined, said_no = _declined(session, works), _said_no(session, works)
    found = defaultdict[Key, frozenset[int]](frozenset)
    for one in works:
        own = apart[one.customer_id]
        if one.demand_id is not None:
            found[one.key] = own | declined[one.demand_id]
        elif one.visit_id is not None:
            found[one.key] = own | said_no[one.visit_id]
    return found


def _declined(session: Session, works: Sequence[Work]) -> defaultdict[int, set[int]]:
    """Of demands who applied in vain, or was asked for an order that came to nothing."""
    demand_ids = [one.demand_id for one in works if one.demand_id is not None]
    found = defaultdict[int, set[int]](set)
    for asked in (
        select(Application.demand_id, Application.caregiver_id).where(
            Application.demand_id.in_(demand_ids),
            Application.status == ApplicationStatus.DECLINED,
        ),
        select(Order.demand_id, Order.caregiver_id).where(
            Order.demand_id.in_(demand_ids), Order.status.in_(_SAID_NO)
        ),
    ):
        for demand_id, caregiver_id in session.execute(asked):
            found[demand_id].add(caregiver_id)
    return found


def _said_no(session: Session, works: Sequence[Work]) -> defaultdict[int, set[int]]:
    """Of visits who was asked to make them and did not say yes."""
    visit_ids = [one.visit_id for one in works if one.visit_id is not None]
    rows = session.execute(
        select(Visit.replaces_id, Visit.caregiver_id).where(
            Visit.replaces_id.in_(visit_ids), Visit.status == VisitStatus.DROPPED
        )
    )
    found = defaultdict[int, set[int]](set)
    for visit_id, caregiver_id in rows:
        found[visit_id or 0].add(caregiver_id)
    return found


def _offers(session: Session, works: Sequence[Work]) -> defaultdict[Key, dict[int, int]]:
    """What those ask (fen per unit) who applied; whoever is to make a visit agreed to its price."""
    found = defaultdict[Key, dict[int, int]](dict)
    for demand_id, caregiver_id, price_fen in session.execute(
        select(Application.demand_id, Application.caregiver_id, Application.price_fen).where(
            Application.demand_id.in_([one.demand_id for one in works if one.demand_id]),
            Application.status == ApplicationStatus.SUBMITTED,
        )
    ):
        found[demand_id, None][caregiver_id] = price_fen
    for one in works:
        if one.before_id is not None and not one.sought:
            found[one.key][one.before_id] = one.highest_fen
    return found


def _by_caregiver(
    works: Sequence[Work], offers: Mapping[Key, Mapping[int, int]]
) -> dict[int, dict[int, int]]:
    """By caregiver and item what those ask who offered themselves for some of it."""
    found = defaultdict[int, dict[int, int]](dict)
    for one in works:
        for caregiver_id, price_fen in offers.get(one.key, {}).items():
            found[caregiver_id][one.item_id] = price_fen
    return found


def _faces(session: Session, works: Sequence[Work]) -> defaultdict[int, dict[int, int]]:
    """How often each caregiver has been with each recipient."""
    rows = session.execute(
        select(Order.recipient_id, Visit.caregiver_id, func.count())
        .join(Visit, Visit.order_id == Order.id)
        .where(
            Order.recipient_id.in_({one.recipient_id for one in works}),
            Visit.status.in_(workforce.DONE),
        )
        .group_by(Order.recipient_id, Visit.caregiver_id)
    )
    found = defaultdict[int, dict[int, int]](dict)
    for recipient_id, caregiver_id, times in rows:
        found[recipient_id][caregiver_id] = times
    return found


def _laid_down(
    session: Session, number: Mapping[Key, int]
) -> tuple[dict[int, int], set[tuple[int, int]]]:
    """What operators laid down of these works: who must come, and who must not."""
    pins, forbidden = dict[int, int](), set[tuple[int, int]]()
    subjects = [[key[of] for key in number if key[of] is not None] for of in (0, 1)]
    standing = select(DispatchOverride).where(
        DispatchOverride.lifted_at.is_(None),
        or_(
            DispatchOverride.demand_id.in_(subjects[0]), DispatchOverride.visit_id.in_(subjects[1])
        ),
    )
    for one in session.scalars(standing):
        place = number[one.demand_id, one.visit_id]
        if one.kind is OverrideKind.PIN:
            pins[place] = one.caregiver_id
        else:
            forbidden.add((place, one.caregiver_id))
    return pins, forbidden
