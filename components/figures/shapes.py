"""Shapes of charts as plain Plotly dictionaries: lines with a band, columns, boxes, a funnel.

Names stand on an axis of numbers, so that two alike stay two, and thin out where space is short.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.figures.charts import LEGEND, MARGIN, colours

Values = Sequence[float | None]
_MOST_TICKS = 8
_SHADE = "33"  # A fifth, as the last two digits of a colour.


@dataclass(frozen=True, slots=True)
class Band:
    """What is expected after the last of the known: a line and what it is likely within."""

    name: str
    expected: Values
    low: Values
    high: Values


def lines(
    series: Mapping[str, Values],
    names: Sequence[str],
    *,
    ticks: Mapping[int, str] | None = None,
    number: str = ",.0f",
    band: Band | None = None,
    span: tuple[float, float] | None = None,
) -> dict:
    """A line for each series, broken where nothing is told; the band goes on from the first's end.

    `names` are those of the places on the axis, the band's too; `ticks` which of them are written;
    `span` is from where to where values are drawn.
    """
    hover = f"%{{customdata}}: %{{y:{number}}}"
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": label,
            "x": list(range(len(values))),
            "y": _plain(values),
            "customdata": list(names[: len(values)]),
            "hovertemplate": hover + f"<extra>{label}</extra>",
            "line": {"color": colour, "width": 2},
            "marker": {"size": 5, "color": colour},
            "connectgaps": False,
        }
        for (label, values), colour in zip(series.items(), colours(), strict=False)
    ]
    if band is not None:
        first, *_ = series.values()
        data += _band(band, first, names, colours()[0], hover)
    return {
        "data": data,
        "layout": {
            "showlegend": len(data) > 1,
            "legend": LEGEND,
            "margin": MARGIN,
            "xaxis": _axis(names, ticks),
            "yaxis": {
                "fixedrange": True, "rangemode": "tozero", "range": span, "tickformat": number,
                "automargin": True,
            },
        },
    }  # fmt: skip


def _band(
    band: Band, known: Values, names: Sequence[str], colour: str, hover: str
) -> list[dict[str, Any]]:
    """The band begins at the last that is known, where nothing is expected any more."""
    start, last = len(known) - 1, known[-1:]
    x = list(range(start, len(names)))
    low, expected, high = (
        [*_plain(last), *_plain(side)] for side in (band.low, band.expected, band.high)
    )
    within = [f"{least:,.0f}–{most:,.0f}" for least, most in zip(band.low, band.high, strict=True)]
    said = [f"{name} ({about})" for name, about in zip(names[len(known) :], within, strict=True)]
    edge = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip", "showlegend": False}
    return [
        {**edge, "y": low, "line": {"width": 0}},
        {
            **edge,
            "y": high,
            "line": {"width": 0},
            "fill": "tonexty",
            "fillcolor": colour + _SHADE,
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": band.name,
            "x": x,
            "y": expected,
            "customdata": [*names[start : len(known)], *said],
            "hovertemplate": hover + f"<extra>{band.name}</extra>",
            "line": {"color": colour, "width": 2, "dash": "dot"},
            "marker": {"size": 5, "color": colour},
        },
    ]


def columns(
    series: Mapping[str, Values], names: Sequence[str], *, number: str = ",.0f", prefix: str = ""
) -> dict:
    """Columns side by side for each name; a colour for each series."""
    return {
        "data": [
            {
                "type": "bar",
                "name": label,
                "x": list(range(len(names))),
                "y": _plain(values),
                "customdata": list(names),
                "hovertemplate": f"%{{customdata}}: {prefix}%{{y:{number}}}<extra>{label}</extra>",
                "marker": {"color": colour, "cornerradius": 3},
            }
            for (label, values), colour in zip(series.items(), colours(), strict=False)
        ],
        "layout": {
            "barmode": "group",
            "bargap": 0.35,
            "showlegend": len(series) > 1,
            "legend": LEGEND,
            "margin": MARGIN,
            "xaxis": _axis(names, None),
            "yaxis": {
                "fixedrange": True, "rangemode": "tozero", "tickformat": number,
                "tickprefix": prefix, "automargin": True,
            },
        },
    }  # fmt: skip


def boxes(
    names: Sequence[str],
    quartiles: Sequence[tuple[float | None, float | None, float | None]],
    said: Sequence[str],
    *,
    number: str,
    prefix: str = "",
    span: tuple[float, float] | None = None,
) -> dict:
    """The middle half of many and their middle, for each name; without quartiles the middle alone.

    What is `said` is what one reads who points at it; `span` is from where to where it is drawn.
    """
    x = list(range(len(names)))
    colour = colours()[0]
    return {
        "data": [
            {
                "type": "box",
                "x": x,
                "q1": [middle if low is None else low for low, middle, _ in quartiles],
                "median": [middle for _, middle, _ in quartiles],
                "q3": [middle if high is None else high for _, middle, high in quartiles],
                "width": 0.4,
                "line": {"color": colour},
                "fillcolor": colour + _SHADE,
                "hoverinfo": "skip",
                "showlegend": False,
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": x,
                "y": [middle for _, middle, _ in quartiles],
                "customdata": list(said),
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"size": 6, "color": colour},
                "showlegend": False,
            },
        ],
        "layout": {
            "margin": MARGIN,
            "xaxis": _axis(names, None),
            "yaxis": {
                "fixedrange": True, "tickformat": number, "tickprefix": prefix,
                "rangemode": "tozero", "range": span, "automargin": True,
            },
        },
    }  # fmt: skip


def funnel(names: Sequence[str], counts: Sequence[float], texts: Sequence[str]) -> dict:
    """Stages from above, each as wide as those who came to it, with what is to be read in it."""
    return {
        "data": [
            {
                "type": "funnel",
                "y": list(names),
                "x": list(counts),
                "text": list(texts),
                "textinfo": "text",
                "textposition": "auto",
                "hovertemplate": "%{y}: %{text}<extra></extra>",
                "marker": {"color": colours()[0]},
                "connector": {"fillcolor": colours()[0] + _SHADE, "line": {"width": 0}},
            }
        ],
        "layout": {
            "margin": MARGIN,
            "funnelgap": 0.25,
            "yaxis": {"fixedrange": True, "automargin": True},
            "xaxis": {"fixedrange": True, "visible": False},
        },
    }


def _axis(names: Sequence[str], ticks: Mapping[int, str] | None) -> dict[str, Any]:
    """Names below, as many as are read at a glance."""
    told = dict(enumerate(names)) if ticks is None else dict(ticks)
    step = -(-len(told) // _MOST_TICKS) or 1
    shown = list(told.items())[::step]
    return {
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "range": [-0.5, max(len(names) - 0.5, 0.5)],
        "tickvals": [place for place, _ in shown],
        "ticktext": [name for _, name in shown],
        "automargin": True,
    }


def _plain(values: Values) -> list[float | None]:
    return [None if value is None or value != value else float(value) for value in values]
