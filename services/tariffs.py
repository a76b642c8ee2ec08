"""Tariffs: what a city adds to prices, takes off plans and asks for cancelling, from a day on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from services import clock, pricing, rule_book, rules, special_days
from services.pricing import Price, Rules, Sheet


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
    item_id: int,
    unit_price_fen: int,
    units: int,
    starts_at: datetime,
    ends_at: datetime,
) -> Price:
    """What a visit ordered now would cost; public."""
    return quotes(session, city_code, item_id, (unit_price_fen,), units, starts_at, ends_at)[0]


def quotes(
    session: Session,
    city_code: str,
    item_id: int,
    unit_prices_fen: Sequence[int],
    units: int,
    starts_at: datetime,
    ends_at: datetime,
) -> list[Price]:
    """The same at each of several prices; public."""
    commission_bp = rules.commission_bp(session, city_code, item_id)
    hangs_on = around(session, city_code, starts_at, ends_at)
    return [
        pricing.price(hangs_on, fen, units, starts_at, ends_at, commission_bp, clock.now())
        for fen in unit_prices_fen
    ]


def around(session: Session, city_code: str, starts_at: datetime, ends_at: datetime) -> Sheet:
    """All that the price of a visit at this time hangs on."""
    first, last = clock.in_city(starts_at).date(), clock.in_city(ends_at).date()
    return sheet(session, city_code, first, last)


def terms(tariff: Rules) -> dict[str, Any]:
    """What cancelling and staying away cost, as an order keeps it for good."""
    return {
        "customer_fees": [list(step) for step in tariff.customer_fees],
        "caregiver_fees": [list(step) for step in tariff.caregiver_fees],
        "no_show_bp": tariff.no_show_bp,
        "caregiver_no_show_bp": tariff.caregiver_no_show_bp,
    }


def _rules_until(session: Session, city_code: str, last: date) -> Sheet:
    dated = rules.until(session, city_code, last)
    return Sheet(tuple((begins, rule_book.tariff(values)) for begins, values in dated))
