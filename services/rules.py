"""The rule book of a city: which numbers hold on a day, and the versions they stand in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.cities import City
from data.history import Noun
from data.orders import Order
from data.rules import RuleStatus, RuleVersion
from services import clock, lifecycles, rule_book
from services.access import Actor, Permission, Role
from services.errors import NotFound
from services.rule_book import Values

__all__ = ["CityRules", "RuleStatus", "VersionView"]

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
    return _views(session, actor, [reach(session, actor, version_id)])[0]


def is_alone(session: Session, actor: Actor, city_code: str) -> bool:
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


def earliest(newest: RuleVersion | None) -> date:
    """The first day on which a version can begin: each one after the one before."""
    tomorrow = clock.today() + A_DAY
    return max(tomorrow, newest.valid_from + A_DAY) if newest else tomorrow


def newest_of(session: Session, city_code: str) -> RuleVersion | None:
    """The version published last, in force or to come."""
    return session.scalar(_published(city_code).limit(1))


def _published(city_code: str) -> Select[RuleVersion]:
    return (
        select(RuleVersion)
        .where(RuleVersion.city_code == city_code, RuleVersion.status == RuleStatus.PUBLISHED)
        .order_by(RuleVersion.valid_from.desc())
    )


def reach(session: Session, actor: Actor, version_id: int) -> RuleVersion:
    """A version of a city of the actor's, or a refusal."""
    row = session.scalar(_visible_to(actor).where(RuleVersion.id == version_id))
    if row is None:
        raise NotFound("error.rules_not_found")
    return row


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
        alone=is_alone(session, actor, city_code),
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
    newest = {row.city_code: newest_of(session, row.city_code) for row in rows}
    alone = {city_code: is_alone(session, actor, city_code) for city_code in newest}
    views = []
    for row in rows:
        base = bases.get(row.based_on_id or 0)
        # Once the first version has begun, the city's columns say no more what was before it.
        begun = base is None and row.status not in _UNDECIDED
        before = rule_book.usual() if begun else values(session, row.city_code, base)
        views.append(
            VersionView(
                id=row.id,
                city_code=row.city_code,
                number=row.number,
                status=row.status,
                valid_from=row.valid_from,
                earliest=earliest(newest[row.city_code]),
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
                moves=_moves(actor, row, alone=alone[row.city_code]),
            )
        )
    return views


def _moves(actor: Actor, row: RuleVersion, *, alone: bool) -> tuple[str, ...]:
    """What this actor can do with a version now."""
    moves = set(lifecycles.open_moves(Noun.RULE_VERSION, row.status, actor))
    moves -= {"propose"} if alone else {"announce"}
    if row.written_by_id == actor.id:
        moves -= {"approve", "turn_down"}
    if row.status is RuleStatus.PUBLISHED and row.valid_from <= clock.today():
        moves.discard("withdraw")
    return tuple(sorted(moves))


def _visible_to(actor: Actor) -> Select[RuleVersion]:
    """A city's rules are its own operators'."""
    return select(RuleVersion).where(RuleVersion.city_code.in_(actor.cities))
