import pytest

from services.errors import Invalid
from services.wording import words
from tests.factories import NASTY


@pytest.mark.parametrize("typed", [NASTY, "两行\n文字\t缩进", "👨‍👩‍👧‍👦", "Ünïcödé", "a" * 200])
def test_words_are_kept_as_typed(typed):
    assert words(typed, "words", 200) == typed


def test_they_are_trimmed():
    assert words(" \n好 ", "words", 10) == "好"


@pytest.mark.parametrize("sign", ["\u0000", "\u0007", "\r", "\x1b", "\x85", "\ud800"])
def test_signs_no_database_or_screen_can_hold_are_left_out(sign):
    assert words(f"好{sign}的", "words", 10) == "好的"


@pytest.mark.parametrize("typed", ["", "   ", "\n\t", "\u0000", "\u3000"])
def test_nothing_is_missing_only_where_something_is_needed(typed):
    with pytest.raises(Invalid, match="missing") as refusal:
        words(typed, "address", 10)
    assert refusal.value.values == {"field": "address"}
    assert words(typed, "address", 10, required=False) == ""


def test_the_limit_counts_what_is_kept():
    assert words(f"  {'长' * 10}  ", "words", 10) == "长" * 10
    with pytest.raises(Invalid, match="too_long") as refusal:
        words("长" * 11, "words", 10)
    assert refusal.value.values == {"field": "words", "most": 10}
