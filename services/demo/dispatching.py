"""The dispatch board of the demo: a proposal for the days to come, with somebody pinned."""

from datetime import timedelta

from sqlalchemy.orm import Session

from services import clock
from services.access import Actor
from services.board import open_work, overrides, recommendations, runs
from services.board.open_work import Scope
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.board.runs import Wish
from services.demo.nantong import CITY

DAYS = 6
WISH = "家属说上次就是这一位，老人认得"


def propose(session: Session, operator: Actor) -> None:
    """Have the open work of a week dispatched, as the operator would in the morning."""
    first, last = clock.today(), clock.today() + timedelta(days=DAYS)
    works = open_work.find(session, Scope(CITY, first, last, hourly=True))
    if not works:
        return
    for demand_id in (one.demand_id for one in works if one.demand_id):
        best = recommendations.for_demand(session, operator, demand_id)
        if len(best) > 1:  # A family wants not the first of them but the second.
            overrides.lay_down(
                session,
                operator,
                Subject(demand_id),
                best[1].caregiver_id,
                OverrideKind.PIN,
                OverrideReason.FAMILY_WISH,
                WISH,
            )
            break
    session.flush()
    runs.ask(session, operator, Wish(CITY, first, last))
