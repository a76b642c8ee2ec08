"""Who wants what, when and where: the demo's rhythm by weekday, hour, district and week."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.catalogue import CareItem, ItemGroup
from data.cities import Place, PlaceKind
from services import clock
from services.availability import Taken
from services.demo import words
from services.demo.cast import CaredFor, Carer, Family, Span
from services.demo.nantong import DISTRICTS

DAYS_AHEAD = 14
REGULAR_SHARE = 0.25
# From Monday to Sunday: hospitals are busiest early in the week, elders are alone at weekends.
WEEKDAYS = {
    ItemGroup.MEDICAL: (16, 15, 11, 10, 9, 4, 2),
    ItemGroup.ELDERLY: (8, 8, 9, 9, 10, 16, 6),
    ItemGroup.MATERNITY: (10, 10, 10, 10, 10, 9, 5),
}
# The hours a visit begins at, and how often.
HOURS = {
    ItemGroup.MEDICAL: ((7, 8, 9, 13, 14), (4, 9, 4, 3, 1)),
    ItemGroup.ELDERLY: ((8, 9, 10, 14, 15, 16), (2, 6, 5, 5, 3, 2)),
    ItemGroup.MATERNITY: ((8, 9, 10, 14), (4, 5, 2, 3)),
}
# Items, how often each is asked for, and the units: fewest and most.
ITEMS = {
    "hospital_companion": (10, 3, 5),
    "ward_care_day": (3, 1, 1),
    "ward_care_round": (1, 2, 4),
    "post_operative": (2, 1, 1),
    "chronic_care": (4, 2, 3),
    "companionship": (10, 2, 4),
    "bath_assist": (5, 2, 2),
    "meals": (7, 2, 3),
    "dementia_care": (3, 1, 1),
    "home_care_day": (2, 1, 1),
    "maternity_nurse": (2, 3, 7),
    "postpartum_recovery": (4, 2, 3),
    "infant_care_day": (4, 1, 1),
}
REGULAR_ITEMS = ("chronic_care", "companionship", "bath_assist", "meals", "infant_care_day")
# How often of eighty something goes as it should not; the rest goes well.
FATES = {
    "refused": 3,
    "ignored": 3,
    "called_off": 2,
    "blocked": 1,
    "withdrawn": 2,
    "nobody": 1,
    "applicant_declined": 3,
    "applicant_withdrew": 3,
    "turned_down": 2,
    "cancelled": 5,
    "no_show": 2,
}
DECK = 80
WELL = "well"


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What a family will want, and what will become of it; with a carer, she alone is asked."""

    key: str
    family: Family
    cared_for: CaredFor
    item: CareItem
    units: int
    posted_at: datetime
    starts_at: datetime
    place: Place | None
    said: str
    fate: str = WELL
    carer: Carer | None = None

    @property
    def taken(self) -> Taken:
        return Taken(*self.span, self.cell)

    @property
    def span(self) -> Span:
        hours = self.units * self.item.hours_per_unit
        return self.starts_at, self.starts_at + timedelta(hours=hours)

    @property
    def cell(self) -> str:
        return self.place.cell if self.place else self.family.home.cell


class Planner:
    """Makes wishes from chance; the same seed makes the same ones."""

    def __init__(
        self, chance: random.Random, items: list[CareItem], places: list[Place], now: datetime
    ) -> None:
        self.chance, self.now = chance, now
        self.items = {item.code: item for item in items}
        self.hospitals: dict[str, list[Place]] = {}
        for place in places:
            if place.kind is PlaceKind.HOSPITAL:
                self.hospitals.setdefault(place.district_code, []).append(place)
        self._number = 0
        self._deck: list[str] = []

    def wishes(self, families: list[Family], start: datetime) -> Iterator[Wish]:
        """What these families want from the start until two weeks from now."""
        for family in families:
            if self.chance.random() < REGULAR_SHARE and not family.cared_for[0].maternity:
                yield from self._weekly(family, max(start, family.since))
            else:
                yield from self._now_and_then(family, max(start, family.since))

    def wish(
        self,
        family: Family,
        code: str,
        starts_at: datetime,
        posted_at: datetime,
        *,
        units: int | None = None,
        fate: str = WELL,
        carer: Carer | None = None,
    ) -> Wish:
        """One wish, for somebody of the family and at a place that suit the item."""
        item, chance = self.items[code], self.chance
        self._number += 1
        _, fewest, most = ITEMS[code]
        return Wish(
            key=f"demo-{self._number}",
            family=family,
            cared_for=chance.choice(family.cared_for),
            item=item,
            units=units or chance.randint(fewest, most),
            posted_at=posted_at,
            starts_at=starts_at,
            place=self._hospital(family, code),
            said=chance.choice(words.WISHES[item.group]),
            fate=fate,
            carer=carer,
        )

    def fate(self) -> str:
        """What becomes of the next wish, dealt from a deck so that the shares are kept."""
        if not self._deck:
            cards = [name for name, count in FATES.items() for _ in range(count)]
            self._deck = cards + [WELL] * (DECK - len(cards))
            self.chance.shuffle(self._deck)
        return self._deck.pop()

    def _weekly(self, family: Family, since: datetime) -> Iterator[Wish]:
        """The same care on the same weekday and hour, most weeks."""
        code = self.chance.choice([c for c in REGULAR_ITEMS if not self._is_maternity(c)])
        group = self.items[code].group
        weekday = self.chance.choices(range(7), WEEKDAYS[group])[0]
        hour = self._hour(group)
        day = since + timedelta(days=(weekday - clock.in_city(since).weekday()) % 7)
        while day < self.now + timedelta(days=DAYS_AHEAD):
            if self.chance.random() < 0.85:
                yield from self._asked(family, code, _at(day, hour), self.chance.uniform(2, 14))
            day += timedelta(weeks=1)

    def _now_and_then(self, family: Family, since: datetime) -> Iterator[Wish]:
        """Some visits on days that suit what they are for; a little more every week."""
        maternity = family.cared_for[0].maternity
        days = (self.now - since).days + DAYS_AHEAD
        codes = [code for code in ITEMS if self._is_maternity(code) == maternity]
        for _ in range(self.chance.choice((1, 2, 2, 3, 4)) if days > 28 else 2):
            code = self.chance.choices(codes, [ITEMS[code][0] for code in codes])[0]
            group = self.items[code].group
            ahead = [since + timedelta(days=day) for day in range(1, days)]
            weights = [
                WEEKDAYS[group][clock.in_city(day).weekday()] * (0.9 + 0.3 * number / days)
                for number, day in enumerate(ahead)
            ]
            day = self.chance.choices(ahead, weights)[0]
            lead = self.chance.choice((1, 2, 2, 3, 4, 6, 9, 12)) + self.chance.random() / 2
            yield from self._asked(family, code, _at(day, self._hour(group)), lead)

    def _asked(
        self, family: Family, code: str, starts_at: datetime, lead_days: float
    ) -> Iterator[Wish]:
        """The wish, unless it is asked for only after now or would come too early."""
        asked = clock.in_city(starts_at - timedelta(days=lead_days))
        posted_at = asked.replace(hour=self._waking_hour(), minute=self.chance.randint(0, 59))
        posted_at = min(posted_at, starts_at - timedelta(hours=20))
        fate = self.fate()
        if family.since < posted_at < self.now - timedelta(minutes=20):
            yield self.wish(family, code, starts_at, posted_at, fate=fate)

    def _hospital(self, family: Family, code: str) -> Place | None:
        """The hospital near by, or one in the city's middle; None for care at home."""
        if code not in ("hospital_companion", "ward_care_day", "ward_care_round"):
            return None
        middle = self.hospitals[DISTRICTS[0].code]
        near = self.hospitals.get(family.home.district_code, middle)
        return self.chance.choice(near if self.chance.random() < 0.7 else middle)

    def _is_maternity(self, code: str) -> bool:
        return self.items[code].group is ItemGroup.MATERNITY

    def _hour(self, group: ItemGroup) -> int:
        hours, weights = HOURS[group]
        return self.chance.choices(hours, weights)[0]

    def _waking_hour(self) -> int:
        return self.chance.choices(range(7, 22), (2, 4, 6, 7, 6, 4, 3, 3, 4, 4, 3, 4, 6, 6, 3))[0]


def _at(day: datetime, hour: int) -> datetime:
    return clock.in_city(day).replace(hour=hour, minute=0, second=0, microsecond=0)
