"""Drafts: a demand that is being written, kept for its author until it is posted."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.catalogue import CareItem, Skill
from data.cities import City, CityStatus, Place
from data.demands import Draft
from data.recipients import Recipient, Sex
from services import callers, clock, places, regions
from services.access import Actor, Permission, Role
from services.wording import words

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DraftFields:
    """What of a demand has been filled in so far; prices in fen per unit.

    With weekdays (0 = Monday), none chosen yet or some, it is a plan's: every so many weeks, from
    its day on until its last day, if it has one. None: a single visit's.
    """

    recipient_id: int | None = None
    item_id: int | None = None
    city_code: str | None = None
    district_code: str | None = None
    place_id: int | None = None
    cell: str | None = None
    address: str = ""
    day: date | None = None
    start: time | None = None
    weekdays: tuple[int, ...] | None = None
    weeks: int = 1
    until_on: date | None = None
    units: int | None = None
    lowest_fen: int | None = None
    highest_fen: int | None = None
    skills: tuple[Skill, ...] = ()
    wished_sex: Sex | None = None
    words: str = ""


class Lost(StrEnum):
    """What of a draft no longer holds."""

    RECIPIENT = "recipient"
    ITEM = "item"
    CITY = "city"
    PLACE = "place"
    TIME = "time"
    UNITS = "units"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as it can be gone on with: what still holds, and what does not."""

    saved_at: datetime
    fields: DraftFields
    lost: tuple[Lost, ...]


def save(
    session: Session, actor: Actor, fields: DraftFields, *, customer_id: int | None = None
) -> None:
    """Keep what the actor has written so far for this customer, over what was kept before."""
    actor.require(Permission.POST_DEMAND)
    owner_id = callers.acted_for(session, actor, customer_id)
    store(session, actor, fields, owner_id)


def store(session: Session, actor: Actor, fields: DraftFields, owner_id: int) -> None:
    """Store a draft of the actor's for this customer; of two tabs the later one stays."""
    checked = replace(
        fields,
        address=words(fields.address, "address", 200, required=False),
        words=words(fields.words, "words", 500, required=False),
    )
    body = json.dumps(asdict(checked), default=str)
    draft = session.scalar(_of(actor, owner_id).with_for_update())
    if draft is None:
        new = Draft(author_id=actor.id, customer_id=owner_id, created_at=clock.now())
        new.saved_at, new.body = clock.now(), body
        try:
            with session.begin_nested():
                session.add(new)
            return
        except IntegrityError:  # Another tab made it at this moment.
            draft = session.scalars(_of(actor, owner_id).with_for_update()).one()
    if draft.body != body:
        draft.saved_at, draft.body = clock.now(), body


def find(session: Session, actor: Actor, *, customer_id: int | None = None) -> DraftView | None:
    """The actor's draft for this customer, without what no longer holds."""
    actor.require(Permission.POST_DEMAND)
    owner_id = callers.acted_for(session, actor, customer_id)
    draft = session.scalar(_of(actor, owner_id))
    if draft is None:
        return None
    fields = _fields(json.loads(draft.body))
    lost = dict(_lost(session, actor, fields, owner_id))
    blank = DraftFields()
    gone = {name: getattr(blank, name) for names in lost.values() for name in names}
    return DraftView(draft.saved_at, replace(fields, **gone), tuple(lost))


def written(session: Session, actor: Actor, owner_id: int) -> DraftFields | None:
    """What the actor's draft for this customer says, whether it still holds or not."""
    draft = session.scalar(_of(actor, owner_id))
    return _fields(json.loads(draft.body)) if draft else None


def discard(session: Session, actor: Actor, *, customer_id: int | None = None) -> None:
    """Throw the actor's draft for this customer away."""
    actor.require(Permission.POST_DEMAND)
    drop(session, actor, callers.acted_for(session, actor, customer_id))


def drop(session: Session, actor: Actor, owner_id: int) -> None:
    """Delete the actor's draft for a customer, if there is one."""
    session.execute(delete(Draft).where(Draft.author_id == actor.id, Draft.customer_id == owner_id))


def prune_due(session: Session, actor: Actor) -> int:
    """Delete the drafts nobody went on with for a month; return how many."""
    actor.require(Permission.RUN_JOBS)
    old = delete(Draft).where(Draft.saved_at <= clock.now() - KEPT)
    return len(session.scalars(old.returning(Draft.id)).all())


def forget_of(session: Session, account_ids: list[int]) -> None:
    """Delete every draft by or for these people."""
    session.execute(
        delete(Draft).where(
            or_(Draft.author_id.in_(account_ids), Draft.customer_id.in_(account_ids))
        )
    )


def merge(session: Session, kept_id: int, gone_id: int) -> None:
    """Give the kept account the other's drafts; where both have one, the later stays."""
    theirs = select(Draft).where(or_(Draft.author_id == gone_id, Draft.customer_id == gone_id))
    for draft in session.scalars(theirs.with_for_update()):
        author_id = kept_id if draft.author_id == gone_id else draft.author_id
        same = select(Draft).where(Draft.author_id == author_id, Draft.customer_id == kept_id)
        if (rival := session.scalar(same.with_for_update())) is not None:
            older = rival if rival.saved_at <= draft.saved_at else draft
            session.delete(older)
            session.flush()
            if older is draft:
                continue
        draft.author_id, draft.customer_id = author_id, kept_id


def _fields(body: dict[str, Any]) -> DraftFields:
    day, start, until_on = body["day"], body["start"], body.get("until_on")
    weekdays, sex = body.get("weekdays"), body.get("wished_sex")
    return DraftFields(
        **body
        | {
            "day": date.fromisoformat(day) if day else None,
            "start": time.fromisoformat(start) if start else None,
            "weekdays": None if weekdays is None else tuple(weekdays),
            "until_on": date.fromisoformat(until_on) if until_on else None,
            "skills": tuple(Skill(skill) for skill in body["skills"]),
            "wished_sex": Sex(sex) if sex else None,
        }
    )


def _lost(
    session: Session, actor: Actor, written: DraftFields, owner_id: int
) -> Iterator[tuple[Lost, tuple[str, ...]]]:
    """What no longer holds, each with the fields that go with it."""
    if written.recipient_id is not None:
        recipient = session.get(Recipient, written.recipient_id)
        if recipient is None or recipient.customer_id != owner_id:
            yield Lost.RECIPIENT, ("recipient_id",)
    item = session.get(CareItem, written.item_id) if written.item_id is not None else None
    if written.item_id is not None and (item is None or not item.active):
        yield Lost.ITEM, ("item_id", "units", "lowest_fen", "highest_fen")
    elif item is not None:
        if written.units and not item.fewest_units <= written.units <= item.most_units:
            yield Lost.UNITS, ("units",)
        prices = (written.lowest_fen or 0, written.highest_fen or 0)
        if any(prices) and not item.lowest_fen <= prices[0] <= prices[1] <= item.highest_fen:
            yield Lost.PRICE, ("lowest_fen", "highest_fen")
    yield from _lost_of_place_and_time(session, actor, written)


def _lost_of_place_and_time(
    session: Session, actor: Actor, written: DraftFields
) -> Iterator[tuple[Lost, tuple[str, ...]]]:
    city = session.scalar(select(City).where(City.code == written.city_code))
    out_of_reach = actor.role is Role.DESK and written.city_code not in actor.cities
    if written.city_code and (city is None or city.status is CityStatus.CLOSED or out_of_reach):
        yield Lost.CITY, ("city_code", "district_code", "place_id", "cell")
    elif written.city_code and not _place_holds(session, written):
        yield Lost.PLACE, ("place_id", "cell")
    if written.day is None:
        return
    starts_at = datetime.combine(written.day, written.start or time(), clock.CITY_TIME)
    farthest = select(func.max(City.horizon_days)).where(City.status != CityStatus.CLOSED)
    horizon = timedelta(days=city.horizon_days if city else session.scalar(farthest) or 0)
    if not clock.now() < starts_at <= clock.now() + horizon:
        yield Lost.TIME, ("day",)


def _place_holds(session: Session, written: DraftFields) -> bool:
    """Whether the place is still known and the neighbourhood one of the district's."""
    district_code = written.district_code or ""
    if not regions.district_of_city(district_code, written.city_code or ""):
        return False
    if written.place_id is not None:
        place = session.get(Place, written.place_id)
        return (
            place is not None
            and place.retired_at is None
            and place.district_code == written.district_code
        )
    return written.cell is None or written.cell in places.cells_of_district(district_code)


def _of(actor: Actor, owner_id: int) -> Select[Draft]:
    """Drafts are their author's alone."""
    return select(Draft).where(Draft.author_id == actor.id, Draft.customer_id == owner_id)
