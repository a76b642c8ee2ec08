"""demands, levels and reports"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

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
    ),
    (
        "demand_invited", "demand_idle", "application_waitlisted", "application_returned",
        "leave_entered", "level_changed", "prices_bounded", "leave_withdrawn",
        "no_show_taken_back",
    ),
)  # fmt: skip
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("applications", "status", "applicationstatus"): (
        ("submitted", "approved", "declined", "closed", "withdrawn"),
        ("waitlisted",),
    ),
    ("complaints", "category", "complaintcategory"): (
        ("quality", "attitude", "punctuality", "price", "safety", "other"),
        ("no_show",),
    ),
    ("ledger_entries", "event", "ledgerevent"): (
        (
            "confirmed",
            "redeemed",
            "cancelled",
            "released",
            "merged",
            "extended",
            "extra_time",
        ),
        ("fee_reversed",),
    ),
    ("outbox_messages", "kind", "noticekind"): NOTICE_KINDS,
    ("notices", "kind", "noticekind_sent"): NOTICE_KINDS,
}
# Before the step back: rows with a value that it does not know.
NARROWED = (
    "UPDATE applications SET status = 'closed' WHERE status = 'waitlisted'",
    "UPDATE complaints SET category = 'other' WHERE category = 'no_show'",
    "UPDATE ledger_entries SET event = 'cancelled' WHERE event = 'fee_reversed'",
    *(
        f"DELETE FROM {table} WHERE kind IN ({', '.join(repr(kind) for kind in NOTICE_KINDS[1])})"
        for table in ("outbox_messages", "notices")
    ),
    "DELETE FROM document_tickets WHERE document_id IS NULL",
    "DELETE FROM reviews WHERE visit_id IS NULL",
)
CITY_SETTINGS = {"reoffer_hours": 12, "photo_days": 90}


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{table}_{name}"), f"{column} IN ({listed})")


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "base_prices",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "junior",
                "intermediate",
                "senior",
                name="caregiverlevel_priced",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("lowest_fen", sa.Integer(), nullable=False),
        sa.Column("highest_fen", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 < lowest_fen AND lowest_fen <= highest_fen", name=op.f("ck_base_prices_price_range")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_base_prices_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["care_items.id"], name=op.f("fk_base_prices_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["accounts.id"], name=op.f("fk_base_prices_set_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_prices")),
        sa.UniqueConstraint(
            "city_code",
            "item_id",
            "level",
            "valid_from",
            name=op.f("uq_base_prices_city_code_item_id_level_valid_from"),
        ),
    )
    op.create_table(
        "drafts",
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_drafts_author_id")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["accounts.id"], name=op.f("fk_drafts_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint(
            "author_id", "customer_id", name=op.f("uq_drafts_author_id_customer_id")
        ),
    )
    with op.batch_alter_table("drafts") as batch_op:
        batch_op.create_index(batch_op.f("ix_drafts_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_drafts_saved_at"), ["saved_at"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("demand_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("invited_by_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_invitations_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["demand_id"], ["demands.id"], name=op.f("fk_invitations_demand_id")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["accounts.id"], name=op.f("fk_invitations_invited_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint(
            "demand_id", "caregiver_id", name=op.f("uq_invitations_demand_id_caregiver_id")
        ),
    )
    with op.batch_alter_table("invitations") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invitations_caregiver_id"), ["caregiver_id"], unique=False
        )

    op.create_table(
        "report_photos",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("shredded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_report_photos_number_from_1")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visits.id"], name=op.f("fk_report_photos_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_photos")),
        sa.UniqueConstraint("visit_id", "number", name=op.f("uq_report_photos_visit_id_number")),
    )
    _give_levels()
    with op.batch_alter_table("cities") as batch_op:
        for name, value in CITY_SETTINGS.items():
            batch_op.add_column(
                sa.Column(name, sa.Integer(), nullable=False, server_default=str(value))
            )
        batch_op.create_check_constraint(
            op.f("ck_cities_idle_and_photos"), "reoffer_hours > 0 AND photo_days > 0"
        )
    with op.batch_alter_table("demands") as batch_op:
        batch_op.add_column(sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("offers", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_index(batch_op.f("ix_demands_status_offered_at"), ["status", "offered_at"])
        batch_op.create_check_constraint(op.f("ck_demands_offers_not_negative"), "offers >= 0")
    op.execute("UPDATE demands SET offered_at = created_at, offers = 1 WHERE status <> 'directed'")
    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.add_column(sa.Column("report_photo_id", sa.Integer(), nullable=True))
        batch_op.alter_column("document_id", existing_type=sa.Integer(), nullable=True)
        batch_op.create_foreign_key(
            batch_op.f("fk_document_tickets_report_photo_id"),
            "report_photos",
            ["report_photo_id"],
            ["id"],
        )
        batch_op.create_check_constraint(
            op.f("ck_document_tickets_one_picture"),
            "(document_id IS NULL) <> (report_photo_id IS NULL)",
        )
    _review_months()
    for table, names in {"cities": CITY_SETTINGS, "demands": ("offers",)}.items():
        with op.batch_alter_table(table) as batch_op:
            for name in names:
                batch_op.alter_column(name, server_default=None)


def _give_levels() -> None:
    level = sa.Enum(
        "junior", "intermediate", "senior",
        name="caregiverlevel", native_enum=False, create_constraint=True, length=32,
    )  # fmt: skip
    with op.batch_alter_table("caregivers") as batch_op:
        batch_op.add_column(
            sa.Column("level", level, nullable=False, server_default="intermediate")
        )
        batch_op.add_column(
            sa.Column("review_weight", sa.Integer(), nullable=False, server_default="0")
        )
    op.execute("UPDATE caregivers SET review_weight = reviews")
    with op.batch_alter_table("caregivers") as batch_op:
        for name in ("level", "review_weight"):
            batch_op.alter_column(name, server_default=None)


def _review_months() -> None:
    with op.batch_alter_table("reviews") as batch_op:
        batch_op.add_column(sa.Column("order_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("month", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
        batch_op.alter_column("visit_id", existing_type=sa.Integer(), nullable=True)
    op.execute(
        "UPDATE reviews SET order_id ="
        " (SELECT order_id FROM visits WHERE visits.id = reviews.visit_id)"
    )
    with op.batch_alter_table("reviews") as batch_op:
        batch_op.alter_column("order_id", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("weight", server_default=None)
        batch_op.create_foreign_key(
            batch_op.f("fk_reviews_order_id"), "orders", ["order_id"], ["id"]
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_reviews_order_id_caregiver_id_month"),
            ["order_id", "caregiver_id", "month"],
        )
        batch_op.create_check_constraint(
            op.f("ck_reviews_visit_or_month"), "(visit_id IS NULL) <> (month IS NULL)"
        )
        batch_op.create_check_constraint(op.f("ck_reviews_weight_positive"), "weight > 0")


def downgrade() -> None:
    for statement in NARROWED:
        op.execute(statement)
    with op.batch_alter_table("reviews") as batch_op:
        batch_op.drop_constraint(op.f("ck_reviews_visit_or_month"), type_="check")
        batch_op.drop_constraint(op.f("ck_reviews_weight_positive"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("uq_reviews_order_id_caregiver_id_month"), type_="unique"
        )
        batch_op.drop_constraint(batch_op.f("fk_reviews_order_id"), type_="foreignkey")
        batch_op.alter_column("visit_id", existing_type=sa.Integer(), nullable=False)
        for name in ("order_id", "month", "weight"):
            batch_op.drop_column(name)
    with op.batch_alter_table("document_tickets") as batch_op:
        batch_op.drop_constraint(op.f("ck_document_tickets_one_picture"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_document_tickets_report_photo_id"), type_="foreignkey"
        )
        batch_op.alter_column("document_id", existing_type=sa.Integer(), nullable=False)
        batch_op.drop_column("report_photo_id")
    with op.batch_alter_table("demands") as batch_op:
        batch_op.drop_constraint(op.f("ck_demands_offers_not_negative"), type_="check")
        batch_op.drop_index(batch_op.f("ix_demands_status_offered_at"))
        for name in ("offers", "offered_at"):
            batch_op.drop_column(name)
    with op.batch_alter_table("cities") as batch_op:
        batch_op.drop_constraint(op.f("ck_cities_idle_and_photos"), type_="check")
        for name in CITY_SETTINGS:
            batch_op.drop_column(name)
    with op.batch_alter_table("caregivers") as batch_op:
        batch_op.drop_constraint(op.f("ck_caregivers_caregiverlevel"), type_="check")
        for name in ("level", "review_weight"):
            batch_op.drop_column(name)
    op.drop_table("report_photos")
    with op.batch_alter_table("invitations") as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitations_caregiver_id"))

    op.drop_table("invitations")
    with op.batch_alter_table("drafts") as batch_op:
        batch_op.drop_index(batch_op.f("ix_drafts_saved_at"))
        batch_op.drop_index(batch_op.f("ix_drafts_customer_id"))

    op.drop_table("drafts")
    op.drop_table("base_prices")
    for (table, column, name), (before, _) in WIDENED.items():
        _allow(table, column, name, before)
