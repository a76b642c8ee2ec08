"""Stand-ins: who could best make the visits a caregiver cannot, and all asked in one go."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus, Rate
from data.catalogue import CareItem
from data.orders import ASIDE, Order, Visit, VisitStatus
from services import (
    benches,
    calendars,
    certificates,
    gate,
    kept_apart,
    places,
    substitutes,
    to_do,
    track_records,
)
from services.access import Actor, Permission
from services.availability import Obstacle
from services.benches import Bench, Hit
from services.errors import Invalid, ServiceError
from services.to_do import ToDoKind
from services.track_records import Score

MOST_VISITS = 50
_DONE = VisitStatus.FINISHED, VisitStatus.REDEEMED


@dataclass(frozen=True, slots=True)
class Option:
    """Somebody who can make a visit; `known` is how often she was with its recipient before.

    One who said no to this visit, or did not answer, is proposed no more but may be chosen.
    """

    id: int
    name: str
    known: int
    distance: places.DistanceBand
    score: Score
    said_no: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A visit that its caregiver cannot make, and who could, best first.

    `obstacles` counts the others by what first stands in their way; `asked` is who was asked and
    has until `answer_until` to answer.
    """

    visit_id: int
    order_id: int
    item_id: int
    family_name: str
    starts_at: datetime
    ends_at: datetime
    options: tuple[Option, ...]
    proposed: Option | None
    obstacles: Mapping[Obstacle, int]
    asked: str = ""
    answer_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """The soonest visits a caregiver cannot make; `more` is how many further ones there are."""

    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Who could not be asked after all, for which visit, and why."""

    name: str
    starts_at: datetime
    refusal: ServiceError


@dataclass(frozen=True, slots=True)
class Outcome:
    asked: int
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Away:
    """A caregiver who cannot make visits for which nobody has come forward."""

    caregiver_id: int
    name: str
    visits: int


def away(session: Session, actor: Actor) -> list[Away]:
    """Who has visits, in a leave or unfilled, that still need somebody, the soonest first."""
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    rows = session.execute(
        select(Caregiver.id, Account.name, func.count(Visit.id))
        .join(Visit, Visit.caregiver_id == Caregiver.id)
        .join(Order, Order.id == Visit.order_id)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.city_code.in_(actor.cities), to_do.visit_waits(ToDoKind.LEAVES))
        .group_by(Caregiver.id, Account.name)
        .order_by(func.min(Visit.starts_at), Caregiver.id)
    )
    return [Away(*row) for row in rows]


def propose(session: Session, actor: Actor, caregiver_id: int) -> Proposal:
    """For each visit that a caregiver cannot make, who could, and the best of them.

    Nobody is proposed for two visits she cannot both make. However many visits and caregivers
    there are, the questions to the database are as many.
    """
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    sick = calendars.reach(session, actor, caregiver_id)
    found = _hits(session, sick.id)
    hits = found[:MOST_VISITS]
    if not hits:
        return Proposal((), 0)
    asked, said_no = _answers(session, hits)
    bench = _bench(session, sick, hits)
    known = _known(session, hits)
    able, obstacles = dict[int, list[int]](), dict[int, Counter[Obstacle]]()
    for hit in hits:
        met = {one: bench.unsuited(one, hit) or bench.busy(one, hit) for one in bench.people}
        able[hit.visit.id] = [one for one, what in met.items() if what is None]
        obstacles[hit.visit.id] = Counter(what for what in met.values() if what)
    for hit in hits:
        order = _order(bench, hit, known, _makes(hits, able, hit), said_no)
        able[hit.visit.id].sort(key=order)
    open_ones = [hit for hit in hits if hit.visit.id not in asked]
    willing = {
        hit.visit.id: [one for one in able[hit.visit.id] if (hit.visit.id, one) not in said_no]
        for hit in open_ones
    }
    chosen = benches.assign(open_ones, willing, bench)
    lines = []
    for hit in hits:
        options = tuple(
            Option(
                one,
                bench.people[one][1],
                known.get((one, hit.order.recipient_id), 0),
                places.band(bench.kilometres(one, hit)),
                track_records.score(bench.people[one][0]),
                (hit.visit.id, one) in said_no,
            )
            for one in able[hit.visit.id]
        )
        name, answer_until = asked.get(hit.visit.id, ("", None))
        lines.append(
            Line(
                hit.visit.id,
                hit.order.id,
                hit.item.id,
                hit.family_name,
                hit.visit.starts_at,
                hit.visit.ends_at,
                options,
                next((one for one in options if one.id == chosen.get(hit.visit.id)), None),
                obstacles[hit.visit.id],
                name,
                answer_until,
            )
        )
    return Proposal(tuple(lines), len(found) - len(hits))


def ask_all(session: Session, actor: Actor, wishes: Sequence[tuple[int, int]]) -> Outcome:
    """Ask somebody for each visit (numbers of visit and caregiver), each held through the gate.

    Whoever cannot be asked any more is named with the reason; the others are asked all the same.
    """
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    if not wishes:
        raise Invalid("error.nobody_to_ask")
    if len(wishes) > MOST_VISITS:
        raise Invalid("error.too_many_to_ask", most=MOST_VISITS)
    _hold(session, wishes)
    names, starts = _named(session, actor, wishes)
    refused = []
    for visit_id, caregiver_id in wishes:
        try:
            with session.begin_nested():
                substitutes.ask(session, actor, visit_id, caregiver_id)
        except ServiceError as refusal:
            if visit_id not in starts:
                raise
            name = names.get(caregiver_id, "")
            refused.append(Refused(name, starts[visit_id], refusal))
    return Outcome(len(wishes) - len(refused), tuple(refused))


def _hits(session: Session, caregiver_id: int) -> list[Hit]:
    rows = session.execute(
        select(Visit, Order, CareItem, Account.name)
        .join(Order, Order.id == Visit.order_id)
        .join(CareItem, CareItem.id == Order.item_id)
        .join(Account, Account.id == Order.customer_id)
        .where(Visit.caregiver_id == caregiver_id, to_do.visit_waits(ToDoKind.LEAVES))
        .order_by(Visit.starts_at, Visit.id)
    )
    return [Hit(*row) for row in rows]


def _answers(
    session: Session, hits: Sequence[Hit]
) -> tuple[dict[int, tuple[str, datetime | None]], set[tuple[int, int]]]:
    """Who is asked already for which visit and until when, and who said no to which."""
    rows = session.execute(
        select(
            Visit.replaces_id, Visit.caregiver_id, Visit.status, Visit.answer_until, Account.name
        )
        .join(Account, Account.id == Visit.caregiver_id)
        .where(Visit.replaces_id.in_([hit.visit.id for hit in hits]), Visit.status.in_(ASIDE))
    ).all()
    offered = VisitStatus.OFFERED
    asked = {row.replaces_id: (row.name, row.answer_until) for row in rows if row.status is offered}
    return asked, {(row.replaces_id, row.caregiver_id) for row in rows if row.status is not offered}


def _bench(session: Session, sick: Caregiver, hits: Sequence[Hit]) -> Bench:
    """Everybody else of the city; times are read of those only who suit some visit."""
    rows = session.execute(
        select(Caregiver, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(
            Caregiver.city_code == sick.city_code,
            Caregiver.status == CaregiverStatus.APPROVED,
            Caregiver.id != sick.id,
            Account.status == AccountStatus.ACTIVE,
        )
    )
    people = {one.id: (one, name) for one, name in rows}
    rates = session.execute(
        select(Rate.caregiver_id, Rate.item_id, Rate.price_fen).where(
            Rate.item_id.in_({hit.item.id for hit in hits}), Rate.caregiver_id.in_(people)
        )
    )
    prices = {(one, item_id): price_fen for one, item_id, price_fen in rates}
    # Nobody minds that it is at short notice.
    rules = replace(calendars.rules(session, sick.city_code), notice=timedelta())
    apart = kept_apart.pairs(session, sick.city_code, [hit.order.customer_id for hit in hits])
    held = certificates.held(session, list(people))
    bench = Bench(people, prices, held, {}, {}, rules, apart)
    suited = [one for one in people if not all(bench.unsuited(one, hit) for hit in hits)]
    first, last = hits[0].visit.starts_at, max(hit.visit.ends_at for hit in hits)
    week = calendars.A_WEEK
    return replace(
        bench,
        plans=calendars.around(session, suited, first, last),
        taken=gate.taken_by(session, suited, first - week, last + week),
    )


def _known(session: Session, hits: Sequence[Hit]) -> dict[tuple[int, int], int]:
    """How often each caregiver was with each of the recipients."""
    rows = session.execute(
        select(Visit.caregiver_id, Order.recipient_id, func.count())
        .join(Order, Order.id == Visit.order_id)
        .where(
            Order.recipient_id.in_({hit.order.recipient_id for hit in hits}),
            Visit.status.in_(_DONE),
        )
        .group_by(Visit.caregiver_id, Order.recipient_id)
    )
    return {(one, recipient_id): times for one, recipient_id, times in rows}


def _makes(hits: Sequence[Hit], able: Mapping[int, Iterable[int]], hit: Hit) -> Mapping[int, int]:
    """How many of the visits with this recipient each one could make."""
    return Counter(
        one
        for other in hits
        if other.order.recipient_id == hit.order.recipient_id
        for one in able[other.visit.id]
    )


def _order(
    bench: Bench,
    hit: Hit,
    known: Mapping[tuple[int, int], int],
    makes: Mapping[int, int],
    said_no: set[tuple[int, int]],
) -> Callable[[int], tuple[Any, ...]]:
    """Known faces first, then few faces, then near ones, then the well liked."""
    bands = list(places.DistanceBand)

    def order(one: int) -> tuple[Any, ...]:
        liked = track_records.score(bench.people[one][0]).overall or 0.0
        return (
            (hit.visit.id, one) in said_no,
            -min(known.get((one, hit.order.recipient_id), 0), 1),
            -makes[one],
            bands.index(places.band(bench.kilometres(one, hit))),
            -liked,
            one,
        )

    return order


def _hold(session: Session, wishes: Sequence[tuple[int, int]]) -> None:
    """Lock the orders, then the caregivers, by number: who asks for the same takes turns."""
    visits = select(Visit.order_id).where(Visit.id.in_([visit_id for visit_id, _ in wishes]))
    caregivers = Caregiver.id.in_([caregiver_id for _, caregiver_id in wishes])
    session.execute(
        select(Order.id).where(Order.id.in_(visits)).order_by(Order.id).with_for_update()
    ).all()
    session.execute(
        select(Caregiver.id)
        .where(caregivers)
        .order_by(Caregiver.id)
        .with_for_update(key_share=True)
    ).all()


def _named(
    session: Session, actor: Actor, wishes: Sequence[tuple[int, int]]
) -> tuple[dict[int, str], dict[int, datetime]]:
    """The names and the times that this actor may read, to say who could not be asked for when."""
    names = session.execute(
        select(Caregiver.id, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.id.in_([one for _, one in wishes]), Caregiver.city_code.in_(actor.cities))
    )
    starts = session.execute(
        select(Visit.id, Visit.starts_at)
        .join(Order, Order.id == Visit.order_id)
        .where(Visit.id.in_([one for one, _ in wishes]), Order.city_code.in_(actor.cities))
    )
    return {one: name for one, name in names}, {one: at for one, at in starts}  # noqa: C416
