"""Base prices: between what a unit of care may cost in a city, by the caregiver's level."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.caregivers import CaregiverLevel


class BasePrice(Numbered, Base):
    """What a caregiver of a level may ask for an item, in fen per unit, from a date on.

    Where a city never set any, the item's own range holds.
    """

    __tablename__ = "base_prices"
    __table_args__ = (
        UniqueConstraint("city_code", "item_id", "level", "valid_from"),
        CheckConstraint("0 < lowest_fen AND lowest_fen <= highest_fen", name="price_range"),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"))
    level: Mapped[CaregiverLevel] = mapped_column(
        text_enum(CaregiverLevel, "caregiverlevel_priced")
    )
    valid_from: Mapped[date]
    lowest_fen: Mapped[int]
    highest_fen: Mapped[int]
