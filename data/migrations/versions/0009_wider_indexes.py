"""indexes that answer a search by themselves"""

from alembic import op

revision = "0009"
down_revision = "0008"

# Table, and the columns of its index before and after.
WIDENED = (
    (
        "visits",
        ("caregiver_id", "ends_at"),
        ("caregiver_id", "ends_at", "starts_at", "status", "cell"),
    ),
    ("certificates", ("caregiver_id",), ("caregiver_id", "kind", "approved_at", "expires_on")),
    (
        "weekly_hours",
        ("caregiver_id",),
        ("caregiver_id", "weekday", "starts_minute", "ends_minute"),
    ),
)


def upgrade() -> None:
    for table, narrow, wide in WIDENED:
        _replace(table, narrow, wide)


def downgrade() -> None:
    for table, narrow, wide in WIDENED:
        _replace(table, wide, narrow)


def _replace(table: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    op.drop_index(f"ix_{table}_{'_'.join(before)}", table)
    op.create_index(f"ix_{table}_{'_'.join(after)}", table, list(after))
