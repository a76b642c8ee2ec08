"""The funnel: how many come to each stage on the way from the front door to the review."""

from collections.abc import Iterable
from itertools import pairwise

import pandas as pd
import streamlit as st

from components import formats
from components.figures import charts, panels, shapes, views
from components.figures.views import View
from components.i18n import t
from services.analytics import funnels
from services.analytics.figures import Frame
from services.analytics.terms import Stage

_STEPS = list(pairwise(Stage))


def stages(view: View) -> None:
    """The whole way as a funnel, and each step by itself."""
    rows = views.made(view, "funnel", lambda: funnels.by_stage(views.frame(view, Frame.FUNNEL)))
    left, right = st.columns(2, gap="medium")
    with left, panels.panel(t("figures_funnel.whole"), "funnel_whole"):
        if not rows["count"].sum():
            charts.nothing(view)
        else:
            _funnel(rows)
    with right, panels.panel(t("figures_funnel.steps"), "funnel_steps"):
        st.caption(t("figures_funnel.steps_about"))
        steps = rows[rows["of_before"].notna()]
        if steps.empty:
            charts.nothing(view)
        else:
            _steps(steps)


def _funnel(rows: pd.DataFrame) -> None:
    title = t("figures_funnel.whole")
    names = [t(f"stage.{one}") for one in rows["stage"]]
    texts = [
        f"{count:,.0f}" if pd.isna(share) or not place else f"{count:,.0f} · {share:.1%}"
        for place, (count, share) in enumerate(zip(rows["count"], rows["of_first"], strict=True))
    ]
    charts.draw(
        shapes.funnel(names, rows["count"].tolist(), texts),
        key="funnel_whole_chart",
        alt=title,
        rows=len(rows) + 2,
    )
    panels.twin(
        rows.assign(name=names),
        {
            "name": panels.text(t("figures_funnel.stage")),
            "count": panels.number(t("figures_funnel.count")),
            "of_before": panels.share(t("figures_funnel.of_before")),
            "of_first": panels.share(t("figures_funnel.of_first")),
        },
        key="funnel_whole",
        title=title,
        digits={"of_before": 3, "of_first": 3},
    )


def _steps(steps: pd.DataFrame) -> None:
    title = t("figures_funnel.steps")
    before = {str(to): str(since) for since, to in _STEPS}
    names = [f"{t(f'stage.{before[one]}')} → {t(f'stage.{one}')}" for one in steps["stage"]]
    shares = steps["of_before"].round(3).tolist()
    charts.draw(
        charts.bars({title: shares}, _with_shares(names, shares), stacked=False, number=".0%"),
        key="funnel_steps_chart",
        alt=title,
        rows=len(steps) + 2,
    )


def _with_shares(names: Iterable[str], shares: Iterable[float]) -> list[str]:
    return [f"{name}  <b>{share:.0%}</b>" for name, share in zip(names, shares, strict=True)]


def by_week(view: View) -> None:
    """Week by week: how many came to each stage."""
    title = t("figures_funnel.by_week")
    with panels.panel(title, "funnel_weeks"):
        rows = views.made(
            view, "funnel_weeks", lambda: funnels.by_week(views.frame(view, Frame.FUNNEL))
        )
        rows = rows[[one in set(view.weeks) for one in rows["week"]]]
        if rows.empty:
            charts.nothing(view)
            return
        newest_first = rows.iloc[::-1]
        named = [t("figures.day", on=one) for one in newest_first["week"]]
        _stage_table(newest_first.assign(name=named), t("figures.week"), "funnel_weeks", title)


def by_city(view: View) -> None:
    """City beside city, where several are looked at."""
    if view.city:
        return
    title = t("figures_funnel.by_city")
    with panels.panel(title, "funnel_cities"):
        rows = views.made(
            view, "funnel_cities", lambda: funnels.by_city(views.frame(view, Frame.FUNNEL))
        )
        if rows.empty:
            charts.nothing(view)
            return
        named = [formats.city(one) for one in rows["city"]]
        _stage_table(rows.assign(name=named), t("figures.place"), "funnel_cities", title)


def _stage_table(rows: pd.DataFrame, label: str, key: str, title: str) -> None:
    """The stages in columns, and from door to review the share of two steps that tell the most."""
    asked, redeemed = rows[str(Stage.ASKED)], rows[str(Stage.REDEEMED)]
    opened = rows[str(Stage.OPENED)]
    panels.table(
        rows.assign(
            door=(rows[str(Stage.JOINED)] / opened).where(opened > 0).round(3),
            care=(redeemed / asked).where(asked > 0).round(3),
        ),
        {
            "name": panels.text(label),
            **{str(stage): panels.number(t(f"stage.{stage}")) for stage in Stage},
            "door": panels.share(t("figures_funnel.door")),
            "care": panels.share(t("figures_funnel.care")),
        },
        key=key,
        title=title,
    )
