"""Exclusions: who is not to meet whom any more, by a wish or by a decision, and until when."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.orders import Party


class Exclusion(Numbered, Base):
    """A family and a caregiver kept apart, or one of them kept out of a whole city.

    Without a customer it keeps the caregiver from everybody, and the other way round. `decided_by`
    is the side whose private wish it is, PLATFORM what operators decided on evidence. The last day
    is empty where it is for good.
    """

    __tablename__ = "exclusions"
    __table_args__ = (
        CheckConstraint("customer_id IS NOT NULL OR caregiver_id IS NOT NULL", name="of_somebody"),
        CheckConstraint("customer_id <> caregiver_id", name="of_two"),
        Index(None, "caregiver_id", "customer_id"),
        Index(None, "customer_id"),
        Index(None, "city_code", "lifted_at"),
        Index(
            "uq_exclusions_wish",
            "customer_id",
            "caregiver_id",
            "decided_by",
            unique=True,
            sqlite_where=text("lifted_at IS NULL AND decided_by <> 'platform'"),
            postgresql_where=text("lifted_at IS NULL AND decided_by <> 'platform'"),
        ),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    caregiver_id: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"))
    decided_by: Mapped[Party] = mapped_column(text_enum(Party))
    actor_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    words: Mapped[str] = mapped_column(String(500), default="")
    last_day: Mapped[date | None]
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    lifted_words: Mapped[str] = mapped_column(String(500), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
