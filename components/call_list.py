"""The desk's list of people to call today, and how each call ended."""

import streamlit as st

from components import formats, icons, layout, navigation, people, session
from components.i18n import language, t
from services import call_list
from services.call_list import OUTCOMES, Outcome, ToCall

_SHOWN_AT_ONCE = 8


def calls() -> None:
    """Everybody who is told by telephone; those whose time has come first."""
    found = session.fetch(call_list.waiting, language())
    if not found:
        layout.empty("to_call", icon=":material/phone_disabled:")
        return
    due = [one for one in found if one.due]
    later = [one for one in found if not one.due]
    st.caption(t("to_call.count", due=len(due), later=len(later)))
    for one in layout.first_of([*due, *later], "to_call", _SHOWN_AT_ONCE):
        _call(one)
    layout.more_button(found, "to_call", _SHOWN_AT_ONCE)


def _call(one: ToCall) -> None:
    with st.container(border=True, gap="small", key=f"to_call_{one.id}"):
        facts = [formats.ago(one.since)]
        if one.tries:
            facts.append(t("to_call.tries", count=one.tries))
        if not one.due:
            facts.append(t("to_call.later"))
        st.markdown(f"**{formats.plain(one.name)}** :gray[:small[{' · '.join(facts)}]]")
        with st.container(gap=None):
            st.caption(f":material/record_voice_over: {t('desk.read_back')}")
            st.markdown(f"**{one.words}**")
        with layout.row():
            people.whole_phone(
                t("desk.whole_phone"), call_list.phone, one.id, f"to_call_phone_{one.id}"
            )
            navigation.link(
                "take_call",
                t("to_call.open"),
                icon=":material/person:",
                caller=str(one.customer_id),
            )
            with st.popover(
                t("to_call.tick_off"),
                icon=":material/task_alt:",
                key=f"tick_{one.id}_ask",
                on_change="rerun",
            ) as asked:
                if asked.open:
                    _outcome(one)


def _outcome(one: ToCall) -> None:
    key = f"tick_{one.id}"
    outcome = st.pills(
        t("to_call.outcome"),
        OUTCOMES,
        default=Outcome.INFORMED,
        required=True,
        format_func=lambda each: f"{icons.OUTCOME[each]} {t(f'outcome.{each}')}",
        key=f"{key}_outcome",
    )
    said = st.text_area(t("field.call_words"), key=f"{key}_words", max_chars=500, height=80)
    if outcome in call_list.AGAIN:
        st.caption(t("to_call.comes_back"))
    if st.button(t("frame.confirm"), type="primary", key=key):
        session.perform(
            "to_call.done", call_list.tick_off, one.id, outcome, said, forget=(f"{key}_",)
        )
