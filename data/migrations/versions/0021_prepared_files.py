"""prepared files"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "prepared_files",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("ticket_hash", sa.String(length=64), nullable=True),
        sa.Column("about", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_prepared_files_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prepared_files")),
        sa.UniqueConstraint("ticket_hash", name=op.f("uq_prepared_files_ticket_hash")),
    )
    with op.batch_alter_table("prepared_files") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_prepared_files_account_id_about"), ["account_id", "about"]
        )
        batch_op.create_index(batch_op.f("ix_prepared_files_expires_at"), ["expires_at"])


def downgrade() -> None:
    op.drop_table("prepared_files")
