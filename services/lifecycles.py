"""How a status moves: one step along its table, with a history row."""

from enum import StrEnum

from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.chat import Talk
from data.cities import City
from data.complaints import Complaint, ExtraTime, Incident
from data.compliance import ComplianceFinding
from data.demands import Application, Demand
from data.dispatch import DispatchRun
from data.history import Noun, StatusChange
from data.invoices import Invoice
from data.orders import Order, Visit
from data.payouts import Payout, PayoutBatch
from data.points import PenaltyPoints
from data.policies import PolicyVersion
from data.pushes import DemandPush
from data.refunds import Refund
from data.repayments import Repayment
from data.rules import RuleVersion
from data.verifications import VerificationCase
from services import clock
from services.access import Actor
from services.errors import Conflict, NotAllowed
from services.moves import MOVES

Movable = (
    Account
    | City
    | Demand
    | Application
    | Order
    | Visit
    | Caregiver
    | VerificationCase
    | Complaint
    | Incident
    | ExtraTime
    | Talk
    | PayoutBatch
    | Payout
    | Refund
    | RuleVersion
    | ComplianceFinding
    | Repayment
    | PolicyVersion
    | PenaltyPoints
    | Invoice
    | DispatchRun
    | DemandPush
)


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
