"""receipts"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

GUARDED = "ledger_entries", "ledger_postings"
# As the step before made them: by whether it is SQLite.
KEPT_FROM = {
    True: "DELETE ON {} BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END",
    False: "UPDATE OR DELETE OR TRUNCATE ON {} EXECUTE FUNCTION refuse_ledger_change()",
}
COUNTS = sa.text("reversed_at IS NULL AND reference <> ''")


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column(
            "method",
            sa.Enum(
                "cash", "bank", "wechat", "split",
                name="receiptmethod", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(length=32), nullable=False),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reversed_by_id", sa.Integer(), nullable=True),
        sa.Column("reversal_words", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_fen BETWEEN 1 AND 10000000", name=op.f("ck_receipts_amount_in_range")
        ),
        sa.CheckConstraint(
            "(reversed_at IS NULL) = (reversed_by_id IS NULL)",
            name=op.f("ck_receipts_reversed_by"),
        ),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_receipts_{column}"))
            for column, target in (
                ("city_code", "cities.code"),
                ("customer_id", "accounts.id"),
                ("order_id", "orders.id"),
                ("recorded_by_id", "accounts.id"),
                ("reversed_by_id", "accounts.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint(
            "recorded_by_id", "request_key", name=op.f("uq_receipts_recorded_by_id_request_key")
        ),
    )  # fmt: skip
    with op.batch_alter_table("receipts") as batch_op:
        for columns in (["customer_id", "received_on"], ["city_code", "received_on"], ["order_id"]):
            batch_op.create_index(batch_op.f(f"ix_receipts_{'_'.join(columns)}"), columns)
        batch_op.create_index(
            "uq_receipts_method_reference",
            ["method", "reference"],
            unique=True,
            sqlite_where=COUNTS,
            postgresql_where=COUNTS,
        )


def downgrade() -> None:
    _forget_bookings()
    op.drop_table("receipts")


def _forget_bookings() -> None:
    """Receipts' entries go whole: the table made anew would count, and book, from 1 once more."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in GUARDED:
        op.execute(f"DROP TRIGGER {table}_kept" + ("" if on_sqlite else f" ON {table}"))
    entries = "SELECT id FROM ledger_entries WHERE event IN ('received', 'receipt_reversed')"
    op.execute("DELETE FROM ledger_balances")  # They are counted anew.
    op.execute(f"DELETE FROM ledger_postings WHERE entry_id IN ({entries})")
    op.execute("DELETE FROM ledger_entries WHERE event IN ('received', 'receipt_reversed')")
    if not on_sqlite:
        op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in GUARDED:
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE {KEPT_FROM[on_sqlite].format(table)}")
