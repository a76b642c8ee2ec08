import pytest

from components import passwords
from services.demo.cast import _ITS_HASH, DEMO_PASSWORD
from services.errors import Invalid

PASSWORD = "密码" * 40 + " 🔑"


def test_only_the_right_password_fits():
    hashed = passwords.hashed(PASSWORD)

    assert passwords.fits(PASSWORD, hashed)
    assert not passwords.fits(PASSWORD[:-1], hashed)  # All of it counts, not 72 bytes.
    assert not passwords.fits("", hashed)
    assert PASSWORD not in hashed


def test_nothing_fits_an_account_without_a_password():
    assert not passwords.fits("nobody has this password", None)


def test_the_demos_password_fits_the_hash_it_is_staged_with():
    assert passwords.fits(DEMO_PASSWORD, _ITS_HASH)


def test_comparing_takes_as_long_without_an_account(monkeypatch):
    compared = []
    monkeypatch.setattr(
        passwords,
        "_hasher",
        lambda: type("H", (), {"check_pw": lambda *them: compared.append(them)}),
    )
    monkeypatch.setattr(passwords, "_nobodys_hash", lambda: "nobody's")
    for kept in ("somebody's", None):
        passwords.fits("a password", kept)

    assert [kept for _, kept in compared] == ["somebody's", "nobody's"]


def test_a_new_one_is_hashed_and_a_bad_one_refused_before(monkeypatch):
    monkeypatch.setattr(passwords, "hashed", lambda typed: f"hash of {typed}")

    new = passwords.made("long enough", "long enough")
    assert (new.hash, new.typed) == ("hash of long enough", "long enough")
    assert repr(new) == "NewPassword()"
    with pytest.raises(Invalid, match="passwords_differ"):
        passwords.made("long enough", "long enouhg")
