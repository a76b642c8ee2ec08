"""balances read from an index alone"""

from alembic import op

revision = "0023"
down_revision = "0022"

NAME = "ix_ledger_balances_account_party_id_total_fen"


def upgrade() -> None:
    op.create_index(op.f(NAME), "ledger_balances", ["account", "party_id", "total_fen"])


def downgrade() -> None:
    op.drop_index(op.f(NAME), "ledger_balances")
