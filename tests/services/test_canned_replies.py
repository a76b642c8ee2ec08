"""Replies said often: kept by operators under a shortcut, filled from the talk."""

import pytest

from services import canned_replies
from services.errors import Invalid, NotFound
from tests.factories import DESK, FAR_OPERATOR, LUZHOU, NANTONG, NASTY, OPERATOR


def test_what_is_kept_is_there_for_the_citys_staff_alone(session):
    canned_replies.save(session, OPERATOR, NANTONG, "/您好", "{name}您好", "Hello {name}")
    [kept] = canned_replies.usable(session, DESK, NANTONG)

    assert (kept.shortcut, kept.words_zh, kept.words_en) == ("您好", "{name}您好", "Hello {name}")
    assert canned_replies.usable(session, FAR_OPERATOR, NANTONG) == []
    with pytest.raises(NotFound):
        canned_replies.save(session, OPERATOR, LUZHOU, "x", "x")
    with pytest.raises(NotFound, match="reply_not_found"):
        canned_replies.retire(session, FAR_OPERATOR, kept.id)


def test_a_shortcut_is_changed_taken_out_and_used_again(session):
    for text in ("一", "二"):
        canned_replies.save(session, OPERATOR, NANTONG, "a", text)
    [kept] = canned_replies.usable(session, DESK, NANTONG)
    assert kept.words_zh == "二"
    canned_replies.retire(session, OPERATOR, kept.id)
    session.flush()
    assert canned_replies.usable(session, DESK, NANTONG) == []
    canned_replies.save(session, OPERATOR, NANTONG, "a", "三")

    assert [one.words_zh for one in canned_replies.usable(session, DESK, NANTONG)] == ["三"]


@pytest.mark.parametrize("text", ["{phone}", "{", "{name.x}", "{0}"])
def test_a_blank_nobody_fills_is_refused(session, text):
    with pytest.raises(Invalid, match="reply_blank"):
        canned_replies.save(session, OPERATOR, NANTONG, "a", text)


def test_names_are_filled_as_they_are(session):
    said = "{name}您好，订单{order}由{caregiver}服务"

    assert canned_replies.filled(said, name=NASTY, order="7") == f"{NASTY}您好，订单7由服务"
