"""identity and trust"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("accounts", "status", "accountstatus"): (("active", "suspended", "merged"), ("erased",)),
    ("one_time_codes", "purpose", "codepurpose"): (
        ("sign_up", "sign_in"),
        ("reset", "join", "merge"),
    ),
    ("status_changes", "noun", "noun"): (
        ("account", "city", "caregiver", "demand", "application", "order", "visit"),
        ("verification",),
    ),
}
NOTICE_KINDS = (
    (
        "demand_posted", "application_received", "application_declined", "application_closed",
        "order_confirmed", "code_issued", "order_cancelled", "visit_finished", "visit_redeemed",
        "redemption_locked", "review_received", "caregiver_submitted", "caregiver_approved",
        "caregiver_rejected", "caregiver_suspended", "caregiver_restored", "demand_expired",
        "request_received", "request_placed", "request_to_approve", "request_refused",
        "request_expired", "request_blocked", "redeem_reminder", "pay_released", "role_granted",
    ),
    (
        "verification_submitted", "verification_approved", "verification_rejected",
        "verification_expired", "certificate_expiring", "certificate_expired", "identity_linked",
        "accounts_merged", "second_factor_reset", "erasure_asked",
    ),
)  # fmt: skip
WIDENED["outbox_messages", "kind", "noticekind"] = NOTICE_KINDS
WIDENED["notices", "kind", "noticekind_sent"] = NOTICE_KINDS

# Columns that rows already there get a value for.
FILLED = {
    "certificates": ("level",),
    "cities": ("verify_customers", "rejected_document_days", "document_days"),
    "sign_in_attempts": ("address_hash",),
    "sign_in_sessions": ("address_prefix",),
}

# The audit is added to; the job that seals it fills position and hash of a row once.
KEPT = ("id", "created_at", "action", "subject", "subject_id", "actor_id", "role", "detail")
REFUSAL = "audit_events are only ever added"


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{table}_{name}"), f"{column} IN ({listed})")


def _guard_audit() -> None:
    """Whoever makes audit_events anew on SQLite must call this again: triggers go with the table."""
    if op.get_bind().dialect.name == "sqlite":
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in KEPT)
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        op.execute(
            "CREATE TRIGGER audit_events_unchanged BEFORE UPDATE ON audit_events"
            f" WHEN OLD.hash IS NOT NULL OR {changed} {refuse}"
        )
        op.execute(f"CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events {refuse}")
        # INSERT OR REPLACE deletes without asking the trigger above.
        op.execute(
            "CREATE TRIGGER audit_events_new BEFORE INSERT ON audit_events"
            " WHEN NEW.hash IS NOT NULL OR NEW.position IS NOT NULL"
            f" OR EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id) {refuse}"
        )
        return
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in KEPT)
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_events_unchanged BEFORE UPDATE ON audit_events FOR EACH ROW"
        f" WHEN (OLD.hash IS NOT NULL OR {changed}) EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events FOR EACH ROW"
        " EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_events_not_emptied BEFORE TRUNCATE ON audit_events"
        " EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_events_new BEFORE INSERT ON audit_events FOR EACH ROW"
        " WHEN (NEW.hash IS NOT NULL OR NEW.position IS NOT NULL)"
        " EXECUTE FUNCTION refuse_audit_change()"
    )


def _unguard_audit() -> None:
    on = "" if op.get_bind().dialect.name == "sqlite" else " ON audit_events"
    op.execute(f"DROP TRIGGER audit_events_new{on}")
    op.execute(f"DROP TRIGGER audit_events_kept{on}")
    op.execute(f"DROP TRIGGER audit_events_unchanged{on}")
    if on:
        op.execute("DROP TRIGGER audit_events_not_emptied ON audit_events")
        op.execute("DROP FUNCTION refuse_audit_change()")


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "key_checks",
        sa.Column("word_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_checks")),
    )
    op.create_table(
        "consents",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column(
            "policy",
            sa.Enum(
                "agreement",
                "privacy",
                "sensitive_data",
                name="policy",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_consents_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_consents_account_id_policy"), ["account_id", "policy"], unique=False
        )

    # Whoever agreed before agreed to the first versions.
    for policy in ("agreement", "privacy"):
        op.execute(
            "INSERT INTO consents (account_id, policy, policy_version, created_at)"
            f" SELECT id, '{policy}', 1, agreed_at FROM accounts WHERE agreed_at IS NOT NULL"
        )

    op.create_table(
        "erasure_requests",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_erasure_requests_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_requests")),
    )
    with op.batch_alter_table("erasure_requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_erasure_requests_account_id"), ["account_id"], unique=False
        )

    op.create_table(
        "identities",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("subject_hash", sa.String(length=64), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_identities_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint(
            "account_id", "provider", name=op.f("uq_identities_account_id_provider")
        ),
        sa.UniqueConstraint(
            "provider", "subject_hash", name=op.f("uq_identities_provider_subject_hash")
        ),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identities_account_id"), ["account_id"], unique=False)

    op.create_table(
        "provider_flows",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sign_in",
                "link",
                name="flowkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("back_to", sa.String(length=500), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject_hash", sa.String(length=64), nullable=True),
        sa.Column("given_name", sa.String(length=40), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_provider_flows_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_flows")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_provider_flows_state_hash")),
    )
    with op.batch_alter_table("provider_flows", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_provider_flows_browser_hash"), ["browser_hash"], unique=False
        )

    op.create_table(
        "second_factors",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recovery_hashes", JSON, nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_second_factors_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "verification_cases",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "customer",
                "caregiver",
                name="casekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "submitted",
                "approved",
                "rejected",
                "expired",
                name="casestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("legal_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_hash", sa.String(length=64), nullable=True),
        sa.Column("area_known", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("decision_words", sa.String(length=300), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("reviewing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_verification_cases_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_verification_cases_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["accounts.id"], name=op.f("fk_verification_cases_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["accounts.id"], name=op.f("fk_verification_cases_reviewer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_cases")),
    )
    with op.batch_alter_table("verification_cases", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_verification_cases_account_id_kind"),
            ["account_id", "kind"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_verification_cases_id_number_hash"), ["id_number_hash"], unique=False
        )
        batch_op.create_index(
            "ix_verification_cases_waiting",
            ["status", "city_code", "erased_at", "submitted_at", "account_id", "kind"],
            unique=False,
        )
        batch_op.create_index(
            "uq_verification_cases_approved_number",
            ["kind", "id_number_hash"],
            unique=True,
            sqlite_where=sa.text("status = 'approved'"),
            postgresql_where=sa.text("status = 'approved'"),
        )

    op.create_table(
        "documents",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "id_front",
                "id_back",
                "portrait",
                "certificate",
                "health_report",
                "background_statement",
                name="documentkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "certificate_kind",
            sa.Enum(
                "escort_training",
                "nursing",
                "elder_care",
                "maternity_care",
                "infant_care",
                "massage",
                "nutrition",
                "first_aid",
                "health",
                name="certificatekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("shredded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("page >= 1", name=op.f("ck_documents_page_from_1")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_documents_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["verification_cases.id"], name=op.f("fk_documents_case_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_documents_account_id"), ["account_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_documents_case_id_kind_page"), ["case_id", "kind", "page"], unique=False
        )

    op.create_table(
        "document_tickets",
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_document_tickets_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_document_tickets_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_tickets")),
        sa.UniqueConstraint("ticket_hash", name=op.f("uq_document_tickets_ticket_hash")),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("hash", sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_audit_events_position"), ["position"])

    _guard_audit()

    with op.batch_alter_table("certificates") as batch_op:
        batch_op.add_column(
            sa.Column("level", sa.String(length=20), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    # What caregivers who were approved already hold goes on to count.
    op.execute(
        "UPDATE certificates SET approved_at = created_at WHERE caregiver_id IN"
        " (SELECT id FROM caregivers WHERE status IN ('approved', 'suspended'))"
    )
    with op.batch_alter_table("cities") as batch_op:
        batch_op.add_column(
            sa.Column("verify_customers", sa.Boolean(), nullable=False, server_default=sa.true())
        )
        batch_op.add_column(
            sa.Column("rejected_document_days", sa.Integer(), nullable=False, server_default="90")
        )
        batch_op.add_column(
            sa.Column("document_days", sa.Integer(), nullable=False, server_default="1095")
        )
        batch_op.create_check_constraint(
            op.f("ck_cities_document_days_positive"),
            "rejected_document_days > 0 AND document_days > 0",
        )
    with op.batch_alter_table("sign_in_attempts") as batch_op:
        batch_op.add_column(
            sa.Column("address_hash", sa.String(length=64), nullable=False, server_default="")
        )
        batch_op.create_index(
            batch_op.f("ix_sign_in_attempts_address_hash_created_at"),
            ["address_hash", "created_at"],
            unique=False,
        )
    with op.batch_alter_table("sign_in_sessions") as batch_op:
        batch_op.add_column(
            sa.Column("address_prefix", sa.String(length=40), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True)
        )
    for table, names in FILLED.items():
        with op.batch_alter_table(table) as batch_op:
            for name in names:
                batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("sign_in_sessions", schema=None) as batch_op:
        batch_op.drop_column("second_factor_at")
        batch_op.drop_column("address_prefix")

    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_attempts_address_hash_created_at"))
        batch_op.drop_column("address_hash")

    with op.batch_alter_table("cities", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_cities_document_days_positive"), type_="check")
        batch_op.drop_column("document_days")
        batch_op.drop_column("rejected_document_days")
        batch_op.drop_column("verify_customers")

    with op.batch_alter_table("certificates") as batch_op:
        batch_op.drop_column("approved_at")
        batch_op.drop_column("level")

    _unguard_audit()

    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_audit_events_position"), type_="unique")
        batch_op.drop_column("hash")
        batch_op.drop_column("position")

    op.drop_table("document_tickets")
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_documents_case_id_kind_page"))
        batch_op.drop_index(batch_op.f("ix_documents_account_id"))

    op.drop_table("documents")
    with op.batch_alter_table("verification_cases", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_verification_cases_approved_number",
            sqlite_where=sa.text("status = 'approved'"),
            postgresql_where=sa.text("status = 'approved'"),
        )
        batch_op.drop_index("ix_verification_cases_waiting")
        batch_op.drop_index(batch_op.f("ix_verification_cases_id_number_hash"))
        batch_op.drop_index(batch_op.f("ix_verification_cases_account_id_kind"))

    op.drop_table("verification_cases")
    op.drop_table("second_factors")
    with op.batch_alter_table("provider_flows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provider_flows_browser_hash"))

    op.drop_table("provider_flows")
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identities_account_id"))

    op.drop_table("identities")
    with op.batch_alter_table("erasure_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_requests_account_id"))

    op.drop_table("erasure_requests")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_account_id_policy"))

    op.drop_table("consents")
    op.drop_table("key_checks")
    for (table, column, name), (before, _) in WIDENED.items():
        _allow(table, column, name, before)
