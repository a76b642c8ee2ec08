"""What the routes let through they ask of either database."""

from tests.both_databases import database

__all__ = ["database"]
