"""The demo's weeks: every wish lives until now, each deed at its moment and through the services.

An episode is a generator: it yields the moment of its next deed. `play` lets all of them go on in
the order of time, and stops at the present; so what lies ahead is planned, not done.
"""

import logging
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.orders import EndReason, Order, Party, Visit
from services import (
    applications,
    bookings,
    calls,
    changes,
    clock,
    complaints,
    demands,
    incidents,
    orders,
    redemption,
    reviews,
    visits,
)
from services.access import SYSTEM, Actor, Channel
from services.bookings import BookingForm
from services.complaints import ComplaintCategory
from services.demands import DemandForm
from services.demo import words
from services.demo.cast import Carer
from services.demo.nantong import CITY, DISTRICTS
from services.demo.plan import Wish
from services.demo.progress import Progress
from services.errors import ServiceError
from services.incidents import IncidentKind
from services.reviews import ReviewForm

LOGGER = logging.getLogger("carepilot.demo")
Episode = Iterator[datetime]
DIRECT_FATES = {"refused", "ignored", "called_off", "blocked"}
SHORT_OF_CARERS = {one.code for one in DISTRICTS if one.families > one.caregivers * 1.5}
UNITS_OF_PRICE_FEN = 500


@dataclass(slots=True)
class World:
    """Everything an episode draws from."""

    session: Session
    chance: random.Random
    now: datetime
    operator: Actor
    carers: list[Carer]
    may_stay_unredeemed: int
    forgotten: int = 0
    said_of: dict[int, set[str]] = field(default_factory=dict)

    def later(self, least_minutes: float, most_minutes: float) -> datetime:
        """Some minutes from the clock's time, but never after the present."""
        minutes = self.chance.uniform(least_minutes, most_minutes)
        latest = max(clock.now(), self.now - timedelta(minutes=1))
        return min(clock.now() + timedelta(minutes=minutes), latest)

    def who_can(self, wish: Wish, *, but: Carer | None = None) -> list[Carer]:
        """The caregivers a search would find, likelier ones more often first."""
        able = [c for c in self.carers if c is not but and c.can(wish.item, wish.cell, wish.span)]
        home = wish.family.home.district_code

        def rank(carer: Carer) -> float:
            near = 1.6 if carer.district_code == home else 1.0
            return -self.chance.random() * carer.skilled * near

        return sorted(able, key=rank)


def play(world: World, episodes: Iterable[tuple[datetime, Episode]], progress: Progress) -> None:
    """Let every episode go on, deed by deed in the order of time, until now."""
    queue = [(at, number, episode) for number, (at, episode) in enumerate(episodes)]
    heapify(queue)
    start = queue[0][0]
    while queue:
        at, number, episode = heappop(queue)
        if at > world.now:
            break
        following = None
        with clock.at(at):
            try:
                with world.session.begin_nested():
                    following = next(episode, None)
            except ServiceError as refused:
                # Better one story less than no demo; tests see to it that none is missing.
                LOGGER.warning("an episode of the demo was refused: %s", refused.key)
        if following is not None:
            heappush(queue, (max(following, at), number, episode))
        progress(int((at - start).total_seconds()), int((world.now - start).total_seconds()) + 1)


def episode(world: World, wish: Wish) -> Episode:
    """A wish from its first moment on: asked of one caregiver or of all, then lived."""
    asked = wish.carer or _whom_to_ask(world, wish)
    if asked is None:
        demand_id = post(world, wish)
    else:
        order_id = request(world, wish, asked)
        demand_id = world.session.get_one(Order, order_id).demand_id
        if (yield from _answer(world, wish, asked, order_id)):
            yield from live(world, wish, order_id, asked)
            return
    agreed = yield from _in_the_hall(world, wish, demand_id, but=asked)
    if agreed and wish.fate == "turned_down":
        yield world.later(15, 80)
        orders.decline(world.session, wish.family.actor, agreed[0])
        agreed[1].taken.remove(wish.taken)
        agreed = yield from _in_the_hall(world, wish, demand_id, but=agreed[1])
    if agreed:
        yield from live(world, wish, *agreed)


def _whom_to_ask(world: World, wish: Wish) -> Carer | None:
    """The caregiver the family knows, or one they found; None: they post a demand."""
    favourite, direct = wish.family.favourite, wish.fate in DIRECT_FATES
    if favourite and favourite.can(wish.item, wish.cell, wish.span):
        if direct or world.chance.random() < 0.85:
            return favourite
    elif direct or world.chance.random() < 0.3:
        return next(iter(world.who_can(wish)), None)
    return None


def _answer(world: World, wish: Wish, carer: Carer, order_id: int) -> Iterator[datetime]:
    """Whether the request ends in an order; if not, its demand may be open to everybody."""
    session, chance, fate = world.session, world.chance, wish.fate
    if fate == "well" and wish.carer is None and wish.family.home.district_code in SHORT_OF_CARERS:
        fate = chance.choices(("well", "refused", "ignored"), (5, 3, 1))[0]
    if fate == "ignored":
        until = session.get_one(Order, order_id).answer_until
        yield (until or clock.now()) + timedelta(seconds=30)
        bookings.expire_due(session, SYSTEM)
    else:
        yield clock.now() + timedelta(minutes=chance.uniform(4, 70))
        match fate:
            case "refused":
                bookings.refuse(session, carer.actor, order_id)
            case "called_off":
                bookings.call_off(session, wish.family.actor, order_id)
            case "blocked":
                because = chance.choice(words.STOPPED)
                bookings.block(session, world.operator, order_id, because)
            case _:
                bookings.accept(session, carer.actor, order_id)
                return True
    carer.taken.remove(wish.taken)
    return False


def _in_the_hall(
    world: World, wish: Wish, demand_id: int, *, but: Carer | None = None
) -> Iterator[datetime]:
    """Who offers themselves, and whom the operator chooses, if the demand is open."""
    session = world.session
    demand = session.get_one(Demand, demand_id)
    if demand.status is not DemandStatus.OPEN:
        return None
    if wish.fate == "withdrawn":
        yield world.later(60, 400)
        demands.withdraw(session, wish.family.actor, demand_id)
        return None
    offers: list[tuple[Carer, int]] = []
    for carer in [] if wish.fate == "nobody" else _willing(world, wish, demand, but):
        yield world.later(8, 140)
        if carer.is_free(wish.span) and clock.now() < wish.starts_at:
            offers.append((carer, offer(world, wish, demand_id, carer)))
    if offers:
        yield world.later(15, 150)
    if wish.fate == "applicant_declined" and offers:
        applications.decline(session, world.operator, offers.pop()[1])
    if wish.fate == "applicant_withdrew" and offers:
        applications.withdraw(session, offers.pop()[0].actor, demand_id)
    for carer, application_id in offers:
        if carer.is_free(wish.span) and clock.now() < wish.starts_at:
            return approve(world, wish, application_id, carer), carer
    return (yield from _unanswered(world, wish, demand_id))


def _unanswered(world: World, wish: Wish, demand_id: int) -> Iterator[datetime]:
    """Nobody comes: the demand expires, or the family helps itself before."""
    if wish.starts_at > world.now:
        yield world.later(60, 600)
        demands.withdraw(world.session, wish.family.actor, demand_id)
        return
    yield wish.starts_at + timedelta(seconds=30)
    demands.expire_due(world.session, SYSTEM)


def _fall_through(world: World, wish: Wish, order_id: int) -> None:
    """A visit the family calls off, or nobody comes to."""
    session = world.session
    visit_id = session.scalars(select(Visit.id).where(Visit.order_id == order_id)).one()
    if wish.fate == "no_show":
        party = world.chance.choice((Party.CUSTOMER, Party.CAREGIVER))
        changes.miss(session, world.operator, visit_id, party, words.NO_SHOW)
        return
    family = wish.family.actor
    fee_fen = changes.quote(session, family, visit_id).fee_fen
    changes.cancel_visit(session, family, visit_id, EndReason.PLANS_CHANGED, "", fee_fen)


def _redeem(world: World, wish: Wish, visit_id: int, code: str) -> None:
    """By the family itself, or by the desk that called it back."""
    actor = wish.family.actor
    if actor.channel is Channel.PHONE:
        said = words.CALLED_BACK
        calls.redeem(world.session, actor, visit_id, code, words.FAMILY_MEMBER, said)
    else:
        redemption.redeem(world.session, actor, visit_id, code)


def live(world: World, wish: Wish, order_id: int, carer: Carer) -> Episode:
    """An agreed visit: cancelled, missed, or held, redeemed and reviewed."""
    session, chance, family = world.session, world.chance, wish.family
    starts_at, ends_at = wish.span
    if wish.fate in ("cancelled", "no_show"):
        ahead = timedelta(hours=chance.uniform(6, 18))
        missed = timedelta(hours=chance.uniform(1, 3))
        yield starts_at + missed if wish.fate == "no_show" else starts_at - ahead
        _fall_through(world, wish, order_id)
        carer.taken.remove(wish.taken)
        return
    if wish.fate == "absent":
        return
    late = chance.uniform(3, 14) if chance.random() > carer.skilled else -chance.uniform(2, 14)
    yield starts_at + timedelta(minutes=late)
    visit = session.scalars(select(Visit).where(Visit.order_id == order_id)).one()
    visits.check_in(session, carer.actor, visit.id)
    if wish.fate == "forgot_to_leave":
        return
    if wish.fate == "fell":
        incident_id = incidents.report(
            session, carer.actor, visit.id, IncidentKind.FALL, words.FELL
        )
        yield clock.now() + timedelta(minutes=40)
        incidents.close(session, world.operator, incident_id, words.SEEN_TO)
    stays = -50 if wish.fate == "left_early" else chance.uniform(1, 15)
    yield ends_at + timedelta(minutes=stays)
    done = tuple(n for n in range(len(wish.item.tasks_zh)) if n < 2 or chance.random() < 0.8)
    said = chance.choice(words.REPORTS[wish.item.group])
    visits.check_out(session, carer.actor, visit.id, done, said)
    if wish.fate == "complained_of":
        yield clock.now() + timedelta(hours=2)
        about = ComplaintCategory.PUNCTUALITY
        complaints.lodge(session, family.actor, visit.id, about, words.COMPLAINED)
        return
    if wish.fate in ("left_early", "unredeemed") or _is_forgotten(world, ends_at):
        return
    if wish.fate == "locked":
        yield world.now - timedelta(minutes=3)
        for _ in range(redemption.MOST_WRONG_CODES):
            _redeem(world, wish, visit.id, "ACDE-FGHJ")
        return
    yield clock.now() + timedelta(hours=chance.choice((0.2, 0.5, 1, 2, 4, 9)))
    if chance.random() < 0.04:
        _redeem(world, wish, visit.id, "ACDE-FGHJ")
    _redeem(world, wish, visit.id, redemption.derive(visit.id, visit.code_issue))
    if wish.carer is None and chance.random() < carer.skilled:
        family.favourite = carer
    if family.actor.channel is Channel.PHONE or chance.random() < 0.35 or wish.fate == "unreviewed":
        return
    yield clock.now() + timedelta(hours=chance.uniform(0.1, 20))
    reviews.write(session, family.actor, visit.id, _review(world, wish, carer))


def _is_forgotten(world: World, ended_at: datetime) -> bool:
    """Some families forget the code: one at least, at most as many as the list shall hold."""
    days = (world.now - ended_at) / timedelta(days=1)
    if not 1.1 < days < 4 or world.forgotten >= world.may_stay_unredeemed:
        return False
    if world.forgotten and world.chance.random() > 0.12:
        return False
    world.forgotten += 1
    return True


def _review(world: World, wish: Wish, carer: Carer) -> ReviewForm:
    """Stars that fit the caregiver, and words that fit the stars and were not said of her yet."""
    chance = world.chance
    dull = 1 - carer.skilled
    overall = chance.choices((5, 4, 3, 2), (70, 18 + 40 * dull, 3 + 15 * dull, 4 * dull))[0]
    said_before = world.said_of.setdefault(carer.id, set())
    fitting = [said for stars, said in words.PRAISES[wish.item.group] if stars == overall]
    said = chance.choice([one for one in fitting if not one or one not in said_before] or [""])
    said_before.add(said)
    skill, attitude, communication = (
        max(2, min(5, overall + chance.choice((-1, 0, 0, 0, 1)))) for _ in range(3)
    )
    return ReviewForm(skill, attitude, communication, overall, said)


def _willing(world: World, wish: Wish, demand: Demand, but: Carer | None) -> list[Carer]:
    """Up to three who would come for what the family offers; where care is short, often nobody."""
    if wish.family.home.district_code in SHORT_OF_CARERS and world.chance.random() < 0.3:
        return []
    able = world.who_can(wish, but=but)
    paid = [one for one in able if one.rates[wish.item.id] * 0.85 <= demand.highest_fen]
    return paid[: world.chance.choice((1, 2, 2, 3))]


def _range(wish: Wish) -> tuple[int, int]:
    """Fen per unit: where care is short, families offer more."""
    item, short = wish.item, wish.family.home.district_code in SHORT_OF_CARERS
    highest = item.lowest_fen + (item.highest_fen - item.lowest_fen) * (9 if short else 7) // 10
    return item.lowest_fen, highest // UNITS_OF_PRICE_FEN * UNITS_OF_PRICE_FEN


def post(world: World, wish: Wish) -> int:
    """The wish as a demand open to everybody; its id."""
    lowest, highest = _range(wish)
    place, home = wish.place, wish.family.home
    form = DemandForm(
        recipient_id=wish.cared_for.id,
        item_id=wish.item.id,
        city_code=CITY,
        district_code=place.district_code if place else home.district_code,
        address=address(wish),
        starts_at=wish.starts_at,
        units=wish.units,
        lowest_fen=lowest,
        highest_fen=highest,
        place_id=place.id if place else None,
        cell=None if place else home.cell,
        words=wish.said,
    )
    family = wish.family
    return demands.post(world.session, family.actor, form, wish.key, customer_id=family.called_for)


def request(world: World, wish: Wish, carer: Carer) -> int:
    """The wish as a request to one caregiver, whose time it takes; the order's id."""
    place, family = wish.place, wish.family
    form = BookingForm(
        caregiver_id=carer.id,
        recipient_id=wish.cared_for.id,
        item_id=wish.item.id,
        district_code=place.district_code if place else family.home.district_code,
        address=address(wish),
        starts_at=wish.starts_at,
        units=wish.units,
        price_fen=carer.rates[wish.item.id],
        place_id=place.id if place else None,
        cell=None if place else family.home.cell,
        words=wish.said,
    )
    carer.taken.append(wish.taken)
    return bookings.request(
        world.session, family.actor, form, wish.key, customer_id=family.called_for
    )


def offer(world: World, wish: Wish, demand_id: int, carer: Carer) -> int:
    """She applies, at her own price or what the family can pay; the application's id.

    Who has moved up from the waiting list has applied already.
    """
    standing = select(Application.id).where(
        Application.demand_id == demand_id,
        Application.caregiver_id == carer.actor.id,
        Application.status == ApplicationStatus.SUBMITTED,
    )
    if (known := world.session.scalar(standing)) is not None:
        return known
    highest_fen = world.session.get_one(Demand, demand_id).highest_fen
    price_fen = min(carer.rates[wish.item.id], highest_fen)
    said = world.chance.choice(words.OFFERS)
    return applications.apply(world.session, carer.actor, demand_id, price_fen, said)


def approve(world: World, wish: Wish, application_id: int, carer: Carer) -> int:
    """The operator chooses her; the order's id."""
    carer.taken.append(wish.taken)
    return applications.approve(world.session, world.operator, application_id)


def address(wish: Wish) -> str:
    """Where the family wants the caregiver to come."""
    if wish.place is None:
        return wish.family.home.address
    where = "门诊大厅" if wish.item.code == "hospital_companion" else "住院部 3 号楼"
    return f"{wish.place.name_zh}{where}"
