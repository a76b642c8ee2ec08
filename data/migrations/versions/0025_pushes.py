"""pushes in waves"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

NOTICE_KINDS = (
    "demand_posted", "application_received", "application_declined", "application_closed",
    "order_confirmed", "code_issued", "order_cancelled", "visit_finished", "visit_redeemed",
    "redemption_locked", "review_received", "caregiver_submitted", "caregiver_approved",
    "caregiver_rejected", "caregiver_suspended", "caregiver_restored", "demand_expired",
    "request_received", "request_placed", "request_to_approve", "request_refused",
    "request_expired", "request_blocked", "redeem_reminder", "pay_released", "role_granted",
    "verification_submitted", "verification_approved", "verification_rejected",
    "verification_expired", "certificate_expiring", "certificate_expired", "identity_linked",
    "accounts_merged", "second_factor_reset", "erasure_asked", "password_changed",
    "password_reset", "second_factor_added", "second_factor_removed", "erasure_closed",
    "visit_moved", "visit_cancelled", "visit_missed", "visit_confirmed", "substitute_asked",
    "substitute_comes", "substitute_refused", "substitute_wanted", "substitute_unwanted",
    "substitute_not_found", "caregiver_swapped", "plan_changed", "plan_paused", "plan_resumed",
    "plan_ended", "plan_clash", "leave_taken", "extra_time_asked", "extra_time_agreed",
    "extra_time_refused", "incident_reported", "incident_closed", "complaint_opened",
    "complaint_closed", "demand_invited", "demand_idle", "application_waitlisted",
    "application_returned", "leave_entered", "level_changed", "prices_bounded",
    "visit_reminder", "chat_answered", "chat_asked", "leave_withdrawn", "no_show_taken_back",
    "paid_out", "payout_failed", "payout_account_changed", "refund_granted", "refund_taken_back",
    "rules_proposed", "rules_turned_down", "rules_published", "rules_withdrawn",
    "receipt_recorded", "receipt_reversed", "money_repaid", "repayment_taken_back",
    "policy_announced", "policy_withdrawn",
    "complaint_message", "complaint_handed_over", "complaint_due", "complaint_overdue",
    "complaint_appealed", "points_given", "points_contested", "points_decided", "excluded",
    "exclusion_lifted", "invoice_asked", "invoice_issued", "invoice_refused", "invoice_cancelled",
    "breaches_found",
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout", "refund",
    "rule_version", "repayment", "policy_version", "points", "invoice", "finding", "dispatch_run",
)  # fmt: skip
KINDS = "demand_pushed", "push_gone", "push_exhausted"
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, KINDS),
    ("status_changes", "noun", "noun"): (NOUNS, ("push",)),
}
STANDING = {
    f"{name}_where": sa.text("status IN ('under_way', 'accepted')")
    for name in ("sqlite", "postgresql")
}


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "demand_pushes",
        sa.Column("demand_id", sa.Integer(), nullable=False),
        sa.Column("begun_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "under_way",
                "accepted",
                "exhausted",
                "stopped",
                name="pushstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("waves", sa.Integer(), nullable=False),
        sa.Column("next_wave_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *_numbered(),
        *_references(
            "demand_pushes",
            demand_id="demands.id",
            begun_by_id="accounts.id",
            order_id="orders.id",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_pushes")),
    )
    op.create_index(
        op.f("ix_demand_pushes_status_next_wave_at"), "demand_pushes", ["status", "next_wave_at"]
    )
    op.create_index(op.f("ix_demand_pushes_demand_id"), "demand_pushes", ["demand_id"])
    op.create_index(
        "uq_demand_pushes_demand_id", "demand_pushes", ["demand_id"], unique=True, **STANDING
    )
    op.create_table(
        "pushed_caregivers",
        sa.Column("push_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("said_no_at", sa.DateTime(timezone=True), nullable=True),
        *_numbered(),
        *_references("pushed_caregivers", push_id="demand_pushes.id", caregiver_id="caregivers.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushed_caregivers")),
        sa.UniqueConstraint(
            "push_id", "caregiver_id", name=op.f("uq_pushed_caregivers_push_id_caregiver_id")
        ),
        sa.UniqueConstraint("push_id", "rank", name=op.f("uq_pushed_caregivers_push_id_rank")),
    )
    op.create_index(
        op.f("ix_pushed_caregivers_caregiver_id"), "pushed_caregivers", ["caregiver_id"]
    )


def downgrade() -> None:
    op.drop_table("pushed_caregivers")
    op.drop_table("demand_pushes")
    for (table, column, name), (before, joining) in WIDENED.items():
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)


def _numbered() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _references(table: str, **columns: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    return tuple(
        sa.ForeignKeyConstraint([column], [of], name=op.f(f"fk_{table}_{column}"))
        for column, of in columns.items()
    )


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
