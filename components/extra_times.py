"""Extra time on the cards of visits: asked for by the caregiver, answered by the family."""

import streamlit as st

from components import formats, layout, session
from components.i18n import t
from services import extra_times
from services.access import Permission, Role
from services.extra_times import ExtraTimeView
from services.orders import OrderView, VisitStatus


def extra_time_button(visit: OrderView) -> None:
    """What may be asked for after a visit that took longer, with its price before the click."""
    minutes = extra_times.minutes_over(visit.ends_at, visit.checked_out_at)
    finished = visit.visit_status is VisitStatus.FINISHED
    if not (minutes and finished and session.actor().may(Permission.WORK_VISIT)):
        return
    price = session.fetch(extra_times.quote, visit.visit_id)
    if price is not None and layout.confirmed(
        t("extra_time.ask", minutes=minutes),
        t(
            "extra_time.ask_warning",
            minutes=minutes,
            total=formats.money(price.total_fen),
            pay=formats.money(price.total_fen - price.commission_fen),
        ),
        f"extra_time_{visit.visit_id}",
        icon=":material/more_time:",
    ):
        session.perform("extra_time.asked", extra_times.ask, visit.visit_id)


def extra_time_card(one: ExtraTimeView) -> None:
    """How an extra time stands; the family agrees to it or does not."""
    caregiver = session.actor().may(Permission.WORK_VISIT)
    amount = formats.money(one.pay_fen if caregiver else one.total_fen)
    state = one.status if one.open or one.status != "asked" else "lapsed"
    family = session.actor().role is Role.CUSTOMER
    told = t(f"extra_time.{state}_yours" if family else f"extra_time.{state}_now")
    with st.container(border=True, gap="small", key=f"extra_time_card_{one.visit_id}"):
        st.markdown(
            f":material/more_time: **{t('extra_time.minutes', minutes=one.minutes)} · {amount}**"
            f"  \n:small[{told}]"
        )
        if not one.moves:
            return
        with layout.row():
            if layout.confirmed(
                t("move.agree_extra_time"),
                t("extra_time.agree_warning", minutes=one.minutes, total=amount),
                f"agree_extra_{one.visit_id}",
                icon=":material/check:",
                main=True,
            ):
                session.perform("extra_time.agreed", extra_times.agree, one.visit_id)
            if layout.confirmed(
                t("move.refuse_extra_time"),
                t("extra_time.refuse_warning"),
                f"refuse_extra_{one.visit_id}",
                icon=":material/close:",
            ):
                session.perform("extra_time.refused", extra_times.refuse, one.visit_id)
