"""Reviews: what the customer says of a redeemed visit, or of a month of a plan."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered


class Review(Numbered, Base):
    """Four scores from 1 to 5, and words; one per visit, or per caregiver and month of a plan.

    `month` is the month's first day; `weight` how many reviews of single visits it counts for.

    The caregiver and the operators may each answer it once. A hidden one counts in no score.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint(
            "skill BETWEEN 1 AND 5 AND attitude BETWEEN 1 AND 5"
            " AND communication BETWEEN 1 AND 5 AND overall BETWEEN 1 AND 5",
            name="scores_1_to_5",
        ),
        CheckConstraint("(visit_id IS NULL) <> (month IS NULL)", name="visit_or_month"),
        CheckConstraint("weight > 0", name="weight_positive"),
        UniqueConstraint("order_id", "caregiver_id", "month"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"), unique=True)
    month: Mapped[date | None]
    weight: Mapped[int] = mapped_column(default=1)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"))
    skill: Mapped[int]
    attitude: Mapped[int]
    communication: Mapped[int]
    overall: Mapped[int]
    words: Mapped[str] = mapped_column(String(500), default="")
    reply_words: Mapped[str] = mapped_column(String(500), default="")
    replied_at: Mapped[datetime | None]
    staff_words: Mapped[str] = mapped_column(String(500), default="")
    staff_replied_at: Mapped[datetime | None]
    report_words: Mapped[str] = mapped_column(String(300), default="")
    reported_at: Mapped[datetime | None]
    hidden_words: Mapped[str] = mapped_column(String(300), default="")
    hidden_at: Mapped[datetime | None]
