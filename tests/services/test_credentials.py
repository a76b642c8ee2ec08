from datetime import timedelta

import jwt
import pytest

from services import credentials

PASSWORD = "密码" * 40 + " 🔑"


def test_only_the_right_password_fits():
    hashed = credentials.hash_password(PASSWORD)

    assert credentials.password_fits(PASSWORD, hashed)
    assert not credentials.password_fits(PASSWORD[:-1], hashed)  # All of it counts, not 72 bytes.
    assert not credentials.password_fits("", hashed)
    assert PASSWORD not in hashed


def test_nothing_fits_an_account_without_a_password():
    assert not credentials.password_fits("nobody has this password", None)


def test_a_cookie_names_its_session_until_it_expires(clock):
    cookie = credentials.cookie_value("token", clock.moment + timedelta(days=1))

    assert credentials.token_of(cookie) == "token"
    clock.move(days=1)
    assert credentials.token_of(cookie) is None


@pytest.mark.parametrize("cookie", ["", "nonsense", "a.b.c", "ey" * 100])
def test_a_broken_cookie_names_nobody(clock, cookie):
    assert credentials.token_of(cookie) is None


@pytest.mark.parametrize("key", ["another secret that is long enough for it", ""])
def test_a_forged_cookie_names_nobody(clock, key):
    payload = {"username": "token", "exp_date": clock.moment.timestamp() + 1000}
    algorithm = "HS256" if key else "none"

    assert credentials.token_of(jwt.encode(payload, key or None, algorithm)) is None
