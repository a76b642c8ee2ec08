"""What must have happened before the first visitor comes."""

from data import database
from services import demo, settings


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
