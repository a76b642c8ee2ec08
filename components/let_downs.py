"""Let-downs: after a caregiver did not come, somebody else now, and what becomes of her day."""

import streamlit as st

from components import formats, navigation, session
from components.i18n import t
from services import leaves, let_downs
from services.access import Permission
from services.demands import DemandStatus
from services.leaves import LeaveReason
from services.let_downs import LetDown
from services.orders import OrderView, VisitStatus


def let_down(order: OrderView) -> None:
    """What the operator arranges on the day of a visit whose caregiver did not come."""
    if order.visit_status is not VisitStatus.MISSED:
        return
    if not session.actor().may(Permission.DECIDE_REQUEST):
        return
    found = session.fetch(let_downs.today, order.visit_id)
    if found is None:
        return
    with st.container(border=True, key=f"let_down_{order.visit_id}"):
        st.markdown(f"**{t('let_downs.title')}**")
        _for_the_family(order, found)
        _for_her_others(order, found)


def _for_the_family(order: OrderView, found: LetDown) -> None:
    if found.sought is not None:
        _sought(found.sought)
        return
    if not found.starts:
        st.caption(t("let_downs.too_late"))
        return
    st.caption(t("let_downs.call_first"))
    starts = {formats.time_of_day(start): start for start in found.starts}
    key = f"let_down_start_{order.visit_id}"
    chosen = st.selectbox(t("let_downs.start"), list(starts), key=key, width=200)
    if st.button(
        t("let_downs.seek"), type="primary", icon=":material/person_search:", key=f"{key}_seek"
    ):
        session.perform(
            "let_downs.posted", let_downs.seek, order.visit_id, starts[chosen], forget=(key,)
        )


def _sought(status: DemandStatus) -> None:
    """How far it is with what was posted."""
    match status:
        case DemandStatus.MATCHED:
            st.caption(t("let_downs.found"))
        case DemandStatus.OPEN | DemandStatus.DIRECTED:
            st.caption(t("let_downs.sought"))
            query, icon = {"show": "unanswered"}, ":material/arrow_forward:"
            navigation.link("applications", t("let_downs.go"), icon=icon, **query)
        case _:
            st.caption(t("let_downs.not_found"))


def _for_her_others(order: OrderView, found: LetDown) -> None:
    """Her other visits of the day are at risk: away for the rest of it, she is stood in for."""
    name = formats.plain(order.caregiver_name)
    if found.others:
        count = len(found.others)
        st.warning(t("let_downs.at_risk", name=name, count=count), icon=":material/warning:")
        if st.button(
            t("let_downs.stand_in"),
            icon=":material/swap_horiz:",
            key=f"let_down_others_{order.visit_id}",
        ):
            span = found.since, found.until
            session.perform(
                "let_downs.away",
                leaves.take,
                order.caregiver_id,
                *span,
                LeaveReason.OTHER,
                found.others,
            )
    elif found.waiting:
        navigation.link(
            "calendars",
            t("stand_ins.go", name=name, count=found.waiting),
            icon=":material/swap_horiz:",
            caregiver=str(order.caregiver_id),
        )
