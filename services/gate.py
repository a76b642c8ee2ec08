"""The one gate through which every visit gets its caregiver.

Two visits of one caregiver never overlap. On PostgreSQL writers for one caregiver take turns at
the caregiver's row, and an exclusion constraint stands behind; without the turns its waiters
deadlock. SQLite admits one writer at a time (BEGIN IMMEDIATE). Core, not ORM: four times the
throughput under load.
"""

from collections.abc import Sequence
from datetime import datetime

from psycopg.errors import ExclusionViolation
from sqlalchemy import ColumnElement, Table, and_, exists, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.caregivers import Caregiver, CaregiverStatus
from data.orders import Visit, VisitStatus
from services import clock
from services.errors import Conflict

_visits: Table = Visit.__table__  # pyright: ignore[reportAssignmentType] - it is a Table


def place_visit(
    session: Session,
    *,
    order_id: int,
    caregiver_id: int,
    starts_at: datetime,
    ends_at: datetime,
    status: VisitStatus = VisitStatus.PLANNED,
) -> int:
    """Put a visit, planned or held for an answer, into a caregiver's time; return its id."""
    standing = session.scalar(
        select(Caregiver.status).where(Caregiver.id == caregiver_id).with_for_update(key_share=True)
    )
    if standing is not CaregiverStatus.APPROVED:
        raise Conflict("error.caregiver_not_approved")
    values = {
        "order_id": order_id,
        "caregiver_id": caregiver_id,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "created_at": clock.now(),
        "status": status,
        "done_tasks": [],
        "report_words": "",
        "code_issue": 1,
        "wrong_codes": 0,
        "version": 1,
    }
    row = select(*(literal(value, _visits.c[name].type) for name, value in values.items())).where(
        ~exists().where(busy(caregiver_id, starts_at, ends_at))
    )
    try:
        visit_id = session.scalar(
            insert(_visits).from_select(list(values), row).returning(_visits.c.id)
        )
    except IntegrityError as refused:
        if isinstance(refused.orig, ExclusionViolation):
            raise Conflict("error.caregiver_busy") from None
        raise
    if visit_id is None:
        raise Conflict("error.caregiver_busy")
    return visit_id


def is_free(session: Session, caregiver_id: int, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether nothing stands in the way now; only `place_visit` decides."""
    return not session.scalar(select(exists().where(busy(caregiver_id, starts_at, ends_at))))


def taken(session: Session, caregiver_id: int, since: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when a caregiver's time is taken by visits that end after `since`."""
    return [
        (starts_at, ends_at)
        for starts_at, ends_at in session.execute(
            select(_visits.c.starts_at, _visits.c.ends_at).where(
                _visits.c.caregiver_id == caregiver_id,
                _visits.c.ends_at > since,
                _visits.c.status != VisitStatus.CANCELLED,
            )
        )
    ]


def taken_by(
    session: Session, caregiver_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, list[tuple[datetime, datetime]]]:
    """From when to when visits take the time of several caregivers between two moments."""
    rows = session.execute(
        select(_visits.c.caregiver_id, _visits.c.starts_at, _visits.c.ends_at).where(
            _visits.c.caregiver_id.in_(caregiver_ids),
            _visits.c.ends_at > since,
            _visits.c.starts_at < until,
            _visits.c.status != VisitStatus.CANCELLED,
        )
    )
    found: dict[int, list[tuple[datetime, datetime]]] = {}
    for caregiver_id, starts_at, ends_at in rows:
        found.setdefault(caregiver_id, []).append((starts_at, ends_at))
    return found


def busy(
    caregiver_id: int | InstrumentedAttribute[int],
    starts_at: datetime | InstrumentedAttribute[datetime],
    ends_at: datetime | InstrumentedAttribute[datetime],
) -> ColumnElement[bool]:
    """The condition under which a visit takes some of this time."""
    return and_(
        _visits.c.caregiver_id == caregiver_id,
        _visits.c.starts_at < ends_at,
        _visits.c.ends_at > starts_at,
        _visits.c.status != VisitStatus.CANCELLED,
    )
