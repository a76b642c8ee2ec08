"""The database fixture of the folders whose tests run on SQLite and on PostgreSQL."""

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request) -> str:
    """The URL of the test's database, which holds the cast."""
    return request.getfixturevalue(f"{request.param}_database")
