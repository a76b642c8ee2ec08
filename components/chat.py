"""Chat from every page: a button at the corner, and the talk it opens."""

from collections.abc import Mapping

import streamlit as st

from components import catalogue, chat_thread, guest_chat, live, navigation, places, session
from components.i18n import t
from services import chat_desk, cities, messages, order_talks, orders, talks
from services.access import Permission
from services.chat_desk import Box
from services.messages import Said
from services.news import Topic
from services.orders import OrderView
from services.sessions import Visitor
from services.talks import TalkStatus

_PANEL = "chat_panel"


def corner(visitor: Visitor | None) -> None:
    """What stands at the lower right of every page: customer service, or who waits for it."""
    with st.container(key="chat_corner", width="content"):
        if visitor is None:
            guest_chat.panel()
        elif visitor.actor.may(Permission.CHAT):
            _panel()
        elif visitor.actor.may(Permission.ANSWER_CHAT):
            _waiting()


def open_panel() -> None:
    """Open one's talk with customer service, on whatever page this is."""
    st.session_state[_PANEL] = True
    st.rerun()


@live.part(Topic.CHAT)
def _panel() -> None:
    unread = session.fetch(messages.unread)
    own = unread.get(None, 0)
    with st.popover(
        t("chat.open"), icon=":material/chat:", type="primary", key=_PANEL, on_change="rerun"
    ) as panel:
        if panel.open:
            _talk(own)
    if own and not panel.open:
        st.badge(t("chat.unread", count=own), icon=":material/mark_chat_unread:", color="red")
    if about_orders := sum(unread.values()) - own:
        # Drawn only for the side whose page it is.
        for page in ("my_orders", "my_visits"):
            navigation.link(
                page,
                t("chat.unread_about_orders", count=about_orders),
                icon=":material/mark_chat_unread:",
            )


@live.part(Topic.CHAT)
def _waiting() -> None:
    """For the staff: how many wait, and the way there."""
    waiting = session.fetch(chat_desk.counts)
    if waiting[Box.QUEUE]:
        navigation.link(
            "chats", t("chat.waiting", count=waiting[Box.QUEUE]), icon=":material/forum:"
        )


def _talk(unread: int) -> None:
    standing = session.fetch(talks.standing)
    chat_thread.head(standing)
    code = None if standing.hours else _city()
    found = []
    if standing.talk_id is not None:
        found = session.fetch(messages.thread, standing.talk_id)
        if unread:
            session.disclose(messages.mark_read, standing.talk_id, chat_thread.newest(found))
    chat_thread.thread(found, "chat", "own")
    if standing.status is TalkStatus.SETTLED and standing.score is None and standing.talk_id:
        talk_id = standing.talk_id
        chat_thread.stars(
            lambda score, said: session.disclose(talks.rate, talk_id, score, said), "chat"
        )
    chat_thread.writing(
        lambda said: session.disclose(messages.ask, said, code),
        "chat",
        t("chat.hint"),
        pictures=True,
    )
    _card(code)


def _city() -> str | None:
    """Whose staff shall answer, for somebody who has chosen no city yet."""
    opened = [city.code for city in session.public(cities.opened)]
    return st.selectbox(t("field.city"), opened, format_func=places.city_path, key="chat_city")


def _card(code: str | None) -> None:
    """Show customer service an order of one's own."""
    with st.expander(
        t("chat.show_order"), icon=":material/receipt_long:", key="chat_card", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        numbers = session.fetch(messages.cards)
        if not numbers:
            st.caption(t("empty.my_orders"))
            return
        known = {number: session.fetch(orders.one, number) for number in numbers[:8]}
        items = catalogue.items()
        picked = st.selectbox(
            t("chat.which_order"),
            list(known),
            format_func=lambda number: order_line(
                number, catalogue.item_name(items, known[number].item_id)
            ),
            key="chat_card_order",
        )
        if st.button(t("chat.send_order"), key="chat_card_send", icon=":material/send:"):
            said = Said("", f"card-{picked}-{st.session_state['chat_nonce'][:16]}", (), picked)
            if session.disclose(messages.ask, said, code) is not None:
                st.session_state.pop("chat_nonce")
                st.rerun(scope="fragment")


def order_line(number: int, item: str) -> str:
    """An order in a list."""
    return f"{t('order.number', number=number)} · {item}"


def unread_about() -> Mapping[int | None, int]:
    """How many messages of each order's talk are new to who looks, all orders in one question."""
    return session.fetch(messages.unread)


def order_talk_button(order: OrderView, unread: Mapping[int | None, int]) -> None:
    """The talk with the other side of an order, while that is open, and what is new in it."""
    if not order_talks.opens_for(order.status, order.visit_status, order.ends_at):
        return
    new = unread.get(order.id, 0)
    if st.button(
        t("chat.talk_new", count=new) if new else t("chat.talk"),
        icon=":material/mark_chat_unread:" if new else ":material/chat:",
        key=f"order_talk_{order.visit_id}",
        type="tertiary",
    ):
        _order_dialog(order.id)


def _order_dialog(order_id: int) -> None:
    # Closed, it draws the page anew: what was read is not new any more.
    @st.dialog(t("chat.about_order"), on_dismiss="rerun")
    def opened() -> None:
        st.caption(t("chat.order_only_you", number=order_id))
        _order_talk(order_id)

    opened()


def dispute_talk(order_id: int) -> None:
    """What both sides of an order in dispute wrote to each other, behind a click on record."""
    with st.expander(
        t("chat.in_dispute"),
        icon=":material/forum:",
        key=f"dispute_talk_{order_id}",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        st.caption(f":material/policy: {t('report_photos.audited')}")
        found = session.disclose(messages.thread_in_dispute, order_id)
        if found:
            chat_thread.thread(found, f"dispute_{order_id}", "complaint")
        else:
            st.caption(t("chat.in_dispute_none"))


@live.part(Topic.CHAT)
def _order_talk(order_id: int) -> None:
    found = session.fetch(messages.thread_about, order_id)
    if any(not one.mine for one in found):
        session.disclose(messages.mark_read_about, order_id, chat_thread.newest(found))
    key = f"order_chat_{order_id}"
    chat_thread.thread(found, key, "own")
    chat_thread.writing(
        lambda said: session.disclose(messages.say_about, order_id, said),
        key,
        t("chat.order_hint"),
        pictures=True,
    )
