"""Pushes: an open demand, and the caregivers who were told of it, the best fit first."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class PushStatus(StrEnum):
    """Waves go out; somebody took the demand; nobody is left to tell; or it was ended before."""

    UNDER_WAY = "under_way"
    ACCEPTED = "accepted"
    EXHAUSTED = "exhausted"
    STOPPED = "stopped"


STANDING = PushStatus.UNDER_WAY, PushStatus.ACCEPTED
_STANDING = text("status IN ('under_way', 'accepted')")


class DemandPush(Numbered, Base):
    """Caregivers are told of an open demand, some at a time, until one of them takes it.

    `order_id` is the order that arose when she did. Should it come to nothing, the push goes on.
    """

    __tablename__ = "demand_pushes"
    __table_args__ = (
        Index(None, "status", "next_wave_at"),
        Index(
            "uq_demand_pushes_demand_id",
            "demand_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )

    demand_id: Mapped[int] = mapped_column(ForeignKey("demands.id"), index=True)
    begun_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[PushStatus] = mapped_column(text_enum(PushStatus))
    waves: Mapped[int] = mapped_column(default=0)
    next_wave_at: Mapped[datetime]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class PushedCaregiver(Numbered, Base):
    """Somebody who was told, in which wave, and the how-manieth she was by fit."""

    __tablename__ = "pushed_caregivers"
    __table_args__ = (
        UniqueConstraint("push_id", "caregiver_id"),
        UniqueConstraint("push_id", "rank"),
    )

    push_id: Mapped[int] = mapped_column(ForeignKey("demand_pushes.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    wave: Mapped[int]
    rank: Mapped[int]
    said_no_at: Mapped[datetime | None]
