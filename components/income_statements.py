"""A caregiver's month: figures, lines and a PDF; for herself, and for operators on record."""

from collections.abc import Callable
from datetime import date, datetime

import pandas as pd
import streamlit as st

from components import catalogue, downloads, formats, papers, session
from components.i18n import t
from components.papers import Column
from services import income_statements
from services.catalogue import ItemView
from services.income_statements import IncomeStatement, StatementLine

_TAKEN = "income_statement"


def my_month() -> None:
    """The actor's own months: one is chosen, and can be taken along."""
    st.subheader(t("statement.title"), anchor=False)
    months = session.fetch(income_statements.months)
    month = st.selectbox(
        t("statement.month"),
        months,
        format_func=lambda one: t("time.month", on=one),
        key="statement_month",
        width=240,
    )
    statement(session.fetch(income_statements.mine, month))


def of_caregiver(caregiver_id: int, month: date) -> None:
    """A caregiver's month, opened on record."""
    st.caption(f":material/policy: {t('statement.audited')}")
    found = session.disclose(income_statements.of_caregiver, caregiver_id, month)
    if found is not None:
        statement(found)


def statement(found: IncomeStatement) -> None:
    """What was owed before, came in, was paid and is owed after, then line by line."""
    with st.grid(4, min_column_width=140):
        for name, amount_fen in _sums(found):
            st.metric(name, formats.money(amount_fen), border=True)
    if found.withheld_fen is not None:
        withheld = formats.money(found.withheld_fen)
        st.info(t("statement.withheld_about", amount=withheld), icon=":material/account_balance:")
    items = catalogue.items()
    _table(found, items)
    downloads.button(
        t("statement.take"),
        f"{_TAKEN}_{found.caregiver_id}_{found.month:%Y%m}",
        lambda: (
            f"{_TAKEN}:{found.caregiver_id}:{found.month:%Y-%m}",
            f"carepilot-income-{found.caregiver_id}-{found.month:%Y-%m}.pdf",
            _pdf(found, items),
        ),
    )


def _sums(found: IncomeStatement) -> list[tuple[str, int]]:
    return [
        (t("statement.opening"), found.opening_fen),
        (t("statement.earned"), found.earned_fen),
        (t("statement.paid"), found.paid_fen),
        (t("statement.closing"), found.closing_fen),
    ]


def _table(found: IncomeStatement, items: dict[int, ItemView]) -> None:
    column = st.column_config
    if not found.lines:
        st.caption(t("statement.nothing"))
        return
    st.dataframe(
        pd.DataFrame(
            {
                "day": [formats.moment(one.at) for one in found.lines],
                "kind": [t(f"income_line.{one.kind}") for one in found.lines],
                "amount": [formats.money(one.amount_fen) for one in found.lines],
                "balance": [formats.money(one.balance_fen) for one in found.lines],
                "about": [_about(one, items, formats.moment) for one in found.lines],
            }
        ),
        hide_index=True,
        height="content" if len(found.lines) < 12 else 420,
        column_config={
            name: column.TextColumn(
                t(f"statement.{name}"),
                alignment="right" if name in ("amount", "balance") else "left",
            )
            for name in ("day", "kind", "amount", "balance", "about")
        },
        key=f"statement_{found.caregiver_id}",
        alt=t("statement.title"),
    )


def _about(
    line: StatementLine, items: dict[int, ItemView], moment: Callable[[datetime], str]
) -> str:
    told = []
    if line.item_id is not None:
        told.append(catalogue.item_name(items, line.item_id))
    if line.starts_at is not None:
        told.append(moment(line.starts_at))
    if line.order_id is not None:
        told.append(t("order.number", number=line.order_id))
    if line.bank:
        told.append(t("payouts.account_said", bank=line.bank, tail=line.tail))
    return " · ".join(told)


def _pdf(found: IncomeStatement, items: dict[int, ItemView]) -> bytes:
    facts = [
        (t("statement.name"), found.name),
        (t("statement.city"), formats.city(found.city_code)),
        (t("statement.month"), t("time.month", on=found.month)),
        *((name, formats.money(amount_fen)) for name, amount_fen in _sums(found)),
    ]
    notes = [t("statement.how")]
    if found.withheld_fen is not None:
        facts.append((t("statement.withheld"), formats.money(found.withheld_fen)))
        notes.append(t("statement.withheld_how"))
    columns = (
        Column(t("statement.day"), 21),
        Column(t("statement.kind"), 15),
        Column(t("statement.about"), 38),
        Column(t("statement.amount"), 13, amounts=True),
        Column(t("statement.balance"), 13, amounts=True),
    )
    rows = [
        (
            papers.moment(one.at),
            t(f"income_line.{one.kind}"),
            _about(one, items, papers.moment),
            formats.money(one.amount_fen),
            formats.money(one.balance_fen),
        )
        for one in found.lines
    ]
    return papers.paper(t("statement.title"), facts, columns, rows, notes)
