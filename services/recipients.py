"""Care recipients: kept by the customer who pays for their care."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.policies import Policy
from data.recipients import Mobility, Recipient, Relation, Sex
from services import audit, callers, clock, consents, name_keys
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
    agreed: bool = False


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
    session: Session,
    actor: Actor,
    form: RecipientForm,
    recipient_id: int | None = None,
    *,
    customer_id: int | None = None,
) -> int:
    """Add a recipient of the actor's or of the caller's, or change one; return the id.

    Health notes are kept once the customer has consented, now or before.
    """
    actor.require(Permission.KEEP_RECIPIENTS)
    owner_id = callers.acted_for(session, actor, customer_id)
    name = words(form.name, "recipient_name", 40)
    language = words(form.language, "recipient_language", 40, required=False)
    conditions = words(form.conditions, "conditions", 500, required=False)
    ward = words(form.ward, "ward", 100, required=False)
    contact = words(form.emergency_contact, "emergency_contact", 100, required=False)
    today = clock.today()
    if not today.year - OLDEST_YEARS <= form.birth_date.year or form.birth_date > today:
        raise Invalid("error.birth_date_impossible")
    if (conditions or ward) and not consents.given(session, owner_id, Policy.SENSITIVE_DATA):
        if not form.agreed:
            raise Invalid("error.health_notes_consent")
        consents.take_down(session, actor, owner_id, Policy.SENSITIVE_DATA)
    if recipient_id is None:
        if len(_of(session, owner_id)) >= MOST_RECIPIENTS:
            raise Invalid("error.too_many_recipients", most=MOST_RECIPIENTS)
        recipient = Recipient(created_at=clock.now(), customer_id=owner_id)
        session.add(recipient)
    else:
        recipient = _own(session, owner_id, recipient_id)
    recipient.name, recipient.sex, recipient.birth_date = name, form.sex, form.birth_date
    recipient.relation, recipient.mobility = form.relation, form.mobility
    recipient.language = language
    recipient.conditions, recipient.ward, recipient.emergency_contact = conditions, ward, contact
    session.flush()
    name_keys.keep(session, session.get_one(Account, owner_id))
    return recipient.id


def asks_consent(session: Session, actor: Actor, *, customer_id: int | None = None) -> bool:
    """Whether the customer has yet to consent before health notes can be kept."""
    actor.require(Permission.KEEP_RECIPIENTS)
    owner_id = callers.acted_for(session, actor, customer_id)
    return not consents.given(session, owner_id, Policy.SENSITIVE_DATA)


def listing(
    session: Session, actor: Actor, *, customer_id: int | None = None
) -> list[RecipientView]:
    """The actor's recipients or the caller's, in the order they were added."""
    actor.require(Permission.KEEP_RECIPIENTS)
    owner_id = callers.acted_for(session, actor, customer_id)
    return [
        RecipientView(r.id, r.name, r.sex, r.birth_date, r.relation, r.mobility, r.language)
        for r in _of(session, owner_id)
    ]


def details(
    session: Session, actor: Actor, recipient_id: int, *, customer_id: int | None = None
) -> RecipientForm:
    """Everything about one recipient, for editing; the desk's looks leave audit rows."""
    actor.require(Permission.KEEP_RECIPIENTS)
    r = _own(session, callers.acted_for(session, actor, customer_id), recipient_id)
    if customer_id is not None:
        audit.record(session, actor, "open_recipient", "recipient", r.id)
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


def _of(session: Session, owner_id: int) -> Sequence[Recipient]:
    owned = _visible_to(owner_id).order_by(Recipient.id)
    return session.scalars(owned).all()


def _own(session: Session, owner_id: int, recipient_id: int) -> Recipient:
    recipient = session.scalar(_visible_to(owner_id).where(Recipient.id == recipient_id))
    if recipient is None:
        raise NotFound("error.recipient_not_found")
    return recipient


def _visible_to(owner_id: int) -> Select[Recipient]:
    """Recipients belong to the customer they were added for."""
    return select(Recipient).where(Recipient.customer_id == owner_id)
