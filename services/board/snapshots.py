"""Snapshots: a problem as bytes, so that what a run depended on can be solved once more."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from services.board.roads import Measured, Table
from services.dispatch.problem import Caregiver, Demand, Problem
from services.dispatch.travel import StraightLine
from services.dispatch.weights import Weights


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a problem; of its ways the straight line's figures, or a table of minutes."""

    now: datetime
    demands: tuple[Demand, ...]
    caregivers: tuple[Caregiver, ...]
    weights: Weights
    straight_line: StraightLine | None
    table: Table | None
    pins: Mapping[int, int]
    forbidden: frozenset[tuple[int, int]]
    before: Mapping[int, int]
    seed: int


def packed(problem: Problem) -> bytes:
    """A problem as bytes."""
    travel = problem.travel
    kept = Snapshot(
        now=problem.now,
        demands=problem.demands,
        caregivers=problem.caregivers,
        weights=problem.weights,
        straight_line=travel if isinstance(travel, StraightLine) else None,
        table=travel.table if isinstance(travel, Measured) else None,
        pins=problem.pins,
        forbidden=problem.forbidden,
        before=problem.before,
        seed=problem.seed,
    )
    return zlib.compress(msgspec.msgpack.encode(kept))


def unpacked(content: bytes) -> Problem:
    """The problem of such bytes.

    msgspec.DecodeError or zlib.error where the bytes are none of a problem.
    """
    kept = msgspec.msgpack.decode(zlib.decompress(content), type=Snapshot)
    return Problem(
        now=kept.now,
        demands=kept.demands,
        caregivers=kept.caregivers,
        weights=kept.weights,
        travel=Measured(kept.table) if kept.table else kept.straight_line or StraightLine(),
        pins=kept.pins,
        forbidden=kept.forbidden,
        before=kept.before,
        seed=kept.seed,
    )
