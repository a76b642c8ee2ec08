"""track records"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COUNTED = (
    "visits_done",
    "seconds_done",
    "reviews",
    "skill_sum",
    "attitude_sum",
    "communication_sum",
    "overall_sum",
)
SECONDS = {
    "sqlite": "strftime('%s', ends_at) - strftime('%s', starts_at)",
    "postgresql": "EXTRACT(epoch FROM ends_at) - EXTRACT(epoch FROM starts_at)",
}


def upgrade() -> None:
    with op.batch_alter_table("caregivers") as batch_op:
        for name in COUNTED:
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("caregivers") as batch_op:
        for name in COUNTED:
            batch_op.alter_column(name, server_default=None)
    seconds = SECONDS[op.get_bind().dialect.name]
    done = "FROM visits WHERE caregiver_id = caregivers.id AND status = 'redeemed'"
    said = "FROM reviews WHERE caregiver_id = caregivers.id"
    op.execute(
        "UPDATE caregivers SET"
        f" visits_done = (SELECT count(*) {done}),"
        f" seconds_done = (SELECT coalesce(sum(CASE WHEN checked_out_at IS NULL THEN 0"
        f" ELSE {seconds} END), 0) {done}),"
        f" reviews = (SELECT count(*) {said}),"
        + ",".join(
            f" {score}_sum = (SELECT coalesce(sum({score}), 0) {said})"
            for score in ("skill", "attitude", "communication", "overall")
        )
    )


def downgrade() -> None:
    with op.batch_alter_table("caregivers") as batch_op:
        for name in reversed(COUNTED):
            batch_op.drop_column(name)
