"""What a failure says in the log, and that the watch over the whole run would notice a person."""

import logging

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from data.accounts import Account
from data.orders import Visit
from services.errors import Conflict
from tests import log_watch
from tests.factories import NAMES, ZHOU, make_visit, phone_of

LOG = logging.getLogger("carepilot")


@pytest.fixture
def noticed():
    """What the watch found in this test; these finds are meant."""
    yield log_watch.found
    log_watch.found.clear()


@pytest.mark.parametrize(
    "said",
    [
        NAMES[ZHOU],
        phone_of(ZHOU),
        "13800000001",
        "11010519491231002X",
        ascii(NAMES[ZHOU]),
        repr(NAMES[ZHOU].encode()),
        "/find?name=%E5%91%A8",
    ],
)
def test_a_person_in_a_message_is_noticed(noticed, said):
    LOG.warning("somebody: %s", said)

    assert len(noticed) == 1


def test_a_person_in_an_exception_is_noticed_even_behind_another(noticed):
    try:
        try:
            raise ValueError(NAMES[ZHOU])
        except ValueError:
            raise RuntimeError("at last") from None
    except RuntimeError as error:
        error.__cause__ = error.__context__
        LOG.exception("unexpected 1f2e")

    assert len(noticed) == 1


def test_numbers_and_times_are_nobody(noticed):
    LOG.warning("order 20000 at 2030-01-07 09:00, 139123456789012 bytes, 0.13800000001 s")

    assert noticed == []


def test_a_refused_row_is_not_told(session, noticed):
    visit_id = make_visit(session)
    for deed in (
        update(Account).where(Account.id == ZHOU.id).values(phone_hash=None),
        update(Visit).where(Visit.id == visit_id).values(ends_at=Visit.starts_at),
    ):
        try:
            with session.begin_nested():
                session.execute(deed)
        except IntegrityError:
            LOG.exception("unexpected")
        else:
            raise AssertionError("It should have been refused")

    assert noticed == []


def test_a_refusal_carries_a_key_and_no_words():
    assert str(Conflict("error.phone_taken")) == "error.phone_taken"
