"""unfilled visits"""

from alembic import op

revision = "0011"
down_revision = "0010"

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
    "substitute_comes", "substitute_refused", "caregiver_swapped", "plan_changed",
    "plan_paused", "plan_resumed", "plan_ended", "plan_clash", "leave_taken",
    "extra_time_asked", "extra_time_agreed", "extra_time_refused", "incident_reported",
    "incident_closed", "complaint_opened", "complaint_closed", "demand_invited", "demand_idle",
    "application_waitlisted", "application_returned", "leave_entered", "level_changed",
    "prices_bounded", "visit_reminder", "chat_answered", "chat_asked", "leave_withdrawn",
    "no_show_taken_back",
)  # fmt: skip
JOINING = "substitute_wanted", "substitute_unwanted", "substitute_not_found"
STATUSES = (
    "held", "offered", "planned", "in_progress", "finished", "redeemed", "missed", "cancelled",
    "dropped",
)  # fmt: skip
OVERLAP = (
    "ALTER TABLE visits ADD CONSTRAINT ex_visits_one_at_a_time EXCLUDE USING gist ("
    "int4range(caregiver_id, caregiver_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)"
)


def upgrade() -> None:
    for table, name in (("outbox_messages", "noticekind"), ("notices", "noticekind_sent")):
        _allow(table, "kind", name, NOTICE_KINDS + JOINING)
    _allow("visits", "status", "visitstatus", (*STATUSES, "unfilled"))
    _exclude_but("cancelled", "dropped", "unfilled")


def downgrade() -> None:
    for table, name in (("outbox_messages", "noticekind"), ("notices", "noticekind_sent")):
        op.execute(f"DELETE FROM {table} WHERE kind IN ({_listed(JOINING)})")
        _allow(table, "kind", name, NOTICE_KINDS)
    op.execute("UPDATE visits SET status = 'dropped' WHERE status = 'unfilled'")
    _exclude_but("cancelled", "dropped")
    _allow("visits", "status", "visitstatus", STATUSES)


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _exclude_but(*statuses: str) -> None:
    """On PostgreSQL: no two visits of a caregiver at a time, but those that take none."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE visits DROP CONSTRAINT ex_visits_one_at_a_time")
        op.execute(f"{OVERLAP} WHERE (status NOT IN ({_listed(statuses)}))")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
