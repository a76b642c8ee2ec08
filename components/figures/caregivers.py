"""Caregivers: what they do, how they are spread in it, what they lack; for operators, who."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from components import formats, layout
from components.figures import charts, panels, shapes, views
from components.figures.views import View
from components.i18n import t
from components.session import fetch
from services.analytics import caregivers, leagues
from services.analytics.caregivers import Spread
from services.analytics.figures import Frame
from services.availability import Obstacle

_BEST_RATING = 5
_LEAGUE_AT_ONCE = 200
_WORSE = {"late_share"}


@dataclass(frozen=True, slots=True)
class _Written:
    """How values are written: by Plotly, by Streamlit, what they are divided by, and their axis."""

    number: str
    form: str
    prefix: str = ""
    divisor: float = 1
    digits: int = 0
    span: tuple[float, float] | None = None

    def __call__(self, value: float) -> str:
        return f"{self.prefix}{value / self.divisor:{self.number}}"

    def shown(self, value: float | None) -> float | None:
        """The value as it is to be shown; whole things stay whole."""
        return None if pd.isna(value) else round(value / self.divisor, self.digits or None)


_COUNT = _Written(",.0f", "localized")
_SHARE = _Written(".0%", "percent", digits=3)
_WRITTEN = {
    Spread.PAY: _Written(",.0f", "¥%d", prefix="¥", divisor=100),
    Spread.RATING: _Written(".1f", "%.1f", digits=1, span=(1, _BEST_RATING)),
    **dict.fromkeys(caregivers.SHARES, _SHARE),
}


def headline(view: View) -> None:
    """What all did together; of published figures the middle caregiver's newest month."""
    if view.standing.published:
        _middles(view)
        return
    now, before = (
        views.made(
            view,
            f"caregivers_{name}",
            lambda window=window: caregivers.total(views.frame(view, Frame.CAREGIVERS, window)),
        )
        for name, window in (("now", view.window), ("before", view.window.before))
    )
    if not before["caregivers"]:
        before = {}
    with st.grid(6, min_column_width=140):
        for measure in ("caregivers", Spread.VISITS, Spread.HOURS):
            _metric(measure, now[measure], before.get(measure), _COUNT)
        for measure in (Spread.RATING, Spread.LATE, Spread.FILLED):
            _metric(measure, now[measure], before.get(measure), _WRITTEN[measure])


def _middles(view: View) -> None:
    if not view.city:
        st.caption(t("figures_caregivers.one_city"))
        return
    with st.grid(6, min_column_width=140):
        for measure in Spread:
            rows = _quartiles(view, measure)
            if measure is Spread.ACCEPTED or rows.empty:
                continue
            newest, before = (list(rows["p50"])[-1], [None, *rows["p50"]][-2])
            _metric(measure, newest, before, _WRITTEN.get(measure, _COUNT), middle=True)


def _metric(
    measure: str,
    value: float | None,
    former: float | None,
    written: _Written,
    *,
    middle: bool = False,
) -> None:
    about = "middle_help" if middle else f"{measure}_help"
    panels.metric(
        t(f"figures_caregivers.{measure}"),
        written.shown(value),
        written.shown(former),
        written.form,
        about=t(f"figures_caregivers.{about}"),
        worse=measure in _WORSE,
    )


def spreads(view: View) -> None:
    """How caregivers are spread in each measure, month by month, and which training is lacking."""
    with st.grid(2, min_column_width=320, gap="medium"):
        for measure in Spread:
            _spread(view, measure)
        _training(view)


def _quartiles(view: View, measure: Spread) -> pd.DataFrame:
    def make() -> dict[Spread, pd.DataFrame]:
        cells = views.frame(view, Frame.CAREGIVERS)
        return {one: caregivers.quartiles(cells, one) for one in Spread}

    return views.made(view, "caregivers_quartiles", make)[measure]


def _spread(view: View, measure: Spread) -> None:
    title, key = t(f"figures_caregivers.spread_{measure}"), f"caregivers_{measure}"
    with panels.panel(title, key):
        rows = _quartiles(view, measure)
        if rows.empty:
            charts.nothing(view)
            return
        written = _WRITTEN.get(measure, _COUNT)
        figure = _boxes(view, rows, written) if view.city else _by_city(view, rows, written)
        charts.draw(figure, key=f"{key}_chart", alt=title)
        _quartile_table(view, rows, written, key, title)


def _boxes(view: View, rows: pd.DataFrame, written: _Written) -> dict:
    names = panels.months(view, list(rows["month"]))
    told = rows.to_dict("records")
    quartiles = [
        (written.shown(row["p25"]), written.shown(row["p50"]), written.shown(row["p75"]))
        for row in told
    ]
    said = [f"{panels.month(row['month'])}: {_said(row, written)}" for row in told]
    return shapes.boxes(
        names, quartiles, said, number=written.number, prefix=written.prefix, span=written.span
    )


def _said(row: Mapping[Any, Any], written: _Written) -> str:
    count, middle = round(row["caregivers"]), written(row["p50"])
    if pd.isna(row["p25"]) or pd.isna(row["p75"]):
        return t("figures_caregivers.said_middle", middle=middle, count=count)
    low, high = written(row["p25"]), written(row["p75"])
    return t("figures_caregivers.said", low=low, middle=middle, high=high, count=count)


def _by_city(view: View, rows: pd.DataFrame, written: _Written) -> dict:
    """The middle caregiver of each city: quartiles of several cities cannot be put together."""
    months = sorted(rows["month"].unique())
    table = rows.pivot_table(index="month", columns="city", values="p50").reindex(months)
    series = {
        formats.city(str(city)): (table[city] / written.divisor).tolist() for city in table.columns
    }
    return shapes.lines(series, panels.months(view, months), number=written.number)


def _quartile_table(
    view: View, rows: pd.DataFrame, written: _Written, key: str, title: str
) -> None:
    if written is _SHARE:
        column = panels.share
    elif written.prefix:
        column = panels.yuan
    else:
        column = panels.number
    names = ("p25", "p50", "p75")
    shown = {one: (rows[one].astype(float) / written.divisor).round(3) for one in names}
    places = [formats.city(one) for one in rows["city"]]
    months = [panels.month(one) for one in rows["month"]]
    panels.twin(
        rows.assign(place=places, name=months, **shown),
        {
            **({} if view.city else {"place": panels.text(t("figures.place"))}),
            "name": panels.text(t("figures.month_word")),
            "caregivers": panels.number(t("figures_caregivers.caregivers")),
            **{one: column(t(f"figures_caregivers.{one}")) for one in names},
        },
        key=key,
        title=title,
    )


def _training(view: View) -> None:
    """How often nobody held the certificates a kind of care asks for."""
    title = t("figures_caregivers.training")
    with panels.panel(title, "caregivers_training"):
        cells = views.frame(view, Frame.OBSTACLES)
        lacking = cells[cells["obstacle"] == Obstacle.CERTIFICATE]
        counts = lacking.groupby("item_group", dropna=False)["count"].sum()
        counts = counts[counts > 0].sort_values(ascending=False)
        if counts.empty:
            charts.nothing(view)
            return
        names = [t("figures.rest") if pd.isna(one) else t(f"group.{one}") for one in counts.index]
        label = t("figures_caregivers.lacking")
        charts.draw(
            charts.bars({label: counts.tolist()}, names, stacked=False),
            key="caregivers_training_chart",
            alt=title,
            rows=len(counts),
        )
        panels.twin(
            pd.DataFrame({"name": names, "count": counts.tolist()}),
            {"name": panels.text(t("figures.bucket")), "count": panels.number(label)},
            key="caregivers_training",
            title=title,
        )


def league(view: View) -> None:
    """Who did what, by name; for operators only."""
    if view.standing.published:
        return
    title = t("figures_caregivers.league")
    with panels.panel(title, "caregivers_league"):
        st.caption(t("figures_caregivers.league_about"))
        rows = views.made(view, "caregivers_league", lambda: _of_each(view))
        if rows.empty:
            charts.nothing(view)
            return
        shown = rows.head(layout.shown_so_far("league", _LEAGUE_AT_ONCE))
        names = fetch(leagues.names)
        gone = t("figures_caregivers.gone")
        levels = {one: t(f"caregiver_level.{one}") for one in set(shown["level"].dropna())}
        told = shown.assign(
            name=[names.get(one, gone) for one in shown["caregiver"]],
            level=shown["level"].map(levels),
            rating=shown["rating"].round(2),
            pay=shown["pay_fen"] / 100,
        )
        panels.table(told, _league_columns(), key="caregivers_league", title=title)
        layout.more_button(range(len(rows)), "league", _LEAGUE_AT_ONCE)


def _of_each(view: View) -> pd.DataFrame:
    """Each caregiver who did or was offered something; ratings lean on the whole city's mean."""
    whole = views.elsewhere(view, view.city or view.place)
    rows = caregivers.of_each(views.frame(whole, Frame.CAREGIVERS))
    if view.district:
        rows = rows[rows["district"] == view.district]
    return rows[(rows["visits"] > 0) | (rows["offers"] > 0)].reset_index(drop=True)


def _league_columns() -> dict[str, object]:
    def words(name: str) -> tuple[str, str]:
        return t(f"figures_caregivers.{name}"), t(f"figures_caregivers.{name}_help")

    def told(column, name: str) -> object:  # noqa: ANN001 - one of panels' columns
        label, about = words(name)
        return column(label, about=about)

    label, about = words(Spread.RATING)
    return {
        "name": panels.text(t("figures_caregivers.name")),
        "level": st.column_config.TextColumn(t("figures_caregivers.level")),
        "visits": told(panels.number, Spread.VISITS),
        "hours": told(panels.number, Spread.HOURS),
        "rating": st.column_config.NumberColumn(label, format="%.2f", help=about),
        "late_share": told(panels.share, Spread.LATE),
        "no_shows": told(panels.number, "no_shows"),
        "accepted_share": told(panels.share, Spread.ACCEPTED),
        "filled_share": told(panels.share, Spread.FILLED),
        "pay": told(panels.yuan, Spread.PAY),
    }
