"""The opened cities and their settings."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.cities import City, CityStatus
from services import regions
from services.errors import Conflict


@dataclass(frozen=True, slots=True)
class CityView:
    code: str
    name_zh: str
    name_en: str
    status: CityStatus
    hotline: str


def opened(session: Session) -> list[CityView]:
    """The cities a family can choose, by code; public."""
    rows = session.scalars(select(City).where(City.status != CityStatus.CLOSED).order_by(City.code))
    return [_view(city) for city in rows]


def open_city(session: Session, code: str) -> City:
    """The settings of a city that takes new work, or a refusal."""
    city = session.scalar(select(City).where(City.code == code))
    if city is None or city.status is not CityStatus.OPEN:
        raise Conflict("error.city_not_open")
    return city


def _view(city: City) -> CityView:
    region = regions.region(city.code)
    return CityView(city.code, region.name_zh, region.name_en, city.status, city.hotline)
