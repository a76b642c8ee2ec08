"""Repeats: a former demand made into the draft of a new one."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from data.catalogue import Skill
from services import callers, clock, demands, drafts, recurrence
from services.access import Actor, Permission
from services.drafts import DraftFields
from services.errors import Conflict, NotFound

A_WEEK = timedelta(days=7)


def repeat(
    session: Session, actor: Actor, demand_id: int, *, customer_id: int | None = None
) -> None:
    """Make a draft of a demand that is over, a week later or the first such time ahead.

    A plan keeps its weekdays and how long it lasts.

    A draft that is being written is not thrown away for it. Only the family itself sees its
    address again: the desk asks the caller.
    """
    actor.require(Permission.POST_DEMAND)
    owner_id = callers.acted_for(session, actor, customer_id)
    former = demands.reach(session, actor, demand_id)
    if former.customer_id != owner_id:
        raise NotFound("error.demand_not_found")
    if not demands.repeatable(former):
        raise Conflict("error.demand_not_repeatable")
    before = clock.in_city(former.starts_at)
    next_at = _next(before)
    weekdays, weeks = recurrence.parts(former.rule) if former.rule else (None, 1)
    fields = DraftFields(
        recipient_id=former.recipient_id,
        item_id=former.item_id,
        city_code=former.city_code,
        district_code=former.district_code,
        place_id=former.place_id,
        cell=former.cell if former.place_id is None else None,
        address=former.address if owner_id == actor.id else "",
        day=next_at.date(),
        start=next_at.time(),
        weekdays=weekdays,
        weeks=weeks,
        until_on=former.until_on and former.until_on + (next_at - before),
        units=former.units,
        lowest_fen=former.lowest_fen,
        highest_fen=former.highest_fen,
        skills=tuple(Skill(skill) for skill in former.skills),
        wished_sex=former.wished_sex,
        words=former.words,
    )
    if drafts.written(session, actor, owner_id) not in (None, fields):
        raise Conflict("error.draft_exists")
    drafts.store(session, actor, fields, owner_id)


def _next(before: datetime) -> datetime:
    """The same weekday and hour of a later week, the first one ahead."""
    weeks = max(1, (clock.now() - before) // A_WEEK + 1)
    return before + weeks * A_WEEK
