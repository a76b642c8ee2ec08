"""Demand: how it goes from week to week and may go on, and of whom, when and how it is made."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from components import catalogue
from components.figures import charts, measures, panels, shapes, views
from components.figures.measures import Measure
from components.figures.shapes import Band
from components.figures.views import View, Window
from components.i18n import name, t
from services.analytics import combining, forecasts, terms
from services.analytics.figures import Frame
from services.analytics.forecasts import Forecast
from services.analytics.terms import Dimension

_LOOKED_BACK = 156  # Weeks: three years, for the rhythm of the year.
_FEW_WEEKS = 6  # So few have each its name below the axis.
_MOST_ITEMS = 10


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What may come, or of how many weeks too few are known."""

    forecast: Forecast | None
    known: int


def trend(view: View) -> None:
    """Needs and those served by week, and what is to be expected of the next four."""
    title = t("figures_demand.trend")
    with panels.panel(title, "demand_trend"):
        rows = views.made(view, "demand_weekly", lambda: _weekly(view, view.weeks))
        if not rows["needs"].fillna(0).any():
            charts.nothing(view)
            return
        outlook = views.made(view, "demand_outlook", lambda: _outlook(view))
        _say(outlook)
        _lines(rows, outlook.forecast, title)
        if rows["needs"].isna().any():
            st.caption(t("figures_demand.gaps"))
        _trend_table(rows, title)


def _weekly(view: View, weeks: list[date]) -> pd.DataFrame:
    window = Window(weeks[0], weeks[-1] + timedelta(days=6)) if weeks else view.window
    cells = views.frame(view, Frame.NEEDS, window)
    return combining.by_week(cells, weeks, gaps=view.standing.published)


def _outlook(view: View) -> _Outlook:
    """The forecast of all weeks that are known, whatever period is looked at."""
    if not view.weeks:
        return _Outlook(None, 0)
    newest = view.weeks[-1]
    weeks = [newest - timedelta(weeks=back) for back in range(_LOOKED_BACK - 1, -1, -1)]
    needs = _weekly(view, weeks).set_index("week")["needs"]
    # What was before the first need was no slack week but no service.
    begun = needs[needs.fillna(0) > 0].index.min()
    needs = needs.loc[begun:] if pd.notna(begun) else needs.iloc[:0]
    return _Outlook(forecasts.ahead(needs), forecasts.known_weeks(needs))


def _say(outlook: _Outlook) -> None:
    said = outlook.forecast
    if said is None:
        few = t("figures_demand.too_little", known=outlook.known, fewest=forecasts.FEWEST_WEEKS)
        st.caption(f":material/hourglass_empty: {few}")
        return
    coming = t(
        "figures_demand.coming",
        mean=round(sum(said.expected) / len(said.expected)),
        low=round(min(said.low)),
        high=round(max(said.high)),
        share=forecasts.COVERED,
    )
    st.caption(f":material/trending_up: {coming}")


def _lines(rows: pd.DataFrame, forecast: Forecast | None, title: str) -> None:
    weeks = [*rows["week"], *(forecast.weeks if forecast else ())]
    band = None
    if forecast:
        band = Band(t("figures_demand.forecast"), forecast.expected, forecast.low, forecast.high)
    series = {
        measures.word(Measure.NEEDS): list(rows["needs"]),
        t("figures_demand.served"): list(rows["served"]),
    }
    charts.draw(
        shapes.lines(
            series, [t("figures.week_of", on=one) for one in weeks], ticks=_ticks(weeks), band=band
        ),
        key="demand_trend_chart",
        alt=title,
    )


def _ticks(weeks: list[date]) -> dict[int, str]:
    """Which weeks are named below: each of few, else the first of each month."""
    if len(weeks) <= _FEW_WEEKS + forecasts.AHEAD:
        return {place: t("figures.day", on=week) for place, week in enumerate(weeks)}
    firsts = {}
    for place, week in enumerate(weeks):
        on = terms.month_of(week)
        if week == terms.weeks_of_month(on)[0]:
            firsts[place] = panels.month(on) if on.month == 1 else t("figures.month", on=on)
    return firsts


def _trend_table(rows: pd.DataFrame, title: str) -> None:
    share = (rows["served"] / rows["needs"]).where(rows["needs"] > 0)
    panels.twin(
        rows.assign(week=[t("figures.day", on=one) for one in rows["week"]], fill_rate=share),
        {
            "week": panels.text(t("figures.week")),
            "needs": measures.column(Measure.NEEDS),
            "served": panels.number(t("figures_demand.served")),
            "fill_rate": measures.column(Measure.FILL_RATE),
            "wanted_hours": measures.column(Measure.WANTED),
            "served_hours": measures.column(Measure.SERVED),
        },
        key="demand_trend",
        title=title,
    )


def when_and_what(view: View) -> None:
    """At which hours of the week care is wanted, and which care."""
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch", key="demand_hours"):
        charts.hours_of_week(view)
    with right:
        _by_care(view)


def _by_care(view: View) -> None:
    """By item where items are told, else by group."""
    rows = views.made(view, "demand_by_care", lambda: _of_care(view))
    by_item = "item" in rows
    title = t("figures_demand.by_item" if by_item else "figures_demand.by_group")
    with panels.panel(title, "demand_care"):
        if rows.empty:
            charts.nothing(view)
            return
        if by_item:
            known = {item.code: name(item) for item in catalogue.items().values()}
            named = [known.get(one) or t("catalogue.withdrawn") for one in rows["item"]]
        else:
            named = [
                t("figures.rest") if pd.isna(one) else t(f"group.{one}")
                for one in rows["item_group"]
            ]
        _outcome(rows.assign(name=named), title, "demand_care", t("field.item"), _MOST_ITEMS)


def _of_care(view: View) -> pd.DataFrame:
    cells = views.frame(view, Frame.NEEDS)
    by = "item" if "item" in cells else "item_group"
    rows = combining.together(cells, [by])
    return rows.sort_values("needs", ascending=False, kind="stable").reset_index(drop=True)


def who_and_how(view: View) -> None:
    """For whom care is wanted, how soon, at what price and by which way, and how much is served."""
    for dimensions in (
        (Dimension.AGE, Dimension.URGENCY),
        (Dimension.PRICE, Dimension.SEX, Dimension.CHANNEL),
    ):
        for column, dimension in zip(
            st.columns(len(dimensions), gap="medium"), dimensions, strict=True
        ):
            with column:
                _by_dimension(view, dimension)


def _by_dimension(view: View, dimension: Dimension) -> None:
    title, key = t(f"figures_demand.by_{dimension}"), f"demand_{dimension}"
    with panels.panel(title, key):
        rows = charts.by_bucket(view, dimension)
        rows = rows[rows["needs"] > 0]
        if rows.empty:
            charts.nothing(view)
            return
        if dimension is Dimension.PRICE:
            st.caption(t("figures_demand.price_about"))
        named = [panels.bucket(dimension, one) for one in rows["bucket"]]
        _outcome(rows.assign(name=named), title, key, t("figures.bucket"), len(rows))
        if rows["merged"].any():
            st.caption(t("figures.merged_alike"))


def _outcome(rows: pd.DataFrame, title: str, key: str, label: str, most: int) -> None:
    """Bars of what was served and what was not, the share beside each name; and the table."""
    shown = rows.head(most)
    names = [
        panels.beside_bar(one)
        if pd.isna(share)
        else f"{panels.beside_bar(one)}  <b>{share:.0%}</b>"
        for one, share in zip(shown["name"], shown["fill_rate"], strict=True)
    ]
    series = {
        t("figures_demand.served"): shown["served"].round().tolist(),
        t("figures_demand.unmet"): shown["unmet"].round().tolist(),
    }
    charts.draw(
        charts.bars(series, names, stacked=True), key=f"{key}_chart", alt=title, rows=len(shown)
    )
    panels.twin(
        rows,
        {
            "name": panels.text(label),
            "needs": measures.column(Measure.NEEDS),
            "served": panels.number(t("figures_demand.served")),
            "fill_rate": measures.column(Measure.FILL_RATE),
            "wanted_hours": measures.column(Measure.WANTED),
        },
        key=key,
        title=title,
        digits=dict.fromkeys(("needs", "served", "wanted_hours"), 0),
    )
