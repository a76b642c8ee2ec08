"""A problem as columns of numbers: what is asked of thousands of pairs at once."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import attrgetter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.dispatch.problem import Caregiver, Demand, Point, Problem, Week, monday_of
from services.dispatch.travel import EARTH_KM, Numbers, minutes_of

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Keys = NDArray[np.int64]
Key = TypeVar("Key", bound=Hashable)

_NOWHERE = Point(float("nan"), float("nan"))
# A newcomer counts as if she had already been there so many weeks and worked as much as the mean:
# she is neither flooded nor forgotten.
_WEEKS_OF_THE_MEAN = 2.0
_UNMEASURED = 1.0


@dataclass(frozen=True, slots=True)
class Matched:
    """How sets that are wanted meet sets that are there, by pairs: each looked at once."""

    wanted: Rows
    there: Rows
    missing: Numbers
    share: Numbers

    def covered(self, d: Rows, c: Rows) -> Mask:
        """Whether all that a demand wants is there."""
        return self.missing[self.wanted[d], self.there[c]] == 0

    def lacking(self, d: Rows, c: Rows) -> Numbers:
        """Which share of what a demand wants is not there; nothing if it wants nothing."""
        return self.share[self.wanted[d], self.there[c]]


@dataclass(frozen=True, slots=True)
class Times:
    """Times of many, a row for the first of each, a row for the second; NaN where there is none."""

    starts: Numbers
    ends: Numbers


@dataclass(frozen=True, slots=True)
class FreeTimes(Times):
    """With the points she comes from and goes to (NaN: home), and until when she has rested."""

    comes_from: Numbers
    goes_to: Numbers
    rested_from: Numbers
    rested_until: Numbers
    live_in: Mask


@dataclass(frozen=True, slots=True)
class Columns:
    """Demands by kind and from south to north, caregivers from south to north; moments in minutes
    since 1970.

    `reach` is the cosine of the angle under which a caregiver's radius is seen from Earth's middle.
    A pair's key is its demand's row times the number of caregivers, and its caregiver's row; those
    who refused each other, are forbidden, know each other, or offered themselves stand in order.
    """

    problem: Problem
    demands: tuple[Demand, ...]
    caregivers: tuple[Caregiver, ...]
    row_of_demand: Mapping[int, int]
    row_of_caregiver: Mapping[int, int]
    places: Numbers
    homes: Numbers
    place_units: Numbers
    home_units: Numbers
    reach: Numbers
    minutes: Numbers
    live_in: Mask
    windows: Times
    opens: Numbers
    week: Rows
    highest_fen: Numbers
    lowest_fen: Numbers
    item: Rows
    prices: Numbers
    radius_km: Numbers
    verified: Mask
    certificates: Matched
    skills: Matched
    sexes: Matched
    languages: Matched
    conditions: Matched
    free: FreeTimes
    booked: Numbers
    available: Numbers
    week_minutes: Numbers
    stars_short: Numbers
    hours_share: Numbers
    pay_share: Numbers
    refused: Keys
    forbidden: Keys
    known: Keys
    known_visits: Numbers
    strangers: Mask
    offered: Keys
    offered_fen: Numbers
    anybody_offers: Mask
    before: Rows

    def positions(self, d: Rows, c: Rows, keys: Keys) -> tuple[Rows, Rows]:
        """Where among the pairs, flat, some of the keys stand, and which of the keys those are."""
        if not (len(keys) and d.size and c.size):
            return np.zeros(0, int), np.zeros(0, int)
        width = len(self.caregivers)
        first, last = np.searchsorted(keys, (d.min() * width, (d.max() + 1) * width))
        pairs = (d * width + c).ravel()
        turned = np.argsort(pairs, kind="stable")  # Mostly in order: then it takes no time.
        sought = keys[first:last]
        begin, end = (np.searchsorted(pairs, sought, side, turned) for side in ("left", "right"))
        which = np.repeat(np.arange(first, last), end - begin)
        ranks = np.arange(len(which)) - np.repeat(np.cumsum(end - begin) - end, end - begin)
        return turned[ranks], which

    def among(self, d: Rows, c: Rows, keys: Keys) -> Mask:
        """Which pairs have one of the keys."""
        found = np.zeros(np.broadcast_shapes(d.shape, c.shape), bool)
        found.ravel()[self.positions(d, c, keys)[0]] = True
        return found

    def visits(self, d: Rows, c: Rows) -> Numbers:
        """How often each caregiver has been with the recipient beside her."""
        found = np.zeros(len(d))
        where, which = self.positions(d, c, self.known)
        found[where] = self.known_visits[which]
        return found

    def asked_fen(self, d: Rows, c: Rows) -> Numbers:
        """What each caregiver asks for a unit: for this demand, or else for all of its item."""
        found = self.prices[self.item[d], c]
        where, which = self.positions(d, c, self.offered)
        found.ravel()[where] = self.offered_fen[which]
        return found


def of(problem: Problem) -> Columns:
    """The columns of a problem."""
    demands = tuple(sorted(problem.demands, key=lambda one: (kind(one), *_from_south(one))))
    caregivers = tuple(sorted(problem.caregivers, key=_from_south))
    rows = {one.id: row for row, one in enumerate(demands)}
    others = {one.id: row for row, one in enumerate(caregivers)}
    places, homes = (_points(one.point for one in each) for each in (demands, caregivers))
    radius_km = np.nan_to_num(np.array([one.radius_km for one in caregivers], float))
    item, prices = _prices(demands, caregivers)
    week, booked, available = _weeks(demands, caregivers)
    windows = _times([[(w.opens_at, w.closes_at) for w in one.windows] for one in demands])
    known, offers = (
        _told(others, [of_demand(one) for one in demands])
        for of_demand in (attrgetter("visits_by"), attrgetter("offers"))
    )
    return Columns(
        problem=problem,
        demands=demands,
        caregivers=caregivers,
        row_of_demand=rows,
        row_of_caregiver=others,
        places=places,
        homes=homes,
        place_units=_units(places),
        home_units=_units(homes),
        reach=np.cos(np.minimum(radius_km / EARTH_KM, np.pi)),
        minutes=np.array([one.minutes for one in demands], float),
        live_in=np.array([one.live_in for one in demands], bool),
        windows=windows,
        opens=_first(windows.starts),
        week=week,
        highest_fen=np.array([one.highest_fen for one in demands], float),
        lowest_fen=np.array([one.lowest_fen for one in demands], float),
        item=item,
        prices=prices,
        radius_km=radius_km,
        verified=np.array([one.verified for one in caregivers], bool),
        certificates=_matched(
            [one.certificates for one in demands], [one.certificates for one in caregivers]
        ),
        skills=_matched([one.skills for one in demands], [one.skills for one in caregivers]),
        sexes=_matched([_word(one.sex) for one in demands], [_word(one.sex) for one in caregivers]),
        languages=_matched(
            [_word(one.language) for one in demands], [one.languages for one in caregivers]
        ),
        conditions=_matched(
            [one.conditions for one in demands], [one.experience for one in caregivers]
        ),
        free=_free(caregivers),
        booked=booked,
        available=available,
        week_minutes=np.array([one.week_minutes for one in caregivers], float),
        stars_short=np.array([max(0.0, 5 - one.rating) for one in caregivers], float),
        hours_share=_shares(caregivers, [one.worked_minutes for one in caregivers]),
        pay_share=_shares(caregivers, [one.earned_fen for one in caregivers]),
        refused=_refused(demands, caregivers, others),
        forbidden=_forbidden(problem, rows, others),
        known=known[0],
        known_visits=known[1],
        strangers=np.array([one.strangers for one in demands], bool),
        offered=offers[0],
        offered_fen=offers[1],
        anybody_offers=np.array([bool(one.offers) for one in demands], bool),
        before=np.array([others.get(problem.before.get(one.id, -1), -1) for one in demands], int),
    )


def kind(demand: Demand) -> tuple[object, ...]:
    """What demands have in common that the same caregivers may come to at all."""
    return (
        demand.item_id,
        demand.sex or "",
        *(tuple(sorted(words)) for words in (demand.certificates, demand.skills)),
    )


def _from_south(one: Demand | Caregiver) -> tuple[float, int]:
    """A latitude and an id; those without a place come first."""
    lat = one.point.lat
    return (lat if -90 <= lat <= 90 else -inf), one.id


def _points(points: Iterable[Point]) -> Numbers:
    """Points in degrees, NaN where one is none on Earth."""
    found = np.array([tuple(point) for point in points], float).reshape(-1, 2)
    found[~(np.abs(found) <= (180, 90)).all(axis=1)] = np.nan
    return found


def _units(points: Numbers) -> Numbers:
    """Points as unit vectors: their product is the cosine of the angle between two of them."""
    lng, lat = np.radians(points).T
    return np.column_stack([np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)])


def _word(word: str | None) -> frozenset[str]:
    return frozenset((word,)) if word else frozenset()


def _codes(keys: Sequence[Key]) -> tuple[Rows, list[Key]]:
    """A number for each key, and the keys by number."""
    numbers: dict[Key, int] = {}
    rows = np.array([numbers.setdefault(key, len(numbers)) for key in keys], int)
    return rows, list(numbers)


def _matched(wanted: Sequence[frozenset[str]], there: Sequence[frozenset[str]]) -> Matched:
    wanted_rows, wants = _codes(wanted)
    there_rows, sets = _codes(there)
    words = {word: n for n, word in enumerate(sorted(frozenset().union(*wants, *sets)))}
    asked, held = _incidence(wants, words), _incidence(sets, words)
    sizes = asked.sum(axis=1, keepdims=True)
    missing = sizes - asked @ held.T
    return Matched(wanted_rows, there_rows, missing, missing / np.maximum(sizes, 1))


def _incidence(sets: Sequence[frozenset[str]], words: Mapping[str, int]) -> Numbers:
    table = np.zeros((len(sets), len(words)))
    for row, one in enumerate(sets):
        table[row, [words[word] for word in one]] = 1
    return table


def _times(spans: Sequence[Sequence[tuple[object, object]]]) -> Times:
    starts, ends = (_padded([[span[end] for span in one] for one in spans]) for end in (0, 1))
    return Times(starts, ends)


def _padded(moments: Sequence[Sequence[object]]) -> Numbers:
    """Moments of each in a column, NaN below."""
    table = np.full((max(map(len, moments), default=0), len(moments)), np.nan)
    for column, own in enumerate(moments):
        for row, moment in enumerate(own):
            if moment is not None:
                table[row, column] = minutes_of(moment)  # pyright: ignore[reportArgumentType]
    return table


def _first(starts: Numbers) -> Numbers:
    """The first start of each; NaN for those without."""
    if not len(starts):
        return np.full(starts.shape[1], np.nan)
    return np.fmin.reduce(starts)


def _free(caregivers: Sequence[Caregiver]) -> FreeTimes:
    frees = [one.free for one in caregivers]
    shape = (max(map(len, frees), default=0), len(caregivers))
    comes_from, goes_to = np.full((*shape, 2), np.nan), np.full((*shape, 2), np.nan)
    live_in = np.zeros(shape, bool)
    for column, own in enumerate(frees):
        for row, one in enumerate(own):
            comes_from[row, column] = one.comes_from or _NOWHERE
            goes_to[row, column] = one.goes_to or _NOWHERE
            live_in[row, column] = one.live_in
    spans = _times([[(one.starts_at, one.ends_at) for one in own] for own in frees])
    rested = _times([[(one.rested_from, one.rested_until) for one in own] for own in frees])
    return FreeTimes(
        spans.starts,
        spans.ends,
        comes_from,
        goes_to,
        np.where(np.isnan(rested.starts), -np.inf, rested.starts),
        np.where(np.isnan(rested.ends), np.inf, rested.ends),
        live_in,
    )


def _prices(
    demands: Sequence[Demand], caregivers: Sequence[Caregiver]
) -> tuple[Rows, NDArray[np.float64]]:
    """The item of each demand, and by item what each caregiver takes (NaN: not offered)."""
    item, items = _codes([one.item_id for one in demands])
    table = [[one.prices.get(each, np.nan) for one in caregivers] for each in items]
    return item, np.array(table, float).reshape(len(items), len(caregivers))


def _weeks(
    demands: Sequence[Demand], caregivers: Sequence[Caregiver]
) -> tuple[Rows, Numbers, Numbers]:
    """The week of each demand, and of each caregiver what is booked and there, by week."""
    of_demand = [
        min((monday_of(window.opens_at) for window in one.windows), default=None) for one in demands
    ]
    week, mondays = _codes(of_demand)
    booked, available = (np.zeros((len(mondays), len(caregivers))) for _ in range(2))
    for row, monday in enumerate(mondays):
        for column, one in enumerate(caregivers):
            unknown = Week(0, one.week_minutes)
            known = one.weeks.get(monday, unknown) if monday else unknown
            booked[row, column], available[row, column] = known.booked, known.available
    return week, booked, available


def _shares(caregivers: Sequence[Caregiver], sums: Sequence[float]) -> Numbers:
    """What each got a week against the mean, newcomers and returners drawn towards it."""
    weeks = np.array([one.weeks_present for one in caregivers], float)
    total, present = float(sum(sums)), float(weeks.sum())
    if not (total > 0 and present > 0):
        return np.full(len(caregivers), _UNMEASURED)
    mean = total / present
    drawn = (np.array(sums, float) + _WEEKS_OF_THE_MEAN * mean) / (weeks + _WEEKS_OF_THE_MEAN)
    return drawn / mean


def _told(
    others: Mapping[int, int], of_demands: Sequence[Mapping[int, int]]
) -> tuple[Keys, Numbers]:
    """The keys of the pairs of which a number above nothing is told, in order, and the numbers."""
    told = sorted(
        (row * len(others) + others[caregiver_id], number)
        for row, one in enumerate(of_demands)
        for caregiver_id, number in one.items()
        if caregiver_id in others and number > 0
    )
    return np.array([key for key, _ in told], np.int64), np.array([one for _, one in told], float)


def _refused(
    demands: Sequence[Demand], caregivers: Sequence[Caregiver], others: Mapping[int, int]
) -> Keys:
    """The keys of the pairs that one of the two will not have."""
    of_recipient: dict[int, list[int]] = {}
    for row, one in enumerate(demands):
        of_recipient.setdefault(one.recipient_id, []).append(row)
    pairs = {
        (row, others[who]) for row, one in enumerate(demands) for who in one.refused & others.keys()
    } | {
        (row, column)
        for column, one in enumerate(caregivers)
        for recipient_id in one.refuses
        for row in of_recipient.get(recipient_id, ())
    }
    return _keys(pairs, len(caregivers))


def _forbidden(problem: Problem, rows: Mapping[int, int], others: Mapping[int, int]) -> Keys:
    """The keys of the pairs that the operator will not have."""
    pairs = {
        (rows[demand_id], others[caregiver_id])
        for demand_id, caregiver_id in problem.forbidden
        if demand_id in rows and caregiver_id in others
    }
    return _keys(pairs, len(others))


def _keys(pairs: Iterable[tuple[int, int]], width: int) -> Keys:
    return np.array(sorted(row * width + column for row, column in pairs), np.int64)
