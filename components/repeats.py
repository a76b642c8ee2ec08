"""The last order once more: proposed in one line, asked for with one key."""

import streamlit as st

from components import catalogue, formats, session, wishes
from components.i18n import t
from components.keyboard import focus
from services import repeat_bookings
from services.catalogue import ItemView
from services.repeat_bookings import FOR_GOOD, Choice, Obstacle, Proposal

_KEY, _SHOWN = "desk_repeat", "desk_shown_choice"


def repeat_card(customer_id: int, proposal: Proposal, items: dict[int, ItemView]) -> None:
    """What would be booked; another time or caregiver where the old one cannot be had."""
    with st.container(border=True, key=_KEY):
        item = catalogue.item_name(items, proposal.item_id)
        st.markdown(
            f"**{t('repeat.title', item=item, recipient=formats.plain(proposal.recipient_name))}**"
        )
        if not proposal.as_before:
            wanted = formats.moment(proposal.wanted_at)
            caregiver = formats.plain(proposal.caregiver_name)
            why = _why(proposal.obstacle)
            st.caption(t("repeat.not_as_before", caregiver=caregiver, wanted=wanted, why=why))
        choices = list(proposal.choices)
        if not choices:
            st.info(t("repeat.nobody"), icon=":material/event_busy:")
            return
        number = 0
        if len(choices) > 1:
            number = st.radio(
                t("repeat.choose"),
                range(len(choices)),
                format_func=lambda one: _said(choices[one]),
                key=f"{_KEY}_choice_{proposal.order_id}",
            )
        else:
            st.markdown(_said(choices[number]))
        choice = choices[number]
        st.caption(t("repeat.same_place", district=formats.district(proposal.district_code)))
        pressed = st.button(
            t("repeat.book"), type="primary", icon=":material/replay:", key=f"{_KEY}_book",
            shortcut="F2",
        )  # fmt: skip
        request_key = wishes.request_key(_KEY, pressed=pressed)
        # What is asked for is what was on the screen, whatever has become free or dear meanwhile.
        if not pressed:
            st.session_state[_SHOWN] = choice
        if pressed:
            session.perform(
                "book.requested",
                repeat_bookings.repeat,
                customer_id,
                proposal.order_id,
                st.session_state.get(_SHOWN, choice),
                request_key,
                forget=(_KEY,),
            )
    focus(f".st-key-{_KEY}_book button", f"repeat-{customer_id}")


def _why(what: Obstacle | None) -> str:
    """What keeps the caregiver who came before away."""
    if what is None:
        return ""
    return t(f"repeat.because_{what}" if what in FOR_GOOD else f"error.obstacle_{what}")


def _said(choice: Choice) -> str:
    """李桂兰 · 明天 09:00–11:00 · ¥96."""
    when = formats.span(choice.starts_at, choice.ends_at)
    return f"{formats.plain(choice.caregiver_name)} · {when} · {formats.money(choice.total_fen)}"
