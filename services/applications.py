"""Applications: caregivers offer themselves, the operator chooses one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun
from data.notices import NoticeKind
from data.orders import OrderStatus, Visit, VisitStatus
from services import (
    agreements,
    availability,
    calendars,
    certificates,
    clock,
    courses,
    demands,
    gate,
    kept_apart,
    ledger,
    lifecycles,
    loads,
    notices,
    open_plans,
    places,
    plan_approvals,
    pricing,
    recurrence,
    tariffs,
    to_do,
    track_records,
    waiting_lists,
)
from services.access import Actor, Permission, Role
from services.availability import Obstacle, Taken
from services.errors import Conflict, Invalid, NotFound
from services.loads import Load
from services.open_plans import Fit, Rhythm
from services.wording import words

# As Decision names them. Rows, not objects: whole demands are costly to load.
_SHOWN_OF_DEMAND = (
    "id item_id district_code starts_at ends_at units lowest_fen highest_fen words created_at"
).split()
_OF_PLANS = Demand.cell, Demand.rule, Demand.until_on


@dataclass(frozen=True, slots=True)
class Candidate:
    """One application as the operator compares it with its rivals."""

    id: int
    caregiver_id: int
    name: str
    price_fen: int
    total_fen: int
    words: str
    distance: places.DistanceBand
    obstacles: tuple[Obstacle, ...]
    load: Load
    fit: Fit | None
    missing_certificates: tuple[str, ...]
    score: track_records.Score
    liked: float
    applied_at: datetime

    @property
    def free(self) -> bool:
        """Whether no other visit takes the time, or not all of a plan: what the gate asks."""
        if self.fit is not None:
            return self.fit.fitting > 0
        return Obstacle.BUSY not in self.obstacles

    @property
    def fits(self) -> bool:
        """Whether nothing stands in the way, and no certificate is missing."""
        return not self.obstacles and not self.missing_certificates


@dataclass(frozen=True, slots=True)
class Decision:
    """A demand that waits for the operator, with everybody who applied, the likeliest first."""

    demand_id: int
    item_id: int
    district_code: str
    starts_at: datetime
    ends_at: datetime
    units: int
    lowest_fen: int
    highest_fen: int
    words: str
    posted_at: datetime
    rhythm: Rhythm | None
    candidates: tuple[Candidate, ...]


def apply(session: Session, actor: Actor, demand_id: int, price_fen: int, said: str = "") -> int:
    """Apply for an open demand at a price in fen per unit; return the application's id."""
    actor.require(Permission.APPLY)
    said = words(said, "application_words", 200, required=False)
    me = session.get(Caregiver, actor.id)
    if me is None or me.status is not CaregiverStatus.APPROVED:
        raise Conflict("error.caregiver_not_approved")
    demand = demands.locked(session, actor, demand_id)
    item = session.get_one(CareItem, demand.item_id)
    if not certificates.holds_all(session, me.id, item.required_certificates):
        raise Conflict("error.certificate_missing")
    if demand.wished_sex not in (None, me.sex):
        raise Conflict("error.other_sex_wished")
    if not demand.lowest_fen <= price_fen <= demand.highest_fen:
        raise Invalid(
            "error.price_out_of_range",
            lowest_fen=demand.lowest_fen,
            highest_fen=demand.highest_fen,
        )
    if demand.rule is not None:
        if not open_plans.fit(open_plans.laid(session, me, demand, price_fen)).fitting:
            raise Conflict("error.plan_fits_nowhere")
    elif not gate.is_free(session, me.id, demand.starts_at, demand.ends_at):
        raise Conflict("error.you_are_busy")
    application = session.scalar(
        select(Application).where(
            Application.demand_id == demand.id, Application.caregiver_id == me.id
        )
    )
    if application is None:
        application = Application(
            created_at=clock.now(),
            demand_id=demand.id,
            caregiver_id=me.id,
            price_fen=price_fen,
            words=said,
            status=ApplicationStatus.SUBMITTED,
        )
        session.add(application)
        session.flush()
        lifecycles.begin(session, actor, Noun.APPLICATION, application, "apply")
    else:
        lifecycles.take(session, actor, Noun.APPLICATION, application, "apply_again")
        application.price_fen, application.words = price_fen, said
        session.flush()
    notices.tell_operators(
        session,
        NoticeKind.APPLICATION_RECEIVED,
        demand.city_code,
        f"application-{application.id}-{application.version}",
        demand_id=demand.id,
        item_id=demand.item_id,
    )
    return application.id


def withdraw(session: Session, actor: Actor, demand_id: int) -> None:
    """Take the actor's own application for a demand back."""
    actor.require(Permission.APPLY)
    application = session.scalar(_visible_to(actor).where(Application.demand_id == demand_id))
    if application is None:
        raise NotFound("error.application_not_found")
    lifecycles.take(session, actor, Noun.APPLICATION, application, "withdraw")


def decline(session: Session, actor: Actor, application_id: int) -> None:
    """Tell one applicant no; the demand stays open for the others."""
    actor.require(Permission.DECIDE_APPLICATION)
    application = session.scalar(_visible_to(actor).where(Application.id == application_id))
    if application is None:
        raise NotFound("error.application_not_found")
    lifecycles.take(session, actor, Noun.APPLICATION, application, "decline")
    demand = session.get_one(Demand, application.demand_id)
    notices.tell(
        session,
        NoticeKind.APPLICATION_DECLINED,
        application.caregiver_id,
        f"application-{application.id}",
        demand_id=demand.id,
        item_id=demand.item_id,
    )


def approve(
    session: Session, actor: Actor, application_id: int, seen: Sequence[date] | None = None
) -> int:
    """Choose an applicant: order and visit arise, rivals wait, all at once; return the order.

    The demand is locked first, so that two approvals for one demand take their turn. Of a plan,
    the days on which she cannot come are left out; if the actor was shown others, nothing is done.
    """
    actor.require(Permission.DECIDE_APPLICATION)
    application = session.scalar(_visible_to(actor).where(Application.id == application_id))
    if application is None:
        raise NotFound("error.application_not_found")
    demand = demands.locked(session, actor, application.demand_id)
    session.refresh(application)
    lifecycles.take(session, actor, Noun.APPLICATION, application, "approve")
    lifecycles.take(session, actor, Noun.DEMAND, demand, "match")
    if demand.starts_at <= clock.now():
        raise Conflict("error.start_in_past")
    item = session.get_one(CareItem, demand.item_id)
    kept_apart.check(session, demand.customer_id, application.caregiver_id, demand.city_code)
    if not certificates.holds_all(session, application.caregiver_id, item.required_certificates):
        raise Conflict("error.caregiver_lacks_certificate")
    city = session.scalars(select(City).where(City.code == demand.city_code)).one()
    if demand.rule is not None:
        return plan_approvals.approve(session, actor, application, demand, city, seen)
    order = agreements.begin(
        session,
        demand,
        application.caregiver_id,
        application.price_fen,
        city,
        status=OrderStatus.CONFIRMED,
    )
    visit_id = agreements.place_visit(session, order, demand, VisitStatus.PLANNED)
    lifecycles.begin(session, actor, Noun.ORDER, order, "approve")
    waiting_lists.put(session, actor, demand, application.id)
    ledger.book_confirmed(session, order, session.get_one(Visit, visit_id).total_fen)
    agreements.tell_confirmed(session, order, visit_id)
    return order.id


def are_waiting(session: Session, actor: Actor, more_than: int) -> bool:
    """Whether more open demands than these have somebody to choose."""
    actor.require(Permission.DECIDE_APPLICATION)
    ids = _open_demands(actor).where(~to_do.nobody_to_choose()).with_only_columns(Demand.id)
    return session.scalar(ids.offset(more_than).limit(1)) is not None


def waiting(session: Session, actor: Actor, limit: int = 20) -> list[Decision]:
    """The open demands somebody applied for, soonest visit first, candidates side by side."""
    actor.require(Permission.DECIDE_APPLICATION)
    answered = _open_demands(actor).where(~to_do.nobody_to_choose()).limit(limit)
    demand_ids = session.scalars(answered.with_only_columns(Demand.id)).all()
    rows = session.execute(
        select(Application, Demand, Caregiver, Account.name, CareItem, City)
        .join(Demand, Demand.id == Application.demand_id)
        .join(Caregiver, Caregiver.id == Application.caregiver_id)
        .join(Account, Account.id == Application.caregiver_id)
        .join(CareItem, CareItem.id == Demand.item_id)
        .join(City, City.code == Demand.city_code)
        .where(Demand.id.in_(demand_ids), Application.status == ApplicationStatus.SUBMITTED)
        .order_by(Demand.starts_at, Application.price_fen, Application.id)
    ).all()
    caregiver_ids = list({row.Application.caregiver_id for row in rows})
    held = certificates.held(session, caregiver_ids)
    latest = max((_laid_until(row.Demand, row.City) for row in rows), default=clock.now())
    # Asked for all of them at once: one question each would cost more than all the rest.
    since, until = availability.week_of(clock.now())[0], availability.week_of(latest)[1]
    plans = calendars.around(session, caregiver_ids, since, until)
    taken = gate.taken_by(session, caregiver_ids, since - calendars.A_WEEK, until)
    sheets = {
        code: tariffs.around(session, code, clock.now(), latest)
        for code in {row.Demand.city_code for row in rows}
    }
    means = track_records.city_means(session, {row.Caregiver.city_code for row in rows})
    decisions: dict[int, tuple[Demand, list[Candidate]]] = {}
    for application, demand, caregiver, name, item, city in rows:
        has, score = held.get(caregiver.id, set()), track_records.score(caregiver)
        plan, hers = plans[caregiver.id], taken.get(caregiver.id, [])
        visit = Taken(demand.starts_at, demand.ends_at, demand.cell)
        met, fit = availability.obstacles(plan, availability.pace(city), hers, visit), None
        sheet, price_fen = sheets[demand.city_code], application.price_fen
        if demand.rule is not None:
            fit = open_plans.fit(open_plans.spread(demand, price_fen, city, plan, hers, sheet))
            met = tuple(fit.obstacles)
        candidate = Candidate(
            id=application.id,
            caregiver_id=caregiver.id,
            name=name,
            price_fen=price_fen,
            total_fen=fit.total_fen
            if fit
            else pricing.price(
                sheet,
                price_fen,
                demand.units,
                demand.starts_at,
                demand.ends_at,
                0,
                demand.created_at,
            ).total_fen,
            words=application.words,
            distance=places.band(places.distance_km(caregiver.cell, demand.cell)),
            obstacles=met,
            load=loads.load(plan, hers, demand.starts_at),
            fit=fit,
            missing_certificates=tuple(k for k in item.required_certificates if k not in has),
            score=score,
            liked=track_records.liked(score, means[caregiver.city_code]),
            applied_at=application.created_at,
        )
        decisions.setdefault(demand.id, (demand, []))[1].append(candidate)
    return [_decision(demand, candidates) for demand, candidates in decisions.values()]


def unanswered(session: Session, actor: Actor, limit: int = 20) -> list[Decision]:
    """The open demands nobody offers to take, soonest visit first."""
    actor.require(Permission.DECIDE_APPLICATION)
    rows = _open_demands(actor).where(to_do.nobody_to_choose()).limit(limit)
    shown = rows.with_only_columns(*(getattr(Demand, name) for name in _SHOWN_OF_DEMAND))
    rows = session.execute(shown.add_columns(*_OF_PLANS))
    return [
        Decision(*row[: len(_SHOWN_OF_DEMAND)], rhythm=open_plans.rhythm(row), candidates=())
        for row in rows
    ]


def _laid_until(demand: Demand, city: City) -> datetime:
    """Until when a demand takes somebody's time, a plan as far as it is laid out."""
    if demand.rule is None:
        return demand.ends_at
    last = courses.horizon(open_plans.course_of(demand, 0), city)
    return recurrence.moment(last, availability.MINUTES) + (demand.ends_at - demand.starts_at)


def _open_demands(actor: Actor) -> Select[Demand]:
    return (
        select(Demand)
        .where(
            Demand.city_code.in_(actor.cities),
            Demand.status == DemandStatus.OPEN,
            Demand.starts_at > clock.now(),
        )
        .order_by(Demand.starts_at)
    )


def _suitability(candidate: Candidate) -> tuple[bool, int, float, int, int]:
    """Who can, with the least in the way, who is liked (to half a star), near, and costs less."""
    near = list(places.DistanceBand).index(candidate.distance)
    return (
        not candidate.free or bool(candidate.missing_certificates),
        candidate.fit.visits - candidate.fit.fitting if candidate.fit else len(candidate.obstacles),
        -round(candidate.liked * 2) / 2,
        near,
        candidate.price_fen,
    )


def _decision(demand: Demand, candidates: list[Candidate]) -> Decision:
    return Decision(
        demand_id=demand.id,
        item_id=demand.item_id,
        district_code=demand.district_code,
        starts_at=demand.starts_at,
        ends_at=demand.ends_at,
        units=demand.units,
        lowest_fen=demand.lowest_fen,
        highest_fen=demand.highest_fen,
        words=demand.words,
        posted_at=demand.created_at,
        rhythm=open_plans.rhythm(demand),
        candidates=tuple(sorted(candidates, key=_suitability)),
    )


def _visible_to(actor: Actor) -> Select[Application]:
    """A caregiver's own; an operator's cities'."""
    applications = select(Application)
    match actor.role:
        case Role.CAREGIVER:
            return applications.where(Application.caregiver_id == actor.id)
        case Role.OPERATOR:
            # Not IN: SQLite would list every demand of the city first.
            in_my_cities = select(Demand.id).where(
                Demand.id == Application.demand_id, Demand.city_code.in_(actor.cities)
            )
            return applications.where(in_my_cities.correlate(Application).exists())
        case _:
            return applications.where(false())
