"""direct booking"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("accounts", "status", "accountstatus"): (("active", "suspended"), ("merged",)),
    ("demands", "status", "demandstatus"): (
        ("open", "matched", "withdrawn", "expired"),
        ("directed",),
    ),
    ("ledger_entries", "event", "ledgerevent"): (
        ("confirmed", "redeemed", "cancelled"),
        ("released", "merged"),
    ),
    ("ledger_postings", "account", "ledgeraccount"): (
        ("customer_receivable", "orders_committed", "caregiver_frozen", "platform_fee"),
        ("caregiver_payable",),
    ),
    ("orders", "status", "orderstatus"): (
        ("confirmed", "completed", "cancelled"),
        ("requested", "accepted", "refused", "expired", "blocked"),
    ),
    ("status_changes", "noun", "noun"): (
        ("caregiver", "demand", "application", "order", "visit"),
        ("account", "city"),
    ),
    ("visits", "status", "visitstatus"): (
        ("planned", "in_progress", "finished", "redeemed", "cancelled"),
        ("held",),
    ),
}
NOTICE_KINDS = (
    (
        "demand_posted", "application_received", "application_declined", "application_closed",
        "order_confirmed", "code_issued", "order_cancelled", "visit_finished", "visit_redeemed",
        "redemption_locked", "review_received", "caregiver_submitted", "caregiver_approved",
        "caregiver_rejected", "demand_expired",
    ),
    (
        "caregiver_suspended", "caregiver_restored", "request_received", "request_placed",
        "request_to_approve", "request_refused", "request_expired", "request_blocked",
        "redeem_reminder", "pay_released", "role_granted",
    ),
)  # fmt: skip
WIDENED["outbox_messages", "kind", "noticekind"] = NOTICE_KINDS
WIDENED["notices", "kind", "noticekind_sent"] = NOTICE_KINDS


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{table}_{name}"), f"{column} IN ({listed})")


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "follow_ups",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_follow_ups_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_ups")),
    )
    with op.batch_alter_table("follow_ups", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_follow_ups_kind_subject_id_until"),
            ["kind", "subject_id", "until"],
            unique=False,
        )

    op.create_table(
        "photos",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_photos_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("caregiver_id", name=op.f("pk_photos")),
    )
    op.create_table(
        "rates",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("price_fen", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_rates_price_positive")),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_rates_caregiver_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["care_items.id"], name=op.f("fk_rates_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rates")),
        sa.UniqueConstraint("caregiver_id", "item_id", name=op.f("uq_rates_caregiver_id_item_id")),
    )
    with op.batch_alter_table("rates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rates_item_id"), ["item_id"], unique=False)

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("decision_words", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_accounts_merged_into_id"), "accounts", ["merged_into_id"], ["id"]
        )

    with op.batch_alter_table("accounts") as batch_op:
        batch_op.alter_column("decision_words", server_default=None)

    with op.batch_alter_table("cities", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("hold_hours", sa.Integer(), nullable=False, server_default="2")
        )
        batch_op.add_column(
            sa.Column("operator_approves", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("release_days", sa.Integer(), nullable=False, server_default="7")
        )
        batch_op.create_check_constraint(op.f("ck_cities_hold_hours_positive"), "hold_hours > 0")
        batch_op.create_check_constraint(
            op.f("ck_cities_release_days_not_negative"), "release_days >= 0"
        )
    with op.batch_alter_table("cities") as batch_op:
        for name in ("hold_hours", "operator_approves", "release_days"):
            batch_op.alter_column(name, server_default=None)

    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.alter_column("order_id", existing_type=sa.INTEGER(), nullable=True)

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answer_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("decision_words", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.create_index(
            batch_op.f("ix_orders_status_answer_until"), ["status", "answer_until"], unique=False
        )

    with op.batch_alter_table("orders") as batch_op:
        batch_op.alter_column("decision_words", server_default=None)
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.drop_column("retired_at")

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_status_answer_until"))
        batch_op.drop_column("decision_words")
        batch_op.drop_column("answer_until")

    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.alter_column("order_id", existing_type=sa.INTEGER(), nullable=False)

    with op.batch_alter_table("cities", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_cities_release_days_not_negative"), type_="check")
        batch_op.drop_constraint(op.f("ck_cities_hold_hours_positive"), type_="check")
        batch_op.drop_column("release_days")
        batch_op.drop_column("operator_approves")
        batch_op.drop_column("hold_hours")

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_accounts_merged_into_id"), type_="foreignkey")
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("decision_words")

    with op.batch_alter_table("rates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rates_item_id"))

    op.drop_table("rates")
    op.drop_table("photos")
    with op.batch_alter_table("follow_ups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follow_ups_kind_subject_id_until"))

    op.drop_table("follow_ups")
    for (table, column, name), (before, _) in WIDENED.items():
        _allow(table, column, name, before)
