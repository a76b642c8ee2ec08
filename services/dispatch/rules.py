"""The hard rules of dispatch, each with the reason it gives, in the order they are looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from services.dispatch.columns import Columns, Mask, Rows
from services.dispatch.timing import openings


class Rule(StrEnum):
    """Why nobody comes: the rule that left nobody, or what no caregiver can help.

    WANTED: somebody could come, but is of more use elsewhere.
    """

    WINDOW = "window"
    NO_PLACE = "no_place"
    NOBODY = "nobody"
    VERIFIED = "verified"
    SEX = "sex"
    NOT_OFFERED = "not_offered"
    CERTIFICATE = "certificate"
    SKILL = "skill"
    TOO_FAR = "too_far"
    PRICE = "price"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    STRANGER = "stranger"
    FREE_TIME = "free_time"
    TRAVEL = "travel"
    REST = "rest"
    WEEK_FULL = "week_full"
    WANTED = "wanted"


Holds = Callable[[Columns, Rows, Rows], Mask]


@dataclass(frozen=True, slots=True)
class Check:
    """Whether caregivers `c` may come to the demands `d` beside them, as far as one rule goes."""

    rule: Rule
    holds: Holds


def verified(columns: Columns, d: Rows, c: Rows) -> Mask:
    """She may work, and it is known where she lives."""
    return columns.verified[c] & ~np.isnan(columns.homes[c, 0])


def of_wished_sex(columns: Columns, d: Rows, c: Rows) -> Mask:
    return columns.sexes.covered(d, c)


def offered(columns: Columns, d: Rows, c: Rows) -> Mask:
    return ~np.isnan(columns.prices[columns.item[d], c])


def certified(columns: Columns, d: Rows, c: Rows) -> Mask:
    return columns.certificates.covered(d, c)


def skilled(columns: Columns, d: Rows, c: Rows) -> Mask:
    return columns.skills.covered(d, c)


def in_reach(columns: Columns, d: Rows, c: Rows) -> Mask:
    """The place is no further from her home than she goes, in a straight line."""
    return (columns.place_units[d] * columns.home_units[c]).sum(axis=-1) >= columns.reach[c]


def affordable(columns: Columns, d: Rows, c: Rows) -> Mask:
    return columns.asked_fen(d, c) <= columns.highest_fen[d]


def not_refused(columns: Columns, d: Rows, c: Rows) -> Mask:
    """Neither of the two will not have the other."""
    return ~columns.among(d, c, columns.refused)


def not_forbidden(columns: Columns, d: Rows, c: Rows) -> Mask:
    """The operator did not say that she must not come."""
    return ~columns.among(d, c, columns.forbidden)


def not_too_new(columns: Columns, d: Rows, c: Rows) -> Mask:
    """She has been there before, or strangers may come."""
    return columns.strangers[d] | columns.among(d, c, columns.known)


def has_time(columns: Columns, d: Rows, c: Rows) -> Mask:
    return openings(columns, d, c, travel=False, rest=False).found


def has_time_for_the_way(columns: Columns, d: Rows, c: Rows) -> Mask:
    return openings(columns, d, c, rest=False).found


def has_rested(columns: Columns, d: Rows, c: Rows) -> Mask:
    return openings(columns, d, c).found


def week_has_room(columns: Columns, d: Rows, c: Rows) -> Mask:
    """Her hours of that week stay under their cap; live-in care is not among them."""
    worked = columns.booked[columns.week[d], c] + columns.minutes[d]
    return columns.live_in[d] | (worked <= columns.week_minutes[c])


# What is the same for all demands of a kind.
OF_KIND = (
    Check(Rule.VERIFIED, verified),
    Check(Rule.SEX, of_wished_sex),
    Check(Rule.NOT_OFFERED, offered),
    Check(Rule.CERTIFICATE, certified),
    Check(Rule.SKILL, skilled),
)
OF_PLACE = (Check(Rule.TOO_FAR, in_reach),)
OF_BOTH = (
    Check(Rule.PRICE, affordable),
    Check(Rule.REFUSED, not_refused),
    Check(Rule.FORBIDDEN, not_forbidden),
    Check(Rule.STRANGER, not_too_new),
)
OF_TIME = (
    Check(Rule.FREE_TIME, has_time),
    Check(Rule.TRAVEL, has_time_for_the_way),
    Check(Rule.REST, has_rested),
)
OF_WEEK = (Check(Rule.WEEK_FULL, week_has_room),)
CHECKS = (*OF_KIND, *OF_PLACE, *OF_BOTH, *OF_TIME, *OF_WEEK)


def possible(columns: Columns) -> Mask:
    """Which demands somebody could come to at all, whoever it is."""
    return _long_enough(columns) & _placed(columns)


def impossible(columns: Columns, d: int) -> Rule | None:
    """What keeps everybody from a demand, whoever they are."""
    if not _long_enough(columns)[d]:
        return Rule.WINDOW
    if not _placed(columns)[d]:
        return Rule.NO_PLACE
    return None if columns.caregivers else Rule.NOBODY


def _long_enough(columns: Columns) -> Mask:
    """A window holds the visit."""
    lengths = columns.windows.ends - columns.windows.starts
    return (columns.minutes > 0) & (lengths >= columns.minutes).any(axis=0)


def _placed(columns: Columns) -> Mask:
    """The place is one on Earth."""
    return ~np.isnan(columns.places[:, 0])


def left_by(columns: Columns, d: int) -> dict[Rule, int]:
    """How many caregivers each rule leaves, one after the other, until none is left."""
    left: dict[Rule, int] = {}
    c = np.arange(len(columns.caregivers))
    for check in CHECKS:
        c = c[check.holds(columns, np.full(len(c), d), c)]
        left[check.rule] = len(c)
        if not len(c):
            break
    return left


def hindered(columns: Columns, d: int) -> dict[Rule, int]:
    """How many caregivers each rule is the first to keep from one demand."""
    before, found = len(columns.caregivers), dict[Rule, int]()
    for rule, left in left_by(columns, d).items():
        if left < before:
            found[rule] = before - left
        before = left
    return found


def blocking(columns: Columns, d: int, c: int) -> Rule | None:
    """The first rule that keeps one caregiver from one demand."""
    pair = np.array([d]), np.array([c])
    return next((one.rule for one in CHECKS if not one.holds(columns, *pair)[0]), None)
