"""repayments"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

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
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout", "refund",
    "rule_version",
)  # fmt: skip
MORE_NOTICE_KINDS = (
    "receipt_recorded", "receipt_reversed", "money_repaid", "repayment_taken_back",
)  # fmt: skip
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, MORE_NOTICE_KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, MORE_NOTICE_KINDS),
    ("status_changes", "noun", "noun"): (NOUNS, ("repayment",)),
}
GUARDED = "ledger_entries", "ledger_postings"
# As the step before made them: by whether it is SQLite.
KEPT_FROM = {
    True: "DELETE ON {} BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END",
    False: "UPDATE OR DELETE OR TRUNCATE ON {} EXECUTE FUNCTION refuse_ledger_change()",
}
COUNTS = sa.text("status = 'recorded' AND reference <> ''")


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "repayments",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "cash", "bank", "wechat", "split",
                name="repaymentmethod", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("repaid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(length=32), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "recorded", "taken_back",
                name="repaymentstatus", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reversal_words", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_repayments_amount_positive")),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_repayments_{column}"))
            for column, target in (
                ("city_code", "cities.code"),
                ("customer_id", "accounts.id"),
                ("recorded_by_id", "accounts.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repayments")),
        sa.UniqueConstraint(
            "recorded_by_id", "request_key", name=op.f("uq_repayments_recorded_by_id_request_key")
        ),
    )  # fmt: skip
    for columns in (["customer_id", "repaid_on"], ["city_code", "repaid_on"]):
        op.create_index(op.f(f"ix_repayments_{'_'.join(columns)}"), "repayments", columns)
    op.create_index(
        "uq_repayments_method_reference",
        "repayments",
        ["method", "reference"],
        unique=True,
        sqlite_where=COUNTS,
        postgresql_where=COUNTS,
    )


def downgrade() -> None:
    _forget_bookings()
    op.drop_table("repayments")
    for (table, column, name), (before, joining) in WIDENED.items():
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)


def _forget_bookings() -> None:
    """Their entries go whole: the table made anew would count, and book, from 1 once more."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in GUARDED:
        op.execute(f"DROP TRIGGER {table}_kept" + ("" if on_sqlite else f" ON {table}"))
    booked = "event IN ('repaid', 'repayment_reversed')"
    entries = f"SELECT id FROM ledger_entries WHERE {booked}"
    op.execute("DELETE FROM ledger_balances")  # They are counted anew.
    op.execute(f"DELETE FROM ledger_postings WHERE entry_id IN ({entries})")
    op.execute(f"DELETE FROM ledger_entries WHERE {booked}")
    if not on_sqlite:
        op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in GUARDED:
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE {KEPT_FROM[on_sqlite].format(table)}")


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
