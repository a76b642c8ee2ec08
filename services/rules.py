"""The rule book of a city: versions of its numbers, written, decided by two, in force from a day.

Where a city has one operator only, a version is published a day after it was confirmed, and can
be withdrawn until then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.cities import City
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order
from data.rules import RuleStatus, RuleVersion
from services import (
    audit,
    catalogue,
    clock,
    lifecycles,
    notices,
    price_bounds,
    recurrence,
    rule_book,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.rule_book import Values
from services.wording import words

__all__ = ["RuleStatus", "VersionView"]

FURTHEST = timedelta(days=366)
ALONE_WAITS = timedelta(hours=24)
MOST_LISTED = 50
A_DAY = timedelta(days=1)
_UNDECIDED = RuleStatus.DRAFT, RuleStatus.PROPOSED, RuleStatus.WAITING


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version, who wrote and who decided on it, and what it changes of the one it is based on.

    `orders` were made under it; `earliest` is the first day on which it could begin.
    """

    id: int
    city_code: str
    number: int
    status: RuleStatus
    valid_from: date
    earliest: date
    words: str
    decision_words: str
    written_by: str
    published_by: str
    publish_at: datetime | None
    published_at: datetime | None
    based_on: int | None
    values: Values
    changes: dict[str, tuple[Any, Any]]
    orders: int
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CityRules:
    """A city's numbers as they hold today, the version they stand in, if any, and all others.

    Newest first. Whoever is `alone` has no second operator to decide.
    """

    city_code: str
    now: Values
    in_force: VersionView | None
    coming: tuple[VersionView, ...]
    undecided: tuple[VersionView, ...]
    past: tuple[VersionView, ...]
    alone: bool


def on(session: Session, city_code: str, day: date) -> RuleVersion | None:
    """The version in force in a city on a day; none before its first."""
    return session.scalar(_published(city_code).where(RuleVersion.valid_from <= day).limit(1))


def until(session: Session, city_code: str, last: date) -> list[tuple[date, Values]]:
    """All that was in force in a city until a day, by the day it began, earliest first."""
    rows = session.execute(
        select(RuleVersion.valid_from, RuleVersion.values)
        .where(
            RuleVersion.city_code == city_code,
            RuleVersion.status == RuleStatus.PUBLISHED,
            RuleVersion.valid_from <= last,
        )
        .order_by(RuleVersion.valid_from)
    )
    return [(valid_from, values) for valid_from, values in rows]


def values(session: Session, city_code: str, version: RuleVersion | None) -> dict[str, Any]:
    """A version's numbers; without one, the usual ones and what the city's columns say."""
    if version is not None:
        return rule_book.complete(version.values)
    city = session.scalar(select(City).where(City.code == city_code))
    own = {name: getattr(city, name) for name in rule_book.CITY_COLUMNS} if city else {}
    return rule_book.usual() | own


def now(session: Session, city_code: str) -> dict[str, Any]:
    """A city's numbers of today."""
    return values(session, city_code, on(session, city_code, clock.today()))


def commission_bp(session: Session, city_code: str, item_id: int) -> int:
    """The platform's share of what is ordered of an item in a city today, in basis points."""
    return rule_book.commission_bp(now(session, city_code), item_id)


def mine(session: Session, actor: Actor) -> list[CityRules]:
    """The rule books of the actor's cities, by code."""
    actor.require(Permission.KEEP_RULES)
    return [_of_city(session, actor, code) for code in sorted(actor.cities)]


def version(session: Session, actor: Actor, version_id: int) -> VersionView:
    """One version of a city of the actor's."""
    actor.require(Permission.KEEP_RULES)
    return _views(session, actor, [_reach(session, actor, version_id)])[0]


def draft(session: Session, actor: Actor, city_code: str) -> int:
    """Begin a new version with the numbers of the newest one; return its id."""
    actor.require(Permission.KEEP_RULES)
    _lock(session, actor, city_code)
    newest = _newest(session, city_code)
    highest = select(func.max(RuleVersion.number)).where(RuleVersion.city_code == city_code)
    row = RuleVersion(
        created_at=clock.now(),
        city_code=city_code,
        number=(session.scalar(highest) or 0) + 1,
        valid_from=_earliest(newest),
        values=_within_catalogue(session, values(session, city_code, newest)),
        based_on_id=newest.id if newest else None,
        written_by_id=actor.id,
    )
    session.add(row)
    session.flush()
    lifecycles.begin(session, actor, Noun.RULE_VERSION, row, "draft")
    return row.id


def revise(
    session: Session,
    actor: Actor,
    version_id: int,
    changes: Values,
    *,
    valid_from: date | None = None,
    said: str | None = None,
) -> None:
    """Change some numbers of a draft, the day it begins, or the words that say why."""
    actor.require(Permission.KEEP_RULES)
    row = _reach(session, actor, version_id, lock=True)
    if row.status is not RuleStatus.DRAFT:
        raise Conflict("error.rules_not_draft")
    row.values = rule_book.checked(
        rule_book.complete(row.values) | dict(changes), catalogue.every_item(session)
    )
    if valid_from is not None:
        row.valid_from = _checked_day(session, row, valid_from)
    if said is not None:
        row.words = words(said, "rule_words", 500)
    session.flush()


def propose(session: Session, actor: Actor, version_id: int) -> None:
    """Put a draft before the city's other operators."""
    actor.require(Permission.KEEP_RULES)
    row = _ready(session, actor, version_id)
    if is_alone(session, row.city_code, actor):
        raise Conflict("error.rules_nobody_else")
    row.written_by_id = actor.id
    lifecycles.take(session, actor, Noun.RULE_VERSION, row, "propose")
    _record(session, actor, "propose_rules", row)
    _tell(session, actor, NoticeKind.RULES_PROPOSED, row)


def approve(session: Session, actor: Actor, version_id: int) -> None:
    """Publish what another operator proposed: it is in force from midnight of its day on."""
    actor.require(Permission.KEEP_RULES)
    row = _ready(session, actor, version_id)
    if row.written_by_id == actor.id:
        raise NotAllowed("error.rules_own")
    lifecycles.take(session, actor, Noun.RULE_VERSION, row, "approve")
    _publish(session, actor, row)


def turn_down(session: Session, actor: Actor, version_id: int, said: str) -> None:
    """Give a proposal back to who wrote it, with the reason."""
    actor.require(Permission.KEEP_RULES)
    row = _reach(session, actor, version_id, lock=True)
    if row.written_by_id == actor.id:
        raise NotAllowed("error.rules_own")
    row.decision_words = words(said, "reason", 300)
    lifecycles.take(session, actor, Noun.RULE_VERSION, row, "turn_down")
    _record(session, actor, "turn_down_rules", row)
    _tell(session, actor, NoticeKind.RULES_TURNED_DOWN, row)


def announce(session: Session, actor: Actor, version_id: int, typed: str) -> None:
    """Publish a draft in a day, by the city's only operator, who typed its number."""
    actor.require(Permission.KEEP_RULES)
    row = _ready(session, actor, version_id)
    if not is_alone(session, row.city_code, actor):
        raise Conflict("error.rules_somebody_else")
    if typed.strip() != str(row.number):
        raise Invalid("error.rules_number_typed", number=row.number)
    publish_at = clock.now() + ALONE_WAITS
    if row.valid_from <= clock.in_city(publish_at).date():
        earliest = clock.in_city(publish_at).date() + A_DAY
        raise Invalid("error.rules_too_soon_alone", day=earliest)
    row.publish_at = publish_at
    lifecycles.take(session, actor, Noun.RULE_VERSION, row, "announce")
    _record(session, actor, "announce_rules", row)
    _tell(session, actor, NoticeKind.RULES_PROPOSED, row)


def withdraw(session: Session, actor: Actor, version_id: int) -> None:
    """Take a version back before it begins; one in force is replaced, never deleted."""
    actor.require(Permission.KEEP_RULES)
    row = _reach(session, actor, version_id, lock=True)
    published = row.status is RuleStatus.PUBLISHED
    if published and row.valid_from <= clock.today():
        raise Conflict("error.rules_in_use")
    lifecycles.take(session, actor, Noun.RULE_VERSION, row, "withdraw")
    session.flush()
    if published:
        price_bounds.take_back(session, row.city_code, row.valid_from)
    _record(session, actor, "withdraw_rules", row)
    _tell(session, actor, NoticeKind.RULES_WITHDRAWN, row)


def publish_due(session: Session, actor: Actor) -> int:
    """Publish what has waited long enough, and let begin what is due; return of how many."""
    actor.require(Permission.RUN_JOBS)
    done = 0
    for row in session.scalars(
        select(RuleVersion)
        .where(RuleVersion.status == RuleStatus.WAITING, RuleVersion.publish_at <= clock.now())
        .order_by(RuleVersion.id)
        .with_for_update(skip_locked=True)
    ):
        overtaken = _overtaken(session, row) or row.valid_from <= clock.today()
        lifecycles.take(
            session, actor, Noun.RULE_VERSION, row, "withdraw" if overtaken else "publish"
        )
        if overtaken:
            session.flush()
            _tell(session, actor, NoticeKind.RULES_WITHDRAWN, row)
        else:
            row.published_by_id = row.written_by_id
            _publish(session, actor, row)
        done += 1
    return done + _apply_due(session)


def any_due(session: Session) -> bool:
    """Whether a version waits to be published or to begin."""
    waits = (RuleVersion.status == RuleStatus.WAITING) & (RuleVersion.publish_at <= clock.now())
    begins = (
        (RuleVersion.status == RuleStatus.PUBLISHED)
        & RuleVersion.applied_at.is_(None)
        & (RuleVersion.valid_from <= clock.today())
    )
    return session.scalar(select(exists().where(waits | begins))) or False


def is_alone(session: Session, city_code: str, actor: Actor) -> bool:
    """Whether nobody else is an operator of the city."""
    others = (
        select(AccountRole.id)
        .join(Account, Account.id == AccountRole.account_id)
        .where(
            AccountRole.role == Role.OPERATOR,
            AccountRole.city_code == city_code,
            AccountRole.account_id != actor.id,
            Account.status == AccountStatus.ACTIVE,
        )
    )
    return session.scalar(others.limit(1)) is None


def _apply_due(session: Session) -> int:
    """Let the columns of cities say what began, the newest last."""
    due = session.scalars(
        select(RuleVersion)
        .where(
            RuleVersion.status == RuleStatus.PUBLISHED,
            RuleVersion.applied_at.is_(None),
            RuleVersion.valid_from <= clock.today(),
        )
        .order_by(RuleVersion.city_code, RuleVersion.valid_from)
        .with_for_update(skip_locked=True)
    ).all()
    for row in due:
        city = session.scalars(
            select(City).where(City.code == row.city_code).with_for_update()
        ).one()
        said = rule_book.complete(row.values)
        for name in rule_book.CITY_COLUMNS:
            setattr(city, name, said[name])
        row.applied_at = clock.now()
    session.flush()
    return len(due)


def _publish(session: Session, actor: Actor, row: RuleVersion) -> None:
    row.published_at = clock.now()
    row.published_by_id = row.published_by_id or actor.id
    row.decision_words = ""
    session.flush()
    price_bounds.put(session, row.city_code, row.valid_from, rule_book.bounds(row.values))
    _record(session, actor, "publish_rules", row)
    _tell(session, actor, NoticeKind.RULES_PUBLISHED, row)


def _ready(session: Session, actor: Actor, version_id: int) -> RuleVersion:
    """A version that changes something, says why, and can begin on its day."""
    row = _reach(session, actor, version_id, lock=True)
    if _overtaken(session, row):
        raise Conflict("error.rules_overtaken")
    _checked_day(session, row, row.valid_from)
    rule_book.checked(row.values, catalogue.every_item(session))
    words(row.words, "rule_words", 500)
    if not rule_book.changes(_base(session, row), row.values):
        raise Invalid("error.rules_change_nothing")
    return row


def _overtaken(session: Session, row: RuleVersion) -> bool:
    """Whether another version was published since this one was begun."""
    newest = _newest(session, row.city_code)
    return row.based_on_id != (newest.id if newest else None)


def _base(session: Session, row: RuleVersion) -> dict[str, Any]:
    based_on = session.get(RuleVersion, row.based_on_id) if row.based_on_id else None
    return values(session, row.city_code, based_on)


def _checked_day(session: Session, row: RuleVersion, day: date) -> date:
    """Versions follow each other: one begins after the one before, and holds until the next."""
    earliest = _earliest(_newest(session, row.city_code))
    if day < earliest:
        raise Invalid("error.rules_too_soon", day=earliest)
    if day > clock.today() + FURTHEST:
        raise Invalid("error.rules_too_far", days=FURTHEST.days)
    return day


def _earliest(newest: RuleVersion | None) -> date:
    tomorrow = clock.today() + A_DAY
    return max(tomorrow, newest.valid_from + A_DAY) if newest else tomorrow


def _within_catalogue(session: Session, said: dict[str, Any]) -> dict[str, Any]:
    """Bounds of prices never reach beyond the catalogue's, which may have been narrowed since."""
    items = {str(item.id): item for item in catalogue.every_item(session)}
    prices = {
        item_id: {
            level: [
                min(max(fen, items[item_id].lowest_fen), items[item_id].highest_fen) for fen in pair
            ]
            for level, pair in levels.items()
        }
        for item_id, levels in said["prices"].items()
    }
    return said | {"prices": prices}


def _of_city(session: Session, actor: Actor, city_code: str) -> CityRules:
    rows = session.scalars(
        select(RuleVersion)
        .where(RuleVersion.city_code == city_code)
        .order_by(RuleVersion.number.desc())
        .limit(MOST_LISTED)
    ).all()
    newest = on(session, city_code, clock.today())
    views = _views(session, actor, rows)
    published = [one for one in views if one.status is RuleStatus.PUBLISHED]
    in_force = next((one for one in published if newest and one.id == newest.id), None)
    coming = [one for one in published if one.valid_from > clock.today()]
    undecided = [one for one in views if one.status in _UNDECIDED]
    shown = {one.id for one in (*coming, *undecided)} | {in_force.id if in_force else 0}
    return CityRules(
        city_code=city_code,
        now=values(session, city_code, newest),
        in_force=in_force,
        coming=tuple(coming),
        undecided=tuple(undecided),
        past=tuple(one for one in views if one.id not in shown),
        alone=is_alone(session, city_code, actor),
    )


def _views(session: Session, actor: Actor, rows: Sequence[RuleVersion]) -> list[VersionView]:
    ids = [row.id for row in rows]
    based_on = [row.based_on_id for row in rows if row.based_on_id]
    people = {one for row in rows for one in (row.written_by_id, row.published_by_id) if one}
    named = select(Account.id, Account.name).where(Account.id.in_(people))
    names = dict(session.execute(named).all())
    bases = {
        one.id: one
        for one in session.scalars(select(RuleVersion).where(RuleVersion.id.in_(based_on)))
    }
    counted = (
        select(Order.rule_version_id, func.count())
        .where(Order.rule_version_id.in_(ids))
        .group_by(Order.rule_version_id)
    )
    orders = dict(session.execute(counted).all())
    newest = {row.city_code: _newest(session, row.city_code) for row in rows}
    views = []
    for row in rows:
        base = bases.get(row.based_on_id or 0)
        before = values(session, row.city_code, base)
        views.append(
            VersionView(
                id=row.id,
                city_code=row.city_code,
                number=row.number,
                status=row.status,
                valid_from=row.valid_from,
                earliest=_earliest(newest[row.city_code]),
                words=row.words,
                decision_words=row.decision_words,
                written_by=names.get(row.written_by_id or 0, ""),
                published_by=names.get(row.published_by_id or 0, ""),
                publish_at=row.publish_at,
                published_at=row.published_at,
                based_on=base.number if base else None,
                values=rule_book.complete(row.values),
                changes=rule_book.changes(before, row.values),
                orders=orders.get(row.id, 0),
                moves=_moves(session, actor, row),
            )
        )
    return views


def _moves(session: Session, actor: Actor, row: RuleVersion) -> tuple[str, ...]:
    """What this actor can do with a version now."""
    moves = set(lifecycles.open_moves(Noun.RULE_VERSION, row.status, actor))
    moves -= {"propose"} if is_alone(session, row.city_code, actor) else {"announce"}
    if row.written_by_id == actor.id:
        moves -= {"approve", "turn_down"}
    if row.status is RuleStatus.PUBLISHED and row.valid_from <= clock.today():
        moves.discard("withdraw")
    return tuple(sorted(moves))


def _tell(session: Session, actor: Actor, kind: NoticeKind, row: RuleVersion) -> None:
    notices.tell_operators(
        session,
        kind,
        row.city_code,
        f"rules-{row.id}-{row.version}",
        number=row.number,
        due_at=recurrence.moment(row.valid_from, 0).isoformat(),
    )


def _record(session: Session, actor: Actor, deed: str, row: RuleVersion) -> None:
    audit.record(
        session, actor, deed, "rule_version", row.id,
        number=row.number, valid_from=row.valid_from.isoformat(),
    )  # fmt: skip


def _newest(session: Session, city_code: str) -> RuleVersion | None:
    """The version published last, in force or to come."""
    return session.scalar(_published(city_code).limit(1))


def _published(city_code: str) -> Select[RuleVersion]:
    return (
        select(RuleVersion)
        .where(RuleVersion.city_code == city_code, RuleVersion.status == RuleStatus.PUBLISHED)
        .order_by(RuleVersion.valid_from.desc())
    )


def _lock(session: Session, actor: Actor, city_code: str) -> None:
    """One change of a city's rules at a time."""
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    session.scalars(select(City.id).where(City.code == city_code).with_for_update()).one()


def _reach(session: Session, actor: Actor, version_id: int, *, lock: bool = False) -> RuleVersion:
    row = session.scalar(_visible_to(actor).where(RuleVersion.id == version_id))
    if row is None:
        raise NotFound("error.rules_not_found")
    if lock:
        _lock(session, actor, row.city_code)
        session.refresh(row, with_for_update=True)
    return row


def _visible_to(actor: Actor) -> Select[RuleVersion]:
    """A city's rules are its own operators'."""
    return select(RuleVersion).where(RuleVersion.city_code.in_(actor.cities))
