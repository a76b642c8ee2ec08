"""Caregivers: their profile, their approval, and what others may see of them."""

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from data.accounts import Account
from data.caregivers import (
    Caregiver,
    CaregiverLevel,
    CaregiverStatus,
    Certificate,
    Rate,
    WeeklyHours,
)
from data.catalogue import CertificateKind, Skill
from data.history import Noun
from data.orders import Order
from data.recipients import Sex
from data.verifications import CaseKind
from services import (
    catalogue,
    certificates,
    cities,
    clock,
    lifecycles,
    places,
    price_bounds,
    recipients,
    regions,
    standings,
    track_records,
    verifications,
)
from services.access import Actor, Permission, Role
from services.certificates import CertificateForm, CertificateView
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.track_records import Score
from services.wording import words

__all__ = [
    "CaregiverLevel",
    "CaregiverStatus",
    "CertificateForm",
    "CertificateKind",
    "Hours",
    "Offer",
    "Profile",
    "ProfileForm",
    "Sex",
    "Skill",
    "Standing",
]

YOUNGEST_YEARS = 18
OLDEST_YEARS = 75
MOST_CERTIFICATES = 20
MINUTES_A_DAY = 1440
_NO, _YES, _DECIDED = ("reject", "suspend"), ("approve", "restore"), ("approve", "reject")
WITH_HOURS = (selectinload(Caregiver.weekly_hours),)
_WITH_PARTS = (
    selectinload(Caregiver.certificates),
    selectinload(Caregiver.rates),
    *WITH_HOURS,
)


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of one weekday (0 = Monday), in minutes from midnight, city time."""

    weekday: int
    starts_minute: int
    ends_minute: int


@dataclass(frozen=True, slots=True)
class Offer:
    """An item a caregiver does, at her price in fen per unit."""

    item_id: int
    price_fen: int


@dataclass(frozen=True, slots=True)
class ProfileForm:
    city_code: str
    district_code: str
    sex: Sex
    birth_date: date
    worked_since: int
    radius_km: int
    about: str
    training: str
    skills: tuple[Skill, ...]
    certificates: tuple[CertificateForm, ...]
    hours: tuple[Hours, ...]
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What others see: no phone, no address; the prices are those that families book at today."""

    id: int
    name: str
    status: CaregiverStatus
    level: CaregiverLevel
    sex: Sex
    age: int
    city_code: str
    district_code: str
    worked_since: int
    radius_km: int
    about: str
    training: str
    skills: tuple[Skill, ...]
    certificates: tuple[CertificateView, ...]
    hours: tuple[Hours, ...]
    offers: tuple[Offer, ...]
    score: Score
    visits_done: int
    hours_done: int
    decision_words: str = ""
    open_moves: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a caregiver may take work, and what the operator said."""

    status: CaregiverStatus
    city_code: str
    decision_words: str

    @property
    def may_work(self) -> bool:
        return self.status is CaregiverStatus.APPROVED


def save_profile(session: Session, actor: Actor, form: ProfileForm) -> None:
    """Keep the actor's own working profile.

    Once she is approved, a new certificate counts only when an operator has approved a case
    with it: a draft for that is made ready, and she goes on working with what she has.
    """
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    about = words(form.about, "about", 500, required=False)
    training = words(form.training, "training", 500, required=False)
    if not regions.district_of_city(form.district_code, form.city_code):
        raise Invalid("error.district_of_another_city")
    # A paused city takes nobody new; whoever works there goes on and keeps her hours.
    works_there = select(Caregiver.id).where(
        Caregiver.id == actor.id,
        Caregiver.city_code == form.city_code,
        Caregiver.status == CaregiverStatus.APPROVED,
    )
    if session.scalar(works_there) is None:
        cities.open_city(session, form.city_code)
    if not YOUNGEST_YEARS <= recipients.age(form.birth_date) <= OLDEST_YEARS:
        raise Invalid("error.caregiver_age", youngest=YOUNGEST_YEARS, oldest=OLDEST_YEARS)
    if not form.birth_date.year + 16 <= form.worked_since <= clock.today().year:
        raise Invalid("error.worked_since_impossible")
    if not 1 <= form.radius_km <= 100:
        raise Invalid("error.radius_out_of_range")
    _check_hours(form.hours)
    if len(form.certificates) > MOST_CERTIFICATES:
        raise Invalid("error.too_many_certificates", most=MOST_CERTIFICATES)
    held = [certificates.row(given) for given in form.certificates]
    _check_offers(session, form.offers)
    verifications.check_agrees(session, actor.id or 0, form.birth_date, form.sex)

    caregiver = session.get(Caregiver, actor.id, options=[*_WITH_PARTS])
    if caregiver is None:
        caregiver = Caregiver(
            id=actor.id,
            created_at=clock.now(),
            status=CaregiverStatus.DRAFT,
            certificates=[],
            weekly_hours=[],
            rates=[],
        )
        session.add(caregiver)
    settled = caregiver.status not in (CaregiverStatus.DRAFT, CaregiverStatus.REJECTED)
    if settled and form.city_code != caregiver.city_code:
        raise Conflict("error.city_is_settled")
    caregiver.city_code, caregiver.district_code = form.city_code, form.district_code
    caregiver.cell = places.cell_of_district(form.district_code)
    caregiver.sex, caregiver.birth_date = form.sex, form.birth_date
    caregiver.worked_since, caregiver.radius_km = form.worked_since, form.radius_km
    caregiver.about, caregiver.training = about, training
    caregiver.skills = [str(skill) for skill in form.skills]
    new = _keep_certificates(session, caregiver, held)
    caregiver.weekly_hours = [
        WeeklyHours(
            created_at=clock.now(),
            weekday=h.weekday,
            starts_minute=h.starts_minute,
            ends_minute=h.ends_minute,
        )
        for h in form.hours
    ]
    # Kept rows are changed, not made anew: new ones would meet the old before those are gone.
    known = {rate.item_id: rate for rate in caregiver.rates}
    caregiver.rates = [
        known.get(offer.item_id) or Rate(created_at=clock.now(), item_id=offer.item_id)
        for offer in form.offers
    ]
    for rate, offer in zip(caregiver.rates, form.offers, strict=True):
        rate.price_fen = offer.price_fen
    session.flush()
    if new and settled:
        verifications.renew(session, actor, new)


def _keep_certificates(
    session: Session, caregiver: Caregiver, held: list[Certificate]
) -> set[CertificateKind]:
    """Those that stay keep their approval; the kinds of the new ones."""
    known = {certificates.key(one): one for one in caregiver.certificates}
    wanted = {certificates.key(one): one for one in held}
    if known.keys() == wanted.keys():
        return set()
    if verifications.is_waiting(session, caregiver.id, CaseKind.CAREGIVER):
        raise Conflict("error.certificates_under_review")
    caregiver.certificates = [known.get(key, one) for key, one in wanted.items()]
    return {wanted[key].kind for key in wanted.keys() - known.keys()}


def save_and_submit(session: Session, actor: Actor, form: ProfileForm) -> None:
    """Keep the actor's own profile and hand it in with her case, both or neither."""
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    save_profile(session, actor, form)
    move(session, actor, actor.id or 0, "submit")


def move(session: Session, actor: Actor, caregiver_id: int, name: str, because: str = "") -> None:
    """Submit, suspend or restore a caregiver; a no needs words.

    A profile is decided on with its case (verifications.decide); without one that is approved
    nobody works.
    """
    actor.require(
        Permission.KEEP_CAREGIVER_PROFILE if name == "submit" else Permission.DECIDE_CAREGIVER
    )
    caregiver = session.scalar(
        _visible_to(actor)
        .where(Caregiver.id == caregiver_id)
        .options(*_WITH_PARTS)
        .with_for_update(of=Caregiver)
    )
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    if name == "submit":
        lifecycles.target(Noun.CAREGIVER, name, caregiver.status, actor)
        verifications.submit_own(session, actor)
        return
    if caregiver.id == actor.id:
        raise NotAllowed("error.own_case")
    because = words(because, "reason", 300, required=name in _NO)
    lifecycles.target(Noun.CAREGIVER, name, caregiver.status, actor)
    if name in _DECIDED and verifications.is_waiting(session, caregiver.id, CaseKind.CAREGIVER):
        raise Conflict("error.decide_on_case")
    if name in _YES and not verifications.is_verified(session, caregiver.id, CaseKind.CAREGIVER):
        raise Conflict("error.case_not_approved")
    standings.step(session, actor, caregiver, name, because)


def own_profile(session: Session, actor: Actor) -> Profile | None:
    """The actor's own profile, or None before it was first saved."""
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    found = _profiles(session, actor, select(Caregiver).where(Caregiver.id == actor.id))
    return found[0] if found else None


def own_form(session: Session, actor: Actor) -> ProfileForm | None:
    """The actor's own profile as the form it was entered in, certificate numbers included."""
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    row = session.get(Caregiver, actor.id, options=[*_WITH_PARTS])
    if row is None:
        return None
    return ProfileForm(
        city_code=row.city_code,
        district_code=row.district_code,
        sex=row.sex,
        birth_date=row.birth_date,
        worked_since=row.worked_since,
        radius_km=row.radius_km,
        about=row.about,
        training=row.training,
        skills=tuple(Skill(skill) for skill in row.skills),
        certificates=tuple(
            CertificateForm(c.kind, c.issuer, c.issued_on, c.expires_on, c.number, c.level)
            for c in row.certificates
        ),
        hours=tuple(Hours(h.weekday, h.starts_minute, h.ends_minute) for h in row.weekly_hours),
        offers=tuple(Offer(rate.item_id, rate.price_fen) for rate in row.rates),
    )


def standing(session: Session, actor: Actor) -> Standing | None:
    """How far the actor's own approval is, or None before the profile was first saved."""
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    row = session.get(Caregiver, actor.id)
    return Standing(row.status, row.city_code, row.decision_words) if row else None


def profile(session: Session, actor: Actor, caregiver_id: int) -> Profile:
    """One caregiver's profile, for somebody who deals with them."""
    actor.require(Permission.SEE_CAREGIVERS)
    found = _profiles(session, actor, _visible_to(actor).where(Caregiver.id == caregiver_id))
    if not found:
        raise NotFound("error.caregiver_not_found")
    return found[0]


def _profiles(session: Session, actor: Actor, caregivers: Select[Caregiver]) -> list[Profile]:
    rows = session.scalars(caregivers.options(*_WITH_PARTS)).all()
    ids = [row.id for row in rows]
    names = dict(session.execute(select(Account.id, Account.name).where(Account.id.in_(ids))).all())
    bounds = {
        code: price_bounds.in_force(session, code, clock.today())
        for code in {row.city_code for row in rows}
    }
    return [
        Profile(
            id=row.id,
            name=names[row.id],
            status=row.status,
            level=row.level,
            sex=row.sex,
            age=recipients.age(row.birth_date),
            city_code=row.city_code,
            district_code=row.district_code,
            worked_since=row.worked_since,
            radius_km=row.radius_km,
            about=row.about,
            training=row.training,
            skills=tuple(Skill(skill) for skill in row.skills),
            certificates=tuple(
                certificates.view(c)
                for c in row.certificates
                if c.approved_at or actor.role is not Role.CUSTOMER
            ),
            hours=tuple(Hours(h.weekday, h.starts_minute, h.ends_minute) for h in row.weekly_hours),
            offers=tuple(
                Offer(
                    rate.item_id,
                    bounds[row.city_code][rate.item_id, row.level].clamp(rate.price_fen),
                )
                for rate in row.rates
            ),
            score=track_records.score(row),
            visits_done=row.visits_done,
            hours_done=row.seconds_done // 3600,
            decision_words=row.decision_words,
            open_moves=lifecycles.open_moves(Noun.CAREGIVER, row.status, actor),
        )
        for row in rows
    ]


def _visible_to(actor: Actor) -> Select[Caregiver]:
    """Staff see their cities' caregivers; a customer those who can be booked or served them."""
    caregivers = select(Caregiver)
    match actor.role:
        case Role.OPERATOR | Role.DESK:
            return caregivers.where(Caregiver.city_code.in_(actor.cities))
        case Role.CUSTOMER:
            mine = select(Order.caregiver_id).where(Order.customer_id == actor.id)
            bookable = Caregiver.status == CaregiverStatus.APPROVED
            return caregivers.where(bookable | Caregiver.id.in_(mine))
        case _:
            return caregivers.where(Caregiver.id == actor.id)


def _check_offers(session: Session, offers: tuple[Offer, ...]) -> None:
    if len({offer.item_id for offer in offers}) < len(offers):
        raise Invalid("error.item_twice")
    for offer in offers:
        item = catalogue.named(session, offer.item_id)
        if not item.lowest_fen <= offer.price_fen <= item.highest_fen:
            raise Invalid(
                "error.price_out_of_range", lowest_fen=item.lowest_fen, highest_fen=item.highest_fen
            )


def _check_hours(hours: tuple[Hours, ...]) -> None:
    for h in hours:
        if not 0 <= h.starts_minute < h.ends_minute <= MINUTES_A_DAY:
            raise Invalid("error.end_before_start")
    for day in range(7):
        stretches = sorted((h.starts_minute, h.ends_minute) for h in hours if h.weekday == day)
        if any(a[1] > b[0] for a, b in pairwise(stretches)):
            raise Invalid("error.hours_overlap")
