"""The orders of the bulk: each with everything its life until now has left behind."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from benchmarks.bulk.city import City
from data.accounts import Channel, Role
from data.catalogue import Unit
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.notices import Notice, NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.reviews import Review
from data.sealing import seal
from services import clock, places
from services.demo import words
from services.demo.nantong import CITY, ESTATES

DAYS_BEHIND, DAYS_AHEAD = 300, 14
OPEN_DEMANDS = 60
DEMO_CUSTOMERS_ORDERS, DEMO_CAREGIVERS_ORDERS = 60, 300
COMMISSION_BP = 1_500
DIRECT_SHARE = 0.3
READ_AFTER = timedelta(hours=12)
UNREDEEMED_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of one caregiver's time, what is done in it and for whom."""

    caregiver_id: int
    item: Any
    starts_at: datetime
    units: int
    customer_id: int = 0

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=self.units * self.item.hours_per_unit)


@dataclass(frozen=True, slots=True)
class Agreed:
    """An order's row, and what its visit's life needs of it."""

    id: int
    slot: Slot
    customer_id: int
    cell: str
    total_fen: int
    commission_fen: int
    at: datetime


def slots(city: City, number: int) -> Iterator[Slot]:
    """As many stretches of time as there shall be orders, in the order of their start."""
    of_demo = int(DEMO_CAREGIVERS_ORDERS * city.size)
    others = number - of_demo
    # Some more than needed, and of them as many as needed: exactly that many in the end.
    pace = others / len(city.caregiver_ids) * 1.5
    spare = [slot for one in city.caregiver_ids for slot in _days(city, one, pace)]
    demo = list(_days(city, city.demo[Role.CAREGIVER], of_demo * 1.5))
    found = city.chance.sample(spare, others) + city.chance.sample(demo, of_demo)
    return iter(sorted(found, key=lambda slot: (slot.starts_at, slot.caregiver_id)))


def _days(city: City, caregiver_id: int, number: float) -> Iterator[Slot]:
    """About this many stretches of one caregiver's time, one after the other."""
    chance = city.chance
    taken = city.connection.execute(
        select(Visit.starts_at, Visit.ends_at).where(Visit.caregiver_id == caregiver_id)
    ).all()
    pace = (DAYS_BEHIND + DAYS_AHEAD) / number
    midnight = clock.in_city(city.now).replace(hour=0, minute=0, second=0, microsecond=0)
    free_from, day = midnight - timedelta(days=DAYS_BEHIND), -DAYS_BEHIND + chance.random() * pace
    weights = [8 if item.unit is Unit.HOUR else 1 for item in city.items]
    while day < DAYS_AHEAD:
        starts_at = midnight + timedelta(days=int(day), hours=chance.choice((8, 9, 13, 14)))
        day += pace * chance.uniform(0.5, 1.5)
        item = chance.choices(city.items, weights)[0]
        units = min(item.fewest_units + chance.randint(0, 1), item.most_units)
        slot = Slot(caregiver_id, item, max(starts_at, free_from), units)
        if not any(slot.starts_at < ends and slot.ends_at > starts for starts, ends in taken):
            yield slot
            free_from = slot.ends_at


def order(city: City, slot: Slot) -> None:
    """A demand that found its caregiver, and whatever became of it until now."""
    chance = city.chance
    posted_at = min(slot.starts_at, city.now) - timedelta(hours=chance.randint(30, 120))
    direct = chance.random() < DIRECT_SHARE
    minutes = chance.randint(5, 110) if direct else chance.randint(120, 1_440)
    approved_at = posted_at + timedelta(minutes=minutes)
    customer_id = _customer(city)
    recipient_id = chance.choice(city.recipients[customer_id])
    district = city.district()
    demand_id = demand(city, slot, customer_id, recipient_id, district, posted_at, direct=direct)
    price_fen = min(slot.item.lowest_fen + chance.randint(0, 20) * 100, slot.item.highest_fen)
    if not direct:
        _applications(city, slot, demand_id, price_fen, posted_at, approved_at)
    was, chooser = ("directed", Role.CAREGIVER) if direct else ("open", Role.OPERATOR)
    city.step(approved_at, Noun.DEMAND, demand_id, "match", was, "matched", chooser)
    visit_status = _visit_status(city, slot)
    total_fen = price_fen * slot.units
    commission_fen = total_fen * COMMISSION_BP // 10_000
    order_id = city.add(
        Order,
        posted_at if direct else approved_at,
        demand_id=demand_id,
        customer_id=customer_id,
        caregiver_id=slot.caregiver_id,
        recipient_id=recipient_id,
        item_id=slot.item.id,
        city_code=CITY,
        district_code=district,
        channel=Channel.APP,
        units=slot.units,
        unit_price_fen=price_fen,
        commission_bp=COMMISSION_BP,
        terms={},
        answer_until=posted_at + timedelta(hours=2) if direct else None,
        decline_until=approved_at + timedelta(hours=2),
        decision_words="",
        status={
            VisitStatus.REDEEMED: OrderStatus.COMPLETED,
            VisitStatus.CANCELLED: OrderStatus.CANCELLED,
        }.get(visit_status, OrderStatus.CONFIRMED),
    )
    if direct:
        city.step(posted_at, Noun.ORDER, order_id, "request", "", "requested", Role.CUSTOMER)
        city.step(approved_at, Noun.ORDER, order_id, "accept", "requested", "confirmed", chooser)
    else:
        city.step(approved_at, Noun.ORDER, order_id, "approve", "", "confirmed", chooser)
    cell = places.cell_of_district(district)
    agreed = Agreed(order_id, slot, customer_id, cell, total_fen, commission_fen, approved_at)
    _book(city, agreed, LedgerEvent.CONFIRMED, approved_at, _confirmed(agreed))
    _live(city, agreed, visit_status)


def _applications(
    city: City,
    slot: Slot,
    demand_id: int,
    price_fen: int,
    posted_at: datetime,
    approved_at: datetime,
) -> None:
    """The chosen caregiver's application, and those of up to two rivals."""
    rivals = city.chance.sample(city.caregiver_ids, city.chance.choice((0, 0, 1, 2)))
    for caregiver_id in {slot.caregiver_id, *rivals}:
        decision = ("approve", "approved") if caregiver_id == slot.caregiver_id else (
            "close", "closed")  # fmt: skip
        application(city, demand_id, caregiver_id, price_fen, posted_at, approved_at, decision)


def open_demand(city: City) -> None:
    """A demand of the coming days that nobody was chosen for yet."""
    chance, item = city.chance, city.chance.choice(city.items)
    day = clock.in_city(city.now + timedelta(days=chance.randint(1, DAYS_AHEAD)))
    starts_at = day.replace(hour=chance.choice((8, 9, 13)), minute=0, second=0, microsecond=0)
    slot = Slot(0, item, starts_at, item.fewest_units)
    customer_id = _customer(city)
    posted_at = city.now - timedelta(hours=chance.randint(3, 40))
    recipient_id = chance.choice(city.recipients[customer_id])
    demand_id = demand(city, slot, customer_id, recipient_id, city.district(), posted_at)
    hopeful = [city.demo[Role.CAREGIVER], *city.caregiver_ids]
    for caregiver_id in chance.sample(hopeful, chance.randint(0, 4)):
        application(city, demand_id, caregiver_id, item.lowest_fen + 500, posted_at)


def _customer(city: City) -> int:
    """Somebody; the demo's customer as often as it takes to have their orders."""
    if city.chance.random() < DEMO_CUSTOMERS_ORDERS / 20_000:
        return city.demo[Role.CUSTOMER]
    return city.chance.choice(city.customer_ids)


def demand(
    city: City,
    slot: Slot,
    customer_id: int,
    recipient_id: int,
    district: str,
    at: datetime,
    *,
    direct: bool = False,
) -> int:
    """A demand, matched if the slot names a caregiver, else open. Returns the id."""
    sealed_id = secrets.token_hex(16)
    address = f"{city.chance.choice(ESTATES)}{city.chance.randint(1, 40)}幢 302 室"
    demand_id = city.add(
        Demand,
        at,
        customer_id=customer_id,
        placed_by_id=customer_id,
        channel=Channel.APP,
        request_key=sealed_id,
        recipient_id=recipient_id,
        item_id=slot.item.id,
        city_code=CITY,
        district_code=district,
        cell=places.cell_of_district(district),
        sealed_id=sealed_id,
        address_sealed=seal(address.encode(), f"demands|address_sealed|{sealed_id}"),
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        units=slot.units,
        lowest_fen=slot.item.lowest_fen,
        highest_fen=slot.item.highest_fen,
        skills=[],
        words=city.chance.choice(words.WISHES[slot.item.group]),
        status=DemandStatus.MATCHED if slot.caregiver_id else DemandStatus.OPEN,
    )
    move, status = ("direct", "directed") if direct else ("post", "open")
    city.step(at, Noun.DEMAND, demand_id, move, "", status, Role.CUSTOMER)
    return demand_id


def application(
    city: City,
    demand_id: int,
    caregiver_id: int,
    price_fen: int,
    posted_at: datetime,
    decided_at: datetime | None = None,
    decision: tuple[str, str] = ("", "submitted"),
) -> int:
    """An application and the operator's notice of it; decided or still waiting. Returns the id."""
    applied_at = posted_at + timedelta(hours=1)
    move, status = decision
    application_id = city.add(
        Application,
        applied_at,
        demand_id=demand_id,
        caregiver_id=caregiver_id,
        price_fen=price_fen,
        words=city.chance.choice(words.OFFERS),
        status=ApplicationStatus(status),
    )
    noun = Noun.APPLICATION
    city.step(applied_at, noun, application_id, "apply", "", "submitted", Role.CAREGIVER)
    if decided_at:
        city.step(decided_at, noun, application_id, move, "submitted", status, Role.OPERATOR)
    about, operator_id = f"application-{application_id}-1", city.demo[Role.OPERATOR]
    facts = {"demand_id": demand_id}
    _tell(city, applied_at, NoticeKind.APPLICATION_RECEIVED, operator_id, about, facts)
    return application_id


def _visit_status(city: City, slot: Slot) -> VisitStatus:
    now, chance = city.now, city.chance
    if chance.random() < 0.07:
        return VisitStatus.CANCELLED
    if slot.starts_at > now:
        return VisitStatus.PLANNED
    if slot.ends_at > now:
        return VisitStatus.PLANNED if chance.random() < 0.1 else VisitStatus.IN_PROGRESS
    if slot.ends_at > now - UNREDEEMED_FOR and chance.random() < 0.25:
        return VisitStatus.FINISHED
    return VisitStatus.REDEEMED


def _live(city: City, agreed: Agreed, status: VisitStatus) -> None:
    """The visit as far as it got, with its history, notices, postings and review."""
    slot, chance = agreed.slot, city.chance
    in_at = slot.starts_at - timedelta(minutes=chance.randint(2, 12))
    out_at = slot.ends_at + timedelta(minutes=chance.randint(1, 15))
    redeemed_at = min(slot.ends_at + timedelta(hours=chance.randint(1, 8)), city.now)
    came = status not in (VisitStatus.PLANNED, VisitStatus.CANCELLED)
    left = status in (VisitStatus.FINISHED, VisitStatus.REDEEMED)
    redeemed = status is VisitStatus.REDEEMED
    visit_id = city.add(
        Visit,
        agreed.at,
        order_id=agreed.id,
        caregiver_id=slot.caregiver_id,
        cell=agreed.cell,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        total_fen=agreed.total_fen,
        commission_fen=agreed.commission_fen,
        price_parts={"base": agreed.total_fen},
        status=status,
        checked_in_at=in_at if came else None,
        checked_out_at=out_at if left else None,
        redeemed_at=redeemed_at if redeemed else None,
        done_tasks=["0", "1", "2"] if left else [],
        report_words=chance.choice(words.REPORTS[slot.item.group]) if left else "",
    )
    facts = {"order_id": agreed.id, "visit_id": visit_id, "item_id": slot.item.id}
    order_name, visit_name = f"order-{agreed.id}", f"visit-{visit_id}"
    customer_id, caregiver_id = agreed.customer_id, slot.caregiver_id
    _tell(city, agreed.at, NoticeKind.ORDER_CONFIRMED, customer_id, order_name, facts)
    _tell(city, agreed.at, NoticeKind.CODE_ISSUED, caregiver_id, f"{visit_name}-1", facts)
    if status is VisitStatus.CANCELLED:
        at, by = agreed.at + timedelta(hours=1), Role.CUSTOMER
        city.step(at, Noun.VISIT, visit_id, "cancel", "planned", "cancelled", by)
        city.step(at, Noun.ORDER, agreed.id, "cancel", "confirmed", "cancelled", by)
        _book(city, agreed, LedgerEvent.CANCELLED, at, _cancelled(agreed), visit_id)
        _tell(city, at, NoticeKind.ORDER_CANCELLED, caregiver_id, order_name, facts)
    if came:
        by = Role.CAREGIVER
        city.step(in_at, Noun.VISIT, visit_id, "check_in", "planned", "in_progress", by)
    if left:
        by = Role.CAREGIVER
        city.step(out_at, Noun.VISIT, visit_id, "check_out", "in_progress", "finished", by)
        _tell(city, out_at, NoticeKind.VISIT_FINISHED, customer_id, visit_name, facts)
    if redeemed:
        by = Role.CUSTOMER
        city.step(redeemed_at, Noun.VISIT, visit_id, "redeem", "finished", "redeemed", by)
        city.step(redeemed_at, Noun.ORDER, agreed.id, "complete", "confirmed", "completed", by)
        _book(city, agreed, LedgerEvent.REDEEMED, redeemed_at, _redeemed(agreed), visit_id)
        pay = facts | {"pay_fen": agreed.total_fen - agreed.commission_fen}
        _tell(city, redeemed_at, NoticeKind.VISIT_REDEEMED, caregiver_id, visit_name, pay)
        if chance.random() < 0.6:
            _review(city, agreed, visit_id, redeemed_at)


def _review(city: City, agreed: Agreed, visit_id: int, at: datetime) -> None:
    overall, praise = city.chance.choice(words.PRAISES[agreed.slot.item.group])
    city.add(
        Review,
        at,
        order_id=agreed.id,
        visit_id=visit_id,
        caregiver_id=agreed.slot.caregiver_id,
        customer_id=agreed.customer_id,
        item_id=agreed.slot.item.id,
        skill=overall,
        attitude=max(1, overall - 1),
        communication=overall,
        overall=overall,
        words=praise,
    )


Line = tuple[LedgerAccount, int, int | None]


def _confirmed(agreed: Agreed) -> list[Line]:
    return [
        (LedgerAccount.CUSTOMER_RECEIVABLE, agreed.total_fen, agreed.customer_id),
        (LedgerAccount.ORDERS_COMMITTED, -agreed.total_fen, None),
    ]


def _cancelled(agreed: Agreed) -> list[Line]:
    return [(account, -amount_fen, party) for account, amount_fen, party in _confirmed(agreed)]


def _redeemed(agreed: Agreed) -> list[Line]:
    pay_fen = agreed.total_fen - agreed.commission_fen
    return [
        (LedgerAccount.ORDERS_COMMITTED, agreed.total_fen, None),
        (LedgerAccount.CAREGIVER_FROZEN, -pay_fen, agreed.slot.caregiver_id),
        (LedgerAccount.PLATFORM_FEE, -agreed.commission_fen, None),
    ]


def _book(
    city: City,
    agreed: Agreed,
    event: LedgerEvent,
    at: datetime,
    lines: list[Line],
    visit_id: int | None = None,
) -> None:
    about = f"visit:{visit_id}" if visit_id else f"order:{agreed.id}"
    key = f"{event}:{about}"
    entry_id = city.add(
        LedgerEntry,
        at,
        event_key=key,
        event=event,
        order_id=agreed.id,
        visit_id=visit_id,
        lines=len(lines),
        sum_fen=0,
    )
    running_fen = 0
    for number, (account, amount_fen, party_id) in enumerate(lines, 1):
        running_fen += amount_fen
        city.add(
            LedgerPosting,
            at,
            entry_id=entry_id,
            number=number,
            account=account,
            party_id=party_id,
            amount_fen=amount_fen,
            running_fen=running_fen,
        )


def _tell(
    city: City,
    at: datetime,
    kind: NoticeKind,
    account_id: int,
    about: str,
    facts: dict[str, int],
) -> None:
    """A notice long delivered, and read unless it is fresh."""
    key = f"{kind}:{about}:{account_id}"
    city.add(
        OutboxMessage,
        at,
        channel=OutboxChannel.INBOX,
        kind=kind,
        account_id=account_id,
        facts=facts,
        dedupe_key=key,
        status=OutboxStatus.DELIVERED,
        next_try_at=at,
        delivered_at=at,
    )
    read_at = at + READ_AFTER
    city.add(
        Notice,
        at,
        account_id=account_id,
        kind=kind,
        facts=facts,
        dedupe_key=key,
        read_at=read_at if read_at < city.now else None,
    )
