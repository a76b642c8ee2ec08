"""Every test of what is stored runs on both databases."""

from tests.both_databases import database, empty_database

__all__ = ["database", "empty_database"]
