"""the rule book"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
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
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout",
    "refund",
)  # fmt: skip
KINDS = "rules_proposed", "rules_turned_down", "rules_published", "rules_withdrawn"
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, KINDS),
    ("status_changes", "noun", "noun"): (NOUNS, ("rule_version",)),
}
# What was a column of a tariff, or of a city, and is a number of a version.
OF_TARIFF = (
    "night_bp", "night_from_minute", "night_until_minute", "weekend_bp", "holiday_bp", "urgent_bp",
    "urgent_hours", "rounding_fen", "monthly_steps", "customer_fees", "caregiver_fees",
    "no_show_bp", "caregiver_no_show_bp",
)  # fmt: skip
OF_CITY = (
    "commission_bp", "release_days", "auto_confirm_days", "hold_hours", "decline_hours",
    "notice_hours", "horizon_days", "plan_ahead_days", "reoffer_hours", "rest_hours", "week_hours",
    "travel_kmh", "smallest_cell",
)  # fmt: skip
STEPS = "monthly_steps", "customer_fees", "caregiver_fees"
TARIFFS = sa.table(
    "tariffs",
    sa.column("city_code", sa.String),
    sa.column("valid_from", sa.Date),
    sa.column("set_by_id", sa.Integer),
    sa.column("created_at", sa.DateTime(timezone=True)),
    *(sa.column(name, JSON if name in STEPS else sa.Integer) for name in OF_TARIFF),
)
CITIES = sa.table(
    "cities", sa.column("code", sa.String), *(sa.column(name, sa.Integer) for name in OF_CITY)
)
VERSIONS = sa.table(
    "rule_versions",
    sa.column("id", sa.Integer),
    sa.column("city_code", sa.String),
    sa.column("number", sa.Integer),
    sa.column("status", sa.String),
    sa.column("valid_from", sa.Date),
    sa.column("values", JSON),
    sa.column("words", sa.String),
    sa.column("decision_words", sa.String),
    sa.column("based_on_id", sa.Integer),
    sa.column("written_by_id", sa.Integer),
    sa.column("published_by_id", sa.Integer),
    sa.column("published_at", sa.DateTime(timezone=True)),
    sa.column("applied_at", sa.DateTime(timezone=True)),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("version", sa.Integer),
)


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    op.create_table(
        "rule_versions",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "proposed",
                "waiting",
                "published",
                "withdrawn",
                name="rulestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("decision_words", sa.String(length=300), nullable=False),
        sa.Column("based_on_id", sa.Integer(), nullable=True),
        sa.Column("written_by_id", sa.Integer(), nullable=True),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by_id", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_rule_versions_number_from_1")),
        sa.CheckConstraint(
            "(status = 'waiting') <= (publish_at IS NOT NULL)",
            name=op.f("ck_rule_versions_waits_until"),
        ),
        sa.CheckConstraint(
            "(status = 'published') <= (published_at IS NOT NULL)",
            name=op.f("ck_rule_versions_published"),
        ),
        sa.ForeignKeyConstraint(
            ["based_on_id"], ["rule_versions.id"], name=op.f("fk_rule_versions_based_on_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_rule_versions_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["accounts.id"], name=op.f("fk_rule_versions_published_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["accounts.id"], name=op.f("fk_rule_versions_written_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_versions")),
        sa.UniqueConstraint("city_code", "number", name=op.f("uq_rule_versions_city_code_number")),
    )
    with op.batch_alter_table("rule_versions") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rule_versions_city_code_status_valid_from"),
            ["city_code", "status", "valid_from"],
        )
        batch_op.create_index(
            "uq_rule_versions_city_code_valid_from",
            ["city_code", "valid_from"],
            unique=True,
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
    _tariffs_to_versions()
    op.drop_table("tariffs")
    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(sa.Column("rule_version_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_orders_rule_version_id"), "rule_versions", ["rule_version_id"], ["id"]
        )
        batch_op.create_index(batch_op.f("ix_orders_rule_version_id"), ["rule_version_id"])
    with op.batch_alter_table("base_prices") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_base_prices_set_by_id"), type_="foreignkey")
        batch_op.drop_column("set_by_id")


def downgrade() -> None:
    with op.batch_alter_table("base_prices") as batch_op:
        batch_op.add_column(sa.Column("set_by_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_base_prices_set_by_id"), "accounts", ["set_by_id"], ["id"]
        )
    with op.batch_alter_table("orders") as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_rule_version_id"))
        batch_op.drop_constraint(batch_op.f("fk_orders_rule_version_id"), type_="foreignkey")
        batch_op.drop_column("rule_version_id")
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
    _versions_to_tariffs()
    op.drop_table("rule_versions")
    for (table, column, name), (before, joining) in WIDENED.items():
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)


def _tariffs_to_versions() -> None:
    """Each tariff becomes a version with what its city's columns say, and the base prices."""
    bind, now = op.get_bind(), datetime.now(UTC)
    cities = {row.code: row for row in bind.execute(sa.select(CITIES))}
    numbers: dict[str, int] = {}
    for row in bind.execute(sa.select(TARIFFS).order_by(TARIFFS.c.valid_from)).all():
        number = numbers[row.city_code] = numbers.get(row.city_code, 0) + 1
        begun = row.valid_from <= now.date()
        bind.execute(
            sa.insert(VERSIONS),
            {
                "city_code": row.city_code,
                "number": number,
                "status": "published",
                "valid_from": row.valid_from,
                "values": {name: getattr(row, name) for name in OF_TARIFF}
                | {name: getattr(cities[row.city_code], name) for name in OF_CITY}
                | {"prices": _prices(row.city_code, row.valid_from)},
                "words": "",
                "decision_words": "",
                "written_by_id": row.set_by_id,
                "published_by_id": row.set_by_id,
                "published_at": row.created_at,
                "applied_at": now if begun else None,
                "created_at": row.created_at,
                "version": 1,
            },
        )


def _prices(city_code: str, day: object) -> dict[str, dict[str, list[int]]]:
    """What a city had set by a day."""
    found: dict[str, dict[str, list[int]]] = {}
    rows = op.get_bind().execute(
        sa.text(
            "SELECT item_id, level, lowest_fen, highest_fen FROM base_prices"
            " WHERE city_code = :city AND valid_from <= :day ORDER BY valid_from"
        ),
        {"city": city_code, "day": day},
    )
    for item_id, level, lowest, highest in rows:
        found.setdefault(str(item_id), {})[level] = [lowest, highest]
    return found


def _versions_to_tariffs() -> None:
    bind = op.get_bind()
    for row in bind.execute(sa.select(VERSIONS).where(VERSIONS.c.status == "published")).all():
        bind.execute(
            sa.insert(TARIFFS),
            {
                "city_code": row.city_code,
                "valid_from": row.valid_from,
                "set_by_id": row.written_by_id,
                "created_at": row.created_at,
                **{name: row.values[name] for name in OF_TARIFF},
            },
        )


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
