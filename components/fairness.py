"""Fairness: how hours, pay and faces are spread in a city, and what a proposal does to it."""

from collections.abc import Mapping, Sequence
from math import ceil

import pandas as pd
import streamlit as st

from components import formats, layout, leaving, navigation, places, session
from components.figures import charts, panels, shapes
from components.i18n import t
from services.board import faces, fairness_figures, runs
from services.board.faces import Faces
from services.board.fairness_figures import PERIODS, Evenness, Presence, Share, Week
from services.board.runs import RunStatus, RunView
from services.cities import CityView

_MOST_BARS = 8
_HOUR_STEPS, _YUAN_STEPS = (1, 2, 5, 10, 20), (50, 100, 200, 500, 1000, 2000)
_A_YUAN = 100
_MONTH_WEEKS = 4
_MEASURES = "hours", "pay"
_TILES = "caregivers", "gini_hours", "range_hours", "gini_pay", "range_pay", "faces"


def fairness() -> None:
    """Everything of one city and one period."""
    city, weeks = _choice()
    if city is None:
        return
    found = session.fetch(fairness_figures.evenness, city.code, weeks)
    if not any(one.hours or one.pay_fen for one in found.shares):
        layout.empty("fairness", icon=":material/balance:")
        return
    seen = session.fetch(faces.seen, city.code, weeks // _MONTH_WEEKS)
    _headline(found, seen)
    _proposed(city)
    with st.grid(2, min_column_width=320, gap="medium"):
        _hours(found.shares)
        _pay(found.shares)
        _by_week(found.by_week)
        _faces(seen)
    _table(found.shares)
    _most_faces(seen)
    leaving.at_risk(city)


def _choice() -> tuple[CityView | None, int]:
    city = places.city_choice("fairness")
    weeks = st.segmented_control(
        t("fairness.period"),
        PERIODS,
        default=PERIODS[1],
        required=True,
        format_func=lambda one: t("fairness.weeks", count=one),
        key="fairness_weeks",
    )
    return city, weeks


def _headline(found: Evenness, seen: Faces) -> None:
    least, most = (
        formats.money(round(fen / _A_YUAN) * _A_YUAN) for fen in (found.pay.least, found.pay.most)
    )
    told = (
        str(len(found.shares)),
        f"{found.hours.gini:.2f}",
        t("board.hours", hours=f"{found.hours.least:.0f}–{found.hours.most:.0f}"),
        f"{found.pay.gini:.2f}",
        f"{least}–{most}",
        f"{seen.mean:.1f}" if seen.counts else "–",
    )
    with st.grid(len(_TILES), min_column_width=140):
        for name, value in zip(_TILES, told, strict=True):
            st.metric(
                t(f"fairness.{name}"),
                value,
                border=True,
                height="stretch",
                help=t(f"fairness.{name}_help"),
            )


def _proposed(city: CityView) -> None:
    """What the newest run would change, if it waits to be accepted."""
    run = session.fetch(runs.latest, city.code)
    if run is None or run.status is not RunStatus.PROPOSED:
        return
    with panels.panel(t("fairness.proposed", number=run.id), "fairness_proposed"):
        st.markdown(_said_of(run))
        with st.grid(3, min_column_width=160):
            for name in _MEASURES:
                before, after = (one["gini"] for one in run.outcome[name])
                _two(name, before, after)
            _two("faces", *run.outcome["faces"])
        navigation.link("dispatch", t("fairness.to_proposal"), icon=":material/route:")


def _said_of(run: RunView) -> str:
    before, after = (round(one["gini"], 2) for one in run.outcome["hours"])
    change = "same" if before == after else "more" if after < before else "less"
    return t(f"fairness.proposed_{change}", before=f"{before:.2f}", after=f"{after:.2f}")


def _two(name: str, before: float, after: float) -> None:
    change = round(after, 2) - round(before, 2)
    st.metric(
        t(f"fairness.two_{name}"),
        f"{before:.2f} → {after:.2f}",
        f"{change:+.2f}" if change else None,
        delta_color="inverse",
        help=t("fairness.two_help"),
    )


def _hours(shares: Sequence[Share]) -> None:
    values = [(one.presence, one.hours) for one in shares]
    step = _step(max(value for _, value in values), _HOUR_STEPS)
    names = [t("fairness.no_hours"), *_stretches(values, step, "fairness.hours_from")]
    _spread("hours", values, step, names)


def _pay(shares: Sequence[Share]) -> None:
    values = [(one.presence, one.pay_fen / _A_YUAN) for one in shares]
    step = _step(max(value for _, value in values), _YUAN_STEPS)
    names = [t("fairness.no_pay"), *_stretches(values, step, "fairness.pay_from")]
    _spread("pay", values, step, names)


def _step(most: float, steps: Sequence[int]) -> int:
    """The smallest step that needs no more bars than are read at a glance."""
    return next((one for one in steps if most <= one * _MOST_BARS), ceil(most / _MOST_BARS))


def _stretches(values: Sequence[tuple[Presence, float]], step: int, key: str) -> list[str]:
    """What the bars after the first are called: from nothing to the most."""
    count = ceil(max(value for _, value in values) / step)
    return [
        t(key, least=f"{number * step:,}", most=f"{(number + 1) * step:,}")
        for number in range(count)
    ]


def _spread(
    name: str, values: Sequence[tuple[Presence, float]], step: int, names: Sequence[str]
) -> None:
    """How many caregivers lie in each stretch; the first bar is of those with nothing."""
    title = t(f"fairness.spread_{name}")
    counts = {presence: [0] * len(names) for presence in Presence}
    for presence, value in values:
        counts[presence][ceil(value / step)] += 1
    with panels.panel(title, f"fairness_{name}"):
        series = {t(f"presence.{one}"): told for one, told in counts.items() if any(told)}
        charts.draw(
            charts.bars(series, names, stacked=True, number="d"),
            key=f"fairness_{name}_chart",
            alt=title,
            rows=len(names),
        )


def _by_week(weeks: Sequence[Week]) -> None:
    title = t("fairness.by_week")
    names = [t("figures.day", on=one.first_on) for one in weeks]
    with panels.panel(title, "fairness_by_week"):
        charts.draw(
            shapes.lines(
                {t("fairness.gini_hours"): [one.gini if one.caregivers else None for one in weeks]},
                names,
                number=".2f",
                span=(0, 1),
            ),
            key="fairness_by_week_chart",
            alt=title,
        )
        st.caption(t("fairness.by_week_about"))


def _faces(seen: Faces) -> None:
    title = t("fairness.spread_faces")
    with panels.panel(title, "fairness_faces"):
        if not seen.counts:
            st.caption(t("fairness.no_faces"))
            return
        every = {count: seen.counts.get(count, 0) for count in range(1, max(seen.counts) + 1)}
        charts.draw(
            charts.bars(
                {t("fairness.recipients"): list(every.values())},
                [t("fairness.face_count", count=count) for count in every],
                stacked=False,
                number="d",
            ),
            key="fairness_faces_chart",
            alt=title,
            rows=len(every),
        )
        st.caption(t("fairness.faces_about", visits=faces.FEWEST_VISITS))


def _most_faces(seen: Faces) -> None:
    """The recipients who saw most faces last month, each with the way to the family's orders."""
    if not seen.most:
        return
    with panels.panel(t("fairness.most_faces"), "fairness_most_faces"):
        for number, one in enumerate(seen.most):
            with st.container(horizontal=True, gap="small", key=f"fairness_family_{number}"):
                navigation.link(
                    "customers",
                    formats.plain(one.name),
                    icon=":material/family_restroom:",
                    customer=str(one.customer_id),
                )
                st.caption(t("fairness.faces_of", faces=one.faces, visits=one.visits))


def _table(shares: Sequence[Share]) -> None:
    """The same by name, in numbers."""
    columns: Mapping[str, object] = {
        "name": panels.text(t("customers.name")),
        "presence": st.column_config.TextColumn(t("fairness.presence")),
        "weeks": st.column_config.NumberColumn(t("fairness.weeks_there"), format="%.1f"),
        "hours": st.column_config.NumberColumn(t("fairness.hours_a_week"), format="%.1f"),
        "pay": panels.yuan(t("fairness.pay_a_week")),
    }
    rows = pd.DataFrame(
        {
            "name": [one.name for one in shares],
            "presence": [t(f"presence.{one.presence}") for one in shares],
            "weeks": [one.weeks for one in shares],
            "hours": [one.hours for one in shares],
            "pay": [one.pay_fen / _A_YUAN for one in shares],
        }
    )
    panels.twin(rows, columns, key="fairness_shares", title=t("fairness.spread_hours"))
