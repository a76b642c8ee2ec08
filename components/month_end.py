"""The month's end on screen: totals that tie, a picture of what families owe, and the workbook."""

from datetime import date

import pandas as pd
import streamlit as st

from components import downloads, formats, income_statements, layout, places, session, tables
from components.figures import charts
from components.figures.charts import MARGIN, colours
from components.i18n import language, t
from services import month_end, month_packs
from services.month_end import AccountLine, Figure, LedgerAccount, LedgerEvent, MonthEnd
from services.month_packs import Stage

# In this order families come to owe, and owe no more.
_STEPS = (
    LedgerEvent.CONFIRMED, LedgerEvent.EXTENDED, LedgerEvent.EXTRA_TIME, LedgerEvent.CANCELLED,
    LedgerEvent.FEE_REVERSED, LedgerEvent.REFUNDED, LedgerEvent.REFUND_REVERSED,
    LedgerEvent.RECEIVED, LedgerEvent.RECEIPT_REVERSED, LedgerEvent.REPAID,
    LedgerEvent.REPAYMENT_REVERSED,
)  # fmt: skip


def chosen() -> tuple[str, date]:
    """Which city and which month."""
    with st.container(horizontal=True):
        city_code = st.selectbox(
            t("month_end.city"),
            sorted(session.actor().cities),
            format_func=places.city_path,
            key="month_end_city",
            width=280,
        )
        month = st.selectbox(
            t("month_end.month"),
            session.fetch(month_end.months, city_code),
            format_func=lambda one: t("time.month", on=one),
            key="month_end_month",
            width=200,
        )
    return city_code, month


def month_in_full(told: MonthEnd) -> None:
    """Whether it ties, the main figures, the picture, and the tables behind them."""
    if told.ties:
        st.success(t("month_end.ties"), icon=":material/task_alt:")
    else:
        st.error(t("month_end.differs"), icon=":material/error:")
    if not told.over:
        st.caption(t("month_end.running"))
    _metrics(told)
    _waterfall(told)
    _figures(told)
    _accounts(told)
    workbook(told)
    _caregivers(told)


def workbook(told: MonthEnd) -> None:
    """The workbook: handed out at once, or made by the worker and fetched later."""
    if session.without_routes():
        st.info(t("extracts.without_routes"))
        return
    asked = told.city_code, told.month, language()
    stage = session.fetch(month_packs.stage, *asked)
    if stage is Stage.BEING_MADE:
        st.info(t("month_end.being_made"), icon=":material/hourglass_top:")
    label = t("month_end.look_again" if stage is Stage.BEING_MADE else "month_end.take")
    if not st.button(label, icon=":material/table_view:", key="take_month_end", type="primary"):
        return
    if stage is Stage.BEING_MADE:
        return
    ticket = session.disclose(lambda *given: (month_packs.prepare(*given),), *asked)
    if ticket is not None and ticket[0] is None:
        st.rerun()
    downloads.hand_out(ticket[0] if ticket else None, "month_end")


def _metrics(told: MonthEnd) -> None:
    received_fen = sum(one.amount_fen for one in told.lines if one.figure.startswith("received"))
    shown = {
        "orders": str(told.orders),
        "visits": str(told.visits),
        "earned": formats.money(told.figure_fen(Figure.EARNED)),
        "received": formats.money(received_fen),
        "paid_out": formats.money(told.figure_fen(Figure.PAID_OUT)),
        "receivable": formats.money(told.balance_fen(LedgerAccount.CUSTOMER_RECEIVABLE)),
    }
    with st.grid(3, min_column_width=150):
        for name, value in shown.items():
            st.metric(t(f"month_end.{name}"), value, border=True)


def _waterfall(told: MonthEnd) -> None:
    """How what families owe came about: at the month's begin, step by step, at its end."""
    line = next(
        (one for one in told.accounts if one.account is LedgerAccount.CUSTOMER_RECEIVABLE), None
    )
    if line is None:
        layout.empty("month_end", icon=":material/calendar_month:")
        return
    title = t("month_end.owed_by_families")
    st.subheader(title, anchor=False)
    charts.draw(_steps(line), key="month_end_steps", alt=title, rows=4)


def _steps(line: AccountLine) -> dict:
    steps = [event for event in _STEPS if event in line.moved_fen]
    others_fen = sum(fen for event, fen in line.moved_fen.items() if event not in _STEPS)
    names = [t("month_end.opening"), *(t(f"ledger_event.{one}") for one in steps)]
    amounts = [line.opening_fen, *(line.moved_fen[one] for one in steps)]
    if others_fen:
        names.append(t("month_end.others"))
        amounts.append(others_fen)
    names.append(t("month_end.closing"))
    good, bad, total = colours()[0], colours()[1], colours()[2]
    return {
        "data": [
            {
                "type": "waterfall",
                "orientation": "h",
                "y": names,
                "x": [fen / 100 for fen in (*amounts, line.closing_fen)],
                "measure": ["absolute", *["relative"] * (len(names) - 2), "total"],
                "increasing": {"marker": {"color": bad}},
                "decreasing": {"marker": {"color": good}},
                "totals": {"marker": {"color": total}},
                "hovertemplate": "%{y}: ¥%{delta:,.2f}<extra></extra>",
            }
        ],
        "layout": {
            "margin": MARGIN,
            "showlegend": False,
            "xaxis": {"fixedrange": True, "tickprefix": "¥", "tickformat": ",.0f", "nticks": 5},
            "yaxis": {"fixedrange": True, "autorange": "reversed", "automargin": True},
        },
    }


def _figures(told: MonthEnd) -> None:
    st.subheader(t("month_end.figures"), anchor=False)
    _table(
        {
            "figure": [t(f"month_figure.{one.figure}") for one in told.lines],
            "tied": [_tied(one.difference_fen) for one in told.lines],
            "amount": [formats.money(one.amount_fen) for one in told.lines],
            "ledger": [formats.money(one.ledger_fen) for one in told.lines],
        },
        "month_figures",
    )


def _accounts(told: MonthEnd) -> None:
    st.subheader(t("month_end.accounts"), anchor=False)
    st.caption(t("month_end.accounts_about"))
    _table(
        {
            "account": [t(f"ledger_account.{one.account}") for one in told.accounts],
            "tied": [_tied(one.difference_fen) for one in told.accounts],
            "opening": [formats.money(one.opening_fen) for one in told.accounts],
            "moved": [formats.money(sum(one.moved_fen.values())) for one in told.accounts],
            "closing": [formats.money(one.closing_fen) for one in told.accounts],
        },
        "month_accounts",
    )


def _table(shown: dict[str, list[str]], key: str) -> None:
    column = st.column_config
    texts = ("figure", "account", "tied")
    st.dataframe(
        pd.DataFrame(shown),
        hide_index=True,
        height="content",
        column_config={
            name: column.TextColumn(
                t(f"month_end.{name}"), alignment="left" if name in texts else "right"
            )
            for name in shown
        },
        key=key,
        alt=t(f"month_end.{key.removeprefix('month_')}"),
    )


def _tied(difference_fen: int) -> str:
    return formats.money(difference_fen) if difference_fen else "✓"


def _caregivers(told: MonthEnd) -> None:
    """Everybody's month; a click opens one, on record."""
    if not told.caregivers:
        return
    st.subheader(t("month_end.caregivers"), anchor=False)
    st.caption(t("statement.withheld_how"))
    column = st.column_config
    rows = told.caregivers
    picked = tables.chosen(
        rows,
        {
            "name": [one.name for one in rows],
            "earned": [formats.money(one.earned_fen) for one in rows],
            "paid": [formats.money(one.paid_fen) for one in rows],
            "withheld": [formats.money(one.withheld_fen or 0) for one in rows],
        },
        {
            "name": column.TextColumn(t("statement.name")),
            **{
                name: column.TextColumn(t(f"statement.{name}"), alignment="right")
                for name in ("earned", "paid")
            },
            "withheld": column.TextColumn(t("month_end.withheld"), alignment="right"),
        },
        key="month_caregivers",
        alt=t("month_end.caregivers"),
        height="content" if len(rows) < 12 else 420,
    )
    if picked is not None:
        income_statements.of_caregiver(picked.id, told.month)
