"""What operators did about things that wait, so that a list of them can come to its end."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered


class FollowUp(Numbered, Base):
    """Somebody saw to a waiting thing; until then it is not shown as waiting."""

    __tablename__ = "follow_ups"
    __table_args__ = (Index(None, "kind", "subject_id", "until"),)

    kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    actor_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    words: Mapped[str] = mapped_column(String(200), default="")
    until: Mapped[datetime]
