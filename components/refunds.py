"""Refunds on the cards of orders and visits: granted, read by whom they concern, taken back."""

import streamlit as st

from components import formats, icons, layout, session, wishes
from components.i18n import t
from services import refunds
from services.access import Permission, Role
from services.orders import OrderView, VisitStatus
from services.refunds import Refundable, RefundStatus, RefundView

_ICON = ":material/currency_exchange:"
_PAYERS = ("platform", "caregiver", "split")
_SPLITS = ("percent", "amount")


def refund_desk(visit: OrderView) -> None:
    """What can still be given back of a visit, and who pays, told before the click."""
    charged = visit.visit_status is VisitStatus.REDEEMED or visit.fee_fen
    if not charged or not session.actor().may(Permission.REFUND):
        return
    key = f"refund_{visit.visit_id}"
    with st.expander(t("refund.title"), icon=_ICON, key=f"{key}_open", on_change="rerun") as opened:
        if not opened.open:
            return
        left = session.fetch(refunds.left, visit.visit_id)
        st.caption(
            t(
                "refund.left",
                charged=formats.money(left.charged_fen),
                left=formats.money(left.left_fen),
                pay=formats.money(left.pay_left_fen),
            )
        )
        if left.left_fen:
            _form(left, key)


def _form(left: Refundable, key: str) -> None:
    with st.grid(2, min_column_width=220):
        amount_fen = _yuan(t("field.refund_amount"), left.left_fen, left.left_fen, f"{key}_amount")
        payer = st.segmented_control(
            t("field.refund_payer"),
            _PAYERS,
            default="platform",
            required=True,
            format_func=lambda one: t(f"refund.by_{one}"),
            key=f"{key}_payer",
        )
    caregiver_fen = _her_part(payer, amount_fen, left.pay_left_fen, key)
    family, hers = formats.money(amount_fen), formats.money(caregiver_fen)
    ours = formats.money(amount_fen - caregiver_fen)
    with st.grid(3, min_column_width=110):
        for name, amount in (("family", family), ("ours", ours), ("hers", hers)):
            st.metric(t(f"refund.{name}"), amount, border=True)
    if caregiver_fen > (most_fen := min(left.pay_left_fen, amount_fen)):
        most = formats.money(most_fen)
        st.warning(t("refund.hers_too_much", most=most), icon=":material/warning:")
    because = st.text_area(
        t("field.reason"),
        key=f"{key}_reason",
        max_chars=refunds.MOST_WORDS,
        placeholder=t("refund.reason_hint"),
    )
    pressed = layout.confirmed(
        t("refund.grant"),
        t("refund.warning", family=family, ours=ours, hers=hers),
        f"{key}_grant",
        icon=_ICON,
        main=True,
    )
    request_key = wishes.request_key(key, pressed=pressed)
    if pressed:
        session.perform(
            "refund.granted",
            refunds.grant,
            left.visit_id,
            amount_fen,
            caregiver_fen,
            because or "",
            request_key=request_key,
            forget=(f"{key}_",),
        )


def _her_part(payer: str | None, amount_fen: int, most_fen: int, key: str) -> int:
    """How much of it the caregiver pays, in fen."""
    if payer != "split":
        return amount_fen if payer == "caregiver" else 0
    with st.grid(2, min_column_width=220):
        way = st.segmented_control(
            t("refund.split_how"),
            _SPLITS,
            default="percent",
            required=True,
            format_func=lambda one: t(f"refund.split_{one}"),
            key=f"{key}_split",
        )
        if way == "amount":
            return _yuan(t("refund.hers"), 0, most_fen, f"{key}_hers", least_fen=0)
        percent = st.slider(t("refund.her_share"), 0, 100, 50, 5, key=f"{key}_share", format="%d%%")
    return amount_fen * percent // 100


def _yuan(label: str, start_fen: int, most_fen: int, key: str, *, least_fen: int = 1) -> int:
    """An amount as people write it, in fen."""
    typed = st.number_input(
        label, least_fen / 100, most_fen / 100, start_fen / 100, 1.0, format="%.2f", key=key
    )
    return round(typed * 100)


def refund_card(one: RefundView) -> None:
    """A refund as the visitor may read it; operators can take it back."""
    role = session.actor().role
    told = [
        f"{_ICON} **{t('refund.yours' if role is Role.CAREGIVER else 'refund.amount')}"
        f" {formats.money(one.amount_fen)}**",
        f":small[:gray[{t('refund.on', day=formats.moment(one.granted_at))} · "
        f"{t('complaint.of_visit', at=formats.moment(one.starts_at))}]]",
    ]
    if role in (Role.OPERATOR, Role.DESK):
        parts = {"ours": one.platform_fen, "hers": one.caregiver_fen}
        named = " · ".join(
            f"{t(f'refund.{name}')} {formats.money(fen)}" for name, fen in parts.items()
        )
        told.append(f":small[{named} · {formats.plain(one.granted_by)}]")
    told.append(formats.plain(one.words))
    if one.status is RefundStatus.TAKEN_BACK:
        told.append(f"**{t('refund.was_taken_back')}** {formats.plain(one.reversal_words)}")
    with st.container(border=True, gap="small", key=f"refund_card_{one.id}"):
        layout.badge(icons.REFUND[one.status], t(f"refund_status.{one.status}"))
        st.markdown("  \n".join(told))
        if "take_back" in one.moves:
            _taking_back(one)


def _taking_back(one: RefundView) -> None:
    key = f"take_back_refund_{one.id}"
    with st.popover(
        t("refund.take_back"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.markdown(t("refund.take_back_warning", amount=formats.money(one.amount_fen)))
        said = layout.reason_form(key, t("refund.take_back"), t("refund.take_back_hint"))
        if said is not None:
            session.perform(
                "refund.taken_back", refunds.take_back, one.id, said, forget=(f"reason_{key}",)
            )
