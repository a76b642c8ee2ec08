import base64
from datetime import timedelta

import jwt
import pytest

from data.sealing import derived_key
from services import credentials


def test_a_cookie_names_its_session_until_it_expires(clock):
    cookie = credentials.cookie_value("token", clock.moment + timedelta(days=1))

    assert credentials.token_of(cookie) == "token"
    clock.move(days=1)
    assert credentials.token_of(cookie) is None


@pytest.mark.parametrize("cookie", ["", "nonsense", "a.b.c", "ey" * 100])
def test_a_broken_cookie_names_nobody(clock, cookie):
    assert credentials.token_of(cookie) is None


@pytest.mark.parametrize("key", ["another secret that is long enough for it", ""])
def test_a_cookie_signed_with_another_key_or_none_names_nobody(clock, key):
    payload = {"username": "token", "exp_date": clock.moment.timestamp() + 1000}
    algorithm = "HS256" if key else "none"

    assert credentials.token_of(jwt.encode(payload, key or None, algorithm)) is None


def test_a_forged_cookie_names_nobody(clock):
    head, body, signature = credentials.cookie_value(
        "token", clock.moment + timedelta(days=1)
    ).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    other = jwt.encode(
        {"username": "another", "exp_date": clock.moment.timestamp() + 1000}, "k" * 32, "HS256"
    ).split(".")[1]
    forged = (
        f"{none}.{body}.",  # Says that it needs no signature.
        f"{none}.{body}.{signature}",
        f"{head}.{other}.{signature}",  # Somebody else's name under our signature.
        f"{head}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
    )

    assert [credentials.token_of(cookie) for cookie in forged] == [None] * len(forged)


def test_a_cookie_of_another_algorithm_names_nobody(clock):
    payload = {"username": "token", "exp_date": clock.moment.timestamp() + 1000}

    for algorithm in ("HS384", "HS512"):
        cookie = jwt.encode(payload, derived_key("session cookie") * 2, algorithm)
        assert credentials.token_of(cookie) is None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"username": 7, "exp_date": 9e9},
        {"username": "token"},
        {"username": "t", "exp_date": ""},
    ],
)
def test_a_cookie_that_does_not_say_who_and_until_when_names_nobody(clock, payload):
    cookie = jwt.encode(payload, derived_key("session cookie"), "HS256")

    assert credentials.token_of(cookie) is None
