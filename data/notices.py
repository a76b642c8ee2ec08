"""Notices: the outbox written with the deed, and the inboxes it is delivered to."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedRow, sealed_bytes


class NoticeKind(StrEnum):
    DEMAND_POSTED = "demand_posted"
    APPLICATION_RECEIVED = "application_received"
    APPLICATION_DECLINED = "application_declined"
    APPLICATION_CLOSED = "application_closed"
    ORDER_CONFIRMED = "order_confirmed"
    CODE_ISSUED = "code_issued"
    ORDER_CANCELLED = "order_cancelled"
    VISIT_FINISHED = "visit_finished"
    VISIT_REDEEMED = "visit_redeemed"
    REDEMPTION_LOCKED = "redemption_locked"
    REVIEW_RECEIVED = "review_received"
    CAREGIVER_SUBMITTED = "caregiver_submitted"
    CAREGIVER_APPROVED = "caregiver_approved"
    CAREGIVER_REJECTED = "caregiver_rejected"
    CAREGIVER_SUSPENDED = "caregiver_suspended"
    CAREGIVER_RESTORED = "caregiver_restored"
    DEMAND_EXPIRED = "demand_expired"
    REQUEST_RECEIVED = "request_received"
    REQUEST_PLACED = "request_placed"
    REQUEST_TO_APPROVE = "request_to_approve"
    REQUEST_REFUSED = "request_refused"
    REQUEST_EXPIRED = "request_expired"
    REQUEST_BLOCKED = "request_blocked"
    REDEEM_REMINDER = "redeem_reminder"
    PAY_RELEASED = "pay_released"
    ROLE_GRANTED = "role_granted"
    VERIFICATION_SUBMITTED = "verification_submitted"
    VERIFICATION_APPROVED = "verification_approved"
    VERIFICATION_REJECTED = "verification_rejected"
    VERIFICATION_EXPIRED = "verification_expired"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    CERTIFICATE_EXPIRED = "certificate_expired"
    IDENTITY_LINKED = "identity_linked"
    ACCOUNTS_MERGED = "accounts_merged"
    SECOND_FACTOR_RESET = "second_factor_reset"
    ERASURE_ASKED = "erasure_asked"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    ERASURE_CLOSED = "erasure_closed"
    VISIT_MOVED = "visit_moved"
    VISIT_CANCELLED = "visit_cancelled"
    VISIT_MISSED = "visit_missed"
    VISIT_CONFIRMED = "visit_confirmed"
    SUBSTITUTE_ASKED = "substitute_asked"
    SUBSTITUTE_COMES = "substitute_comes"
    SUBSTITUTE_REFUSED = "substitute_refused"
    SUBSTITUTE_WANTED = "substitute_wanted"
    SUBSTITUTE_UNWANTED = "substitute_unwanted"
    RULES_PROPOSED = "rules_proposed"
    RULES_TURNED_DOWN = "rules_turned_down"
    RULES_PUBLISHED = "rules_published"
    RULES_WITHDRAWN = "rules_withdrawn"
    BREACHES_FOUND = "breaches_found"
    PAID_OUT = "paid_out"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_ACCOUNT_CHANGED = "payout_account_changed"
    SUBSTITUTE_NOT_FOUND = "substitute_not_found"
    CAREGIVER_SWAPPED = "caregiver_swapped"
    PLAN_CHANGED = "plan_changed"
    PLAN_PAUSED = "plan_paused"
    PLAN_RESUMED = "plan_resumed"
    PLAN_ENDED = "plan_ended"
    PLAN_CLASH = "plan_clash"
    LEAVE_TAKEN = "leave_taken"
    EXTRA_TIME_ASKED = "extra_time_asked"
    EXTRA_TIME_AGREED = "extra_time_agreed"
    EXTRA_TIME_REFUSED = "extra_time_refused"
    INCIDENT_REPORTED = "incident_reported"
    INCIDENT_CLOSED = "incident_closed"
    COMPLAINT_OPENED = "complaint_opened"
    COMPLAINT_CLOSED = "complaint_closed"
    DEMAND_INVITED = "demand_invited"
    DEMAND_IDLE = "demand_idle"
    APPLICATION_WAITLISTED = "application_waitlisted"
    APPLICATION_RETURNED = "application_returned"
    LEAVE_ENTERED = "leave_entered"
    LEVEL_CHANGED = "level_changed"
    PRICES_BOUNDED = "prices_bounded"
    VISIT_REMINDER = "visit_reminder"
    CHAT_ANSWERED = "chat_answered"
    CHAT_ASKED = "chat_asked"
    LEAVE_WITHDRAWN = "leave_withdrawn"
    NO_SHOW_TAKEN_BACK = "no_show_taken_back"
    REFUND_GRANTED = "refund_granted"
    REFUND_TAKEN_BACK = "refund_taken_back"
    RECEIPT_RECORDED = "receipt_recorded"
    RECEIPT_REVERSED = "receipt_reversed"
    MONEY_REPAID = "money_repaid"
    REPAYMENT_TAKEN_BACK = "repayment_taken_back"
    POLICY_ANNOUNCED = "policy_announced"
    POLICY_WITHDRAWN = "policy_withdrawn"
    COMPLAINT_MESSAGE = "complaint_message"
    COMPLAINT_HANDED_OVER = "complaint_handed_over"
    COMPLAINT_DUE = "complaint_due"
    COMPLAINT_OVERDUE = "complaint_overdue"
    COMPLAINT_APPEALED = "complaint_appealed"
    POINTS_GIVEN = "points_given"
    POINTS_CONTESTED = "points_contested"
    POINTS_DECIDED = "points_decided"
    EXCLUDED = "excluded"
    EXCLUSION_LIFTED = "exclusion_lifted"
    INVOICE_ASKED = "invoice_asked"
    INVOICE_ISSUED = "invoice_issued"
    INVOICE_REFUSED = "invoice_refused"
    INVOICE_CANCELLED = "invoice_cancelled"
    DEMAND_PUSHED = "demand_pushed"
    PUSH_GONE = "push_gone"
    PUSH_EXHAUSTED = "push_exhausted"
    DISPATCH_SUGGESTED = "dispatch_suggested"
    DISPATCH_ASSIGNED = "dispatch_assigned"
    REQUEST_LAPSED = "request_lapsed"
    YES_LAPSED = "yes_lapsed"
    APPROVAL_DUE = "approval_due"


class OutboxStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"


class OutboxChannel(StrEnum):
    INBOX = "inbox"
    TEXT = "text"
    WECHAT = "wechat"
    CALL = "call"


class OutboxMessage(Numbered, SealedRow, Base):
    """A message still to be delivered; ids in `facts`, anything personal sealed.

    `error` is a word of ours for why the last try failed. One about an order or a visit goes with
    it when it is called off before delivery.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        Index(None, "status", "next_try_at"),
        Index(None, "account_id", "channel", "status"),
        Index(None, "visit_id", "status"),
        Index(None, "channel", "status", "created_at"),
    )

    channel: Mapped[OutboxChannel] = mapped_column(text_enum(OutboxChannel))
    kind: Mapped[NoticeKind | None] = mapped_column(text_enum(NoticeKind))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    facts: Mapped[dict[str, Any]]
    dedupe_key: Mapped[str] = mapped_column(String(80), unique=True)
    phone_sealed: Mapped[bytes | None] = sealed_bytes()
    body_sealed: Mapped[bytes | None] = sealed_bytes()
    status: Mapped[OutboxStatus] = mapped_column(
        text_enum(OutboxStatus), default=OutboxStatus.PENDING
    )
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    urgent: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(String(40), default="")
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"))

    phone = Sealed()
    body = Sealed()


class NoticePreference(Base):
    """How somebody wants to be told; quiet hours in minutes of the city's day, over midnight too.

    Without a row: the inbox and text messages, quiet from 22 to 7. Who has no smartphone is called.
    """

    __tablename__ = "notice_preferences"
    __table_args__ = (
        CheckConstraint(
            "quiet_from_minute BETWEEN 0 AND 1439 AND quiet_until_minute BETWEEN 0 AND 1439",
            name="quiet_within_day",
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), default="zh_CN")
    by_text: Mapped[bool] = mapped_column(default=True)
    by_wechat: Mapped[bool] = mapped_column(default=True)
    by_call: Mapped[bool] = mapped_column(default=False)
    quiet_from_minute: Mapped[int] = mapped_column(default=22 * 60)
    quiet_until_minute: Mapped[int] = mapped_column(default=7 * 60)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Notice(Numbered, Base):
    """A delivered notice in somebody's inbox; its words come from the catalogues."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "account_id", "id"), Index(None, "account_id", "read_at"))

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[NoticeKind] = mapped_column(text_enum(NoticeKind, "noticekind_sent"))
    facts: Mapped[dict[str, Any]]
    dedupe_key: Mapped[str] = mapped_column(String(80), unique=True)
    read_at: Mapped[datetime | None]


class ConsoleText(Numbered, SealedRow, Base):
    """A text message of the demo's console gateway, shown instead of being sent."""

    __tablename__ = "console_texts"

    phone_hash: Mapped[str] = mapped_column(String(64), index=True)
    body_sealed: Mapped[bytes] = sealed_bytes()

    body = Sealed()
