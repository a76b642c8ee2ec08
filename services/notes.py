"""Notes: what the staff should know of a caller, and what was promised to them by a day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.calls import Note, NoteKind
from services import callers, clock
from services.access import Actor, Permission
from services.errors import Invalid, NotFound
from services.wording import words

__all__ = ["NoteKind"]

MOST_SHOWN = 20
FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class NoteView:
    id: int
    kind: NoteKind
    words: str
    written_by: str
    written_at: datetime
    due_on: date | None

    @property
    def overdue(self) -> bool:
        """Whether the day it was promised for is over."""
        return self.due_on is not None and self.due_on < clock.today()


def add(
    session: Session,
    actor: Actor,
    customer_id: int,
    kind: NoteKind,
    said: str,
    due_on: date | None = None,
) -> int:
    """Note something of a caller; a promise has a day, today at the earliest."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    said = words(said, "note", 300)
    account = callers.reach(session, actor, customer_id)
    if kind is NoteKind.NOTE:
        due_on = None
    elif due_on is None:
        raise Invalid("error.missing", field="due_on")
    elif not clock.today() <= due_on <= clock.today() + FARTHEST:
        raise Invalid("error.promise_day")
    if not actor.cities:
        raise Invalid("error.city_not_open")
    city_code = account.city_code if account.city_code in actor.cities else min(actor.cities)
    note = Note(
        created_at=clock.now(),
        customer_id=account.id,
        city_code=city_code,
        written_by_id=actor.id,
        kind=kind,
        words=said,
        due_on=due_on,
    )
    session.add(note)
    session.flush()
    return note.id


def tick(session: Session, actor: Actor, note_id: int) -> None:
    """A promise is kept, or a note needed no more."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    note = session.scalar(_visible_to(actor).where(Note.id == note_id).with_for_update())
    if note is None:
        raise NotFound("error.note_not_found")
    if note.done_at is None:
        note.done_at, note.done_by_id = clock.now(), actor.id


def listing(session: Session, actor: Actor, customer_id: int) -> list[NoteView]:
    """What stands of a caller: promises by their day, then notes, newest first."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    callers.reach(session, actor, customer_id)
    rows = session.execute(
        _visible_to(actor)
        .join(Account, Account.id == Note.written_by_id)
        .add_columns(Account.name)
        .where(Note.customer_id == customer_id, Note.done_at.is_(None))
        .order_by(Note.due_on.is_(None), Note.due_on, Note.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        NoteView(note.id, note.kind, note.words, name, note.created_at, note.due_on)
        for note, name in rows
    ]


def _visible_to(actor: Actor) -> Select[Note]:
    """Those written in the desk's cities."""
    return select(Note).where(Note.city_code.in_(actor.cities))
