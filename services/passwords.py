"""Passwords people choose: long enough, and none that guessing begins with."""

import re
from dataclasses import dataclass, field
from functools import cache

from services.errors import Invalid

SHORTEST, LONGEST = 10, 128
# What has to be left of a password without the person's own name and phone.
FEWEST_OF_ITS_OWN = 4


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that may be set: its hash, and what was typed, to be compared with its owner."""

    hash: str = field(repr=False)
    typed: str = field(repr=False)


def check(password: str, again: str) -> None:
    """Refuse a bad password in words; whose it will be is looked at by `check_owner`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid("error.password_length", fewest=SHORTEST, most=LONGEST)
    if password.casefold() in _common() or len(set(password)) == 1:
        raise Invalid("error.password_common")
    if password != again:
        raise Invalid("error.passwords_differ")


def check_owner(new: NewPassword, name: str, phone: str) -> None:
    """Refuse a password that is little more than its owner's name and phone."""
    left = new.typed.casefold()
    for known in (phone, phone.removeprefix("+86"), re.sub(r"\s", "", name).casefold()):
        left = left.replace(known, "") if known else left
    if len(left) < FEWEST_OF_ITS_OWN:
        raise Invalid("error.password_personal")


@cache
def _common() -> frozenset[str]:
    """The passwords that leaked most often; only those long enough to be chosen."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # Late: it takes 80 ms.

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)
