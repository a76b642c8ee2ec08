"""What must have happened before the first visitor comes."""

import sys
from collections.abc import Callable
from functools import cache, partial

from sqlalchemy.exc import OperationalError

from data import database
from services import demo, gateways, keys, providers, settings
from services.board import roads
from services.demo.progress import drawn_on
from services.settings import DemoSize

# Each waits a quarter of a minute for a process that has begun before us.
TRIES = 20


def ensure() -> None:
    """Prepare a database that nobody has prepared: `streamlit run Home.py` has no server.py."""
    _ensure(database.database_url())


@cache
def _ensure(_url: str) -> None:
    if not database.is_current():
        prepare()


def prepare() -> None:
    """Check settings and keys, apply the migrations and, in demo mode, seed the demo once."""
    settings.check()
    providers.check()
    gateways.check()
    roads.address()
    _in_turn(_upgrade)
    know_the_key()
    with database.reading() as session:
        staged = demo.is_staged(session)
    if settings.settings().demo:
        if not staged:
            stage_demo()
    elif staged:
        raise settings.ConfigurationError(
            "This database holds demo accounts; production needs one of its own"
        )


def know_the_key() -> None:
    """Refuse a database that these keys do not fit; nothing sealed is touched then."""
    try:
        _in_turn(lambda: database.transact(keys.know))
    except keys.WrongKey:
        raise settings.ConfigurationError(
            "The keys of the environment do not fit this database: check CAREPILOT_SEALING_KEY,"
            " CAREPILOT_OLD_SEALING_KEYS and CAREPILOT_SECRET. Nothing sealed was touched."
        ) from None


def stage_demo() -> None:
    """Seed the demo, unless another process has, and show how far that is."""
    size = demo.SMALL if settings.settings().demo_size is DemoSize.SMALL else {}
    progress = drawn_on(sys.stderr, "CarePilot: staging the demo city")
    stage = partial(demo.stage, progress=progress, **size)
    _in_turn(lambda: database.transact(stage))


def _upgrade() -> None:
    if not database.is_current():
        database.upgrade()


def _in_turn(deed: Callable[[], None]) -> None:
    """Do it, after whoever is at it: one who stages lets nobody else write to SQLite meanwhile."""
    for tries_left in reversed(range(TRIES)):
        try:
            return deed()
        except OperationalError as refused:
            if "locked" not in str(refused.orig) or not tries_left:
                raise
