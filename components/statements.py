"""Statements of account: what is owed in big, and below it line by line how it came about."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from components import catalogue, formats, icons, layout, proofs
from components.i18n import t
from services import clock
from services.catalogue import ItemView
from services.statements import Statement, StatementLine

_SHOWN_AT_ONCE = 20


def owed(owed_fen: int, coming_fen: int) -> None:
    """What is owed now, and how much of it for visits to come; what was paid ahead is said so."""
    label = "bill.owed" if owed_fen > 0 else "bill.ahead" if owed_fen < 0 else "bill.settled"
    st.metric(t(label), formats.money(abs(owed_fen)), border=True, width=280)
    if owed_fen < 0:
        st.caption(t("bill.ahead_means"))
    if min(owed_fen, coming_fen) > 0:
        st.caption(t("bill.coming", amount=formats.money(min(owed_fen, coming_fen))))


def statement_lines(statement: Statement, items: dict[int, ItemView], key: str) -> None:
    """The lines, newest first, a few at once and the others on demand."""
    newest_first = statement.lines[::-1]
    shown = layout.first_of(newest_first, key, _SHOWN_AT_ONCE)
    proven = proofs.of_lines(shown)
    with st.container(border=True, gap="small", key=f"{key}_lines"):
        for number, line in enumerate(shown):
            _line(line, items, f"bill_line_{number}")
            if line.receipt_id in proven:
                proofs.expander(proven[line.receipt_id], f"{key}_{line.receipt_id}")
    layout.more_button(newest_first, key, _SHOWN_AT_ONCE)


def _line(line: StatementLine, items: dict[int, ItemView], key: str) -> None:
    """One line: what for and when at the left, how much and what was owed then at the right."""
    icon, colour = icons.STATEMENT[line.kind]
    sign = "+" if line.amount_fen > 0 else ""
    told = "  \n".join(_facts(line, items))
    with st.container(horizontal=True, gap="small", key=key):
        st.markdown(
            f":{colour}[{icon}] **{t(f'bill.{line.kind}')}**  \n:small[:gray[{told}]]",
            width="stretch",
        )
        balance = t("bill.balance", balance=formats.money(line.balance_fen))
        st.markdown(
            f"**{sign}{formats.money(line.amount_fen)}**  \n:small[:gray[{balance}]]",
            text_alignment="right",
            width="content",
        )


def _facts(line: StatementLine, items: dict[int, ItemView]) -> Sequence[str]:
    booked = t("bill.booked", day=_written(clock.in_city(line.at)))
    if line.elsewhere:
        return t("bill.elsewhere"), booked
    about = []
    if line.item_id is not None:
        about.append(catalogue.item_name(items, line.item_id))
    if line.order_id is not None:
        about.append(t("order.number", number=line.order_id))
    if line.method is not None:
        about.insert(0, t(f"receipt_method.{line.method}"))
    if line.reference:
        about.append(formats.plain(line.reference))
    if line.received_on is not None:
        booked = t("bill.paid_on", day=_written(line.received_on))
    when = (t("bill.visit", time=formats.moment(line.starts_at)),) if line.starts_at else ()
    return tuple(filter(None, (" · ".join(about), " · ".join((*when, booked)))))


def _written(on: date) -> str:
    """2030/01/07: short, with its year, and never broken at the end of a line."""
    return f"{on:%Y/%m/%d}"
