"""How a city lives, in numbers: its busy days and hours, where people live, what they want.

Assumptions, all of them, made to look like small Chinese cities; nothing is measured.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays
import numpy as np
import numpy.typing as npt

from services import places, regions
from services.analytics.terms import AgeBand
from services.demo.nantong import DISTRICT_WEIGHTS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# How large the cities are against each other.
CITIES = {"320600": 0.46, "510500": 0.24, "371000": 0.19, "510400": 0.11}
GROWTH_A_DAY = 0.0009  # A third more every year.
WEEKDAYS = (1.1, 1.06, 1.03, 1.0, 1.02, 0.86, 0.78)
WINTER, WINTERS_DAY = 0.14, 25
ON_HOLIDAYS = 0.55
# Chances of each hour of the day to begin in, from six in the morning to ten in the evening.
HOURS = {
    "medical": (2, 8, 14, 13, 9, 5, 3, 7, 9, 7, 5, 4, 4, 4, 3, 2, 1),
    "elderly": (3, 7, 10, 10, 9, 8, 5, 6, 8, 8, 7, 6, 5, 4, 2, 1, 1),
    "maternity": (1, 4, 12, 14, 12, 7, 3, 5, 9, 10, 8, 6, 4, 3, 1, 1, 0),
}
FIRST_HOUR = 6
AGES = {
    "medical": (2, 5, 4, 5, 8, 13, 22, 25, 16),
    "elderly": (0, 0, 0, 0, 1, 4, 21, 39, 35),
    "maternity": (46, 1, 17, 29, 7, 0, 0, 0, 0),
}
FAR_KM = 6.0  # How quickly fewer people live away from a district's middle.


@dataclass(frozen=True, slots=True)
class Item:
    """An item of care: how many of a thousand want it, its hours, and fen per hour."""

    code: str
    group: str
    share: int
    hours: tuple[int, ...]
    fen: tuple[int, int]
    monthly: float = 0.0  # How many want it month after month.


ITEMS = (
    Item("hospital_companion", "medical", 190, (2, 3, 4, 6, 8), (4000, 9000)),
    Item("ward_care_day", "medical", 120, (8,), (2250, 3250)),
    Item("ward_care_round", "medical", 70, (24, 48, 72, 168), (1000, 1500)),
    Item("post_operative", "medical", 60, (4,), (4000, 6500)),
    Item("chronic_care", "medical", 70, (2, 3, 4), (4500, 8500), 0.12),
    Item("companionship", "elderly", 130, (2, 3, 4, 6), (3000, 6000), 0.14),
    Item("bath_assist", "elderly", 80, (2, 3), (6000, 12000), 0.1),
    Item("meals", "elderly", 80, (2, 3), (3500, 6500), 0.16),
    Item("dementia_care", "elderly", 40, (4,), (3500, 6000), 0.1),
    Item("home_care_day", "elderly", 60, (8,), (1875, 3000)),
    Item("maternity_nurse", "maternity", 35, (168, 624), (1250, 2167)),
    Item("postpartum_recovery", "maternity", 40, (2, 3, 4), (8000, 16000)),
    Item("infant_care_day", "maternity", 25, (8,), (2250, 3750)),
)
GROUPS = tuple(dict.fromkeys(item.group for item in ITEMS))
BANDS = tuple(str(band) for band in AgeBand)


@dataclass(frozen=True, slots=True)
class Map:
    """All districts and cells of the cities, each with its place in the other's list."""

    cities: tuple[str, ...]
    districts: tuple[str, ...]
    cells: tuple[str, ...]
    city_of: Ints  # of each district
    share_of: Floats  # of each district, of all people
    first_cell: Ints  # of each district
    crowds: tuple[Floats, ...]  # of each district, how many live up to each of its cells


@cache
def drawn() -> Map:
    """The map of the cities."""
    cities, districts, cells = tuple(CITIES), list[str](), list[str]()
    city_of, shares, first_cell, crowds = list[int](), list[float](), list[int](), list[Floats]()
    for number, (city, size) in enumerate(CITIES.items()):
        codes = [district.code for district in regions.districts_of(city)]
        heads = {
            code: DISTRICT_WEIGHTS.get(code, 24 / (rank + 1)) for rank, code in enumerate(codes)
        }
        for code in codes:
            own, middle = sorted(places.cells_of_district(code)), places.cell_of_district(code)
            away = np.array([places.distance_km(cell, middle) for cell in own])
            people = np.cumsum(np.exp(-away / FAR_KM))
            first_cell.append(len(cells))
            crowds.append(people / people[-1])
            cells += own
            districts.append(code)
            city_of.append(number)
            shares.append(size * heads[code] / sum(heads.values()))
    whole = np.array(shares)
    return Map(
        cities,
        tuple(districts),
        tuple(cells),
        np.array(city_of),
        whole / whole.sum(),
        np.array(first_cell),
        tuple(crowds),
    )


def days(first: date, last: date, as_of: date) -> Floats:
    """How busy each day is, from one to another; of those ahead less is booked the further on."""
    number = (last - first).days + 1
    calendar = [first + timedelta(days=day) for day in range(number)]
    off = holidays.country_holidays("CN", years=range(first.year, last.year + 1))
    ahead = np.maximum(np.arange(number) - (as_of - first).days, 0)
    of_year = np.array([day.timetuple().tm_yday for day in calendar])
    return (
        np.exp(GROWTH_A_DAY * np.arange(number))
        * np.array([WEEKDAYS[day.weekday()] for day in calendar])
        * (1 + WINTER * np.cos(2 * np.pi * (of_year - WINTERS_DAY) / 365))
        * np.array([ON_HOLIDAYS if day in off else 1.0 for day in calendar])
        * np.exp(-ahead / 5)
    )
