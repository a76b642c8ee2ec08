"""Alembic's entry: always runs inside the connection that data.database opened."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from data import models
from data.base import UtcDateTime


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types into migrations as the database sees them."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        return 'sa.JSON().with_variant(JSONB(), "postgresql")'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=models.Base.metadata,
    render_as_batch=True,
    render_item=plain_types,
    transactional_ddl=False,  # The caller's transaction holds all of it.
)
context.run_migrations()
