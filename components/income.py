"""A caregiver's income: what is frozen, what can be paid out, month by month and visit by visit."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from components import catalogue, formats, layout, navigation, payout_accounts
from components.figures import charts, panels, shapes
from components.i18n import t
from services import clock
from services.catalogue import ItemView
from services.income import Earned, Income, MonthOfWork

_SHOWN_AT_ONCE = 40
_AMOUNTS = ("pay", "total", "commission")


def income(earned: Income, months: Sequence[MonthOfWork], items: dict[int, ItemView]) -> None:
    """Balances, where they go, how the months went, and a table of what they consist of."""
    if not earned.rows:
        layout.empty("income", icon=":material/payments:")
        navigation.button("task_hall", t("visits.to_hall"), icon=":material/storefront:")
        payout_accounts.account_card()
        return
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
        this_month = months[-1].pay_fen if months else 0
        st.metric(t("income.this_month"), formats.money(this_month), border=True)
    if earned.debt_fen:
        owed = t("income.debt", debt=formats.money(earned.debt_fen))
        st.warning(owed, icon=":material/money_off:")
    payout_accounts.account_card()
    payout_accounts.my_payouts()
    _trends(months)
    _table(layout.first_of(earned.rows, "income", _SHOWN_AT_ONCE), items)
    layout.more_button(earned.rows, "income", _SHOWN_AT_ONCE)


def _trends(months: Sequence[MonthOfWork]) -> None:
    """Pay, visits, hours and rating by month, each in a small chart; one month is no trend."""
    if len(months) < 2:
        return
    st.subheader(t("income.by_month"), anchor=False)
    names = panels.month_names([one.month for one in months], [months[-1].month])
    pay, rating = (t(f"income.month_{one}") for one in ("pay", "rating"))
    visits, hours = (t(f"income.month_{one}") for one in ("visits", "hours"))
    in_yuan, said = [one.pay_fen / 100 for one in months], [one.rating for one in months]
    figures = {
        pay: shapes.columns({pay: in_yuan}, names, prefix="¥"),
        visits: shapes.columns({visits: [one.visits for one in months]}, names),
        hours: shapes.columns({hours: [one.hours for one in months]}, names),
        rating: shapes.lines({rating: said}, names, number=".1f", span=(1, 5)),
    }
    with st.grid(2, min_column_width=280):
        for number, (title, figure) in enumerate(figures.items()):
            with panels.panel(title, f"income_month_{number}"):
                charts.draw(figure, key=f"income_month_{number}_chart", alt=title)
    panels.twin(
        pd.DataFrame(
            {
                "month": [panels.month(one.month) for one in months],
                "pay": [formats.money(one.pay_fen) for one in months],
                "visits": [one.visits for one in months],
                "hours": [one.hours for one in months],
                "rating": [one.rating for one in months],
            }
        ).round(1),
        {
            "month": panels.text(t("figures.month_word")),
            "pay": st.column_config.TextColumn(pay, alignment="right"),
            "visits": panels.number(visits),
            "hours": panels.number(hours),
            "rating": st.column_config.NumberColumn(rating, format="%.1f"),
        },
        key="income_months",
        title=t("income.by_month"),
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
    """An amount the family has to do with; with what is deducted it has nothing."""
    return "" if one.deducted else formats.money(amount_fen)


def _state(one: Earned) -> str:
    if one.deducted:
        return t("income.is_deducted")
    if one.released:
        return t("income.is_payable")
    if one.rests:
        return t("income.rests")
    if one.payable_at is None:
        return t("income.waits_for_code")
    return t("income.is_frozen", until=formats.date_alone(clock.in_city(one.payable_at)))
