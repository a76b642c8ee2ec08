import pytest

from services import passwords
from services.demo.cast import DEMO_PASSWORD
from services.errors import Invalid
from services.passwords import NewPassword
from tests.factories import NASTY


@pytest.mark.parametrize(
    "password", ["p4ssp4ssp4", "四个汉字四个汉字一二", NASTY, "x y" * 40, DEMO_PASSWORD]
)
def test_anything_long_enough_and_not_common_will_do(password):
    passwords.check(password, password)


@pytest.mark.parametrize("length", [0, 9, 129])
def test_it_has_a_length(length):
    typed = ("p1" * 65)[:length]

    with pytest.raises(Invalid, match="password_length"):
        passwords.check(typed, typed)


@pytest.mark.parametrize(
    "password", ["1234567890", "qwertyuiop", "QwErTyUiOp", "password123", "aaaaaaaaaaaa", "一" * 10]
)
def test_the_ones_that_guessing_begins_with_are_refused(password):
    with pytest.raises(Invalid, match="password_common"):
        passwords.check(password, password)


def test_a_mistyped_one_is_refused():
    with pytest.raises(Invalid, match="passwords_differ"):
        passwords.check("long enough", "long enouhg")


@pytest.mark.parametrize(
    "typed",
    [
        "13800000001",
        "+8613800000001",
        "周晓燕13800000001",
        "13800000001abc",
        "zhou-13800000001"[5:],
    ],
)
def test_one_of_its_owners_name_and_phone_is_refused(typed):
    with pytest.raises(Invalid, match="password_personal"):
        passwords.check_owner(NewPassword("hash", typed), "周晓燕", "+8613800000001")


def test_one_with_enough_besides_is_not():
    passwords.check_owner(NewPassword("hash", "周晓燕的密码是春天"), "周晓燕", "+8613800000001")
