"""How text messages leave the house. The demo keeps them in a console inbox of its own."""

from typing import Protocol

from sqlalchemy.orm import Session

from data.notices import ConsoleText
from services import clock, phones
from services.settings import settings


class NotDelivered(Exception):
    """The gateway did not take the message; it is tried again later."""


class Gateway(Protocol):
    ready: bool

    def send(self, session: Session, phone: str, body: str) -> None:
        """Send one text, or raise NotDelivered."""


class ConsoleGateway:
    """Sends nothing: keeps each text for the sign-in page of the demo to show."""

    ready = True

    def send(self, session: Session, phone: str, body: str) -> None:
        session.add(
            ConsoleText(created_at=clock.now(), phone_hash=phones.whole_hash(phone), body=body)
        )


class NoGateway:
    """Production without a configured gateway: every text waits in the outbox."""

    ready = False

    def send(self, session: Session, phone: str, body: str) -> None:
        raise NotDelivered


def current() -> Gateway:
    """The gateway the settings name."""
    return ConsoleGateway() if settings().demo else NoGateway()
