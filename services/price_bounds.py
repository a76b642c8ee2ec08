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
from data.tariffs import BasePrice
from services import audit, catalogue, clock, notices, recurrence, tariffs
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound

__all__ = ["Bounds", "CaregiverLevel", "CityPrices", "Dated", "Key"]

Key = tuple[int, CaregiverLevel]  # An item's id, and a level.


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a unit may cost, in fen."""

    lowest_fen: int
    highest_fen: int

    def clamp(self, price_fen: int) -> int:
        """The price within the bounds that is nearest to one."""
        return min(max(price_fen, self.lowest_fen), self.highest_fen)


@dataclass(frozen=True, slots=True)
class Dated:
    """Bounds that a city set for an item and level, and the day they begin."""

    id: int
    item_id: int
    level: CaregiverLevel
    valid_from: date
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class CityPrices:
    """A city's bounds of today for every item and level, and what it set itself.

    `kept` are those in force that the city set, `coming` those to come, soonest first; `unfair`
    are the days from which on somebody of a lower level may ask for more, with the item.
    """

    city_code: str
    now: Mapping[Key, Bounds]
    kept: frozenset[Key]
    coming: tuple[Dated, ...]
    unfair: tuple[tuple[date, int], ...]


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


def mine(session: Session, actor: Actor) -> list[CityPrices]:
    """The base prices of the actor's cities, by code."""
    actor.require(Permission.KEEP_TARIFFS)
    return [_of_city(session, code) for code in sorted(actor.cities)]


def _of_city(session: Session, city_code: str) -> CityPrices:
    today = clock.today()
    rows = session.scalars(
        select(BasePrice)
        .where(BasePrice.city_code == city_code)
        .order_by(BasePrice.valid_from, BasePrice.item_id, BasePrice.id)
    ).all()
    coming = tuple(
        Dated(
            row.id, row.item_id, row.level, row.valid_from, Bounds(row.lowest_fen, row.highest_fen)
        )
        for row in rows
        if row.valid_from > today
    )
    days = sorted({today, *(one.valid_from for one in coming)})
    unfair = dict[int, date]()
    for day in days:
        for item_id in _unfair(in_force(session, city_code, day)):
            unfair.setdefault(item_id, day)
    return CityPrices(
        city_code,
        in_force(session, city_code, today),
        frozenset((row.item_id, row.level) for row in rows if row.valid_from <= today),
        coming,
        tuple((day, item_id) for item_id, day in unfair.items()),
    )


def _unfair(bounds: Mapping[Key, Bounds]) -> set[int]:
    """The items for which a lower level may ask for more than a higher one's most."""
    levels = list(CaregiverLevel)
    return {
        item_id
        for item_id, level in bounds
        for higher in levels[levels.index(level) + 1 :]
        if bounds[item_id, level].highest_fen > bounds[item_id, higher].highest_fen
    }


def keep(
    session: Session,
    actor: Actor,
    city_code: str,
    item_id: int,
    level: CaregiverLevel,
    valid_from: date,
    lowest_fen: int,
    highest_fen: int,
) -> int:
    """Set a city's bounds of an item and level from a day on, today at the earliest.

    Returns their id. Those that were to begin on the same day are replaced; whose price moves
    is told. Prices agreed already stay as they are.
    """
    actor.require(Permission.KEEP_TARIFFS)
    tariffs.settable(session, actor, city_code, valid_from)
    item = catalogue.named(session, item_id)
    if lowest_fen > highest_fen:
        raise Invalid("error.price_upside_down")
    if not item.lowest_fen <= lowest_fen <= highest_fen <= item.highest_fen:
        raise Invalid(
            "error.price_out_of_range", lowest_fen=item.lowest_fen, highest_fen=item.highest_fen
        )
    key = item_id, level
    before = in_force(session, city_code, valid_from, item_id)[key]
    row = session.scalar(
        select(BasePrice).where(
            BasePrice.city_code == city_code,
            BasePrice.item_id == item_id,
            BasePrice.level == level,
            BasePrice.valid_from == valid_from,
        )
    )
    if row is None:
        row = BasePrice(
            created_at=clock.now(),
            city_code=city_code,
            item_id=item_id,
            level=level,
            valid_from=valid_from,
        )
        session.add(row)
    row.set_by_id, row.lowest_fen, row.highest_fen = actor.id, lowest_fen, highest_fen
    session.flush()
    _record(session, actor, "set_base_price", row)
    _tell_moved(session, row, before, Bounds(lowest_fen, highest_fen))
    return row.id


def drop(session: Session, actor: Actor, base_price_id: int) -> None:
    """Take back bounds that have not begun; whose price would have moved is told."""
    actor.require(Permission.KEEP_TARIFFS)
    row = session.scalar(
        select(BasePrice)
        .where(BasePrice.id == base_price_id, BasePrice.city_code.in_(actor.cities))
        .with_for_update()
    )
    if row is None:
        raise NotFound("error.base_price_not_found")
    if row.valid_from <= clock.today():
        raise Conflict("error.base_price_begun")
    key = row.item_id, row.level
    before = in_force(session, row.city_code, row.valid_from, row.item_id)[key]
    _record(session, actor, "drop_base_price", row)
    session.delete(row)
    session.flush()
    after = in_force(session, row.city_code, row.valid_from, row.item_id)[key]
    _tell_moved(session, row, before, after)


def _record(session: Session, actor: Actor, deed: str, row: BasePrice) -> None:
    audit.record(
        session,
        actor,
        deed,
        "base_price",
        row.id,
        item_id=row.item_id,
        level=str(row.level),
        valid_from=row.valid_from.isoformat(),
        lowest_fen=row.lowest_fen,
        highest_fen=row.highest_fen,
    )


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
