"""Money to give back: which families are in credit, and that it went back to them."""

import streamlit as st

from components import formats, icons, layout, navigation, session, wishes
from components.i18n import t
from services import clock, receipts, repayments
from services.receipts import Payer, ReceiptForm, ReceiptMethod
from services.repayments import RepaymentStatus, RepaymentView

_SHOWN_AT_ONCE = 6


def queue() -> None:
    """The families in credit, the most first, each with the way to its card."""
    found = session.fetch(repayments.in_credit)
    st.subheader(t("repayments.queue"), anchor=False)
    if not found:
        st.caption(f"{t('empty.repayments')} · {t('empty.repayments_next')}")
        return
    with st.grid("auto", min_column_width=300):
        for payer in layout.first_of(found, "repayments", _SHOWN_AT_ONCE):
            with st.container(border=True, gap="small", key=f"credit_of_{payer.id}"):
                name, credit = formats.plain(payer.name), formats.money(-payer.owed_fen)
                st.markdown(f"**{name}** · {credit}  \n:small[:gray[{payer.masked_phone}]]")
                navigation.link(
                    "receipts", t("repayments.open"), icon=":material/payments:",
                    customer=str(payer.id),
                )  # fmt: skip
    layout.more_button(found, "repayments", _SHOWN_AT_ONCE)


def repayment_desk(payer: Payer) -> None:
    """The form for money that goes back, while a family is in credit; and what went back before."""
    if payer.pays and payer.owed_fen < 0:
        _form(payer)
    for one in session.fetch(repayments.of_customer, payer.id):
        _card(one)


def _form(payer: Payer) -> None:
    key = f"repayment_{payer.id}"
    with st.expander(
        t("repayments.record"), icon=":material/payments:", key=f"{key}_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        credit = formats.money(-payer.owed_fen)
        st.caption(t("repayments.means", credit=credit))
        method = st.segmented_control(
            t("repayments.method"),
            list(ReceiptMethod),
            default=ReceiptMethod.BANK,
            required=True,
            format_func=lambda one: f"{icons.RECEIPT_METHOD[one]} {t(f'receipt_method.{one}')}",
            key=f"{key}_method",
            wrap=True,
        )
        with st.grid(2, min_column_width=220):
            typed = credit.removeprefix("¥").replace(",", "")
            amount = st.text_input(t("field.amount"), typed, key=f"{key}_amount", max_chars=20)
            on = st.date_input(
                t("repayments.day"),
                clock.today(),
                min_value=clock.today() - receipts.FURTHEST_BACK,
                max_value=clock.today(),
                key=f"{key}_day",
            )
            reference = st.text_input(
                t("field.reference"),
                key=f"{key}_reference",
                max_chars=receipts.MOST_REFERENCE,
                help=t("receipts.reference_help"),
            )
            said = st.text_input(
                t("field.receipt_words"), key=f"{key}_words", max_chars=receipts.MOST_WORDS
            )
        name = formats.plain(payer.name)
        pressed = layout.confirmed(
            t("repayments.record"), t("repayments.warning", name=name), f"{key}_record", main=True
        )
        request_key = wishes.request_key(key, pressed=pressed)
        if pressed:
            form = ReceiptForm(payer.id, method, amount, on, reference, said)
            session.perform(
                "repayments.recorded", repayments.record, form, request_key, forget=(f"{key}_",)
            )


def _card(one: RepaymentView) -> None:
    told = [
        f"**{t('repayments.went_back')} {formats.money(one.amount_fen)}**",
        f"{icons.RECEIPT_METHOD[one.method]} {t(f'receipt_method.{one.method}')}"
        f" · {formats.day(one.repaid_on)} · {formats.plain(one.reference or '–')}",
        f":small[:gray[{formats.plain(one.recorded_by)} · {formats.moment(one.recorded_at)}]]",
    ]
    told += [formats.plain(said) for said in (one.words, one.reversal_words) if said]
    with st.container(border=True, gap="small", key=f"repayment_card_{one.id}"):
        if one.status is RepaymentStatus.TAKEN_BACK:
            layout.badge(icons.REPAYMENT[one.status], t("repayments.reversed"))
        st.markdown("  \n".join(told))
        if "take_back" in one.moves:
            _taking_back(one)


def _taking_back(one: RepaymentView) -> None:
    key = f"take_back_repayment_{one.id}"
    with st.popover(
        t("repayments.take_back"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.markdown(t("repayments.take_back_warning", amount=formats.money(one.amount_fen)))
        said = layout.reason_form(key, t("repayments.take_back"), t("receipts.reverse_hint"))
        if said is not None:
            session.perform(
                "repayments.taken_back", repayments.take_back, one.id, said,
                forget=(f"reason_{key}",),
            )  # fmt: skip
