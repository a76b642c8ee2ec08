"""the booking engine"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("orders", "status", "orderstatus"): (
        (
            "requested", "accepted", "confirmed", "completed", "cancelled", "refused", "expired",
            "blocked",
        ),
        ("paused", "missed"),
    ),
    ("visits", "status", "visitstatus"): (
        ("held", "planned", "in_progress", "finished", "redeemed", "cancelled"),
        ("offered", "missed", "dropped"),
    ),
    ("status_changes", "noun", "noun"): (
        (
            "account", "city", "caregiver", "demand", "application", "order", "visit",
            "verification",
        ),
        ("complaint", "incident", "extra_time"),
    ),
    ("ledger_entries", "event", "ledgerevent"): (
        ("confirmed", "redeemed", "cancelled", "released", "merged"),
        ("extended", "extra_time"),
    ),
    ("ledger_postings", "account", "ledgeraccount"): (
        (
            "customer_receivable", "orders_committed", "caregiver_frozen", "caregiver_payable",
            "platform_fee",
        ),
        ("penalty",),
    ),
}  # fmt: skip
NOTICE_KINDS = (
    (
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
    ),
    (
        "visit_moved", "visit_cancelled", "visit_missed", "visit_confirmed", "substitute_asked",
        "substitute_comes", "substitute_refused", "caregiver_swapped", "plan_changed",
        "plan_paused", "plan_resumed", "plan_ended", "plan_clash", "leave_taken",
        "extra_time_asked", "extra_time_agreed", "extra_time_refused", "incident_reported",
        "incident_closed", "complaint_opened", "complaint_closed",
    ),
)  # fmt: skip
WIDENED["outbox_messages", "kind", "noticekind"] = NOTICE_KINDS
WIDENED["notices", "kind", "noticekind_sent"] = NOTICE_KINDS

# Settings every city gets, and what visits and orders that are already there are given.
CITY_SETTINGS = {
    "notice_hours": 3,
    "horizon_days": 60,
    "rest_hours": 10,
    "week_hours": 60,
    "travel_kmh": 20,
    "plan_ahead_days": 35,
    "auto_confirm_days": 3,
}
CITY_CHECKS = {
    "booking_window": "notice_hours >= 0 AND horizon_days > 0",
    "rest_hours_in_a_day": "rest_hours BETWEEN 0 AND 24",
    "working_pace": "week_hours > 0 AND travel_kmh > 0",
    "days_positive": "auto_confirm_days > 0 AND plan_ahead_days > 0",
}
WORDS_OF_REVIEWS = {
    "reply_words": 500, "staff_words": 500, "report_words": 300, "hidden_words": 300,
}  # fmt: skip
MOMENTS_OF_REVIEWS = ("replied_at", "staff_replied_at", "reported_at", "hidden_at")
FILLED_OF_VISITS = (
    "cell", "total_fen", "commission_fen", "price_parts", "fee_fen", "penalty_fen", "end_words",
)  # fmt: skip
OVERLAP = (
    "ALTER TABLE visits ADD CONSTRAINT ex_visits_one_at_a_time EXCLUDE USING gist ("
    "int4range(caregiver_id, caregiver_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)"
)


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{table}_{name}"), f"{column} IN ({listed})")


def _exclude(but: str) -> None:
    """On PostgreSQL: no two visits of a caregiver at a time, but those that take none."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE visits DROP CONSTRAINT ex_visits_one_at_a_time")
        op.execute(f"{OVERLAP} WHERE ({but})")


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "closures",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.String(length=100), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_closures_ends_after_start")),
        sa.ForeignKeyConstraint(["city_code"], ["cities.code"], name=op.f("fk_closures_city_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closures")),
    )
    with op.batch_alter_table("closures", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_closures_city_code_ends_at"), ["city_code", "ends_at"], unique=False
        )

    op.create_table(
        "special_days",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "holiday",
                "workday",
                "ordinary",
                name="daykind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_special_days_city_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_days")),
        sa.UniqueConstraint("city_code", "on_day", name=op.f("uq_special_days_city_code_on_day")),
    )
    op.create_table(
        "tariffs",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("night_bp", sa.Integer(), nullable=False),
        sa.Column("night_from_minute", sa.Integer(), nullable=False),
        sa.Column("night_until_minute", sa.Integer(), nullable=False),
        sa.Column("weekend_bp", sa.Integer(), nullable=False),
        sa.Column("holiday_bp", sa.Integer(), nullable=False),
        sa.Column("urgent_bp", sa.Integer(), nullable=False),
        sa.Column("urgent_hours", sa.Integer(), nullable=False),
        sa.Column("rounding_fen", sa.Integer(), nullable=False),
        sa.Column("monthly_steps", JSON, nullable=False),
        sa.Column("customer_fees", JSON, nullable=False),
        sa.Column("caregiver_fees", JSON, nullable=False),
        sa.Column("no_show_bp", sa.Integer(), nullable=False),
        sa.Column("caregiver_no_show_bp", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "night_bp >= 0 AND weekend_bp >= 0 AND holiday_bp >= 0 AND urgent_bp >= 0",
            name=op.f("ck_tariffs_surcharges_not_negative"),
        ),
        sa.CheckConstraint(
            "no_show_bp BETWEEN 0 AND 10000 AND caregiver_no_show_bp BETWEEN 0 AND 10000",
            name=op.f("ck_tariffs_no_show_is_a_share"),
        ),
        sa.CheckConstraint("rounding_fen > 0", name=op.f("ck_tariffs_rounding_positive")),
        sa.ForeignKeyConstraint(["city_code"], ["cities.code"], name=op.f("fk_tariffs_city_code")),
        sa.ForeignKeyConstraint(["set_by_id"], ["accounts.id"], name=op.f("fk_tariffs_set_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariffs")),
        sa.UniqueConstraint(
            "city_code", "valid_from", name=op.f("uq_tariffs_city_code_valid_from")
        ),
    )
    op.create_table(
        "open_searches",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "search",
                "demand",
                "call",
                name="needsource_open",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("district_code", sa.String(length=6), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["accounts.id"], name=op.f("fk_open_searches_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_open_searches_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["care_items.id"], name=op.f("fk_open_searches_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_searches")),
        sa.UniqueConstraint(
            "customer_id",
            "item_id",
            "city_code",
            name=op.f("uq_open_searches_customer_id_item_id_city_code"),
        ),
    )
    with op.batch_alter_table("open_searches", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_open_searches_created_at"), ["created_at"], unique=False
        )

    op.create_table(
        "unmet_needs",
        sa.Column(
            "source",
            sa.Enum(
                "search",
                "demand",
                "call",
                name="needsource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("district_code", sa.String(length=6), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "obstacle",
            sa.Enum(
                "nobody",
                "not_offered",
                "certificate",
                "too_far",
                "price",
                "too_soon",
                "too_far_ahead",
                "city_closed",
                "off_hours",
                "on_leave",
                "busy",
                "travel",
                "rest",
                "week_full",
                name="obstacle",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_unmet_needs_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["care_items.id"], name=op.f("fk_unmet_needs_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmet_needs")),
    )
    with op.batch_alter_table("unmet_needs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_unmet_needs_city_code_created_at"),
            ["city_code", "created_at"],
            unique=False,
        )

    op.create_table(
        "day_hours",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("starts_minute", sa.Integer(), nullable=True),
        sa.Column("ends_minute", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(starts_minute IS NULL AND ends_minute IS NULL) OR (0 <= starts_minute AND starts_minute < ends_minute AND ends_minute <= 1440)",
            name=op.f("ck_day_hours_ends_after_start"),
        ),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_day_hours_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_hours")),
    )
    with op.batch_alter_table("day_hours", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_day_hours_caregiver_id_on_day"), ["caregiver_id", "on_day"], unique=False
        )

    op.create_table(
        "leaves",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("taken_by_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "illness",
                "family",
                "holiday",
                "training",
                "other",
                name="leavereason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_leaves_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_leaves_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["taken_by_id"], ["accounts.id"], name=op.f("fk_leaves_taken_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaves")),
    )
    with op.batch_alter_table("leaves", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_leaves_caregiver_id_ends_at"), ["caregiver_id", "ends_at"], unique=False
        )

    op.create_table(
        "segments",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=300), nullable=False),
        sa.Column("starts_minute", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("unit_price_fen", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("made_until", sa.Date(), nullable=False),
        sa.Column("skipped", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "starts_minute BETWEEN 0 AND 1439", name=op.f("ck_segments_start_within_day")
        ),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_segments_caregiver_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_segments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
    )
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_segments_caregiver_id"), ["caregiver_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_segments_order_id_from_on"), ["order_id", "from_on"], unique=False
        )

    op.create_table(
        "complaints",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "quality",
                "attitude",
                "punctuality",
                "price",
                "safety",
                "other",
                name="complaintcategory",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "closed",
                name="complaintstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("outcome_words", sa.String(length=500), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["accounts.id"], name=op.f("fk_complaints_opened_by_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_complaints_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
    )
    with op.batch_alter_table("complaints", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_complaints_status_created_at"), ["status", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_complaints_visit_id_status"), ["visit_id", "status"], unique=False
        )

    op.create_table(
        "extra_times",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.Integer(), nullable=False),
        sa.Column("commission_fen", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "asked",
                "agreed",
                "refused",
                name="extratimestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= commission_fen AND commission_fen <= total_fen",
            name=op.f("ck_extra_times_commission"),
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_extra_times_minutes_positive")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_extra_times_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extra_times")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_extra_times_visit_id")),
    )
    op.create_table(
        "incidents",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("reported_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "fall",
                "injury",
                "illness",
                "loss",
                "other",
                name="incidentkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "reported",
                "closed",
                name="incidentstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("outcome_words", sa.String(length=500), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["reported_by_id"], ["accounts.id"], name=op.f("fk_incidents_reported_by_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_incidents_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_incidents_status_created_at"), ["status", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_incidents_visit_id_status"), ["visit_id", "status"], unique=False
        )

    with op.batch_alter_table("cities") as batch_op:
        for name, value in CITY_SETTINGS.items():
            batch_op.add_column(
                sa.Column(name, sa.Integer(), nullable=False, server_default=str(value))
            )
        for name, check in CITY_CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_cities_{name}"), check)
    with op.batch_alter_table("cities") as batch_op:
        for name in CITY_SETTINGS:
            batch_op.alter_column(name, server_default=None)

    with op.batch_alter_table("demands") as batch_op:
        batch_op.add_column(sa.Column("rule", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("until_on", sa.Date(), nullable=True))

    _widen_visits()
    _price_visits()
    _free_orders_of_totals()
    _tie_entries_to_visits()
    _let_reviews_be_answered()
    _exclude("status NOT IN ('cancelled', 'dropped')")


def _widen_visits() -> None:
    party = sa.Enum(
        "customer", "caregiver", "platform",
        name="party", native_enum=False, create_constraint=True, length=32,
    )  # fmt: skip
    reason = sa.Enum(
        "plans_changed", "illness", "hospital", "emergency", "weather", "no_show", "plan_changed",
        "other",
        name="endreason", native_enum=False, create_constraint=True, length=32,
    )  # fmt: skip
    whole = {"nullable": False, "server_default": "0"}
    with op.batch_alter_table("visits") as batch_op:
        batch_op.add_column(sa.Column("segment_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("occurs_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("replaces_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("cell", sa.String(length=16), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("total_fen", sa.Integer(), **whole))
        batch_op.add_column(sa.Column("commission_fen", sa.Integer(), **whole))
        batch_op.add_column(sa.Column("price_parts", JSON, nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("fee_fen", sa.Integer(), **whole))
        batch_op.add_column(sa.Column("penalty_fen", sa.Integer(), **whole))
        batch_op.add_column(sa.Column("answer_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("checked_in_cell", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("ended_by", party, nullable=True))
        batch_op.add_column(sa.Column("end_reason", reason, nullable=True))
        batch_op.add_column(
            sa.Column("end_words", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.create_index(batch_op.f("ix_visits_replaces_id"), ["replaces_id"])
        batch_op.create_index(
            "uq_visits_segment_id_occurs_on",
            ["segment_id", "occurs_on"],
            unique=True,
            sqlite_where=sa.text("replaces_id IS NULL"),
            postgresql_where=sa.text("replaces_id IS NULL"),
        )
        for column, table in (("segment_id", "segments"), ("replaces_id", "visits")):
            batch_op.create_foreign_key(batch_op.f(f"fk_visits_{column}"), table, [column], ["id"])


def _price_visits() -> None:
    """Until now an order was one visit, and its price the base alone."""
    bind = op.get_bind()
    parts = (
        "json_object('base', total_fen)"
        if bind.dialect.name == "sqlite"
        else "jsonb_build_object('base', total_fen)"
    )
    op.execute(
        "UPDATE visits SET"
        " total_fen = (SELECT total_fen FROM orders WHERE orders.id = visits.order_id),"
        " commission_fen = (SELECT commission_fen FROM orders WHERE orders.id = visits.order_id),"
        " cell = (SELECT demands.cell FROM orders JOIN demands ON demands.id = orders.demand_id"
        " WHERE orders.id = visits.order_id)"
    )
    op.execute(f"UPDATE visits SET price_parts = {parts}")
    with op.batch_alter_table("visits") as batch_op:
        for name in FILLED_OF_VISITS:
            batch_op.alter_column(name, server_default=None)
        batch_op.create_check_constraint(
            op.f("ck_visits_commission"), "0 <= commission_fen AND commission_fen <= total_fen"
        )
        batch_op.create_check_constraint(
            op.f("ck_visits_fees_not_negative"), "fee_fen >= 0 AND penalty_fen >= 0"
        )


def _free_orders_of_totals() -> None:
    kind = sa.Enum(
        "single", "monthly",
        name="orderkind", native_enum=False, create_constraint=True, length=32,
    )  # fmt: skip
    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(sa.Column("kind", kind, nullable=False, server_default="single"))
        batch_op.add_column(
            sa.Column("commission_bp", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("terms", JSON, nullable=False, server_default="{}"))
    op.execute(
        "UPDATE orders SET commission_bp = (commission_fen * 10000 + total_fen - 1) / total_fen"
    )
    with op.batch_alter_table("orders") as batch_op:
        for name in ("kind", "commission_bp", "terms"):
            batch_op.alter_column(name, server_default=None)
        batch_op.drop_constraint(op.f("ck_orders_commission"), type_="check")
        batch_op.drop_constraint(op.f("ck_orders_total_is_units_times_price"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_orders_commission_is_a_share"), "commission_bp BETWEEN 0 AND 10000"
        )
        batch_op.drop_column("total_fen")
        batch_op.drop_column("commission_fen")
        batch_op.drop_index(batch_op.f("ix_orders_city_code_status_created_at"))
        batch_op.create_index(
            batch_op.f("ix_orders_city_code_kind_status_created_at"),
            ["city_code", "kind", "status", "created_at"],
        )


def _tie_entries_to_visits() -> None:
    with op.batch_alter_table("ledger_entries") as batch_op:
        batch_op.add_column(sa.Column("visit_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_ledger_entries_visit_id"), ["visit_id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_ledger_entries_visit_id"), "visits", ["visit_id"], ["id"]
        )
    op.execute(
        "UPDATE ledger_entries SET visit_id ="
        " (SELECT id FROM visits WHERE visits.order_id = ledger_entries.order_id)"
        " WHERE event IN ('redeemed', 'cancelled', 'released')"
    )


def _let_reviews_be_answered() -> None:
    with op.batch_alter_table("reviews") as batch_op:
        for name, length in WORDS_OF_REVIEWS.items():
            kind = sa.String(length=length)
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=""))
        for name in MOMENTS_OF_REVIEWS:
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("reviews") as batch_op:
        for name in WORDS_OF_REVIEWS:
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("reviews") as batch_op:
        for name in (*MOMENTS_OF_REVIEWS, *WORDS_OF_REVIEWS):
            batch_op.drop_column(name)
    _exclude("status <> 'cancelled'")
    with op.batch_alter_table("ledger_entries") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_ledger_entries_visit_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_ledger_entries_visit_id"))
        batch_op.drop_column("visit_id")
    _give_orders_totals()
    with op.batch_alter_table("visits") as batch_op:
        batch_op.drop_constraint(op.f("ck_visits_commission"), type_="check")
        batch_op.drop_constraint(op.f("ck_visits_fees_not_negative"), type_="check")
        for column in ("segment_id", "replaces_id"):
            batch_op.drop_constraint(batch_op.f(f"fk_visits_{column}"), type_="foreignkey")
        batch_op.drop_index(
            "uq_visits_segment_id_occurs_on",
            sqlite_where=sa.text("replaces_id IS NULL"),
            postgresql_where=sa.text("replaces_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_visits_replaces_id"))
        for name in ("party", "endreason"):
            batch_op.drop_constraint(op.f(f"ck_visits_{name}"), type_="check")
        for name in (
            "segment_id", "occurs_on", "replaces_id", "answer_until", "ended_by", "end_reason",
            "checked_in_cell",
            *FILLED_OF_VISITS,
        ):  # fmt: skip
            batch_op.drop_column(name)
    with op.batch_alter_table("demands") as batch_op:
        batch_op.drop_column("until_on")
        batch_op.drop_column("rule")
    with op.batch_alter_table("cities") as batch_op:
        for name in CITY_CHECKS:
            batch_op.drop_constraint(op.f(f"ck_cities_{name}"), type_="check")
        for name in CITY_SETTINGS:
            batch_op.drop_column(name)
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incidents_visit_id_status"))
        batch_op.drop_index(batch_op.f("ix_incidents_status_created_at"))

    op.drop_table("incidents")
    op.drop_table("extra_times")
    with op.batch_alter_table("complaints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaints_visit_id_status"))
        batch_op.drop_index(batch_op.f("ix_complaints_status_created_at"))

    op.drop_table("complaints")
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_segments_order_id_from_on"))
        batch_op.drop_index(batch_op.f("ix_segments_caregiver_id"))

    op.drop_table("segments")
    with op.batch_alter_table("leaves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leaves_caregiver_id_ends_at"))

    op.drop_table("leaves")
    with op.batch_alter_table("day_hours", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_day_hours_caregiver_id_on_day"))

    op.drop_table("day_hours")
    with op.batch_alter_table("unmet_needs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unmet_needs_city_code_created_at"))

    op.drop_table("unmet_needs")
    with op.batch_alter_table("open_searches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_open_searches_created_at"))

    op.drop_table("open_searches")
    op.drop_table("tariffs")
    op.drop_table("special_days")
    with op.batch_alter_table("closures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_closures_city_code_ends_at"))

    op.drop_table("closures")
    for (table, column, name), (before, _) in WIDENED.items():
        _allow(table, column, name, before)


def _give_orders_totals() -> None:
    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(
            sa.Column("total_fen", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("commission_fen", sa.Integer(), nullable=False, server_default="0")
        )
    op.execute("UPDATE orders SET total_fen = unit_price_fen * units")
    op.execute("UPDATE orders SET commission_fen = total_fen * commission_bp / 10000")
    with op.batch_alter_table("orders") as batch_op:
        for name in ("total_fen", "commission_fen"):
            batch_op.alter_column(name, server_default=None)
        batch_op.create_check_constraint(
            op.f("ck_orders_commission"), "0 <= commission_fen AND commission_fen <= total_fen"
        )
        batch_op.create_check_constraint(
            op.f("ck_orders_total_is_units_times_price"), "total_fen = unit_price_fen * units"
        )
        for name in ("orderkind", "commission_is_a_share"):
            batch_op.drop_constraint(op.f(f"ck_orders_{name}"), type_="check")
        batch_op.drop_index(batch_op.f("ix_orders_city_code_kind_status_created_at"))
        for name in ("kind", "commission_bp", "terms"):
            batch_op.drop_column(name)
        batch_op.create_index(
            batch_op.f("ix_orders_city_code_status_created_at"),
            ["city_code", "status", "created_at"],
        )
