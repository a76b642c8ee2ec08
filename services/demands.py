"""Demands: posted by families, shown in the task hall, until somebody is chosen."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, false, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver
from data.catalogue import CareItem, Skill
from data.cities import City, Place
from data.demands import Application, ApplicationStatus, Demand, DemandStatus, Invitation
from data.history import Noun
from data.notices import NoticeKind
from data.pushes import DemandPush, PushedCaregiver, PushStatus
from data.recipients import Recipient, Sex
from data.verifications import CaseKind
from services import (
    announcements,
    callers,
    calls,
    catalogue,
    cities,
    clock,
    drafts,
    kept_apart,
    lifecycles,
    notices,
    open_plans,
    places,
    regions,
    tasks,
    unmet_needs,
    verifications,
)
from services.access import Actor, Channel, Permission, Role
from services.calls import Outcome
from services.errors import Conflict, Invalid, NotFound
from services.open_plans import Rhythm
from services.wording import words

__all__ = [
    "ApplicationStatus",
    "DemandForm",
    "DemandStatus",
    "DemandView",
]

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class DemandForm:
    """A family's wish; prices in fen per unit, cell or place or neither; a plan's first visit."""

    recipient_id: int
    item_id: int
    city_code: str
    district_code: str
    address: str
    starts_at: datetime
    units: int
    lowest_fen: int
    highest_fen: int
    place_id: int | None = None
    cell: str | None = None
    skills: tuple[Skill, ...] = ()
    wished_sex: Sex | None = None
    words: str = ""
    rule: str | None = None
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """When, for how long and for how much; prices in fen per unit."""

    starts_at: datetime
    units: int
    lowest_fen: int
    highest_fen: int


@dataclass(frozen=True, slots=True)
class DemandView:
    """A demand as the family that posted it sees it."""

    id: int
    item_id: int
    recipient_name: str
    district_code: str
    starts_at: datetime
    ends_at: datetime
    units: int
    lowest_fen: int
    highest_fen: int
    words: str
    rhythm: Rhythm | None
    status: DemandStatus
    applications: int
    invited: int
    pushed: int
    offers: int
    repeatable: bool
    open_moves: tuple[str, ...]


def post(
    session: Session,
    actor: Actor,
    form: DemandForm,
    request_key: str,
    *,
    customer_id: int | None = None,
) -> int:
    """Post a demand for the actor, or for the customer the desk acts for; return its id.

    The same request key posts once: a double click or a second tab gets the first demand's id.
    """
    actor.require(Permission.POST_DEMAND)
    owner_id = callers.acted_for(session, actor, customer_id)
    posted = select(Demand.id).where(
        Demand.customer_id == owner_id, Demand.request_key == request_key
    )
    if (before := session.scalar(posted)) is not None:
        return before
    kept_apart.check_customer(session, owner_id, form.city_code)
    if form.rule is not None:
        city = cities.open_city(session, form.city_code)
        open_plans.check(form.rule, form.starts_at, form.until_on, city)
    demand = store(session, actor, form, request_key, owner_id, DemandStatus.OPEN)
    lifecycles.begin(session, actor, Noun.DEMAND, demand, "post")
    announce(session, actor, demand)
    drafts.drop(session, actor, owner_id)
    calls.mark(session, actor, Outcome.POSTED, owner_id, demand.city_code)
    return demand.id


def announce(session: Session, actor: Actor, demand: Demand, **wider: bool) -> None:
    """Offer a demand: have the worker tell the caregivers it suits, this time anew."""
    demand.offered_at, demand.offers = clock.now(), demand.offers + 1
    tasks.ask(session, actor, announcements.KIND, demand_id=demand.id, **wider)


def store(
    session: Session,
    actor: Actor,
    form: DemandForm,
    request_key: str,
    owner_id: int,
    status: DemandStatus,
) -> Demand:
    """A new demand of this customer's, checked and stored; its history is the caller's."""
    # Nobody merges the account away meanwhile; whoever just did is told so.
    owner = session.get_one(Account, owner_id, with_for_update={"read": True})
    if owner.status is AccountStatus.MERGED:
        raise Conflict("error.account_merged")
    recipient = session.get(Recipient, form.recipient_id, populate_existing=True)
    if recipient is None or recipient.customer_id != owner_id:
        raise NotFound("error.recipient_not_found")
    item = catalogue.named(session, form.item_id)
    city = cities.open_city(session, form.city_code)
    if actor.role is Role.DESK and city.code not in actor.cities:
        raise Conflict("error.city_not_open")
    _check_verified(session, actor, owner_id, city)
    if not regions.district_of_city(form.district_code, city.code):
        raise Invalid("error.district_of_another_city")
    address = words(form.address, "address", 200)
    said = words(form.words, "words", 500, required=False)
    check_time_and_price(form, item, city)
    demand = Demand(
        created_at=clock.now(),
        customer_id=owner_id,
        placed_by_id=actor.id,
        channel=actor.channel,
        request_key=request_key,
        recipient_id=recipient.id,
        item_id=item.id,
        city_code=city.code,
        district_code=form.district_code,
        place_id=form.place_id,
        cell=_cell(session, form),
        address=address,
        starts_at=form.starts_at,
        ends_at=form.starts_at + timedelta(hours=form.units * item.hours_per_unit),
        units=form.units,
        rule=form.rule,
        until_on=form.until_on,
        lowest_fen=form.lowest_fen,
        highest_fen=form.highest_fen,
        skills=[str(skill) for skill in form.skills],
        wished_sex=form.wished_sex,
        words=said,
        status=status,
    )
    session.add(demand)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("error.already_posted") from None
    unmet_needs.answer(session, owner_id, item.id, city.code)
    return demand


def _check_verified(session: Session, actor: Actor, owner_id: int, city: City) -> None:
    """Who books for themselves must be verified; who only calls cannot hand in documents."""
    if actor.channel is Channel.PHONE or not city.verify_customers:
        return
    if not verifications.is_verified(session, owner_id, CaseKind.CUSTOMER):
        raise Conflict("error.verify_first")


def withdraw(session: Session, actor: Actor, demand_id: int) -> None:
    """Take an open demand back; its applications close."""
    actor.require(Permission.WITHDRAW_DEMAND)
    demand = locked(session, actor, demand_id)
    lifecycles.take(session, actor, Noun.DEMAND, demand, "withdraw")
    close_applications(session, actor, demand)


def mine(session: Session, actor: Actor, *, customer_id: int | None = None) -> list[DemandView]:
    """The actor's demands, or one caller's, that have not become orders, newest first."""
    actor.require(Permission.POST_DEMAND)
    owned = visible_to(actor)
    if customer_id is not None:
        owned = owned.where(Demand.customer_id == customer_id)
    waiting = (
        select(func.count(Application.id))
        .where(
            Application.demand_id == Demand.id, Application.status == ApplicationStatus.SUBMITTED
        )
        .scalar_subquery()
    )
    invited = (
        select(func.count(Invitation.id)).where(Invitation.demand_id == Demand.id).scalar_subquery()
    )
    pushed = (
        select(func.count(PushedCaregiver.id))
        .join(DemandPush, DemandPush.id == PushedCaregiver.push_id)
        .where(DemandPush.demand_id == Demand.id, DemandPush.status == PushStatus.UNDER_WAY)
        .scalar_subquery()
    )
    rows = session.execute(
        owned.add_columns(Recipient.name, waiting, invited, pushed)
        .join(Recipient, Recipient.id == Demand.recipient_id)
        .where(Demand.status.not_in((DemandStatus.DIRECTED, DemandStatus.MATCHED)))
        .order_by(Demand.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        DemandView(
            id=d.id,
            item_id=d.item_id,
            recipient_name=name,
            district_code=d.district_code,
            starts_at=d.starts_at,
            ends_at=d.ends_at,
            units=d.units,
            lowest_fen=d.lowest_fen,
            highest_fen=d.highest_fen,
            words=d.words,
            rhythm=open_plans.rhythm(d),
            status=d.status,
            applications=count,
            invited=number,
            pushed=told,
            offers=d.offers,
            repeatable=repeatable(d),
            open_moves=tuple(
                move
                for move in lifecycles.open_moves(Noun.DEMAND, d.status, actor)
                if move == "withdraw" or (move == "improve" and not count)
            ),
        )
        for d, name, count, number, told in rows
    ]


def repeatable(demand: Demand) -> bool:
    """Whether it is over: it can be posted again."""
    return demand.status not in (DemandStatus.OPEN, DemandStatus.DIRECTED)


def expire_due(session: Session, actor: Actor) -> int:
    """Expire the open demands whose time has come; return how many."""
    actor.require(Permission.RUN_JOBS)
    due = session.scalars(
        select(Demand)
        .where(Demand.status == DemandStatus.OPEN, Demand.starts_at <= clock.now())
        .with_for_update(skip_locked=True)
    ).all()
    for demand in due:
        expire(session, actor, demand)
    return len(due)


def expire(session: Session, actor: Actor, demand: Demand) -> None:
    """End a demand whose time has come without anybody; the family is told."""
    lifecycles.take(session, actor, Noun.DEMAND, demand, "expire")
    applied = bool(close_applications(session, actor, demand))
    unmet_needs.note_expired(session, demand, applied=applied)
    about, facts = f"demand-{demand.id}", {"demand_id": demand.id, "item_id": demand.item_id}
    notices.tell(session, NoticeKind.DEMAND_EXPIRED, demand.customer_id, about, **facts)


def close_applications(session: Session, actor: Actor, demand: Demand) -> int:
    """Close every application still waiting for a demand; return how many."""
    rivals = session.scalars(
        select(Application).where(
            Application.demand_id == demand.id,
            Application.status == ApplicationStatus.SUBMITTED,
        )
    ).all()
    for rival in rivals:
        lifecycles.take(session, actor, Noun.APPLICATION, rival, "close")
        notices.tell(
            session,
            NoticeKind.APPLICATION_CLOSED,
            rival.caregiver_id,
            f"application-{rival.id}-{rival.version}",
            demand_id=demand.id,
            item_id=demand.item_id,
        )
    return len(rivals)


def reach(session: Session, actor: Actor, demand_id: int) -> Demand:
    """A demand this actor may reach."""
    demand = session.scalar(visible_to(actor).where(Demand.id == demand_id))
    if demand is None:
        raise NotFound("error.demand_not_found")
    return demand


def locked(session: Session, actor: Actor, demand_id: int) -> Demand:
    """A demand this actor may reach, locked until the transaction ends."""
    demand = session.scalar(
        visible_to(actor).where(Demand.id == demand_id).with_for_update(of=Demand)
    )
    if demand is None:
        raise NotFound("error.demand_not_found")
    return demand


def check_time_and_price(form: DemandForm | Terms, item: CareItem, city: City) -> None:
    """Refuse a time that has passed or is too far, and what the catalogue does not allow."""
    if form.starts_at <= clock.now():
        raise Invalid("error.start_in_past")
    if form.starts_at > clock.now() + timedelta(days=city.horizon_days):
        raise Invalid("error.start_too_far", days=city.horizon_days)
    if not item.fewest_units <= form.units <= item.most_units:
        raise Invalid("error.units_out_of_range", fewest=item.fewest_units, most=item.most_units)
    if form.lowest_fen > form.highest_fen:
        raise Invalid("error.price_upside_down")
    if form.lowest_fen < item.lowest_fen or form.highest_fen > item.highest_fen:
        raise Invalid(
            "error.price_out_of_range", lowest_fen=item.lowest_fen, highest_fen=item.highest_fen
        )


def _cell(session: Session, form: DemandForm) -> str:
    if form.place_id is not None:
        place = session.get(Place, form.place_id)
        if (
            place is None
            or place.district_code != form.district_code
            or place.retired_at is not None
        ):
            raise NotFound("error.place_not_found")
        return place.cell
    if form.cell is not None and form.cell in places.cells_of_district(form.district_code):
        return form.cell
    if form.cell is not None:
        raise Invalid("error.cell_of_another_district")
    return places.cell_of_district(form.district_code)


def visible_to(actor: Actor) -> Select[Demand]:
    """A customer's own, a caregiver's city's open ones, a staff member's cities'."""
    demands = select(Demand)
    match actor.role:
        case Role.CUSTOMER:
            return demands.where(Demand.customer_id == actor.id)
        case Role.CAREGIVER:
            my_city = select(Caregiver.city_code).where(Caregiver.id == actor.id).scalar_subquery()
            return demands.where(
                Demand.city_code == my_city,
                Demand.status == DemandStatus.OPEN,
                Demand.starts_at > clock.now(),
                Demand.customer_id != actor.id,
                ~kept_apart.keeps_apart(Demand.customer_id, actor.id or 0, Demand.city_code),
            )
        case Role.DESK | Role.OPERATOR:
            return demands.where(Demand.city_code.in_(actor.cities))
        case _:
            return demands.where(false())
