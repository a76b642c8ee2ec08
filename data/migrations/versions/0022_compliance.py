"""findings of compliance"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
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
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout", "refund",
    "rule_version", "repayment", "policy_version", "points",
    "invoice",
)  # fmt: skip
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, ("breaches_found",)),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, ("breaches_found",)),
    ("status_changes", "noun", "noun"): (NOUNS, ("finding",)),
}
NAMED = {
    "city_code": "cities.code",
    "caregiver_id": "caregivers.id",
    "order_id": "orders.id",
    "demand_id": "demands.id",
    "owner_id": "accounts.id",
}


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "compliance_findings",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "price",
                "late_cancellations",
                "contacts",
                "traded_reviews",
                "far_check_in",
                "expired_papers",
                "idle_complaint",
                name="findingkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("demand_id", sa.Integer(), nullable=True),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "taken",
                "upheld",
                "dismissed",
                name="findingstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("decision_words", sa.String(length=500), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [of], name=op.f(f"fk_compliance_findings_{column}"))
            for column, of in NAMED.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compliance_findings")),
        sa.UniqueConstraint(
            "city_code", "kind", "key", name=op.f("uq_compliance_findings_city_code_kind_key")
        ),
    )
    with op.batch_alter_table("compliance_findings") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_compliance_findings_city_code_status_created_at"),
            ["city_code", "status", "created_at"],
        )
        batch_op.create_index(batch_op.f("ix_compliance_findings_caregiver_id"), ["caregiver_id"])
    with op.batch_alter_table("penalty_points") as batch_op:
        batch_op.create_foreign_key(
            batch_op.f("fk_penalty_points_finding_id"),
            "compliance_findings",
            ["finding_id"],
            ["id"],
        )
        batch_op.create_index(batch_op.f("ix_penalty_points_finding_id"), ["finding_id"])


def downgrade() -> None:
    with op.batch_alter_table("penalty_points") as batch_op:
        batch_op.drop_index(batch_op.f("ix_penalty_points_finding_id"))
        batch_op.drop_constraint(batch_op.f("fk_penalty_points_finding_id"), type_="foreignkey")
    op.execute("UPDATE penalty_points SET finding_id = NULL")
    op.drop_table("compliance_findings")
    for (table, column, name), (before, joining) in WIDENED.items():
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
