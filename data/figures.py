"""The folder of the figures: files that are made from the database and can be made anew."""

import os
from pathlib import Path

from sqlalchemy import make_url

from data import database


def folder() -> Path:
    """Where figures lie: CAREPILOT_FIGURES, beside the SQLite file, or under var/."""
    if given := os.environ.get("CAREPILOT_FIGURES"):
        return Path(given)
    url = make_url(database.database_url())
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(f"{url.database}.figures")
    return database.ROOT / "var" / "figures"
