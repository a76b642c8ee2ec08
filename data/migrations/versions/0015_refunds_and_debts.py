"""refunds and debts"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ACCOUNTS = (
    "customer_receivable", "orders_committed", "caregiver_frozen", "caregiver_payable",
    "platform_fee", "penalty", "received_cash", "received_bank", "received_wechat",
    "received_split", "refund", "payout_sent", "paid_out",
)  # fmt: skip
EVENTS = (
    "confirmed", "redeemed", "cancelled", "released", "merged", "extended", "extra_time",
    "fee_reversed", "received", "receipt_reversed", "refunded", "payout_sent", "paid_out",
    "payout_failed", "held_back", "let_go",
)  # fmt: skip
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
    "paid_out", "payout_failed", "payout_account_changed",
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout",
)  # fmt: skip
MORE_NOTICE_KINDS = "refund_granted", "refund_taken_back"
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, MORE_NOTICE_KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, MORE_NOTICE_KINDS),
    ("status_changes", "noun", "noun"): (NOUNS, ("refund",)),
}
LEDGER_WIDENED = {
    ("ledger_entries", "event", "ledgerevent"): (
        EVENTS, ("refund_reversed", "repaid", "repayment_reversed", "debt_noted"),
    ),
    ("ledger_postings", "account", "ledgeraccount"): (ACCOUNTS, ("caregiver_debt",)),
    ("ledger_balances", "account", "ledgeraccount_kept"): (ACCOUNTS, ("caregiver_debt",)),
}  # fmt: skip
# What the step back does not know.
UNKNOWN = "SELECT id FROM ledger_entries WHERE event IN ('refunded', {})"
GUARDED = "ledger_entries", "ledger_postings"
REFUSAL = "the ledger is only ever added to"
UNFIT = "a line does not follow the one before"
# What is wrong with a new line.
OUT_OF_PLACE = """
    EXISTS (SELECT 1 FROM ledger_postings AS earlier
        WHERE earlier.id = NEW.id
            OR (earlier.entry_id = NEW.entry_id AND earlier.number = NEW.number))
    OR NEW.number > coalesce((SELECT lines FROM ledger_entries WHERE id = NEW.entry_id), 0)
    OR (NEW.number > 1 AND NOT EXISTS (SELECT 1 FROM ledger_postings AS earlier
        WHERE earlier.entry_id = NEW.entry_id AND earlier.number = NEW.number - 1
            AND earlier.running_fen + NEW.amount_fen = NEW.running_fen))
"""


def upgrade() -> None:
    if _on_sqlite():  # A table cannot be made anew that a trigger of another names.
        _unguard()
    for (table, column, name), (before, joining) in (WIDENED | LEDGER_WIDENED).items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "refunds",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("caregiver_fen", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(length=32), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "granted", "taken_back",
                name="refundstatus", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reversal_words", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refunds_amount_positive")),
        sa.CheckConstraint(
            "caregiver_fen BETWEEN 0 AND amount_fen", name=op.f("ck_refunds_caregivers_part")
        ),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_refunds_{column}"))
            for column, target in (
                ("visit_id", "visits.id"),
                ("complaint_id", "complaints.id"),
                ("granted_by_id", "accounts.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint(
            "granted_by_id", "request_key", name=op.f("uq_refunds_granted_by_id_request_key")
        ),
    )  # fmt: skip
    for column in ("visit_id", "complaint_id"):
        op.create_index(op.f(f"ix_refunds_{column}"), "refunds", [column])
    _note_debts()
    if _on_sqlite():
        _guard()


def downgrade() -> None:
    _unguard()
    (_, events), (_, accounts), _ = LEDGER_WIDENED.values()
    entries = UNKNOWN.format(_listed(events))
    op.execute("DELETE FROM ledger_balances")  # They are counted anew.
    op.execute(f"DELETE FROM ledger_postings WHERE entry_id IN ({entries})")
    op.execute(f"DELETE FROM ledger_entries WHERE event IN ('refunded', {_listed(events)})")
    # Once more what is owed is payable below nothing.
    op.execute(
        "UPDATE ledger_postings SET account = 'caregiver_payable'"
        f" WHERE account IN ({_listed(accounts)})"
    )
    op.drop_table("refunds")
    if not _on_sqlite():
        op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for (table, column, name), (before, joining) in WIDENED.items():
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)
    for (table, column, name), (before, _) in LEDGER_WIDENED.items():
        _allow(table, column, name, before)
    _guard()


def _note_debts() -> None:
    """What was payable below nothing until now is owed from now on."""
    entries = sa.table(
        "ledger_entries",
        *(sa.column(name) for name in ("id", "event_key", "event", "lines", "sum_fen")),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    postings = sa.table(
        "ledger_postings",
        *(
            sa.column(name)
            for name in ("entry_id", "number", "account", "party_id", "amount_fen", "running_fen")
        ),
    )
    bind = op.get_bind()
    below = bind.execute(
        sa.text(
            "SELECT party_id, sum(amount_fen) FROM ledger_postings"
            " WHERE account = 'caregiver_payable' GROUP BY party_id HAVING sum(amount_fen) > 0"
        )
    ).all()
    for party_id, owed_fen in below:
        entry_id = bind.scalar(
            sa.insert(entries)
            .values(
                event_key=f"debt_noted:account:{party_id}",
                event="debt_noted",
                lines=2,
                sum_fen=0,
                created_at=sa.func.current_timestamp(),
            )
            .returning(entries.c.id)
        )
        lines = (("caregiver_debt", owed_fen, owed_fen), ("caregiver_payable", -owed_fen, 0))
        for number, (account, amount_fen, running_fen) in enumerate(lines, 1):
            bind.execute(
                sa.insert(postings).values(
                    entry_id=entry_id,
                    number=number,
                    account=account,
                    party_id=party_id,
                    amount_fen=amount_fen,
                    running_fen=running_fen,
                )
            )


def _guard() -> None:
    """Whoever makes the tables anew on SQLite must call this again: triggers go with them."""
    if _on_sqlite():
        for table in GUARDED:
            refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            op.execute(f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} {refuse}")
            op.execute(f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {refuse}")
        # INSERT OR REPLACE deletes without asking the triggers above.
        op.execute(
            "CREATE TRIGGER ledger_entries_new BEFORE INSERT ON ledger_entries WHEN EXISTS"
            " (SELECT 1 FROM ledger_entries WHERE id = NEW.id OR event_key = NEW.event_key)"
            f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        op.execute(
            f"CREATE TRIGGER ledger_postings_new BEFORE INSERT ON ledger_postings"
            f" WHEN {OUT_OF_PLACE} BEGIN SELECT RAISE(ABORT, '{UNFIT}'); END"
        )
        return
    for table in GUARDED:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " EXECUTE FUNCTION refuse_ledger_change()"
        )


def _unguard() -> None:
    """So that entries may go, and lines change their account, on the way back."""
    if _on_sqlite():
        for table in GUARDED:
            for name in ("unchanged", "kept", "new"):
                op.execute(f"DROP TRIGGER {table}_{name}")
        return
    for table in GUARDED:
        op.execute(f"DROP TRIGGER {table}_kept ON {table}")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
