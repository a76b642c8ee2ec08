"""The one function that lets figures out to analysts: no cell of fewer than k people."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.catalogue import CareItem
from data.cities import City
from data.orders import Order, OrderStatus
from services.access import Actor, Permission

FEWEST_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Release:
    """A released table and how many cells were withheld from it.

    Columns of the table: the grouping, then orders, redeemed, people.
    """

    table: pd.DataFrame
    withheld: int
    smallest_cell: int


def orders_by(session: Session, actor: Actor, dimension: str) -> Release:
    """Orders by "district" or by "group" of the actor's cities, cells under k people withheld."""
    actor.require(Permission.READ_RELEASES)
    column = {"district": Order.district_code, "group": CareItem.group}[dimension]
    redeemed = func.count().filter(Order.status == OrderStatus.COMPLETED)
    query = (
        select(column, func.count(), redeemed, func.count(Order.customer_id.distinct()))
        .select_from(Order)
        .where(Order.city_code.in_(actor.cities))
        .group_by(column)
        .order_by(func.count().desc())
    )
    if dimension == "group":
        query = query.join(CareItem, CareItem.id == Order.item_id)
    rows = session.execute(query).all()
    k = session.scalar(select(func.max(City.smallest_cell)).where(City.code.in_(actor.cities)))
    table = pd.DataFrame(
        [tuple(row) for row in rows], columns=[dimension, "orders", "redeemed", "people"]
    )
    return withhold(table, max(k or 0, FEWEST_PEOPLE))


def withhold(table: pd.DataFrame, k: int) -> Release:
    """Leave out cells under k people, and one more if only one would be left to work out."""
    small = pd.Series(table["people"] < k)
    if small.sum() == 1 and not small.all():
        small |= table.index == table.loc[~small, "people"].idxmin()
    return Release(table.loc[~small].reset_index(drop=True), int(small.sum()), k)
