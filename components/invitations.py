"""Invitations: those whom a demand suits, by name, each asked with one click."""

import streamlit as st

from components import formats, layout, session
from components.caregivers import profile_dialog
from components.i18n import t
from components.places import band_name
from components.reviews import stars
from services import invitations
from services.catalogue import ItemView
from services.invitations import Suited

_SHOWN_AT_ONCE = 5


def invite_button(demand_id: int, item: ItemView | None) -> None:
    """Opens the list of those whom the demand suits; nothing is looked up before."""
    with st.popover(
        t("invite.open"),
        icon=":material/person_add:",
        key=f"invite_for_{demand_id}",
        on_change="rerun",
    ) as opened:
        if opened.open:
            _suiting(demand_id, item)


def _suiting(demand_id: int, item: ItemView | None) -> None:
    found = session.fetch(invitations.suiting, demand_id)
    if not found.suited:
        st.markdown(t("invite.nobody"))
        return
    st.caption(t("invite.left", count=found.left) if found.left else t("invite.none_left"))
    key = f"invite_{demand_id}"
    for one in layout.first_of(found.suited, key, _SHOWN_AT_ONCE):
        with st.container(border=True, gap="small", key=f"{key}_{one.id}_card"):
            st.markdown("  \n".join(_facts(one, item)))
            with layout.row():
                if one.invited:
                    st.badge(t("invite.invited"), icon=":material/mark_email_read:", color="green")
                elif st.button(
                    t("invite.invite"),
                    key=f"{key}_{one.id}",
                    icon=":material/send:",
                    disabled=not found.left,
                ):
                    session.perform("invite.done", invitations.invite, demand_id, one.id)
                if st.button(t("find.profile"), type="tertiary", key=f"{key}_{one.id}_profile"):
                    profile_dialog(one.id, one.name)
    layout.more_button(found.suited, key, _SHOWN_AT_ONCE)


def _facts(one: Suited, item: ItemView | None) -> list[str]:
    """Who it is, what families say, what she takes and how near she is."""
    score = f":gray[{t('caregiver.no_score')}]"
    if one.score.overall is not None:
        score = f"{stars(one.score.overall)} **{one.score.overall:.1f}**"
        score += f" :gray[:small[({one.score.reviews})]]"
    price = t("invite.no_price")
    if one.price_fen is not None and item is not None:
        price = formats.unit_price(one.price_fen, item.unit)
    badges = f"{price} :gray-badge[:material/distance: {band_name(one.distance)}]"
    if not one.in_hours:
        badges += f" :orange-badge[:material/schedule: {t('clash.off_hours')}]"
    return [f"**{formats.plain(one.name)}** {score}", badges]
