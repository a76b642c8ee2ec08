from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import clock as service_clock
from services import resident_ids
from services.errors import Invalid
from services.recipients import Sex
from tests.factories import MONDAY, id_number

STANDARDS_OWN = "11010519491231002X"  # The example GB 11643 gives.
births = st.dates(date(1900, 1, 1), MONDAY.date())


@st.composite
def numbers(draw):
    """A valid number, with the birth date and sex it was made of."""
    born, sequence = draw(births), draw(st.integers(0, 999))
    first_17 = f"{draw(st.integers(100000, 999999))}{born:%Y%m%d}{sequence:03d}"
    sex = Sex.MALE if sequence % 2 else Sex.FEMALE
    return first_17 + resident_ids.check_digit(first_17), born, sex


def read(text):
    with service_clock.at(MONDAY):
        return resident_ids.read(text)


def test_the_standards_own_example_is_read():
    found = read(STANDARDS_OWN)

    assert (found.birth_date, found.sex, found.area_known) == (
        date(1949, 12, 31),
        Sex.FEMALE,
        True,
    )


@given(numbers())
def test_every_valid_number_says_birth_date_and_sex(valid):
    number, born, sex = valid
    found = read(number)

    assert (found.number, found.birth_date, found.sex) == (number, born, sex)


@given(numbers(), st.integers(0, 17), st.integers(1, 9))
def test_no_single_wrong_digit_passes(valid, place, by):
    number = valid[0]
    digit = "0123456789X".index(number[place])
    wrong = (digit + by) % (11 if place == 17 else 10)
    with pytest.raises(Invalid, match=r"error\.id_number_"):
        read(number[:place] + "0123456789X"[wrong] + number[place + 1 :])


@given(numbers(), st.integers(0, 15))
def test_no_two_neighbours_that_changed_places_pass(valid, place):
    number = valid[0]
    one, other = number[place], number[place + 1]
    if one != other:
        with pytest.raises(Invalid, match=r"error\.id_number_"):
            read(number[:place] + other + one + number[place + 2 :])


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(text):
    with suppress(Invalid):
        assert len(read(text).number) == 18


@pytest.mark.parametrize(
    "typed",
    ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ"],
)
def test_spaces_full_width_digits_and_a_small_x_are_taken(typed):
    assert read(typed).number == STANDARDS_OWN


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("", "format"),
        ("1101051949123100", "format"),
        ("110105491231002", "format"),
        ("11010519491231002XX", "format"),
        ("X1010519491231002X", "format"),
        ("110105194912310020", "check_digit"),
        ("110105194913310020", "date"),
        ("110105194902300020", "date"),
        (id_number(born=date(2030, 1, 8)), "date"),
        (id_number(born=date(1899, 12, 31)), "date"),
    ],
)
def test_what_cannot_be_a_number_is_refused(number, key):
    with pytest.raises(Invalid, match=f"id_number_{key}"):
        read(number)


def test_an_unknown_area_only_warns():
    assert not read(id_number()).area_known


def test_masked_it_shows_neither_birth_date_nor_area():
    masked = resident_ids.masked(STANDARDS_OWN)

    assert masked == "110***********002X"
    assert resident_ids.masked("") == ""
    assert "1949" not in masked
