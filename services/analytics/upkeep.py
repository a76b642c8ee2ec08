"""Upkeep of the figures: what the worker does for them every few minutes, and every night."""

from sqlalchemy.orm import Session

from services import audit
from services.access import SYSTEM
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


def follow_up(transact: Transact) -> int:
    """What follows an export: note what was opened for it, bring the rollups up; return 0."""
    note_openings(transact)
    rollups.build()
    return 0


def report(_session: Session) -> dict[str, object]:
    """What the lamps keep: broken files that were mended, totals found to differ from the live."""
    known = lake.contents()
    return {"mended": known.mended, "differing": known.differing}


def note_openings(transact: Transact) -> None:
    """Leave one audit row of the id numbers that were opened for a band.

    The count is taken back once the row is saved: who dies in between leaves two, never none.
    """
    with lake.alone():
        known = lake.contents()
        if not known.opened:
            return
        count = known.opened
        transact(
            lambda session: audit.record(
                session, SYSTEM, "open_id_numbers", "figures", 0, count=count
            )
        )
        known.opened = 0
        lake.keep(known)
