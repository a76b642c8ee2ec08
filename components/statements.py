"""Statements of account: what is owed in big, and below it line by line how it came about."""

from datetime import date

import streamlit as st

from components import catalogue, downloads, formats, icons, layout, papers, proofs
from components.i18n import t
from components.papers import Column
from services import clock
from services.catalogue import ItemView
from services.statements import Statement, StatementLine

_SHOWN_AT_ONCE = 20


def owed(owed_fen: int, coming_fen: int) -> None:
    """What is owed now, and how much of it for visits to come; what was paid ahead is said so."""
    st.metric(t(_label(owed_fen)), formats.money(abs(owed_fen)), border=True, width=280)
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


def take_button(statement: Statement, items: dict[int, ItemView]) -> None:
    """The statement as a PDF, oldest line first."""
    number = statement.customer_id
    downloads.button(
        t("statement.take"),
        f"bill_{number}",
        lambda: (
            f"bill:{number}",
            f"carepilot-bill-{number}-{clock.today():%Y%m%d}.pdf",
            _pdf(statement, items),
        ),
    )


def _pdf(statement: Statement, items: dict[int, ItemView]) -> bytes:
    owed_fen, coming_fen = statement.owed_fen, statement.coming_fen
    facts = [
        (t("statement.name"), statement.name),
        (t(_label(owed_fen)), formats.money(abs(owed_fen))),
    ]
    notes = []
    if min(owed_fen, coming_fen) > 0:
        notes.append(t("bill.coming", amount=formats.money(min(owed_fen, coming_fen))))
    columns = (
        Column(t("statement.kind"), 20),
        Column(t("statement.about"), 54),
        Column(t("statement.amount"), 13, amounts=True),
        Column(t("statement.balance"), 13, amounts=True),
    )
    rows = [
        (
            t(f"bill.{line.kind}"),
            _on_paper(line, items),
            formats.money(line.amount_fen),
            formats.money(line.balance_fen),
        )
        for line in statement.lines
    ]
    return papers.paper(t("statement.of_account"), facts, columns, rows, notes)


def _label(owed_fen: int) -> str:
    return "bill.owed" if owed_fen > 0 else "bill.ahead" if owed_fen < 0 else "bill.settled"


def _line(line: StatementLine, items: dict[int, ItemView], key: str) -> None:
    """One line: what for and when at the left, how much and what was owed then at the right."""
    icon, colour = icons.STATEMENT[line.kind]
    sign = "+" if line.amount_fen > 0 else ""
    told = "  \n".join(filter(None, _facts(line, items)))
    with st.container(horizontal=True, gap="small", key=key):
        st.markdown(
            f":{colour}[{icon}] **{t(f'bill.{line.kind}')}** :small[:gray[{_booked(line)}]]"
            f"  \n:small[:gray[{told}]]",
            width="stretch",
        )
        balance = t("bill.balance", balance=formats.money(line.balance_fen))
        st.markdown(
            f"**{sign}{formats.money(line.amount_fen)}**  \n:small[:gray[{balance}]]",
            text_alignment="right",
            width="content",
        )


def _on_paper(line: StatementLine, items: dict[int, ItemView]) -> str:
    about, visit = _facts(line, items, on_paper=True)
    return "\n".join(filter(None, (about, " · ".join(filter(None, (visit, _booked(line)))))))


def _facts(
    line: StatementLine, items: dict[int, ItemView], *, on_paper: bool = False
) -> tuple[str, str]:
    """What a line is for, and its visit; on paper no day is near, and nothing is Markdown."""
    moment, typed = (papers.moment, str) if on_paper else (formats.moment, formats.plain)
    if line.elsewhere:
        return t("bill.elsewhere"), ""
    about = []
    if line.method is not None:
        about.append(t(f"receipt_method.{line.method}"))
    if line.item_id is not None:
        about.append(catalogue.item_name(items, line.item_id))
    if line.order_id is not None:
        about.append(t("order.number", number=line.order_id))
    if line.reference:
        about.append(typed(line.reference))
    visit = t("bill.visit", time=moment(line.starts_at)) if line.starts_at else ""
    return " · ".join(about), visit


def _booked(line: StatementLine) -> str:
    """The day it was paid on, or else booked."""
    if line.received_on is not None and not line.elsewhere:
        return t("bill.paid_on", day=_written(line.received_on))
    return t("bill.booked", day=_written(clock.in_city(line.at)))


def _written(on: date) -> str:
    """2030/01/07: short, with its year."""
    return f"{on:%Y/%m/%d}"
