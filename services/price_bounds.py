"""Base prices: between what a caregiver of a level may ask for a unit of care, from a day on.

Her own price is kept as she set it and bounded whenever it is used; where a city never set any
bounds, those of the catalogue hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverLevel, CaregiverStatus, Rate
from data.catalogue import CareItem
from data.notices import NoticeKind
from data.price_bounds import BasePrice
from services import clock, notices, recurrence
from services.access import Actor, Permission

__all__ = ["Bounds", "CaregiverLevel", "Key"]

Key = tuple[int, CaregiverLevel]  # An item's id, and a level.


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a unit may cost, in fen."""

    lowest_fen: int
    highest_fen: int

    def clamp(self, price_fen: int) -> int:
        """The price within the bounds that is nearest to one."""
        return min(max(price_fen, self.lowest_fen), self.highest_fen)


def in_force(session: Session, city_code: str, day: date, *item_ids: int) -> dict[Key, Bounds]:
    """The bounds of a city on a day, for every level of these items, or of all, in one question.

    They never reach beyond the catalogue's, which may have been narrowed since.
    """
    asked = {"city": city_code, "day": day, "items": item_ids}
    rows = session.execute(_BOUNDS_OF if item_ids else _BOUNDS, asked)
    found = dict[Key, Bounds]()
    for item_id, least, most, level, lowest, highest in rows:
        whole = Bounds(least, most)
        for one in CaregiverLevel:
            found.setdefault((item_id, one), whole)
        if level is not None:
            found[item_id, level] = Bounds(whole.clamp(lowest), whole.clamp(highest))
    return found


# Asked at every search and booking: writing them takes longer than the answers.
_BOUNDS = (
    select(
        CareItem.id,
        CareItem.lowest_fen,
        CareItem.highest_fen,
        BasePrice.level,
        BasePrice.lowest_fen,
        BasePrice.highest_fen,
    )
    .outerjoin(
        BasePrice,
        and_(
            BasePrice.item_id == CareItem.id,
            BasePrice.city_code == bindparam("city"),
            BasePrice.valid_from <= bindparam("day"),
        ),
    )
    .order_by(BasePrice.valid_from)
)
_BOUNDS_OF = _BOUNDS.where(CareItem.id.in_(bindparam("items", expanding=True)))


def in_catalogue(session: Session) -> dict[int, Bounds]:
    """By item, between what a unit may cost at all."""
    return {
        item.id: Bounds(item.lowest_fen, item.highest_fen)
        for item in session.scalars(select(CareItem))
    }


def asked(session: Session, caregiver: Caregiver, item_id: int) -> int | None:
    """What a caregiver asks for a unit of an item today, in fen; None: she does not do it."""
    price_fen = session.scalar(
        select(Rate.price_fen).where(Rate.caregiver_id == caregiver.id, Rate.item_id == item_id)
    )
    if price_fen is None:
        return None
    bounds = in_force(session, caregiver.city_code, clock.today(), item_id)
    return bounds[item_id, caregiver.level].clamp(price_fen)


def own(session: Session, actor: Actor, city_code: str) -> dict[int, Bounds]:
    """By item, between what the actor may ask in a city today."""
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    row = session.get(Caregiver, actor.id)
    level = row.level if row else CaregiverLevel.INTERMEDIATE
    found = in_force(session, city_code, clock.today())
    return {item_id: bounds for (item_id, one), bounds in found.items() if one is level}


def unfair(bounds: Mapping[Key, Bounds]) -> set[int]:
    """The items for which a lower level may ask for more than a higher one's most."""
    levels = list(CaregiverLevel)
    return {
        item_id
        for item_id, level in bounds
        for higher in levels[levels.index(level) + 1 :]
        if bounds[item_id, level].highest_fen > bounds[item_id, higher].highest_fen
    }


def put(
    session: Session, city_code: str, valid_from: date, wanted: Mapping[Key, tuple[int, int]]
) -> None:
    """Let a city's bounds be these from a day on; what is in none of them is the catalogue's.

    Whose price moves is told. Prices agreed already stay as they are.
    """
    before = in_force(session, city_code, valid_from)
    whole = in_catalogue(session)
    for key, old in before.items():
        item_id, level = key
        new = Bounds(*wanted[key]) if key in wanted else whole[item_id]
        if new == old:
            continue
        row = BasePrice(
            created_at=clock.now(),
            city_code=city_code,
            item_id=item_id,
            level=level,
            valid_from=valid_from,
            lowest_fen=new.lowest_fen,
            highest_fen=new.highest_fen,
        )
        session.add(row)
        session.flush()
        _tell_moved(session, row, old, new)


def take_back(session: Session, city_code: str, valid_from: date) -> None:
    """Take back what was to begin on a day; whose price would have moved is told."""
    rows = session.scalars(
        select(BasePrice).where(
            BasePrice.city_code == city_code, BasePrice.valid_from == valid_from
        )
    ).all()
    planned = in_force(session, city_code, valid_from)
    for row in rows:
        session.delete(row)
    session.flush()
    kept = in_force(session, city_code, valid_from)
    for row in rows:
        key = row.item_id, row.level
        _tell_moved(session, row, planned[key], kept[key])


def _tell_moved(session: Session, row: BasePrice, before: Bounds, after: Bounds) -> None:
    """Tell the caregivers whose price is another from that day on than it was to be."""
    hers = (
        select(Caregiver.id, Rate.price_fen)
        .join(Rate, Rate.caregiver_id == Caregiver.id)
        .where(
            Caregiver.city_code == row.city_code,
            Caregiver.level == row.level,
            Caregiver.status == CaregiverStatus.APPROVED,
            Rate.item_id == row.item_id,
        )
    )
    told = dict[int, list[int]]()
    for caregiver_id, price_fen in session.execute(hers):
        if before.clamp(price_fen) != after.clamp(price_fen):
            told.setdefault(after.clamp(price_fen), []).append(caregiver_id)
    for price_fen, caregiver_ids in told.items():
        about = f"base-price-{row.id}-{clock.now():%Y%m%d%H%M%S%f}-{price_fen}"
        notices.tell_all(
            session,
            NoticeKind.PRICES_BOUNDED,
            caregiver_ids,
            about,
            item_id=row.item_id,
            price_fen=price_fen,
            due_at=recurrence.moment(row.valid_from, 0).isoformat(),
        )
