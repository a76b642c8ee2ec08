"""How the rule book changes: written by one operator, decided by another, in force from a day.

Where a city has one operator only, a version is published a day after it was confirmed, and can
be withdrawn until then.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from data.cities import City
from data.history import Noun
from data.notices import NoticeKind
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
    rules,
)
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.rule_book import Values
from services.rules import A_DAY
from services.wording import words

FURTHEST = timedelta(days=366)
ALONE_WAITS = timedelta(hours=24)


def draft(session: Session, actor: Actor, city_code: str) -> int:
    """Begin a new version with the numbers of the newest one; return its id."""
    actor.require(Permission.KEEP_RULES)
    _lock(session, actor, city_code)
    newest = rules.newest_of(session, city_code)
    highest = select(func.max(RuleVersion.number)).where(RuleVersion.city_code == city_code)
    row = RuleVersion(
        created_at=clock.now(),
        city_code=city_code,
        number=(session.scalar(highest) or 0) + 1,
        valid_from=rules.earliest(newest),
        values=_within_catalogue(session, rules.values(session, city_code, newest)),
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
    row = _reach(session, actor, version_id)
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
    if rules.is_alone(session, actor, row.city_code):
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
    row = _reach(session, actor, version_id)
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
    if not rules.is_alone(session, actor, row.city_code):
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
    row = _reach(session, actor, version_id)
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
    row = _reach(session, actor, version_id)
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
    newest = rules.newest_of(session, row.city_code)
    return row.based_on_id != (newest.id if newest else None)


def _base(session: Session, row: RuleVersion) -> dict[str, Any]:
    based_on = session.get(RuleVersion, row.based_on_id) if row.based_on_id else None
    return rules.values(session, row.city_code, based_on)


def _checked_day(session: Session, row: RuleVersion, day: date) -> date:
    """Versions follow each other: one begins after the one before, and holds until the next."""
    earliest = rules.earliest(rules.newest_of(session, row.city_code))
    if day < earliest:
        raise Invalid("error.rules_too_soon", day=earliest)
    if day > clock.today() + FURTHEST:
        raise Invalid("error.rules_too_far", days=FURTHEST.days)
    return day


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


def _lock(session: Session, actor: Actor, city_code: str) -> None:
    """One change of a city's rules at a time."""
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    session.scalars(select(City.id).where(City.code == city_code).with_for_update()).one()


def _reach(session: Session, actor: Actor, version_id: int) -> RuleVersion:
    """A version as it is now that nobody else changes its city's rules."""
    row = rules.reach(session, actor, version_id)
    _lock(session, actor, row.city_code)
    session.refresh(row, with_for_update=True)
    return row
