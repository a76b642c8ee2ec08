"""Tariffs: what a city adds to prices, takes off plans and asks for cancelling, from a day on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.cities import City
from data.tariffs import Tariff
from services import audit, clock, pricing, special_days
from services.access import Actor, Permission
from services.errors import Invalid, NotFound
from services.pricing import Price, Rules, Sheet, Steps

MOST_STEPS = 3
FURTHEST = timedelta(days=366)
_STEPS = ("monthly_steps", "customer_fees", "caregiver_fees")
# The fewest and the most each number may be.
LIMITS = {
    "night_bp": (0, 20_000),
    "night_from_minute": (0, 24 * 60 - 1),
    "night_until_minute": (0, 24 * 60 - 1),
    "weekend_bp": (0, 20_000),
    "holiday_bp": (0, 30_000),
    "urgent_bp": (0, 20_000),
    "urgent_hours": (0, 72),
    "rounding_fen": (1, 10_000),
    "no_show_bp": (0, 10_000),
    "caregiver_no_show_bp": (0, 10_000),
}
_STEP_LIMITS = {"monthly_steps": (2, 62), "customer_fees": (1, 720), "caregiver_fees": (1, 720)}


@dataclass(frozen=True, slots=True)
class Dated:
    """A tariff and the day it begins; None if the city never set one."""

    valid_from: date | None
    rules: Rules


@dataclass(frozen=True, slots=True)
class CityTariffs:
    """A city's tariff of today, and those to come, soonest first."""

    city_code: str
    now: Dated
    coming: tuple[Dated, ...]


def in_force(session: Session, city_code: str, day: date) -> Rules:
    """The rules of a city on a day."""
    return _rules_until(session, city_code, day).on(day)


def sheet(session: Session, city_code: str, first: date, last: date) -> Sheet:
    """All that the prices of visits from first to last hang on, in two questions.

    The day after the last is known too: a visit may go on until then.
    """
    until = last + timedelta(days=2)
    kinds = special_days.kinds(session, city_code, first, until)
    return replace(_rules_until(session, city_code, until), kinds=kinds)


def quote(
    session: Session,
    city_code: str,
    unit_price_fen: int,
    units: int,
    starts_at: datetime,
    ends_at: datetime,
) -> Price:
    """What a visit ordered now would cost; public."""
    return quotes(session, city_code, (unit_price_fen,), units, starts_at, ends_at)[0]


def quotes(
    session: Session,
    city_code: str,
    unit_prices_fen: Sequence[int],
    units: int,
    starts_at: datetime,
    ends_at: datetime,
) -> list[Price]:
    """The same at each of several prices; public."""
    commission_bp = session.scalar(select(City.commission_bp).where(City.code == city_code)) or 0
    hangs_on = around(session, city_code, starts_at, ends_at)
    return [
        pricing.price(hangs_on, fen, units, starts_at, ends_at, commission_bp, clock.now())
        for fen in unit_prices_fen
    ]


def around(session: Session, city_code: str, starts_at: datetime, ends_at: datetime) -> Sheet:
    """All that the price of a visit at this time hangs on."""
    first, last = clock.in_city(starts_at).date(), clock.in_city(ends_at).date()
    return sheet(session, city_code, first, last)


def terms(rules: Rules) -> dict[str, Any]:
    """What cancelling and staying away cost, as an order keeps it for good."""
    return {
        "customer_fees": [list(step) for step in rules.customer_fees],
        "caregiver_fees": [list(step) for step in rules.caregiver_fees],
        "no_show_bp": rules.no_show_bp,
        "caregiver_no_show_bp": rules.caregiver_no_show_bp,
    }


def mine(session: Session, actor: Actor) -> list[CityTariffs]:
    """The tariffs of the actor's cities, by code."""
    actor.require(Permission.KEEP_TARIFFS)
    found = []
    for code in sorted(actor.cities):
        rows = session.scalars(
            select(Tariff).where(Tariff.city_code == code).order_by(Tariff.valid_from)
        )
        dated = [Dated(row.valid_from, _rules(row)) for row in rows]
        begun = [one for one in dated if one.valid_from and one.valid_from <= clock.today()]
        now = begun[-1] if begun else Dated(None, Rules())
        found.append(CityTariffs(code, now, tuple(one for one in dated if one not in begun)))
    return found


def keep(session: Session, actor: Actor, city_code: str, valid_from: date, rules: Rules) -> int:
    """Set a city's tariff from a day on, today at the earliest; return its id.

    One that was to begin on the same day is replaced; prices agreed already stay as they are.
    """
    actor.require(Permission.KEEP_TARIFFS)
    settable(session, actor, city_code, valid_from)
    checked = _checked(rules)
    tariff = session.scalar(
        select(Tariff).where(Tariff.city_code == city_code, Tariff.valid_from == valid_from)
    )
    if tariff is None:
        tariff = Tariff(created_at=clock.now(), city_code=city_code, valid_from=valid_from)
        session.add(tariff)
    tariff.set_by_id = actor.id
    for name, value in asdict(checked).items():
        setattr(tariff, name, [list(step) for step in value] if name in _STEPS else value)
    session.flush()
    audit.record(
        session, actor, "set_tariff", "tariff", tariff.id, valid_from=valid_from.isoformat()
    )
    return tariff.id


def settable(session: Session, actor: Actor, city_code: str, valid_from: date) -> None:
    """Refuse a city that is not the actor's, and a day past or too far; the city is locked."""
    city = session.scalar(select(City).where(City.code == city_code).with_for_update())
    if city is None or city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    if valid_from < clock.today():
        raise Invalid("error.tariff_in_past")
    if valid_from > clock.today() + FURTHEST:
        raise Invalid("error.tariff_too_far", days=FURTHEST.days)


def _checked(rules: Rules) -> Rules:
    """The rules with their steps in order, or a refusal that names the field."""
    for name, (fewest, most) in LIMITS.items():
        if not fewest <= getattr(rules, name) <= most:
            raise Invalid("error.number_out_of_range", field=name, fewest=fewest, most=most)
    return replace(rules, **{name: _in_order(name, getattr(rules, name)) for name in _STEPS})


def _in_order(name: str, steps: Steps) -> Steps:
    """Steps sorted as a tariff has them; a step further away never costs more, nor saves more."""
    fewest, most = _STEP_LIMITS[name]
    bounds = [bound for bound, _ in steps]
    if len(steps) > MOST_STEPS or len(set(bounds)) < len(bounds):
        raise Invalid("error.steps_doubled", field=name)
    if any(not fewest <= bound <= most for bound in bounds):
        raise Invalid("error.number_out_of_range", field=name, fewest=fewest, most=most)
    if any(not 0 <= share <= pricing.BASIS_POINTS for _, share in steps):
        raise Invalid("error.share_out_of_range", field=name)
    ordered = tuple(sorted(steps, reverse=name == "monthly_steps"))
    shares = [share for _, share in ordered]
    if shares != sorted(shares, reverse=True):
        raise Invalid("error.steps_out_of_order", field=name)
    return ordered


def _rules_until(session: Session, city_code: str, last: date) -> Sheet:
    rows = session.scalars(
        select(Tariff)
        .where(Tariff.city_code == city_code, Tariff.valid_from <= last)
        .order_by(Tariff.valid_from)
    )
    return Sheet(tuple((row.valid_from, _rules(row)) for row in rows))


def _rules(tariff: Tariff) -> Rules:
    values = {one.name: getattr(tariff, one.name) for one in fields(Rules)}
    for name in _STEPS:
        values[name] = tuple((bound, share) for bound, share in values[name])
    return Rules(**values)
