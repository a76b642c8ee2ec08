"""Replays: what a past period would have come to under other rules, and for whom.

The same visits, calls and moments; only the numbers of the rule book differ. What people would
have done otherwise nobody knows, and nothing here says so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import pandas as pd
from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.calendars import DayKind
from data.caregivers import Caregiver, CaregiverLevel
from data.complaints import ExtraTime, ExtraTimeStatus
from data.demands import Demand
from data.history import Noun, StatusChange
from data.orders import EndReason, Order, Party, Segment, Visit, VisitStatus
from services import (
    audit,
    clock,
    courses,
    price_bounds,
    pricing,
    recurrence,
    replay_cases,
    rule_book,
    rules,
    special_days,
)
from services.access import Actor, Permission
from services.errors import Invalid, NotFound
from services.price_bounds import Bounds
from services.pricing import Sheet
from services.replay_counts import HANG_ON, UNTOLD, Count, counts
from services.rule_book import Values

__all__ = ["Count", "Replay", "Side", "Total"]

LONGEST = timedelta(days=92)
MOST_VISITS = 20_000
A_DAY = timedelta(days=1)
_PAID = VisitStatus.REDEEMED
_ENDED = VisitStatus.CANCELLED, VisitStatus.MISSED


class Side(StrEnum):
    """Whose money it is."""

    CUSTOMER = "customer"
    CAREGIVER = "caregiver"


class Total(StrEnum):
    """What the money of a period comes to: paid by families, of which caregivers' and ours."""

    FAMILIES = "families"
    CAREGIVERS = "caregivers"
    PLATFORM = "platform"
    FEES = "fees"
    PENALTIES = "penalties"


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one visit brings each side, in fen; a penalty comes off what the caregiver earns."""

    customer_fen: int = 0
    caregiver_fen: int = 0
    platform_fen: int = 0
    fee_fen: int = 0
    penalty_fen: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """A period as it was, by the rules in force today, and by others.

    Totals are in fen: as booked, now, and then. Counts are now and then. People have one row each
    (side, account_id, visits, now_fen, then_fen, change_fen), who changes most first. `untold` are
    changed numbers whose effect the past does not tell.
    """

    first: date
    last: date
    visits: int
    totals: Mapping[Total, tuple[int, int, int]]
    counts: Mapping[Count, tuple[int, int]]
    people: pd.DataFrame
    untold: tuple[str, ...]


def replay(session: Session, actor: Actor, version_id: int, first: date, last: date) -> Replay:
    """What a version would have made of a city's days from first to last, both included."""
    actor.require(Permission.KEEP_RULES)
    version = rules.version(session, actor, version_id)
    if not first <= last < clock.today():
        raise Invalid("error.replay_period")
    if last - first >= LONGEST:
        raise Invalid("error.replay_too_long", days=LONGEST.days)
    city_code = version.city_code
    now, then = rules.now(session, city_code), version.values
    since, until = recurrence.moment(first, 0), recurrence.moment(last + A_DAY, 0)
    made = session.execute(_visits(city_code, since, until).limit(MOST_VISITS + 1)).all()
    if len(made) > MOST_VISITS:
        raise Invalid("error.replay_too_many", most=MOST_VISITS)
    often = _often(session, {row.segment_id for row in made if row.segment_id})
    kinds = special_days.kinds(session, city_code, first, last + 2 * A_DAY)
    booked = [_booked(row) for row in made]
    by_now, by_then = (
        [one(row, often.get(row.segment_id, 1)) for row in made]
        for one in (_pricer(session, city_code, values, now, kinds) for values in (now, then))
    )
    requests = session.execute(_requests(city_code, since, until)).all()
    counted = counts(made, requests, until) | replay_cases.counts(session, city_code, since, until)
    return Replay(
        first=first,
        last=last,
        visits=len(made),
        totals=_totals(booked, by_now, by_then),
        counts={
            name: (count(now), count(then))
            for name, count in counted.items()
            if any(now[one] != then[one] for one in HANG_ON[name])
        },
        people=_people(made, by_now, by_then),
        untold=tuple(name for name in UNTOLD if now[name] != then[name]),
    )


def names(session: Session, actor: Actor, account_ids: Sequence[int]) -> dict[int, str]:
    """Who people of a replay are; each naming is audited."""
    actor.require(Permission.KEEP_CUSTOMERS)
    visible = (
        select(Account.id, Account.name)
        .join(Order, (Order.customer_id == Account.id) | (Order.caregiver_id == Account.id))
        .where(Account.id.in_(account_ids), Order.city_code.in_(actor.cities))
        .distinct()
    )
    found = dict(session.execute(visible).all())
    if not found:
        raise NotFound("error.customer_not_found")
    for account_id in sorted(found):
        audit.record(session, actor, "name_replayed", "account", account_id)
    return found


def _visits(city_code: str, since: datetime, until: datetime) -> Select[*tuple[Any, ...]]:
    """The visits that brought or cost somebody something, or could have, with all that says so."""
    ended = aliased(StatusChange)
    return (
        select(
            Visit.id,
            Visit.status,
            Visit.starts_at,
            Visit.ends_at,
            Visit.created_at,
            Visit.replaces_id,
            Visit.segment_id,
            Visit.caregiver_id,
            Visit.total_fen,
            Visit.commission_fen,
            Visit.price_parts,
            Visit.fee_fen,
            Visit.penalty_fen,
            Visit.ended_by,
            Visit.end_reason,
            Visit.checked_out_at,
            Visit.redeemed_at,
            Visit.cell,
            ended.created_at.label("ended_at"),
            Order.customer_id,
            Order.item_id,
            Order.commission_bp,
            Order.decline_until,
            Order.created_at.label("ordered_at"),
            Demand.created_at.label("asked_at"),
            func.coalesce(Segment.unit_price_fen, Order.unit_price_fen).label("unit_price_fen"),
            Caregiver.level,
            ExtraTime.total_fen.label("extra_fen"),
            ExtraTime.commission_fen.label("extra_commission_fen"),
        )
        .join(Order, Order.id == Visit.order_id)
        .join(Demand, Demand.id == Order.demand_id)
        .join(Caregiver, Caregiver.id == Visit.caregiver_id)
        .outerjoin(Segment, Segment.id == Visit.segment_id)
        .outerjoin(
            ExtraTime,
            and_(ExtraTime.visit_id == Visit.id, ExtraTime.status == ExtraTimeStatus.AGREED),
        )
        .outerjoin(
            ended,
            and_(ended.noun == Noun.VISIT, ended.subject_id == Visit.id, ended.move == "cancel"),
        )
        .where(
            Order.city_code == city_code,
            Visit.starts_at >= since,
            Visit.starts_at < until,
            Visit.status.in_((_PAID, *_ENDED)),
        )
        .order_by(Visit.caregiver_id, Visit.starts_at)
    )


def _requests(city_code: str, since: datetime, until: datetime) -> Select[*tuple[Any, ...]]:
    """When caregivers were asked, and when they said yes."""
    return (
        select(Order.created_at.label("asked_at"), StatusChange.created_at.label("answered_at"))
        .join(
            StatusChange,
            and_(
                StatusChange.noun == Noun.ORDER,
                StatusChange.subject_id == Order.id,
                StatusChange.move.in_(("accept", "agree")),
            ),
        )
        .where(Order.city_code == city_code, Order.created_at >= since, Order.created_at < until)
    )


def _often(session: Session, segment_ids: Iterable[int]) -> dict[int, int]:
    """How many visits of each stretch of a plan count for its discount."""
    found = session.scalars(select(Segment).where(Segment.id.in_(segment_ids)))
    return {
        one.id: courses.visits_in_30_days(
            courses.of_segment(one), courses.days_before(session, one.order_id, one.from_on)
        )
        for one in found
    }


def _booked(row: Row[*tuple[Any, ...]]) -> Amounts:
    """What a visit has come to, by its own columns."""
    if row.status is not _PAID:
        return _ended(row.fee_fen, row.penalty_fen, row.commission_bp)
    total_fen = row.total_fen + (row.extra_fen or 0)
    commission_fen = row.commission_fen + (row.extra_commission_fen or 0)
    return Amounts(total_fen, total_fen - commission_fen, commission_fen)


def _ended(fee_fen: int, penalty_fen: int, commission_bp: int) -> Amounts:
    commission_fen = pricing.share(fee_fen, commission_bp)
    return Amounts(
        customer_fen=fee_fen,
        caregiver_fen=fee_fen - commission_fen - penalty_fen,
        platform_fen=commission_fen + penalty_fen,
        fee_fen=fee_fen,
        penalty_fen=penalty_fen,
    )


def _pricer(
    session: Session,
    city_code: str,
    values: Values,
    now: Values,
    kinds: Mapping[date, DayKind],
) -> Callable[[Row[*tuple[Any, ...]], int], Amounts]:
    """What any visit would come to under these numbers."""
    tariff, own = rule_book.tariff(values), rule_book.bounds(values)
    sheet = Sheet(((date.min, tariff),), kinds)
    whole = price_bounds.in_catalogue(session)
    later = timedelta(hours=values["decline_hours"] - now["decline_hours"])

    def unit_fen(row: Row[*tuple[Any, ...]]) -> int:
        at_all, key = whole[row.item_id], (row.item_id, CaregiverLevel(row.level))
        bounds = Bounds(*map(at_all.clamp, own[key])) if key in own else at_all
        return bounds.clamp(row.unit_price_fen)

    def amounts(row: Row[*tuple[Any, ...]], often: int) -> Amounts:
        commission_bp = rule_book.commission_bp(values, row.item_id)
        price = pricing.price(
            sheet,
            unit_fen(row),
            row.price_parts["base"] // row.unit_price_fen,
            row.starts_at,
            row.ends_at,
            commission_bp,
            row.created_at if row.replaces_id else row.asked_at,
            visits_in_30_days=often,
        )
        if row.status is _PAID:
            extra_fen = row.extra_fen or 0
            total_fen = price.total_fen + extra_fen
            commission_fen = price.commission_fen + pricing.share(extra_fen, commission_bp)
            return Amounts(total_fen, total_fen - commission_fen, commission_fen)
        share_bp = _share_bp(row, tariff, later)
        owed_fen = pricing.share(price.total_fen, share_bp)
        theirs = row.ended_by is Party.CUSTOMER
        return _ended(owed_fen if theirs else 0, 0 if theirs else owed_fen, commission_bp)

    return amounts


def _share_bp(row: Row[*tuple[Any, ...]], tariff: pricing.Rules, later: timedelta) -> int:
    """What share of its price somebody owes for a visit that did not take place."""
    if row.ended_by not in (Party.CUSTOMER, Party.CAREGIVER):
        return 0
    customer = row.ended_by is Party.CUSTOMER
    if row.end_reason is EndReason.NO_SHOW:
        if not (row.fee_fen or row.penalty_fen):  # It was taken back.
            return 0
        return tariff.no_show_bp if customer else tariff.caregiver_no_show_bp
    at = row.ended_at or row.starts_at
    if customer and at <= min(row.decline_until + later, row.starts_at):
        return 0
    steps = tariff.customer_fees if customer else tariff.caregiver_fees
    left = row.starts_at - at
    return next((share for hours, share in steps if left < timedelta(hours=hours)), 0)


def _totals(*ways: Sequence[Amounts]) -> dict[Total, tuple[int, int, int]]:
    of = {
        Total.FAMILIES: lambda one: one.customer_fen,
        Total.CAREGIVERS: lambda one: one.caregiver_fen,
        Total.PLATFORM: lambda one: one.platform_fen,
        Total.FEES: lambda one: one.fee_fen,
        Total.PENALTIES: lambda one: one.penalty_fen,
    }
    booked, now, then = ways
    return {
        name: (sum(map(fen, booked)), sum(map(fen, now)), sum(map(fen, then)))
        for name, fen in of.items()
    }


def _people(
    made: Sequence[Row[*tuple[Any, ...]]], now: Sequence[Amounts], then: Sequence[Amounts]
) -> pd.DataFrame:
    """What families pay and caregivers earn, now and then: one row a person."""
    columns = ["side", "account_id", "visits", "now_fen", "then_fen"]
    told = [
        row
        for visit, one, other in zip(made, now, then, strict=True)
        for row in (
            (Side.CUSTOMER, visit.customer_id, 1, one.customer_fen, other.customer_fen),
            (Side.CAREGIVER, visit.caregiver_id, 1, one.caregiver_fen, other.caregiver_fen),
        )
    ]
    frame = pd.DataFrame(told, columns=columns)
    people = frame.groupby(["side", "account_id"], as_index=False, sort=False).sum()
    people["change_fen"] = people["then_fen"] - people["now_fen"]
    order = people["change_fen"].abs().sort_values(ascending=False, kind="stable").index
    return people.loc[order].reset_index(drop=True)
