"""Every test of the services runs on both databases."""

from tests.both_databases import database

__all__ = ["database"]
