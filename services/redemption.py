"""Redemption: a code per visit, derived and never stored, that proves the visit took place."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.calls import Call, Direction
from data.cities import City
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, OrderKind, Visit, VisitStatus
from data.recipients import Recipient
from data.sealing import derived_key
from services import audit, clock, ledger, lifecycles, notices, track_records
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound, ServiceError

# No signs that look or are read alike: 0 O, 1 I L, 2 Z, 5 S, 8 B.
ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
CODE_LENGTH = 8
MOST_WRONG_CODES = 5
_WITH_CODE = (VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, VisitStatus.FINISHED)


@dataclass(frozen=True, slots=True)
class Redeemable:
    """A finished visit that waits for its code."""

    visit_id: int
    order_id: int
    item_id: int
    caregiver_name: str
    recipient_name: str
    starts_at: datetime
    ends_at: datetime
    total_fen: int
    locked_until: datetime | None


def derive(visit_id: int, issue: int) -> str:
    """The code of a visit's n-th issue: 8 signs from HMAC-SHA256 (RFC 2104), so 25^8 codes."""
    digest = hmac.new(
        derived_key("redemption code"), f"{visit_id}:{issue}".encode(), hashlib.sha256
    ).digest()
    number, signs = int.from_bytes(digest), []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[place])
    return "".join(signs)


def grouped(code: str) -> str:
    """The code as it is shown and read aloud: ABCD-EFGH."""
    return f"{code[:4]}-{code[4:]}"


def codes(session: Session, actor: Actor) -> dict[int, str]:
    """The actor's own codes of visits not yet redeemed, by visit."""
    actor.require(Permission.WORK_VISIT)
    rows = session.execute(
        select(Visit.id, Visit.code_issue).where(
            Visit.caregiver_id == actor.id,
            Visit.status.in_(_WITH_CODE),
        )
    )
    return {visit_id: grouped(derive(visit_id, issue)) for visit_id, issue in rows}


def waiting(session: Session, actor: Actor, *, customer_id: int | None = None) -> list[Redeemable]:
    """The finished visits this actor can redeem, or one customer's of them, oldest first."""
    actor.require(Permission.REDEEM)
    finished = _visible_to(actor)
    if customer_id is not None:
        finished = finished.where(Order.customer_id == customer_id)
    rows = session.execute(
        finished.join(Account, Account.id == Visit.caregiver_id)
        .join(Recipient, Recipient.id == Order.recipient_id)
        .add_columns(Order, Account.name, Recipient.name)
        .where(Visit.status == VisitStatus.FINISHED)
        .order_by(Visit.starts_at)
        .limit(50)
    )
    return [
        Redeemable(
            visit_id=visit.id,
            order_id=order.id,
            item_id=order.item_id,
            caregiver_name=caregiver_name,
            recipient_name=recipient_name,
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            total_fen=visit.total_fen,
            locked_until=visit.locked_until,
        )
        for visit, order, caregiver_name, recipient_name in rows
    ]


def redeem(session: Session, actor: Actor, visit_id: int, code: str) -> ServiceError | None:
    """Close a finished visit with its code and book the pay, exactly once.

    A wrong code is returned, not raised: the try must stay counted.
    """
    actor.require(Permission.REDEEM)
    visit = session.scalar(_visible_to(actor).where(Visit.id == visit_id).with_for_update(of=Visit))
    if visit is None:
        raise NotFound("error.visit_not_found")
    if actor.role is Role.DESK and not _called_back(session, visit):
        raise Conflict("error.call_back_first")
    if visit.status is VisitStatus.REDEEMED:
        raise Conflict("error.already_redeemed")
    if visit.status is not VisitStatus.FINISHED:
        raise Conflict("error.visit_not_finished")
    if visit.locked_until is not None and visit.locked_until > clock.now():
        raise Conflict("error.redemption_locked", until=visit.locked_until)
    typed = "".join(sign for sign in code.upper() if sign.isalnum())
    if not typed:
        raise Invalid("error.code_missing")
    order = session.scalars(select(Order).where(Order.id == visit.order_id).with_for_update()).one()
    right = derive(visit.id, visit.code_issue)
    if not secrets.compare_digest(typed.encode(), right.encode()):
        return _count_wrong_code(session, actor, visit, order)

    lifecycles.take(session, actor, Noun.VISIT, visit, "redeem")
    settle(session, actor, order, visit)
    notices.tell(
        session,
        NoticeKind.VISIT_REDEEMED,
        visit.caregiver_id,
        f"visit-{visit.id}",
        order_id=order.id,
        visit_id=visit.id,
        item_id=order.item_id,
        pay_fen=visit.pay_fen,
    )
    return None


def _called_back(session: Session, visit: Visit) -> bool:
    """Whether somebody of the family was called about this visit, and their words kept."""
    heard = select(Call.id).where(
        Call.visit_id == visit.id, Call.direction == Direction.OUT, Call.words != ""
    )
    return session.scalar(heard.limit(1)) is not None


def settle(session: Session, actor: Actor, order: Order, visit: Visit) -> None:
    """What follows when a visit counts as made: its price is earned, a single order is over."""
    visit.redeemed_at, visit.wrong_codes, visit.locked_until = clock.now(), 0, None
    if order.kind is OrderKind.SINGLE:
        lifecycles.take(session, actor, Noun.ORDER, order, "complete")
    session.flush()
    ledger.book_redeemed(session, order, visit)
    track_records.recount(session, visit.caregiver_id)


def reissue(session: Session, actor: Actor, visit_id: int) -> None:
    """Give a visit a new code; the old one is worthless from now on."""
    actor.require(Permission.REISSUE_CODE)
    visit = session.scalar(_visible_to(actor).where(Visit.id == visit_id).with_for_update(of=Visit))
    if visit is None:
        raise NotFound("error.visit_not_found")
    if visit.status not in _WITH_CODE:
        raise Conflict("error.visit_moved_on")
    visit.code_issue += 1
    visit.wrong_codes, visit.locked_until = 0, None
    order = session.get_one(Order, visit.order_id)
    audit.record(session, actor, "reissue_code", "visit", visit.id, issue=visit.code_issue)
    notices.tell(
        session,
        NoticeKind.CODE_ISSUED,
        visit.caregiver_id,
        f"visit-{visit.id}-{visit.code_issue}",
        order_id=order.id,
        visit_id=visit.id,
        item_id=order.item_id,
    )


def _count_wrong_code(session: Session, actor: Actor, visit: Visit, order: Order) -> ServiceError:
    visit.wrong_codes += 1
    if visit.wrong_codes % MOST_WRONG_CODES:
        left = MOST_WRONG_CODES - visit.wrong_codes % MOST_WRONG_CODES
        return Invalid("error.redemption_wrong", left=left)
    city = session.scalars(select(City).where(City.code == order.city_code)).one()
    visit.locked_until = clock.now() + timedelta(minutes=city.redeem_lock_minutes)
    audit.record(session, actor, "lock_redemption", "visit", visit.id, wrong=visit.wrong_codes)
    notices.tell_operators(
        session,
        NoticeKind.REDEMPTION_LOCKED,
        order.city_code,
        f"visit-{visit.id}-{visit.code_issue}-{visit.wrong_codes}",
        order_id=order.id,
        visit_id=visit.id,
        item_id=order.item_id,
    )
    return Conflict("error.redemption_locked", until=visit.locked_until)


def _visible_to(actor: Actor) -> Select[Visit]:
    """Visits of the customer's own orders; for staff, of their cities'."""
    visits = select(Visit).join(Order, Order.id == Visit.order_id)
    match actor.role:
        case Role.CUSTOMER:
            return visits.where(Order.customer_id == actor.id)
        case Role.DESK | Role.OPERATOR:
            return visits.where(Order.city_code.in_(actor.cities))
        case _:
            return visits.where(false())
