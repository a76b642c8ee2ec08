"""Guesses and codes that come at the same moment: each is counted, and a code works once."""

import pytest
from pyotp.totp import TOTP
from sqlalchemy import func, select

from data import database as engines
from data.sessions import SignInAttempt
from services import attempts, second_factors, sessions
from services.access import Role
from services.errors import ServiceError
from tests.factories import BROWSER, OPERATOR, ZHOU, phone_of
from tests.races.rush import rush

pytestmark = pytest.mark.race


def test_of_many_guesses_at_once_only_the_first_three_look_at_the_password(database):
    outcomes = rush(
        lambda _: engines.transact(lambda db: attempts.begin(db, phone_of(ZHOU), BROWSER))
    )

    looked = [one for one in outcomes if not isinstance(one, ServiceError)]
    assert len(looked) == attempts.FREE_FOR_ACCOUNT
    with engines.reading() as session:
        assert session.scalar(select(func.count(SignInAttempt.id))) == len(looked)


def test_a_code_of_the_second_factor_opens_one_of_many_doors(database, clock):
    with engines.writing() as session:
        secret = second_factors.begin(session, OPERATOR).text
        first = sessions.open_session(session, OPERATOR.id, BROWSER, role=Role.OPERATOR).token
        shown = TOTP(secret).at(int(clock().timestamp()))
        second_factors.confirm(session, OPERATOR, first, shown)
    clock.move(seconds=30)
    shown = TOTP(secret).at(int(clock().timestamp()))
    with engines.writing() as session:
        tokens = [
            sessions.open_session(session, OPERATOR.id, BROWSER, role=Role.OPERATOR).token
            for _ in range(second_factors.MOST_WRONG_TRIES)
        ]

    outcomes = rush(
        lambda number: engines.transact(
            lambda db: second_factors.pass_door(db, tokens[number], shown)
        ),
        threads=len(tokens),
    )

    assert outcomes.count(None) == 1
