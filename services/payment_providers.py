"""Payment providers: whoever says that a family paid; each says it in one way, as a `Payment`.

Staff who saw the money come in are the one provider now. What a split-payment provider signs and
sends can be the next: a provider that checks the signature and reads the same facts from it.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol, TypeVar

from data.receipts import ReceiptMethod
from services import clock
from services.errors import Invalid
from services.wording import words

MOST_FEN = 10_000_000
MOST_REFERENCE, MOST_WORDS = 60, 200
FURTHEST_BACK = timedelta(days=365)
# 1234, 1,234.5 or 1234.50, whichever way a yuan sign stands.
_YUAN = re.compile(r"(?P<sign>[-−]?)(?P<yuan>\d+|\d{1,3}(?:,\d{3})+)(?:\.(?P<rest>\d*))?", re.ASCII)
Told = TypeVar("Told", contravariant=True)


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment in fen; the same id of the same provider's is recorded once."""

    id: str
    customer_id: int
    order_id: int | None
    method: ReceiptMethod
    amount_fen: int
    reference: str
    received_on: date
    words: str = ""


class Provider(Protocol[Told]):
    """Reads what it is told of a payment, or refuses what cannot be."""

    def payment(self, payment_id: str, told: Told) -> Payment: ...


@dataclass(frozen=True, slots=True)
class ReceiptForm:
    """What staff type of a payment; the amount in yuan, as it was typed."""

    customer_id: int
    method: ReceiptMethod
    amount: str
    received_on: date
    reference: str = ""
    words: str = ""
    order_id: int | None = None


class RecordedByStaff:
    """Staff saw the money come in; what they typed is read and checked."""

    def payment(self, payment_id: str, told: ReceiptForm) -> Payment:
        return Payment(
            id=payment_id,
            customer_id=told.customer_id,
            order_id=told.order_id,
            method=told.method,
            amount_fen=fen(told.amount),
            reference=reference(told),
            received_on=checked_day(told.received_on),
            words=words(told.words, "receipt_words", MOST_WORDS, required=False),
        )


STAFF: Provider[ReceiptForm] = RecordedByStaff()


def fen(typed: str) -> int:
    """Typed yuan in fen, from one fen up to 100,000 yuan; anything else is refused in words."""
    kept = unicodedata.normalize("NFKC", typed).strip().removesuffix("元").removeprefix("¥").strip()
    if not kept:
        raise Invalid("error.missing", field="amount")
    read = _YUAN.fullmatch(kept)
    if read is None:
        raise Invalid("error.amount_unreadable")
    yuan, rest = read["yuan"].replace(",", ""), read["rest"] or ""
    if read["sign"]:
        raise Invalid("error.amount_negative")
    if len(rest) > 2:
        raise Invalid("error.amount_below_a_fen")
    # So long a number is out of range whatever it says.
    amount_fen = MOST_FEN + 1 if len(yuan) > 12 else int(yuan + rest.ljust(2, "0"))
    if not 1 <= amount_fen <= MOST_FEN:
        raise Invalid("error.amount_out_of_range", least_fen=1, most_fen=MOST_FEN)
    return amount_fen


def checked_day(received_on: date) -> date:
    """The day money moved: today, or within the last year."""
    if received_on > clock.today():
        raise Invalid("error.received_in_future")
    if received_on < clock.today() - FURTHEST_BACK:
        raise Invalid("error.received_too_long_ago", days=FURTHEST_BACK.days)
    return received_on


def reference(told: ReceiptForm) -> str:
    """The payment's number, alike however wide it was typed; only cash needs none."""
    typed = unicodedata.normalize("NFKC", told.reference)
    required = told.method is not ReceiptMethod.CASH
    return words(typed, "reference", MOST_REFERENCE, required=required)
