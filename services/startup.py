"""What must have happened before the first visitor comes."""

from functools import cache

from data import database
from services import demo, settings


def ensure() -> None:
    """Prepare a database that nobody has prepared: `streamlit run Home.py` has no server.py."""
    _ensure(database.database_url())


@cache
def _ensure(_url: str) -> None:
    if not database.is_current():
        prepare()


def prepare() -> None:
    """Check the settings, apply the migrations and, in demo mode, seed the demo pilot once."""
    settings.check()
    database.upgrade()
    with database.reading() as session:
        staged = demo.is_staged(session)
    if settings.settings().demo:
        if not staged:
            database.transact(demo.stage)
    elif staged:
        raise settings.ConfigurationError(
            "This database holds demo accounts; production needs one of its own"
        )
