"""What every panel of figures is made of: its card, and its numbers in a table below."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from html import escape
from textwrap import wrap
from typing import Any

import pandas as pd
import streamlit as st

from components.figures import labels
from components.figures.views import View, Window
from components.i18n import t
from services.analytics import terms
from services.analytics.families import Trait
from services.analytics.terms import Dimension

_LINE = 16  # Letters a name has beside a bar before it goes on in a second line.


@contextmanager
def panel(title: str, key: str) -> Iterator[None]:
    """A card with its title."""
    with st.container(border=True, height="stretch", key=key):
        st.markdown(f"**{title}**")
        yield


def metric(
    label: str,
    value: float | None,
    former: float | None,
    form: str,
    *,
    about: str,
    worse: bool = False,
    line: Sequence[float] | None = None,
) -> None:
    """A figure and how it differs from the one before, both in the same form; its line below."""
    digits = 3 if form == "percent" else 1
    by = None if value is None or former is None else round(value - former, digits)
    st.metric(
        label,
        "–" if value is None else round(value, digits),
        by,
        delta_color="inverse" if worse else "normal",
        delta_description=None if by is None else t("figures.against_before"),
        format=form,
        chart_data=line,
        chart_type="area",
        border=True,
        help=about,
    )


def twin(
    rows: pd.DataFrame,
    columns: Mapping[str, Any],
    *,
    key: str,
    title: str,
    digits: Mapping[str, int] | None = None,
) -> None:
    """The same in numbers, folded away until asked for: these columns of the rows, rounded."""
    with st.expander(
        t("figures.table"), icon=":material/table:", key=f"{key}_twin", on_change="rerun"
    ) as opened:
        if opened.open:
            table(rows.round(dict(digits or {})), columns, key=key, title=title)


def table(rows: pd.DataFrame, columns: Mapping[str, Any], *, key: str, title: str) -> None:
    """These columns of the rows as a table."""
    st.dataframe(
        rows[list(columns)],
        hide_index=True,
        height="content" if len(rows) < 15 else 560,
        column_config=dict(columns),
        placeholder="–",
        key=f"{key}_table",
        alt=title,
    )


def text(label: str) -> Any:  # noqa: ANN401 - Streamlit's own
    """A table's column of names, which stays in sight."""
    return st.column_config.TextColumn(label, pinned=True)


def number(label: str, *, about: str | None = None) -> Any:  # noqa: ANN401 - Streamlit's own
    """A table's column of counts."""
    return st.column_config.NumberColumn(label, format="localized", help=about)


def share(label: str, *, about: str | None = None) -> Any:  # noqa: ANN401 - Streamlit's own
    """A table's column of shares."""
    return st.column_config.NumberColumn(label, format="percent", help=about)


def yuan(label: str, *, about: str | None = None) -> Any:  # noqa: ANN401 - Streamlit's own
    """A table's column of money, in whole yuan."""
    return st.column_config.NumberColumn(label, format="¥%d", help=about)


def month(on: date) -> str:
    return t("time.month", on=on)


def months(view: View, told: Sequence[date]) -> list[str]:
    """Months below an axis of a view's figures."""
    return month_names(told, [on for on in told if not terms.is_closed(on, view.closed_until)])


def month_names(told: Sequence[date], running: Collection[date]) -> list[str]:
    """Months below an axis: the year with the first of each, and which are not over yet."""
    written: list[str] = []
    for place, on in enumerate(told):
        with_year = place == 0 or on.year != told[place - 1].year
        if on in running:
            written.append(t("figures.month_so_far", on=on))
        else:
            written.append(month(on) if with_year else t("figures.month", on=on))
    return written


def closed_months(view: View, window: Window) -> list[date]:
    """The months of a window that are over, by their first days."""
    mondays = [window.first + timedelta(weeks=one) for one in range(window.weeks)]
    found = dict.fromkeys(terms.month_of(monday) for monday in mondays)
    return [on for on in found if terms.is_closed(on, view.closed_until)]


def bucket(dimension: Dimension | Trait, one: str | None) -> str:
    """What a bucket is called, or those told together without a name."""
    return t("figures.rest") if one is None else labels.bucket(dimension, one)


def beside_bar(name: str) -> str:
    """A name beside a bar: harmless, for Plotly reads HTML, and in lines that leave it room."""
    return "<br>".join(escape(line) for line in wrap(name, _LINE) or [name])
