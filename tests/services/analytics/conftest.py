"""Figures lie in a folder of the test's own."""

import pytest

from tests.both_databases import database, empty_database

__all__ = ["database", "empty_database"]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Where the test's figures lie."""
    monkeypatch.setenv("CAREPILOT_FIGURES", str(tmp_path / "figures"))
    return tmp_path / "figures"
