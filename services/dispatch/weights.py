"""The soft terms of dispatch and what each weighs, all in minutes of a caregiver's time."""

from dataclasses import dataclass, fields
from enum import StrEnum
from math import isfinite

from services.errors import Invalid

MOST = 10_000


class Term(StrEnum):
    """What a choice costs, each never below nothing."""

    TRAVEL = "travel"
    RATING = "rating"
    SATURATION = "saturation"
    HOURS = "hours"
    PAY = "pay"
    CONTINUITY = "continuity"
    EXPERIENCE = "experience"
    LANGUAGE = "language"
    CHANGE = "change"
    ASKING = "asking"


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts as much as how many minutes.

    travel: a minute more on the way. rating: a star less than five. saturation: an hour of work
    in a week that is full; in a week half full a quarter of it. hours, pay: an hour of work for
    one who worked, or earned, as much as the mean. continuity: a face the family does not know,
    half of it one seen once, also within a plan.
    experience: a recipient whose conditions she has no experience with. language: one whose
    language she does not speak. change: somebody else than was promised. asking: one who has not
    offered herself, and may say no, where somebody has. unserved: a demand nobody comes to;
    urgency: as much again when it begins now, and nothing in three days.
    """

    travel: float = 1
    rating: float = 15
    saturation: float = 12
    hours: float = 24
    pay: float = 2
    continuity: float = 20
    experience: float = 15
    language: float = 20
    change: float = 240
    asking: float = 30
    unserved: float = 2_000
    urgency: float = 1_000

    def __post_init__(self) -> None:
        for one in fields(self):
            weight = getattr(self, one.name)
            if not (isfinite(weight) and 0 <= weight <= MOST):
                raise Invalid(
                    "error.number_out_of_range", field=f"weight_{one.name}", fewest=0, most=MOST
                )
