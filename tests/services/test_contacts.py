"""Ways past the platform, found in what people write; and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.compliance import contacts


@pytest.mark.parametrize(
    "said",
    [
        "我的电话13812345678",
        "打 138 1234 5678 给我",
        "１３８－１２３４－５６７８",
        "138.1234.5678",
        "幺三八一二三四五六七八",
        "加微信 li_care88",
        "微信号：caring2020",
        "VX wang-123456",
        "wechat: nurse_001",
        "QQ号 123456789",
    ],
)
def test_is_found_however_it_is_written(said):
    assert contacts.told_in(said)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "下午 13:00 到 15:00 在 3 幢 502 室",
        "血压 138/85，体重 60 公斤",
        "编号 202611290001234567",
        "可以用微信支付吗",
        "孩子会用 wechat 视频",
        "一号楼三单元八楼",
        "身高一米七八",
    ],
)
def test_other_numbers_and_words_are_none(said):
    assert not contacts.told_in(said)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.lists(st.sampled_from(["", " ", "-", ".", " - "[:2]]), min_size=10, max_size=10),
)
def test_a_number_with_signs_between_is_the_number_still(phone, between):
    spaced = "".join(digit + sign for digit, sign in zip(phone, [*between, ""], strict=True))

    assert contacts.told_in(f"请打{spaced}")
