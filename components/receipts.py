"""Receipts as staff keep them: choose a family, see what it owes, record, list and take back."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from components import (
    catalogue,
    formats,
    icons,
    invoices,
    layout,
    navigation,
    proofs,
    repayments,
    session,
    tables,
    wishes,
)
from components.i18n import t
from components.statements import owed, statement_lines, take_button
from services import clock, orders, receipts, statements
from services.catalogue import ItemView
from services.orders import OrderView
from services.receipts import Payer, ReceiptForm, ReceiptMethod, ReceiptView

_KEY = "receipt"
_TEXTS = ("family", "method", "reference", "day", "recorded_by")
_LAST_DAYS = timedelta(days=30)
_LATEST_ORDERS = 20
_TALLEST = 15
_NO_ORDER = 0


def chosen_payer(typed: str) -> Payer | None:
    """The family that was searched for and picked, or that a link names."""
    linked = navigation.asked_number("customer")
    if not typed:
        return session.fetch(receipts.payer, linked) if linked is not None else None
    found = session.fetch(receipts.payers, typed)
    if not found:
        layout.empty("payers", icon=":material/person_search:")
        return None
    if len(found) == 1:
        return found[0]
    picked = st.pills(
        t("receipts.which"),
        [one.id for one in found],
        format_func=lambda number: _told(next(one for one in found if one.id == number)),
        key=f"payers_of_{typed}",
    )
    return next((one for one in found if one.id == picked), None)


def _told(payer: Payer) -> str:
    told = (payer.name, payer.masked_phone, formats.money(payer.owed_fen))
    return formats.plain(" · ".join(filter(None, told)))


def payer_card(payer: Payer, items: dict[int, ItemView]) -> None:
    """A family, what it owes, the form for a payment and, behind a click, its statement."""
    with st.container(border=True, key=f"payer_{payer.id}"):
        with layout.row():
            st.subheader(formats.plain(payer.name), anchor=False, width="content")
            layout.badge(icons.ACCOUNT[payer.status], t(f"account_status.{payer.status}"))
            st.caption(payer.masked_phone, width="content")
        owed(payer.owed_fen, payer.coming_fen)
        if payer.pays:
            _form(payer, items)
        repayments.repayment_desk(payer)
        _statement(payer, items)
        if payer.pays:
            invoices.of_family(payer.id)


def _form(payer: Payer, items: dict[int, ItemView]) -> None:
    """A payment; what is most likely stands there already."""
    key = f"{_KEY}_{payer.id}"
    ordered = {
        order.id: order
        for order in session.fetch(orders.listing, customer_id=payer.id, limit=_LATEST_ORDERS)
    }
    with st.form(key, border=False):
        method = st.segmented_control(
            t("field.receipt_method"),
            list(ReceiptMethod),
            default=ReceiptMethod.BANK,
            required=True,
            format_func=lambda one: f"{icons.RECEIPT_METHOD[one]} {t(f'receipt_method.{one}')}",
            key=f"{key}_method",
            wrap=True,
        )
        with st.grid(2, min_column_width=220):
            amount = st.text_input(
                t("field.amount"), _due(payer.owed_fen), key=f"{key}_amount", max_chars=20
            )
            received_on = st.date_input(
                t("field.received_on"),
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
            order_id = st.selectbox(
                t("receipts.for_order"),
                [_NO_ORDER, *ordered],
                format_func=lambda number: _order(ordered.get(number), items),
                key=f"{key}_order",
            )
        said = st.text_input(
            t("field.receipt_words"), key=f"{key}_words", max_chars=receipts.MOST_WORDS
        )
        given = proofs.field(t("receipts.proof"), f"{key}_proof")
        pressed = st.form_submit_button(
            t("receipts.record"), type="primary", icon=":material/add_card:", key=f"{key}_record"
        )
    request_key = wishes.request_key(_KEY, pressed=pressed)
    pages = proofs.pages_of(given) if pressed else None
    if pages is not None:
        form = ReceiptForm(
            customer_id=payer.id,
            method=method,
            amount=amount,
            received_on=received_on,
            reference=reference,
            words=said,
            order_id=None if order_id == _NO_ORDER else order_id,
        )
        session.perform(
            "receipts.recorded", receipts.record, form, request_key, pages, forget=(key,)
        )


def _due(owed_fen: int) -> str:
    """What is owed, as one would type it; nothing where nothing is."""
    return formats.money(owed_fen).removeprefix("¥").replace(",", "") if owed_fen > 0 else ""


def _order(order: OrderView | None, items: dict[int, ItemView]) -> str:
    if order is None:
        return t("receipts.no_order")
    told = (
        t("order.number", number=order.id),
        catalogue.item_name(items, order.item_id),
        formats.day(order.starts_at),
        formats.money(order.total_fen),
    )
    return " · ".join(told)


def _statement(payer: Payer, items: dict[int, ItemView]) -> None:
    key = f"statement_{payer.id}"
    with st.expander(
        t("receipts.statement"), icon=":material/receipt:", key=f"{key}_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(f":material/policy: {t('receipts.audited')}")
        found = session.disclose(statements.of_customer, payer.id)
        if found is not None and found.lines:
            statement_lines(found, items, key)
            take_button(found, items)
        elif found is not None:
            layout.empty("my_bill", icon=":material/receipt:")


def days() -> tuple[date, date]:
    """From which day to which receipts are listed; of a range half chosen, its first day."""
    today = clock.today()
    chosen = st.date_input(
        t("receipts.days"),
        (today - _LAST_DAYS, today),
        max_value=today,
        key="receipt_days",
        width=280,
    )
    chosen = chosen or (today, today)
    return chosen[0], chosen[-1]


def receipt_list(shown: Sequence[ReceiptView]) -> None:
    """The latest receipts as a table; the one that was clicked in full."""
    if not shown:
        layout.empty("receipts", icon=":material/receipt_long:")
        return
    in_full = st.container()
    if len(shown) == receipts.MOST_LISTED:
        st.caption(t("receipts.only_latest", most=receipts.MOST_LISTED))
    column = st.column_config
    picked = tables.chosen(
        shown,
        {
            "day": [formats.date_alone(one.received_on) for one in shown],
            "family": [one.customer_name for one in shown],
            "amount": [formats.money(one.amount_fen) for one in shown],
            "method": [t(f"receipt_method.{one.method}") for one in shown],
            "reference": [one.reference for one in shown],
            "recorded_by": [one.recorded_by for one in shown],
            "state": [[_state(one)] for one in shown],
        },
        {
            **{name: column.TextColumn(t(f"receipts.{name}")) for name in _TEXTS},
            "amount": column.TextColumn(t("receipts.amount"), alignment="right"),
            "state": column.MultiselectColumn(
                t("receipts.state"),
                options=[t("receipts.stands"), t("receipts.reversed")],
                color=["green", "gray"],
            ),
        },
        key="receipts",
        alt=t("receipts.table"),
        height="content" if len(shown) < _TALLEST else 560,
    )
    if picked is not None:
        with in_full:
            _in_full(picked)


def _state(receipt: ReceiptView) -> str:
    return t("receipts.reversed" if receipt.reversed_at else "receipts.stands")


def _in_full(receipt: ReceiptView) -> None:
    with st.container(border=True, key=f"receipt_{receipt.id}_in_full"):
        with layout.row():
            st.subheader(formats.money(receipt.amount_fen), anchor=False, width="content")
            colour = "gray" if receipt.reversed_at else "green"
            layout.badge((icons.RECEIPT_METHOD[receipt.method], colour), _state(receipt))
        with st.container(horizontal=True, gap="medium"):
            layout.field(t("receipts.family"), receipt.customer_name)
            layout.field(t("receipts.method"), t(f"receipt_method.{receipt.method}"))
            layout.field(t("receipts.reference"), receipt.reference or "–")
            layout.field(t("receipts.day"), formats.day(receipt.received_on))
            layout.field(
                t("receipts.recorded_by"),
                f"{receipt.recorded_by} · {formats.moment(receipt.recorded_at)}",
            )
            if receipt.words:
                layout.field(t("field.receipt_words"), receipt.words)
        if receipt.reversed_at is not None:
            said = f"{receipt.reversed_by} · {formats.moment(receipt.reversed_at)}"
            layout.field(t("receipts.reversed"), f"{said}\n{receipt.reversal_words}")
        proofs.of_receipt(receipt.id)
        if receipt.order_id is not None:
            navigation.link(
                "orders", t("order.number", number=receipt.order_id), icon=":material/list_alt:",
                order=str(receipt.order_id),
            )  # fmt: skip
        if receipt.reversible:
            _reversing(receipt)


def _reversing(receipt: ReceiptView) -> None:
    key = f"reverse_receipt_{receipt.id}"
    with st.expander(
        t("receipts.reverse"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        name, amount = formats.plain(receipt.customer_name), formats.money(receipt.amount_fen)
        st.markdown(t("receipts.reverse_means", name=name, amount=amount))
        because = layout.reason_form(key, t("receipts.reverse"), t("receipts.reverse_hint"))
        if because is not None:
            session.perform(
                "receipts.taken_back", receipts.reverse, receipt.id, because, forget=(key,)
            )
