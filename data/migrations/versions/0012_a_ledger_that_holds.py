"""a ledger that holds by itself"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ACCOUNTS = (
    "customer_receivable", "orders_committed", "caregiver_frozen", "caregiver_payable",
    "platform_fee", "penalty",
)  # fmt: skip
MORE_ACCOUNTS = (
    "received_cash", "received_bank", "received_wechat", "received_split", "refund",
    "payout_sent", "paid_out",
)  # fmt: skip
EVENTS = (
    "confirmed", "redeemed", "cancelled", "released", "merged", "extended", "extra_time",
    "fee_reversed",
)  # fmt: skip
MORE_EVENTS = (
    "received", "receipt_reversed", "refunded", "payout_sent", "paid_out", "payout_failed",
    "held_back", "let_go",
)  # fmt: skip
GUARDED = "ledger_entries", "ledger_postings"
REFUSAL = "the ledger is only ever added to"
UNFIT = "a line does not follow the one before"
NARROW, WIDE = ["account", "party_id"], ["account", "party_id", "id", "amount_fen"]
# An entry's lines in the order they were written, with their sum so far.
COUNTED = """
    SELECT id, row_number() OVER (PARTITION BY entry_id ORDER BY id) AS place,
        sum(amount_fen) OVER (PARTITION BY entry_id ORDER BY id) AS so_far
    FROM ledger_postings
"""
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
    _allow("ledger_postings", "account", "ledgeraccount", ACCOUNTS + MORE_ACCOUNTS)
    _allow("ledger_entries", "event", "ledgerevent", EVENTS + MORE_EVENTS)
    with op.batch_alter_table("ledger_postings") as batch_op:
        batch_op.add_column(sa.Column("number", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("running_fen", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE ledger_postings SET number = counted.place, running_fen = counted.so_far"
        f" FROM ({COUNTED}) AS counted WHERE counted.id = ledger_postings.id"
    )
    with op.batch_alter_table("ledger_postings") as batch_op:
        for name in ("number", "running_fen"):
            batch_op.alter_column(name, existing_type=sa.Integer(), nullable=False)
        batch_op.drop_index(batch_op.f("ix_ledger_postings_entry_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_postings_account_party_id"))
        batch_op.create_unique_constraint(
            batch_op.f("uq_ledger_postings_entry_id_number_running_fen"),
            ["entry_id", "number", "running_fen"],
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_ledger_postings_first_line_is_the_sum"),
            "number > 1 OR running_fen = amount_fen",
        )
        batch_op.create_index(batch_op.f(f"ix_ledger_postings_{'_'.join(WIDE)}"), WIDE)
    with op.batch_alter_table("ledger_entries") as batch_op:
        batch_op.add_column(sa.Column("lines", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("sum_fen", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_check_constraint(
            batch_op.f("ck_ledger_entries_sums_to_zero"), "sum_fen = 0"
        )
    op.execute(
        "UPDATE ledger_entries SET lines ="
        " (SELECT max(number) FROM ledger_postings WHERE entry_id = ledger_entries.id)"
    )
    with op.batch_alter_table("ledger_entries") as batch_op:
        batch_op.alter_column("sum_fen", server_default=None)
        batch_op.create_foreign_key(
            batch_op.f("fk_ledger_entries_lines"),
            "ledger_postings",
            ["id", "lines", "sum_fen"],
            ["entry_id", "number", "running_fen"],
            deferrable=True,
            initially="DEFERRED",
        )
    _keep_balances()
    _guard()


def downgrade() -> None:
    _unguard()
    op.drop_table("ledger_balances")
    with op.batch_alter_table("ledger_entries") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_ledger_entries_lines"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("ck_ledger_entries_sums_to_zero"), type_="check")
        batch_op.drop_column("sum_fen")
        batch_op.drop_column("lines")
    with op.batch_alter_table("ledger_postings") as batch_op:
        batch_op.drop_index(batch_op.f(f"ix_ledger_postings_{'_'.join(WIDE)}"))
        batch_op.drop_constraint(
            batch_op.f("uq_ledger_postings_entry_id_number_running_fen"), type_="unique"
        )
        batch_op.drop_constraint(
            batch_op.f("ck_ledger_postings_first_line_is_the_sum"), type_="check"
        )
        batch_op.drop_column("running_fen")
        batch_op.drop_column("number")
        batch_op.create_index(batch_op.f(f"ix_ledger_postings_{'_'.join(NARROW)}"), NARROW)
        batch_op.create_index(batch_op.f("ix_ledger_postings_entry_id"), ["entry_id"])
    # What the step back does not know: its entries go whole, so that all still sums to zero.
    unknown = f"SELECT id FROM ledger_entries WHERE event IN ({_listed(MORE_EVENTS)})"
    op.execute(f"DELETE FROM ledger_postings WHERE entry_id IN ({unknown})")
    op.execute(f"DELETE FROM ledger_entries WHERE event IN ({_listed(MORE_EVENTS)})")
    _allow("ledger_entries", "event", "ledgerevent", EVENTS)
    _allow("ledger_postings", "account", "ledgeraccount", ACCOUNTS)


def _keep_balances() -> None:
    op.create_table(
        "ledger_balances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "account",
            sa.Enum(
                *ACCOUNTS, *MORE_ACCOUNTS,
                name="ledgeraccount_kept", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("party_id", sa.Integer(), nullable=True),
        sa.Column("counted_to", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["party_id"], ["accounts.id"], name=op.f("fk_ledger_balances_party_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_balances")),
        sa.UniqueConstraint(
            "account", "party_id", name=op.f("uq_ledger_balances_account_party_id")
        ),
    )  # fmt: skip


def _guard() -> None:
    """Whoever makes the tables anew on SQLite must call this again: triggers go with them."""
    if op.get_bind().dialect.name == "sqlite":
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
    op.execute(
        "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE FUNCTION refuse_unfit_line() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {OUT_OF_PLACE} THEN RAISE EXCEPTION '{UNFIT}'; END IF; RETURN NEW; END $$"
    )
    for table in GUARDED:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " EXECUTE FUNCTION refuse_ledger_change()"
        )
    op.execute(
        "CREATE TRIGGER ledger_postings_new BEFORE INSERT ON ledger_postings FOR EACH ROW"
        " EXECUTE FUNCTION refuse_unfit_line()"
    )


def _unguard() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in GUARDED:
            for name in ("unchanged", "kept", "new"):
                op.execute(f"DROP TRIGGER {table}_{name}")
        return
    op.execute("DROP TRIGGER ledger_postings_new ON ledger_postings")
    for table in GUARDED:
        op.execute(f"DROP TRIGGER {table}_kept ON {table}")
    op.execute("DROP FUNCTION refuse_ledger_change()")
    op.execute("DROP FUNCTION refuse_unfit_line()")


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
