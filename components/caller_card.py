"""What the desk sees of a caller at a glance: family, last orders, promises, troubles, doubles."""

from datetime import timedelta

import streamlit as st

from components import catalogue, consents, formats, layout, navigation, session
from components.caller_search import facts
from components.calls import last_calls
from components.complaints import complaint_card
from components.i18n import t
from components.orders import status_badge
from components.preferences import preference_of_caller
from components.recipients import described
from services import callers, clock, complaint_views, contact_phones, duplicates, notes, orders
from services import recipients as recipient_services
from services.callers import Caller
from services.catalogue import ItemView
from services.duplicates import Alike, Duplicate
from services.notes import NoteKind, NoteView

_LAST_ORDERS = 3


def card(caller: Caller, items: dict[int, ItemView]) -> None:
    """The whole card in one column."""
    with st.container(border=True, gap="small", key="caller_card"):
        _doubles(caller)
        consents.ask_caller(caller.id)
        _promises(session.fetch(notes.listing, caller.id))
        for one in session.fetch(complaint_views.open_of, caller.id):
            complaint_card(one)
        _family(caller)
        _last_orders(caller, items)
        _shared_numbers(caller)
        with layout.deeds("caller_more"):
            asked = st.button(
                t("desk.whole_phone"),
                key="caller_phone",
                type="tertiary",
                icon=":material/contact_phone:",
                shortcut="Alt+T",
                help=t("orders_page.contact_help"),
            )
            preference_of_caller(caller.id)
            _add_number(caller)
            _add_note(caller)
            navigation.link(
                "receipts", t("receipts.open"), icon=":material/receipt:", customer=str(caller.id)
            )
        if asked:
            for number in session.disclose(callers.numbers, caller.id) or ():
                layout.field(number.words or t("field.phone"), number.phone)
        with st.expander(
            t("desk.calls_before"), icon=":material/history:", key="caller_calls", on_change="rerun"
        ) as opened:
            if opened.open:
                last_calls(caller.id)


def _family(caller: Caller) -> None:
    known = session.fetch(recipient_services.listing, customer_id=caller.id)
    st.markdown(f":small[:gray[{t('account.recipients')}]]")
    if not known:
        st.caption(t("desk.no_recipients"))
    for one in known:
        spoken = f" · {formats.plain(one.language)}" if one.language else ""
        mobility = t(f"mobility.{one.mobility}")
        st.markdown(f"{formats.plain(described(one))} :small[:gray[{mobility}{spoken}]]")


def _last_orders(caller: Caller, items: dict[int, ItemView]) -> None:
    last = session.fetch(orders.listing, customer_id=caller.id, limit=_LAST_ORDERS)
    st.markdown(f":small[:gray[{t('desk.last_orders')}]]")
    if not last:
        st.caption(t("desk.no_orders"))
    for order in last:
        name = catalogue.item_name(items, order.item_id)
        who = formats.plain(f"{order.recipient_name}\xa0←\xa0{order.caregiver_name}")
        st.markdown(
            f"**{name}** {status_badge(order)}  \n"
            f":small[{formats.span(order.starts_at, order.ends_at)} · {who}]"
        )


def _shared_numbers(caller: Caller) -> None:
    """Numbers shared with others, by which one is reached."""
    shared = session.fetch(contact_phones.of, caller.id)
    for one in shared:
        with st.container(horizontal=True, vertical_alignment="center", key=f"shared_{one.id}"):
            label = f"{one.masked_phone} {one.words}".strip()
            st.markdown(f":material/contact_phone: {formats.plain(label)}", width="content")
            if st.button(t("desk.drop_number"), type="tertiary", key=f"drop_number_{one.id}"):
                session.perform("desk.number_dropped", contact_phones.drop, one.id)


def _add_number(caller: Caller) -> None:
    with st.popover(
        t("desk.add_number"), icon=":material/add_call:", type="tertiary", key="add_number",
        on_change="rerun",
    ) as opened:  # fmt: skip
        if not opened.open:
            return
        with st.form("desk_number", border=False):
            phone = st.text_input(t("field.phone"), key="desk_number_phone", max_chars=20)
            said = st.text_input(
                t("field.contact_words"),
                key="desk_number_words",
                max_chars=40,
                placeholder=t("desk.contact_hint"),
            )
            if st.form_submit_button(t("desk.save_number"), type="primary", key="desk_number_save"):
                session.perform(
                    "desk.number_added",
                    contact_phones.add,
                    caller.id,
                    phone,
                    said,
                    forget=("desk_number", "add_number"),
                )


def _promises(standing: list[NoteView]) -> None:
    """What was promised, overdue first, and what one should know."""
    for one in standing:
        with st.container(key=f"note_{one.id}", gap=None):
            if one.kind is NoteKind.PROMISE and one.due_on is not None:
                day = formats.day(one.due_on)
                late = t("notes.overdue", day=day) if one.overdue else t("notes.by", day=day)
                colour = "red" if one.overdue else "orange"
                st.markdown(f":{colour}-badge[:material/handshake: {late}]")
            else:
                st.markdown(f":gray-badge[:material/sticky_note_2: {t('notes.note')}]")
            st.text(one.words)
            with layout.row():
                st.caption(
                    f"{formats.plain(one.written_by)} · {formats.moment(one.written_at)}",
                    width="content",
                )
                done = "notes.kept" if one.kind is NoteKind.PROMISE else "notes.drop"
                if st.button(
                    t(done), icon=":material/check:", type="tertiary", key=f"note_done_{one.id}"
                ):
                    session.perform("notes.ticked", notes.tick, one.id)


def _add_note(caller: Caller) -> None:
    with st.popover(
        t("notes.add"), icon=":material/edit_note:", type="tertiary", key="add_note",
        on_change="rerun",
    ) as opened:  # fmt: skip
        if not opened.open:
            return
        kind = st.segmented_control(
            t("notes.kind"),
            list(NoteKind),
            format_func=lambda one: t(f"notes.{one}"),
            default=NoteKind.PROMISE,
            required=True,
            key="desk_note_kind",
        )
        with st.form("desk_note", border=False):
            said = st.text_area(t("field.note"), key="desk_note_words", max_chars=300)
            due_on = None
            if kind is NoteKind.PROMISE:
                due_on = st.date_input(
                    t("field.due_on"),
                    clock.today() + timedelta(days=1),
                    min_value=clock.today(),
                    key="desk_note_day",
                )
            if st.form_submit_button(t("notes.save"), type="primary", key="desk_note_save"):
                session.perform(
                    "notes.saved",
                    notes.add,
                    caller.id,
                    kind,
                    said or "",
                    due_on,
                    forget=("desk_note", "add_note"),
                )


def _doubles(caller: Caller) -> None:
    """Who else this may be; the desk makes two of its own callers one."""
    for one in session.fetch(duplicates.of, caller.id):
        _double(caller, one)


def _double(caller: Caller, one: Duplicate) -> None:
    who = formats.plain(" · ".join((one.caller.name, *facts(one.caller))))
    said = t(f"desk.alike_{one.alike}", who=who)
    with st.container(key=f"double_{one.caller.id}", gap="small"):
        if one.alike is Alike.NAME:
            st.warning(said, icon=":material/difference:")
        else:
            st.caption(f":material/group: {said}")
        if not one.mergeable:
            st.caption(t("desk.merge_ask_operator"))
        elif layout.confirmed(
            t("desk.merge"),
            t("desk.merge_warning", kept=formats.plain(caller.name)),
            f"merge_{one.caller.id}",
            icon=":material/merge:",
        ):
            session.perform("desk.merged", duplicates.merge, caller.id, one.caller.id)
