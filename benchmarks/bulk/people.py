"""The people of the bulk: customers with those they care for, caregivers with their papers."""

import secrets
from datetime import date, timedelta

from benchmarks.bulk.city import KINDS, City
from data.accounts import Account, AccountRole, NameKey, Role
from data.caregivers import Caregiver, CaregiverStatus, Certificate, Rate, WeeklyHours
from data.catalogue import Skill
from data.history import Noun
from data.recipients import Mobility, Recipient, Relation, Sex
from data.sealing import seal
from services import name_keys, phones, places
from services.demo import people
from services.demo.nantong import CITY

CUSTOMERS, CAREGIVERS = 2_000, 300
CHUNK = 5_000
DAYS_KNOWN = 330


def move_in(city: City) -> None:
    """Add the customers and caregivers, as many as the city's size asks for."""
    customers(city, int(CUSTOMERS * city.size))
    caregivers(city, int(CAREGIVERS * city.size))
    city.write()


def customers(city: City, number: int) -> None:
    """Add so many customers with those they care for, and the keys of their names."""
    for each in range(number):
        customer_id = _account(city, Role.CUSTOMER, f"+86177{each:08d}")
        city.customer_ids.append(customer_id)
        cared_for = range(city.chance.choice((1, 1, 2)))
        city.recipients[customer_id] = [_recipient(city, customer_id) for _ in cared_for]
        if each % CHUNK == CHUNK - 1:
            city.write()


def caregivers(city: City, number: int) -> None:
    """Add so many caregivers with their papers, prices and hours."""
    for each in range(number):
        caregiver_id = _account(city, Role.CAREGIVER, f"+86176{each:08d}")
        city.caregiver_ids.append(caregiver_id)
        _caregiver(city, caregiver_id)


def _account(city: City, role: Role, phone: str) -> int:
    since, chance = city.now - timedelta(days=DAYS_KNOWN), city.chance
    sealed_id = secrets.token_hex(16)
    given = chance.choice(people.FEMALE_NAMES + people.MALE_NAMES)
    name = chance.choice(people.FAMILY_NAMES) + given
    account_id = city.add(
        Account,
        since,
        name=name,
        sealed_id=sealed_id,
        phone_sealed=seal(phone.encode(), f"accounts|phone_sealed|{sealed_id}"),
        phone_hash=phones.whole_hash(phone),
        phone_tail_hash=phones.tail_hash(phone),
        city_code=CITY,
        district_code=city.district(),
        agreed_at=since,
    )
    city.add(AccountRole, since, account_id=account_id, role=role, city_code="")
    _keys(city, account_id, name, None)
    return account_id


def _keys(city: City, account_id: int, name: str, recipient_id: int | None) -> None:
    for key in sorted(name_keys.of(name)):
        city.add(
            NameKey,
            city.now,
            account_id=account_id,
            recipient_id=recipient_id,
            key=key,
        )


def _recipient(city: City, customer_id: int) -> int:
    chance = city.chance
    name = chance.choice(people.FAMILY_NAMES) + chance.choice(people.FEMALE_NAMES)
    recipient_id = city.add(
        Recipient,
        city.now - timedelta(days=DAYS_KNOWN),
        customer_id=customer_id,
        name=name,
        sex=Sex.FEMALE,
        birth_date=date(chance.randint(1935, 1965), chance.randint(1, 12), 15),
        relation=chance.choice((Relation.PARENT, Relation.GRANDPARENT, Relation.SPOUSE)),
        mobility=chance.choice(list(Mobility)),
        language="普通话",
    )
    _keys(city, customer_id, name, recipient_id)
    return recipient_id


def _caregiver(city: City, caregiver_id: int) -> None:
    since, chance = city.now - timedelta(days=DAYS_KNOWN), city.chance
    district = city.district()
    city.add(
        Caregiver,
        since,
        id=caregiver_id,
        city_code=CITY,
        district_code=district,
        cell=places.cell_of_district(district),
        sex=chance.choice(list(Sex)),
        birth_date=date(chance.randint(1968, 1996), chance.randint(1, 12), 15),
        worked_since=chance.randint(2014, 2024),
        radius_km=chance.choice((15, 20, 30, 50)),
        about=chance.choice(people.ABOUTS),
        training=chance.choice(people.TRAININGS),
        skills=[str(skill) for skill in chance.sample(list(Skill), k=3)],
        status=CaregiverStatus.APPROVED,
    )
    for kind in KINDS:
        city.add(
            Certificate,
            since,
            caregiver_id=caregiver_id,
            kind=kind,
            issuer="南通市职业技能培训中心(演示)",
            issued_on=since.date(),
            expires_on=since.date() + timedelta(days=1_500),
            approved_at=since,
        )
    for item in city.items:
        span = item.highest_fen - item.lowest_fen
        price_fen = item.lowest_fen + span * chance.randint(1, 8) // 10
        city.add(Rate, since, caregiver_id=caregiver_id, item_id=item.id, price_fen=price_fen)
    for weekday in range(7):
        city.add(
            WeeklyHours,
            since,
            caregiver_id=caregiver_id,
            weekday=weekday,
            starts_minute=7 * 60,
            ends_minute=20 * 60,
        )
    city.step(since, Noun.CAREGIVER, caregiver_id, "submit", "draft", "submitted", Role.CAREGIVER)
    city.step(
        since, Noun.CAREGIVER, caregiver_id, "approve", "submitted", "approved", Role.OPERATOR
    )
