"""What a city says of its days: closed times, holidays and days to work."""

from datetime import datetime, time, timedelta

import streamlit as st

from components import calendars, formats, layout, session
from components.i18n import t
from services import clock, closures
from services.calendars import FURTHEST
from services.closures import ClosureView, DayKind, SpecialDayView

_KEY = "closure"
_ICONS = {
    DayKind.HOLIDAY: ":material/celebration:",
    DayKind.WORKDAY: ":material/work:",
    DayKind.ORDINARY: ":material/event:",
}


def city_days(city_code: str) -> None:
    """The closed times and special days of a city, drawn when opened."""
    with st.expander(
        t("closures.title"),
        icon=":material/event_busy:",
        key=f"days_{city_code}",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        st.caption(t("closures.about"))
        closed = session.fetch(closures.ahead, city_code)
        for one in layout.first_of(closed, f"closures_{city_code}", 8):
            _closure(one)
        layout.more_button(closed, f"closures_{city_code}", 20)
        _close(city_code)
        st.markdown(f"**{t('closures.special_days')}**")
        st.caption(t("closures.special_about"))
        special = session.fetch(closures.special_days, city_code)
        for one in layout.first_of(special, f"special_days_{city_code}", 8):
            _special_day(one)
        layout.more_button(special, f"special_days_{city_code}", 20)
        _set_special_day(city_code)


def _closure(one: ClosureView) -> None:
    with layout.row():
        st.markdown(
            f":material/block: {calendars.when(one.starts_at, one.ends_at)}"
            f" · {formats.plain(one.words)}",
            width="content",
        )
        if st.button(
            t("closures.reopen"), icon=":material/undo:", type="tertiary", key=f"reopen_{one.id}"
        ):
            session.perform("closures.reopened", closures.reopen, one.id)


def _close(city_code: str) -> None:
    key = f"{_KEY}_{city_code}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.date_input(
            t("leaves.from"), clock.today() + timedelta(days=1), min_value=clock.today(),
            max_value=clock.today() + FURTHEST, key=f"{key}_from", width=150,
        )  # fmt: skip
        begins = st.time_input(
            t("leaves.from_time"), time(), step=1800, key=f"{key}_begins", width=110
        )
        last = st.date_input(
            t("leaves.to"), clock.today() + timedelta(days=2), min_value=clock.today(),
            max_value=clock.today() + FURTHEST, key=f"{key}_to", width=150,
        )  # fmt: skip
        ends = st.time_input(t("leaves.to_time"), time(), step=1800, key=f"{key}_ends", width=110)
    why = st.text_input(
        t("field.closure_words"),
        key=f"{key}_words",
        max_chars=closures.MOST_WORDS,
        placeholder=t("closures.hint"),
    )
    starts_at = datetime.combine(first, begins, clock.CITY_TIME)
    ends_at = datetime.combine(last, ends, clock.CITY_TIME)
    hit = session.fetch(closures.hits, city_code, starts_at, ends_at)
    if hit:
        st.warning(t("closures.hits", count=hit), icon=":material/event_upcoming:")
    else:
        st.caption(f":material/task_alt: {t('closures.hits_nobody')}")
    if st.button(t("closures.close"), icon=":material/block:", key=f"{key}_close"):
        session.perform(
            "closures.closed", closures.close, city_code, starts_at, ends_at, why, forget=(_KEY,)
        )


def _special_day(one: SpecialDayView) -> None:
    words = f" · {formats.plain(one.words)}" if one.words else ""
    with layout.row():
        st.markdown(
            f"{_ICONS[one.kind]} {formats.day(one.day)} · {t(f'day_kind.{one.kind}')}{words}",
            width="content",
        )
        if st.button(
            t("closures.drop"), icon=":material/undo:", type="tertiary", key=f"drop_day_{one.id}"
        ):
            session.perform("closures.dropped", closures.drop_special_day, one.id)


def _set_special_day(city_code: str) -> None:
    key = f"special_{city_code}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input(
            t("field.day"), clock.today() + timedelta(days=1), min_value=clock.today(),
            max_value=clock.today() + FURTHEST, key=f"{key}_day", width=150,
        )  # fmt: skip
        kind = st.segmented_control(
            t("field.kind"),
            list(DayKind),
            default=DayKind.HOLIDAY,
            required=True,
            format_func=lambda one: t(f"day_kind.{one}"),
            key=f"{key}_kind",
        )
    words = st.text_input(
        t("field.day_words"),
        key=f"{key}_words",
        max_chars=closures.MOST_DAY_WORDS,
        placeholder=t("closures.day_hint"),
    )
    if st.button(t("closures.set_day"), icon=":material/event:", key=f"{key}_set"):
        session.perform(
            "closures.day_set", closures.set_special_day, city_code, day, kind, words,
            forget=(key,),
        )  # fmt: skip
