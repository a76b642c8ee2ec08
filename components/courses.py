"""The course of a plan as it is filled in: which weekdays, when, from when until when."""

from dataclasses import replace
from datetime import date, time, timedelta

import streamlit as st

from components import formats
from components.i18n import t
from services import clock, plans, recurrence
from services.courses import Course
from services.drafts import DraftFields
from services.plans import SegmentView

_WORKDAYS = (0, 1, 2, 3, 4)
_FIRST_AHEAD = timedelta(days=3)
_A_MONTH = timedelta(days=29)
_A_YEAR = timedelta(days=365)
_STEP_SECONDS = 1800


def course_fields(
    key: str,
    units: int,
    unit_price_fen: int,
    now: SegmentView | None = None,
    written: DraftFields | None = None,
) -> Course | None:
    """Which weekdays, when, from when until when; None while something is missing.

    They begin with those of a running plan, or with what was written before.
    """
    begun = now or written
    weekdays_before = begun.weekdays if begun else None
    minute_before = now.starts_minute if now else _minute(written)
    earliest = clock.today() + (plans.EARLIEST_CHANGE if now else timedelta(days=1))
    first_before = (written.day if written else None) or clock.today() + _FIRST_AHEAD
    weekdays = st.pills(
        t("plan.weekdays"),
        range(7),
        selection_mode="multi",
        default=_WORKDAYS if weekdays_before is None else weekdays_before,
        format_func=lambda day: t(f"weekday.{formats.WEEKDAYS[day]}"),
        key=f"{key}_weekdays",
    )
    with st.grid(5, min_column_width=130):
        weeks = st.selectbox(
            t("plan.every"),
            range(1, 5),
            index=(begun.weeks - 1) if begun and begun.weeks <= 4 else 0,
            format_func=lambda one: t("plan.every_week" if one == 1 else "plan.weeks", weeks=one),
            key=f"{key}_weeks",
        )
        begins = st.time_input(
            t("field.start"),
            _clock_time(minute_before),
            step=_STEP_SECONDS,
            key=f"{key}_at",
        )
        first = st.date_input(
            t("plan.first"),
            max(first_before, earliest),
            min_value=earliest,
            key=f"{key}_first",
        )
        ends = st.selectbox(
            t("plan.until"),
            (True, False),
            index=int(_without_end(written)),
            format_func=lambda one: t("plan.until_day" if one else "plan.until_ended"),
            key=f"{key}_ends",
        )
        last = (
            st.date_input(
                t("plan.last"),
                _last(first, now, written),
                min_value=first,
                max_value=first + _A_YEAR,
                key=f"{key}_last",
            )
            if ends
            else None
        )
    if not weekdays:
        st.info(t("error.plan_without_days"), icon=":material/touch_app:")
        return None
    return Course(
        rule=recurrence.weekly(weekdays, weeks, first),
        starts_minute=begins.hour * 60 + begins.minute,
        units=units,
        unit_price_fen=unit_price_fen,
        first_on=first,
        last_on=last,
    )


def written_course(key: str, fields: DraftFields) -> DraftFields:
    """What of a course is filled in, complete or not, put into a draft."""
    filled = {
        name: st.session_state[f"{key}_{name}"]
        for name in ("weekdays", "weeks", "at", "first", "ends")
    }
    return replace(
        fields,
        weekdays=tuple(sorted(filled["weekdays"])),
        weeks=filled["weeks"],
        start=filled["at"],
        day=filled["first"],
        until_on=st.session_state[f"{key}_last"] if filled["ends"] else None,
    )


def _without_end(written: DraftFields | None) -> bool:
    return written is not None and written.until_on is None


def _last(first: date, now: SegmentView | None, written: DraftFields | None) -> date:
    """The last day a course begins with: the one written, else a month or the plan's own."""
    if written and written.until_on and written.until_on >= first:
        return min(written.until_on, first + _A_YEAR)
    return max(first + _A_MONTH, (now.until_on if now else None) or first)


def _minute(written: DraftFields | None) -> int:
    if written is None or written.start is None:
        return 9 * 60
    return written.start.hour * 60 + written.start.minute


def _clock_time(minute: int) -> time:
    return time(minute // 60, minute % 60)
