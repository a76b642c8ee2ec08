import pytest
from sqlalchemy import select, update

from data import database as engines
from data.accounts import Account
from data.cities import City
from services import demo, startup
from services.settings import ConfigurationError
from tests.factories import NANTONG


@pytest.fixture
def stagings(monkeypatch):
    """The sessions the demo was staged in."""
    staged = []
    monkeypatch.setattr(demo, "stage", lambda session, **_: staged.append(session))
    return staged


@pytest.fixture
def demo_database(database):
    """A database that holds the demo's city."""
    with engines.writing() as session:
        session.execute(update(City).where(City.code == NANTONG).values(synthetic=True))


def test_a_demo_starts_from_nothing(empty_database, stagings):
    startup.prepare()

    assert engines.is_current()
    assert len(stagings) == 1


def test_a_demo_is_staged_once(demo_database, stagings):
    startup.prepare()

    assert stagings == []


def test_production_is_never_staged(empty_database, stagings, monkeypatch):
    monkeypatch.setenv("CAREPILOT_MODE", "production")
    startup.prepare()

    assert stagings == []
    with engines.reading() as session:
        assert session.scalars(select(Account)).all() == []


def test_production_refuses_a_database_with_demo_accounts(demo_database, stagings, monkeypatch):
    monkeypatch.setenv("CAREPILOT_MODE", "production")

    with pytest.raises(ConfigurationError, match="demo accounts"):
        startup.prepare()


def test_an_unknown_mode_touches_nothing(empty_database, stagings, monkeypatch):
    monkeypatch.setenv("CAREPILOT_MODE", "staging")

    with pytest.raises(ConfigurationError):
        startup.prepare()
    assert not engines.is_current()


def test_a_database_nobody_prepared_is_prepared_by_the_first_visitor(empty_database, stagings):
    startup._ensure.cache_clear()

    startup.ensure()
    startup.ensure()

    assert engines.is_current()
    assert len(stagings) == 1


def test_a_prepared_database_is_left_alone(database, stagings):
    startup._ensure.cache_clear()

    startup.ensure()

    assert stagings == []
