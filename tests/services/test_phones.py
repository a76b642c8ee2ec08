import pytest

from services import phones
from services.errors import Invalid


@pytest.mark.parametrize(
    "typed",
    ["13800000001", " 138 0000 0001 ", "138-0000-0001", "+86 138 0000 0001", "008613800000001"],
)
def test_every_way_to_write_a_number_is_the_same_number(typed):
    assert phones.normalised(typed) == "+8613800000001"


def test_a_foreign_number_keeps_its_country():
    assert phones.normalised("+44 20 7946 0018") == "+442079460018"


@pytest.mark.parametrize("typed", ["", "1380000", "138000000011", "你好", "+", "👵🏽", "1" * 500])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(Invalid, match="phone_invalid"):
        phones.normalised(typed)


def test_it_is_shown_without_its_middle():
    assert phones.masked("+8613812345678") == "138****5678"


def test_the_last_four_digits_find_it_too():
    one, other = "+8613800000001", "+8613911110001"

    assert phones.tail_hash(one) == phones.tail_hash(other)
    assert phones.whole_hash(one) != phones.whole_hash(other)
    assert phones.whole_hash(one) != phones.tail_hash(one)
