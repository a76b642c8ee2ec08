"""A caregiver's income: what is frozen, what can be paid out, month by month and visit by visit."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from components import catalogue, formats, layout, navigation
from components.i18n import t
from services import clock
from services.catalogue import ItemView
from services.income import Earned, Income, IncomeKind

_MONTHS = 6
_SHOWN_AT_ONCE = 40
_AMOUNTS = ("pay", "total", "commission")


def income(earned: Income, items: dict[int, ItemView]) -> None:
    """Balances, the months as bars, and a table of what they consist of."""
    if not earned.rows:
        layout.empty("income", icon=":material/payments:")
        navigation.button("task_hall", t("visits.to_hall"), icon=":material/storefront:")
        return
    by_month = Counter[str]()
    for one in earned.rows:
        by_month[_month(one)] += one.pay_fen
    this_month = f"{clock.today():%Y-%m}"
    with st.grid(3, min_column_width=150):
        st.metric(
            t("income.payable"),
            formats.money(earned.payable_fen),
            border=True,
            help=t("income.payable_help"),
        )
        st.metric(
            t("income.frozen"),
            formats.money(earned.frozen_fen),
            border=True,
            help=t("income.frozen_help"),
        )
        st.metric(t("income.this_month"), formats.money(by_month[this_month]), border=True)
    _bars(by_month)
    _table(layout.first_of(earned.rows, "income", _SHOWN_AT_ONCE), items)
    layout.more_button(earned.rows, "income", _SHOWN_AT_ONCE)


def _month(one: Earned) -> str:
    return f"{clock.in_city(one.earned_at):%Y-%m}"


def _bars(by_month: Counter[str]) -> None:
    months = sorted(by_month)[-_MONTHS:]
    if len(months) < 2:
        return
    st.subheader(t("income.by_month"), anchor=False)
    st.plotly_chart(
        {
            "data": [
                {
                    "type": "bar",
                    "x": [t("time.month", on=date.fromisoformat(f"{one}-01")) for one in months],
                    "y": [by_month[month] / 100 for month in months],
                    "text": [formats.money(by_month[month]) for month in months],
                    "textposition": "auto",
                    "marker": {
                        "color": st.get_option("theme.chartCategoricalColors")[0],
                        "cornerradius": 4,
                    },
                }
            ],
            "layout": {
                "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
                "bargap": 0.5,
                "xaxis": {"type": "category", "fixedrange": True},
                "yaxis": {"visible": False, "fixedrange": True, "rangemode": "tozero"},
            },
        },
        key="income_bars",
        height=200,
        config={"displayModeBar": False},
        alt=t("income.by_month"),
    )


def _table(earned: Sequence[Earned], items: dict[int, ItemView]) -> None:
    st.subheader(t("income.by_visit"), anchor=False)
    table = pd.DataFrame(
        {
            "visit": [formats.moment(one.starts_at) for one in earned],
            "kind": [t(f"income_kind.{one.kind}") for one in earned],
            "item": [catalogue.item_name(items, one.item_id) for one in earned],
            "pay": [formats.money(one.pay_fen) for one in earned],
            "state": [_state(one) for one in earned],
            "total": [_owed(one, one.total_fen) for one in earned],
            "commission": [_owed(one, one.commission_fen) for one in earned],
            "order": [one.order_id for one in earned],
        }
    )
    column = st.column_config
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(earned) < 15 else 560,
        column_config={
            "order": column.NumberColumn(t("income.order"), format="%d"),
            **{
                name: column.TextColumn(
                    t(f"income.{name}"),
                    alignment="right" if name in _AMOUNTS else "left",
                )
                for name in ("visit", "kind", "item", "pay", "state", "total", "commission")
            },
        },
        key="income_visits",
        alt=t("income.by_visit"),
    )


def _owed(one: Earned, amount_fen: int) -> str:
    """An amount the family has to do with; with a penalty it has nothing."""
    return "" if one.kind is IncomeKind.PENALTY else formats.money(amount_fen)


def _state(one: Earned) -> str:
    if one.kind is IncomeKind.PENALTY:
        return t("income.is_deducted")
    if one.released:
        return t("income.is_payable")
    if one.rests:
        return t("income.rests")
    if one.payable_at is None:
        return t("income.waits_for_code")
    return t("income.is_frozen", until=formats.date_alone(clock.in_city(one.payable_at)))
