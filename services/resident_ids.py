"""Resident id numbers (GB 11643): read, checked and shown without standing in the open."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache

from data.sealing import keyed_hash
from services import clock, regions
from services.errors import Invalid
from services.recipients import Sex

EARLIEST_YEAR = 1900
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9X]")


@dataclass(frozen=True, slots=True)
class ResidentId:
    """A valid number and what it says; an unknown area only warns."""

    number: str
    birth_date: date
    sex: Sex
    area_known: bool


def read(text: str) -> ResidentId:
    """The number as typed, with spaces or full-width digits too, or a refusal that says why."""
    number = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if not _NUMBER.fullmatch(number):
        raise Invalid("error.id_number_format")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise Invalid("error.id_number_date") from None
    if born.year < EARLIEST_YEAR or born > clock.today():
        raise Invalid("error.id_number_date")
    if number[17] != check_digit(number[:17]):
        raise Invalid("error.id_number_check_digit")
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    return ResidentId(number, born, sex, number[:2] in _provinces())


def check_digit(first_17: str) -> str:
    """The last sign of a number (ISO 7064, MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11]


def masked(number: str) -> str:
    """As shown to those who need not know it: 110***********002X."""
    return f"{number[:3]}***********{number[-4:]}" if number else ""


def whole_hash(number: str) -> str:
    """The search key of a number: one number, one person."""
    return keyed_hash("id number", number)


@cache
def _provinces() -> frozenset[str]:
    return frozenset(region.code[:2] for region in regions.provinces())
