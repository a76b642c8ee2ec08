"""Callers: the customers a city's phone desk finds, enters and acts for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, func, or_, select, union
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus, ContactPhone, NameKey
from data.calls import Call
from data.caregivers import Caregiver
from data.demands import Demand
from data.orders import Order
from data.recipients import Recipient
from services import accounts, audit, cities, clock, name_keys, phones
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.wording import words

MOST_FOUND, MOST_TYPED = 10, 80
MOST_CONTACT_PHONES = 5
# A beginning of one letter has thousands of names: the first of them, and who called last.
MOST_LOOKED_AT, MOST_RECENT = 60, 200
_BETWEEN_DIGITS = str.maketrans("", "", "+-#() ")


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer as the desk tells them apart; the number is masked until a call-back.

    `through` is the name of the one they care for that was typed, if it was not their own.
    """

    id: int
    name: str
    masked_phone: str
    district_code: str | None
    recipients: int
    last_wish_at: datetime | None
    is_caregiver: bool = False
    through: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number, and whose it is where it is not the caller's own."""

    phone: str
    words: str


def acted_for(session: Session, actor: Actor, customer_id: int | None) -> int:
    """Whose wish this is: the customer's own, or that of the caller the desk acts for."""
    if customer_id is None:
        if actor.role is not Role.CUSTOMER:
            raise NotAllowed("error.not_allowed")
        return actor.id or 0
    actor.require(Permission.ACT_FOR_CUSTOMER)
    return reach(session, actor, customer_id).id


def reach(session: Session, actor: Actor, customer_id: int) -> Account:
    """A customer's account this desk may act for."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = session.scalar(_visible_to(actor).where(Account.id == customer_id))
    if account is None:
        raise NotFound("error.customer_not_found")
    if account.status is not AccountStatus.ACTIVE:
        raise Conflict("error.customer_suspended")
    return account


def find(session: Session, actor: Actor, typed: str) -> list[Caller]:
    """The city's customers whom what was typed may mean, the likeliest first.

    A whole phone or its last four digits, own or shared; an order's number; the beginning of a
    name or given name, theirs or of whom they care for, in characters, pinyin or initials.
    """
    actor.require(Permission.ACT_FOR_CUSTOMER)
    typed = words(typed, "name_or_phone", 200, required=False)[:MOST_TYPED]
    digits = typed.translate(_BETWEEN_DIGITS)
    if digits.isdecimal() and digits.isascii():
        return _callers(session, _by_digits(session, actor, typed, digits))
    return _callers(session, _by_name(session, actor, typed))


def one(session: Session, actor: Actor, customer_id: int) -> Caller:
    """One caller this desk may act for."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = reach(session, actor, customer_id)
    return _callers(session, {account.id: ""})[0]


def register(
    session: Session,
    actor: Actor,
    name: str,
    phone: str,
    city_code: str,
    *,
    shared: bool = False,
    said: str = "",
) -> int:
    """Enter a first-time caller: an account without password, opened only by a one-time code.

    A phone that is known already is refused: nobody takes over an account by calling. Somebody
    else at a shared number gets no phone of their own: nothing opens that account.
    """
    actor.require(Permission.ACT_FOR_CUSTOMER)
    name = words(name, "name", 40)
    phone = phones.normalised(phone)
    if cities.open_city(session, city_code).code not in actor.cities:
        raise Invalid("error.city_not_open")
    try:
        with session.begin_nested():
            account = accounts.new(session, name, None if shared else phone, Role.CUSTOMER)
    except IntegrityError:
        raise Conflict("error.phone_known") from None
    account.city_code = city_code
    if shared:
        keep_contact_phone(session, account, phone, said)
    audit.record(session, actor, "register_caller", "account", account.id)
    return account.id


def numbers(session: Session, actor: Actor, customer_id: int) -> list[Number]:
    """The whole numbers to call back, the own one first; every look leaves an audit row."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = reach(session, actor, customer_id)
    audit.record(session, actor, "open_phone", "account", account.id)
    own = [] if account.phone == phones.NOBODYS else [Number(account.phone, "")]
    return own + [Number(one.phone, one.words) for one in contact_phones(session, account.id)]


def reachable_at(session: Session, account: Account) -> str:
    """The number to reach somebody at: their own, else the first shared one, else nothing."""
    if account.phone != phones.NOBODYS:
        return account.phone
    return next((one.phone for one in contact_phones(session, account.id)), "")


def contact_phones(session: Session, account_id: int) -> Sequence[ContactPhone]:
    """Somebody's shared numbers, in the order they were noted."""
    theirs = select(ContactPhone).where(ContactPhone.account_id == account_id)
    return session.scalars(theirs.order_by(ContactPhone.id)).all()


def keep_contact_phone(session: Session, account: Account, phone: str, said: str) -> None:
    """Store a normalised shared number; one they have already only gets its words anew."""
    said = words(said, "contact_words", 40, required=False)
    whole, known = phones.whole_hash(phone), contact_phones(session, account.id)
    for one in known:
        if one.phone_hash == whole:
            one.words = said
            return
    if len(known) >= MOST_CONTACT_PHONES:
        raise Invalid("error.too_many_contact_phones", most=MOST_CONTACT_PHONES)
    session.add(
        ContactPhone(
            created_at=clock.now(),
            account_id=account.id,
            phone=phone,
            phone_hash=whole,
            phone_tail_hash=phones.tail_hash(phone),
            words=said,
        )
    )
    session.flush()


def _by_digits(session: Session, actor: Actor, typed: str, digits: str) -> dict[int, str]:
    """By phone or by an order's number, the newest account first."""
    theirs: list[Select[int]] = []
    if (whole := phones.whole(typed)) is not None:
        key = phones.whole_hash(whole)
        theirs = [
            select(Account.id).where(Account.phone_hash == key),
            select(ContactPhone.account_id).where(ContactPhone.phone_hash == key),
        ]
    elif len(digits) == 4:
        tail = phones.tail_hash(digits)
        theirs = [
            select(Account.id).where(Account.phone_tail_hash == tail),
            select(ContactPhone.account_id).where(ContactPhone.phone_tail_hash == tail),
        ]
    if whole is None and len(digits) < 10:
        here = Order.city_code.in_(actor.cities)
        theirs.append(select(Order.customer_id).where(Order.id == int(digits), here))
    if not theirs:
        return {}
    found = session.scalars(
        _visible_to(actor)
        .with_only_columns(Account.id)
        .where(Account.id.in_(union(*theirs)))
        .order_by(Account.id.desc())
        .limit(MOST_LOOKED_AT)
    ).all()
    recent = _recent(session, actor)
    ranked = sorted(found, key=lambda one: (recent.get(one, len(recent)), -one))
    return dict.fromkeys(ranked[:MOST_FOUND], "")


def _by_name(session: Session, actor: Actor, typed: str) -> dict[int, str]:
    """By the beginning of a name: whose is exactly this, then who called last, then by name."""
    recent = _recent(session, actor)
    best: dict[int, tuple[bool, int, int | None]] = {}
    for beginning in name_keys.beginnings(typed):
        page = (
            _visible_to(actor)
            .join(NameKey, NameKey.account_id == Account.id)
            .with_only_columns(NameKey.account_id, NameKey.recipient_id, NameKey.key)
            .where(name_keys.begin_with(beginning))
            .order_by(NameKey.key, NameKey.account_id)
            .limit(MOST_LOOKED_AT)
        )
        called = page.where(NameKey.account_id.in_(list(recent)))
        for account_id, recipient_id, key in (*session.execute(page), *session.execute(called)):
            rank = (
                key != beginning,
                recent.get(account_id, len(recent)),
                recipient_id,
            )
            if account_id not in best or _first(rank) < _first(best[account_id]):
                best[account_id] = rank
    ranked = sorted(best, key=lambda one: (*_first(best[one]), one))[:MOST_FOUND]
    through = [recipient_id for one in ranked if (recipient_id := best[one][2]) is not None]
    named = select(Recipient.id, Recipient.name).where(Recipient.id.in_(through))
    names = dict(session.execute(named).all())
    return {one: names.get(best[one][2] or 0, "") for one in ranked}


def _first(rank: tuple[bool, int, int | None]) -> tuple[bool, int, bool]:
    """Exact before a beginning, who called last before others, the own name before another's."""
    return rank[0], rank[1], rank[2] is not None


def _recent(session: Session, actor: Actor) -> dict[int, int]:
    """Who was on the phone with these cities last, and in which order."""
    last = session.scalars(
        select(Call.customer_id)
        .where(Call.city_code.in_(actor.cities), Call.customer_id.is_not(None))
        .order_by(Call.id.desc())
        .limit(MOST_RECENT)
    )
    return {one: number for number, one in enumerate(dict.fromkeys(last)) if one is not None}


def _callers(session: Session, found: Mapping[int, str]) -> list[Caller]:
    """What tells these apart, in their order; each with whose name led to them."""
    cared_for = (
        select(func.count(Recipient.id))
        .where(Recipient.customer_id == Account.id)
        .scalar_subquery()
    )
    last_wish = (
        select(func.max(Demand.created_at)).where(Demand.customer_id == Account.id)
    ).scalar_subquery()
    works = exists().where(Caregiver.id == Account.id)
    rows = session.execute(
        select(Account, cared_for, last_wish, works).where(Account.id.in_(list(found)))
    )
    each = {
        account.id: Caller(
            id=account.id,
            name=account.name,
            masked_phone=phones.masked(account.phone),
            district_code=account.district_code,
            recipients=number,
            last_wish_at=wished_at,
            is_caregiver=is_caregiver,
            through=found[account.id],
        )
        for account, number, wished_at, is_caregiver in rows
    }
    return [each[one] for one in found]


def ids(actor: Actor) -> Select[int]:
    """The numbers of all whom this desk may act for."""
    return _visible_to(actor).with_only_columns(Account.id)


def _visible_to(actor: Actor) -> Select[Account]:
    """Customers of the desk's cities: by the region they chose, by a wish there, or by none yet."""
    is_customer = exists().where(
        AccountRole.account_id == Account.id, AccountRole.role == Role.CUSTOMER
    )
    asked_here = exists().where(
        Demand.customer_id == Account.id, Demand.city_code.in_(actor.cities)
    )
    return select(Account).where(
        is_customer,
        Account.status.not_in((AccountStatus.MERGED, AccountStatus.ERASED)),
        or_(Account.city_code.in_(actor.cities), Account.city_code.is_(None), asked_here),
    )
