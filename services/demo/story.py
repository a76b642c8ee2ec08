"""The demo's weeks: demands, applications, visits, redemptions and reviews, each at its time."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem, Skill
from data.cities import Place
from data.demands import Application
from data.orders import Order, Visit
from services import (
    announcements,
    applications,
    clock,
    demands,
    hall,
    orders,
    redemption,
    reviews,
    visits,
)
from services.access import SYSTEM, Actor
from services.demo import people
from services.errors import ServiceError

PAST_DEMANDS = 70
COMING_DEMANDS = 26


@dataclass(frozen=True, slots=True)
class Family:
    actor: Actor
    recipient_ids: tuple[int, ...]
    district_code: str
    address: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything an episode draws from."""

    session: Session
    chance: random.Random
    families: list[Family]
    caregivers: list[Actor]
    operator: Actor
    items: list[CareItem]
    places: list[Place]


def tell(
    session: Session,
    chance: random.Random,
    families: list[Family],
    carers: list[Actor],
    operator: Actor,
) -> None:
    """Let the past weeks happen, then set the scene for the coming ones."""
    approved = set(
        session.scalars(select(Caregiver.id).where(Caregiver.status == CaregiverStatus.APPROVED))
    )
    stage = Stage(
        session=session,
        chance=chance,
        families=families,
        caregivers=[carer for carer in carers if carer.id in approved],
        operator=operator,
        items=list(session.scalars(select(CareItem).order_by(CareItem.id))),
        places=list(session.scalars(select(Place).order_by(Place.id))),
    )
    now = clock.now()
    for number in range(PAST_DEMANDS):
        _past_episode(stage, number, now)
    for number in range(COMING_DEMANDS):
        _coming_episode(stage, number, now)
    _running_visit(stage, now)
    with clock.at(now):
        demands.expire_due(session, SYSTEM)


def _past_episode(stage: Stage, number: int, now: datetime) -> None:
    """A demand of the past weeks, played to its end."""
    starts_at = _full_hour(stage.chance, now - timedelta(days=stage.chance.randint(1, 18)))
    family = stage.families[0] if number % 9 == 0 else stage.chance.choice(stage.families[1:])
    with clock.at(starts_at - timedelta(days=2)):
        demand_id = _post(stage, family, number, starts_at)
    if number % 17 == 11:
        return  # Nobody applied: it expires.
    with clock.at(starts_at - timedelta(days=1, hours=12)):
        offers = _apply(stage, demand_id, favourite=number % 6 == 0)
    if number % 23 == 5 or not offers:
        with clock.at(starts_at - timedelta(days=1, hours=6)):
            demands.withdraw(stage.session, family.actor, demand_id)
        return
    with clock.at(starts_at - timedelta(days=1)):
        visit = _approve(stage, offers)
    if visit is None:
        return
    if number % 13 == 7:
        with clock.at(starts_at - timedelta(hours=20)):
            orders.cancel(stage.session, family.actor, visit.order_id)
        return
    _live_visit(stage, family, visit, number, now)


def _live_visit(stage: Stage, family: Family, visit: Visit, number: int, now: datetime) -> None:
    caregiver = next(c for c in stage.caregivers if c.id == visit.caregiver_id)
    item_id = stage.session.get_one(Order, visit.order_id).item_id
    group = next(item.group for item in stage.items if item.id == item_id)
    with clock.at(visit.starts_at - timedelta(minutes=stage.chance.randint(2, 12))):
        visits.check_in(stage.session, caregiver, visit.id)
    if visit.ends_at >= now:
        return
    with clock.at(visit.ends_at + timedelta(minutes=stage.chance.randint(1, 15))):
        said = stage.chance.choice(people.REPORTS[group])
        visits.check_out(stage.session, caregiver, visit.id, (0, 1, 2), said)
    stage.session.flush()
    if number % 8 == 3:
        return  # Still waits for its code.
    redeemed_at = min(visit.ends_at + timedelta(hours=stage.chance.randint(1, 8)), now)
    with clock.at(redeemed_at):
        code = redemption.derive(visit.id, visit.code_issue)
        redemption.redeem(stage.session, family.actor, visit.id, code)
    if number % 3 == 0:
        return  # Not every family writes a review.
    with clock.at(min(redeemed_at + timedelta(hours=3), now)):
        overall, praise = stage.chance.choice(people.PRAISES[group])
        marks = [max(1, min(5, overall + stage.chance.choice((-1, 0, 0)))) for _ in range(3)]
        reviews.write(
            stage.session,
            family.actor,
            visit.id,
            reviews.ReviewForm(marks[0], marks[1], marks[2], overall, praise),
        )


def _coming_episode(stage: Stage, number: int, now: datetime) -> None:
    """A demand of the coming days: some covered, some applied for, some still open."""
    starts_at = _full_hour(stage.chance, now + timedelta(days=1 + number % 10))
    family = stage.families[0] if number % 6 == 0 else stage.chance.choice(stage.families[1:])
    with clock.at(now - timedelta(hours=stage.chance.randint(3, 20))):
        demand_id = _post(stage, family, number, starts_at)
    if number % 4 == 3:
        return
    with clock.at(now - timedelta(hours=2)):
        offers = _apply(stage, demand_id, favourite=number % 2 == 0)
    if number % 2 == 0 and offers:
        with clock.at(now - timedelta(minutes=50)):
            _approve(stage, offers)
    elif number == 1:
        applications.decline(stage.session, stage.operator, offers[0])
    elif number == 5:
        withdrawing = stage.session.get_one(Application, offers[0]).caregiver_id
        caregiver = next(c for c in stage.caregivers if c.id == withdrawing)
        applications.withdraw(stage.session, caregiver, demand_id)


def _running_visit(stage: Stage, now: datetime) -> None:
    """A visit that is going on at this moment."""
    starts_at = clock.in_city(now).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    companionship = next(n for n, item in enumerate(stage.items) if item.code == "companionship")
    family = stage.families[3]
    with clock.at(starts_at - timedelta(days=1)):
        demand_id = _post(stage, family, 0, starts_at, item=stage.items[companionship])
        visit = _approve(stage, _apply(stage, demand_id, favourite=False))
    if visit is not None:
        _live_visit(stage, family, visit, 0, now)


def _post(
    stage: Stage, family: Family, number: int, starts_at: datetime, item: CareItem | None = None
) -> int:
    item = item or stage.items[(number * 5 + stage.chance.randint(0, 2)) % len(stage.items)]
    place = None
    if item.code in ("hospital_companion", "ward_care_day", "ward_care_round"):
        place = stage.chance.choice([p for p in stage.places if p.kind == "hospital"])
    span = item.highest_fen - item.lowest_fen
    lowest = item.lowest_fen + span // 10 // 100 * 100
    highest = item.lowest_fen + span * 8 // 10 // 100 * 100
    return demands.post(
        stage.session,
        family.actor,
        demands.DemandForm(
            recipient_id=stage.chance.choice(family.recipient_ids),
            item_id=item.id,
            city_code="320600",
            district_code=place.district_code if place else family.district_code,
            address=f"{place.name_zh}住院部" if place else family.address,
            starts_at=starts_at,
            units=stage.chance.randint(
                item.fewest_units, max(item.fewest_units, min(item.most_units, 4))
            ),
            lowest_fen=lowest,
            highest_fen=highest,
            place_id=place.id if place else None,
            skills=tuple(stage.chance.sample(list(Skill), k=stage.chance.randint(0, 2))),
            words=stage.chance.choice(people.WISHES[item.group]),
        ),
        request_key=f"demo-{starts_at:%y%m%d%H}-{number}-{int(starts_at > clock.now())}",
    )


def _apply(stage: Stage, demand_id: int, *, favourite: bool) -> list[int]:
    """One to three caregivers offer themselves, if they can."""
    offers = []
    order = stage.chance.sample(stage.caregivers, k=len(stage.caregivers))
    if favourite:
        order = [stage.caregivers[0], *[c for c in order if c is not stage.caregivers[0]]]
    wanted = stage.chance.randint(1, 3)
    held = announcements.certificates_held(stage.session, "320600")
    for caregiver in order:
        if len(offers) == wanted:
            break
        open_tasks = hall.tasks(stage.session, caregiver, hall.HallFilter(within_km=60))
        task = next((t for t in open_tasks if t.id == demand_id), None)
        if task is None or task.missing_certificates or task.clashes or not held:
            continue
        price = stage.chance.randrange(task.lowest_fen, task.highest_fen + 1, 100)
        said = stage.chance.choice(people.OFFERS)
        offers.append(applications.apply(stage.session, caregiver, demand_id, price, said))
    return offers


def _approve(stage: Stage, offers: list[int]) -> Visit | None:
    for application_id in offers:
        try:
            order_id = applications.approve(stage.session, stage.operator, application_id)
        except ServiceError:
            continue  # Taken meanwhile by another order of the story.
        order = stage.session.get_one(Order, order_id)
        return stage.session.scalars(select(Visit).where(Visit.order_id == order.id)).one()
    return None


def _full_hour(chance: random.Random, day: datetime) -> datetime:
    hour = chance.choices((8, 9, 10, 13, 14, 15, 16), weights=(5, 6, 3, 3, 4, 2, 1))[0]
    return clock.in_city(day).replace(hour=hour, minute=0, second=0, microsecond=0)
