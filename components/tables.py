"""Long lists of the staff: one kind of them, a page at a time, one row chosen by a click."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

import pandas as pd
import streamlit as st

from components.i18n import t

A_PAGE = 25
ALL = "all"


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


Thing = TypeVar("Thing", bound=_Numbered)


def kind_choice(
    label: str, counts: Mapping[str, int], named: Callable[[str], str], key: str
) -> str:
    """All of a list, or the kind of them that is chosen here or that a link names."""
    linked = st.query_params.get("show", ALL)
    linked = linked if linked in counts else ALL
    return st.segmented_control(
        label,
        list(counts),
        default=linked,
        required=True,
        format_func=lambda one: (
            f"{t('orders_page.all') if one == ALL else named(one)} {counts.get(one, 0):,}"
        ),
        key=f"{key}_{linked}",  # A new link is a new choice.
        label_visibility="collapsed",
        wrap=True,
    )


def offset(count: int, key: str) -> int:
    """How many of a list stand before the chosen page of it."""
    page = st.pagination(-(-count // A_PAGE), key=key) if count > A_PAGE else 1
    return (page - 1) * A_PAGE


def chosen(
    things: Sequence[Thing],
    cells: Mapping[str, Sequence[Any]],
    columns: Mapping[str, Any],
    *,
    key: str,
    alt: str,
    height: int | Literal["content"] = "content",
) -> Thing | None:
    """A table with a row for each thing; the one that was clicked is returned."""
    picked = st.dataframe(
        pd.DataFrame(cells),
        hide_index=True,
        height=height,
        column_config=columns,
        on_select="rerun",
        selection_mode="single-row",
        # A list that changed has nothing selected: the same row may be another thing.
        key=f"{key}_{hash(tuple(thing.id for thing in things))}",
        alt=alt,
    )
    rows = picked.selection.rows
    return things[rows[0]] if rows else None
