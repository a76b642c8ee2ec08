"""VROOM: routes for some shifts and demands, everything else left as it is."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import vroom

from services.dispatch import routes as evaluated
from services.dispatch.costs import met_again
from services.dispatch.routes import Routes
from services.dispatch.shifts import Ground, Pause, Route, Shift

# VROOM counts whole seconds and whole costs.
_SECONDS = 60
_COST_SCALE = 100
# Its priorities go from 0 to 100; a pinned visit comes before all others.
_PINNED, _MOST = 100, 90


def solve(
    ground: Ground,
    now: Routes,
    shifts: Sequence[int],
    demands: Sequence[int],
    exploration: int,
    threads: int = 1,
) -> dict[int, Route]:
    """Better routes of these shifts with these demands, as VROOM finds them; not all may be in.

    It takes the best of four plans, and of four more for each step of exploration up to 5. What
    fills a week is told it as a price an hour, that of the week as it is now; and who is known to
    whom, as it is now.
    """
    columns = ground.columns
    begins = min(ground.shifts[one].begins for one in shifts)
    places = {d: place for place, d in enumerate(demands)}
    rooms = _rooms(ground, now, shifts)
    routing = vroom.Input()
    for d, place in places.items():
        routing.add_job(_job(ground, d, place, begins))
    for shift in shifts:
        own = ground.shifts[shift]
        nodes = [*demands, own.origin, own.destination]
        lasts = ground.lasts[np.ix_(nodes, nodes)]
        prices = columns.problem.weights.travel * ground.ways[np.ix_(nodes, nodes)]
        prices[:, : len(demands)] += ground.costs[shift, demands]
        prices[:, : len(demands)] += _fills(ground, now, shift, demands)
        prices[:, : len(demands)] -= _known(ground, now, shift, demands)
        routing.set_durations_matrix(str(shift), np.rint(lasts * _SECONDS).astype(np.uint32))
        routing.set_costs_matrix(str(shift), np.rint(prices * _COST_SCALE).astype(np.uint32))
        routing.add_vehicle(_vehicle(ground, rooms[shift], shift, demands, begins))
    solution = routing.solve(exploration, nb_threads=threads)
    # The public frame of routes takes as long to make as the routes themselves.
    steps = np.asarray(solution._routes_numpy())
    jobs = steps[steps["type"] == b"job"]
    return {
        shift: tuple(demands[one - 1] for one in jobs["id"][jobs["vehicle_id"] == shift].tolist())
        for shift in shifts
    }


def _job(ground: Ground, d: int, place: int, begins: float) -> vroom.Job:
    columns = ground.columns
    minutes = float(columns.minutes[d])
    spans = zip(columns.windows.starts[:, d], columns.windows.ends[:, d], strict=True)
    windows = sorted(
        (max(0, _whole(opens - begins)), _whole(closes - minutes - begins))
        for opens, closes in spans
        if closes - opens >= minutes
    )
    nobody = ground.nobody[d] / max(1.0, float(ground.nobody.max()))
    pinned = columns.demands[d].id in columns.problem.pins
    return vroom.Job(
        place + 1,
        location=place,
        default_service=_whole(minutes),
        delivery=vroom.Amount([0 if columns.live_in[d] else int(minutes)]),
        skills={place + 1},
        priority=_PINNED if pinned else max(1, round(_MOST * nobody)),
        time_windows=[vroom.TimeWindow(*span) for span in windows if span[1] >= span[0]],
    )


def _vehicle(
    ground: Ground, room: int, shift: int, demands: Sequence[int], begins: float
) -> vroom.Vehicle:
    own = ground.shifts[shift]
    # Who goes home is there at once: what she must end by is what her last visit must.
    at_home = not ground.lasts[demands, own.destination].any()
    until = own.rested_until if at_home else own.ends
    return vroom.Vehicle(
        shift,
        start=len(demands),
        end=len(demands) + 1,
        profile=str(shift),
        capacity=vroom.Amount([room]),
        skills={place + 1 for place, d in enumerate(demands) if ground.allowed[shift, d]},
        time_window=vroom.TimeWindow(_whole(own.begins - begins), _whole(until - begins)),
        breaks=[_break(number, one, begins, own) for number, one in enumerate(own.pauses)],
    )


def _break(number: int, one: Pause, begins: float, own: Shift) -> vroom.Break:
    earliest = max(one.earliest, own.begins)
    window = vroom.TimeWindow(_whole(earliest - begins), _whole(one.latest - begins))
    return vroom.Break(number + 1, time_windows=[window], service=_whole(one.minutes))


def _fills(ground: Ground, now: Routes, shift: int, demands: Sequence[int]) -> np.ndarray:
    """What each visit costs by filling the week, at the price of an hour as things are."""
    columns, c = ground.columns, ground.shifts[shift].c
    weeks = evaluated.in_week(ground, c, now)
    week = columns.week[list(demands)]
    minutes = np.array([weeks.get(int(one), (0, 0.0))[1] for one in week])
    booked = columns.booked[week, c] + minutes
    share = np.minimum(1, booked / np.maximum(columns.available[week, c], 1))
    hours = np.where(columns.live_in[list(demands)], 0, columns.minutes[list(demands)]) / 60
    return columns.problem.weights.saturation * share**2 * hours


def _known(ground: Ground, now: Routes, shift: int, demands: Sequence[int]) -> np.ndarray:
    """What each visit costs less because she comes to its recipient on others, as things are."""
    columns, c = ground.columns, ground.shifts[shift].c
    if not columns.problem.weights.continuity:
        return np.zeros(len(demands))
    hers = [d for one, route in now.items() if ground.shifts[one].c == c for d in route]
    times = Counter(columns.demands[d].recipient_id for d in hers)
    met = np.array([times[columns.demands[d].recipient_id] - (d in hers) for d in demands])
    less = met_again(columns, np.array(demands, int), np.full(len(demands), c), met)
    return np.where(ground.allowed[shift, demands], less, 0)


def _rooms(ground: Ground, now: Routes, shifts: Sequence[int]) -> dict[int, int]:
    """Minutes each shift may hold; those of one caregiver share what her weeks have room for."""
    columns = ground.columns
    others = {shift: route for shift, route in now.items() if shift not in shifts}
    found: dict[int, int] = {}
    for shift in shifts:
        c = ground.shifts[shift].c
        hers = [one for one in shifts if ground.shifts[one].c == c]
        weeks = evaluated.in_week(ground, c, others)
        room = min(
            float(columns.week_minutes[c] - columns.booked[week, c]) - weeks.get(week, (0, 0.0))[1]
            for week in range(len(columns.booked))
        )
        longest = sum(ground.shifts[one].ends - ground.shifts[one].begins for one in hers)
        found[shift] = max(0, int(room if room >= longest else room / len(hers)))
    return found


def _whole(minutes: float) -> int:
    return round(minutes * _SECONDS)
