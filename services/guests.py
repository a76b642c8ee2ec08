"""Guests: visitors without account who gave a phone; the token in their cookie is all they have."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from data.chat import Guest, Message, Reading, Side, Talk
from data.cities import City, CityStatus
from data.sealing import keyed_hash
from data.sessions import SignInTicket
from services import attempts, clock, messages, phones, sessions, talks
from services.access import SYSTEM, Actor, Permission
from services.errors import Invalid, NotFound
from services.messages import MessageView, Said
from services.sessions import Client, Opened
from services.talks import Standing
from services.wording import words

COOKIE_NAME = "carepilot_guest"
LIFETIME = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class GuestStanding:
    """How a guest's talk stands, and how many of the answers they have not read."""

    talk: Standing
    unread: int


def arrive(session: Session, name: str, phone: str, city_code: str, client: Client) -> Opened:
    """Let a visitor talk: a token for this tab, and the ticket that puts it into a cookie.

    The same phone given elsewhere opens nothing of this talk.
    """
    name = words(name, "name", 40, required=False)
    phone = phones.normalised(phone)
    open_here = select(City.id).where(City.code == city_code, City.status != CityStatus.CLOSED)
    if session.scalar(open_here) is None:
        raise Invalid("error.chat_city")
    phone_hash = phones.whole_hash(phone)
    attempts.count_guest(session, phone_hash, client.address)
    ticket = secrets.token_urlsafe(32)
    token, now = _token_of(ticket), clock.now()
    session.add_all(
        [
            Guest(
                created_at=now,
                token_hash=_hash(token),
                name=name,
                phone=phone,
                phone_hash=phone_hash,
                city_code=city_code,
                expires_at=now + LIFETIME,
            ),
            SignInTicket(
                created_at=now,
                ticket_hash=_ticket_hash(ticket),
                expires_at=now + sessions.TICKET_LIFETIME,
            ),
        ]
    )
    return Opened(token, ticket)


def take_ticket(session: Session, ticket: str) -> str | None:
    """Exchange a one-time ticket for its guest's token; None if it is used, old or unknown."""
    taken = session.scalar(
        update(SignInTicket)
        .where(
            SignInTicket.ticket_hash == _ticket_hash(ticket),
            SignInTicket.used_at.is_(None),
            SignInTicket.expires_at > clock.now(),
        )
        .values(used_at=clock.now())
        .returning(SignInTicket.id)
        .execution_options(synchronize_session=False)
    )
    return None if taken is None else _token_of(ticket)


def standing(session: Session, token: str) -> GuestStanding | None:
    """How this guest's talk stands; None if the token opens nothing (any more)."""
    guest = _find(session, token)
    if guest is None:
        return None
    talk = talks.latest(session, Talk.guest_id == guest.id)
    unread = select(func.count(Message.id)).where(
        Message.talk_id == (talk.id if talk else 0), messages.new_to(None)
    )
    return GuestStanding(
        talks.standing_of(session, talk, guest.city_code), session.scalar(unread) or 0
    )


def say(session: Session, token: str, text: str, key: str) -> int:
    """Say something to customer service; words only. Return the message's number."""
    guest = _guest(session, token)
    said = Said(words(text, "message", messages.LONGEST), key)
    whose = Talk.guest_id == guest.id
    talk = talks.latest(session, whose, lock=True)
    if talk is None:
        talk = talks.begin(session, SYSTEM, whose, guest.city_code, guest_id=guest.id)
    if (known := messages.known_as(session, talk, key)) is not None:
        return known
    messages.check_pace(session, talk, Message.side == Side.GUEST)
    message_id = messages.put(session, talk, Side.GUEST, None, said)
    messages.waits(session, SYSTEM, talk)
    return message_id


def thread(session: Session, token: str, shown: int = messages.SHOWN) -> list[MessageView]:
    """The last messages of the guest's own talk, oldest first."""
    guest = _guest(session, token)
    talk = talks.latest(session, Talk.guest_id == guest.id)
    return messages.views(session, talk, None, shown) if talk is not None else []


def mark_read(session: Session, token: str, message_id: int) -> None:
    """The guest has read the talk up to this message."""
    guest = _guest(session, token)
    if (talk := talks.latest(session, Talk.guest_id == guest.id)) is not None:
        messages.mark(session, talk, None, message_id)


def rate(session: Session, token: str, score: int, said: str = "") -> int:
    """Say once how well the settled talk helped, from 1 to 5 stars; return the talk's number."""
    guest = _guest(session, token)
    talk = talks.latest(session, Talk.guest_id == guest.id, lock=True)
    if talk is None:
        raise NotFound("error.talk_not_found")
    return talks.rate_settled(session, talk, score, said)


def listens_as(session: Session, token: str) -> str | None:
    """What news of this guest's talk go by; None if the token opens nothing (any more)."""
    guest = _find(session, token)
    return guest.token_hash if guest is not None else None


def forget_due(session: Session, actor: Actor) -> int:
    """Delete guests and their talks after 90 days; return how many guests."""
    actor.require(Permission.RUN_JOBS)
    gone = session.scalars(select(Guest.id).where(Guest.expires_at <= clock.now())).all()
    theirs = select(Talk.id).where(Talk.guest_id.in_(gone))
    for table in (Reading, Message):
        session.execute(delete(table).where(table.talk_id.in_(theirs)))
    session.execute(delete(Talk).where(Talk.guest_id.in_(gone)))
    session.execute(delete(Guest).where(Guest.id.in_(gone)))
    return len(gone)


def _guest(session: Session, token: str) -> Guest:
    if (guest := _find(session, token)) is None:
        raise NotFound("error.guest_gone")
    return guest


def _find(session: Session, token: str) -> Guest | None:
    return session.scalar(
        select(Guest).where(Guest.token_hash == _hash(token), Guest.expires_at > clock.now())
    )


def _token_of(ticket: str) -> str:
    return keyed_hash("guest token", ticket)


def _ticket_hash(ticket: str) -> str:
    # Apart from the tickets of sign-in, with which it shares the table.
    return _hash(f"guest {ticket}")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
