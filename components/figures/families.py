"""Families: how many come, come anew and come back, and what they spend."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from components.figures import charts, panels, shapes, views
from components.figures.views import View, Window
from components.i18n import t
from services.analytics import families
from services.analytics.families import Trait
from services.analytics.figures import Frame
from services.analytics.terms import month_of, weeks_of_month

_COHORTS = 12
_COUNTS = ("families", "new", "repeated")
_HEADLINE = {
    "families": "localized", "new": "localized", "repeat_rate": "percent", "spend_each": "¥%d",
}  # fmt: skip


def headline(view: View) -> None:
    """A month's families, of those that are over, against the same time before."""
    now, before = (
        views.made(view, f"families_{name}", lambda window=window: _a_month(view, window))
        for name, window in (("now", view.window), ("before", view.window.before))
    )
    with st.grid(4, min_column_width=150):
        for measure, form in _HEADLINE.items():
            panels.metric(
                t(f"figures_families.{measure}"),
                now.get(measure),
                before.get(measure),
                form,
                about=_meaning(view, measure),
            )


def _meaning(view: View, measure: str) -> str:
    """What a figure counts; of families published ones count those only that wanted care."""
    if measure == "families" and view.standing.published:
        return t("figures_families.families_published")
    return t(f"figures_families.{measure}_help")


def _a_month(view: View, window: Window) -> dict[str, float]:
    """The mean of a window's months that are over; nothing if none is."""
    cells = views.frame(view, Frame.FAMILIES, window)
    rows = families.by_month(cells)
    rows = rows[rows["month"].isin(panels.closed_months(view, window))]
    if not rows["families"].sum():
        return {}
    spending = (rows["spend_fen"] / rows["spend_each"]).sum()
    told = {
        "families": round(rows["families"].mean()),
        "new": round(rows["new"].mean()),
        "repeat_rate": round(rows["repeated"].sum() / rows["families"].sum(), 3),
    }
    if spending:
        told["spend_each"] = round(rows["spend_fen"].sum() / spending / 100)
    return told


def by_month(view: View) -> None:
    """Month by month: who came, for the first time, and again."""
    title = t("figures_families.by_month")
    with panels.panel(title, "families_months"):
        rows = views.made(
            view, "families_by_month", lambda: families.by_month(views.frame(view, Frame.FAMILIES))
        )
        if not rows["families"].sum():
            charts.nothing(view)
            return
        names = panels.months(view, list(rows["month"]))
        series = {t(f"figures_families.{one}"): list(rows[one]) for one in _COUNTS}
        charts.draw(shapes.columns(series, names), key="families_months_chart", alt=title)
        _table(rows.assign(name=names), t("figures.month_word"), "families_months", title)


def by_place(view: View) -> None:
    """A month's families by city, or by district of one."""
    if view.district:
        return
    title = t("figures_families.by_place")
    with panels.panel(title, "families_places"):
        rows = views.made(view, "families_by_place", lambda: _places(view))
        if rows.empty:
            charts.nothing(view)
            return
        named = [panels.bucket(Trait.DISTRICT, one) for one in rows["bucket"]]
        _bars(rows.assign(name=named), ("families",), t("figures.place"), "families_places", title)


def _places(view: View) -> pd.DataFrame:
    cells = views.frame(view, Frame.FAMILIES)
    if view.city:
        return families.by_trait(cells, Trait.DISTRICT)
    return families.by_city(cells).rename(columns={"city": "bucket"})


def cohorts(view: View) -> None:
    """Of those who joined in a month, the share that came back in the months after."""
    title = t("figures_families.cohorts")
    with panels.panel(title, "families_cohorts"):
        st.caption(t("figures_families.cohorts_about"))
        shares = views.made(view, "families_retention", lambda: _retention(view))
        if shares.empty:
            charts.nothing(view)
            return
        names = [panels.month(on) for on in shares.index]
        after = [str(number) for number in shares.columns]
        charts.draw(
            charts.heat(
                (shares * 100).to_numpy().tolist(),
                after,
                names,
                t("figures_families.came_back"),
            ),
            key="families_cohorts_chart",
            alt=title,
            rows=len(shares),
        )
        columns = {one: panels.share(t("figures_families.nth", number=one)) for one in after}
        panels.twin(
            shares.set_axis(after, axis=1).assign(cohort=names),
            {"cohort": panels.text(t("figures_families.joined_in")), **columns},
            key="families_cohorts",
            title=title,
        )


def _retention(view: View) -> pd.DataFrame:
    """Of the last twelve months that are over, whatever period is looked at; no empty rows."""
    month = month_of(view.window.last)
    for _ in range(_COHORTS):
        month = (month - timedelta(days=1)).replace(day=1)
    window = Window(weeks_of_month(month)[0], view.window.last)
    shares = families.retention(
        views.frame(view, Frame.FAMILIES, window),
        panels.closed_months(view, window)[-_COHORTS:],
        gaps=view.standing.published,
    )
    return shares.dropna(how="all", axis=0).dropna(how="all", axis=1)


def traits(view: View) -> None:
    """Who they are, by which way they came, and what they spend a month."""
    left, right = st.columns(2, gap="medium")
    with left:
        _spending(view, Trait.HOLDER_AGE)
    with right:
        if view.district:
            _counted(view, Trait.CHANNEL)
        else:
            _spending(view, Trait.DISTRICT)
    left, right = st.columns(2, gap="medium")
    with left:
        _counted(view, Trait.HOLDER_AGE)
    if not view.district:
        with right:
            _counted(view, Trait.CHANNEL)


def _by_trait(view: View, trait: Trait) -> pd.DataFrame:
    if trait is Trait.DISTRICT:
        rows = views.made(view, "families_by_place", lambda: _places(view))
    else:
        rows = views.made(
            view,
            f"families_by_{trait}",
            lambda: families.by_trait(views.frame(view, Frame.FAMILIES), trait),
        )
    return rows.assign(name=[panels.bucket(trait, one) for one in rows["bucket"]])


def _spending(view: View, trait: Trait) -> None:
    title = t(f"figures_families.spend_by_{trait}")
    with panels.panel(title, f"families_spend_{trait}"):
        rows = _by_trait(view, trait)
        told = rows[rows["spend_each"].notna()]
        if told.empty:
            charts.nothing(view)
            return
        yuan = (told["spend_each"] / 100).round().tolist()
        names = [panels.beside_bar(one) for one in told["name"]]
        charts.draw(
            charts.bars({title: yuan}, names, stacked=False, prefix="¥"),
            key=f"families_spend_{trait}_chart",
            alt=title,
            rows=len(told),
        )
        _table(rows, t("figures.bucket"), f"families_spend_{trait}", title)


def _counted(view: View, trait: Trait) -> None:
    title = t(f"figures_families.by_{trait}")
    with panels.panel(title, f"families_{trait}"):
        rows = _by_trait(view, trait)
        if rows.empty:
            charts.nothing(view)
            return
        _bars(rows, ("families", "repeated"), t("figures.bucket"), f"families_{trait}", title)


def _bars(rows: pd.DataFrame, counts: tuple[str, ...], label: str, key: str, title: str) -> None:
    series = {t(f"figures_families.{one}"): rows[one].round().tolist() for one in counts}
    names = [panels.beside_bar(one) for one in rows["name"]]
    charts.draw(
        charts.bars(series, names, stacked=False),
        key=f"{key}_chart",
        alt=title,
        rows=len(rows) * len(counts),
    )
    if "merged" in rows and rows["merged"].any():
        st.caption(t("figures.merged_alike"))
    _table(rows, label, key, title)


def _table(rows: pd.DataFrame, label: str, key: str, title: str) -> None:
    panels.twin(
        rows.assign(spend=rows["spend_each"] / 100),
        {
            "name": panels.text(label),
            **{one: panels.number(t(f"figures_families.{one}")) for one in _COUNTS},
            "repeat_rate": panels.share(t("figures_families.repeat_rate")),
            "spend": panels.yuan(t("figures_families.spend_each")),
        },
        key=key,
        title=title,
        digits=dict.fromkeys(_COUNTS, 0),
    )
