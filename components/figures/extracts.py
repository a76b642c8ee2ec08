"""A page's figures as a file: what is looked at, as a table that Excel opens without harm.

What a table on screen offers to save is made in the browser of what it shows, and goes nowhere.
"""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from components import downloads, formats, session
from components.figures import labels
from components.i18n import t
from services import extracts
from services.analytics import combining
from services.analytics.figures import Frame
from services.extracts import Scope
from services.wording import harmless

MOST_ROWS = 50_000
# What each page's figures are made of.
FRAMES = {
    "demand_map": (Frame.NEEDS, Frame.DAYPARTS, Frame.OBSTACLES, Frame.GROUPS),
    "demand": (Frame.NEEDS, Frame.GROUPS),
    "family_figures": (Frame.FAMILIES,),
    "caregiver_figures": (Frame.CAREGIVERS, Frame.DAYPARTS),
    "funnel": (Frame.FUNNEL,),
}
_OF_CELLS = (
    "day", "weeks", "city", "district", "item_group", "dimension", "bucket", "daypart",
    "obstacle", "stage", "holder_age", "channel", "cohort", "measure",
)  # fmt: skip
_FIGURES = (
    "needs", "served", "matched", "wanted_hours", "served_hours", "offered_hours", "wait_hours",
    "price_fen", "count", "caregivers", "families", "new", "repeated", "spend_fen",
    "p25", "p50", "p75",
)  # fmt: skip


def popover(
    page: str, head: Mapping[str, Any], scope: Scope, tables: Callable[[], dict[str, pd.DataFrame]]
) -> None:
    """Export: what leaves and under which rule, and the button that makes the file.

    `head` fills the file's first line, `tables` are what it tells, by name.
    """
    with st.popover(
        t("extracts.export"), icon=":material/download:", key="extract", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.markdown(t("extracts.about"))
        st.caption(_rule(head["smallest"]))
        if session.without_routes():
            st.info(t("extracts.without_routes"))
            return
        if st.button(t("extracts.make"), icon=":material/table_view:", key="make_extract"):
            _make(page, head, scope, tables())


def _make(
    page: str, head: Mapping[str, Any], scope: Scope, tables: dict[str, pd.DataFrame]
) -> None:
    rows = sum(map(len, tables.values()))
    if rows > MOST_ROWS:
        st.warning(t("extracts.too_many"))
        return
    content = written(page, head, tables)
    made = Scope(scope.place, scope.first, scope.last, scope.care, rows, scope.published)
    if (ticket := session.disclose(extracts.prepare, page, content, made)) is not None:
        downloads.fetch(f"documents/figures/{ticket}", "fetch_extract")
        st.caption(t("extracts.ready"))


def written(page: str, head: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> bytes:
    """The file: what it is and the rule it is under, then each table with its name and columns."""
    told = io.StringIO()
    lines = csv.writer(told)
    head_line = t(
        "extracts.head", page=t(f"page.{page}"), place=head["place"], first=head["first"],
        last=head["last"], as_of=head["as_of"],
    )  # fmt: skip
    lines.writerow([head_line])
    lines.writerow([_rule(head["smallest"])])
    for name, rows in tables.items():
        lines.writerow([])
        lines.writerow([t(f"extracts.{name}")])
        lines.writerow([t(f"extract_column.{column}") for column in rows.columns])
        for row in rows.to_dict("records"):
            lines.writerow([safe(_cell(column, row)) for column in rows.columns])
    return told.getvalue().encode("utf-8-sig")  # Without the mark Excel takes it for GBK.


def cells(frame: Frame, told: pd.DataFrame) -> pd.DataFrame:
    """The cells of a frame as the file tells them: without what pages do not show by itself."""
    by = [name for name in _OF_CELLS if name in told]
    if told.empty or not by:
        return pd.DataFrame(columns=by)
    if frame is Frame.NEEDS:
        rows = combining.together(told, by)
    else:
        sums = [name for name in _FIGURES if name in told]
        grouped = told.groupby(by, dropna=False, as_index=False)[sums]
        rows = pd.DataFrame(grouped.sum(min_count=1))
    return rows[[name for name in (*by, *_FIGURES) if name in rows]]


def safe(value: object) -> object:
    """A cell that no table program takes for a formula."""
    return harmless(value) if isinstance(value, str) else value


def _cell(column: str, row: Mapping[Any, Any]) -> object:
    """A value in words, numbers as they are."""
    value: Any = row[column]
    if value is None or value != value:
        return t("extracts.several") if column in ("district", "item_group", "bucket") else ""
    if column == "day":
        return f"{pd.Timestamp(value):%Y-%m-%d}"
    if column == "cohort":
        return str(value)[:7]
    if not isinstance(value, str):
        return _number(column, value)
    match column:
        case "city" | "district":
            return formats.district(value)
        case "item_group":
            return t(f"group.{value}")
        case "dimension":
            return t(f"dimension.{value}") if value in labels.DIMENSIONS else value
        case "bucket":
            return labels.bucket(row["dimension"], value)
        case "daypart":
            return labels.dayparts(value)
        case "obstacle":
            return t(f"unmet_reason.{value}")
        case "stage":
            return t(f"stage.{value}")
        case "holder_age" | "channel":
            return labels.bucket(column, value)
    return value


def _number(column: str, value: float) -> float:
    """Money in yuan; sums without a fraction that is none."""
    if column.endswith("_fen"):
        return value / 100
    if column == "p" or not isinstance(value, float):
        return value
    return int(value) if value.is_integer() else round(value, 4)


def _rule(smallest: int | None) -> str:
    if smallest is None:
        return t("extracts.rule_live")
    return t("extracts.rule_published", smallest=smallest)
