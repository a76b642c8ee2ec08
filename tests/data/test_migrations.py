import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, delete, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from data import database as engines
from data.accounts import Account
from data.caregivers import Caregiver, TrackRecord
from data.consents import Consent
from data.ledger import LedgerAccount, LedgerPosting
from data.models import Base
from data.orders import Party, Visit
from data.policies import Policy
from services import changes, ledger, ledger_checks, reviews
from services.reviews import ReviewForm
from tests import factories
from tests.books import balances_of


@pytest.fixture
def engine(empty_database):
    engines.upgrade()
    return engines.engine()


def schema(engine):
    """Columns, indexes and constraints of every table but Alembic's own."""
    inspector = inspect(engine)
    reads = (
        inspector.get_indexes,
        inspector.get_unique_constraints,
        inspector.get_check_constraints,
        inspector.get_foreign_keys,
    )
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            **{read.__name__: sorted(map(_words, read(table))) for read in reads},
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def _words(found):
    """What was found, whatever order a constraint lists its values in."""
    options = {name: str(value) for name, value in found.get("dialect_options", {}).items()}
    return sorted(re.findall(r"\w+", repr(found | {"dialect_options": options})))


def test_they_go_up_down_to_nothing_and_up_again(engine):
    first = schema(engine)
    assert set(first) == set(Base.metadata.tables)
    engines.downgrade()
    assert schema(engine) == {}
    engines.upgrade()

    assert schema(engine) == first


def test_applying_them_twice_changes_nothing(engine):
    before = schema(engine)
    engines.upgrade()

    assert schema(engine) == before


def test_rows_survive_a_step_back_and_forth(engine):
    with engines.writing() as session:
        factories.add_cast(session)
        factories.make_order(session)
    before = contents(engine)
    engines.downgrade("0001")
    kept = set(inspect(engine).get_table_names()) & set(before)
    engines.upgrade()
    after = contents(engine)

    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def contents(engine):
    """How many rows every table holds."""
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }


def test_they_say_what_the_models_say(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Base.metadata) == []


def test_they_make_the_constraints_the_models_would_make(engine, empty_database):
    migrated = schema(engine)
    engines.downgrade()
    plain = create_engine(empty_database)
    Base.metadata.create_all(plain)
    made = schema(plain)
    Base.metadata.drop_all(plain)
    plain.dispose()

    assert migrated == made


def test_the_database_says_whether_it_is_current(empty_database):
    assert not engines.is_current()
    engines.upgrade()
    assert engines.is_current()


def test_writing_connections_to_sqlite_lose_nothing_and_check_references(sqlite_database):
    with engines.writing() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("synchronous", "foreign_keys", "journal_mode", "busy_timeout")
        }

    assert pragmas == {
        "synchronous": 2,
        "foreign_keys": 1,
        "journal_mode": "wal",
        "busy_timeout": 15000,
    }


@pytest.mark.postgresql
def test_postgresql_keeps_visits_of_a_caregiver_apart_by_itself(postgresql_database):
    with engines.engine().connect() as connection:
        found = connection.scalar(
            text(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conname = 'ex_visits_one_at_a_time'"
            )
        )

    assert found.startswith("EXCLUDE USING gist")
    assert "tstzrange(starts_at, ends_at) WITH &&" in found
    assert "cancelled" in found


def test_track_records_are_counted_from_what_is_there(engine):
    with engines.writing() as session:
        factories.add_cast(session)
        visit_id = factories.make_redeemed_visit(session)
        reviews.write(session, factories.ZHOU, visit_id, ReviewForm(5, 4, 3, 4))
    kept = select(*(Caregiver.__table__.c[name] for name in TrackRecord.__annotations__)).where(
        Caregiver.id == factories.LI.id
    )
    with engine.connect() as connection:
        before = connection.execute(kept).one()
    engines.downgrade("0002")
    engines.upgrade()

    with engine.connect() as connection:
        assert connection.execute(kept).one() == before == (1, 2 * 3600, 1, 1, 5, 4, 3, 4)


def test_whoever_had_agreed_agreed_to_the_first_versions(engine):
    since = factories.MONDAY
    with engines.writing() as session:
        factories.add_cast(session)
        session.get_one(Account, factories.ZHOU.id).agreed_at = since
    engines.downgrade("0003")
    engines.upgrade()

    with engines.reading() as session:
        kept = session.scalars(select(Consent)).all()
        assert {(one.account_id, one.policy, one.policy_version) for one in kept} == {
            (factories.ZHOU.id, Policy.AGREEMENT, 1),
            (factories.ZHOU.id, Policy.PRIVACY, 1),
        }
        assert {one.created_at for one in kept} == {since}


def test_receipts_can_be_recorded_anew_after_a_step_back(engine):
    def pay():
        with engines.writing() as session:
            factories.make_receipt(session)
        with engines.reading() as session:
            owed = ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, factories.ZHOU.id)
            return owed, ledger_checks.faults(session)

    with engines.writing() as session:
        factories.add_cast(session)
        factories.make_order(session)
    first = pay()
    engines.downgrade("0012")
    engines.upgrade()

    assert pay() == first == (0, ledger_checks.Faults(0, 0, 0, 0))
    with pytest.raises(DBAPIError, match="only ever added to"), engines.writing() as session:
        session.execute(delete(LedgerPosting))


def test_what_a_caregiver_owes_is_owed_after_a_step_back_and_forth(engine, clock):
    def owed():
        with engines.reading() as session:
            assert ledger_checks.faults(session) == ledger_checks.Faults(0, 0, 0, 0)
            return balances_of(session, factories.LI)

    with engines.writing() as session:
        factories.add_cast(session)
        factories.make_redeemed_visit(session)
        visit_id = factories.make_visit(session)
        visit = session.get_one(Visit, visit_id)
    clock.move(to=visit.starts_at)
    with engines.writing() as session:
        changes.miss(session, factories.OPERATOR, visit_id, Party.CAREGIVER, "没有来")
    before = owed()
    engines.downgrade("0014")
    engines.upgrade()

    assert owed() == before == (6800, 0, 0, 0, 4000)
    with pytest.raises(DBAPIError, match="only ever added to"), engines.writing() as session:
        session.execute(delete(LedgerPosting))
