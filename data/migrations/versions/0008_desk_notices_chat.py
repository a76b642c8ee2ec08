"""desk, notices and chat"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NOTICE_KINDS = (
    (
        "demand_posted", "application_received", "application_declined", "application_closed",
        "order_confirmed", "code_issued", "order_cancelled", "visit_finished", "visit_redeemed",
        "redemption_locked", "review_received", "caregiver_submitted", "caregiver_approved",
        "caregiver_rejected", "caregiver_suspended", "caregiver_restored", "demand_expired",
        "request_received", "request_placed", "request_to_approve", "request_refused",
        "request_expired", "request_blocked", "redeem_reminder", "pay_released", "role_granted",
        "verification_submitted", "verification_approved", "verification_rejected",
        "verification_expired", "certificate_expiring", "certificate_expired",
        "identity_linked", "accounts_merged", "second_factor_reset", "erasure_asked",
        "password_changed", "password_reset", "second_factor_added", "second_factor_removed",
        "erasure_closed", "visit_moved", "visit_cancelled", "visit_missed", "visit_confirmed",
        "substitute_asked", "substitute_comes", "substitute_refused", "caregiver_swapped",
        "plan_changed", "plan_paused", "plan_resumed", "plan_ended", "plan_clash",
        "leave_taken", "extra_time_asked", "extra_time_agreed", "extra_time_refused",
        "incident_reported", "incident_closed", "complaint_opened", "complaint_closed",
        "demand_invited", "demand_idle", "application_waitlisted", "application_returned",
        "leave_entered", "level_changed", "prices_bounded", "leave_withdrawn",
        "no_show_taken_back",
    ),
    (
        "visit_reminder", "chat_answered", "chat_asked",
    ),
)  # fmt: skip
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): NOTICE_KINDS,
    ("notices", "kind", "noticekind_sent"): NOTICE_KINDS,
    ("outbox_messages", "channel", "outboxchannel"): (("inbox", "text"), ("wechat", "call")),
    ("status_changes", "noun", "noun"): (
        (
            "account", "city", "caregiver", "demand", "application", "order", "visit",
            "verification", "complaint", "incident", "extra_time",
        ),
        ("talk",),
    ),
}  # fmt: skip
CITY_SETTINGS = {
    "desk_from_minute": 480,
    "desk_until_minute": 1200,
    "answer_minutes": 10,
    "redeem_reminder_hours": 24,
    "expiry_days": 30,
}
CITY_CHECKS = {
    "desk_hours": "0 <= desk_from_minute AND desk_from_minute < desk_until_minute"
    " AND desk_until_minute <= 1440",
    "answer_minutes_positive": "answer_minutes > 0",
    "reminders_positive": "redeem_reminder_hours > 0 AND expiry_days > 0",
}

WITH_ADDRESS = ("identities", "provider_flows")


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "canned_replies",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("shortcut", sa.String(length=20), nullable=False),
        sa.Column("words_zh", sa.String(length=500), nullable=False),
        sa.Column("words_en", sa.String(length=500), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_canned_replies_city_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_replies")),
        sa.UniqueConstraint(
            "city_code", "shortcut", name=op.f("uq_canned_replies_city_code_shortcut")
        ),
    )
    op.create_table(
        "contact_phones",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_hash", sa.String(length=64), nullable=False),
        sa.Column("phone_tail_hash", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_contact_phones_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_phones")),
        sa.UniqueConstraint(
            "account_id", "phone_hash", name=op.f("uq_contact_phones_account_id_phone_hash")
        ),
    )
    with op.batch_alter_table("contact_phones") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_phones_phone_hash"), ["phone_hash"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_contact_phones_phone_tail_hash"), ["phone_tail_hash"], unique=False
        )

    op.create_table(
        "guests",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_hash", sa.String(length=64), nullable=False),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["city_code"], ["cities.code"], name=op.f("fk_guests_city_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guests")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_guests_token_hash")),
    )
    with op.batch_alter_table("guests") as batch_op:
        batch_op.create_index(batch_op.f("ix_guests_phone_hash"), ["phone_hash"], unique=False)

    op.create_table(
        "notes",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "note",
                "promise",
                name="notekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["city_code"], ["cities.code"], name=op.f("fk_notes_city_code")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["accounts.id"], name=op.f("fk_notes_customer_id")
        ),
        sa.ForeignKeyConstraint(["done_by_id"], ["accounts.id"], name=op.f("fk_notes_done_by_id")),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["accounts.id"], name=op.f("fk_notes_written_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    with op.batch_alter_table("notes") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notes_customer_id_kind"), ["customer_id", "kind"], unique=False
        )

    op.create_table(
        "notice_preferences",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("by_text", sa.Boolean(), nullable=False),
        sa.Column("by_wechat", sa.Boolean(), nullable=False),
        sa.Column("by_call", sa.Boolean(), nullable=False),
        sa.Column("quiet_from_minute", sa.Integer(), nullable=False),
        sa.Column("quiet_until_minute", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "quiet_from_minute BETWEEN 0 AND 1439 AND quiet_until_minute BETWEEN 0 AND 1439",
            name=op.f("ck_notice_preferences_quiet_within_day"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_notice_preferences_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_notice_preferences")),
    )
    op.create_table(
        "name_keys",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=True),
        sa.Column(
            "key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_name_keys_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipients.id"], name=op.f("fk_name_keys_recipient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_keys")),
    )
    with op.batch_alter_table("name_keys") as batch_op:
        batch_op.create_index(batch_op.f("ix_name_keys_account_id"), ["account_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_name_keys_key_account_id"), ["key", "account_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_name_keys_recipient_id"), ["recipient_id"], unique=False
        )

    op.create_table(
        "talks",
        sa.Column(
            "kind",
            sa.Enum(
                "service",
                "order",
                name="talkkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "assigned",
                "settled",
                "open",
                "closed",
                name="talkstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("guest_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("assigned_to_id", sa.Integer(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("score_words", sa.String(length=300), nullable=False),
        sa.Column("last_message_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'order') = (order_id IS NOT NULL)",
            name=op.f("ck_talks_an_orders_talk_has_an_order"),
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (guest_id IS NULL)", name=op.f("ck_talks_of_somebody")
        ),
        sa.CheckConstraint(
            "score IS NULL OR score BETWEEN 1 AND 5", name=op.f("ck_talks_score_1_to_5")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_talks_account_id")),
        sa.ForeignKeyConstraint(
            ["assigned_to_id"], ["accounts.id"], name=op.f("fk_talks_assigned_to_id")
        ),
        sa.ForeignKeyConstraint(["city_code"], ["cities.code"], name=op.f("fk_talks_city_code")),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_talks_guest_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_talks_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talks")),
        sa.UniqueConstraint("order_id", name=op.f("uq_talks_order_id")),
    )
    with op.batch_alter_table("talks") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_talks_account_id_last_message_id"),
            ["account_id", "last_message_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_talks_assigned_to_id_status"), ["assigned_to_id", "status"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_talks_city_code_status_waiting_since"),
            ["city_code", "status", "waiting_since"],
            unique=False,
        )
        batch_op.create_index(
            "uq_talks_open_of_account",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'service' AND status <> 'settled'"),
            postgresql_where=sa.text("kind = 'service' AND status <> 'settled'"),
        )
        batch_op.create_index(
            "uq_talks_open_of_guest",
            ["guest_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'service' AND status <> 'settled'"),
            postgresql_where=sa.text("kind = 'service' AND status <> 'settled'"),
        )

    op.create_table(
        "messages",
        sa.Column("talk_id", sa.Integer(), nullable=False),
        sa.Column(
            "side",
            sa.Enum(
                "customer",
                "caregiver",
                "guest",
                "staff",
                "platform",
                name="side",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("said_key", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_messages_author_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_messages_order_id")),
        sa.ForeignKeyConstraint(["talk_id"], ["talks.id"], name=op.f("fk_messages_talk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("talk_id", "said_key", name=op.f("uq_messages_talk_id_said_key")),
    )
    with op.batch_alter_table("messages") as batch_op:
        batch_op.create_index(batch_op.f("ix_messages_talk_id_id"), ["talk_id", "id"], unique=False)

    op.create_table(
        "readings",
        sa.Column("talk_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_readings_account_id")
        ),
        sa.ForeignKeyConstraint(["talk_id"], ["talks.id"], name=op.f("fk_readings_talk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
        sa.UniqueConstraint("talk_id", "account_id", name=op.f("uq_readings_talk_id_account_id")),
    )
    op.create_table(
        "attachments",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("shredded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_attachments_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    with op.batch_alter_table("attachments") as batch_op:
        batch_op.create_index(batch_op.f("ix_attachments_message_id"), ["message_id"], unique=False)

    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.add_column(sa.Column("attachment_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_document_tickets_attachment_id"),
            "attachments",
            ["attachment_id"],
            ["id"],
        )
        batch_op.drop_constraint(op.f("ck_document_tickets_one_picture"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_document_tickets_one_picture"),
            "CASE WHEN document_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN report_photo_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN attachment_id IS NULL THEN 0 ELSE 1 END = 1",
        )
    op.create_table(
        "calls",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("taken_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "direction",
            sa.Enum(
                "in", "out", name="direction", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "booked",
                "posted",
                "changed",
                "cancelled",
                "redeemed",
                "complained",
                "informed",
                "nobody_free",
                "call_again",
                "no_answer",
                "wrong_number",
                "other",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("spoke_with", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("next_call_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_call_done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= created_at", name=op.f("ck_calls_ends_after_start")
        ),
        sa.ForeignKeyConstraint(["city_code"], ["cities.code"], name=op.f("fk_calls_city_code")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["accounts.id"], name=op.f("fk_calls_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_messages.id"], name=op.f("fk_calls_message_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_calls_order_id")),
        sa.ForeignKeyConstraint(
            ["taken_by_id"], ["accounts.id"], name=op.f("fk_calls_taken_by_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_calls_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    with op.batch_alter_table("calls") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_calls_city_code_next_call_at"),
            ["city_code", "next_call_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_calls_customer_id_created_at"),
            ["customer_id", "created_at"],
            unique=False,
        )

    with op.batch_alter_table("cities") as batch_op:
        for name, value in CITY_SETTINGS.items():
            batch_op.add_column(
                sa.Column(name, sa.Integer(), nullable=False, server_default=str(value))
            )
        batch_op.add_column(
            sa.Column("reminder_hours", JSON, nullable=False, server_default="[24, 2]")
        )
        for name, check in CITY_CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_cities_{name}"), check)
    with op.batch_alter_table("cities") as batch_op:
        for name in (*CITY_SETTINGS, "reminder_hours"):
            batch_op.alter_column(name, server_default=None)
    _seal_addresses()
    with op.batch_alter_table("outbox_messages") as batch_op:
        batch_op.add_column(
            sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("error", sa.String(length=40), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("order_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("visit_id", sa.Integer(), nullable=True))
        for columns in (
            ["account_id", "channel", "status"],
            ["channel", "status", "created_at"],
            ["visit_id", "status"],
        ):
            batch_op.create_index(batch_op.f(f"ix_outbox_messages_{'_'.join(columns)}"), columns)
        for column, table in (("order_id", "orders"), ("visit_id", "visits")):
            batch_op.create_foreign_key(
                batch_op.f(f"fk_outbox_messages_{column}"), table, [column], ["id"]
            )
    with op.batch_alter_table("outbox_messages") as batch_op:
        for name in ("urgent", "error"):
            batch_op.alter_column(name, server_default=None)


def _seal_addresses() -> None:
    """Where a provider can be written to; each row is given what its sealed value is bound to."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    made = "lower(hex(randomblob(16)))" if sqlite else "replace(gen_random_uuid()::text, '-', '')"
    for table in WITH_ADDRESS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("address_sealed", sa.LargeBinary(), nullable=True))
            batch_op.add_column(
                sa.Column("sealed_id", sa.String(length=32), nullable=False, server_default="")
            )
        op.execute(f"UPDATE {table} SET sealed_id = {made}")
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column("sealed_id", server_default=None)


def downgrade() -> None:
    kinds = _listed(NOTICE_KINDS[1])
    for statement in (
        f"DELETE FROM notices WHERE kind IN ({kinds})",
        "DELETE FROM calls",
        f"DELETE FROM outbox_messages WHERE kind IN ({kinds}) OR channel IN ('wechat', 'call')",
        "DELETE FROM status_changes WHERE noun = 'talk'",
    ):
        op.execute(statement)
    with op.batch_alter_table("outbox_messages") as batch_op:
        for column in ("visit_id", "order_id"):
            batch_op.drop_constraint(batch_op.f(f"fk_outbox_messages_{column}"), type_="foreignkey")
        for name in ("account_id_channel_status", "channel_status_created_at", "visit_id_status"):
            batch_op.drop_index(batch_op.f(f"ix_outbox_messages_{name}"))
        for name in ("visit_id", "order_id", "error", "urgent"):
            batch_op.drop_column(name)
    for table in WITH_ADDRESS:
        with op.batch_alter_table(table) as batch_op:
            for name in ("sealed_id", "address_sealed"):
                batch_op.drop_column(name)
    with op.batch_alter_table("cities") as batch_op:
        for name in CITY_CHECKS:
            batch_op.drop_constraint(op.f(f"ck_cities_{name}"), type_="check")
        for name in (*CITY_SETTINGS, "reminder_hours"):
            batch_op.drop_column(name)
    with op.batch_alter_table("calls") as batch_op:
        batch_op.drop_index(batch_op.f("ix_calls_customer_id_created_at"))
        batch_op.drop_index(batch_op.f("ix_calls_city_code_next_call_at"))

    op.drop_table("calls")
    op.execute("DELETE FROM document_tickets WHERE attachment_id IS NOT NULL")
    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.drop_constraint(op.f("ck_document_tickets_one_picture"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_document_tickets_attachment_id"), type_="foreignkey"
        )
        batch_op.create_check_constraint(
            op.f("ck_document_tickets_one_picture"),
            "(document_id IS NULL) <> (report_photo_id IS NULL)",
        )
        batch_op.drop_column("attachment_id")
    with op.batch_alter_table("attachments") as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachments_message_id"))

    op.drop_table("attachments")
    op.drop_table("readings")
    with op.batch_alter_table("messages") as batch_op:
        batch_op.drop_index(batch_op.f("ix_messages_talk_id_id"))

    op.drop_table("messages")
    with op.batch_alter_table("talks") as batch_op:
        batch_op.drop_index(
            "uq_talks_open_of_guest",
            sqlite_where=sa.text("kind = 'service' AND status <> 'settled'"),
            postgresql_where=sa.text("kind = 'service' AND status <> 'settled'"),
        )
        batch_op.drop_index(
            "uq_talks_open_of_account",
            sqlite_where=sa.text("kind = 'service' AND status <> 'settled'"),
            postgresql_where=sa.text("kind = 'service' AND status <> 'settled'"),
        )
        batch_op.drop_index(batch_op.f("ix_talks_city_code_status_waiting_since"))
        batch_op.drop_index(batch_op.f("ix_talks_assigned_to_id_status"))
        batch_op.drop_index(batch_op.f("ix_talks_account_id_last_message_id"))

    op.drop_table("talks")
    with op.batch_alter_table("name_keys") as batch_op:
        batch_op.drop_index(batch_op.f("ix_name_keys_recipient_id"))
        batch_op.drop_index(batch_op.f("ix_name_keys_key_account_id"))
        batch_op.drop_index(batch_op.f("ix_name_keys_account_id"))

    op.drop_table("name_keys")
    op.drop_table("notice_preferences")
    with op.batch_alter_table("notes") as batch_op:
        batch_op.drop_index(batch_op.f("ix_notes_customer_id_kind"))

    op.drop_table("notes")
    with op.batch_alter_table("guests") as batch_op:
        batch_op.drop_index(batch_op.f("ix_guests_phone_hash"))

    op.drop_table("guests")
    with op.batch_alter_table("contact_phones") as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_phones_phone_tail_hash"))
        batch_op.drop_index(batch_op.f("ix_contact_phones_phone_hash"))

    op.drop_table("contact_phones")
    op.drop_table("canned_replies")
    for (table, column, name), (before, _) in WIDENED.items():
        _allow(table, column, name, before)
