"""From which figure on a sign tells that a caregiver may be about to leave."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares are in basis points, stars in tenths; lately and before are the weeks compared.

    there: how much of both she must have been there, for her hours and pay to be compared.
    fallen, hours_before: hours a week that are at most such a share of what they were, which was
    so much or more. pay: a week's pay below such a share of the one in the middle. unwilling: so
    many noes or silences, and such a share of the times she was asked. stars, reviews: a rating
    that fell by so much within the last review_weeks, of so many reviews each. idle_days,
    open_hours: no visit for so long, though her calendar had so many hours. ways, way_minutes:
    so many ways, so long on average.
    """

    lately_weeks: int = 4
    before_weeks: int = 8
    there_bp: int = 5_000
    fallen_bp: int = 5_000
    hours_before: int = 4
    pay_bp: int = 5_000
    unwilling: int = 3
    unwilling_bp: int = 5_000
    stars_tenths: int = 5
    review_weeks: int = 8
    reviews: int = 3
    idle_days: int = 21
    open_hours: int = 20
    ways: int = 3
    way_minutes: int = 60
