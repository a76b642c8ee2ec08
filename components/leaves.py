"""Leave as it is taken: for how long, whom it hits, and taken back again."""

from datetime import datetime, time, timedelta

import streamlit as st

from components import calendars, layout, session
from components.i18n import t
from services import clock, leaves
from services.calendars import FURTHEST
from services.leaves import LeaveReason, LeaveView

_TAKEN = "leave_"
_HITS_SHOWN = 8


def leave_section(caregiver_id: int) -> None:
    """What leave lies ahead, and more of it."""
    st.subheader(t("leaves.title"), anchor=False)
    taken = session.fetch(leaves.ahead, caregiver_id)
    if not taken:
        st.caption(t("leaves.none"))
    for leave in layout.first_of(taken, "leaves", 5):
        _leave(leave)
    layout.more_button(taken, "leaves", 10)
    _take(caregiver_id)


def _leave(leave: LeaveView) -> None:
    with st.container(border=True, gap="small", key=f"leave_of_{leave.id}"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            st.markdown(
                f":material/event_busy: **{calendars.when(leave.starts_at, leave.ends_at)}**"
                f" · {t(f'leave_reason.{leave.reason}')}",
                width="content",
            )
            begun = leave.starts_at < clock.now()
            if layout.confirmed(
                t("leaves.end_now" if begun else "leaves.withdraw"),
                t("leaves.end_now_means" if begun else "leaves.withdraw_means"),
                f"withdraw_{leave.id}",
                icon=":material/undo:",
            ):
                session.perform("leaves.withdrawn", leaves.withdraw, leave.id)
        if leave.hits:
            st.caption(t("leaves.stand_in", count=len(leave.hits)))
            calendars.visit_links(leave.hits[:_HITS_SHOWN])


def _take(caregiver_id: int) -> None:
    """From when to when and why; before it is taken, every visit it hits is named."""
    with st.expander(
        t("leaves.take"), icon=":material/event_busy:", key="take_leave_ask", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        starts_at, ends_at = _times()
        reason = st.pills(
            t("leaves.reason"),
            list(LeaveReason),
            default=LeaveReason.ILLNESS,
            required=True,
            format_func=lambda one: t(f"leave_reason.{one}"),
            key=f"{_TAKEN}reason",
        )
        hit = session.fetch(leaves.hits, caregiver_id, starts_at, ends_at)
        if hit:
            st.warning(t("leaves.hits", count=len(hit)), icon=":material/group_remove:")
            calendars.visit_links(tuple(hit[:_HITS_SHOWN]))
            if (more := len(hit) - _HITS_SHOWN) > 0:
                st.caption(t("leaves.more_hits", count=more))
        else:
            st.caption(f":material/task_alt: {t('leaves.hits_nobody')}")
        numbers = tuple(one.visit_id for one in hit)
        # Other visits, another button: none is clicked for what was not read.
        if st.button(
            t("leaves.take_for", time=calendars.when(starts_at, ends_at)),
            type="primary",
            key=f"take_leave_{hash(numbers)}",
        ):
            session.perform(
                "leaves.taken", leaves.take, caregiver_id, starts_at, ends_at, reason, numbers,
                forget=(_TAKEN,),
            )  # fmt: skip


def _times() -> tuple[datetime, datetime]:
    """Whole days, or from an hour to another."""
    latest = clock.today() + FURTHEST
    whole = st.toggle(t("leaves.whole_days"), True, key=f"{_TAKEN}whole")
    left, right = st.columns(2)
    first = left.date_input(
        t("leaves.from"),
        clock.today() + timedelta(days=1),
        min_value=clock.today(),
        max_value=latest,
        key=f"{_TAKEN}from",
    )
    last = right.date_input(
        t("leaves.to"),
        max(first, clock.today() + timedelta(days=1)),
        min_value=clock.today(),
        max_value=latest,
        key=f"{_TAKEN}to",
    )
    if whole:
        begins, ends = time(), time()
        last += timedelta(days=1)
    else:
        begins = left.time_input(t("leaves.from_time"), time(8), step=1800, key=f"{_TAKEN}begins")
        ends = right.time_input(t("leaves.to_time"), time(18), step=1800, key=f"{_TAKEN}ends")
    return (
        datetime.combine(first, begins, clock.CITY_TIME),
        datetime.combine(last, ends, clock.CITY_TIME),
    )
