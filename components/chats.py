"""The staff's chats: inbox at the left, the talk in the middle, the customer beside it."""

import secrets
from datetime import timedelta

import streamlit as st

from components import (
    catalogue,
    chat_thread,
    formats,
    icons,
    layout,
    live,
    navigation,
    people,
    places,
    session,
    troubles,
)
from components.i18n import language, t
from components.orders import order_head
from services import (
    canned_replies as replies,
)
from services import (
    chat_desk,
    clock,
    messages,
    orders,
    recipients,
    talks,
)
from services.access import Permission
from services.canned_replies import ReplyView
from services.chat_desk import Box, TalkView
from services.messages import Said
from services.news import Topic
from services.talks import TalkStatus

_CHOSEN, _BOX, _LAST_ORDERS = "chat_chosen", "chat_box", 3
_DRAFT = "chat_draft"


def figures() -> None:
    """How quickly the cities answer, for their operators."""
    if not session.actor().may(Permission.KEEP_CANNED_REPLIES):
        return
    found = session.fetch(chat_desk.figures)
    with st.grid(4, min_column_width=150):
        st.metric(t("chats.talks"), found.talks, border=True, help=t("chats.talks_help"))
        st.metric(t("chats.first_answer"), _length(found.first_answer_seconds), border=True)
        st.metric(t("chats.resolution"), _length(found.resolution_seconds), border=True)
        score = t("chats.no_score") if found.score is None else f"{found.score:.1f} ★"
        st.metric(t("chats.score"), score, border=True)


def _length(seconds: float | None) -> str:
    if seconds is None:
        return t("chats.no_score")
    minutes = round(seconds / 60)
    return (
        t("chats.hours", hours=minutes // 60, minutes=minutes % 60)
        if minutes >= 60
        else t("chats.minutes", minutes=minutes)
    )


@live.part(Topic.CHAT)
def desk() -> None:
    """On a phone one thing at a time: the inbox until a talk is chosen, then that."""
    chosen = st.session_state.get(_CHOSEN)
    with st.container(key="chats_with_talk" if chosen else "chats_inbox_alone"):
        left, middle, right = st.columns([3, 5, 3], gap="medium")
        with left, st.container(key="chats_inbox"):
            _inbox(chosen)
        if chosen is None:
            with middle:
                layout.empty("chat", icon=":material/forum:")
            return
        view = session.fetch(chat_desk.one, chosen)
        with middle, st.container(key="chats_talk"):
            _talk(view)
        with right, st.container(key="chats_person"):
            _person(view)


def _inbox(chosen: int | None) -> None:
    counts = session.fetch(chat_desk.counts)
    box = st.segmented_control(
        t("chats.boxes"),
        list(Box),
        format_func=lambda one: f"{t(f'chat_box.{one}')} {counts.get(one) or ''}".strip(),
        default=Box.QUEUE,
        required=True,
        key=_BOX,
        label_visibility="collapsed",
        width="stretch",
    )
    typed = st.text_input(
        t("field.chat_search"),
        key="chat_search",
        max_chars=40,
        placeholder=t("field.chat_search"),
        icon=":material/search:",
        label_visibility="collapsed",
    )
    found = session.fetch(chat_desk.inbox, Box(box), typed or "")
    if not found:
        layout.empty(f"chat_{'search' if typed else box}", icon=":material/forum:")
    for view in layout.first_of(found, f"inbox_{box}", 12):
        with st.container(border=True, gap=None, key=f"chat_line_{view.id}"):
            _line(view, chosen)
    layout.more_button(found, f"inbox_{box}", 12)


def _line(view: TalkView, chosen: int | None) -> None:
    name = view.name or t("chats.guest")
    new = f" ({view.unread})" if view.unread else ""
    st.button(
        f"{formats.plain(name)}{new}",
        key=f"open_chat_{view.id}",
        icon=":material/person:" if view.account_id else ":material/person_outline:",
        type="primary" if view.id == chosen else "tertiary",
        width="stretch",
        on_click=_choose,
        args=(view.id,),
    )
    st.markdown(_marks(view))
    if view.last_words:
        st.text(view.last_words[:60].replace("\n", " "))


def _marks(view: TalkView) -> str:
    icon, colour = icons.TALK[view.status]
    marks = [f":{colour}-badge[{icon} {t(f'talk_status.{view.status}')}]"]
    if view.waiting_since is not None:
        waited = _length((clock.now() - view.waiting_since) / timedelta(seconds=1))
        if view.late:
            marks.append(f":red-badge[:material/alarm: {t('chats.late', time=waited)}]")
        else:
            marks.append(f":gray-badge[:material/schedule: {t('chats.waits', time=waited)}]")
    if view.assigned_to:
        marks.append(f":small[{formats.plain(view.assigned_to)}]")
    if view.score:
        marks.append(f":small[{'★' * view.score}]")
    return " ".join(marks)


def _choose(talk_id: int | None) -> None:
    st.session_state[_CHOSEN] = talk_id


def _talk(view: TalkView) -> None:
    with st.container(key="chats_back"):
        st.button(
            t("chats.back"), icon=":material/arrow_back:", key="chat_back", type="tertiary",
            on_click=_choose, args=(None,),
        )  # fmt: skip
    found = session.fetch(messages.thread, view.id)
    if view.unread:
        session.disclose(messages.mark_read, view.id, chat_thread.newest(found))
    _moves(view)
    if view.score_words:
        layout.field(t("chats.said_of_it"), view.score_words)
    key = f"desk_chat_{view.id}"
    chat_thread.thread(found, key, "chat", height=420)
    if view.status is TalkStatus.SETTLED:
        st.caption(t("error.talk_settled"))
        return
    private = st.toggle(t("chats.private"), key=f"{key}_private")
    _canned(view, key)
    chat_thread.writing(
        lambda said: session.disclose(messages.jot if private else messages.answer, view.id, said),
        key,
        t("chats.note_hint" if private else "chats.answer_hint"),
        pictures=view.account_id is not None and not private,
    )


def _moves(view: TalkView) -> None:
    mine = view.assigned_to_id == session.actor().id
    with layout.row():
        if view.status is TalkStatus.WAITING and st.button(
            t("chats.take"), key=f"take_{view.id}", icon=":material/back_hand:", type="primary"
        ):
            session.perform("chats.taken", talks.take, view.id)
        if (
            view.status is TalkStatus.ASSIGNED
            and mine
            and st.button(
                t("chats.put_back"),
                key=f"put_back_{view.id}",
                icon=":material/undo:",
                type="tertiary",
            )
        ):
            session.perform("chats.was_put_back", talks.put_back, view.id)
        if view.status is TalkStatus.SETTLED:
            return
        if st.button(t("chats.settle"), key=f"settle_{view.id}", icon=":material/task_alt:"):
            session.perform("chats.settled", talks.settle, view.id)
        with st.popover(
            t("chats.hand_over"), icon=":material/swap_horiz:", key=f"hand_over_{view.id}_ask",
            type="tertiary", on_change="rerun",
        ) as asked:  # fmt: skip
            if asked.open:
                _hand_over(view)


def _hand_over(view: TalkView) -> None:
    others = session.fetch(talks.colleagues, view.id)
    if not others:
        st.caption(t("chats.no_colleague"))
        return
    names = {one.id: f"{one.name} · {t(f'role.{one.role}')}" for one in others}
    to = st.selectbox(
        t("chats.colleague"), list(names), format_func=names.__getitem__, key=f"to_{view.id}"
    )
    if st.button(t("chats.hand_over"), key=f"hand_over_{view.id}", type="primary"):
        session.perform("chats.handed_over", talks.hand_over, view.id, to)


def _canned(view: TalkView, key: str) -> None:
    """A reply kept under its shortcut: filled in, looked over, then sent."""
    kept = session.fetch(replies.usable, view.city_code)
    if not kept:
        return
    named = {one.id: one for one in kept}
    with st.expander(
        t("chats.canned"), icon=":material/bolt:", key=f"{key}_canned", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        picked = st.selectbox(
            t("chats.canned_pick"),
            list(named),
            index=None,
            placeholder=t("chats.canned_hint"),
            format_func=lambda one: f"/{named[one].shortcut}",
            key=f"{key}_reply",
        )
        if picked is None:
            return
        st.session_state.setdefault(f"{key}_reply_words_{picked}", _filled(view, named[picked]))
        text = st.text_area(t("field.message"), key=f"{key}_reply_words_{picked}", height=120)
        nonce = st.session_state.setdefault(f"{key}_reply_nonce", secrets.token_hex(16))
        if st.button(t("chats.send"), key=f"{key}_reply_send", icon=":material/send:") and (
            session.disclose(messages.answer, view.id, Said(text or "", nonce)) is not None
        ):
            for name in (f"{key}_reply_nonce", f"{key}_reply", f"{key}_reply_words_{picked}"):
                st.session_state.pop(name, None)
            st.rerun(scope="fragment")


def _filled(view: TalkView, reply: ReplyView) -> str:
    last = _orders(view)[:1]
    said = reply.words_en if language() == "en" and reply.words_en else reply.words_zh
    return replies.filled(
        said,
        name=view.name,
        city=places.city_path(view.city_code),
        order=str(last[0].id) if last else "",
        caregiver=last[0].caregiver_name if last else "",
    )


def _orders(view: TalkView) -> list[orders.OrderView]:
    if view.account_id is None:
        return []
    return session.fetch(orders.listing, customer_id=view.account_id, limit=_LAST_ORDERS)


def _person(view: TalkView) -> None:
    """Whom the talk is with: phone on record, recipients, last orders, open complaints."""
    with st.container(border=True, gap="small"):
        st.text(view.name or t("chats.guest"))
        who = (
            "guest" if view.account_id is None else "caregiver" if view.is_caregiver else "customer"
        )
        st.caption(f"{t(f'chat_side.{who}')} · {view.masked_phone}")
        people.whole_phone(t("desk.whole_phone"), chat_desk.phone, view.id, "chat_phone")
        if view.account_id is None:
            return
        if session.actor().may(Permission.ACT_FOR_CUSTOMER) and not view.is_caregiver:
            _recipients(view.account_id)
        if session.actor().may(Permission.KEEP_CUSTOMERS):
            navigation.link(
                "customers", t("page.customers"), icon=":material/groups:",
                customer=str(view.account_id),
            )  # fmt: skip
    last = _orders(view)
    if not last:
        st.caption(t("chats.no_orders"))
        return
    items = catalogue.items()
    known = troubles.troubles([order.id for order in last])
    for order in last:
        with st.container(border=True, key=f"chat_order_{order.id}"):
            order_head(order, items)
            troubles.trouble_cards(known, order.id)
            if view.status is not TalkStatus.SETTLED and st.button(
                t("chats.send_order"), key=f"card_{view.id}_{order.id}", type="tertiary",
                icon=":material/forward_to_inbox:",
            ):  # fmt: skip
                said = Said("", secrets.token_hex(16), (), order.id)
                if session.disclose(messages.answer, view.id, said) is not None:
                    st.rerun(scope="fragment")


def _recipients(customer_id: int) -> None:
    for one in session.fetch(recipients.listing, customer_id=customer_id):
        st.text(t("recipient.for", name=one.name))


def canned_replies() -> None:
    """Where operators keep the replies of their cities."""
    actor = session.actor()
    if not actor.may(Permission.KEEP_CANNED_REPLIES):
        return
    with st.expander(
        t("chats.keep_canned"), icon=":material/bolt:", key="canned_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        code = st.selectbox(
            t("field.city"), sorted(actor.cities), format_func=places.city_path, key="canned_city"
        )
        kept = session.fetch(replies.usable, code)
        if not kept:
            layout.empty("canned_replies", icon=":material/bolt:")
        for one in kept:
            with st.container(border=True, key=f"canned_{one.id}", gap=None):
                st.text(f"/{one.shortcut}")
                st.text(one.words_zh)
                if one.words_en:
                    st.text(one.words_en)
                if st.button(
                    t("chats.retire"), key=f"retire_{one.id}", type="tertiary",
                    icon=":material/delete:",
                ):  # fmt: skip
                    session.perform("chats.retired", replies.retire, one.id)
        with st.form("canned_form", border=False):
            shortcut = st.text_input(t("field.shortcut"), key="canned_shortcut", max_chars=20)
            zh = st.text_area(t("field.reply_zh"), key="canned_zh", max_chars=500)
            en = st.text_area(t("field.reply_en"), key="canned_en", max_chars=500)
            st.caption(t("chats.blanks"))
            if st.form_submit_button(t("chats.save"), type="primary", key="canned_save"):
                session.perform(
                    "chats.saved", replies.save, code, shortcut or "", zh or "", en or "",
                    forget=("canned_shortcut", "canned_zh", "canned_en"),
                )  # fmt: skip
