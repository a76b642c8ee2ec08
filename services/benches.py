"""Benches: those of a city who could stand in, and how visits are shared out among them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.orders import Order, Visit
from services import availability, calendars, places
from services.availability import Calendar, Obstacle, Pace, Taken


@dataclass(frozen=True, slots=True)
class Hit:
    """A visit that a leave hits, with what it asks of whoever makes it."""

    visit: Visit
    order: Order
    item: CareItem
    family_name: str

    @property
    def time(self) -> Taken:
        return Taken(self.visit.starts_at, self.visit.ends_at, self.visit.cell)


@dataclass(frozen=True, slots=True)
class Bench:
    """Those who work in the city: free time, prices, papers, and whom they keep apart from."""

    people: Mapping[int, tuple[Caregiver, str]]
    prices: Mapping[tuple[int, int], int]
    papers: Mapping[int, set[str]]
    plans: Mapping[int, Calendar]
    taken: Mapping[int, list[Taken]]
    rules: Pace
    apart: Set[tuple[int, int]]

    def unsuited(self, one: int, hit: Hit) -> Obstacle | None:
        """What other than time stands in somebody's way to a visit."""
        price_fen = self.prices.get((one, hit.item.id))
        kept_apart = (hit.order.customer_id, one) in self.apart
        if price_fen is None or one == hit.order.customer_id or kept_apart:
            return Obstacle.NOT_OFFERED
        if not self.papers.get(one, set()).issuperset(hit.item.required_certificates):
            return Obstacle.CERTIFICATE
        if self.kilometres(one, hit) > self.people[one][0].radius_km:
            return Obstacle.TOO_FAR
        return Obstacle.PRICE if price_fen > hit.order.unit_price_fen else None

    def kilometres(self, one: int, hit: Hit) -> float:
        return places.distance_km(self.people[one][0].cell, hit.visit.cell)

    def busy(self, one: int, hit: Hit, besides: Iterable[Taken] = ()) -> Obstacle | None:
        """What of time stands in somebody's way who makes other visits besides."""
        week = calendars.A_WEEK
        since, until = hit.visit.starts_at - week, hit.visit.ends_at + week
        near = [
            each
            for each in (*self.taken.get(one, ()), *besides)
            if each.ends_at > since and each.starts_at < until
        ]
        return availability.obstacle(self.plans[one], self.rules, near, hit.time)


def assign(
    hits: Sequence[Hit], willing: Mapping[int, Sequence[int]], bench: Bench
) -> dict[int, int]:
    """Who is proposed for which visit: those with the least choice are served first.

    Whoever was given a visit with a recipient is asked first for the next with them. A visit that
    is left with nobody takes one from a visit that has another.
    """
    chosen: dict[int, int] = {}
    by_id = {hit.visit.id: hit for hit in hits}

    def free(one: int, hit: Hit, without: int | None = None) -> bool:
        besides = [
            by_id[other].time
            for other, given in chosen.items()
            if given == one and other not in (without, hit.visit.id)
        ]
        return bench.busy(one, hit, besides) is None

    faces: defaultdict[int, set[int]] = defaultdict(set)
    for hit in sorted(hits, key=lambda each: (len(willing[each.visit.id]), each.visit.starts_at)):
        seen = faces[hit.order.recipient_id]
        these = sorted(willing[hit.visit.id], key=lambda one: one not in seen)
        taker = next((one for one in these if free(one, hit)), None)
        if taker is None:
            taker = _exchanged(hit, these, chosen, willing, by_id, free)
        if taker is not None:
            chosen[hit.visit.id] = taker
            seen.add(taker)
    return chosen


def _exchanged(
    hit: Hit,
    these: Sequence[int],
    chosen: dict[int, int],
    willing: Mapping[int, Sequence[int]],
    by_id: Mapping[int, Hit],
    free: Callable[[int, Hit, int | None], bool],
) -> int | None:
    """One who comes free for a visit because somebody else makes another one of hers."""
    for one in these:
        for other in [visit_id for visit_id, given in chosen.items() if given == one]:
            instead = (each for each in willing[other] if each != one)
            if free(one, hit, other) and (
                taker := next((each for each in instead if free(each, by_id[other], None)), None)
            ):
                chosen[other] = taker
                return one
    return None
