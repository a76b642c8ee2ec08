"""The demo's people: staff, families with those they care for, caregivers with their papers."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache

from sqlalchemy.orm import Session

from data.accounts import Account
from data.catalogue import CareItem, CertificateKind, Skill
from data.verifications import CaseKind
from services import (
    accounts,
    availability,
    callers,
    caregivers,
    clock,
    consents,
    photos,
    places,
    recipients,
    regions,
    sessions,
)
from services.access import Actor, Channel, Role
from services.availability import Pace, Taken
from services.demo import levels, papers, people, portraits
from services.demo.nantong import CITY, DISTRICTS, PLACES, VILLAGE, District
from services.recipients import Mobility, Relation, Sex

DEMO_PASSWORD = "carepilot-demo"
# As components/passwords.py hashes it, which takes a quarter of a second and brings Streamlit.
_ITS_HASH = "$2b$12$yB37nYQNbmmiOcuoK.PBIuy.n9EvwvHvNI7AwexO5ieV/E58DIYpK"
DEMO_NAMES = {
    Role.CUSTOMER: "周晓燕",
    Role.CAREGIVER: "李桂兰",
    Role.DESK: "孙文静",
    Role.OPERATOR: "陈立军",
    Role.ANALYST: "何佳怡",
}
STAFF = (Role.DESK, Role.OPERATOR, Role.ANALYST)
Span = tuple[datetime, datetime]
# Nantong's own, but nobody in the story is in a hurry.
RULES = Pace(timedelta(), timedelta(days=60), timedelta(hours=10), timedelta(hours=60), 20)
_kilometres = cache(places.distance_km)


@dataclass(frozen=True, slots=True)
class CaredFor:
    """Somebody cared for, and whether as a young mother rather than as a patient or elder."""

    id: int
    maternity: bool


@dataclass(frozen=True, slots=True)
class Home:
    district_code: str
    cell: str
    address: str


@dataclass(slots=True, eq=False)
class Carer:
    """A caregiver as the story chooses among them; `skilled` from 0 to 1 colours the reviews."""

    actor: Actor
    case_id: int
    cell: str
    district_code: str
    radius_km: int
    certificates: set[str]
    hours: tuple[caregivers.Hours, ...]
    rates: dict[int, int]
    level: caregivers.CaregiverLevel
    since: datetime
    skilled: float
    taken: list[Taken] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.actor.id or 0

    def can(self, item: CareItem, cell: str, span: Span) -> bool:
        """Whether the search would find her for this item, there and then."""
        return (
            self.since < clock.now()
            and item.id in self.rates
            and _kilometres(self.cell, cell) <= self.radius_km
            and availability.obstacle(
                availability.Calendar(self.hours), RULES, self.taken, Taken(*span, cell)
            )
            is None
        )

    def is_free(self, span: Span) -> bool:
        return not any(one.starts_at < span[1] and one.ends_at > span[0] for one in self.taken)


@dataclass(slots=True, eq=False)
class Family:
    """A customer; those who only phone have the desk as actor, who acts for their account."""

    actor: Actor
    called_for: int | None
    cared_for: tuple[CaredFor, ...]
    home: Home
    since: datetime
    favourite: Carer | None = None

    @property
    def id(self) -> int:
        return self.called_for or self.actor.id or 0


def sign_ins(session: Session) -> dict[Role, Actor]:
    """The five who sign in, one in each role; nobody else has a password."""
    actors = {}
    for role in Role:
        city = CITY if role in STAFF else ""
        account = accounts.new(session, DEMO_NAMES[role], sessions.DEMO_PHONES[role], role, city)
        account.password_hash, account.city_code = _ITS_HASH, CITY
        _agree(session, account, role)
        account.district_code = None if city else DISTRICTS[0].code
        actors[role] = Actor(account.id, role, frozenset({city} if city else ()))
    return actors


def _agree(session: Session, account: Account, role: Role) -> None:
    account.agreed_at = clock.now()
    consents.record_needed(session, account.id, role)


def family(
    session: Session, chance: random.Random, number: int, desk: Actor, operator: Actor
) -> Family:
    """A family like others; about a third of the older ones only phone, the others are verified."""
    district = _district(chance, [one.families for one in DISTRICTS])
    maternity = chance.random() < district.maternity_share
    by_phone = not maternity and chance.random() < 0.34
    female = chance.random() < 0.65
    name = _name(chance, female, _YOUNG if maternity else _OLD if by_phone else _MIDDLE)
    phone = f"+86137{number:08d}"
    account = accounts.new(session, name, phone, Role.CUSTOMER) if not by_phone else None
    if account is None:
        account_id = callers.register(session, _on_the_phone(desk), name, phone, CITY)
        actor, called_for = _on_the_phone(desk), account_id
        account = session.get_one(Account, account_id)
    else:
        _agree(session, account, Role.CUSTOMER)
        actor, called_for = Actor(account.id, Role.CUSTOMER), None
    account.city_code, account.district_code = CITY, district.code
    if called_for is None:
        papers.verify(session, actor, operator)
    home = _home(chance, district)
    if maternity:
        cared_for = (_mother(session, chance, actor, name, female),)
    else:
        relation = Relation.SELF if by_phone and chance.random() < 0.6 else None
        given = _elder(chance, district, name, female, phone, relation)
        kept = recipients.save(session, actor, given, customer_id=called_for)
        cared_for = (CaredFor(kept, False),)
    return Family(actor, called_for, cared_for, home, clock.now())


def caregiver(
    session: Session,
    chance: random.Random,
    number: int,
    items: list[CareItem],
    *,
    li: Actor | None = None,
    health_until: date | None = None,
) -> Carer:
    """The n-th caregiver's account, profile and portrait, not yet submitted; the first is Li."""
    if li is not None:
        district, female, young, actor = DISTRICTS[0], True, False, li
    else:
        district = _spread(number)
        female, young = chance.random() < 0.85, chance.random() < 0.25
        name = _name(chance, female, _YOUNG if young else _MIDDLE)
        account = accounts.new(session, name, f"+86136{number:08d}", Role.CAREGIVER)
        account.city_code, account.district_code = CITY, district.code
        _agree(session, account, Role.CAREGIVER)
        actor = Actor(account.id, Role.CAREGIVER)
    age = 46 if number == 0 else chance.randint(26, 37) if young else chance.randint(38, 61)
    maternity = number % 3 == 1 and district.maternity_share > 0.05
    worked = chance.randint(3, 14) if number else 12
    certificates = papers.certificates(chance, number, maternity, health_until)
    held = {one.kind for one in certificates}
    rates = _rates(chance, items, held, worked, all_of_them=number == 0)
    form = caregivers.ProfileForm(
        city_code=CITY,
        district_code=district.code,
        sex=Sex.FEMALE if female else Sex.MALE,
        birth_date=date(clock.today().year - age, chance.randint(1, 12), chance.randint(1, 28)),
        worked_since=clock.today().year - min(worked, age - 20),
        radius_km=chance.choice(district.radii_km) if number else 60,
        about=chance.choice(people.ABOUTS_MATERNITY if maternity else people.ABOUTS),
        training=chance.choice(people.TRAININGS_MATERNITY if maternity else people.TRAININGS),
        skills=tuple(chance.sample([s for s in Skill if (s is Skill.NEWBORN) <= maternity], k=3)),
        certificates=certificates,
        hours=_hours(chance, number),
        offers=tuple(caregivers.Offer(item_id, price) for item_id, price in rates.items()),
    )
    caregivers.save_profile(session, actor, form)
    case_id = papers.prepare(session, actor, CaseKind.CAREGIVER, form.birth_date, form.sex)
    if number % 12 != 11:  # Not everybody has a portrait.
        drawn = portraits.portrait(number, form.sex, age)
        photos.store(session, actor.id or 0, photos.encoded(drawn))
    return Carer(
        actor=actor,
        case_id=case_id,
        cell=places.cell_of_district(district.code),
        district_code=district.code,
        radius_km=form.radius_km,
        certificates={str(kind) for kind in held},
        hours=form.hours,
        rates=rates,
        level=levels.after(worked),
        since=clock.now(),
        skilled=0.95 if number == 0 else chance.uniform(0.55, 1.0),
    )


def zhous(session: Session, chance: random.Random, actor: Actor, operator: Actor) -> Family:
    """The demo's customer, who cares for her parents."""
    papers.verify(session, actor, operator)
    phone = sessions.DEMO_PHONES[Role.CUSTOMER]
    year = clock.today().year
    contact = f"{DEMO_NAMES[Role.CUSTOMER]} {phone.removeprefix('+86')}"
    parents = (
        ("周德明", Sex.MALE, year - 82, Mobility.WITH_AID, "高血压，按时服药"),
        ("沈玉兰", Sex.FEMALE, year - 78, Mobility.WALKS, "膝关节术后"),
    )
    kept = [
        recipients.save(
            session,
            actor,
            recipients.RecipientForm(
                name, sex, date(born, 4, 12), Relation.PARENT, mobility, "南通话", conditions,
                emergency_contact=contact, agreed=True,
            ),
        )
        for name, sex, born, mobility, conditions in parents
    ]  # fmt: skip
    home = _home(chance, DISTRICTS[0])
    return Family(actor, None, tuple(CaredFor(one, False) for one in kept), home, clock.now())


def new_family(session: Session, chance: random.Random, number: int) -> Actor:
    """Somebody who has only just signed up."""
    account = accounts.new(
        session, _name(chance, number % 2 == 0, _MIDDLE), f"+86137{number:08d}", Role.CUSTOMER
    )
    account.city_code, account.district_code = CITY, DISTRICTS[0].code
    _agree(session, account, Role.CUSTOMER)
    return Actor(account.id, Role.CUSTOMER)


def _on_the_phone(desk: Actor) -> Actor:
    return Actor(desk.id, Role.DESK, desk.cities, Channel.PHONE)


def _elder(
    chance: random.Random,
    district: District,
    name: str,
    female: bool,
    phone: str,
    relation: Relation | None,
) -> recipients.RecipientForm:
    """A parent, grandparent or spouse, or the caller; older in the counties."""
    oldest = chance.random() < district.oldest_share
    age = chance.randint(76, 93) if oldest else chance.randint(62, 79)
    relation = (
        relation
        or chance.choices((Relation.PARENT, Relation.GRANDPARENT, Relation.SPOUSE), (7, 2, 1))[0]
    )
    if relation is Relation.SELF:
        called, sex = name, Sex.FEMALE if female else Sex.MALE
    else:
        woman = not female if relation is Relation.SPOUSE else chance.random() < 0.58
        own = name[0] if relation is Relation.PARENT and not woman else None
        called, sex = _name(chance, woman, _OLD, own), Sex.FEMALE if woman else Sex.MALE
    weights = (6, 3, 1, 0) if age < 75 else (4, 4, 2, 1) if age < 84 else (1, 4, 3, 2)
    return recipients.RecipientForm(
        name=called,
        sex=sex,
        birth_date=date(clock.today().year - age, chance.randint(1, 12), chance.randint(1, 28)),
        relation=relation,
        mobility=chance.choices(list(Mobility), weights)[0],
        language=chance.choice((district.dialect, district.dialect, "普通话")),
        conditions=chance.choice(people.CONDITIONS),
        emergency_contact=f"{name} {phone.removeprefix('+86')}",
        agreed=True,
    )


def _mother(
    session: Session, chance: random.Random, actor: Actor, name: str, female: bool
) -> CaredFor:
    form = recipients.RecipientForm(
        name=name if female else _name(chance, True, _YOUNG),
        sex=Sex.FEMALE,
        birth_date=date(clock.today().year - chance.randint(24, 36), chance.randint(1, 12), 18),
        relation=Relation.SELF if female else Relation.SPOUSE,
        mobility=Mobility.WALKS,
        language="普通话",
        conditions=chance.choice(people.AFTER_BIRTH),
        agreed=True,
    )
    return CaredFor(recipients.save(session, actor, form), True)


def _home(chance: random.Random, district: District) -> Home:
    """An address near one of the district's places; in a village a group, else a house."""
    anchors = [(lng, lat) for code, *_, lng, lat in PLACES if code == district.code]
    for _ in range(9):
        lng, lat = (degrees + chance.gauss(0, 0.03) for degrees in chance.choice(anchors))
        found = regions.district_at(lng, lat, CITY)
        if found is not None and found.code == district.code:
            break
    else:
        lng, lat = anchors[0]
    street = chance.choice(district.streets)
    house = (
        f"{chance.randint(2, 18)} 组 {chance.randint(3, 60)} 号"
        if street.endswith(VILLAGE) and not street.endswith("新村")
        else f"{chance.randint(1, 40)} 幢 {chance.randint(1, 6)}0{chance.randint(1, 4)} 室"
    )
    return Home(district.code, places.cell_at(lng, lat), f"{street} {house}")


def _rates(
    chance: random.Random,
    items: list[CareItem],
    held: set[CertificateKind],
    worked: int,
    *,
    all_of_them: bool,
) -> dict[int, int]:
    """Her prices in fen per unit; whoever has worked longer asks for more."""
    rates = {}
    for item in items:
        # Live-in care is not for everybody, least of all for the demo's caregiver.
        willing = (0.3 if item.hours_per_unit == 24 else 0.95) if not all_of_them else (
            item.hours_per_unit < 24)  # fmt: skip
        if set(item.required_certificates) <= held and chance.random() < willing:
            share = min(0.9, 0.15 + worked / 20 + chance.uniform(-0.1, 0.1))
            price = item.lowest_fen + int((item.highest_fen - item.lowest_fen) * share)
            rates[item.id] = price // 500 * 500
    return rates


def _hours(chance: random.Random, number: int) -> tuple[caregivers.Hours, ...]:
    if number == 0:
        days, stretches = 7, ((7, 20),)
    else:
        days = chance.choice((5, 6, 6, 7, 7))
        stretches = chance.choice((((7, 20),), ((7, 19),), ((7, 12), (13, 19)), ((8, 18),)))
    return tuple(
        caregivers.Hours(day, begin * 60, end * 60)
        for day in range(days)
        for begin, end in stretches
    )


_OLD = (people.ELDER_WOMEN, people.ELDER_MEN)
_MIDDLE = (people.WOMEN, people.MEN)
_YOUNG = (people.YOUNG_WOMEN, people.YOUNG_MEN)


def _name(
    chance: random.Random,
    female: bool,
    born: tuple[Sequence[str], Sequence[str]],
    family: str | None = None,
) -> str:
    given = chance.choice(born[0] if female else born[1])
    return (family or chance.choice(people.FAMILY_NAMES)) + given


def _district(chance: random.Random, weights: list[int]) -> District:
    return chance.choices(DISTRICTS, weights)[0]


def _spread(number: int) -> District:
    """Where the n-th caregiver lives: even a small city has somebody almost everywhere."""
    place = number * 37 % 100
    for district in DISTRICTS:
        place -= district.caregivers
        if place < 0:
            return district
    return DISTRICTS[0]
