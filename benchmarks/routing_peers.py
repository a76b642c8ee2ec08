"""The same day routed by others alone: VROOM on all of it, and OR-tools' routing library."""

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from services.dispatch import routes, routing
from services.dispatch.shifts import Ground, Route

_SCALE = 100
_AN_HOUR = 60


def vroom(ground: Ground, exploration: int) -> dict[int, Route]:
    """All shifts and demands at once, in the time that VROOM takes."""
    demands = np.flatnonzero(np.any(ground.allowed, axis=0)).tolist()
    every = list(range(len(ground.shifts)))
    return mended(ground, routing.solve(ground, {}, every, demands, exploration))


def ortools(ground: Ground, seconds: float) -> dict[int, Route]:
    """Guided local search from the cheapest insertion; breaks, caps and prices as they are.

    What fills a week is a price an hour, that of the week as it begins.
    """
    columns, ends = ground.columns, len(ground.nobody)
    vehicles = len(ground.shifts)
    manager = pywrapcp.RoutingIndexManager(
        len(ground.ways),
        vehicles,
        [shift.origin for shift in ground.shifts],
        [shift.destination for shift in ground.shifts],
    )
    model = pywrapcp.RoutingModel(manager)
    begins = min(shift.begins for shift in ground.shifts)
    horizon = int(max(shift.ends for shift in ground.shifts) - begins)
    stays = np.append(columns.minutes, np.zeros(len(ground.ways) - ends))
    lasts = (ground.lasts + stays[:, None]).astype(int)
    length = model.RegisterTransitMatrix(lasts.tolist())
    model.AddDimension(length, horizon, horizon, False, "time")
    held = model.RegisterUnaryTransitVector(stays.astype(int).tolist())
    rooms = [
        int(columns.week_minutes[shift.c] - columns.booked[:, shift.c].max(initial=0))
        for shift in ground.shifts
    ]
    model.AddDimensionWithVehicleCapacity(held, 0, rooms, True, "week")
    for vehicle in range(vehicles):
        prices = _prices(ground, vehicle, ends)
        model.SetArcCostEvaluatorOfVehicle(model.RegisterTransitMatrix(prices), vehicle)
    _time(ground, manager, model, begins)
    for d in range(ends):
        index = manager.NodeToIndex(d)
        model.AddDisjunction([index], int(ground.nobody[d] * _SCALE))
        allowed = np.flatnonzero(ground.allowed[:, d]).tolist()
        model.VehicleVar(index).SetValues([-1, *allowed])
    search = pywrapcp.DefaultRoutingSearchParameters()
    search.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    )
    search.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    search.time_limit.FromMilliseconds(int(seconds * 1000))
    solution = model.SolveWithParameters(search)
    if solution is None:
        return {}
    return mended(ground, {v: _route(manager, model, solution, v) for v in range(vehicles)})


def mended(ground: Ground, found: dict[int, Route]) -> dict[int, Route]:
    """The routes less the visits that cannot be made where they were put."""
    kept: dict[int, Route] = {}
    for shift, route in found.items():
        kept[shift] = ()
        for d in route:
            longer = (*kept[shift], d)
            fits = routes.fits_week(ground, ground.shifts[shift].c, {**kept, shift: longer})
            if fits and routes.starts(ground, shift, longer) is not None:
                kept[shift] = longer
    return kept


def _prices(ground: Ground, vehicle: int, ends: int) -> list[list[int]]:
    columns, c = ground.columns, ground.shifts[vehicle].c
    share = columns.booked[columns.week, c] / np.maximum(columns.available[columns.week, c], 1)
    weights = columns.problem.weights
    fills = weights.saturation * np.minimum(1, share) ** 2 * columns.minutes / _AN_HOUR
    prices = weights.travel * ground.ways
    prices[:, :ends] += ground.costs[vehicle] + fills
    return np.rint(prices * _SCALE).astype(int).tolist()


def _time(
    ground: Ground,
    manager: pywrapcp.RoutingIndexManager,
    model: pywrapcp.RoutingModel,
    begins: float,
) -> None:
    """Windows of visits and shifts, and breaks."""
    columns, time = ground.columns, model.GetDimensionOrDie("time")
    for d in range(len(ground.nobody)):
        first = int(columns.windows.starts[0, d] - begins)
        last = int(columns.windows.ends[0, d] - columns.minutes[d] - begins)
        time.CumulVar(manager.NodeToIndex(d)).SetRange(first, last)
    stays = [0] * model.Size()
    for d in range(len(ground.nobody)):
        stays[manager.NodeToIndex(d)] = int(columns.minutes[d])
    for vehicle, shift in enumerate(ground.shifts):
        for index in (model.Start(vehicle), model.End(vehicle)):
            time.CumulVar(index).SetRange(int(shift.begins - begins), int(shift.ends - begins))
        breaks = [
            model.solver().FixedDurationIntervalVar(
                int(one.earliest - begins),
                int(one.latest - begins),
                int(one.minutes),
                False,
                f"break {vehicle}",
            )
            for one in shift.pauses
        ]
        time.SetBreakIntervalsOfVehicle(breaks, vehicle, stays)


def _route(
    manager: pywrapcp.RoutingIndexManager,
    model: pywrapcp.RoutingModel,
    solution: pywrapcp.Assignment,
    vehicle: int,
) -> Route:
    found = list[int]()
    index = solution.Value(model.NextVar(model.Start(vehicle)))
    while not model.IsEnd(index):
        found.append(manager.IndexToNode(index))
        index = solution.Value(model.NextVar(index))
    return tuple(found)
