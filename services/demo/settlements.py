"""Settlements of the demo: a batch that the bank answered, what came due since, two refunds."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.orders import Visit, VisitStatus
from services import clock, income, payout_accounts, payout_files, payouts, refunds
from services.access import SYSTEM, Actor
from services.demo.cast import Carer
from services.demo.nantong import CITY
from services.payout_accounts import AccountForm
from services.payout_files import FileKind

AGO = timedelta(days=9)
BANKS = "工商银行南通分行", "农业银行南通分行", "江苏银行南通分行", "南通农商银行"
WITHOUT_ACCOUNT = 3  # The last of the caregivers have not said yet where their pay goes.
WHY = "户名与账号不符"
EARLY, MISTAKEN = "提前半小时离开，与家属商定退还一部分", "记到了另一次服务上，已撤销"


def settle(session: Session, operator: Actor, carers: list[Carer], now: datetime) -> None:
    """Accounts, then a batch of what is due: all arrived, but one of several came back."""
    with clock.at(now - AGO):
        for number, carer in enumerate(carers[:-WITHOUT_ACCOUNT]):
            if carer.since < clock.now():
                _tell_account(session, carer, number)
        session.flush()
        while income.release_due(session, SYSTEM):
            session.flush()
        due_fen = payouts.preview(session, operator, CITY).total_fen
        if not due_fen:
            return
        batch_id = payouts.lock(session, operator, CITY, due_fen)
        session.flush()
        payout_files.prepare(session, operator, batch_id, FileKind.XLSX)
    with clock.at(now - AGO + timedelta(days=1)):
        *others, last = payouts.lines(session, operator, batch_id)
        payouts.arrived(session, operator, batch_id, [one.id for one in others])
        if others:
            payouts.came_back(session, operator, last.id, WHY)
        else:
            payouts.arrived(session, operator, batch_id, [last.id])


def refund(session: Session, operator: Actor, now: datetime) -> None:
    """Of the latest visits two were refunded in part; one of the refunds was a mistake."""
    redeemed = select(Visit.id).where(Visit.status == VisitStatus.REDEEMED, Visit.total_fen > 0)
    latest = session.scalars(redeemed.order_by(Visit.redeemed_at.desc()).limit(2)).all()
    granted = []
    for number, visit_id in enumerate(latest):
        with clock.at(now - timedelta(hours=3 - number)):
            left = refunds.left(session, operator, visit_id)
            amount_fen = left.left_fen // 4
            hers_fen = min(amount_fen // 2, left.pay_left_fen)
            key = f"demo refund {number}"
            granted.append(
                refunds.grant(
                    session, operator, visit_id, amount_fen, hers_fen, EARLY, request_key=key
                )
            )
    if len(granted) > 1:
        with clock.at(now - timedelta(hours=1)):
            refunds.take_back(session, operator, granted[-1], MISTAKEN)


def _tell_account(session: Session, carer: Carer, number: int) -> None:
    name = f"{carer.id:04d}"
    digits = f"622202111100{number:02d}{name}"
    form = AccountForm(BANKS[number % len(BANKS)], f"演示户名{number + 1}", _card(digits))
    payout_accounts.keep(session, carer.actor, form)


def _card(digits: str) -> str:
    """These digits with the one that makes them a card's (ISO 7812)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 * (value > 9)
    return f"{digits}{-total % 10}"
