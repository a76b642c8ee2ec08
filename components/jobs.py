"""What the worker does by itself: its jobs with their lamps, and the queue of long tasks."""

from datetime import timedelta

import streamlit as st

from components import formats, icons, layout, session
from components.i18n import t
from services import clock, jobs
from services.audit import HEAD_SHOWN, Tail
from services.jobs import Board, Lamp
from services.tasks import Queue, TaskStatus

_A_MINUTE = timedelta(minutes=1)


def lamps(board: Board) -> None:
    """Whether the worker runs, and a line for every job."""
    if board.silent:
        st.warning(
            t("jobs.never_seen")
            if board.seen_at is None
            else t("jobs.silent", ago=formats.ago(board.seen_at)),
            icon=":material/power_off:",
        )
    elif board.seen_at is not None:
        st.caption(t("jobs.seen", ago=formats.ago(board.seen_at)))
    for lamp in board.lamps:
        _lamp(lamp)


def chain(tail: Tail) -> None:
    """How far the audit is sealed: a head noted today tells tomorrow whether rows were cut off."""
    waits = t("jobs.chain_whole")
    if tail.unsealed_since is not None:
        ago = formats.ago(tail.unsealed_since)
        waits = t("jobs.chain_tail", count=f"{tail.unsealed:,}", ago=ago)
    sealed = t("jobs.chain", sealed=f"{tail.sealed:,}", head=tail.head[:HEAD_SHOWN])
    st.caption(f":material/link: {sealed} · {waits}")


def _lamp(lamp: Lamp) -> None:
    icon, colour = icons.LIGHT[lamp.light]
    with st.container(
        border=True,
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key=f"job_{lamp.name}",
    ):
        badge = f":{colour}-badge[{icon} {t(f'jobs.light_{lamp.light}')}]"
        st.markdown(
            f"**{t(f'job.{lamp.name}')}** {badge}  \n:small[{_story(lamp)}]", width="content"
        )
        if st.button(
            t("jobs.run_now"), key=f"run_{lamp.name}", type="tertiary", icon=":material/play_arrow:"
        ):
            session.perform("jobs.asked", jobs.run_now, lamp.name)


def _story(lamp: Lamp) -> str:
    """上次：刚刚 · 用时 0.01 秒 · 处理 2 项 · 下次：59 分钟后."""
    told = [t("jobs.never_run")]
    if lamp.last_run_at is not None and lamp.took is not None:
        told = [
            t("jobs.last_run", ago=formats.ago(lamp.last_run_at)),
            t("jobs.took", seconds=f"{lamp.took.total_seconds():.2f}"),
        ]
        if lamp.error is None:
            told.append(t("jobs.did", count=lamp.done))
            if lamp.differing:
                told.append(t("jobs.differing", count=lamp.differing))
        else:
            told.append(t("jobs.failed_with", error=formats.plain(lamp.error)))
    if lamp.next_run_at is not None:
        soon = lamp.next_run_at < clock.now() + _A_MINUTE
        ahead = t("jobs.within_a_minute") if soon else formats.ago(lamp.next_run_at)
        told.append(t("jobs.next_run", ahead=ahead))
    return " · ".join(told)


def queue(tasks: Queue) -> None:
    """How the long tasks stand; those that failed one by one."""
    st.subheader(t("jobs.queue"), anchor=False)
    with layout.row():
        for status in TaskStatus:
            icon, colour = icons.TASK[status]
            count = tasks.counts.get(status, 0)
            layout.badge((icon, colour if count else "gray"), _counted(status, count))
    for task in tasks.failed:
        told = t("jobs.failed_task", number=task.id, ago=formats.ago(task.asked_at))
        st.markdown(f":red[:material/error:] **{t(f'task.{task.kind}')}** · {told}")


def _counted(status: TaskStatus, count: int) -> str:
    return f"{t(f'task_status.{status}')} {count:,}"
