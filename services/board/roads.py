"""Roads: how long the way between two places of a city takes."""

from data.cities import City
from services.availability import DETOUR
from services.dispatch.travel import RUSH_HOURS, StraightLine, Travel

# Everybody is on the road at once.
_RUSH = 0.75


def of(city: City) -> Travel:
    """The straight line with a detour, at the city's pace, slower in the rush hours."""
    kmh = float(city.travel_kmh)
    return StraightLine(
        detour=DETOUR,
        kmh=tuple(kmh * (_RUSH if hour in RUSH_HOURS else 1) for hour in range(24)),
    )
