"""The door through which rows leave: people become pseudonyms, birth dates bands.

Moments become those of the city's clocks, without a zone.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa

from data.sealing import derived_key
from services import clock
from services.analytics import terms
from services.analytics.schemas import PLAIN, Fact

# Whoever and whatever is told apart; the column's name is what the pseudonym is of.
WHO = frozenset({"need", "family", "recipient", "caregiver", "order", "visit"})
_DIGITS = 16


@lru_cache(maxsize=100_000)
def of(what: str, number: int) -> str:
    """What stands for somebody or something: the same for ever, and by nobody to be undone.

    The first 16 hexadecimal digits of an HMAC-SHA256 under a key of its own.
    """
    told = f"{what}:{number}".encode()
    return hmac.digest(derived_key("figures"), told, "sha256").hex()[:_DIGITS]


def city_moment(moment: datetime | None) -> datetime | None:
    """A moment as the city's clocks show it, without the zone."""
    return None if moment is None else clock.in_city(moment).replace(tzinfo=None)


def table(fact: Fact, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Rows as they were asked for, by the names of their columns, as they may leave."""
    asked = dict(zip(names, zip(*rows, strict=True), strict=True))
    told = [pa.array(_told(field, asked), field.type) for field in PLAIN[fact]]
    return pa.table(told, schema=PLAIN[fact])


def _told(field: pa.Field, asked: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
    values = asked[field.name]
    if field.name in WHO:
        return [None if one is None else of(field.name, one) for one in values]
    if pa.types.is_timestamp(field.type):
        return [city_moment(one) for one in values]
    if field.name == "recipient_age":  # Asked for as the birth date.
        moments = zip(values, asked["starts_at"], strict=True)
        return [terms.age_band(born, clock.in_city(at).date()) for born, at in moments]
    return values
