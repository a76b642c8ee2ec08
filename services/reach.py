"""Reach: whom an item, the way, a price and papers leave of a city's caregivers, best first.

The statements are written once for all that look alike: at every search that would take longer
than to answer them. All they have to know comes as parameters.
"""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Float,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    select,
    true,
    type_coerce,
)

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverLevel, CaregiverStatus, Rate
from data.recipients import Sex
from services import certificates, kept_apart, track_records
from services.price_bounds import Bounds

_ANY_PRICE = 2**31 - 1


class Sort(StrEnum):
    FIT = "fit"
    PRICE = "price"
    RATING = "rating"
    DISTANCE = "distance"
    SOONEST = "soonest"


class Near(NamedTuple):
    """One in reach, as far as the search needs to know before it shows her."""

    id: int
    price_fen: int
    kilometres: float


class Shape(NamedTuple):
    """What tells the statements of two searches apart; `alone`: one caregiver is asked for."""

    sort: Sort
    cells: int
    kinds: int
    alone: bool


class _Asked(NamedTuple):
    """What is known of each caregiver, as columns, which the database orders by.

    `liked` is her score with the city's mean behind it.
    """

    id: ColumnElement[int]
    price_fen: ColumnElement[int]
    kilometres: ColumnElement[float]
    reviews: ColumnElement[int]
    liked: ColumnElement[float]


def parameters(
    item_id: int,
    away: Mapping[str, float],
    kinds: Collection[str],
    bounds: Mapping[CaregiverLevel, Bounds],
    most_fen: int | None,
    mean: float,
) -> dict[str, Any]:
    """What the statements have to know, besides who works there: `away` is in km, by cell."""
    return {
        "item": item_id,
        **{f"cell_{number}": cell for number, cell in enumerate(away)},
        **{f"km_{number}": kilometres for number, kilometres in enumerate(away.values())},
        **{f"kind_{number}": kind for number, kind in enumerate(kinds)},
        **{f"lowest_{level}": bounds[level].lowest_fen for level in CaregiverLevel},
        **{f"highest_{level}": bounds[level].highest_fen for level in CaregiverLevel},
        "most_fen": _ANY_PRICE if most_fen is None else most_fen,
        "mean": mean,
    }


@cache
def _working(*, alone: bool) -> Select[*tuple[Any, ...]]:
    """The city's caregivers who may work, but for the one who asks; of one sex if that is told."""
    sex: BindParameter[Sex] = bindparam("sex", type_=Caregiver.sex.type)
    working = (
        select(Caregiver.id)
        .join(Account, Account.id == Caregiver.id)
        .where(
            Caregiver.city_code == bindparam("city"),
            Caregiver.status == CaregiverStatus.APPROVED,
            Account.status == AccountStatus.ACTIVE,
            Caregiver.id != bindparam("myself"),
            Caregiver.id.not_in(
                kept_apart.not_for(
                    bindparam("myself", type_=Integer),
                    bindparam("city", type_=String),
                    bindparam("today", type_=Date),
                )
            ),
            Caregiver.sex == func.coalesce(sex, Caregiver.sex),
        )
    )
    return working.where(Caregiver.id == bindparam("only")) if alone else working


@cache
def by_cell(*, alone: bool) -> Select[str, int]:
    """Where those who may work live, and how many they are."""
    working = _working(alone=alone)
    return working.with_only_columns(Caregiver.cell, func.count()).group_by(Caregiver.cell)


@lru_cache(maxsize=500)
def everybody(shape: Shape) -> Select[*tuple[Any, ...]]:
    """All who may work, with what may keep them away: price, papers and how far they go."""
    one = _columns(shape)
    return (
        _working(alone=shape.alone)
        .outerjoin(Rate, _RATE)
        .with_only_columns(
            one.id,
            one.price_fen,
            one.kilometres,
            Rate.price_fen,
            _certified(shape),
            Caregiver.radius_km,
        )
        .order_by(*_ORDERS[shape.sort](one))
    )


@lru_cache(maxsize=500)
def comers(shape: Shape, *more: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Those in reach alone, and something more of each."""
    one = _columns(shape)
    return (
        _working(alone=shape.alone)
        .join(Rate, _RATE)
        .with_only_columns(one.id, one.price_fen, one.kilometres, *more)
        .where(
            one.kilometres <= Caregiver.radius_km,
            one.price_fen <= bindparam("most_fen"),
            _certified(shape),
        )
        .order_by(*_ORDERS[shape.sort](one))
    )


@lru_cache(maxsize=500)
def first_comers(shape: Shape) -> Select[*tuple[Any, ...]]:
    """The first of those in reach, each with how many there are."""
    return comers(shape, func.count().over()).limit(bindparam("most"))


def _columns(shape: Shape) -> _Asked:
    """What tells of each one, as the database finds it."""
    price = Rate.price_fen
    bounded = {
        str(level): case(
            (price < bindparam(f"lowest_{level}"), bindparam(f"lowest_{level}", type_=Integer)),
            (price > bindparam(f"highest_{level}"), bindparam(f"highest_{level}", type_=Integer)),
            else_=price,
        )
        for level in CaregiverLevel
    }
    away = (
        (Caregiver.cell == bindparam(f"cell_{number}"), bindparam(f"km_{number}", type_=Float))
        for number in range(shape.cells)
    )
    said: ColumnElement[float] = type_coerce(Caregiver.overall_sum, Float)
    weight: ColumnElement[float] = type_coerce(Caregiver.review_weight, Float)
    return _Asked(
        id=type_coerce(Caregiver.id, Integer),
        price_fen=case(bounded, value=type_coerce(Caregiver.level, String)),
        kilometres=case(*away),
        reviews=type_coerce(Caregiver.reviews, Integer),
        liked=track_records.drawn(said, weight, bindparam("mean", type_=Float)),
    )


def _certified(shape: Shape) -> ColumnElement[bool]:
    kinds = (
        certificates.holds(Caregiver.id, bindparam(f"kind_{number}"))
        for number in range(shape.kinds)
    )
    return and_(true(), *kinds)


_RATE = (Rate.caregiver_id == Caregiver.id) & (Rate.item_id == bindparam("item"))
_ORDERS: dict[Sort, Callable[[_Asked], tuple[Any, ...]]] = {
    # Near and liked count alike: a star weighs as much as five kilometres.
    Sort.FIT: lambda one: (one.kilometres / 5 - one.liked, one.price_fen, one.id),
    Sort.PRICE: lambda one: (one.price_fen, -one.liked, one.id),
    Sort.RATING: lambda one: (-one.liked, -one.reviews, one.price_fen, one.id),
    Sort.DISTANCE: lambda one: (one.kilometres, one.price_fen, one.id),
    # The starts come later, found by their bitmaps.
    Sort.SOONEST: lambda one: (one.kilometres, one.id),
}
