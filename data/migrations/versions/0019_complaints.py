"""complaints made whole"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

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
)  # fmt: skip
NEW_KINDS = (
    "complaint_message", "complaint_handed_over", "complaint_due", "complaint_overdue",
    "complaint_appealed", "points_given", "points_contested", "points_decided", "excluded",
    "exclusion_lifted",
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout", "refund",
    "rule_version", "repayment", "policy_version",
)  # fmt: skip
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, NEW_KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, NEW_KINDS),
    ("status_changes", "noun", "noun"): (NOUNS, ("points",)),
    ("complaints", "status", "complaintstatus"): (("open", "closed"), ("appealed",)),
}
# Where an account or a city is named.
NAMED = {
    "city_code": "cities.code",
    "owner_id": "accounts.id",
    "decided_by_id": "accounts.id",
    "appeal_decided_by_id": "accounts.id",
}
# What complaints that are there already are given; texts are empty.
CITY = (
    "(SELECT orders.city_code FROM orders JOIN visits ON visits.order_id = orders.id"
    " WHERE visits.id = complaints.visit_id)"
)
DECIDED_BY = (
    "(SELECT min(actor_id) FROM status_changes WHERE noun = 'complaint' AND move = 'close'"
    " AND subject_id = complaints.id)"
)
FILLED = ("city_code", "due_at", "due_soon_at", "apology", "appeal_words", "appeal_outcome_words")
ONE_PICTURE = (
    "CASE WHEN document_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN report_photo_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN attachment_id IS NULL THEN 0 ELSE 1 END"
)


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    _widen_complaints()
    op.create_table(
        "complaint_evidence",
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column(
            "handed_in_by",
            sa.Enum(
                "customer",
                "caregiver",
                "platform",
                name="party",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("shredded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_complaint_evidence_number_from_1")),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_evidence_complaint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_evidence")),
        sa.UniqueConstraint(
            "complaint_id", "number", name=op.f("uq_complaint_evidence_complaint_id_number")
        ),
    )
    op.create_table(
        "complaint_messages",
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column(
            "written_by",
            sa.Enum(
                "customer",
                "caregiver",
                "platform",
                name="party",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "audience",
            sa.Enum(
                "customer",
                "caregiver",
                "both",
                "staff",
                name="audience",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("request_key", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["accounts.id"], name=op.f("fk_complaint_messages_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_messages_complaint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_messages")),
        sa.UniqueConstraint(
            "complaint_id",
            "request_key",
            name=op.f("uq_complaint_messages_complaint_id_request_key"),
        ),
    )
    op.create_table(
        "exclusions",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("caregiver_id", sa.Integer(), nullable=True),
        sa.Column(
            "decided_by",
            sa.Enum(
                "customer",
                "caregiver",
                "platform",
                name="party",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("lifted_words", sa.String(length=500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("customer_id <> caregiver_id", name=op.f("ck_exclusions_of_two")),
        sa.CheckConstraint(
            "customer_id IS NOT NULL OR caregiver_id IS NOT NULL",
            name=op.f("ck_exclusions_of_somebody"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_exclusions_actor_id")),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_exclusions_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_exclusions_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name=op.f("fk_exclusions_complaint_id")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["accounts.id"], name=op.f("fk_exclusions_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by_id"], ["accounts.id"], name=op.f("fk_exclusions_lifted_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusions")),
    )
    with op.batch_alter_table("exclusions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_exclusions_caregiver_id_customer_id"),
            ["caregiver_id", "customer_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_exclusions_city_code_lifted_at"),
            ["city_code", "lifted_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_exclusions_complaint_id"), ["complaint_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_exclusions_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index(
            "uq_exclusions_wish",
            ["customer_id", "caregiver_id", "decided_by"],
            unique=True,
            sqlite_where=sa.text("lifted_at IS NULL AND decided_by <> 'platform'"),
            postgresql_where=sa.text("lifted_at IS NULL AND decided_by <> 'platform'"),
        )

    op.create_table(
        "penalty_points",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("given_by_id", sa.Integer(), nullable=True),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("finding_id", sa.Integer(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "standing",
                "contested",
                "upheld",
                "lifted",
                name="pointsstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("contest_words", sa.String(length=500), nullable=False),
        sa.Column("contested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decision_words", sa.String(length=500), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "complaint_id IS NULL OR finding_id IS NULL", name=op.f("ck_penalty_points_one_source")
        ),
        sa.CheckConstraint("points > 0", name=op.f("ck_penalty_points_points_positive")),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_penalty_points_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_penalty_points_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name=op.f("fk_penalty_points_complaint_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["accounts.id"], name=op.f("fk_penalty_points_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["given_by_id"], ["accounts.id"], name=op.f("fk_penalty_points_given_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_penalty_points")),
    )
    with op.batch_alter_table("penalty_points", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_penalty_points_caregiver_id_created_at"),
            ["caregiver_id", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_penalty_points_city_code_status"), ["city_code", "status"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_penalty_points_complaint_id"), ["complaint_id"], unique=False
        )

    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.add_column(sa.Column("evidence_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_document_tickets_evidence_id"),
            "complaint_evidence",
            ["evidence_id"],
            ["id"],
        )
        batch_op.drop_constraint(op.f("ck_document_tickets_one_picture"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_document_tickets_one_picture"),
            f"{ONE_PICTURE} + CASE WHEN evidence_id IS NULL THEN 0 ELSE 1 END = 1",
        )


def _widen_complaints() -> None:
    party = sa.Enum(
        "customer", "caregiver", "platform",
        name="party", native_enum=False, create_constraint=True, length=32,
    )  # fmt: skip
    with op.batch_alter_table("complaints") as batch_op:
        for name in ("owner_id", "decided_by_id", "appeal_decided_by_id"):
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=True))
        for name in ("due_at", "due_soon_at", "escalated_at"):
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        for name in ("appeal_words", "appeal_outcome_words"):
            batch_op.add_column(
                sa.Column(name, sa.String(length=500), nullable=False, server_default="")
            )
        batch_op.add_column(sa.Column("city_code", sa.String(length=6), nullable=True))
        batch_op.add_column(
            sa.Column("apology", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("appeal_upheld", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("appealed_by", party, nullable=True))
    # Those that are open are due as they were before: at once.
    op.execute(
        f"UPDATE complaints SET city_code = {CITY}, due_at = created_at, due_soon_at = created_at,"
        f" decided_by_id = {DECIDED_BY}"
    )
    with op.batch_alter_table("complaints") as batch_op:
        for name in FILLED:
            batch_op.alter_column(name, nullable=False, server_default=None)
        for name, target in NAMED.items():
            table, column = target.split(".")
            batch_op.create_foreign_key(
                batch_op.f(f"fk_complaints_{name}"), table, [name], [column]
            )
        batch_op.create_check_constraint(
            op.f("ck_complaints_soon_before_due"), "due_soon_at <= due_at"
        )
        batch_op.drop_index(batch_op.f("ix_complaints_status_created_at"))
        batch_op.create_index(
            batch_op.f("ix_complaints_city_code_status_due_at"), ["city_code", "status", "due_at"]
        )
        batch_op.create_index(batch_op.f("ix_complaints_status_due_at"), ["status", "due_at"])


def downgrade() -> None:
    op.execute("DELETE FROM document_tickets WHERE evidence_id IS NOT NULL")
    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.drop_constraint(op.f("ck_document_tickets_one_picture"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_document_tickets_evidence_id"), type_="foreignkey")
        batch_op.create_check_constraint(
            op.f("ck_document_tickets_one_picture"), f"{ONE_PICTURE} = 1"
        )
        batch_op.drop_column("evidence_id")
    with op.batch_alter_table("penalty_points", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_penalty_points_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_penalty_points_city_code_status"))
        batch_op.drop_index(batch_op.f("ix_penalty_points_caregiver_id_created_at"))

    op.drop_table("penalty_points")
    with op.batch_alter_table("exclusions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_exclusions_wish",
            sqlite_where=sa.text("lifted_at IS NULL AND decided_by <> 'platform'"),
            postgresql_where=sa.text("lifted_at IS NULL AND decided_by <> 'platform'"),
        )
        batch_op.drop_index(batch_op.f("ix_exclusions_customer_id"))
        batch_op.drop_index(batch_op.f("ix_exclusions_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_exclusions_city_code_lifted_at"))
        batch_op.drop_index(batch_op.f("ix_exclusions_caregiver_id_customer_id"))

    op.drop_table("exclusions")
    op.drop_table("complaint_messages")
    op.drop_table("complaint_evidence")
    with op.batch_alter_table("complaints") as batch_op:
        for name in NAMED:
            batch_op.drop_constraint(batch_op.f(f"fk_complaints_{name}"), type_="foreignkey")
        batch_op.drop_constraint(op.f("ck_complaints_soon_before_due"), type_="check")
        batch_op.drop_constraint(op.f("ck_complaints_party"), type_="check")
        batch_op.drop_index(batch_op.f("ix_complaints_status_due_at"))
        batch_op.drop_index(batch_op.f("ix_complaints_city_code_status_due_at"))
        batch_op.create_index(
            batch_op.f("ix_complaints_status_created_at"), ["status", "created_at"]
        )
        for name in (
            *FILLED, "owner_id", "decided_by_id", "escalated_at", "appeal_decided_by_id",
            "appeal_upheld", "appealed_by",
        ):  # fmt: skip
            batch_op.drop_column(name)
    # What an appeal had reopened is decided as it was.
    op.execute("UPDATE complaints SET status = 'closed' WHERE status = 'appealed'")
    for (table, column, name), (before, joining) in WIDENED.items():
        if table != "complaints":
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
