"""Seeds the pilot city: opens it, invites its people, then lets weeks of orders happen."""

import random
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from data.accounts import Account
from data.catalogue import CareItem, CertificateKind, ItemGroup, Unit
from data.cities import City, Place, PlaceKind
from data.demands import Demand
from data.notices import Notice, OutboxMessage
from data.tasks import Task, TaskStatus
from services import (
    callers,
    caregivers,
    clock,
    customers,
    deliveries,
    footfalls,
    income,
    notices,
    places,
    preferences,
    tasks,
    verifications,
    waiting_lists,
)
from services.access import SYSTEM, Actor, Role
from services.compliance import findings
from services.demo import (
    cast,
    chats,
    dispatching,
    disputes,
    invoices,
    papers,
    payments,
    policies,
    pushing,
    rule_book,
    settlements,
    words,
)
from services.demo.cast import Carer, Family
from services.demo.nantong import CITY, PLACES
from services.demo.plan import Planner
from services.demo.progress import Progress, ignored
from services.demo.scene import Scene
from services.demo.story import World, episode, play
from services.gateways import Failure, NotDelivered
from services.preferences import Preference

__all__ = ["CITY", "SMALL", "add_catalogue", "add_places", "is_staged", "stage"]

SEED = 320600
CATALOGUE = Path(__file__).parent.parent.parent / "data" / "reference" / "catalogue.toml"
# For tests and quick looks: the same stories, fewer of them.
SMALL = {"caregiver_count": 20, "customer_count": 40, "weeks": 3}
# One caregiver must renew her health certificate within the month.
WHOSE_HEALTH_CERTIFICATE_ENDS, ENDS_SOON = 7, timedelta(days=24)
# How many families the operator still has to remind of their code.
MAY_STAY_UNREDEEMED = 5
# What people were told before this is taken as read.
ALREADY_READ = timedelta(hours=12)
LOST_TEXTS = 2
DOORS_A_DAY = 12, 30
# How far the three parts of the work are, in percent: people, weeks, news.
PEOPLE, WEEKS = 12, 90
# The last of the caregivers did not get as far as the others; of the last of the customers two
# are gone, and the others not verified: hours ago they handed in, and what became of it.
CAREGIVERS_APART, CUSTOMERS_APART = 5, 5
NEWCOMERS = ((49, "reject", words.NOT_VERIFIED), (19, "", ""), (3, "", ""))


def is_staged(session: Session) -> bool:
    """Whether this database holds the demo, whatever secret it was made with."""
    return session.scalar(select(City.id).where(City.synthetic).limit(1)) is not None


def stage(
    session: Session,
    *,
    caregiver_count: int = 60,
    customer_count: int = 300,
    weeks: int = 8,
    progress: Progress = ignored,
) -> None:
    """Seed the city, unless that was done before; server and worker may both come first."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(4200320601)"))
    if is_staged(session):
        return
    chance, now = random.Random(SEED), clock.now()
    start = now - timedelta(weeks=weeks)
    with clock.at(start - timedelta(days=30)):
        _open_city(session)
        actors = cast.sign_ins(session)
        operator = actors[Role.OPERATOR]
        policies.renew_agreement(session, operator, now)
        families = [cast.zhous(session, chance, actors[Role.CUSTOMER], operator)]
    items = list(session.scalars(select(CareItem).order_by(CareItem.id)))
    rule_book.publish(session, operator, items, start - timedelta(days=30))
    known = list(session.scalars(select(Place).order_by(Place.id)))
    carers = _caregivers(session, chance, items, actors, caregiver_count, start, now)
    others = customer_count - CUSTOMERS_APART - len(families)
    for number, since in enumerate(_joinings(chance, others, start, now)):
        with clock.at(since):
            families.append(cast.family(session, chance, number, actors[Role.DESK], operator))
        progress(PEOPLE * number // customer_count, 100)
    li, *others = carers
    world = World(session, chance, now, actors[Role.OPERATOR], others, MAY_STAY_UNREDEEMED)
    planner = Planner(chance, items, known, now)
    scene = Scene(world, planner, families, li, start)
    episodes = [*scene.episodes()]
    episodes += [
        (one.posted_at, episode(world, one)) for one in planner.wishes(families[1:], start)
    ]
    play(
        world,
        episodes,
        lambda done, total: progress(PEOPLE + (WEEKS - PEOPLE) * done // total, 100),
    )
    payments.pay(session, actors[Role.DESK], operator, now)
    invoices.ask(session, operator, now)
    settlements.settle(session, operator, carers, now)
    settlements.refund(session, operator, now)
    policies.ask_again(session, [*actors.values()], now)
    policies.announce_complaint_rules(session, operator, now)
    disputes.tell(session, operator, carers, now)
    pushing.push(world, planner, families[1:], li)
    _newcomers(session, operator, now, len(families) + 2)
    _open_doors(session, start, now)
    with clock.at(now):
        rule_book.think(session, operator)
        findings.detect(session, SYSTEM)
        chats.talk(session, actors, families, now)
        _call_some(session, actors[Role.DESK], families)
        _part_with_customers(session, actors, families)
        dispatching.propose(session, operator)
        _spread_the_news(session, now, progress)
    progress(100, 100)


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
    for district, kind, name_zh, name_en, lng, lat in PLACES:
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


def _joinings(chance: random.Random, number: int, start: datetime, now: datetime) -> list[datetime]:
    """When so many people joined: most before the first week, the others during the weeks."""
    weeks = (now - start) * 0.9
    during = [start + weeks * chance.random() for _ in range(number // 5)]
    before = [start - timedelta(days=chance.uniform(2, 25)) for _ in range(number - len(during))]
    return sorted(before + during)


def _caregivers(
    session: Session,
    chance: random.Random,
    items: list[CareItem],
    actors: dict[Role, Actor],
    number: int,
    start: datetime,
    now: datetime,
) -> list[Carer]:
    """Those who can be booked; two wait for approval, one is not ready, two were refused it."""
    working, operator = number - CAREGIVERS_APART, actors[Role.OPERATOR]
    carers = []
    for count, since in enumerate(_joinings(chance, working, start, now)):
        with clock.at(since):
            li = actors[Role.CAREGIVER] if count == 0 else None
            until = (now + ENDS_SOON).date() if count == WHOSE_HEALTH_CERTIFICATE_ENDS else None
            carer = cast.caregiver(session, chance, count, items, li=li, health_until=until)
            _step(session, carer, operator, "submit")
        with clock.at(since + timedelta(hours=20)):
            _step(session, carer, operator, "approve")
            carer.since = clock.now()
        carers.append(carer)
    for place, (hours_ago, moves) in enumerate(_APART):
        with clock.at(now - timedelta(hours=hours_ago)):
            carer = cast.caregiver(session, chance, working + place, items)
        for hours_later, move, because in moves:
            with clock.at(now - timedelta(hours=hours_ago - hours_later)):
                _step(session, carer, operator, move, because)
    return carers


def _step(session: Session, carer: Carer, operator: Actor, move: str, because: str = "") -> None:
    """One step of a caregiver's approval, by whoever takes it."""
    match move:
        case "submit":
            verifications.submit(session, carer.actor, carer.case_id)
        case "suspend":
            caregivers.move(session, operator, carer.id, move, because)
        case _:
            papers.decide(session, operator, carer.case_id, move, because, carer.level)


# Hours ago their profile was saved, and each move: hours later, its name, words.
_APART = (
    (900, ((1, "submit", ""), (20, "approve", ""), (850, "suspend", words.SUSPENDED))),
    (80, ((1, "submit", ""), (9, "reject", words.REJECTED))),
    (27, ((1, "submit", ""),)),
    (6, ((2, "submit", ""),)),
    (3, ()),
)
assert len(_APART) == CAREGIVERS_APART


def _newcomers(session: Session, operator: Actor, now: datetime, number: int) -> None:
    """Families who are not verified yet: two wait for the operator, one has to mend something."""
    chance = random.Random(SEED)
    for count, (hours_ago, move, because) in enumerate(NEWCOMERS):
        with clock.at(now - timedelta(hours=hours_ago)):
            case_id = papers.hand_in(session, cast.new_family(session, chance, number + count))
        if move:
            with clock.at(now - timedelta(hours=hours_ago / 2)):
                papers.decide(session, operator, case_id, move, because)


def _part_with_customers(
    session: Session, actors: dict[Role, Actor], families: list[Family]
) -> None:
    """One customer is suspended; one who called although she had an account is merged into it."""
    desk, operator = actors[Role.DESK], actors[Role.OPERATOR]
    known = next(one for one in families[5:] if one.called_for is None)
    name = session.get_one(Account, known.id).name
    again = callers.register(session, desk, name, f"+86137{len(families):08d}", CITY)
    customers.merge(session, operator, known.id, again)
    stranger = callers.register(session, desk, "马志平", f"+86137{len(families) + 1:08d}", CITY)
    customers.move(session, operator, stranger, "suspend", words.CLOSED_CUSTOMER)


def _call_some(session: Session, desk: Actor, families: list[Family]) -> None:
    """Of the families who ordered by telephone, some have no smartphone."""
    for one in [one for one in families[1:] if one.called_for is not None][::2]:
        preferences.keep(session, desk, Preference(by_call=True), customer_id=one.called_for)


def _open_doors(session: Session, start: datetime, now: datetime) -> None:
    """Day by day some look at the front door; far more than stay."""
    chance = random.Random(SEED)
    for days in range((now - start).days + 1):
        with clock.at(start + timedelta(days=days)):
            for _ in range(chance.randint(*DOORS_A_DAY)):
                footfalls.note(session, CITY)


def _spread_the_news(session: Session, now: datetime, progress: Progress) -> None:
    """What the worker would have done by now: tell whom a demand suits, deliver, time to read."""
    kept = session.scalars(select(Demand)).all()  # Held, so that each task finds its own at hand.
    for task in session.scalars(select(Task).where(Task.status == TaskStatus.QUEUED)).all():
        tasks.do_at_once(session, task.id)
    del kept
    waiting_lists.close_due(session, SYSTEM)
    with clock.at(now - ALREADY_READ):
        while income.release_due(session, SYSTEM):
            session.flush()
    waiting = session.scalar(select(func.count(OutboxMessage.id))) or 1
    delivered = 0

    def pass_on(session: Session, message: OutboxMessage) -> None:
        if message.created_at > now - ALREADY_READ:
            deliveries.pass_on(session, message)

    while count := notices.deliver(session, pass_on):
        session.flush()
        delivered += count
        progress(WEEKS + (99 - WEEKS) * delivered // waiting, 100)
    _lose_some(session)
    read_before = now - ALREADY_READ
    session.execute(
        update(Notice).where(Notice.created_at <= read_before).values(read_at=read_before)
    )


def _lose_some(session: Session) -> None:
    """Two texts a gateway would not take; the others are for the worker to send."""
    texts = [one.id for one in deliveries.lease(session)]
    for message_id in texts[:LOST_TEXTS]:
        deliveries.settle(session, message_id, NotDelivered(Failure.REFUSED, final=True))
    deliveries.hand_back(session, texts[LOST_TEXTS:])
