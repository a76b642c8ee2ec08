import re

import pytest
from sqlalchemy import select, text, update

from data import database as engines
from data import sealing
from data.accounts import Account
from data.caregivers import Certificate
from data.demands import Demand
from data.recipients import Recipient
from data.sealing import CannotOpen
from services import accounts
from services.accounts import CodePurpose
from tests.factories import (
    LI,
    MOTHER_ID,
    NASTY,
    STRANGERS_FATHER_ID,
    ZHOU,
    make_redeemed_visit,
    phone_of,
)

SECRETS = ["13800000001", "濠河花园", "高血压", "6 号楼 312 床", "13900001111", "NT-2029-0042"]


class TestSealing:
    def test_opens_for_its_row_and_column(self):
        assert sealing.open_sealed(sealing.seal(NASTY.encode(), "a|b|1"), "a|b|1") == NASTY.encode()

    @pytest.mark.parametrize("elsewhere", ["a|b|2", "a|c|1", "z|b|1", ""])
    def test_opens_nowhere_else(self, elsewhere):
        blob = sealing.seal(b"secret", "a|b|1")

        with pytest.raises(CannotOpen):
            sealing.open_sealed(blob, elsewhere)

    @pytest.mark.parametrize("place", [0, 4, 16, -1])
    def test_does_not_open_when_a_byte_was_changed(self, place):
        blob = bytearray(sealing.seal(b"secret", "a|b|1"))
        blob[place] ^= 1

        with pytest.raises(CannotOpen):
            sealing.open_sealed(bytes(blob), "a|b|1")

    def test_the_same_text_never_looks_the_same(self):
        assert sealing.seal(b"secret", "a|b|1") != sealing.seal(b"secret", "a|b|1")

    def test_search_keys_are_the_same_for_the_same_text_and_purpose_only(self):
        key = sealing.keyed_hash("phone", "138")

        assert re.fullmatch("[0-9a-f]{64}", key)
        assert key == sealing.keyed_hash("phone", "138")
        assert key != sealing.keyed_hash("phone tail", "138")
        assert key != sealing.keyed_hash("phone", "139")


class TestRows:
    def test_a_value_moved_to_another_row_does_not_open(self, session):
        mother, father = (
            session.get_one(Recipient, one) for one in (MOTHER_ID, STRANGERS_FATHER_ID)
        )
        father.conditions_sealed = mother.conditions_sealed

        assert mother.conditions == "高血压,按时服药"
        with pytest.raises(CannotOpen):
            _ = father.conditions

    def test_a_value_moved_to_another_column_does_not_open(self, session):
        session.execute(update(Recipient).values(ward_sealed=Recipient.conditions_sealed))

        with pytest.raises(CannotOpen):
            _ = session.get_one(Recipient, MOTHER_ID).ward

    def test_a_value_moved_with_its_row_number_does_not_open(self, session):
        rows = session.scalars(select(Account).order_by(Account.id)).all()

        assert len({row.sealed_id for row in rows}) == len(rows)
        assert [row.phone for row in rows] == [f"+86138000000{row.id:02d}" for row in rows]

    def test_an_empty_text_is_stored_as_nothing(self, session):
        mother = session.get_one(Recipient, MOTHER_ID)
        mother.ward = ""

        assert (mother.ward_sealed, mother.ward) == (None, "")


def everything_personal(session):
    """A whole order's life, a certificate with its number, a text on its way."""
    make_redeemed_visit(session)
    certificate = session.scalars(
        select(Certificate).where(Certificate.caregiver_id == LI.id).limit(1)
    ).one()
    certificate.number = "NT-2029-0042"
    accounts.request_code(session, phone_of(ZHOU), CodePurpose.SIGN_IN)


def test_no_personal_detail_stands_in_the_raw_sqlite_file(sqlite_database):
    with engines.writing() as session:
        everything_personal(session)
        assert session.scalars(select(Demand)).one().address.startswith("濠河花园")
    with engines.engine().connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    file = engines.make_url(sqlite_database).database
    with open(file, "rb") as stored:
        raw = stored.read()

    assert "周晓燕".encode() in raw  # What is not sealed would be found.
    assert [secret for secret in SECRETS if secret.encode() in raw] == []


@pytest.mark.postgresql
def test_no_personal_detail_stands_in_any_postgresql_row(postgresql_database):
    with engines.writing() as session:
        everything_personal(session)
        session.flush()
        rows = [
            repr(session.execute(text(f'SELECT * FROM "{table.name}"')).all())
            for table in Demand.metadata.sorted_tables
        ]

    assert any("周晓燕" in row for row in rows)
    assert [secret for secret in SECRETS if any(secret in row for row in rows)] == []
