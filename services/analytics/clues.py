"""What findings are made of: every comparison that is tried, and what it would tell if it holds."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from services.analytics import comparing, significance
from services.analytics.comparing import FEWEST, Compared
from services.analytics.figures import Frame
from services.analytics.hours import busiest
from services.analytics.significance import Side
from services.analytics.signs import REMEDIES, WHOLE, Against, City, Finding, Kind, Remedy
from services.analytics.terms import UNKNOWN, Dimension, Stage
from services.analytics.tracks import Calendar, Track

FOUR_WEEKS = 4
# Less is not worth telling, however certain: the change of a rate or a share, points of a share,
# needs and hours (in four weeks), and the share of a reason that is said to lead.
MORE, FEWER, A_STEP = 1.25, 0.8, 0.85
POINTS = 0.08
NEEDS, HOURS = 5, 20
LEADING = 0.4
_GROWING = {Dimension.CHANNEL: Kind.CHANNEL_GROWS, Dimension.AGE: Kind.AGE_GROWS}

# A comparison that was tried: its p-value, and what to tell if it stands out and is large enough.
Clue = tuple[float, Finding | None]


def demand(city: City) -> Iterator[Clue]:
    """Whether more or less is wanted: in the city, or otherwise than in its rest."""
    over = city.needs.over
    for atom, track in city.needs.all().items():
        if (compared := comparing.rate(track, over)) is None:
            continue
        p, times = compared.p, compared.times
        if atom != WHOLE:
            district, group = atom
            around = city.needs[(None, group) if district and group else WHOLE]
            rest = comparing.apart_from_rest(track, around.without(track), over)
            if rest is None:
                continue
            p = max(p, rest.p)
            times = min(times, rest.times) if times > 1 else max(times, rest.times)
        size = abs(compared.now - compared.other) * FOUR_WEEKS
        if compared.season or FEWER < times < MORE or size < NEEDS:
            yield p, None
            continue
        kind = Kind.DEMAND_RISES if compared.now > compared.other else Kind.DEMAND_FALLS
        yield p, city.finding(
            kind, compared, over, p=p, size=size, district=atom[0], group=atom[1],
            against=Against.BEFORE, line=tuple(track.rates(over.lately)), when=busiest(city, *atom),
        )  # fmt: skip


def fill_rates(city: City) -> Iterator[Clue]:
    """Whether a smaller share of the needs is served than before."""
    over = city.needs.over
    for (district, group), track in city.needs.all().items():
        if (compared := comparing.share(track, over, Side.LESS)) is None:
            continue
        lost = (compared.other - compared.now) * track.sums(over.now).rate * FOUR_WEEKS
        large = compared.other - compared.now >= POINTS and lost >= NEEDS / 2
        yield compared.p, city.finding(
            Kind.FILL_RATE_FELL, compared, over, size=lost, district=district, group=group,
            against=Against.BEFORE, line=tuple(track.shares(over.lately)),
            when=busiest(city, district, group),
        ) if large and not compared.season else None  # fmt: skip


def gaps(city: City) -> Iterator[Clue]:
    """Whether more of the needs stay unmet somewhere, or of some care, than elsewhere."""
    over = city.needs.over
    unmet = {atom: _unmet(track) for atom, track in city.needs.all().items()}
    for atom, track in unmet.items():
        if atom == WHOLE:
            continue
        rest = unmet[WHOLE].without(track)
        if (compared := comparing.share_elsewhere(track, rest, over)) is None:
            continue
        here = track.sums(over.lately)
        size = (compared.now - compared.other) * here.rate * FOUR_WEEKS
        lasts = track.sums(over.now).share > compared.other
        large = compared.times >= MORE and compared.now - compared.other >= POINTS
        yield compared.p, city.finding(
            Kind.GAP_HERE, compared, over, size=size, district=atom[0], group=atom[1],
            against=Against.ELSEWHERE, line=tuple(track.shares(over.lately)),
            beside=tuple(rest.shares(over.lately)), when=busiest(city, *atom),
        ) if large and lasts and size >= NEEDS / 2 else None  # fmt: skip


def _unmet(track: Track) -> Track:
    rest = [count - part for count, part in zip(track.count, track.part, strict=True)]
    return Track(track.weeks, track.count, rest, track.noise)


def hands(city: City) -> Iterator[Clue]:
    """Whether a part of the day wants more hours than caregivers of the place offer."""
    woven = city.tracks(Frame.DAYPARTS)
    noise = (city.hours_each * (city.smallest_cell or 0)) ** 2
    for when, district, part, wanted, offered in city.rows(
        Frame.DAYPARTS, ("district", "daypart"), ("wanted_hours", "offered_hours")
    ):
        if part is None:
            continue
        for place in {district, None}:
            woven.add((place, part), when, wanted, offered, noise)
        for one in part.split("|") if "|" in part else ():
            woven.blur((None, one), when)
    over = woven.over
    for (district, part), track in woven.all().items():
        compared = comparing.hours_offered(track, over, city.hours_each)
        if compared is None:
            continue
        short = (compared.now - compared.other) * FOUR_WEEKS
        now = track.sums(over.now)
        large = compared.times >= MORE and short >= HOURS and now.count > now.part
        yield compared.p, city.finding(
            Kind.HANDS_SHORT, compared, over, size=short / city.hours_each, district=district,
            bucket=part, against=Against.OFFERED, line=tuple(track.rates(over.lately)),
            beside=tuple(track.part_rates(over.lately)), when=busiest(city, district, None, part),
        ) if large else None  # fmt: skip


def obstacles(city: City) -> Iterator[Clue]:
    """Whether one reason stands in the way more than elsewhere, or more than any other."""
    all_of_them, helped = city.tracks(Frame.OBSTACLES), city.tracks(Frame.OBSTACLES)
    for when, district, group, obstacle, count in city.rows(
        Frame.OBSTACLES, ("district", "item_group", "obstacle"), ("count",)
    ):
        if obstacle is None:
            continue
        for atom in {WHOLE, (district, None), (None, group)}:
            all_of_them.add(atom, when, count)
            if remedy := REMEDIES.get(obstacle):
                helped.add((atom, remedy), when, count, noise=city.noise)
        if group is None:
            for one in city.groups:
                all_of_them.blur((None, one), when)
    over, whole = all_of_them.over, all_of_them[WHOLE]
    reasons = {one: _part_of(whole, helped[WHOLE, one]) for one in Remedy}
    for atom, counted in all_of_them.all().items():
        for remedy in Remedy if atom != WHOLE else ():
            track = _part_of(counted, helped[atom, remedy])
            rest = reasons[remedy].without(track)
            if (compared := comparing.share_elsewhere(track, rest, over)) is None:
                continue
            size = (compared.now - compared.other) * track.sums(over.lately).rate * FOUR_WEEKS
            large = compared.times >= MORE and compared.now - compared.other >= POINTS
            yield compared.p, city.finding(
                Kind.OBSTACLE, compared, over, size=size, district=atom[0], group=atom[1],
                bucket=str(remedy), against=Against.ELSEWHERE,
                line=tuple(track.shares(over.lately)), beside=tuple(rest.shares(over.lately)),
            ) if large and size >= NEEDS / 2 else None  # fmt: skip
    yield from _leading(reasons, city, over)


def _part_of(whole: Track, part: Track) -> Track:
    return Track(whole.weeks, whole.count, part.count, part.noise)


def _leading(reasons: Mapping[Remedy, Track], city: City, over: Calendar) -> Iterator[Clue]:
    """Whether the first reason of all is surely more frequent than the second."""
    first, second = sorted(
        Remedy, key=lambda one: reasons[one].sums(over.lately).part, reverse=True
    )[:2]
    one, other = reasons[first].sums(over.lately), reasons[second].sums(over.lately)
    if one.part + other.part < FEWEST:
        return
    varies = 1 + (one.noise + other.noise) / (one.part + other.part)
    p = significance.of_counts(round(one.part / varies), 1, round(other.part / varies), 1)
    compared = Compared(one.share, other.share, one.part / max(other.part, 1), p)
    large = compared.times >= MORE and compared.now >= LEADING
    yield p, city.finding(
        Kind.OBSTACLE, compared, over, size=one.part / one.weeks * FOUR_WEEKS, bucket=str(first),
        against=Against.NEXT_REASON, line=tuple(reasons[first].shares(over.lately)),
        beside=tuple(reasons[second].shares(over.lately)),
    ) if large else None  # fmt: skip


def growing(city: City) -> Iterator[Clue]:
    """Whether a channel or an age band makes up more of the needs than before."""
    woven = city.tracks(Frame.GROUPS)
    blocks: dict[tuple[Any, ...], dict[str | None, float]] = {}
    known: dict[str, set[str | None]] = {}
    for when, dimension, district, group, bucket, needs in city.rows(
        Frame.GROUPS,
        ("dimension", "district", "item_group", "bucket"),
        ("needs",),
        _GROWING,
    ):
        blocks.setdefault((when, dimension, district, group), {})[bucket] = needs
        known.setdefault(dimension, {None, UNKNOWN}).add(bucket)
    for (when, dimension, district, group), of_bucket in blocks.items():
        if None in of_bucket:  # Several were told together, nobody says which.
            continue
        merged = {one for bucket in of_bucket for one in str(bucket).split("|") if one != bucket}
        whole, noise = sum(of_bucket.values()), city.noise if group is None else 0
        for bucket in known[dimension] - merged - {None, UNKNOWN}:
            for place in {district, None}:
                key = place, dimension, bucket
                woven.add(key, when, whole, of_bucket.get(bucket, 0), noise)
    for (district, dimension, bucket), track in woven.all().items():
        if "|" in bucket:
            continue
        if (compared := comparing.share(track, woven.over, Side.MORE)) is None:
            continue
        rate = track.sums(woven.over.now).rate
        size = (compared.now - compared.other) * rate * FOUR_WEEKS
        grown = compared.times >= MORE and size >= NEEDS
        yield compared.p, city.finding(
            _GROWING[dimension], compared, woven.over, size=size, district=district, bucket=bucket,
            against=Against.BEFORE, line=tuple(track.shares(woven.over.lately)),
        ) if grown and not compared.season else None  # fmt: skip


def steps(city: City) -> Iterator[Clue]:
    """Whether fewer go from one step of the way to the next than before.

    Both steps of a week are counted, not the same families twice: of all who took either, the part
    that took the second is compared.
    """
    woven = city.tracks(Frame.FUNNEL)
    for when, stage, count in city.rows(Frame.FUNNEL, ("stage",), ("count",)):
        for first, second in pairwise(Stage):
            if stage in (first, second):
                part = count if stage == second else 0
                # Several weeks in a month's sheet are rounded one by one.
                woven.add(second, when, count, part, city.noise * when[2])
    over = woven.over
    for stage, track in woven.all().items():
        if (compared := comparing.share(track, over, Side.LESS)) is None or compared.now == 1:
            continue
        now, before = (_of_first(share) for share in (compared.now, compared.other))
        took_first = track.sums(over.now).rate * (1 - compared.now)
        size = (before - now) * took_first * FOUR_WEEKS
        lost = now <= before * A_STEP and size >= NEEDS
        yield compared.p, city.finding(
            Kind.STEP_LOST, Compared(now, before, now / before, compared.p, compared.last_year),
            over, size=size, bucket=str(stage), against=Against.BEFORE,
            line=tuple(one and _of_first(one) for one in track.shares(over.lately)),
        ) if lost and not compared.season else None  # fmt: skip


def _of_first(share: float) -> float:
    """How many took the second step for each who took the first."""
    return share / (1 - share) if share < 1 else 1


def repeats(city: City) -> Iterator[Clue]:
    """Whether fewer of the families that had needs had some before."""
    cells = city.cells[Frame.FAMILIES]
    woven = city.tracks(Frame.FAMILIES)
    whole = "dimension" in cells  # Published ones tell all families once more by each dimension.
    for when, *told, families, repeated in city.rows(
        Frame.FAMILIES, ("dimension",) if whole else (), ("families", "repeated")
    ):
        if told in ([], ["all"]):
            woven.add(WHOLE, when, families, repeated, 2 * city.noise)
    over = woven.over
    for track in woven.all().values():
        if (compared := comparing.share(track, over, Side.LESS)) is None:
            continue
        size = (compared.other - compared.now) * track.sums(over.now).rate * FOUR_WEEKS
        fell = compared.other - compared.now >= POINTS and size >= NEEDS / 2
        yield compared.p, city.finding(
            Kind.REPEAT_FELL, compared, over, size=size, against=Against.BEFORE,
            line=tuple(track.shares(over.lately)),
        ) if fell and not compared.season else None  # fmt: skip


ALL = (demand, fill_rates, gaps, hands, obstacles, growing, steps, repeats)
