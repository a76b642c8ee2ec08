"""Waves: who is told of a pushed demand next, and what the worker does with pushes."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun
from data.notices import NoticeKind
from data.pushes import DemandPush, PushedCaregiver, PushStatus
from services import clock, lifecycles, notices, rules
from services.access import Actor, Permission
from services.board import open_work, situations
from services.dispatch import batches, explaining


def ranked(session: Session, demand: Demand) -> list[int]:
    """Everybody who could come to an open demand if there were no other, the best fit first.

    Neither those who applied, whom an operator can choose already, nor who said no.
    """
    if (work := open_work.of_demand(session, demand)) is None:
        return []
    problem = situations.alone(session, demand.city_code, [work])
    [one] = problem.demands
    found = explaining.recommended(batches.solve(problem), one.id, len(problem.caregivers))
    applied = session.scalars(
        select(Application.caregiver_id).where(
            Application.demand_id == demand.id, Application.status == ApplicationStatus.SUBMITTED
        )
    )
    known = set(applied)
    return [each.visit.caregiver_id for each in found if each.visit.caregiver_id not in known]


def send(session: Session, push: DemandPush, demand: Demand, order: Sequence[int]) -> int:
    """Tell the next few of those who could come; return how many."""
    said = rules.now(session, demand.city_code)
    told = session.scalars(
        select(PushedCaregiver.caregiver_id).where(PushedCaregiver.push_id == push.id)
    ).all()
    few = [one for one in order if one not in told][: said["wave_size"]]
    if not few:
        return 0
    push.waves += 1
    push.next_wave_at = clock.now() + timedelta(minutes=said["wave_minutes"])
    session.add_all(
        PushedCaregiver(
            created_at=clock.now(), push_id=push.id, caregiver_id=one, wave=push.waves, rank=rank
        )
        for rank, one in enumerate(few, len(told) + 1)
    )
    session.flush()
    _tell(session, NoticeKind.DEMAND_PUSHED, push, demand, few)
    return len(few)


def call_back(
    session: Session, push: DemandPush, demand: Demand, but_for: int | None = None
) -> None:
    """Tell those who have not said no that the demand is to be had no more."""
    waiting = [one for one in _waiting(session, push) if one != but_for]
    _tell(session, NoticeKind.PUSH_GONE, push, demand, waiting)


def any_due(session: Session) -> bool:
    """Whether a push waits for the worker."""
    due = select(DemandPush.id).join(Demand, Demand.id == DemandPush.demand_id).where(_is_due())
    return session.scalar(due.limit(1)) is not None


def send_due(session: Session, actor: Actor) -> int:
    """Send the waves that are due, end what is over, go on where an order came to nothing.

    Return how many pushes moved.
    """
    actor.require(Permission.RUN_JOBS)
    due = session.execute(
        select(DemandPush.id, DemandPush.demand_id)
        .join(Demand, Demand.id == DemandPush.demand_id)
        .where(_is_due())
        .order_by(DemandPush.next_wave_at)
    ).all()
    done = 0
    for push_id, demand_id in due:
        # Whoever takes a demand locks it first, too.
        locked = select(Demand).where(Demand.id == demand_id).with_for_update(skip_locked=True)
        demand = session.scalar(locked.execution_options(populate_existing=True))
        if demand is None:
            continue
        push = session.get_one(DemandPush, push_id, with_for_update=True, populate_existing=True)
        done += _move(session, actor, push, demand)
        session.flush()
    return done


def _move(session: Session, actor: Actor, push: DemandPush, demand: Demand) -> bool:
    """What the worker does with one push; whether it was anything."""
    is_open = demand.status is DemandStatus.OPEN and demand.starts_at > clock.now()
    match push.status:
        case PushStatus.ACCEPTED if is_open:
            _go_on(session, actor, push, demand)
        case PushStatus.UNDER_WAY if not is_open:
            lifecycles.take(session, actor, Noun.PUSH, push, "stop")
            call_back(session, push, demand)
        case PushStatus.UNDER_WAY if push.next_wave_at <= clock.now():
            if not send(session, push, demand, ranked(session, demand)):
                _exhaust(session, actor, push, demand)
        case _:
            return False
    return True


def _go_on(session: Session, actor: Actor, push: DemandPush, demand: Demand) -> None:
    """Tell those again who still could come and have not said no, and the next ones with them."""
    lifecycles.take(session, actor, Noun.PUSH, push, "go_on")
    push.order_id, push.next_wave_at = None, clock.now()
    order = ranked(session, demand)
    waiting = set(_waiting(session, push)) & set(order)
    fresh = send(session, push, demand, order)
    if not fresh and not waiting:
        _exhaust(session, actor, push, demand)
        return
    if not fresh:
        push.waves += 1
        minutes = rules.now(session, demand.city_code)["wave_minutes"]
        push.next_wave_at = clock.now() + timedelta(minutes=minutes)
    _tell(session, NoticeKind.DEMAND_PUSHED, push, demand, sorted(waiting))


def _exhaust(session: Session, actor: Actor, push: DemandPush, demand: Demand) -> None:
    lifecycles.take(session, actor, Noun.PUSH, push, "exhaust")
    notices.tell_operators(
        session,
        NoticeKind.PUSH_EXHAUSTED,
        demand.city_code,
        f"push-{push.id}-{push.waves}",
        demand_id=demand.id,
        item_id=demand.item_id,
    )


def _waiting(session: Session, push: DemandPush) -> Sequence[int]:
    """Those who were told and have not said no."""
    return session.scalars(
        select(PushedCaregiver.caregiver_id)
        .where(PushedCaregiver.push_id == push.id, PushedCaregiver.said_no_at.is_(None))
        .order_by(PushedCaregiver.rank)
    ).all()


def _tell(
    session: Session, kind: NoticeKind, push: DemandPush, demand: Demand, whom: Sequence[int]
) -> None:
    about = f"push-{push.id}-{push.waves}"
    notices.tell_all(session, kind, whom, about, demand_id=demand.id, item_id=demand.item_id)


def _is_due() -> ColumnElement[bool]:
    """Of pushes joined with their demands: those that the worker has to move."""
    is_open = and_(Demand.status == DemandStatus.OPEN, Demand.starts_at > clock.now())
    return or_(
        and_(
            DemandPush.status == PushStatus.UNDER_WAY,
            or_(DemandPush.next_wave_at <= clock.now(), ~is_open),
        ),
        and_(DemandPush.status == PushStatus.ACCEPTED, is_open),
    )
