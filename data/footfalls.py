"""How often the front door was opened: a number a day and city, nothing of whom."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base


class Footfall(Base):
    """The tabs that opened the public page of a city on a day, in city time."""

    __tablename__ = "footfalls"
    __table_args__ = (
        UniqueConstraint("city_code", "on_day"),
        CheckConstraint("opened > 0", name="opened_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    on_day: Mapped[date]
    opened: Mapped[int]
