"""Every status machine as a table: one row per permitted step."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import clock
from services.access import Actor, Permission
from services.errors import Conflict, NotAllowed


@dataclass(frozen=True, slots=True)
class Move:
    name: str
    source: StrEnum
    target: StrEnum
    permission: Permission


DEMAND_MOVES = (
    Move("match", DemandStatus.OPEN, DemandStatus.MATCHED, Permission.DECIDE_APPLICATION),
    Move("withdraw", DemandStatus.OPEN, DemandStatus.WITHDRAWN, Permission.WITHDRAW_DEMAND),
    Move("expire", DemandStatus.OPEN, DemandStatus.EXPIRED, Permission.RUN_JOBS),
    Move("reopen", DemandStatus.MATCHED, DemandStatus.OPEN, Permission.CANCEL_ORDER),
)
APPLICATION_MOVES = (
    Move(
        "approve",
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.APPROVED,
        Permission.DECIDE_APPLICATION,
    ),
    Move(
        "decline",
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.DECLINED,
        Permission.DECIDE_APPLICATION,
    ),
    # Rivals lose with an approval, and everybody with a demand that ends.
    Move(
        "close",
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.CLOSED,
        Permission.DECIDE_APPLICATION,
    ),
    Move(
        "close", ApplicationStatus.SUBMITTED, ApplicationStatus.CLOSED, Permission.WITHDRAW_DEMAND
    ),
    Move("withdraw", ApplicationStatus.SUBMITTED, ApplicationStatus.WITHDRAWN, Permission.APPLY),
    # The customer wants somebody else: the demand reopens without this caregiver.
    Move(
        "turn_down",
        ApplicationStatus.APPROVED,
        ApplicationStatus.DECLINED,
        Permission.CANCEL_ORDER,
    ),
    Move("apply_again", ApplicationStatus.WITHDRAWN, ApplicationStatus.SUBMITTED, Permission.APPLY),
    Move("apply_again", ApplicationStatus.CLOSED, ApplicationStatus.SUBMITTED, Permission.APPLY),
)
ORDER_MOVES = (
    Move("cancel", OrderStatus.CONFIRMED, OrderStatus.CANCELLED, Permission.CANCEL_ORDER),
    Move("decline", OrderStatus.CONFIRMED, OrderStatus.CANCELLED, Permission.CANCEL_ORDER),
    Move("complete", OrderStatus.CONFIRMED, OrderStatus.COMPLETED, Permission.REDEEM),
)
VISIT_MOVES = (
    Move("check_in", VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, Permission.WORK_VISIT),
    Move("check_out", VisitStatus.IN_PROGRESS, VisitStatus.FINISHED, Permission.WORK_VISIT),
    Move("redeem", VisitStatus.FINISHED, VisitStatus.REDEEMED, Permission.REDEEM),
    Move("cancel", VisitStatus.PLANNED, VisitStatus.CANCELLED, Permission.CANCEL_ORDER),
)
CAREGIVER_MOVES = (
    Move(
        "submit",
        CaregiverStatus.DRAFT,
        CaregiverStatus.SUBMITTED,
        Permission.KEEP_CAREGIVER_PROFILE,
    ),
    Move(
        "submit",
        CaregiverStatus.REJECTED,
        CaregiverStatus.SUBMITTED,
        Permission.KEEP_CAREGIVER_PROFILE,
    ),
    Move(
        "approve", CaregiverStatus.SUBMITTED, CaregiverStatus.APPROVED, Permission.DECIDE_CAREGIVER
    ),
    Move(
        "reject", CaregiverStatus.SUBMITTED, CaregiverStatus.REJECTED, Permission.DECIDE_CAREGIVER
    ),
    Move(
        "suspend", CaregiverStatus.APPROVED, CaregiverStatus.SUSPENDED, Permission.DECIDE_CAREGIVER
    ),
    Move(
        "restore", CaregiverStatus.SUSPENDED, CaregiverStatus.APPROVED, Permission.DECIDE_CAREGIVER
    ),
)
MOVES: dict[Noun, tuple[Move, ...]] = {
    Noun.DEMAND: DEMAND_MOVES,
    Noun.APPLICATION: APPLICATION_MOVES,
    Noun.ORDER: ORDER_MOVES,
    Noun.VISIT: VISIT_MOVES,
    Noun.CAREGIVER: CAREGIVER_MOVES,
}


Movable = Demand | Application | Order | Visit | Caregiver


def open_moves(noun: Noun, status: StrEnum, actor: Actor) -> tuple[str, ...]:
    """The moves this actor may take from here, in table order."""
    return tuple(
        dict.fromkeys(
            move.name
            for move in MOVES[noun]
            if move.source == status and actor.may(move.permission)
        )
    )


def target(noun: Noun, name: str, status: StrEnum, actor: Actor) -> StrEnum:
    """Where the move leads from here, or a refusal that says why not."""
    candidates = [m for m in MOVES[noun] if (m.name, m.source) == (name, status)]
    if not candidates:
        raise Conflict(f"error.{noun}_moved_on")
    if not any(actor.may(move.permission) for move in candidates):
        raise NotAllowed("error.not_allowed")
    return candidates[0].target


def take(session: Session, actor: Actor, noun: Noun, row: Movable, name: str) -> None:
    """Move a row one step along its table and keep a history row of it."""
    new_status = target(noun, name, row.status, actor)
    session.add(_change(actor, noun, row.id, name, row.status, new_status))
    row.status = new_status  # pyright: ignore[reportAttributeAccessIssue] - of the row's enum


def begin(session: Session, actor: Actor, noun: Noun, row: Movable, name: str) -> None:
    """Keep the history row of a subject's first status; the row must have its id."""
    session.add(_change(actor, noun, row.id, name, "", row.status))


def _change(
    actor: Actor, noun: Noun, subject_id: int, name: str, old_status: str, new_status: str
) -> StatusChange:
    return StatusChange(
        created_at=clock.now(),
        noun=noun,
        subject_id=subject_id,
        move=name,
        old_status=old_status,
        new_status=new_status,
        actor_id=actor.id,
        role=actor.role,
        channel=actor.channel,
    )
