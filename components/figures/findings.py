"""Findings on screen: what stands out, how surely, what to do about it, and where to look."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from components import formats, layout, navigation, session
from components.figures import charts, labels, views
from components.figures.measures import Measure
from components.figures.views import Period, View, Window
from components.i18n import t
from services.analytics import findings
from services.analytics.findings import Against, Finding, Kind, Lack, Report
from services.analytics.terms import Dimension, Stage, week_of

_SHOWN = 8
_SURE, _LIKELY, _SMALLEST = 0.001, 0.01, 0.0001
_BABIES, _CHILDREN, _ELDER = ("0_2",), ("0_2", "3_17"), ("60_69", "70_79", "80")
# A week's needs, a week's hours; all others are shares.
_RATES = (Kind.DEMAND_FALLS, Kind.DEMAND_RISES)
_FAMILIES = (Kind.STEP_LOST, Kind.REPEAT_FELL)
_COLUMNS = ["kind", "said", "advice", "now", "other", "p", "size"]
# The lines of the chart: the place's own, and what it is compared with.
_NAMES = {
    Against.BEFORE: ("now", "now"),
    Against.ELSEWHERE: ("now", "rest"),
    Against.OFFERED: ("wanted", "offered"),
    Against.NEXT_REASON: ("first_reason", "next_reason"),
}
# Where more is told of it ...
_PAGES = {
    Kind.DEMAND_FALLS: "demand",
    Kind.DEMAND_RISES: "demand",
    Kind.AGE_GROWS: "demand",
    Kind.CHANNEL_GROWS: "family_figures",
    Kind.REPEAT_FELL: "family_figures",
    Kind.STEP_LOST: "funnel",
}
# ... or what the map shows for it.
_MEASURES = {
    Kind.HANDS_SHORT: Measure.SHORT,
    Kind.GAP_HERE: Measure.GAP,
    Kind.FILL_RATE_FELL: Measure.FILL_RATE,
    Kind.OBSTACLE: Measure.LOST,
}


def show(view: View) -> None:
    """What stands out at the place and for the care looked at, the most serious first."""
    report = _report(view)
    told = [one for one in report.findings if _concerns(view, one)]
    for number, one in enumerate(layout.first_of(told, "findings", _SHOWN)):
        _card(one, report.tried, f"finding_{number}")
    layout.more_button(told, "findings", _SHOWN)
    if not told and report.findings:
        st.info(t("finding.none_here", count=len(report.findings)), icon=":material/search_off:")
    lacks = [
        lack for lack in report.lacking if lack.place in view.inside or _lies_in(view, lack.place)
    ]
    if not told and not report.findings:
        if any(lack.place in view.inside for lack in lacks):
            layout.empty("findings_lacking", icon=":material/hourglass_empty:")
        else:
            layout.empty("findings", icon=":material/check_circle:")
    _lacking(lacks)
    st.caption(t("finding.how"))


def table(view: View) -> dict[str, pd.DataFrame]:
    """The same as rows, for the export."""
    rows = (
        {
            "kind": t(f"finding.{'opportunity' if one.opportunity else 'problem'}"),
            "said": _said(one),
            "advice": _advice(one),
            "now": round(one.now, 4),
            "other": round(one.other, 4),
            "p": float(f"{one.p:.2g}"),
            "size": round(one.size),
        }
        for one in _report(view).findings
        if _concerns(view, one)
    )
    return {"findings": pd.DataFrame(rows, columns=_COLUMNS)}


def _report(view: View) -> Report:
    """What stands out in all cities: judged together, so that a filter makes nothing surer."""
    standing = view.standing
    whole = replace(view, place=views.EVERYWHERE, group=None)
    return _found(
        session.actor().cities, str(session.actor().role), standing.version, view.closed_until,
        standing.smallest_cell, whole,
    )  # fmt: skip


# What is kept is shared by all: whose it may be and which figures they are, are arguments.
@st.cache_data(max_entries=50, show_spinner=False)
def _found(
    scope: frozenset[str],
    role: str,
    version: str,
    last_day: date,
    smallest_cell: int | None,
    _view: View,
) -> Report:
    first = week_of(last_day) - timedelta(weeks=findings.WEEKS_READ)
    frames = {one: views.frame(_view, one, Window(first, last_day)) for one in findings.READ}
    return findings.find(frames, scope, last_day, smallest_cell)


def _concerns(view: View, one: Finding) -> bool:
    return _lies_in(view, one.place) and (view.group is None or one.group in (None, view.group))


def _lies_in(view: View, place: str) -> bool:
    if view.district:
        return place == view.district
    return any(place in (city, *views.districts(city)) for city in view.inside)


def _card(one: Finding, tried: int, key: str) -> None:
    said = _said(one)
    with st.container(border=True, key=key):
        left, right = st.columns([5, 6], gap="medium")
        with left:
            tone = ("orange", "problem", ":material/priority_high:")
            if one.opportunity:
                tone = ("green", "opportunity", ":material/trending_up:")
            st.badge(t(f"finding.{tone[1]}"), icon=tone[2], color=tone[0])  # pyright: ignore[reportArgumentType]
            st.markdown(f"**{said}**")
            st.markdown(f":material/lightbulb: {_advice(one)}")
            size = f"{t('finding.size')} **{_size(one)}**"
            st.caption(f"{size} · {_surely(one.p)}", help=_exactly(one, tried))
            with layout.row():
                _more(one)
                if one.bucket == findings.Remedy.PRICE:
                    navigation.link("rules", t("page.rules"), icon=":material/gavel:")
        with right:
            charts.draw(_chart(one), key=f"{key}_chart", alt=t("finding.chart_alt", said=said))


def _more(one: Finding) -> None:
    """The way to the page that tells more of it, with its place, care and time."""
    asked = {
        "place": one.place,
        "care": one.group or views.EVERY_CARE,
        "period": f"{Period.MONTHS_3}",
    }
    if page := _PAGES.get(one.kind):
        navigation.link(page, t(f"page.{page}"), icon=":material/query_stats:", **asked)
    else:
        asked["measure"] = _MEASURES[one.kind]
        navigation.link("demand_map", t("finding.open"), icon=":material/map:", **asked)


def _said(one: Finding) -> str:
    """The finding in a sentence."""
    key = f"{one.kind}_{one.against}" if one.kind is Kind.OBSTACLE else f"{one.kind}"
    bucket = one.bucket or ""
    stages = list(Stage)
    return t(
        f"finding.{key}",
        place=formats.district(one.place),
        care=_care(one.group),
        now=_figure(one, one.now),
        other=_figure(one, one.other),
        part=labels.dayparts(bucket) if one.kind is Kind.HANDS_SHORT else "",
        reason=t(f"finding_reason.{bucket}") if one.kind is Kind.OBSTACLE else "",
        step=t(f"stage.{bucket}") if one.kind is Kind.STEP_LOST else "",
        before=t(f"stage.{stages[stages.index(Stage(bucket)) - 1]}")
        if one.kind is Kind.STEP_LOST
        else "",
        bucket=_bucket(one),
    )


def _advice(one: Finding) -> str:
    """What to do about it, where and for whom."""
    key, bucket = str(one.kind), one.bucket or ""
    if one.kind is Kind.OBSTACLE:
        key = f"obstacle_{bucket}"
    if one.kind is Kind.CHANNEL_GROWS:
        key = f"channel_{bucket}"
    spots = one.group or "any"
    if one.kind is Kind.AGE_GROWS:
        spots = {bucket in _BABIES: "maternity", bucket in _ELDER: "elderly"}.get(True, "medical")
    return t(
        f"finding_do.{key}",
        place=formats.district(one.place),
        care=_care(one.group),
        when=t(f"finding_when.{one.when}") if one.when else "",
        step=t(f"stage.{bucket}") if one.kind is Kind.STEP_LOST else "",
        spots=t(f"finding_spots.{spots}"),
        audience=_audience(bucket) if one.kind is Kind.AGE_GROWS else "",
    )


def _audience(age: str) -> str:
    """Who decides for people of an age."""
    who = {age in _CHILDREN: "child", age in _ELDER: "elder"}.get(True, "adult")
    return t(f"finding_audience.{who}", age=t(f"age_band.{age}"))


def _care(group: str | None) -> str:
    return t(f"finding_care.{group}") if group else ""


def _bucket(one: Finding) -> str:
    dimensions = {Kind.CHANNEL_GROWS: Dimension.CHANNEL, Kind.AGE_GROWS: Dimension.AGE}
    dimension = dimensions.get(one.kind)
    return labels.bucket(dimension, one.bucket) if dimension and one.bucket else ""


def _figure(one: Finding, value: float) -> str:
    if one.kind is Kind.HANDS_SHORT:
        return t("finding.hours", hours=value)
    if one.kind in _RATES:
        return f"{value:,.0f}" if min(one.now, one.other) >= 10 else f"{value:,.1f}"
    return f"{value:.0%}"


def _size(one: Finding) -> str:
    count = round(one.size)
    if one.kind in _FAMILIES:
        return t("finding.families", count=count)
    return t("finding.times" if one.kind is Kind.OBSTACLE else "finding.needs", count=count)


def _surely(p: float) -> str:
    """How sure it is, in plain words."""
    if p < _SURE:
        return t("finding.sure")
    return t("finding.likely" if p < _LIKELY else "finding.probably")


def _exactly(one: Finding, tried: int) -> str:
    p = t("finding.under", p=_SMALLEST) if one.p < _SMALLEST else f"{one.p:.4f}"
    exact = t("finding.exact", p=p, tried=tried)
    if one.against is not Against.BEFORE:
        return exact
    return f"{exact}\n\n{t('finding.season' if one.last_year else 'finding.no_season')}"


def _lacking(lacks: Sequence[Lack]) -> None:
    """Where too little is known to find anything, and how much is missing."""
    if not lacks:
        return
    with st.expander(
        t("finding.lacking"), icon=":material/hourglass_empty:", key="findings_lacking"
    ):
        st.markdown("\n".join(f"- {_missing(lack)}" for lack in lacks))


def _missing(lack: Lack) -> str:
    place = formats.district(lack.place)
    if lack.weeks and lack.needs:
        return t("finding.lacking_both", place=place, weeks=lack.weeks, needs=lack.needs)
    if lack.weeks:
        return t("finding.lacking_weeks", place=place, weeks=lack.weeks)
    return t("finding.lacking_needs", place=place, needs=lack.needs)


def _chart(one: Finding) -> dict:
    """The figure over time, on the compared weeks' ground."""
    share = one.kind is not Kind.HANDS_SHORT and one.kind not in _RATES
    number = ".0%" if share else ",.1f"
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [day.isoformat() for day in one.days],
                "y": list(values),
                "line": {"color": colour, "width": width},
                "marker": {"size": 5},
                "hovertemplate": f"%{{x|%Y-%m-%d}}: %{{y:{number}}}<extra>{name}</extra>",
            }
            for (name, values), colour, width in zip(
                _lines(one), charts.colours(), (2.5, 1.5), strict=False
            )
        ],
        "layout": {
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "showlegend": bool(one.beside),
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "xaxis": {"fixedrange": True, "tickformat": "%m-%d", "showgrid": False, "nticks": 6},
            "yaxis": {
                "fixedrange": True,
                "rangemode": "tozero",
                "automargin": True,
                "tickformat": ".0%" if share else "",
            },
            "shapes": list(_grounds(one)),
        },
    }


def _lines(one: Finding) -> Iterator[tuple[str, Sequence[float | None]]]:
    here, beside = _NAMES[one.against]
    yield t(f"finding.{here}"), one.line
    if one.beside:
        yield t(f"finding.{beside}"), one.beside


def _grounds(one: Finding) -> Iterator[dict]:
    """The weeks before and those of now; all of them are now where the other is no earlier time."""
    half = timedelta(days=3)
    spans = [(one.since, one.until, 0.1)]
    if one.against is Against.BEFORE:
        spans = [(one.since, one.now_since, 0.06), (one.now_since, one.until, 0.2)]
    for first, last, opacity in spans:
        yield {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": (first - half).isoformat(),
            "x1": (last - half).isoformat(),
            "y0": 0,
            "y1": 1,
            "fillcolor": charts.colours()[0],
            "opacity": opacity,
            "line": {"width": 0},
            "layer": "below",
        }
