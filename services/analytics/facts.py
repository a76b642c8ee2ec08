"""Facts as the live database tells them, month by month, without anybody in them.

Columns are read, never rows of the models, and in pieces, so that a month of any size fits in the
memory. They come in the order of their numbers, so that both databases make the same file.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from data.accounts import Account
from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.footfalls import Footfall
from data.history import Noun, StatusChange
from data.orders import Order, OrderStatus, Segment, Visit, VisitStatus
from data.recipients import Recipient
from data.reviews import Review
from data.unmet_needs import UnmetNeed
from services.analytics import pseudonyms
from services.analytics.months import Moment, Month
from services.analytics.schemas import Fact
from services.analytics.terms import Answer, How

PIECE = 10_000
Rows = Select[*tuple[Any, ...]]

# An order that stands, or stood to its end: the one a need was served by.
AGREED = (OrderStatus.CONFIRMED, OrderStatus.PAUSED, OrderStatus.COMPLETED)
_ANSWERS = {
    "accept": Answer.ACCEPTED.value,
    "agree": Answer.ACCEPTED.value,
    "refuse": Answer.REFUSED.value,
    "expire": Answer.EXPIRED.value,
    "call_off": Answer.WITHDRAWN.value,
    "block": Answer.CLOSED.value,
}
_DECISIONS = {
    ApplicationStatus.APPROVED: Answer.ACCEPTED.value,
    ApplicationStatus.DECLINED: Answer.REFUSED.value,
    ApplicationStatus.CLOSED: Answer.CLOSED.value,
    ApplicationStatus.WITHDRAWN: Answer.WITHDRAWN.value,
}
# Where to find the moments by which the months of a fact are told.
MOMENTS: dict[Fact, tuple[Moment, ...]] = {
    Fact.NEEDS: (Demand.starts_at,),
    Fact.VISITS: (Visit.starts_at,),
    Fact.OFFERS: (Application.created_at, Order.created_at),
    Fact.REVIEWS: (Review.created_at,),
    Fact.UNMET: (UnmetNeed.created_at,),
    Fact.FAMILIES: (Account.created_at,),
    Fact.FOOTFALL: (Footfall.on_day,),
}


def tables(session: Session, fact: Fact, month: Month) -> Iterator[pa.Table]:
    """A fact's rows of a month, in pieces; not of what lies in one file, nor of families."""
    for rows in _SOURCES[fact](month):
        asked = session.execute(rows, execution_options={"yield_per": PIECE})
        for piece in asked.partitions():
            yield pseudonyms.table(fact, rows.selected_columns.keys(), piece)


def batched(numbers: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    """Numbers in pieces that a question can hold."""
    for first in range(0, len(numbers), most):
        yield numbers[first : first + most]


def _per_hour(fen: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[int]:
    """A price per unit of the care item as one per hour, a half rounded up."""
    hours = CareItem.hours_per_unit
    return (2 * fen + hours) // (2 * hours)


def _confirmed(order_id: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column of any alias
    """Of history: the steps by which an order came to stand."""
    return and_(
        StatusChange.noun == Noun.ORDER,
        StatusChange.subject_id == order_id,
        StatusChange.new_status == OrderStatus.CONFIRMED,
    )


def _needs(month: Month) -> list[Rows]:
    """Demands, each with the order that stands or, failing that, the last one.

    The caregiver, her district and her price are told of one that was agreed with, even if it was
    called off afterwards; `matched_at` is the first agreement, with whomever it was.
    """
    # Every status by name: only so the index that begins with it is used.
    here = and_(Demand.status.in_(tuple(DemandStatus)), month.holds(Demand.starts_at))
    stands_first = case((Order.status.in_(AGREED), 0), else_=1)
    place = func.row_number().over(
        partition_by=Order.demand_id, order_by=(stands_first, Order.id.desc())
    )
    ranked = (
        select(Order.id, Order.demand_id, place.label("place"))
        .join(Demand, Demand.id == Order.demand_id)
        .where(here)
        .subquery()
    )
    was_agreed = exists().where(_confirmed(Order.id))
    its = aliased(Order)
    # One in the other, not joined: SQLite would begin with every step any order ever took.
    stood_at = select(func.min(StatusChange.created_at)).where(_confirmed(its.id))
    matched_at = (
        select(func.min(stood_at.correlate(its).scalar_subquery()))
        .where(its.demand_id == Demand.id)
        .correlate(Demand)
        .scalar_subquery()
    )
    applications = (
        select(func.count(Application.id))
        .where(Application.demand_id == Demand.id)
        .correlate(Demand)
        .scalar_subquery()
    )
    return [
        select(
            Demand.id.label("need"),
            Demand.customer_id.label("family"),
            Demand.recipient_id.label("recipient"),
            case((was_agreed, Order.caregiver_id)).label("caregiver"),
            Order.id.label("order"),
            Demand.city_code.label("city"),
            Demand.district_code.label("district"),
            Demand.cell,
            case((was_agreed, Caregiver.district_code)).label("home_district"),
            CareItem.code.label("item"),
            CareItem.group.label("item_group"),
            Demand.channel,
            case((Demand.rule.is_(None), "single"), else_="monthly").label("kind"),
            Demand.created_at.label("posted_at"),
            Demand.starts_at,
            matched_at.label("matched_at"),
            (Demand.units * CareItem.hours_per_unit).label("hours"),
            _per_hour(Demand.lowest_fen).label("lowest_fen"),
            _per_hour(Demand.highest_fen).label("highest_fen"),
            case((was_agreed, _per_hour(Order.unit_price_fen))).label("agreed_fen"),
            applications.label("applications"),
            Demand.status,
            Order.status.label("order_status"),
            Recipient.birth_date.label("recipient_age"),
            Recipient.sex.label("recipient_sex"),
        )
        .join(CareItem, CareItem.id == Demand.item_id)
        .join(Recipient, Recipient.id == Demand.recipient_id)
        .outerjoin(ranked, and_(ranked.c.demand_id == Demand.id, ranked.c.place == 1))
        .outerjoin(Order, Order.id == ranked.c.id)
        .outerjoin(Caregiver, Caregiver.id == Order.caregiver_id)
        .where(here)
        .order_by(Demand.id)
    ]


def _visits(month: Month) -> list[Rows]:
    """Visits, those too that stand in for others; the cell is the demand's, which can be erased."""
    return [
        select(
            Visit.id.label("visit"),
            Visit.order_id.label("order"),
            Order.demand_id.label("need"),
            Order.customer_id.label("family"),
            Visit.caregiver_id.label("caregiver"),
            Order.city_code.label("city"),
            Order.district_code.label("district"),
            Demand.cell,
            CareItem.code.label("item"),
            CareItem.group.label("item_group"),
            Order.kind,
            Visit.starts_at,
            Visit.ends_at,
            Visit.status,
            Visit.checked_in_at,
            Visit.checked_out_at,
            Visit.redeemed_at,
            Visit.ended_by,
            Visit.total_fen,
            Visit.commission_fen,
        )
        .join(Order, Order.id == Visit.order_id)
        .join(Demand, Demand.id == Order.demand_id)
        .join(CareItem, CareItem.id == Order.item_id)
        .where(Visit.status.in_(tuple(VisitStatus)), month.holds(Visit.starts_at))
        .order_by(Visit.id)
    ]


def _offers(month: Month) -> list[Rows]:
    """Applications and how they stand, then requests and how the caregiver answered them."""
    decided_at = (
        select(StatusChange.created_at)
        .where(
            StatusChange.noun == Noun.APPLICATION,
            StatusChange.subject_id == Application.id,
            StatusChange.new_status == Application.status,
        )
        .order_by(StatusChange.id.desc())
        .limit(1)
        .correlate(Application)
        .scalar_subquery()
    )
    decisions = ((Application.status == status, answer) for status, answer in _DECISIONS.items())
    applied = (
        select(
            Application.caregiver_id.label("caregiver"),
            Application.demand_id.label("need"),
            Demand.city_code.label("city"),
            Demand.district_code.label("district"),
            CareItem.code.label("item"),
            CareItem.group.label("item_group"),
            literal(How.APPLICATION.value).label("how"),
            Application.created_at.label("made_at"),
            _per_hour(Application.price_fen).label("price_fen"),
            case(*decisions, else_=Answer.WAITING.value).label("outcome"),
            case((Application.status.in_(tuple(_DECISIONS)), decided_at)).label("answered_at"),
        )
        .join(Demand, Demand.id == Application.demand_id)
        .join(CareItem, CareItem.id == Demand.item_id)
        .where(month.holds(Application.created_at))
        .order_by(Application.id)
    )
    # Whom an order names may have changed since; its first visit and stretch have not.
    asked_first, price_first = (
        select(column)
        .where(of_order == Order.id)
        .order_by(number)
        .limit(1)
        .correlate(Order)
        .scalar_subquery()
        for column, of_order, number in (
            (Visit.caregiver_id, Visit.order_id, Visit.id),
            (Segment.unit_price_fen, Segment.order_id, Segment.id),
        )
    )
    answer, answered_at = (
        select(column)
        .where(
            StatusChange.noun == Noun.ORDER,
            StatusChange.subject_id == Order.id,
            StatusChange.old_status == OrderStatus.REQUESTED,
        )
        .order_by(StatusChange.id)
        .limit(1)
        .correlate(Order)
        .scalar_subquery()
        for column in (StatusChange.move, StatusChange.created_at)
    )
    asked = (
        select(
            func.coalesce(asked_first, Order.caregiver_id).label("caregiver"),
            Order.demand_id.label("need"),
            Order.city_code.label("city"),
            Order.district_code.label("district"),
            CareItem.code.label("item"),
            CareItem.group.label("item_group"),
            literal(How.DIRECT.value).label("how"),
            Order.created_at.label("made_at"),
            _per_hour(func.coalesce(price_first, Order.unit_price_fen)).label("price_fen"),
            case(_ANSWERS, value=answer, else_=Answer.WAITING.value).label("outcome"),
            answered_at.label("answered_at"),
        )
        .join(CareItem, CareItem.id == Order.item_id)
        # Only what was asked of a caregiver awaits her answer.
        .where(Order.answer_until.is_not(None), month.holds(Order.created_at))
        .order_by(Order.id)
    )
    return [applied, asked]


def _reviews(month: Month) -> list[Rows]:
    """Reviews as they count; hidden ones do not."""
    return [
        select(
            Review.caregiver_id.label("caregiver"),
            Review.customer_id.label("family"),
            Order.city_code.label("city"),
            CareItem.code.label("item"),
            Review.created_at.label("made_at"),
            Review.weight,
            Review.skill,
            Review.attitude,
            Review.communication,
            Review.overall,
        )
        .join(Order, Order.id == Review.order_id)
        .join(CareItem, CareItem.id == Review.item_id)
        .where(Review.hidden_at.is_(None), month.holds(Review.created_at))
        .order_by(Review.id)
    ]


def _unmet(month: Month) -> list[Rows]:
    return [
        select(
            UnmetNeed.city_code.label("city"),
            UnmetNeed.district_code.label("district"),
            CareItem.code.label("item"),
            CareItem.group.label("item_group"),
            UnmetNeed.source,
            UnmetNeed.created_at.label("noted_at"),
            UnmetNeed.wanted_at,
            UnmetNeed.obstacle,
        )
        .join(CareItem, CareItem.id == UnmetNeed.item_id)
        .where(month.holds(UnmetNeed.created_at))
        .order_by(UnmetNeed.id)
    ]


def _footfall(month: Month) -> list[Rows]:
    # Not by number: days of different cities are counted in no order worth keeping.
    return [
        select(Footfall.city_code.label("city"), Footfall.on_day, Footfall.opened)
        .where(month.holds(Footfall.on_day))
        .order_by(Footfall.on_day, Footfall.city_code)
    ]


_SOURCES: dict[Fact, Callable[[Month], list[Rows]]] = {
    Fact.NEEDS: _needs,
    Fact.VISITS: _visits,
    Fact.OFFERS: _offers,
    Fact.REVIEWS: _reviews,
    Fact.UNMET: _unmet,
    Fact.FOOTFALL: _footfall,
}
