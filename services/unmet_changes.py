"""Changes an operator can make, and how many of a month's unmet needs each alone would have met."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.catalogue import CareItem
from data.demands import Demand, DemandStatus
from data.unmet_needs import NeedSource, UnmetNeed
from services import clock, places, search, unmet_needs
from services.access import Actor, Permission
from services.analytics import terms
from services.analytics.terms import Daypart
from services.availability import A_DAY, Obstacle, Span
from services.search import Wanted

# Asking again takes the time of a search each: the newest are, the others are counted.
MOST_TRIED = 30
MOST_SHOWN = 8


class ChangeKind(StrEnum):
    """Have one's own trained, let them go further, pay more, work at other times, or recruit."""

    CERTIFY = "certify"
    REACH = "reach"
    PRICE = "price"
    SHIFTS = "shifts"
    NOTICE = "notice"
    HORIZON = "horizon"
    RECRUIT = "recruit"


# What is in no line here takes one more caregiver; a closed city is no matter of hers.
_REMEDIES = {
    Obstacle.CERTIFICATE: ChangeKind.CERTIFY,
    Obstacle.TOO_FAR: ChangeKind.REACH,
    Obstacle.PRICE: ChangeKind.PRICE,
    Obstacle.OFF_HOURS: ChangeKind.SHIFTS,
    Obstacle.TOO_SOON: ChangeKind.NOTICE,
    Obstacle.TOO_FAR_AHEAD: ChangeKind.HORIZON,
}
_NO_MATTER = None, Obstacle.CITY_CLOSED
_LIFTED = {kind: obstacle for obstacle, kind in _REMEDIES.items()}


class Subject(NamedTuple):
    """What is changed: a kind of change, where (a district or a city), and of which care."""

    kind: ChangeKind
    place_code: str
    certificates: tuple[str, ...] = ()
    daypart: Daypart | None = None
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change, how many needs it is about, and how many it alone would have met.

    `amount`: the fen a unit more, the hours of notice, or the days ahead that it takes. `exact`:
    each need was asked for again just as it was; else it is the most there can be. `people` is how
    many caregivers it takes to meet all of them.
    """

    subject: Subject
    needs: int
    met: int
    people: int
    amount: int | None
    exact: bool


class _Need(NamedTuple):
    """An unmet need as it can be asked again; `exact`: a demand tells all that was asked."""

    wanted: Wanted
    customer_id: int
    asked_at: datetime
    hours: int
    obstacle: Obstacle
    certificates: tuple[str, ...]
    exact: bool


class _Met(NamedTuple):
    """A need that a change would have met, what it takes, and whether that is sure."""

    need: _Need
    amount: int | None
    exact: bool


def best(session: Session, actor: Actor, item_id: int | None = None) -> tuple[Change, ...]:
    """The changes that would have met most of the last 30 days' needs, best first.

    The newest are asked for again with today's caregivers, what stands in the way taken away.
    """
    actor.require(Permission.READ_UNMET_NEEDS)
    found = defaultdict[Subject, list[_Met]](list)
    tried = 0
    for need in _needs(session, actor, item_id):
        kind, amount, exact = _REMEDIES.get(need.obstacle), None, False
        if kind is not None and tried < MOST_TRIED:
            tried += 1
            with clock.at(need.asked_at):
                can_come, obstacle = search.first_obstacle(session, need.wanted, need.customer_id)
                if can_come:
                    continue  # Somebody came since.
                kind, amount = _tried(session, need, obstacle)
            exact = need.exact
        subject = _subject(kind or ChangeKind.RECRUIT, need)
        found[subject].append(_Met(need, amount, exact))
    changes = [_change(subject, met) for subject, met in found.items()]
    changes.sort(key=lambda one: (-one.met, not one.exact, -one.needs, one.subject.place_code))
    return tuple(changes[:MOST_SHOWN])


def _tried(
    session: Session, need: _Need, obstacle: Obstacle | None
) -> tuple[ChangeKind | None, int | None]:
    """The change that lets somebody come who is there already, and what it takes."""
    kind = _REMEDIES.get(obstacle) if obstacle else None
    if kind is None:
        return None, None
    price_fen = search.least_price_without(session, need.wanted, need.customer_id, _LIFTED[kind])
    if price_fen is None:
        return None, None
    starts_at, most_fen = need.wanted.starts_at, need.wanted.most_fen
    if kind is ChangeKind.PRICE and most_fen is not None:
        return kind, price_fen - most_fen
    if kind is ChangeKind.NOTICE and starts_at is not None:
        return kind, max((starts_at - need.asked_at) // timedelta(hours=1), 0)
    if kind is ChangeKind.HORIZON and starts_at is not None:
        return kind, -((need.asked_at - starts_at) // A_DAY)
    return kind, None


def _subject(kind: ChangeKind, need: _Need) -> Subject:
    wanted, starts_at = need.wanted, need.wanted.starts_at
    daypart = terms.daypart(clock.in_city(starts_at).hour) if starts_at else None
    match kind:
        case ChangeKind.CERTIFY | ChangeKind.RECRUIT:
            return Subject(kind, wanted.district_code, need.certificates, daypart)
        case ChangeKind.SHIFTS:
            return Subject(kind, wanted.district_code, daypart=daypart)
        case ChangeKind.REACH:
            return Subject(kind, wanted.district_code)
        case ChangeKind.PRICE:
            return Subject(kind, wanted.city_code, item_id=wanted.item_id)
        case ChangeKind.NOTICE | ChangeKind.HORIZON:
            return Subject(kind, wanted.city_code)


def _change(subject: Subject, met: Sequence[_Met]) -> Change:
    """Whoever is recruited is in one place at a time; what is changed otherwise holds for all."""
    kind, amounts = subject.kind, [one.amount for one in met if one.amount is not None]
    alone, people = len(met), 0
    if kind is ChangeKind.RECRUIT:
        alone, people = _by_one([one.need for one in met])
    smallest = kind is ChangeKind.NOTICE
    amount = (min(amounts) if smallest else max(amounts)) if amounts else None
    exact = kind is not ChangeKind.RECRUIT and all(one.exact for one in met)
    return Change(subject, len(met), alone, people, amount, exact)


def _by_one(needs: Sequence[_Need]) -> tuple[int, int]:
    """How many of them one caregiver could meet, and how many it takes for all.

    Whoever ends first goes first: no other order lets one person do more.
    """
    spans = sorted(_spans(needs), key=lambda span: span[1])
    whenever = len(needs) - len(spans)
    alone, free_at = 0, None
    for begins, ends in spans:
        if free_at is None or begins >= free_at:
            alone, free_at = alone + 1, ends
    together = max((sum(b <= begins < e for b, e in spans) for begins, _ in spans), default=0)
    return alone + whenever, max(together, 1)


def _spans(needs: Sequence[_Need]) -> Iterator[Span]:
    for one in needs:
        if one.wanted.starts_at is not None:
            yield one.wanted.starts_at, one.wanted.starts_at + timedelta(hours=one.hours)


def _needs(session: Session, actor: Actor, item_id: int | None) -> Iterator[_Need]:
    """The needs of the month in whose way something stood, newest first."""
    rows = session.scalars(
        unmet_needs.of_cities(actor, item_id).order_by(*unmet_needs.NEWEST_FIRST)
    ).all()
    items = {item.id: item for item in session.scalars(select(CareItem))}
    demands = _demands(session, actor, rows)
    for row in rows:
        if row.obstacle in _NO_MATTER:
            continue
        item = items[row.item_id]
        told = demands[_key(row)] if row.source is NeedSource.DEMAND else []
        demand = told.pop() if told else None
        yield _Need(
            wanted=Wanted(
                item_id=item.id,
                city_code=row.city_code,
                district_code=row.district_code,
                cell=demand.cell if demand else places.cell_of_district(row.district_code),
                units=demand.units if demand else item.fewest_units,
                starts_at=row.wanted_at,
                most_fen=demand.highest_fen if demand else None,
            ),
            customer_id=demand.customer_id if demand else 0,
            asked_at=demand.created_at if demand else row.created_at,
            hours=(demand.units if demand else item.fewest_units) * item.hours_per_unit,
            obstacle=row.obstacle,
            certificates=tuple(sorted(item.required_certificates)),
            exact=demand is not None,
        )


_Key = tuple[str, int, datetime | None]


def _demands(
    session: Session, actor: Actor, rows: Sequence[UnmetNeed]
) -> defaultdict[_Key, list[Demand]]:
    """The demands that came to nothing, by what an unmet need keeps of them."""
    times = [row.wanted_at for row in rows if row.wanted_at is not None]
    found = defaultdict[_Key, list[Demand]](list)
    if not times:
        return found
    for one in session.scalars(
        select(Demand).where(
            Demand.city_code.in_(actor.cities),
            Demand.status == DemandStatus.EXPIRED,
            Demand.starts_at.between(min(times), max(times)),
        )
    ):
        found[one.district_code, one.item_id, one.starts_at].append(one)
    return found


def _key(row: UnmetNeed) -> _Key:
    return row.district_code, row.item_id, row.wanted_at
