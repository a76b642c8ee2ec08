"""The catalogue of care: groups, items, units and prices."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class ItemGroup(StrEnum):
    MEDICAL = "medical"
    ELDERLY = "elderly"
    MATERNITY = "maternity"


class Unit(StrEnum):
    HOUR = "hour"
    HALF_DAY = "half_day"
    DAY = "day"
    LIVE_IN_DAY = "live_in_day"


class CertificateKind(StrEnum):
    ESCORT_TRAINING = "escort_training"
    NURSING = "nursing"
    ELDER_CARE = "elder_care"
    MATERNITY_CARE = "maternity_care"
    INFANT_CARE = "infant_care"
    MASSAGE = "massage"
    NUTRITION = "nutrition"
    FIRST_AID = "first_aid"
    HEALTH = "health"


class Skill(StrEnum):
    LIFTING = "lifting"
    FEEDING = "feeding"
    WOUND_CARE = "wound_care"
    DEMENTIA = "dementia"
    NEWBORN = "newborn"
    COOKING = "cooking"
    DIALECT = "dialect"
    PAPERWORK = "paperwork"


class CareItem(Numbered, Base):
    """One kind of care with its unit, price range (fen per unit) and what it takes."""

    __tablename__ = "care_items"
    __table_args__ = (
        CheckConstraint("0 < lowest_fen AND lowest_fen <= highest_fen", name="price_range"),
        CheckConstraint("0 < fewest_units AND fewest_units <= most_units", name="unit_range"),
    )

    code: Mapped[str] = mapped_column(String(40), unique=True)
    group: Mapped[ItemGroup] = mapped_column(text_enum(ItemGroup))
    unit: Mapped[Unit] = mapped_column(text_enum(Unit))
    hours_per_unit: Mapped[int]
    fewest_units: Mapped[int]
    most_units: Mapped[int]
    lowest_fen: Mapped[int]
    highest_fen: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(60))
    about_zh: Mapped[str] = mapped_column(String(200))
    about_en: Mapped[str] = mapped_column(String(300))
    required_certificates: Mapped[list[str]]
    tasks_zh: Mapped[list[str]]
    tasks_en: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
