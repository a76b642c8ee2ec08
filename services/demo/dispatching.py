"""The dispatch board of the demo: a proposal for the days to come, with a caregiver pinned."""

from datetime import timedelta

from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from services import clock
from services.access import Actor
from services.board import open_work, overrides, runs
from services.board.open_work import Scope
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.board.runs import Wish
from services.demo.nantong import CITY

DAYS = 6
WISH = "家属说上次就是这一位，老人认得"


def propose(session: Session, operator: Actor, caregiver_id: int) -> None:
    """Have the open work of a week dispatched, as the operator would in the morning."""
    first, last = clock.today(), clock.today() + timedelta(days=DAYS)
    works = open_work.find(session, Scope(CITY, first, last, hourly=True))
    if not works:
        return
    district = session.get_one(Caregiver, caregiver_id).district_code
    wished = [one.demand_id for one in works if one.demand_id and one.district_code == district]
    for demand_id in wished[:1]:
        overrides.lay_down(
            session,
            operator,
            Subject(demand_id),
            caregiver_id,
            OverrideKind.PIN,
            OverrideReason.FAMILY_WISH,
            WISH,
        )
    session.flush()
    runs.ask(session, operator, Wish(CITY, first, last))
