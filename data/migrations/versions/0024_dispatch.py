"""dispatch"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout", "refund",
    "rule_version", "repayment", "policy_version", "points", "invoice", "finding",
)  # fmt: skip
JOINING = ("dispatch_run",)
STANDING = {
    kind: {
        f"{name}_where": sa.text(f"kind = '{kind}' AND lifted_at IS NULL")
        for name in ("sqlite", "postgresql")
    }
    for kind in ("pin", "forbid")
}
UNLIFTED = {f"{name}_where": sa.text("lifted_at IS NULL") for name in ("sqlite", "postgresql")}


def upgrade() -> None:
    _allow(NOUNS + JOINING)
    op.create_table(
        "dispatch_modes",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "off",
                "suggest",
                "assign",
                name="automode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("most_a_day", sa.Integer(), nullable=False),
        sa.Column("most_fen", sa.Integer(), nullable=True),
        sa.Column("only_offered", sa.Boolean(), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "most_a_day BETWEEN 1 AND 1000", name=op.f("ck_dispatch_modes_most_a_day_in_range")
        ),
        sa.CheckConstraint("most_fen > 0", name=op.f("ck_dispatch_modes_price_positive")),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["accounts.id"], name=op.f("fk_dispatch_modes_changed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_dispatch_modes_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["care_items.id"], name=op.f("fk_dispatch_modes_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_modes")),
        sa.UniqueConstraint(
            "city_code", "item_id", name=op.f("uq_dispatch_modes_city_code_item_id")
        ),
    )
    op.create_table(
        "dispatch_stops",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("stopped_by_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_dispatch_stops_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by_id"], ["accounts.id"], name=op.f("fk_dispatch_stops_lifted_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["stopped_by_id"], ["accounts.id"], name=op.f("fk_dispatch_stops_stopped_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_stops")),
    )
    with op.batch_alter_table("dispatch_stops") as batch_op:
        batch_op.create_index("uq_dispatch_stops_city_code", ["city_code"], unique=True, **UNLIFTED)

    op.create_table(
        "dispatch_runs",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("replays_id", sa.Integer(), nullable=True),
        sa.Column("rule_version_id", sa.Integer(), nullable=True),
        sa.Column(
            "shape",
            sa.Enum(
                "single",
                "days",
                name="runshape",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("district_codes", JSON, nullable=False),
        sa.Column("item_ids", JSON, nullable=False),
        sa.Column("movable", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("budget_seconds", sa.Integer(), nullable=False),
        sa.Column("weights", JSON, nullable=False),
        sa.Column("problem_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "asked",
                "proposed",
                "cancelled",
                "failed",
                name="runstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quality", sa.String(length=32), nullable=False),
        sa.Column("outcome", JSON, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "(status = 'proposed') <= (problem_sealed IS NOT NULL)",
            name=op.f("ck_dispatch_runs_replayable"),
        ),
        sa.CheckConstraint(
            "budget_seconds BETWEEN 1 AND 60", name=op.f("ck_dispatch_runs_budget_in_range")
        ),
        sa.CheckConstraint("first_on <= last_on", name=op.f("ck_dispatch_runs_days_in_order")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["accounts.id"], name=op.f("fk_dispatch_runs_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_dispatch_runs_city_code")
        ),
        sa.ForeignKeyConstraint(
            ["replays_id"], ["dispatch_runs.id"], name=op.f("fk_dispatch_runs_replays_id")
        ),
        sa.ForeignKeyConstraint(
            ["rule_version_id"], ["rule_versions.id"], name=op.f("fk_dispatch_runs_rule_version_id")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_dispatch_runs_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_runs")),
    )
    with op.batch_alter_table("dispatch_runs") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dispatch_runs_city_code_created_at"), ["city_code", "created_at"]
        )

    op.create_table(
        "dispatch_lines",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("demand_id", sa.Integer(), nullable=True),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("before_id", sa.Integer(), nullable=True),
        sa.Column("caregiver_id", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("price_fen", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("explanation", JSON, nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("refusal", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(accepted_at IS NULL) OR (refusal = '')",
            name=op.f("ck_dispatch_lines_accepted_or_refused"),
        ),
        sa.CheckConstraint(
            "(caregiver_id IS NULL) = (rule <> '')",
            name=op.f("ck_dispatch_lines_somebody_or_why_not"),
        ),
        sa.CheckConstraint(
            "(demand_id IS NULL) <> (visit_id IS NULL)", name=op.f("ck_dispatch_lines_of_one_kind")
        ),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["accounts.id"], name=op.f("fk_dispatch_lines_accepted_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["before_id"], ["caregivers.id"], name=op.f("fk_dispatch_lines_before_id")
        ),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_dispatch_lines_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["demand_id"], ["demands.id"], name=op.f("fk_dispatch_lines_demand_id")
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["visits.id"], name=op.f("fk_dispatch_lines_offer_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_dispatch_lines_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["dispatch_runs.id"],
            name=op.f("fk_dispatch_lines_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visits.id"], name=op.f("fk_dispatch_lines_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_lines")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_dispatch_lines_run_id_number")),
    )
    with op.batch_alter_table("dispatch_lines") as batch_op:
        batch_op.create_index(batch_op.f("ix_dispatch_lines_caregiver_id"), ["caregiver_id"])
        batch_op.create_index(batch_op.f("ix_dispatch_lines_demand_id"), ["demand_id"])
        batch_op.create_index(batch_op.f("ix_dispatch_lines_visit_id"), ["visit_id"])

    op.create_table(
        "dispatch_overrides",
        sa.Column("demand_id", sa.Integer(), nullable=True),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "pin",
                "forbid",
                name="overridekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "family_wish",
                "caregiver_wish",
                "knows_the_case",
                "safety",
                "quality",
                "training",
                "other",
                name="overridereason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(demand_id IS NULL) <> (visit_id IS NULL)",
            name=op.f("ck_dispatch_overrides_of_one_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_dispatch_overrides_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["demand_id"], ["demands.id"], name=op.f("fk_dispatch_overrides_demand_id")
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by_id"], ["accounts.id"], name=op.f("fk_dispatch_overrides_lifted_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["accounts.id"], name=op.f("fk_dispatch_overrides_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visits.id"], name=op.f("fk_dispatch_overrides_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_overrides")),
    )
    with op.batch_alter_table("dispatch_overrides") as batch_op:
        batch_op.create_index(batch_op.f("ix_dispatch_overrides_caregiver_id"), ["caregiver_id"])
        batch_op.create_index(
            "uq_dispatch_overrides_demand_id_forbid",
            ["demand_id", "caregiver_id"],
            unique=True,
            **STANDING["forbid"],
        )
        batch_op.create_index(
            "uq_dispatch_overrides_demand_id_pin", ["demand_id"], unique=True, **STANDING["pin"]
        )
        batch_op.create_index(
            "uq_dispatch_overrides_visit_id_forbid",
            ["visit_id", "caregiver_id"],
            unique=True,
            **STANDING["forbid"],
        )
        batch_op.create_index(
            "uq_dispatch_overrides_visit_id_pin", ["visit_id"], unique=True, **STANDING["pin"]
        )

    with op.batch_alter_table("demands") as batch_op:
        batch_op.add_column(
            sa.Column(
                "wished_sex",
                sa.Enum(
                    "female",
                    "male",
                    name="sex_wished",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                nullable=True,
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("demands") as batch_op:
        batch_op.drop_constraint(op.f("ck_demands_sex_wished"), type_="check")
        batch_op.drop_column("wished_sex")
    for table in ("overrides", "lines", "runs", "stops", "modes"):
        op.drop_table(f"dispatch_{table}")
    op.execute("DELETE FROM status_changes WHERE noun = 'dispatch_run'")
    _allow(NOUNS)


def _allow(nouns: tuple[str, ...]) -> None:
    name, listed = op.f("ck_status_changes_noun"), ", ".join(f"'{one}'" for one in nouns)
    with op.batch_alter_table("status_changes") as batch_op:
        batch_op.drop_constraint(name, type_="check")
        batch_op.create_check_constraint(name, f"noun IN ({listed})")
