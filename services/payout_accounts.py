"""Payout accounts: the bank account that a caregiver wants her pay on, one at a time."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.notices import NoticeKind
from data.payouts import PayoutAccount
from services import audit, clock, notices
from services.access import Actor, Permission
from services.errors import Invalid
from services.wording import words

FEWEST_DIGITS, MOST_DIGITS = 12, 19
TAIL = 4


@dataclass(frozen=True, slots=True)
class AccountForm:
    bank: str
    holder: str
    number: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account without what it takes to pay into it."""

    bank: str
    tail: str


def keep(session: Session, actor: Actor, form: AccountForm) -> None:
    """Take this account from now on; what was told to the bank before goes to the former one."""
    actor.require(Permission.KEEP_PAYOUT_ACCOUNT)
    bank = words(form.bank, "bank", 60)
    holder = words(form.holder, "account_holder", 40)
    number = _checked(form.number)
    former = _current(session, actor, lock=True)
    if former is not None:
        if (former.bank, former.holder, former.number) == (bank, holder, number):
            return
        former.replaced_at = clock.now()
        session.flush()
    account = PayoutAccount(
        created_at=clock.now(), caregiver_id=actor.id, bank=bank, tail=number[-TAIL:]
    )
    account.holder, account.number = holder, number
    session.add(account)
    session.flush()
    audit.record(session, actor, "keep_payout_account", "payout_account", account.id)
    notices.tell_owner(session, NoticeKind.PAYOUT_ACCOUNT_CHANGED, actor.id or 0)


def mine(session: Session, actor: Actor) -> AccountView | None:
    """The actor's account; None before there is one."""
    actor.require(Permission.KEEP_PAYOUT_ACCOUNT)
    account = _current(session, actor)
    return None if account is None else AccountView(account.bank, account.tail)


def _current(session: Session, actor: Actor, *, lock: bool = False) -> PayoutAccount | None:
    hers = select(PayoutAccount).where(
        PayoutAccount.caregiver_id == actor.id, PayoutAccount.replaced_at.is_(None)
    )
    return session.scalar(hers.with_for_update() if lock else hers)


def _checked(number: str) -> str:
    """The digits of an account number, or a refusal; a card's check digit (ISO 7812) must fit."""
    digits = "".join(number.split()).replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        raise Invalid("error.account_number")
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        raise Invalid("error.account_number")
    if len(digits) >= FEWEST_OF_A_CARD and not _luhn(digits):
        raise Invalid("error.account_number_mistyped")
    return digits


# Cards of UnionPay have at least so many digits; shorter ones are passbooks, without a check digit.
FEWEST_OF_A_CARD = 16


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
