"""Chat on screen: the panel of every page, the staff's inbox, the talk about an order."""

import io
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import select

from data.chat import Attachment, Message, Talk, TalkStatus
from data.database import reading, writing
from services import canned_replies, guests, messages
from services.messages import Said
from tests.factories import (
    ANALYST,
    BROWSER,
    DESK,
    LI,
    NANTONG,
    NASTY,
    OPERATOR,
    ZHOU,
    make_order,
)
from tests.pages.screen import errors, keys, opened, said, words
from tests.services.test_documents import png_of


def asked(text="在吗？"):
    with writing() as session:
        messages.ask(session, ZHOU, Said(text, uuid4().hex), NANTONG)
    with reading() as session:
        return session.scalars(select(Talk.id)).one()


def png():
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(written, "PNG")
    return written.getvalue()


def last_words():
    with reading() as session:
        return session.scalars(select(Message.words).order_by(Message.id.desc()).limit(1)).one()


def test_a_family_asks_from_any_page_and_reads_it_back_as_typed(open_app):
    asked(NASTY)
    app = opened(open_app("pages/customer/redeem.py", ZHOU), "chat_panel")
    assert NASTY in [text.value for text in app.text]
    app.session_state["chat_panel"] = True
    app.chat_input(key="chat_words").set_value("还有一件事").run()

    assert last_words() == "还有一件事"


def test_what_is_too_long_is_refused_in_words_and_stays(open_app):
    asked()
    app = opened(open_app("pages/customer/my_orders.py", ZHOU), "chat_panel")
    app.chat_input(key="chat_words").set_value("长" * 2001).run()

    assert errors(app) == [words("error.too_long", field=words("field.message"), most=2000)]
    assert app.text_area(key="chat_unsent").value == "长" * 2001
    assert last_words() == "在吗？"


@pytest.mark.parametrize(
    ("given", "refusal", "values"),
    [
        (png_of(60_000, 60_000), "document_too_many_pixels", {"millions": 40}),
        (b"%PDF-1.7\n%%EOF", "photo_is_pdf", {}),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo_unreadable", {}),
    ],
)
def test_of_a_message_with_what_is_no_picture_the_words_and_the_pictures_stay(
    open_app, given, refusal, values
):
    asked()
    app = opened(open_app("pages/customer/my_orders.py", ZHOU), "chat_panel")
    field = app.chat_input(key="chat_words").upload("a.png", png(), "image/png")
    field.upload("b.png", given, "image/png").set_value("就是这里").run()
    assert errors(app) == [words(f"error.{refusal}", **values)]
    assert app.text_area(key="chat_unsent").value == "就是这里"
    assert words("chat.unsent_pictures", count=1) in said(app)
    assert last_words() == "在吗？"
    app.session_state["chat_panel"] = True
    app.button(key="chat_again").click().run()

    assert last_words() == "就是这里"
    with reading() as session:
        assert len(session.scalars(select(Attachment)).all()) == 1
    assert "chat_again" not in keys(opened(app, "chat_panel"))


def test_what_is_refused_later_stands_under_what_was_refused_before(open_app):
    asked()
    app = opened(open_app("pages/customer/my_orders.py", ZHOU), "chat_panel")
    app.chat_input(key="chat_words").set_value("长" * 2001).run()
    for text in ("短" * 2001, "好"):
        app.session_state["chat_panel"] = True
        app.chat_input(key="chat_words").set_value(text).run()
    assert last_words() == "好"

    app = opened(app, "chat_panel")
    assert app.text_area(key="chat_unsent").value == "长" * 2001 + "\n" + "短" * 2001
    app.button(key="chat_discard").click().run()
    assert "chat_again" not in keys(opened(app, "chat_panel"))


def test_a_file_alone_that_is_no_picture_leaves_nothing_to_send_again(open_app):
    asked()
    app = opened(open_app("pages/customer/my_orders.py", ZHOU), "chat_panel")
    app.chat_input(key="chat_words").upload("b.png", b"%PDF-1.7", "image/png").run()

    assert errors(app) == [words("error.photo_is_pdf")]
    assert "chat_again" not in keys(app)


def test_an_unread_answer_is_counted_on_the_corner_until_it_is_read(open_app):
    talk_id = asked()
    with writing() as session:
        messages.answer(session, DESK, talk_id, Said("您好", "a"))
    badge = words("chat.unread", count=1)
    app = open_app("pages/customer/my_orders.py", ZHOU)
    assert badge in said(app)
    opened(app, "chat_panel")

    assert badge not in said(open_app("pages/customer/my_orders.py", ZHOU))


def test_the_desk_takes_answers_and_settles(open_app):
    talk_id = asked("能改期吗？")
    app = open_app("pages/desk/chats.py", DESK)
    assert "能改期吗？" in said(app)
    app.button(key=f"open_chat_{talk_id}").click().run()
    app.button(key=f"take_{talk_id}").click().run()
    app.chat_input(key=f"desk_chat_{talk_id}_words").set_value("可以").run()
    assert last_words() == "可以"
    app.button(key=f"settle_{talk_id}").click().run()

    with reading() as session:
        assert session.get_one(Talk, talk_id).status is TalkStatus.SETTLED


def test_a_canned_reply_is_filled_looked_over_and_sent(open_app):
    talk_id = asked()
    with writing() as session:
        canned_replies.save(session, OPERATOR, NANTONG, "您好", "{name}您好")
    app = open_app("pages/desk/chats.py", DESK)
    app.button(key=f"open_chat_{talk_id}").click().run()
    key = f"desk_chat_{talk_id}"
    app = opened(app, f"{key}_canned")
    app.selectbox(key=f"{key}_reply").select_index(0)
    app.session_state[f"{key}_canned"] = True
    app.run()
    app.session_state[f"{key}_canned"] = True
    app.button(key=f"{key}_reply_send").click().run()

    assert last_words() == "周晓燕您好"


def test_operators_keep_replies_and_see_the_figures_and_the_desk_neither(open_app):
    assert "canned_open" not in {
        one.proto.id.rsplit("-", 1)[-1] for one in open_app("pages/desk/chats.py", DESK).expander
    }
    app = opened(open_app("pages/desk/chats.py", OPERATOR), "canned_open")
    assert words("empty.canned_replies") in said(app)
    app.text_input(key="canned_shortcut").set_value("a")
    app.text_area(key="canned_zh").set_value("好的")
    app.session_state["canned_open"] = True
    app.button(key="canned_save").click().run()

    with reading() as session:
        assert canned_replies.usable(session, DESK, NANTONG)[0].words_zh == "好的"


def test_a_visitor_gives_a_phone_and_talks(open_app):
    app = opened(open_app("pages/public/welcome.py", None), "guest_panel")
    app.text_input(key="guest_phone").set_value("12")
    app.button(key="guest_begin").click().run()
    assert errors(app) == [words("error.phone_invalid")]
    app = opened(app, "guest_panel")
    app.text_input(key="guest_phone").set_value("13711112222")
    app.session_state["guest_panel"] = True
    app.button(key="guest_begin").click().run()
    app = opened(app, "guest_panel")
    app.chat_input(key="guest_words").set_value("多少钱").run()

    assert last_words() == "多少钱"


def test_a_guest_without_a_name_is_called_so_in_the_inbox(open_app):
    with writing() as session:
        token = guests.arrive(session, "", "13711112222", NANTONG, BROWSER).token
        guests.say(session, token, "多少钱", "1")
    app = open_app("pages/desk/chats.py", DESK)

    assert f"{words('chats.guest')} (1)" in [button.label for button in app.button]


def test_family_and_caregiver_open_the_talk_of_an_order_from_its_card(open_app):
    with writing() as session:
        make_order(session)
    for page, actor in (
        ("pages/customer/my_orders.py", ZHOU),
        ("pages/caregiver/my_visits.py", LI),
    ):
        assert "order_talk_1" in keys(open_app(page, actor))


def test_what_is_new_about_an_order_is_counted_on_its_card_until_it_is_read(open_app):
    with writing() as session:
        make_order(session)
        for actor, text in ((ZHOU, "几点到？"), (LI, "八点半"), (LI, "门牌几号？")):
            messages.say_about(session, actor, 1, Said(text, uuid4().hex))
    for page, actor, count in (
        ("pages/customer/my_orders.py", ZHOU, 2),
        ("pages/caregiver/my_visits.py", LI, 1),
    ):
        app = open_app(page, actor)
        button = app.button(key="order_talk_1")
        assert button.label == words("chat.talk_new", count=count)
        button.click().run()
        assert open_app(page, actor).button(key="order_talk_1").label == words("chat.talk")


def test_every_page_leads_to_what_is_new_about_an_order_and_not_to_the_empty_panel(open_app):
    with writing() as session:
        make_order(session)
        messages.say_about(session, LI, 1, Said("八点半到", uuid4().hex))
        messages.say_about(session, ZHOU, 1, Said("好的", uuid4().hex))
    for actor, home in ((ZHOU, "my_orders"), (LI, "my_visits")):
        app = open_app("pages/account/inbox.py", actor)
        links = {link.label: link.page.rsplit("/", 1)[-1] for link in app.get("page_link")}

        assert links[words("chat.unread_about_orders", count=1)] == home
        assert words("chat.unread", count=1) not in said(app)


def test_an_analyst_has_no_chat(open_app):
    assert not open_app("pages/analyst/demand_map.py", ANALYST).get("popover")
