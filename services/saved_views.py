"""Views of figures that somebody keeps: a page with its filters, under a name of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.publications import SavedView
from services import clock, wording
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound

LONGEST_NAME = 40
MOST = 30
# The pages of figures, and what their addresses may name.
PAGES = ("demand_map", "demand", "family_figures", "caregiver_figures", "funnel", "findings")
KEYS = frozenset({"place", "period", "care", "measure", "map", "beside"})
_LONGEST_VALUE = 20


@dataclass(frozen=True, slots=True)
class View:
    """A kept view: its page, and the query of its address."""

    id: int
    name: str
    page: str
    query: dict[str, str]


def save(session: Session, actor: Actor, page: str, name: str, query: Mapping[str, str]) -> None:
    """Keep a view under a name; what had this name before is replaced."""
    actor.require(Permission.READ_FIGURES)
    name = " ".join(wording.words(name, "view_name", LONGEST_NAME).split())
    if page not in PAGES or not all(
        key in KEYS and 0 < len(value) <= _LONGEST_VALUE for key, value in query.items()
    ):
        raise Invalid("error.view_unknown")
    session.get_one(Account, actor.id, with_for_update=True)  # One of them at a time.
    row = session.scalar(
        select(SavedView).where(SavedView.account_id == actor.id, SavedView.name == name)
    )
    if row is not None:
        row.page, row.query = page, dict(query)
        return
    count = select(func.count(SavedView.id)).where(SavedView.account_id == actor.id)
    if (session.scalar(count) or 0) >= MOST:
        raise Conflict("error.too_many_views", most=MOST)
    session.add(
        SavedView(
            created_at=clock.now(),
            account_id=actor.id,
            page=page,
            name=name,
            query=dict(query),
        )
    )


def mine(session: Session, actor: Actor) -> list[View]:
    """The views the actor keeps, by name."""
    actor.require(Permission.READ_FIGURES)
    rows = session.scalars(
        select(SavedView)
        .where(SavedView.account_id == actor.id, SavedView.page.in_(PAGES))
        .order_by(SavedView.name, SavedView.id)
    )
    return [View(row.id, row.name, row.page, row.query) for row in rows]


def remove(session: Session, actor: Actor, view_id: int) -> None:
    """Keep a view of the actor's own no longer."""
    actor.require(Permission.READ_FIGURES)
    row = session.scalar(
        select(SavedView).where(SavedView.id == view_id, SavedView.account_id == actor.id)
    )
    if row is None:
        raise NotFound("error.view_unknown")
    session.delete(row)


def forget_of(session: Session, account_ids: Sequence[int]) -> None:
    """Forget every view of these people."""
    session.execute(delete(SavedView).where(SavedView.account_id.in_(account_ids)))
