"""The dispatch board: what is to be dispatched, a run of it, its proposal, what became of it."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import partial

import streamlit as st

from components import (
    board_history,
    board_lines,
    board_map,
    board_timetable,
    catalogue,
    dispatch_modes,
    formats,
    layout,
    navigation,
    places,
    pushes,
    session,
)
from components.board_history import PICKED, RUN
from components.i18n import t
from services import clock
from services.board import overrides, proposals, runs
from services.board.proposals import LineView
from services.board.runs import RunShape, RunStatus, RunView, Wish
from services.catalogue import ItemView
from services.cities import CityView

_A_DAY = timedelta(days=1)
_AHEAD = 7
_PICTURE, _TABLE = "picture", "table"


class View(StrEnum):
    """The ways in which work is given out, one shown at a time."""

    PROPOSAL = "proposal"
    PUSHES = "pushes"
    AUTOMATION = "automation"


def board() -> None:
    """How the work of one city is given out: proposed at once, pushed, or by itself."""
    city = places.city_choice("board")
    if city is None:
        return
    match _view():
        case View.PUSHES:
            pushes.section(city.code)
        case View.AUTOMATION:
            dispatch_modes.section(city.code)
        case _:
            _proposed(city)


def _view() -> View:
    linked = st.query_params.get("show", "")
    default = View(linked) if linked in list(View) else View.PROPOSAL
    return st.segmented_control(
        t("board.view"),
        list(View),
        default=default,
        required=True,
        format_func=lambda one: t(f"board.view_{one}"),
        key=f"board_view_{default}",  # A new link is a new choice.
        label_visibility="collapsed",
        wrap=True,
    )


def _proposed(city: CityView) -> None:
    """The wish, the newest proposal, and what stands beside it."""
    items = catalogue.items()
    newest = session.fetch(runs.latest, city.code)
    _wish(city, items, newest)
    shown = _shown_run(city, newest)
    if shown is not None and not shown.asked_by:
        _by_hand_too(city)
    if shown is None:
        layout.empty("board", icon=":material/route:")
    elif shown.status is RunStatus.ASKED:
        _under_way(shown.id)
    elif shown.status is RunStatus.PROPOSED:
        _proposal(city, shown, items)
    else:
        st.warning(t(f"board.ended_{shown.status}"), icon=":material/report:")
    _standing(city, items)
    board_history.history(city, shown)


def _by_hand_too(city: CityView) -> None:
    """The way to what an operator had proposed last, which a run by itself came after."""
    before = session.fetch(runs.latest, city.code, by_hand=True)
    if before is not None and before.status is RunStatus.PROPOSED:
        st.button(
            t("board.by_hand_too", number=before.id, name=formats.plain(before.asked_by)),
            icon=":material/visibility:",
            type="tertiary",
            key="board_by_hand",
            on_click=board_history.look,
            args=(before.id,),
        )


def _shown_run(city: CityView, newest: RunView | None) -> RunView | None:
    """The run chosen from those before, or the newest."""
    chosen = st.session_state.get(RUN)
    if chosen is None or (newest is not None and chosen == newest.id):
        return newest
    found = session.fetch(runs.view, chosen)
    return found if found.city_code == city.code else newest


def _wish(city: CityView, items: dict[int, ItemView], newest: RunView | None) -> None:
    """Which work is dispatched, and the button that has it worked out."""
    today = clock.today()
    waiting = session.fetch(runs.waiting, city.code, today, today + (_AHEAD - 1) * _A_DAY)
    with st.container(border=True, key="board_wish"):
        with layout.row():
            _waiting(today, waiting.by_day)
        if waiting.plans:
            navigation.link(
                "applications",
                t("board.plans_wait", count=waiting.plans),
                icon=":material/event_repeat:",
            )
        days = st.date_input(
            t("board.days"),
            (today, today + 2 * _A_DAY),
            min_value=today,
            max_value=today + runs.FURTHEST,
            key="board_days",
            width=280,
        )
        with st.expander(t("board.more"), icon=":material/tune:", key="board_more"):
            shape, movable, budget, districts, kinds = _details(city, items)
        under_way = newest is not None and newest.status is RunStatus.ASKED
        if not st.button(
            t("board.run"),
            icon=":material/route:",
            type="primary",
            key="board_run_now",
            disabled=len(days) != 2 or under_way,
        ):
            return
    if len(days) != 2:
        return
    first, last = days
    wish = Wish(city.code, first, last, shape, tuple(districts), tuple(kinds), movable, budget)
    st.session_state.pop(PICKED, None)
    st.session_state.pop(RUN, None)
    session.perform("board.asked", runs.ask, wish)


def _waiting(today: date, waiting: Sequence[int]) -> None:
    """How much work is open on the days to come."""
    st.markdown(t("board.open", count=sum(waiting), days=_AHEAD))
    for number, count in enumerate(waiting):
        if count:
            day = formats.day_in_short(today + number * _A_DAY)
            st.badge(f"{day} · {count}", color="orange" if number < 2 else "gray")


def _details(
    city: CityView, items: dict[int, ItemView]
) -> tuple[RunShape, bool, int, list[str], list[int]]:
    shape = st.segmented_control(
        t("board.shape"),
        list(RunShape),
        default=RunShape.DAYS,
        required=True,
        format_func=lambda one: t(f"run_shape.{one}"),
        key="board_shape",
        help=t("board.shape_help"),
    )
    with layout.row():
        districts = st.multiselect(
            t("field.district"), places.district_codes(city.code), format_func=formats.district,
            key="board_wish_districts", placeholder=t("board.all_districts"), width=280,
        )  # fmt: skip
        kinds = st.multiselect(
            t("field.item"), list(items), format_func=lambda one: catalogue.item_name(items, one),
            key="board_wish_items", placeholder=t("board.all_items"), width=280,
        )  # fmt: skip
        budget = st.selectbox(
            t("field.budget"), runs.BUDGETS, index=runs.BUDGETS.index(runs.USUAL_BUDGET),
            format_func=lambda one: t("board.seconds", count=one), key="board_budget",
            help=t("board.budget_help"), disabled=shape is RunShape.SINGLE, width=150,
        )  # fmt: skip
    movable = st.toggle(t("board.movable"), key="board_movable", help=t("board.movable_help"))
    return shape, movable, budget, districts, kinds


@st.fragment(run_every=1.0)
def _under_way(run_id: int) -> None:
    """How far a run is, with the way to stop it; the page is drawn anew when it is over."""
    run = session.fetch(runs.view, run_id)
    if run.status is not RunStatus.ASKED:
        st.rerun()
    percent = run.percent or 0
    st.progress(percent / 100, t("board.working", percent=percent))
    if st.button(t("board.stop"), icon=":material/stop_circle:", key=f"board_stop_{run_id}"):
        session.perform("board.stopped", runs.cancel, run_id)


def _proposal(city: CityView, run: RunView, items: dict[int, ItemView]) -> None:
    """What a run came to: figures, pictures, lines, and the one that is opened."""
    lines = session.fetch(proposals.lines, run.id)
    _head(run)
    _figures(run, lines)
    shown = board_lines.narrowed(lines, items)
    by_number = {one.number: one for one in shown}
    days = board_lines.days_of(shown)
    if days:
        _pictures(city, shown, items, days, by_number.get(_picked()[0]))
    number, where = _picked()
    if where == _PICTURE and number in by_number:
        board_lines.opened(run.id, by_number[number], items, _unpick)
    board_lines.table(run.id, shown, items, partial(_pick, _TABLE))
    number, where = _picked()
    if where == _TABLE and number in by_number:
        board_lines.opened(run.id, by_number[number], items, _unpick)


def _head(run: RunView) -> None:
    by = formats.plain(run.asked_by) if run.asked_by else t("board.by_itself")
    parts = [
        t("board.run_about", number=run.id, by=by, at=formats.moment(run.asked_at)),
        f"{formats.day(run.first_on)} – {formats.day(run.last_on)}",
        t(f"run_shape.{run.shape}"),
        t(f"run_quality.{run.quality}"),
    ]
    if run.replays_id:
        parts.append(t("board.replay_of", number=run.replays_id))
    st.caption(" · ".join(parts))
    if run.outcome["roadless"]:
        st.warning(t("board.roadless"), icon=":material/wrong_location:")


def _figures(run: RunView, lines: Sequence[LineView]) -> None:
    told = run.outcome
    hours, pay = told["hours"], told["pay"]
    waiting = sum(one.state in proposals.OPEN for one in lines)
    with st.grid(5, min_column_width=140):
        st.metric(t("board.served"), f"{told['served']} / {told['served'] + told['unserved']}",
                  border=True, height="stretch")  # fmt: skip
        st.metric(t("board.to_decide"), waiting, border=True, height="stretch")
        st.metric(
            t("board.ways"),
            t("board.hours", hours=f"{told['way_minutes'] / 60:.1f}"),
            border=True,
            height="stretch",
            help=t("board.ways_help"),
        )
        for name, (before, after) in (("hours", hours), ("pay", pay)):
            change = round(after["gini"] - before["gini"], 2)
            st.metric(
                t(f"board.gini_{name}"),
                f"{after['gini']:.2f}",
                f"{change:+.2f}" if change else None,
                delta_color="inverse",
                border=True,
                height="stretch",
                help=t("board.gini_help", before=f"{before['gini']:.2f}"),
            )


def _pictures(
    city: CityView,
    lines: Sequence[LineView],
    items: dict[int, ItemView],
    days: Sequence[date],
    picked: LineView | None,
) -> None:
    """A day of the proposal as a timetable beside a map."""
    first = clock.in_city(picked.starts_at).date() if picked else days[0]
    day = days[0]
    if len(days) > 1:
        day = st.segmented_control(
            t("board.day"),
            list(days),
            default=first,
            required=True,
            format_func=formats.day_in_short,
            key=f"board_day_{hash((first, *days))}",
            label_visibility="collapsed",
            wrap=True,
        )
    of_day = [one for one in lines if clock.in_city(one.starts_at).date() == day]
    bars = session.fetch(proposals.timetable, city.code, day, day)
    number = picked.number if picked else None
    pick = partial(_pick, _PICTURE)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        board_timetable.picture(day, of_day, bars, items, number, "board_timetable", pick)
    with right:
        board_map.draw(city.code, of_day, items, number, f"board_map_{day}", pick)


def _picked() -> tuple[int, str]:
    """The line that is open, none has the number 0, and where it was picked: it opens below."""
    return st.session_state.get(PICKED, (0, _PICTURE))


def _pick(where: str, number: int) -> None:
    st.session_state[PICKED] = number, where


def _unpick() -> None:
    st.session_state.pop(PICKED, None)


def _standing(city: CityView, items: dict[int, ItemView]) -> None:
    found = session.fetch(overrides.standing, city.code)
    if not found:
        return
    with st.expander(
        t("board.standing", count=len(found)), icon=":material/push_pin:", key="board_standing"
    ):
        st.caption(t("board.standing_about"))
        board_lines.standing(found, items)
