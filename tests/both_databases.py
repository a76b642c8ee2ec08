"""The database fixtures of the folders whose tests run on SQLite and on PostgreSQL."""

import pytest

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=BOTH)
def database(request) -> str:
    """The URL of the test's database, which holds the cast."""
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture(params=BOTH)
def empty_database(request) -> str:
    """The URL of a database that holds nothing, not even tables."""
    return request.getfixturevalue(f"empty_{request.param}")
