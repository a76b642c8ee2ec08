"""Care recipients: kept by the customer who pays for their care."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from data.recipients import Mobility, Recipient, Relation, Sex
from services import clock
from services.access import Actor, Permission
from services.errors import Invalid, NotFound
from services.wording import words

__all__ = ["Mobility", "RecipientForm", "RecipientView", "Relation", "Sex"]

OLDEST_YEARS = 120
MOST_RECIPIENTS = 20


@dataclass(frozen=True, slots=True)
class RecipientForm:
    name: str
    sex: Sex
    birth_date: date
    relation: Relation
    mobility: Mobility
    language: str = ""
    conditions: str = ""
    ward: str = ""
    emergency_contact: str = ""


@dataclass(frozen=True, slots=True)
class RecipientView:
    id: int
    name: str
    sex: Sex
    birth_date: date
    relation: Relation
    mobility: Mobility
    language: str


def save(
    session: Session, actor: Actor, form: RecipientForm, recipient_id: int | None = None
) -> int:
    """Add a recipient of the actor's, or change one; return the id."""
    actor.require(Permission.KEEP_RECIPIENTS)
    name = words(form.name, "recipient_name", 40)
    language = words(form.language, "recipient_language", 40, required=False)
    conditions = words(form.conditions, "conditions", 500, required=False)
    ward = words(form.ward, "ward", 100, required=False)
    contact = words(form.emergency_contact, "emergency_contact", 100, required=False)
    today = clock.today()
    if not today.year - OLDEST_YEARS <= form.birth_date.year or form.birth_date > today:
        raise Invalid("error.birth_date_impossible")
    if recipient_id is None:
        if len(listing(session, actor)) >= MOST_RECIPIENTS:
            raise Invalid("error.too_many_recipients", most=MOST_RECIPIENTS)
        recipient = Recipient(created_at=clock.now(), customer_id=actor.id)
        session.add(recipient)
    else:
        recipient = _own(session, actor, recipient_id)
    recipient.name, recipient.sex, recipient.birth_date = name, form.sex, form.birth_date
    recipient.relation, recipient.mobility = form.relation, form.mobility
    recipient.language = language
    recipient.conditions, recipient.ward, recipient.emergency_contact = conditions, ward, contact
    session.flush()
    return recipient.id


def listing(session: Session, actor: Actor) -> list[RecipientView]:
    """The actor's recipients, in the order they were added."""
    actor.require(Permission.KEEP_RECIPIENTS)
    return [
        RecipientView(r.id, r.name, r.sex, r.birth_date, r.relation, r.mobility, r.language)
        for r in session.scalars(_visible_to(actor).order_by(Recipient.id))
    ]


def details(session: Session, actor: Actor, recipient_id: int) -> RecipientForm:
    """Everything about one of the actor's own recipients, for editing."""
    actor.require(Permission.KEEP_RECIPIENTS)
    r = _own(session, actor, recipient_id)
    return RecipientForm(
        name=r.name,
        sex=r.sex,
        birth_date=r.birth_date,
        relation=r.relation,
        mobility=r.mobility,
        language=r.language,
        conditions=r.conditions,
        ward=r.ward,
        emergency_contact=r.emergency_contact,
    )


def age(birth_date: date) -> int:
    """Full years lived today in the city."""
    today = clock.today()
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)


def _own(session: Session, actor: Actor, recipient_id: int) -> Recipient:
    recipient = session.scalar(_visible_to(actor).where(Recipient.id == recipient_id))
    if recipient is None:
        raise NotFound("error.recipient_not_found")
    return recipient


def _visible_to(actor: Actor) -> Select[Recipient]:
    """Recipients belong to the customer who added them."""
    return select(Recipient).where(Recipient.customer_id == actor.id)
