"""Tracks compared with what they were, with what the season does, and with the rest.

Counts are made smaller before they are tested, by as much as they vary more than chance alone
would have them vary: weather and feasts move whole weeks, and what is published is rounded.
"""

from dataclasses import dataclass
from math import inf

from services.analytics import significance
from services.analytics.significance import Side
from services.analytics.tracks import Calendar, Sums, Track

FEWEST = 24  # Fewer than so many on both sides together tell nothing.
FEWEST_WEEKS = 4
_FEWEST_TO_VARY = 6  # Weeks or months of which it can be said how they vary.


@dataclass(frozen=True, slots=True)
class Compared:
    """Two figures, how many times the other the one is, and the chance of that by chance alone.

    Where the same weeks of the year before are known (`last_year`), `times` is beyond what they
    did then; `season` says that it may well be nothing else.
    """

    now: float
    other: float
    times: float
    p: float
    last_year: bool = False
    season: bool = False


def rate(track: Track, over: Calendar) -> Compared | None:
    """Whether there are more or fewer a week; None of too little."""
    now, before = track.sums(over.now), track.sums(over.before)
    if not _enough(now, before, now.count + before.count):
        return None
    varies = _varies_in_count(track, over)
    p = significance.of_counts(
        round(now.count / varies), now.weeks, round(before.count / varies), before.weeks
    )
    times = now.rate / before.rate if before.count else inf
    last, earlier = track.sums(over.now_last_year), track.sums(over.before_last_year)
    known = _enough(last, earlier, last.count + earlier.count)
    season = False
    if known := known and min(last.count, earlier.count) > 0:
        odds = now.weeks * earlier.weeks / (before.weeks * last.weeks)
        beyond = _of_parts(now.count, before.count, last.count, earlier.count, varies, odds)
        season = beyond > significance.LEVEL
        seasonal = times / (last.rate / earlier.rate)
        times = min(times, seasonal) if times > 1 else max(times, seasonal)
    return Compared(now.rate, before.rate, times, p, known, season)


def apart_from_rest(track: Track, rest: Track, over: Calendar) -> Compared | None:
    """Whether the rate changed otherwise than that of the rest; the season moves both alike."""
    track = track.where(rest)
    now, before = track.sums(over.now), track.sums(over.before)
    rest_now, rest_before = rest.sums(over.now), rest.sums(over.before)
    if not (before.count and rest_now.count and rest_before.count and now.weeks):
        return None
    varies = max(_varies_in_count(one, over) for one in (track, rest))
    p = _of_parts(now.count, before.count, rest_now.count, rest_before.count, varies)
    times = now.count / before.count / (rest_now.count / rest_before.count)
    return Compared(now.rate, before.rate, times, p)


def share(track: Track, over: Calendar, side: Side) -> Compared | None:
    """Whether the part has become a larger or smaller share; also against the year before."""
    now, before = track.sums(over.now), track.sums(over.before)
    if not _enough(now, before, min(now.count, before.count)):
        return None
    varies = _varies_in_share(track, over)
    p = _of_shares(now, before, varies, side)
    times = now.share / before.share if before.share else 1
    last = track.sums(over.now_last_year)
    known = last.count >= FEWEST
    season = known and _of_shares(now, last, varies, side) > significance.LEVEL
    if known:
        since = now.share / last.share if last.share else 1
        times = min(times, since) if side is Side.MORE else max(times, since)
    return Compared(now.share, before.share, times, p, known, season)


def share_elsewhere(track: Track, rest: Track, over: Calendar) -> Compared | None:
    """Whether the part is a larger share than in the rest, lately."""
    here, there = track.where(rest).sums(over.lately), rest.where(track).sums(over.lately)
    if min(here.count, there.count) < FEWEST or here.weeks < FEWEST_WEEKS:
        return None
    varies = max(_varies_in_share(one, over) for one in (track, rest))
    p = _of_shares(here, there, varies, Side.MORE)
    times = here.share / there.share if there.share else inf
    return Compared(here.share, there.share, times, p)


def hours_offered(track: Track, over: Calendar, hours_each: float) -> Compared | None:
    """Whether more hours (the count) are wanted than the part offers, lately.

    Hours come in needs of so many `hours_each`: a need, and not an hour, comes by chance.
    """
    told = track.sums(over.lately)
    if told.weeks < FEWEST_WEEKS or told.count < FEWEST:
        return None
    unit = max(hours_each, _varies_in_count(track, over)) + told.noise / told.count
    p = significance.of_mean(round(told.count / unit), max(told.part / unit, 1))
    times = told.count / max(told.part, 1)
    return Compared(told.rate, told.part / told.weeks, times, p)


def _enough(now: Sums, before: Sums, count: float) -> bool:
    return count >= FEWEST and now.weeks > 0 and before.weeks >= FEWEST_WEEKS


def _of_parts(
    now: float, before: float, its_now: float, its_before: float, varies: float, odds: float = 1
) -> float:
    """Whether the share of now differs between two things."""
    one, other, its_one, its_other = (
        round(count / varies) for count in (now, before, its_now, its_before)
    )
    return significance.of_shares(one, one + other, its_one, its_one + its_other, odds=odds)


def _of_shares(now: Sums, other: Sums, varies: float, side: Side) -> float:
    part, away = round(now.part / varies), round((now.count - now.part) / varies)
    its_part, its_away = round(other.part / varies), round((other.count - other.part) / varies)
    return significance.of_shares(part, part + away, its_part, its_part + its_away, side)


def _varies_in_count(track: Track, over: Calendar) -> float:
    """How many times as much the count varies as by chance alone, at least once (Pearson)."""
    all_of_it, before = track.sums(over.lately), track.sums(over.before)
    rounding = 1 + all_of_it.noise / max(all_of_it.count, 1)
    odd = [
        (count - before.rate * weeks) ** 2 / (before.rate * weeks)
        for count, weeks in zip(track.count[over.before], track.weeks[over.before], strict=True)
        if weeks and before.rate
    ]
    return _most(rounding, odd)


def _varies_in_share(track: Track, over: Calendar) -> float:
    """The same of the part in its whole."""
    all_of_it, before = track.sums(over.lately), track.sums(over.before)
    share = all_of_it.share
    rounding = 1 + all_of_it.noise / max(all_of_it.count * share * (1 - share), 1)
    chance = before.share * (1 - before.share)
    odd = [
        (part - count * before.share) ** 2 / (count * chance)
        for part, count in zip(track.part[over.before], track.count[over.before], strict=True)
        if count > 0 and chance > 0
    ]
    return _most(rounding, odd)


def _most(rounding: float, odd: list[float]) -> float:
    if len(odd) < _FEWEST_TO_VARY:
        return rounding
    return max(rounding, sum(odd) / (len(odd) - 1))
