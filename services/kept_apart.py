"""Who is kept apart: what search, hall, bookings and plans ask of the exclusions in force."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    or_,
    select,
)
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.exclusions import Exclusion
from services import clock
from services.errors import Conflict


def stands(today: date | BindParameter[date] | None = None) -> ColumnElement[bool]:
    """The condition under which an exclusion holds on a day, today if none is named."""
    day = clock.today() if today is None else today
    return and_(
        Exclusion.lifted_at.is_(None),
        or_(Exclusion.last_day.is_(None), Exclusion.last_day >= day),
    )


def keeps_apart(
    customer_id: int | SQLColumnExpression[Any],
    caregiver_id: int | SQLColumnExpression[Any],
    city_code: str | SQLColumnExpression[Any],
) -> ColumnElement[bool]:
    """The condition under which these two are not brought together in this city."""
    pair = and_(Exclusion.customer_id == customer_id, Exclusion.caregiver_id == caregiver_id)
    return (
        select(Exclusion.id)
        .where(
            stands(),
            or_(
                pair,
                and_(Exclusion.city_code == city_code, _keeps_out(customer_id, caregiver_id)),
            ),
        )
        .exists()
    )


def _keeps_out(
    customer_id: int | SQLColumnExpression[Any], caregiver_id: int | SQLColumnExpression[Any]
) -> ColumnElement[bool]:
    return or_(
        and_(Exclusion.customer_id == customer_id, Exclusion.caregiver_id.is_(None)),
        and_(Exclusion.caregiver_id == caregiver_id, Exclusion.customer_id.is_(None)),
    )


def not_for(
    customer_id: int | BindParameter[int],
    city_code: str | BindParameter[str],
    today: date | BindParameter[date] | None = None,
) -> Select[int | None]:
    """The caregivers whom a family of a city is not shown."""
    return select(Exclusion.caregiver_id).where(
        stands(today),
        Exclusion.caregiver_id.is_not(None),
        or_(
            Exclusion.customer_id == customer_id,
            and_(Exclusion.customer_id.is_(None), Exclusion.city_code == city_code),
        ),
    )


def pairs(session: Session, city_code: str, customer_ids: Sequence[int]) -> set[tuple[int, int]]:
    """Which of these families (customer, caregiver) are not brought together in a city."""
    rows = session.execute(
        select(Account.id, Caregiver.id)
        .select_from(Account)
        .join(Exclusion, stands())
        .join(
            Caregiver,
            or_(Exclusion.caregiver_id.is_(None), Exclusion.caregiver_id == Caregiver.id),
        )
        .where(
            Account.id.in_(customer_ids),
            or_(Exclusion.customer_id.is_(None), Exclusion.customer_id == Account.id),
            Caregiver.city_code == city_code,
            or_(
                and_(Exclusion.customer_id.is_not(None), Exclusion.caregiver_id.is_not(None)),
                Exclusion.city_code == city_code,
            ),
        )
        .distinct()
    )
    return {(customer_id, caregiver_id) for customer_id, caregiver_id in rows}


def are(session: Session, customer_id: int, caregiver_id: int, city_code: str) -> bool:
    """Whether these two are not brought together in this city."""
    return bool(session.scalar(select(keeps_apart(customer_id, caregiver_id, city_code))))


def check(session: Session, customer_id: int, caregiver_id: int, city_code: str) -> None:
    """Refuse to bring two together who are not to be; it is not said whose wish that is."""
    check_customer(session, customer_id, city_code)
    if are(session, customer_id, caregiver_id, city_code):
        raise Conflict("error.kept_apart")


def check_customer(session: Session, customer_id: int, city_code: str) -> None:
    """Refuse new orders of a family that is kept out of a city."""
    out = select(Exclusion.id).where(
        stands(),
        Exclusion.city_code == city_code,
        Exclusion.customer_id == customer_id,
        Exclusion.caregiver_id.is_(None),
    )
    if session.scalar(out.limit(1)) is not None:
        raise Conflict("error.customer_excluded")
