"""requests that lapse"""

from alembic import op

revision = "0027"
down_revision = "0026"

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
    "receipt_recorded", "receipt_reversed", "money_repaid", "repayment_taken_back",
    "policy_announced", "policy_withdrawn",
    "complaint_message", "complaint_handed_over", "complaint_due", "complaint_overdue",
    "complaint_appealed", "points_given", "points_contested", "points_decided", "excluded",
    "exclusion_lifted", "invoice_asked", "invoice_issued", "invoice_refused", "invoice_cancelled",
    "breaches_found", "demand_pushed", "push_gone", "push_exhausted",
    "dispatch_suggested", "dispatch_assigned",
)  # fmt: skip
KINDS = "request_lapsed", "yes_lapsed", "approval_due"
ORDER_STATUSES = (
    "requested", "accepted", "confirmed", "paused", "completed", "cancelled", "missed", "refused",
    "expired", "blocked",
)  # fmt: skip
LAPSED = ("lapsed",)
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, KINDS),
    ("orders", "status", "orderstatus"): (ORDER_STATUSES, LAPSED),
}


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)


def downgrade() -> None:
    op.execute("UPDATE orders SET status = 'expired' WHERE status = 'lapsed'")
    for (table, column, name), (before, joining) in WIDENED.items():
        if table != "orders":
            op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
