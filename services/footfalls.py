"""Footfall: how often the front door was opened, by city and day; nothing is kept of who came."""

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from data.cities import City, CityStatus
from data.footfalls import Footfall
from services import clock
from services.errors import NotFound

_footfalls: Table = Footfall.__table__  # pyright: ignore[reportAssignmentType] - it is a Table
# In one statement, so that of two who come at once none is lost.
_COUNT = {
    name: dialect.insert(_footfalls).on_conflict_do_update(
        index_elements=[_footfalls.c.city_code, _footfalls.c.on_day],
        set_={"opened": _footfalls.c.opened + 1},
    )
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


def note(session: Session, city_code: str) -> None:
    """Count one more tab that opened the front door of a city today; open to everybody."""
    opened = select(City.id).where(City.code == city_code, City.status != CityStatus.CLOSED)
    if session.scalar(opened) is None:
        raise NotFound("error.city_not_found")
    counted = {"city_code": city_code, "on_day": clock.today(), "opened": 1}
    session.execute(_COUNT[session.get_bind().dialect.name], counted)
