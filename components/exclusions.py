"""Who is not brought together any more: a side's private wish, and what operators decided."""

import streamlit as st

from components import formats, layout, navigation, session
from components.i18n import t
from services import exclusions
from services.access import Permission, Role
from services.complaints import opens_for
from services.exclusions import ExclusionView
from services.orders import OrderView


def apart_button(order: OrderView) -> None:
    """The wish not to meet the other one of a visit again, and the way back."""
    actor = session.actor()
    met = opens_for(order.visit_status, order.starts_at, order.ends_at)
    if not met or not actor.may(Permission.KEEP_APART):
        return
    key = f"apart_{order.visit_id}"
    side = "caregiver" if actor.role is Role.CAREGIVER else "customer"
    with st.popover(
        t("exclusions.wish"),
        icon=":material/person_off:",
        type="tertiary",
        key=f"{key}_ask",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return
        found = session.fetch(exclusions.apart, order.visit_id)
        if found.exclusion_id is not None:
            st.markdown(t("exclusions.wished"))
            if st.button(t("exclusions.meet_again"), key=f"{key}_back"):
                session.perform("exclusions.meets_again", exclusions.meet_again, found.exclusion_id)
            return
        st.markdown(t(f"exclusions.wish_means_{side}"))
        if found.agreed_visits:
            st.caption(t("exclusions.agreed_stay", count=found.agreed_visits))
        if st.button(t("frame.confirm"), type="primary", key=key):
            session.perform("exclusions.kept_apart", exclusions.keep_apart, order.visit_id)


def my_wishes() -> None:
    """Whom one wished not to meet again; nothing is drawn where there is nobody."""
    actor = session.actor()
    if actor.role not in (Role.CUSTOMER, Role.CAREGIVER):
        return
    found = session.fetch(exclusions.mine)
    if not found:
        return
    with st.container(border=True, key="my_wishes"):
        st.markdown(f"**{t('exclusions.mine')}**")
        st.caption(t("exclusions.private"))
        for one in found:
            other = one.customer_name if actor.role is Role.CAREGIVER else one.caregiver_name
            with layout.row():
                st.markdown(
                    f"{formats.plain(other)} :gray[:small[{formats.day(one.since)}]]",
                    width="content",
                )
                if st.button(t("exclusions.meet_again"), key=f"meet_again_{one.id}"):
                    session.perform("exclusions.meets_again", exclusions.meet_again, one.id)


def decided() -> None:
    """What operators decided and is not lifted, folded."""
    with st.expander(
        t("exclusions.decided"), icon=":material/block:", key="exclusions_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        found = session.fetch(exclusions.listing)
        if not found:
            st.caption(t("exclusions.none"))
        for one in layout.first_of(found, "exclusions"):
            _decided(one)
        layout.more_button(found, "exclusions")


def _decided(one: ExclusionView) -> None:
    with st.container(border=True, key=f"exclusion_{one.id}"):
        names = " – ".join(
            formats.plain(name) for name in (one.customer_name, one.caregiver_name) if name
        )
        last = (
            t("exclusions.until", day=formats.day(one.last_day))
            if one.last_day
            else t("exclusions.for_good")
        )
        st.markdown(
            f"**{names}** · {t(f'exclusion_scope.{one.scope}')}  \n"
            f":gray[:small[{formats.day(one.since)} · {last}]]"
        )
        st.text(one.words)
        with layout.row():
            if one.complaint_id is not None:
                navigation.link(
                    "complaints",
                    t("complaint.to_case", number=one.complaint_id),
                    case=str(one.complaint_id),
                )
            _lift(one)


def _lift(one: ExclusionView) -> None:
    key = f"lift_{one.id}"
    with st.popover(
        t("exclusions.lift"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        said = layout.reason_form(key, t("exclusions.lift"), t("exclusions.lift_hint"))
        if said is not None:
            session.perform(
                "exclusions.lifted", exclusions.lift, one.id, said, forget=(f"reason_{key}",)
            )
