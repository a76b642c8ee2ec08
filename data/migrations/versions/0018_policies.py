"""policies"""

import tomllib
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from data.base import UtcDateTime

revision = "0018"
down_revision = "0017"

SHIPPED = Path(__file__).parents[2] / "reference" / "policies"
CITY_TIME = ZoneInfo("Asia/Shanghai")
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
)  # fmt: skip
NOUNS = (
    "account", "city", "caregiver", "demand", "application", "order", "visit", "verification",
    "complaint", "incident", "extra_time", "talk", "payout_batch", "payout", "refund",
    "rule_version", "repayment",
)  # fmt: skip
POLICIES = ("agreement", "privacy", "sensitive_data")
MORE_POLICIES = ("onboarding", "complaint_handling")
KINDS = "policy_announced", "policy_withdrawn"
# Table, column, name of the constraint: the values before, and those that join them.
WIDENED = {
    ("outbox_messages", "kind", "noticekind"): (NOTICE_KINDS, KINDS),
    ("notices", "kind", "noticekind_sent"): (NOTICE_KINDS, KINDS),
    ("status_changes", "noun", "noun"): (NOUNS, ("policy_version",)),
    ("consents", "policy", "policy"): (POLICIES, MORE_POLICIES),
}
REFUSAL = "a version that people may have accepted never changes"
KEPT = (
    "policy", "number", "words_zh", "words_en", "changes_zh", "changes_en", "effective_on",
    "written_by_id", "published_by_id", "published_at",
)  # fmt: skip


def upgrade() -> None:
    for (table, column, name), (before, joining) in WIDENED.items():
        _allow(table, column, name, before + joining)
    versions = op.create_table(
        "policy_versions",
        sa.Column(
            "policy",
            sa.Enum(
                *POLICIES, *MORE_POLICIES,
                name="policy", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft", "published", "withdrawn",
                name="policystatus", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("words_zh", sa.Text(), nullable=False),
        sa.Column("words_en", sa.Text(), nullable=False),
        sa.Column("changes_zh", sa.String(length=200), nullable=False),
        sa.Column("changes_en", sa.String(length=200), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("written_by_id", sa.Integer(), nullable=True),
        sa.Column("published_by_id", sa.Integer(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status <> 'published' OR (number IS NOT NULL AND effective_on IS NOT NULL"
            " AND published_at IS NOT NULL)",
            name=op.f("ck_policy_versions_published_whole"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], ["accounts.id"], name=op.f(f"fk_policy_versions_{column}")
            )
            for column in ("written_by_id", "published_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_versions")),
        sa.UniqueConstraint("policy", "number", name=op.f("uq_policy_versions_policy_number")),
    )  # fmt: skip
    for columns, status in ((["policy"], "draft"), (["policy", "effective_on"], "published")):
        only = sa.text(f"status = '{status}'")
        named = "_".join(columns) + ("_draft" if status == "draft" else "")
        op.create_index(
            f"uq_policy_versions_{named}",
            "policy_versions",
            columns,
            unique=True,
            sqlite_where=only,
            postgresql_where=only,
        )
    op.bulk_insert(versions, _shipped())
    _guard()


def downgrade() -> None:
    _unguard()
    op.drop_table("policy_versions")
    for (table, column, name), (before, joining) in WIDENED.items():
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({_listed(joining)})")
        _allow(table, column, name, before)


def _shipped() -> list[dict[str, Any]]:
    """The versions every installation starts with; nobody here wrote or published them."""
    told = tomllib.loads((SHIPPED / "versions.toml").read_text("utf-8"))["version"]
    return [_row(one) for one in told]


def _row(told: dict[str, Any]) -> dict[str, Any]:
    name = f"{told['policy']}-{told['number']}"
    since = datetime.combine(told["effective_on"], time(), CITY_TIME)
    return told | {
        "status": "published",
        "words_zh": (SHIPPED / f"{name}.zh_CN.md").read_text("utf-8").strip(),
        "words_en": (SHIPPED / f"{name}.en.md").read_text("utf-8").strip(),
        "published_at": since,
        "created_at": since,
        "version": 1,
    }


def _guard() -> None:
    """Whoever makes the table anew on SQLite must call this again: triggers go with it."""
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        changed = " OR ".join(f"OLD.{one} IS NOT NEW.{one}" for one in KEPT)
        op.execute(
            "CREATE TRIGGER policy_versions_unchanged BEFORE UPDATE ON policy_versions"
            f" WHEN OLD.status <> 'draft' AND ({changed}) {refuse}"
        )
        op.execute(f"CREATE TRIGGER policy_versions_kept BEFORE DELETE ON policy_versions {refuse}")
        return
    changed = " OR ".join(f"OLD.{one} IS DISTINCT FROM NEW.{one}" for one in KEPT)
    op.execute(
        "CREATE FUNCTION refuse_policy_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER policy_versions_unchanged BEFORE UPDATE ON policy_versions FOR EACH ROW"
        f" WHEN (OLD.status <> 'draft' AND ({changed})) EXECUTE FUNCTION refuse_policy_change()"
    )
    op.execute(
        "CREATE TRIGGER policy_versions_kept BEFORE DELETE OR TRUNCATE ON policy_versions"
        " EXECUTE FUNCTION refuse_policy_change()"
    )


def _unguard() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("kept", "unchanged"):
        op.execute(
            f"DROP TRIGGER policy_versions_{name}" + ("" if on_sqlite else " ON policy_versions")
        )
    if not on_sqlite:
        op.execute("DROP FUNCTION refuse_policy_change()")


def _allow(table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), f"{column} IN ({_listed(values)})"
        )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
