"""Calls on the desk's screen: going on, ended in words, and whom to call today."""

from datetime import datetime, time

import streamlit as st

from components import formats, layout, session
from components.caller_search import choose
from components.i18n import t
from services import calls, clock
from services.calls import CallView, Direction, Outcome

ENDED, ENDING = "desk_ended", "desk_ending"


def call_bar(call: CallView | None, customer_id: int | None) -> None:
    """Since when one is on the phone with whom, and the way to end it."""
    if call is None:
        if st.button(t("calls.begin"), icon=":material/call:", key="begin_call", shortcut="Alt+K"):
            session.perform("calls.begun", calls.begin, customer_id)
        return
    st.caption(
        f":material/call: {t('calls.since', at=formats.time_of_day(call.began_at))}",
        width="content",
    )
    st.button(
        t("calls.end"),
        icon=":material/call_end:",
        key="end_call_ask",
        shortcut="Alt+K",
        on_click=_ask_for_end,
    )


def _ask_for_end() -> None:
    st.session_state[ENDING] = not st.session_state.get(ENDING)


def end_form(call: CallView) -> None:
    """How the call ended, what was said, when to call next."""
    if not st.session_state.get(ENDING):
        return
    outcomes = list(Outcome)
    with st.form("desk_end"):
        outcome = st.selectbox(
            t("field.outcome"),
            outcomes,
            index=outcomes.index(call.outcome or Outcome.INFORMED),
            format_func=lambda one: t(f"outcome.{one}"),
            key=f"desk_end_outcome_{call.id}",
        )
        said = st.text_area(
            t("field.call_words"),
            call.words,
            key=f"desk_end_words_{call.id}",
            max_chars=500,
            height=80,
        )
        day, at = None, time(9)
        if call.customer_id is not None:
            left, right = st.columns(2)
            day = left.date_input(
                t("field.next_call"), None, min_value=clock.today(), key=f"desk_end_day_{call.id}"
            )
            at = right.time_input(
                t("field.start"), time(9), step=900, key=f"desk_end_time_{call.id}"
            )
        if st.form_submit_button(
            t("calls.end_now"), type="primary", icon=":material/call_end:", key="desk_end_save"
        ):
            next_at = datetime.combine(day, at, clock.CITY_TIME) if day else None
            session.perform(
                "calls.ended",
                calls.end,
                call.id,
                outcome,
                said or "",
                next_at,
                forget=("desk_end",),
                keep=ENDED,
            )


def unknown_caller() -> None:
    """A caller who says no name has a call too."""
    if (call := session.fetch(calls.current, None)) is None:
        if st.button(
            t("calls.unknown"), icon=":material/person_off:", key="unknown_caller", shortcut="Alt+U"
        ):
            session.perform("calls.begun", calls.begin)
        return
    with st.container(border=True, key="unknown_call"):
        with layout.row():
            st.markdown(f"**{t('calls.with_unknown')}**", width="content")
            call_bar(call, None)
        end_form(call)


def due_list() -> None:
    """Whom to call today, the longest due first."""
    due = session.fetch(calls.due)
    if not due:
        return
    st.subheader(t("calls.due", count=len(due)), anchor=False)
    for one in layout.first_of(due, "desk_due", 5):
        with st.container(border=True, key=f"due_{one.id}"):
            late = one.next_call_at is not None and one.next_call_at < clock.now()
            when = formats.moment(one.next_call_at) if one.next_call_at else ""
            badge = f":orange-badge[{when}]" if late else f":gray-badge[{when}]"
            st.markdown(f"**{formats.plain(one.customer_name)}** {badge}")
            if one.words:
                st.text(one.words)
            with layout.row():
                if st.button(t("calls.call_now"), icon=":material/call:", key=f"due_open_{one.id}"):
                    choose(one.customer_id or 0, Direction.OUT)
                if st.button(t("calls.done"), icon=":material/check:", key=f"due_done_{one.id}"):
                    session.perform("calls.ticked", calls.tick_next, one.id)
    layout.more_button(due, "desk_due", 5)


def last_calls(customer_id: int) -> None:
    """What was said before."""
    before = session.fetch(calls.of_customer, customer_id)
    if not before:
        st.caption(t("calls.none_before"))
    for one in before:
        how = t(f"outcome.{one.outcome}") if one.outcome else t("calls.no_outcome")
        way = (
            ":material/call_made:" if one.direction is Direction.OUT else ":material/call_received:"
        )
        st.caption(f"{way} {formats.moment(one.began_at)} · {how} · {formats.plain(one.taken_by)}")
        if one.spoke_with or one.words:
            st.text(" · ".join(said for said in (one.spoke_with, one.words) if said))
