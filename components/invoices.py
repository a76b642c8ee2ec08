"""Invoices as families ask for them, and as operators see to them."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from components import formats, icons, layout, proofs, session, tables, wishes
from components.i18n import t
from services import clock, invoices
from services import proofs as proof_services
from services.access import Role
from services.invoices import (
    BuyerKind,
    InvoiceForm,
    InvoiceStatus,
    InvoiceView,
    Paid,
)

_SHOWN_AT_ONCE = 10


def of_family(customer_id: int | None = None) -> None:
    """A family's invoices and what it can ask one for; staff name the family."""
    st.subheader(t("invoices.title"), anchor=False)
    found = session.fetch(invoices.of_customer, customer_id)
    free = session.fetch(invoices.open_receipts, customer_id)
    _ask(free, session.fetch(invoices.most, customer_id), customer_id)
    _invoices(found, f"invoices_of_{customer_id or 'me'}")


def queue(status: InvoiceStatus) -> None:
    """What waits for the operators of a city, or what became of it."""
    found = session.fetch(invoices.queue, status)
    if not found:
        layout.empty("invoices", icon=":material/request_quote:")
        return
    _invoices(found, f"queue_{status}", family=True)


def status() -> InvoiceStatus:
    """Which of them are listed."""
    return st.segmented_control(
        t("invoices.status"),
        list(InvoiceStatus),
        default=InvoiceStatus.ASKED,
        required=True,
        format_func=lambda one: t(f"invoice_status.{one}"),
        key="invoice_status",
        label_visibility="collapsed",
        wrap=True,
    )


def _ask(free: Sequence[Paid], most_fen: int, customer_id: int | None) -> None:
    key = f"ask_invoice_{customer_id or 'me'}"
    with st.expander(
        t("invoices.ask"), icon=":material/request_quote:", key=f"{key}_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        if not free or not most_fen:
            st.caption(t("invoices.nothing_free"))
            return
        if most_fen < sum(one.amount_fen for one in free):
            st.caption(t("invoices.most", most=formats.money(most_fen)))
        month = _month(free, key)
        buyer = st.segmented_control(
            t("field.invoice_buyer"),
            list(BuyerKind),
            default=BuyerKind.PERSONAL,
            required=True,
            format_func=lambda one: t(f"invoice_buyer.{one}"),
            key=f"{key}_buyer",
        )
        _form(free, month, buyer, key, customer_id)


def _month(free: Sequence[Paid], key: str) -> date | None:
    months = sorted({one.received_on.replace(day=1) for one in free}, reverse=True)
    chosen = st.selectbox(
        t("invoices.month"),
        [tables.ALL, *months],
        format_func=lambda one: (
            t("invoices.all_months") if one == tables.ALL else t("time.month", on=one)
        ),
        key=f"{key}_month",
    )
    return None if isinstance(chosen, str) else chosen


def _form(
    free: Sequence[Paid], month: date | None, buyer: BuyerKind, key: str, customer_id: int | None
) -> None:
    shown = {one.id: one for one in free if month in (None, one.received_on.replace(day=1))}
    with st.form(f"{key}_form", border=False):
        chosen = st.multiselect(
            t("field.invoice_receipts"),
            list(shown),
            default=list(shown) if month else [],
            format_func=lambda number: _paid(shown[number]),
            placeholder=t("invoices.choose"),
            key=f"{key}_receipts_{month}",
        )
        title = st.text_input(
            t("field.invoice_title"), key=f"{key}_title", max_chars=invoices.MOST_TITLE
        )
        tax_number = ""
        if buyer is BuyerKind.COMPANY:
            tax_number = st.text_input(
                t("field.tax_number"),
                key=f"{key}_tax",
                max_chars=30,
                help=t("invoices.tax_help"),
            )
        st.caption(t("invoices.privacy"))
        pressed = st.form_submit_button(t("invoices.ask"), type="primary", key=key)
    request_key = wishes.request_key(key, pressed=pressed)
    if pressed:
        form = InvoiceForm(tuple(chosen), buyer, title, tax_number, customer_id)
        session.perform("invoices.asked", invoices.ask, form, request_key, forget=(key,))


def _paid(one: Paid) -> str:
    told = (
        formats.date_alone(one.received_on),
        formats.money(one.amount_fen),
        t(f"receipt_method.{one.method}"),
        one.reference,
    )
    return " · ".join(filter(None, told))


def _invoices(found: Sequence[InvoiceView], key: str, *, family: bool = False) -> None:
    shown = layout.first_of(found, key, _SHOWN_AT_ONCE)
    pictures = session.fetch(proof_services.of_invoices, [one.id for one in shown])
    for one in shown:
        with st.container(border=True, gap="small", key=f"invoice_{one.id}"):
            _head(one, family=family)
            _facts(one)
            if one.id in pictures:
                label = t("invoices.pictures", count=len(pictures[one.id]))
                proofs.expander(pictures[one.id], f"invoice_{one.id}", label)
            _buyer(one)
            _moves(one, family=family)
    layout.more_button(found, key, _SHOWN_AT_ONCE)


def _head(one: InvoiceView, *, family: bool) -> None:
    with layout.row():
        st.markdown(f"**{formats.money(one.amount_fen)}**", width="content")
        layout.badge(icons.INVOICE[one.status], t(f"invoice_status.{one.status}"))
        if family:
            st.text(one.customer_name, width="content")
    told = (
        t("invoices.number", number=one.id),
        t(f"invoice_buyer.{one.buyer}"),
        t("invoices.asked_at", at=formats.moment(one.asked_at)),
    )
    st.caption(" · ".join(told))


def _facts(one: InvoiceView) -> None:
    if one.number:
        with st.container(horizontal=True, gap="medium"):
            layout.field(t("field.invoice_number"), one.number)
            if one.issued_on:
                layout.field(t("field.invoice_day"), formats.date_alone(one.issued_on))
            if one.red_number:
                layout.field(t("field.red_number"), one.red_number)
    if one.words:
        st.text(one.words)


def _buyer(one: InvoiceView) -> None:
    """Whose it is to be, and for which receipts: opened on record by staff."""
    key = f"invoice_{one.id}_buyer"
    with st.expander(
        t("invoices.buyer"), icon=":material/badge:", key=f"{key}_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        if session.actor().role is not Role.CUSTOMER:
            st.caption(f":material/policy: {t('receipts.audited')}")
        found = session.disclose(invoices.buyer, one.id)
        if found is None:
            return
        with st.container(horizontal=True, gap="medium"):
            layout.field(t("field.invoice_title"), found.title)
            if found.tax_number:
                layout.field(t("field.tax_number"), found.tax_number)
        st.text("\n".join(_paid(receipt) for receipt in found.receipts))
        if one.amount_fen < sum(receipt.amount_fen for receipt in found.receipts):
            st.caption(t("invoices.part", amount=formats.money(one.amount_fen)))


def _moves(one: InvoiceView, *, family: bool) -> None:
    """What can be done with it; in the queue a request is refused, and not withdrawn."""
    with layout.row():
        if "issue" in one.moves:
            _issue(one)
        for move in ("refuse", "cancel"):
            if move in one.moves:
                _with_reason(one, move)
        if (
            "withdraw" in one.moves
            and not family
            and layout.confirmed(
                t("invoices.withdraw"), t("invoices.withdraw_means"), f"withdraw_invoice_{one.id}"
            )
        ):
            session.perform("invoices.withdrawn", invoices.withdraw, one.id)


def _issue(one: InvoiceView) -> None:
    key = f"issue_invoice_{one.id}"
    with st.popover(
        t("invoices.issue"),
        icon=":material/task_alt:",
        key=f"{key}_ask",
        type="primary",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return
        with st.form(f"{key}_form", border=False):
            number = st.text_input(
                t("field.invoice_number"),
                key=f"{key}_number",
                max_chars=30,
                help=t("invoices.number_help"),
            )
            issued_on = st.date_input(
                t("field.invoice_day"),
                clock.today(),
                min_value=clock.in_city(one.asked_at).date(),
                max_value=clock.today(),
                key=f"{key}_day",
            )
            given = proofs.field(t("invoices.picture"), f"{key}_proof")
            pressed = st.form_submit_button(t("invoices.issue"), type="primary", key=key)
        pages = proofs.pages_of(given) if pressed else None
        if pages is not None:
            deed = "invoices.issued", invoices.issue, one.id, number, issued_on, pages
            session.perform(*deed, forget=(key,))


def _with_reason(one: InvoiceView, move: str) -> None:
    """Refuse what was asked for, or note what cancels what was issued; both say why."""
    key = f"{move}_invoice_{one.id}"
    with st.popover(
        t(f"invoices.{move}"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.caption(t(f"invoices.{move}_means"))
        red_number = ""
        if move == "cancel":
            red_number = st.text_input(t("field.red_number"), key=f"{key}_number", max_chars=30)
        because = layout.reason_form(key, t(f"invoices.{move}"), t(f"invoices.{move}_hint"))
        if because is None:
            return
        if move == "cancel":
            deed = "invoices.cancelled", invoices.cancel, one.id, red_number, because
            session.perform(*deed, forget=(key,))
        else:
            session.perform("invoices.refused", invoices.refuse, one.id, because, forget=(key,))
