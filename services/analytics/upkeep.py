"""Upkeep of the figures: what the worker does for them every few minutes, and every night."""

from sqlalchemy.orm import Session

from services import audit
from services.access import Actor, Permission
from services.analytics import checks, exports, lake, rollups
from services.deliveries import Transact


def refresh(session: Session) -> int:
    """Export what changed; return how many rows were written anew."""
    exported = exports.refresh(session)
    return exported.rows


def rebuild(session: Session) -> int:
    """Export everything that is not as it was, and check it; return how many rows were written."""
    exported = exports.refresh(session, everything=True)
    checks.note(session)
    return exported.rows


def sum_up(_transact: Transact) -> int:
    """Bring the rollups up to the facts; return 0, as the rows that were exported are counted."""
    rollups.build()
    return 0


def report(_session: Session) -> dict[str, object]:
    """What the lamps keep: broken files that were mended, totals found to differ from the live."""
    known = lake.contents()
    return {"mended": known.mended, "differing": known.differing}


def note_openings(session: Session, actor: Actor) -> int:
    """Leave one audit row of the id numbers that were opened for a band; return 0."""
    actor.require(Permission.RUN_JOBS)
    with lake.alone():
        known = lake.contents()
        if known.opened:
            audit.record(session, actor, "open_id_numbers", "figures", 0, count=known.opened)
            known.opened = 0
            lake.keep(known)
    return 0
