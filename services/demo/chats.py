"""What is said in the demo: some wait, one is answered, one was liked, one is about a visit."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.chat import Talk
from data.orders import Order, OrderStatus, Visit
from services import canned_replies, clock, guests, messages, talks
from services.access import Actor, Role
from services.demo import words
from services.demo.cast import Family
from services.demo.nantong import CITY
from services.messages import Said
from services.order_talks import LIVE
from services.sessions import NOBODYS

WAITED, ANSWERED, LIKED, GUESTS = (
    timedelta(minutes=6),
    timedelta(minutes=25),
    timedelta(days=1, hours=3),
    timedelta(minutes=14),
)
GUESTS_PHONE = "13900009999"


def talk(
    session: Session,
    actors: dict[Role, Actor],
    families: Sequence[Family],
    now: datetime,
) -> None:
    """Let families, a guest, Li and the desk write to each other, each at their moment."""
    desk, li = actors[Role.DESK], actors[Role.CAREGIVER]
    zhou, *others = [one.actor for one in families if one.actor.role is Role.CUSTOMER]
    for shortcut, zh, en in words.CANNED:
        canned_replies.save(session, actors[Role.OPERATOR], CITY, shortcut, zh, en)
    liked, waiting = others[:2]
    _exchange(session, liked, desk, words.LIKED, now - LIKED)
    with clock.at(now - LIKED + timedelta(minutes=20)):
        talk_id = _talk_of(session, liked)
        talks.settle(session, desk, talk_id)
        talks.rate(session, liked, talk_id, 5, words.LIKED_SCORE)
    _exchange(session, zhou, desk, words.ANSWERED, now - ANSWERED)
    with clock.at(now - GUESTS):
        token = guests.arrive(session, "", GUESTS_PHONE, CITY, NOBODYS).token
        guests.say(session, token, words.GUEST, "demo-guest")
    with clock.at(now - WAITED):
        messages.ask(session, waiting, Said(words.WAITING_TALK, "demo-waiting"), CITY)
    _about_a_visit(session, zhou, li, now)


def _exchange(
    session: Session, family: Actor, desk: Actor, said: Sequence[str], at: datetime
) -> None:
    """By turns, two minutes apart; the family first."""
    for number, text in enumerate(said):
        one = Said(text, f"demo-{number}")
        with clock.at(at + timedelta(minutes=2 * number)):
            if number % 2:
                messages.answer(session, desk, _talk_of(session, family), one)
            else:
                messages.ask(session, family, one, CITY)


def _about_a_visit(session: Session, zhou: Actor, li: Actor, now: datetime) -> None:
    order_id = session.scalar(
        select(Order.id)
        .join(Visit, Visit.order_id == Order.id)
        .where(
            Order.customer_id == zhou.id,
            Visit.caregiver_id == li.id,
            Visit.status.in_(LIVE),
            Order.status == OrderStatus.CONFIRMED,
        )
        .order_by(Visit.starts_at)
        .limit(1)
    )
    for number, text in enumerate(words.ABOUT_A_VISIT if order_id else ()):
        with clock.at(now - timedelta(minutes=50 - 3 * number)):
            who = li if number % 2 else zhou
            messages.say_about(session, who, order_id or 0, Said(text, f"demo-{number}"))


def _talk_of(session: Session, family: Actor) -> int:
    return session.scalars(select(Talk.id).where(Talk.account_id == family.id)).one()
