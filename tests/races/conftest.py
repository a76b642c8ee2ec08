"""Every race is run on both databases."""

from tests.both_databases import database, empty_database

__all__ = ["database", "empty_database"]
