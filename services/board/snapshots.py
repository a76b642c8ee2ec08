"""Snapshots: a problem as bytes, so that what a run depended on can be solved once more."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import msgspec

from services.dispatch.problem import Caregiver, Demand, Problem
from services.dispatch.travel import StraightLine, Travel
from services.dispatch.weights import Weights


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a problem but the ways, of which only the straight line's figures can be kept."""

    now: datetime
    demands: tuple[Demand, ...]
    caregivers: tuple[Caregiver, ...]
    weights: Weights
    straight_line: StraightLine | None
    pins: Mapping[int, int]
    forbidden: frozenset[tuple[int, int]]
    before: Mapping[int, int]
    seed: int


def packed(problem: Problem) -> bytes:
    """A problem as bytes."""
    kept = {one.name: getattr(problem, one.name, None) for one in fields(Snapshot)}
    travel = problem.travel
    kept["straight_line"] = travel if isinstance(travel, StraightLine) else None
    return zlib.compress(msgspec.msgpack.encode(Snapshot(**kept)))


def unpacked(content: bytes, travel: Travel) -> Problem:
    """The problem of such bytes; the given ways are used where others than the straight line were.

    ValueError where the bytes are none of a problem.
    """
    kept = msgspec.msgpack.decode(zlib.decompress(content), type=Snapshot)
    return Problem(
        now=kept.now,
        demands=kept.demands,
        caregivers=kept.caregivers,
        weights=kept.weights,
        travel=kept.straight_line or travel,
        pins=kept.pins,
        forbidden=kept.forbidden,
        before=kept.before,
        seed=kept.seed,
    )
