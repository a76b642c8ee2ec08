"""proofs and invoices"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

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
    "exclusion_lifted",
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout", "refund",
    "rule_version", "repayment", "policy_version",
    "points",
)  # fmt: skip
KINDS = "invoice_asked", "invoice_issued", "invoice_refused", "invoice_cancelled"
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, KINDS),
    ("status_changes", "noun", "noun"): (NOUNS, ("invoice",)),
}
PICTURES = "document_id", "report_photo_id", "attachment_id", "evidence_id", "proof_id"


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "invoices",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(length=32), nullable=False),
        sa.Column("buyer", _one_word_of("buyerkind", "personal", "company"), nullable=False),
        sa.Column("title_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("tax_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            _one_word_of("invoicestatus", "asked", "issued", "refused", "withdrawn", "cancelled"),
            nullable=False,
        ),
        sa.Column("issued_number", sa.String(length=20), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("red_number", sa.String(length=20), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_numbered(),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_invoices_amount_positive")),
        sa.CheckConstraint(
            "(issued_number = '') = (issued_on IS NULL)",
            name=op.f("ck_invoices_number_and_day"),
        ),
        *_references(
            "invoices",
            city_code="cities.code",
            customer_id="accounts.id",
            asked_by_id="accounts.id",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint(
            "asked_by_id", "request_key", name=op.f("uq_invoices_asked_by_id_request_key")
        ),
    )
    _index("invoices", ["city_code", "status"], ["customer_id"])
    _unique("invoices", "issued_number", "issued_number <> ''")
    op.create_table(
        "invoiced_receipts",
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("let_go_at", sa.DateTime(timezone=True), nullable=True),
        *_numbered(),
        *_references("invoiced_receipts", invoice_id="invoices.id", receipt_id="receipts.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoiced_receipts")),
    )
    _index("invoiced_receipts", ["invoice_id"])
    _unique("invoiced_receipts", "receipt_id", "let_go_at IS NULL")
    op.create_table(
        "proofs",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=True),
        sa.Column("invoice_id", sa.Integer(), nullable=True),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("shredded_at", sa.DateTime(timezone=True), nullable=True),
        *_numbered(),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("page >= 1", name=op.f("ck_proofs_page_from_1")),
        sa.CheckConstraint(
            "(receipt_id IS NULL) <> (invoice_id IS NULL)", name=op.f("ck_proofs_one_subject")
        ),
        *_references(
            "proofs",
            customer_id="accounts.id",
            city_code="cities.code",
            receipt_id="receipts.id",
            invoice_id="invoices.id",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proofs")),
    )
    _index("proofs", ["customer_id"], ["receipt_id", "page"], ["invoice_id", "page"])
    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.add_column(sa.Column("proof_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_document_tickets_proof_id"), "proofs", ["proof_id"], ["id"]
        )
        batch_op.drop_constraint(op.f("ck_document_tickets_one_picture"), type_="check")
        batch_op.create_check_constraint(op.f("ck_document_tickets_one_picture"), _one_of(PICTURES))


def downgrade() -> None:
    op.execute("DELETE FROM document_tickets WHERE proof_id IS NOT NULL")
    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.drop_constraint(op.f("ck_document_tickets_one_picture"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_document_tickets_proof_id"), type_="foreignkey")
        batch_op.create_check_constraint(
            op.f("ck_document_tickets_one_picture"), _one_of(PICTURES[:-1])
        )
        batch_op.drop_column("proof_id")
    for table in ("proofs", "invoiced_receipts", "invoices"):
        op.drop_table(table)
    for (table, column, name), (before, joining) in WIDENED.items():
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)


def _numbered() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _one_word_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _references(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
        for column, target in targets.items()
    ]


def _index(table: str, *indexes: list[str]) -> None:
    with op.batch_alter_table(table) as batch_op:
        for columns in indexes:
            batch_op.create_index(batch_op.f(f"ix_{table}_{'_'.join(columns)}"), columns)


def _unique(table: str, column: str, where: str) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.create_index(
            f"uq_{table}_{column}",
            [column],
            unique=True,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def _one_of(columns: tuple[str, ...]) -> str:
    counted = (f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in columns)
    return " + ".join(counted) + " = 1"


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
