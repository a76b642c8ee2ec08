"""payouts"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

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
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk",
)  # fmt: skip
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (
        NOTICE_KINDS, ("paid_out", "payout_failed", "payout_account_changed"),
    ),
    ("notices", "kind", "noticekind_sent"): (
        NOTICE_KINDS, ("paid_out", "payout_failed", "payout_account_changed"),
    ),
    ("status_changes", "noun", "noun"): (NOUNS, ("payout_batch", "payout")),
}  # fmt: skip


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "payout_batches",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("locked_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "locked",
                "sent",
                "closed",
                "withdrawn",
                name="batchstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_payout_batches_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["locked_by_id"], ["accounts.id"], name=op.f("fk_payout_batches_locked_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batches")),
    )
    with op.batch_alter_table("payout_batches", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payout_batches_city_code_status"), ["city_code", "status"], unique=False
        )

    op.create_table(
        "payout_accounts",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("bank", sa.String(length=60), nullable=False),
        sa.Column("holder_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("tail", sa.String(length=4), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_payout_accounts_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_accounts")),
    )
    with op.batch_alter_table("payout_accounts", schema=None) as batch_op:
        batch_op.create_index(
            "uq_payout_accounts_caregiver_id",
            ["caregiver_id"],
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )

    op.create_table(
        "payout_tickets",
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "csv", "xlsx", name="filekind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_payout_tickets_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payout_batches.id"], name=op.f("fk_payout_tickets_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_tickets")),
        sa.UniqueConstraint("ticket_hash", name=op.f("uq_payout_tickets_ticket_hash")),
    )
    op.create_table(
        "payouts",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "paid",
                "failed",
                "withdrawn",
                name="payoutstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_words", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payouts_amount_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["payout_accounts.id"], name=op.f("fk_payouts_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payout_batches.id"], name=op.f("fk_payouts_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_payouts_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
    )
    with op.batch_alter_table("payouts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payouts_batch_id_status"), ["batch_id", "status"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_payouts_caregiver_id"), ["caregiver_id"], unique=False)
        batch_op.create_index(
            "uq_payouts_caregiver_id_waiting",
            ["caregiver_id"],
            unique=True,
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("payouts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payouts_caregiver_id_waiting",
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        )
        batch_op.drop_index(batch_op.f("ix_payouts_caregiver_id"))
        batch_op.drop_index(batch_op.f("ix_payouts_batch_id_status"))

    op.drop_table("payouts")
    op.drop_table("payout_tickets")
    with op.batch_alter_table("payout_accounts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payout_accounts_caregiver_id",
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )

    op.drop_table("payout_accounts")
    with op.batch_alter_table("payout_batches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payout_batches_city_code_status"))

    op.drop_table("payout_batches")
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
