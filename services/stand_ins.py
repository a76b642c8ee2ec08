"""Stand-ins: who could best make the visits a caregiver cannot, and all asked in one go."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.orders import ASIDE, Order, Visit, VisitStatus
from services import calendars, places, substitutes, to_do, track_records
from services.access import Actor, Permission
from services.board import open_work, seeking
from services.board.open_work import Work
from services.board.seeking import Found
from services.dispatch.rules import Rule
from services.errors import Invalid, ServiceError
from services.to_do import ToDoKind
from services.track_records import Score

MOST_VISITS = 50

# Who is asked for a visit and until when; visits with who said no to them.
Asked = tuple[str, datetime | None]
SaidNo = Set[tuple[int | None, int]]


@dataclass(frozen=True, slots=True)
class Option:
    """Somebody who can make a visit; `known` is how often she was with its recipient before.

    One who said no to this visit, or did not answer, is proposed no more but may be chosen.
    """

    id: int
    name: str
    known: int
    distance: places.DistanceBand
    score: Score
    said_no: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A visit that its caregiver cannot make, and who could, the cheapest first.

    `obstacles` counts the others by the rule that first keeps them away; `asked` is who was asked
    and has until `answer_until` to answer.
    """

    visit_id: int
    order_id: int
    item_id: int
    family_name: str
    starts_at: datetime
    ends_at: datetime
    options: tuple[Option, ...]
    proposed: Option | None
    obstacles: Mapping[Rule, int]
    asked: str = ""
    answer_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """The soonest visits a caregiver cannot make; `more` is how many further ones there are."""

    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Who could not be asked after all, for which visit, and why."""

    name: str
    starts_at: datetime
    refusal: ServiceError


@dataclass(frozen=True, slots=True)
class Outcome:
    asked: int
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Away:
    """A caregiver who cannot make visits for which nobody has come forward."""

    caregiver_id: int
    name: str
    visits: int


def away(session: Session, actor: Actor) -> list[Away]:
    """Who has visits, in a leave or unfilled, that still need somebody, the soonest first."""
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    rows = session.execute(
        select(Caregiver.id, Account.name, func.count(Visit.id))
        .join(Visit, Visit.caregiver_id == Caregiver.id)
        .join(Order, Order.id == Visit.order_id)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.city_code.in_(actor.cities), to_do.visit_waits(ToDoKind.LEAVES))
        .group_by(Caregiver.id, Account.name)
        .order_by(func.min(Visit.starts_at), Caregiver.id)
    )
    return [Away(*row) for row in rows]


def propose(session: Session, actor: Actor, caregiver_id: int) -> Proposal:
    """For each visit that a caregiver cannot make, who could, and whom dispatch would send.

    Nobody is proposed for two visits she cannot both make. However many visits and caregivers
    there are, the questions to the database are as many.
    """
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    city_code = calendars.reach(session, actor, caregiver_id).city_code
    every = open_work.of_caregiver(session, caregiver_id)
    works = every[:MOST_VISITS]
    if not works:
        return Proposal((), 0)
    asked, said_no = _answers(session, works)
    sought = [one for one in works if one.visit_id not in asked]
    found = seeking.seek(session, city_code, sought, caregiver_id)
    people = _people(session, {one for each in found for one in each.able})
    by_key = dict(zip((one.key for one in sought), found, strict=True))
    families = _families(session, works)
    lines = [
        _line(
            families[one.visit_id],
            one,
            _options(one, by_key[one.key], people, said_no) if one.key in by_key else (),
            by_key.get(one.key),
            asked.get(one.visit_id, ("", None)),
        )
        for one in works
    ]
    return Proposal(tuple(lines), len(every) - len(works))


def for_visit(session: Session, actor: Actor, visit_id: int) -> tuple[Option, ...]:
    """Everybody who could make one visit that is still to be made instead of its caregiver."""
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    order, visit = substitutes.reach(session, actor, visit_id)
    works = [open_work.of_visit(session, visit.id)]
    [found] = seeking.seek(session, order.city_code, works, visit.caregiver_id)
    _, said_no = _answers(session, works)
    return _options(works[0], found, _people(session, found.able), said_no)


def ask_all(session: Session, actor: Actor, wishes: Sequence[tuple[int, int]]) -> Outcome:
    """Ask somebody for each visit (numbers of visit and caregiver), each held through the gate.

    Whoever cannot be asked any more is named with the reason; the others are asked all the same.
    """
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    if not wishes:
        raise Invalid("error.nobody_to_ask")
    if len(wishes) > MOST_VISITS:
        raise Invalid("error.too_many_to_ask", most=MOST_VISITS)
    _hold(session, wishes)
    names, starts = _named(session, actor, wishes)
    refused = []
    for visit_id, caregiver_id in wishes:
        try:
            with session.begin_nested():
                substitutes.ask(session, actor, visit_id, caregiver_id)
        except ServiceError as refusal:
            if visit_id not in starts:
                raise
            name = names.get(caregiver_id, "")
            refused.append(Refused(name, starts[visit_id], refusal))
    return Outcome(len(wishes) - len(refused), tuple(refused))


def _answers(session: Session, works: Sequence[Work]) -> tuple[dict[int | None, Asked], SaidNo]:
    """Who is asked already for which visit and until when, and who said no to which."""
    rows = session.execute(
        select(
            Visit.replaces_id, Visit.caregiver_id, Visit.status, Visit.answer_until, Account.name
        )
        .join(Account, Account.id == Visit.caregiver_id)
        .where(Visit.replaces_id.in_([one.visit_id for one in works]), Visit.status.in_(ASIDE))
    ).all()
    offered = VisitStatus.OFFERED
    asked = {row.replaces_id: (row.name, row.answer_until) for row in rows if row.status is offered}
    return asked, {(row.replaces_id, row.caregiver_id) for row in rows if row.status is not offered}


def _people(session: Session, ids: Collection[int]) -> dict[int, tuple[Caregiver, str]]:
    """Some caregivers with their names."""
    rows = session.execute(
        select(Caregiver, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.id.in_(ids))
    )
    return {one.id: (one, name) for one, name in rows}


def _families(session: Session, works: Sequence[Work]) -> dict[int | None, tuple[int, str]]:
    """By visit its order, and who ordered it."""
    rows = session.execute(
        select(Visit.id, Order.id, Account.name)
        .join(Order, Order.id == Visit.order_id)
        .join(Account, Account.id == Order.customer_id)
        .where(Visit.id.in_([one.visit_id for one in works]))
    )
    return {visit_id: (order_id, name) for visit_id, order_id, name in rows}


def _options(
    work: Work, found: Found, people: Mapping[int, tuple[Caregiver, str]], said_no: SaidNo
) -> tuple[Option, ...]:
    """Everybody who can make a visit; those who said no to it come last."""
    options = [
        Option(
            one,
            people[one][1],
            found.visits_by.get(one, 0),
            places.band(places.distance_km(people[one][0].cell, work.cell)),
            track_records.score(people[one][0]),
            (work.visit_id, one) in said_no,
        )
        for one in found.able
    ]
    return tuple(sorted(options, key=lambda one: one.said_no))


def _line(
    ordered: tuple[int, str],
    work: Work,
    options: tuple[Option, ...],
    found: Found | None,
    asked: Asked,
) -> Line:
    order_id, family_name = ordered
    name, answer_until = asked
    return Line(
        work.visit_id or 0,
        order_id,
        work.item_id,
        family_name,
        work.starts_at,
        work.ends_at,
        options,
        next((one for one in options if found and one.id == found.sent), None),
        found.hindered if found else {},
        name,
        answer_until,
    )


def _hold(session: Session, wishes: Sequence[tuple[int, int]]) -> None:
    """Lock the orders, then the caregivers, by number: who asks for the same takes turns."""
    visits = select(Visit.order_id).where(Visit.id.in_([visit_id for visit_id, _ in wishes]))
    caregivers = Caregiver.id.in_([caregiver_id for _, caregiver_id in wishes])
    session.execute(
        select(Order.id).where(Order.id.in_(visits)).order_by(Order.id).with_for_update()
    ).all()
    session.execute(
        select(Caregiver.id)
        .where(caregivers)
        .order_by(Caregiver.id)
        .with_for_update(key_share=True)
    ).all()


def _named(
    session: Session, actor: Actor, wishes: Sequence[tuple[int, int]]
) -> tuple[dict[int, str], dict[int, datetime]]:
    """The names and the times that this actor may read, to say who could not be asked for when."""
    names = session.execute(
        select(Caregiver.id, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.id.in_([one for _, one in wishes]), Caregiver.city_code.in_(actor.cities))
    )
    starts = session.execute(
        select(Visit.id, Visit.starts_at)
        .join(Order, Order.id == Visit.order_id)
        .where(Visit.id.in_([one for one, _ in wishes]), Order.city_code.in_(actor.cities))
    )
    return {one: name for one, name in names}, {one: at for one, at in starts}  # noqa: C416
