"""Seeds the pilot city: opens it, invites its people, then lets weeks of orders happen."""

import random
import tomllib
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole
from data.catalogue import CareItem, CertificateKind, ItemGroup, Skill, Unit
from data.cities import City, Place, PlaceKind
from data.notices import Notice
from services import (
    caregivers,
    clock,
    credentials,
    notices,
    phones,
    places,
    recipients,
    sessions,
)
from services.access import Actor, Role
from services.demo import people, story

CITY = "320600"
SEED = 320600
CATALOGUE = Path(__file__).parent.parent.parent / "data" / "reference" / "catalogue.toml"
DEMO_PASSWORD = "carepilot-demo"
DEMO_NAMES = {
    Role.CUSTOMER: "周晓燕",
    Role.CAREGIVER: "李桂兰",
    Role.DESK: "孙文静",
    Role.OPERATOR: "陈立军",
    Role.ANALYST: "何佳怡",
}
WEEKS_BEFORE = 3
SUSPENDED, REJECTED, SUBMITTED, DRAFT = 16, 17, 18, 19


def is_staged(session: Session) -> bool:
    """Whether this database holds the demo, whatever secret it was made with."""
    return session.scalar(select(City.id).where(City.synthetic).limit(1)) is not None


def stage(session: Session, *, caregiver_count: int = 20, customer_count: int = 40) -> None:
    """Seed the city, unless that was done before; server and worker may both come first."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(4200320601)"))
    if is_staged(session):
        return
    chance = random.Random(SEED)
    start = clock.now() - timedelta(weeks=WEEKS_BEFORE)
    with clock.at(start):
        _open_city(session)
        staff = _staff(session)
        families = [_customer(session, chance, n) for n in range(customer_count)]
        carers = [
            _caregiver(session, chance, n, staff[Role.OPERATOR]) for n in range(caregiver_count)
        ]
        session.flush()
    story.tell(session, chance, families, carers, staff[Role.OPERATOR])
    caregivers.move(
        session, staff[Role.OPERATOR], carers[SUSPENDED].id or 0, "suspend", "健康证到期未更新。"
    )
    while notices.deliver(session):
        session.flush()
    read_before = clock.now() - timedelta(hours=12)
    session.execute(
        update(Notice).where(Notice.created_at < read_before).values(read_at=read_before)
    )


def add_catalogue(session: Session) -> None:
    """The catalogue every new city starts from."""
    for item in tomllib.loads(CATALOGUE.read_text("utf-8"))["item"]:
        session.add(
            CareItem(
                created_at=clock.now(),
                code=item["code"],
                group=ItemGroup(item["group"]),
                unit=Unit(item["unit"]),
                hours_per_unit=item["hours_per_unit"],
                fewest_units=item["units"][0],
                most_units=item["units"][1],
                lowest_fen=item["price_fen"][0],
                highest_fen=item["price_fen"][1],
                name_zh=item["zh"],
                name_en=item["en"],
                about_zh=item["about_zh"],
                about_en=item["about_en"],
                required_certificates=[str(CertificateKind(c)) for c in item["certificates"]],
                tasks_zh=item["tasks_zh"],
                tasks_en=item["tasks_en"],
            )
        )


def _open_city(session: Session) -> None:
    add_catalogue(session)
    session.add(City(created_at=clock.now(), code=CITY, synthetic=True, hotline="0513-0000-0000"))
    session.flush()
    add_places(session)


def add_places(session: Session) -> None:
    """The places everybody in the demo's city knows."""
    for district, kind, name_zh, name_en, lng, lat in people.PLACES:
        session.add(
            Place(
                created_at=clock.now(),
                city_code=CITY,
                district_code=district,
                kind=PlaceKind(kind),
                name_zh=name_zh,
                name_en=name_en,
                lng=lng,
                lat=lat,
                cell=places.cell_at(lng, lat),
            )
        )
    session.flush()


def _staff(session: Session) -> dict[Role, Actor]:
    return {
        role: _account(
            session, DEMO_NAMES[role], sessions.DEMO_PHONES[role], role, city=CITY, password=True
        )
        for role in (Role.DESK, Role.OPERATOR, Role.ANALYST)
    }


def _account(
    session: Session, name: str, phone: str, role: Role, *, city: str = "", password: bool = False
) -> Actor:
    account = Account(
        created_at=clock.now(),
        name=name,
        phone=phone,
        phone_hash=phones.whole_hash(phone),
        phone_tail_hash=phones.tail_hash(phone),
        # A bcrypt hash takes a quarter of a second: only the demo's sign-ins get a password.
        password_hash=credentials.hash_password(DEMO_PASSWORD) if password else None,
        city_code=CITY,
        agreed_at=clock.now(),
        roles=[AccountRole(created_at=clock.now(), role=role, city_code=city)],
    )
    session.add(account)
    session.flush()
    return Actor(account.id, role, frozenset({city} if city else ()))


def _customer(session: Session, chance: random.Random, number: int) -> story.Family:
    if number == 0:
        name, phone = DEMO_NAMES[Role.CUSTOMER], sessions.DEMO_PHONES[Role.CUSTOMER]
    else:
        name, phone = _name(chance, female=chance.random() < 0.7)[0], f"+86137{number:08d}"
    actor = _account(session, name, phone, Role.CUSTOMER, password=number == 0)
    cared_for = []
    for relation in chance.sample(
        (recipients.Relation.PARENT, recipients.Relation.GRANDPARENT, recipients.Relation.SPOUSE),
        k=2 if number == 0 else 1,
    ):
        called, sex = _name(chance, female=chance.random() < 0.55)
        born = clock.today().year - (
            chance.randint(26, 38)
            if relation is recipients.Relation.SPOUSE
            else chance.randint(62, 91)
        )
        cared_for.append(
            recipients.save(
                session,
                actor,
                recipients.RecipientForm(
                    name=called,
                    sex=sex,
                    birth_date=date(born, chance.randint(1, 12), chance.randint(1, 28)),
                    relation=relation,
                    mobility=chance.choice(list(recipients.Mobility)),
                    language=chance.choice(("普通话", "南通话", "如皋话", "启海话")),
                    conditions=chance.choice(("高血压，按时服药", "糖尿病", "膝关节术后", "")),
                    emergency_contact=f"{name} {phone.removeprefix('+86')}",
                ),
            )
        )
    district = chance.choices(
        list(people.DISTRICT_WEIGHTS), weights=list(people.DISTRICT_WEIGHTS.values())
    )[0]
    address = (
        f"{chance.choice(people.ESTATES)}{chance.randint(1, 40)}幢{chance.randint(101, 1802)}室"
    )
    return story.Family(actor, tuple(cared_for), district, address)


def _caregiver(session: Session, chance: random.Random, number: int, operator: Actor) -> Actor:
    if number == 0:
        name, phone = DEMO_NAMES[Role.CAREGIVER], sessions.DEMO_PHONES[Role.CAREGIVER]
        sex, district = recipients.Sex.FEMALE, "320613"
    else:
        name, sex = _name(chance, female=chance.random() < 0.85)
        phone = f"+86136{number:08d}"
        district = chance.choices(
            list(people.DISTRICT_WEIGHTS), weights=list(people.DISTRICT_WEIGHTS.values())
        )[0]
    actor = _account(session, name, phone, Role.CAREGIVER, password=number == 0)
    kinds = [CertificateKind.HEALTH, CertificateKind.ELDER_CARE, CertificateKind.ESCORT_TRAINING]
    if number % 3 == 1:
        kinds += [CertificateKind.MATERNITY_CARE, CertificateKind.INFANT_CARE]
    if number % 3 != 1:
        kinds += [CertificateKind.NURSING]
    issued = clock.today() - timedelta(days=chance.randint(100, 300))
    caregivers.save_profile(
        session,
        actor,
        caregivers.ProfileForm(
            city_code=CITY,
            district_code=district,
            sex=sex,
            birth_date=date(chance.randint(1968, 1996), chance.randint(1, 12), 15),
            worked_since=chance.randint(2014, 2024),
            radius_km=chance.choice((15, 20, 30, 50)) if number else 60,
            about=chance.choice(people.ABOUTS),
            training=chance.choice(people.TRAININGS),
            skills=tuple(chance.sample(list(Skill), k=3)),
            certificates=tuple(
                caregivers.CertificateForm(
                    kind, "南通市职业技能培训中心（演示）", issued, issued + timedelta(days=1095)
                )
                for kind in kinds
            ),
            hours=tuple(
                caregivers.Hours(day, 7 * 60, 20 * 60) for day in range(6 if number % 4 else 7)
            ),
        ),
    )
    if number == DRAFT:
        return actor  # Still filling in the profile.
    caregivers.move(session, actor, actor.id or 0, "submit")
    if number == REJECTED:
        caregivers.move(session, operator, actor.id or 0, "reject", "健康证照片不清，请重新提交。")
    elif number != SUBMITTED:
        caregivers.move(session, operator, actor.id or 0, "approve")
    return actor


def _name(chance: random.Random, *, female: bool) -> tuple[str, recipients.Sex]:
    given = chance.choice(people.FEMALE_NAMES if female else people.MALE_NAMES)
    sex = recipients.Sex.FEMALE if female else recipients.Sex.MALE
    return chance.choice(people.FAMILY_NAMES) + given, sex
