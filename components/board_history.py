"""The runs of dispatch before: one to be looked at again, worked out once more, or compared."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from components import catalogue, formats, layout, session
from components.i18n import t
from services.board import proposals, runs
from services.board.runs import RunStatus, RunView
from services.cities import CityView

# The run that is shown, and what of it is picked, as the page keeps them.
RUN, PICKED = "board_run", "board_picked"
_COMPARED = "served", "unserved", "cost", "way_minutes"


def history(city: CityView, shown: RunView | None) -> None:
    """The runs before: one to be looked at again, worked out once more, or compared."""
    with st.expander(
        t("board.history"), icon=":material/history:", key="board_history", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        found = session.fetch(runs.listing, city.code)
        if not found:
            st.caption(t("board.no_history"))
            return
        chosen = _chosen_run(found)
        if chosen is None or chosen.status is not RunStatus.PROPOSED:
            return
        with layout.deeds("board_run_deeds"):
            st.button(
                t("board.look"), icon=":material/visibility:", key="board_look",
                on_click=look, args=(chosen.id,),
            )  # fmt: skip
            if st.button(t("board.replay"), icon=":material/replay:", key="board_replay",
                         help=t("board.replay_help")):  # fmt: skip
                st.session_state.pop(RUN, None)
                session.perform("board.asked", runs.replay, chosen.id)
        if shown is not None and shown.status is RunStatus.PROPOSED and shown.id != chosen.id:
            _compared(shown, chosen)


def _chosen_run(found: Sequence[RunView]) -> RunView | None:
    column = st.column_config
    picked = st.dataframe(
        pd.DataFrame(
            {
                "number": [one.id for one in found],
                "at": [formats.moment(one.asked_at) for one in found],
                "by": [one.asked_by or t("board.by_itself") for one in found],
                "days": [
                    f"{formats.day_in_short(one.first_on)} – {formats.day_in_short(one.last_on)}"
                    for one in found
                ],
                "shape": [t(f"run_shape.{one.shape}") for one in found],
                "served": [_served(one) for one in found],
                "accepted": [one.accepted for one in found],
                "status": [t(f"run_status.{one.status}") for one in found],
            }
        ),
        hide_index=True,
        height="content" if len(found) < 9 else 320,
        column_config={
            "number": column.NumberColumn(t("board.number"), format="%d", pinned=True),
            "at": column.TextColumn(t("board.asked_at")),
            "by": column.TextColumn(t("board.asked_by")),
            "days": column.TextColumn(t("board.days")),
            "shape": column.TextColumn(t("board.shape")),
            "served": column.TextColumn(t("board.served")),
            "accepted": column.NumberColumn(t("board.accepted_lines")),
            "status": column.TextColumn(t("board.state")),
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"board_runs_{found[0].id}",
        alt=t("board.history"),
    )
    rows = picked.selection.rows
    return found[rows[0]] if rows else None


def _served(one: RunView) -> str:
    told = one.outcome
    return f"{told['served']} / {told['served'] + told['unserved']}" if told else ""


def look(run_id: int) -> None:
    st.session_state[RUN] = run_id
    st.session_state.pop(PICKED, None)


def _compared(shown: RunView, other: RunView) -> None:
    """How two runs differ: what each came to, and who would come instead."""
    st.markdown(t("board.compared", here=shown.id, there=other.id))
    st.dataframe(
        pd.DataFrame(
            {
                "figure": [t(f"board.figure_{name}") for name in _COMPARED],
                "here": [f"{shown.outcome[name]:,.0f}" for name in _COMPARED],
                "there": [f"{other.outcome[name]:,.0f}" for name in _COMPARED],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "figure": t("board.figure"),
            "here": t("board.run_number", number=shown.id),
            "there": t("board.run_number", number=other.id),
        },
        key=f"board_compared_{shown.id}_{other.id}",
        alt=t("board.compared", here=shown.id, there=other.id),
    )
    items = catalogue.items()
    different = session.fetch(proposals.compared, shown.id, other.id)
    if not different:
        st.caption(t("board.same_people"))
    for one in layout.first_of(different, f"board_different_{other.id}"):
        here = formats.plain(one.here) or t("board.nobody")
        there = formats.plain(one.there) or t("board.nobody")
        item = catalogue.item_name(items, one.item_id)
        st.markdown(f"- {formats.moment(one.starts_at)} {item}: {here} → {there}")
    layout.more_button(different, f"board_different_{other.id}")
