"""Tariffs: what a city adds to prices, takes off plans and asks for cancelling, from a date on.

And base prices: between what a unit of care may cost there, by the caregiver's level.
"""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.caregivers import CaregiverLevel


class Tariff(Numbered, Base):
    """In force from its date until the next one's; `_bp` are hundredths of a percent of the base.

    Steps are pairs: [visits of a plan in 30 days, discount] with the most visits first, and
    [hours before the start, share of the price] with the fewest hours first.
    """

    __tablename__ = "tariffs"
    __table_args__ = (
        UniqueConstraint("city_code", "valid_from"),
        CheckConstraint(
            "night_bp >= 0 AND weekend_bp >= 0 AND holiday_bp >= 0 AND urgent_bp >= 0",
            name="surcharges_not_negative",
        ),
        CheckConstraint("rounding_fen > 0", name="rounding_positive"),
        CheckConstraint(
            "no_show_bp BETWEEN 0 AND 10000 AND caregiver_no_show_bp BETWEEN 0 AND 10000",
            name="no_show_is_a_share",
        ),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    valid_from: Mapped[date]
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    night_bp: Mapped[int] = mapped_column(default=3000)
    night_from_minute: Mapped[int] = mapped_column(default=21 * 60)
    night_until_minute: Mapped[int] = mapped_column(default=6 * 60)
    weekend_bp: Mapped[int] = mapped_column(default=0)
    holiday_bp: Mapped[int] = mapped_column(default=5000)
    urgent_bp: Mapped[int] = mapped_column(default=2000)
    urgent_hours: Mapped[int] = mapped_column(default=6)
    rounding_fen: Mapped[int] = mapped_column(default=100)
    monthly_steps: Mapped[list[list[int]]]
    customer_fees: Mapped[list[list[int]]]
    caregiver_fees: Mapped[list[list[int]]]
    no_show_bp: Mapped[int] = mapped_column(default=10000)
    caregiver_no_show_bp: Mapped[int] = mapped_column(default=5000)


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
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    lowest_fen: Mapped[int]
    highest_fen: Mapped[int]
