"""analytics"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
PUBLISHED = ("publications", "published_sheets")
REFUSAL = "what is published is never changed"


def _text_enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _guard(table: str) -> None:
    """Whoever makes the table anew on SQLite must call this again: triggers go with it."""
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        op.execute(f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {refuse}")
        # INSERT OR REPLACE deletes without asking the trigger above.
        op.execute(
            f"CREATE TRIGGER {table}_new BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) {refuse}"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " EXECUTE FUNCTION refuse_published_change()"
    )


def upgrade() -> None:
    op.create_table(
        "footfalls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.CheckConstraint("opened > 0", name=op.f("ck_footfalls_opened_positive")),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_footfalls_city_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_footfalls")),
        sa.UniqueConstraint("city_code", "on_day", name=op.f("uq_footfalls_city_code_on_day")),
    )
    op.create_table(
        "publications",
        sa.Column("city_code", sa.String(length=6), nullable=False),
        sa.Column("span", _text_enum("span", "week", "month"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("smallest_cell", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("last_day > first_day", name=op.f("ck_publications_last_after_first")),
        sa.CheckConstraint(
            "smallest_cell >= 5", name=op.f("ck_publications_smallest_cell_at_least_5")
        ),
        sa.ForeignKeyConstraint(
            ["city_code"], ["cities.code"], name=op.f("fk_publications_city_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
        sa.UniqueConstraint(
            "city_code", "span", "first_day", name=op.f("uq_publications_city_code_span_first_day")
        ),
    )
    op.create_table(
        "published_sheets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column(
            "name",
            _text_enum(
                "sheetname",
                "needs",
                "groups_of_people",
                "supply",
                "obstacles",
                "families",
                "caregivers",
                "funnel",
            ),
            nullable=False,
        ),
        sa.Column("columns", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_published_sheets_publication_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_sheets")),
        sa.UniqueConstraint(
            "publication_id", "name", name=op.f("uq_published_sheets_publication_id_name")
        ),
    )
    op.create_table(
        "held_weeks",
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("needs", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publications.id"], name=op.f("fk_held_weeks_publication_id")
        ),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("pk_held_weeks")),
    )
    op.create_table(
        "saved_views",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", JSON, nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_saved_views_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_saved_views_account_id_name")),
    )
    op.create_table(
        "extracts",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_extracts_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extracts")),
        sa.UniqueConstraint("ticket_hash", name=op.f("uq_extracts_ticket_hash")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_published_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION '{REFUSAL}'; END $$"
        )
    for table in PUBLISHED:
        _guard(table)


def downgrade() -> None:
    op.drop_table("extracts")
    op.drop_table("saved_views")
    op.drop_table("held_weeks")
    op.drop_table("published_sheets")
    op.drop_table("publications")
    op.drop_table("footfalls")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_published_change()")
