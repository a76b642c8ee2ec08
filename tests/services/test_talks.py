"""Talks with customer service: said once, queued, answered by one, settled, liked."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from data.chat import Attachment, Message, Side, Talk, TalkStatus
from data.history import AuditEvent, Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage, OutboxStatus
from services import attachments, chat_desk, messages, pictures, scans, talks
from services.access import SYSTEM, Actor, Channel, Role
from services.chat_desk import Box
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.messages import Said
from services.pictures import PictureKind
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHOU,
    empty_page,
    make_order,
    phone_of,
)
from tests.services.test_documents import png_of


def said(text="在吗？", **changes):
    return Said(text, uuid4().hex, **changes)


def ask(session, text="在吗？", actor=ZHOU, **changes):
    """Ask customer service; return the talk's number."""
    messages.ask(session, actor, said(text, **changes), NANTONG)
    return session.scalars(select(Talk.id).where(Talk.account_id == actor.id)).all()[-1]


def talk_of(session, talk_id):
    return session.get_one(Talk, talk_id, populate_existing=True)


def steps(session, talk_id):
    return session.scalars(
        select(StatusChange.move)
        .where(StatusChange.noun == Noun.TALK, StatusChange.subject_id == talk_id)
        .order_by(StatusChange.id)
    ).all()


def shown(session, actor, talk_id):
    return [
        one.words
        for one in messages.thread(session, actor, talk_id)
        if one.side is not Side.PLATFORM
    ]


class TestAsking:
    def test_words_come_back_as_they_were_typed_whatever_they_are(self, session):
        for text in (NASTY, "𠮷", "https://example.com/?a=1", "一"):
            talk_id = ask(session, text)

        assert shown(session, ZHOU, talk_id) == [
            NASTY, "𠮷", "https://example.com/?a=1", "一",
        ]  # fmt: skip
        assert shown(session, DESK, talk_id) == shown(session, ZHOU, talk_id)

    def test_what_is_said_twice_with_a_key_is_said_once(self, session):
        one = said()

        assert messages.ask(session, ZHOU, one, NANTONG) == messages.ask(session, ZHOU, one)
        assert session.scalar(select(func.count(Message.id))) == 1

    @pytest.mark.parametrize(
        ("text", "key"),
        [("", "error.missing"), (" \n", "error.missing"), ("长" * 200_000, "error.too_long")],
    )
    def test_nothing_and_far_too_much_are_refused(self, session, text, key):
        with pytest.raises(Invalid, match=key):
            messages.ask(session, ZHOU, said(text), NANTONG)
        assert session.scalar(select(func.count(Message.id))) == 0

    def test_two_thousand_characters_fit(self, session):
        talk_id = ask(session, "长" * 2000)

        assert shown(session, DESK, talk_id) == ["长" * 2000]

    def test_the_eleventh_message_in_ten_seconds_waits(self, session, clock):
        for number in range(10):
            talk_id = ask(session, f"{number}")
        for _ in range(40):
            with pytest.raises(Conflict, match="chat_too_fast"):
                ask(session, "还有")
        clock.move(seconds=10)
        ask(session, "还有")

        assert len(shown(session, ZHOU, talk_id)) == 11

    def test_without_a_city_one_has_to_be_named(self, session):
        with pytest.raises(Invalid, match="chat_city"):
            messages.ask(session, STRANGER, said())
        with pytest.raises(Invalid, match="chat_city"):
            messages.ask(session, STRANGER, said(), "110100")

    def test_a_caregiver_is_answered_where_she_works(self, session):
        messages.ask(session, LI, said("工资什么时候到？"))
        talk_id = session.scalars(select(Talk.id)).one()

        assert talk_of(session, talk_id).city_code == NANTONG
        assert messages.thread(session, LI, talk_id)[0].side is Side.CAREGIVER

    def test_who_is_a_caregiver_too_has_one_talk_in_both_roles(self, session):
        talk_id = ask(session, "一", actor=LI)
        ask(session, "二", actor=Actor(LI.id, Role.CUSTOMER))

        assert [one.side for one in messages.thread(session, DESK, talk_id)] == [
            Side.CAREGIVER,
            Side.CUSTOMER,
        ]


class TestWhoSees:
    def test_nobody_reaches_anothers_talk(self, session):
        talk_id = ask(session)
        for actor in (STRANGER, LI, FAR_OPERATOR):
            with pytest.raises(NotFound, match="talk_not_found"):
                messages.thread(session, actor, talk_id)

    def test_the_staff_do_not_answer_their_own_talk(self, session):
        talk_id = ask(session, actor=Actor(OPERATOR.id, Role.CUSTOMER))

        with pytest.raises(NotFound):
            messages.answer(session, OPERATOR, talk_id, said("我自己"))
        assert chat_desk.inbox(session, OPERATOR, Box.QUEUE) == []
        assert len(chat_desk.inbox(session, DESK, Box.QUEUE)) == 1

    def test_a_note_is_for_the_staff_alone(self, session):
        talk_id = ask(session)
        messages.jot(session, DESK, talk_id, said("上次也投诉过"))

        assert shown(session, ZHOU, talk_id) == ["在吗？"]
        assert shown(session, OPERATOR, talk_id) == ["在吗？", "上次也投诉过"]
        assert messages.unread(session, ZHOU) == {}
        assert talk_of(session, talk_id).first_answered_at is None

    def test_a_note_has_no_pictures(self, session):
        with pytest.raises(Invalid, match="note_words_only"):
            messages.jot(session, DESK, ask(session), said(pages=[empty_page()]))


class TestAnswering:
    def test_the_first_to_answer_has_the_talk_and_the_others_are_told_whose_it_is(self, session):
        talk_id = ask(session)
        messages.answer(session, DESK, talk_id, said("您好"))

        assert talk_of(session, talk_id).assigned_to_id == DESK.id
        with pytest.raises(Conflict, match="talk_taken") as refused:
            messages.answer(session, OPERATOR, talk_id, said("您好"))
        assert refused.value.values == {"name": "孙文静"}
        with pytest.raises(Conflict, match="talk_moved_on"):
            talks.take(session, OPERATOR, talk_id)
        assert steps(session, talk_id) == ["begin", "take"]

    def test_the_clocks_tell_how_long_it_took(self, session, clock):
        talk_id = ask(session)
        began = clock()
        clock.move(minutes=3)
        ask(session, "还在吗？")
        assert talk_of(session, talk_id).waiting_since == began
        messages.answer(session, DESK, talk_id, said("在的"))
        clock.move(minutes=4)
        messages.answer(session, DESK, talk_id, said("好了"))
        talks.settle(session, DESK, talk_id)
        session.flush()
        talk = talk_of(session, talk_id)

        assert talk.waiting_since is None
        assert talk.first_answered_at == began + timedelta(minutes=3)
        assert talk.settled_at == began + timedelta(minutes=7)
        found = chat_desk.figures(session, OPERATOR)
        assert (found.first_answer_seconds, found.resolution_seconds) == (180, 420)

    def test_a_colleague_of_the_city_takes_over(self, session):
        talk_id = ask(session)
        talks.take(session, DESK, talk_id)

        assert [one.id for one in talks.colleagues(session, DESK, talk_id)] == [OPERATOR.id]
        talks.hand_over(session, DESK, talk_id, OPERATOR.id or 0)
        assert talk_of(session, talk_id).assigned_to_id == OPERATOR.id
        messages.answer(session, OPERATOR, talk_id, said("我来"))
        for nobody in (FAR_OPERATOR, ZHOU, LI):
            with pytest.raises(NotFound, match="colleague_not_found"):
                talks.hand_over(session, OPERATOR, talk_id, nobody.id or 0)

    def test_a_settled_talk_is_answered_no_more_and_reopened_by_a_message(self, session, clock):
        talk_id = ask(session)
        talks.settle(session, DESK, talk_id)
        with pytest.raises(Conflict, match="talk_settled"):
            messages.answer(session, DESK, talk_id, said("还有一句"))
        clock.move(days=1)
        assert ask(session, "又来了") == talk_id
        assert talk_of(session, talk_id).status is TalkStatus.WAITING
        talks.settle(session, DESK, talk_id)
        clock.move(days=4)

        assert ask(session, "另一件事") != talk_id

    def test_it_is_scored_once_and_after_it_is_settled(self, session):
        talk_id = ask(session)
        with pytest.raises(Conflict, match="talk_moved_on"):
            talks.rate(session, ZHOU, talk_id, 5)
        talks.settle(session, DESK, talk_id)
        with pytest.raises(Invalid, match="score_out_of_range"):
            talks.rate(session, ZHOU, talk_id, 6)
        with pytest.raises(NotFound):
            talks.rate(session, STRANGER, talk_id, 1)
        talks.rate(session, ZHOU, talk_id, 4, NASTY)
        with pytest.raises(Conflict, match="talk_rated"):
            talks.rate(session, ZHOU, talk_id, 1)

        assert chat_desk.one(session, DESK, talk_id).score_words == NASTY
        assert chat_desk.figures(session, OPERATOR).score == 4


class TestWaiting:
    def test_whom_nobody_answers_goes_back_and_the_staff_are_told_once(self, session, clock):
        talk_id = ask(session)
        talks.take(session, DESK, talk_id)
        clock.move(minutes=9)
        assert talks.requeue_due(session, SYSTEM) == 0
        clock.move(minutes=1)

        assert talks.requeue_due(session, SYSTEM) == 1
        assert talks.requeue_due(session, SYSTEM) == 0
        assert talk_of(session, talk_id).assigned_to_id is None
        told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.CHAT_ASKED)
        assert set(session.scalars(told)) == {DESK.id, OPERATOR.id}
        assert len(session.scalars(told).all()) == 2
        assert chat_desk.one(session, DESK, talk_id).late

    def test_who_took_it_late_has_the_same_time(self, session, clock):
        talk_id = ask(session)
        clock.move(minutes=15)
        talks.take(session, DESK, talk_id)
        clock.move(minutes=9)

        assert talks.requeue_due(session, SYSTEM) == 0

    def test_at_night_nobody_is_called_and_the_page_says_when_somebody_comes(self, session, clock):
        clock.move(hours=13)
        talk_id = ask(session)
        talks.take(session, DESK, talk_id)
        clock.move(hours=1)
        assert talks.requeue_due(session, SYSTEM) == 0
        hours = talks.standing(session, ZHOU).hours

        assert not hours.open_now
        assert hours.opens_at - clock() == timedelta(hours=9)
        clock.move(to=hours.opens_at)
        assert talks.requeue_due(session, SYSTEM) == 1

    def test_who_waits_longest_comes_first(self, session, clock):
        first = ask(session)
        clock.move(minutes=1)
        second = ask(session, actor=STRANGER)
        clock.move(minutes=1)
        ask(session, "还有")

        assert [one.id for one in chat_desk.inbox(session, DESK, Box.QUEUE)] == [first, second]
        assert chat_desk.counts(session, DESK) == {Box.QUEUE: 2, Box.MINE: 0}


class TestReading:
    def test_what_is_read_is_not_counted_and_needs_no_notice(self, session):
        talk_id = ask(session)
        number = messages.answer(session, DESK, talk_id, said("您好"))
        assert messages.unread(session, ZHOU) == {None: 1}
        assert messages.unread(session, STRANGER) == {}
        messages.mark_read(session, ZHOU, talk_id, number)
        messages.mark_read(session, ZHOU, talk_id, number - 1)

        assert messages.unread(session, ZHOU) == {}
        assert session.scalars(select(OutboxMessage.status)).all() == [OutboxStatus.CANCELLED]

    def test_who_does_not_look_is_told_once_for_all_answers(self, session, clock):
        talk_id = ask(session)
        for text in ("您好", "请稍等", "好了"):
            messages.answer(session, DESK, talk_id, said(text))
        [notice] = session.scalars(select(OutboxMessage)).all()
        assert notice.next_try_at == clock() + messages.LOOKING
        ask(session, "再问")
        messages.answer(session, DESK, talk_id, said("再答"))

        kinds = session.scalars(select(OutboxMessage.kind)).all()
        assert kinds == [NoticeKind.CHAT_ANSWERED] * 2

    def test_the_inbox_counts_what_this_colleague_has_not_read(self, session):
        talk_id = ask(session)
        ask(session, "二")
        [seen] = chat_desk.inbox(session, DESK, Box.QUEUE)
        assert (seen.unread, seen.last_words) == (2, "二")
        messages.mark_read(session, DESK, talk_id, 2)

        assert chat_desk.one(session, DESK, talk_id).unread == 0
        assert chat_desk.one(session, OPERATOR, talk_id).unread == 2


class TestSearch:
    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("周晓", 1),
            (phone_of(ZHOU), 1),
            ("0001", 1),
            ("在吗", 1),
            ("0002", 0),
            ("%", 0),
            ("泸", 0),
        ],
    )
    def test_by_name_phone_and_words(self, session, typed, found):
        ask(session)

        assert len(chat_desk.inbox(session, DESK, Box.ALL, typed)) == found

    def test_by_the_number_of_an_order(self, session):
        order_id = make_order(session)
        ask(session)

        assert len(chat_desk.inbox(session, DESK, Box.ALL, f"#{order_id}")) == 1
        assert chat_desk.inbox(session, DESK, Box.ALL, "999999999999999") == []

    def test_a_whole_phone_is_opened_on_record(self, session):
        talk_id = ask(session)

        assert chat_desk.phone(session, DESK, talk_id) == phone_of(ZHOU)
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
        assert (event.action, event.subject, event.subject_id) == ("open_phone", "talk", talk_id)


class TestPicturesAndCards:
    def test_a_picture_is_seen_by_both_sides_with_tickets(self, session):
        talk_id = ask(session, "", pages=[empty_page()])
        [picture] = messages.thread(session, DESK, talk_id)[0].pictures
        own = pictures.ticket(session, ZHOU, PictureKind.ATTACHMENT, picture.id, "own")
        staffs = pictures.ticket(session, DESK, PictureKind.ATTACHMENT, picture.id, "chat")

        assert pictures.use(session, ZHOU, own) == (empty_page().image, "")
        assert "chat" in pictures.use(session, DESK, staffs)[1]
        for actor, purpose in (
            (STRANGER, "own"),
            (LI, "own"),
            (FAR_OPERATOR, "chat"),
            (DESK, "own"),
        ):
            with pytest.raises(NotFound):
                pictures.ticket(session, actor, PictureKind.ATTACHMENT, picture.id, purpose)

    def test_a_bomb_and_a_pdf_never_become_a_message_and_the_same_words_may_be_sent(self, session):
        one = said("看这里")
        for bad, key in ((png_of(60_000, 60_000), "too_many_pixels"), (b"%PDF-1.7", "is_pdf")):
            with pytest.raises(Invalid, match=key):
                messages.ask(session, ZHOU, replace(one, pages=(scans.photo_of(bad),)), NANTONG)
        messages.ask(session, ZHOU, one, NANTONG)

        assert session.scalars(select(Message.words)).all() == ["看这里"]
        assert session.scalars(select(Attachment)).all() == []

    def test_five_pictures_are_too_many(self, session):
        with pytest.raises(Invalid, match="attachments_too_many"):
            ask(session, pages=[empty_page()] * 5)

    def test_pictures_go_when_the_city_keeps_them_no_longer(self, session, clock):
        ask(session, pages=[empty_page()])
        clock.move(days=89)
        assert attachments.shred_due(session, SYSTEM) == 0
        clock.move(days=2)

        assert attachments.shred_due(session, SYSTEM) == 1
        assert session.scalars(select(Attachment.content_sealed)).all() == [None]

    def test_an_order_is_shown_only_to_those_whose_it_is(self, session):
        order_id = make_order(session)
        talk_id = ask(session, "", order_id=order_id)
        assert messages.thread(session, DESK, talk_id)[0].order_id == order_id
        with pytest.raises(Invalid, match="card_not_theirs"):
            ask(session, actor=STRANGER, order_id=order_id)
        ask(session, actor=LI, order_id=order_id)
        assert messages.cards(session, ZHOU) == [order_id]


class TestAccounts:
    def test_talks_follow_a_merged_account_and_two_open_ones_become_one(self, session):
        kept = ask(session, "我")
        gone = ask(session, "也是我", actor=STRANGER)
        session.flush()
        talks.follow_merged(session, ZHOU.id or 0, STRANGER.id or 0)
        session.flush()

        assert talk_of(session, gone).status is TalkStatus.SETTLED
        assert talk_of(session, gone).account_id == ZHOU.id
        assert ask(session, "还是我") in (kept, gone)
        assert talk_of(session, kept).status is TalkStatus.WAITING

    def test_every_word_of_somebody_can_be_blanked(self, session):
        talk_id = ask(session, "私密", pages=[empty_page()])
        messages.jot(session, DESK, talk_id, said("私密的备注"))
        messages.forget_of(session, [ZHOU.id or 0])

        assert shown(session, DESK, talk_id) == ["", ""]


def test_only_those_who_take_part_may_talk(session):
    analyst = Actor(9, Role.ANALYST, frozenset({NANTONG}), Channel.APP)
    with pytest.raises(NotAllowed):
        messages.ask(session, analyst, said(), NANTONG)
    with pytest.raises(NotAllowed):
        messages.ask(session, DESK, said(), NANTONG)
