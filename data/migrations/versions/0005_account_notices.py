"""account notices"""

from alembic import op

revision = "0005"
down_revision = "0004"

BEFORE = (
    "demand_posted", "application_received", "application_declined", "application_closed",
    "order_confirmed", "code_issued", "order_cancelled", "visit_finished", "visit_redeemed",
    "redemption_locked", "review_received", "caregiver_submitted", "caregiver_approved",
    "caregiver_rejected", "caregiver_suspended", "caregiver_restored", "demand_expired",
    "request_received", "request_placed", "request_to_approve", "request_refused",
    "request_expired", "request_blocked", "redeem_reminder", "pay_released", "role_granted",
    "verification_submitted", "verification_approved", "verification_rejected",
    "verification_expired", "certificate_expiring", "certificate_expired", "identity_linked",
    "accounts_merged", "second_factor_reset", "erasure_asked",
)  # fmt: skip
JOINING = (
    "password_changed", "password_reset", "second_factor_added", "second_factor_removed",
    "erasure_closed",
)  # fmt: skip
NAMES = {"outbox_messages": "noticekind", "notices": "noticekind_sent"}


def upgrade() -> None:
    for table in NAMES:
        _allow(table, BEFORE + JOINING)


def downgrade() -> None:
    for table in NAMES:
        # What was told of these things has no kind any more.
        op.execute(f"DELETE FROM {table} WHERE kind IN ({_listed(JOINING)})")
        _allow(table, BEFORE)


def _allow(table: str, kinds: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{NAMES[table]}")
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(name, type_="check")
        batch_op.create_check_constraint(name, f"kind IN ({_listed(kinds)})")


def _listed(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)
