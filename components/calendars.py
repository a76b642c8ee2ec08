"""A caregiver's calendar: turned over by month or week, and changed day by day."""

from datetime import date, datetime, timedelta
from functools import partial

import streamlit as st

from components import calendar_picture, catalogue, formats, layout, navigation, session
from components.i18n import t
from services import calendars, clock
from services.access import Role
from services.availability import Stretch
from services.calendars import Appointment, CalendarView, DayView

_MONTH, _WEEK = "month", "week"
_AS_WEEK, _OWN, _OFF = "as_week", "own", "off"
_WAYS = (_AS_WEEK, _OWN, _OFF)
_HALF_HOURS = range(0, 24 * 60 + 1, 30)
_USUAL = (8 * 60, 18 * 60)
_AFTER_A_PAUSE = (14 * 60, 18 * 60)
_FURTHEST_SHOWN = timedelta(days=365)
_EDITED = "hours_"  # What is typed of a day's hours, and what was seen before.


def calendar(caregiver_id: int) -> tuple[CalendarView, DayView]:
    """The month or week with its buttons; returns what is shown, and the chosen day."""
    chosen = _chosen(caregiver_id)
    above = st.container()
    kind = st.session_state.get(_kind_key(caregiver_id), _MONTH)
    first, last = _shown(chosen, kind)
    shown = session.fetch(calendars.view, caregiver_id, first, last)
    with above:
        _head(caregiver_id, chosen, kind)
    calendar_picture.picture(
        shown,
        chosen.replace(day=1) if kind == _MONTH else None,
        chosen,
        f"calendar_{caregiver_id}_{kind}_{first:%Y%m%d}",
        partial(_choose, caregiver_id),
    )
    return shown, shown.days[(chosen - first).days]


def owner(shown: CalendarView) -> None:
    """Whose calendar an operator keeps, and the way back to her."""
    with layout.row():
        st.markdown(
            f"**{formats.plain(shown.name)}** · {formats.city(shown.city_code)}", width="content"
        )
        navigation.link(
            "caregivers",
            t("calendar.to_caregiver"),
            icon=":material/badge:",
            caregiver=str(shown.caregiver_id),
        )


def day_panel(caregiver_id: int, day: DayView) -> None:
    """The chosen day in words: hours, what takes of them, visits; and how it may be changed."""
    with st.container(border=True, key=f"day_{caregiver_id}"):
        st.subheader(formats.day(day.day), anchor=False)
        st.markdown("  \n".join(_facts(day)))
        _visits(day)
        if clock.today() <= day.day <= clock.today() + calendars.FURTHEST:
            _change(caregiver_id, day)


def written(one: Appointment, day: date | None = None) -> str:
    """09:00–11:00 · 医院陪诊 · 周晓燕 · 待上门 · 订单 12; with its day unless that is said."""
    whole = formats.span(one.starts_at, one.ends_at)
    if day and {clock.in_city(at).date() for at in (one.starts_at, one.ends_at)} == {day}:
        whole = f"{formats.time_of_day(one.starts_at)}–{formats.time_of_day(one.ends_at)}"
    return " · ".join(
        (
            whole,
            catalogue.item_name(catalogue.items(), one.item_id),
            formats.plain(one.family_name),
            t(f"visit_status.{one.status}"),
            t("order.number", number=one.order_id),
        )
    )


def visit_links(visits: tuple[Appointment, ...], day: date | None = None) -> None:
    """Visits line by line, and under them, for operators, the way to their orders."""
    st.markdown("\n".join(f"- {written(one, day)}" for one in visits))
    if session.actor().role is not Role.OPERATOR:
        return
    with layout.row():
        for order_id in dict.fromkeys(one.order_id for one in visits):
            navigation.link(
                "orders",
                t("order.number", number=order_id),
                icon=":material/arrow_forward:",
                order=str(order_id),
            )


def _head(caregiver_id: int, chosen: date, kind: str) -> None:
    """Which month or week, and the way to others."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="turn"):
        title = t("time.month", on=chosen)
        if kind == _WEEK:
            first, last = _shown(chosen, kind)
            title = t("calendar.week_of", first=_short(first), last=_short(last))
        st.subheader(title, anchor=False, width="stretch")
        for name, way, icon in (("before", -1, "chevron_left"), ("after", 1, "chevron_right")):
            turned = _turned(chosen, kind, way)
            st.button(
                t(f"calendar.{name}"),
                icon=f":material/{icon}:",
                type="tertiary",
                key=f"turn_{name}",
                disabled=abs(turned - clock.today()) > _FURTHEST_SHOWN,
                on_click=_choose,
                args=(caregiver_id, turned.isoformat()),
            )
        st.button(
            t("time.today"),
            icon=":material/today:",
            type="tertiary",
            key="turn_today",
            on_click=_choose,
            args=(caregiver_id, clock.today().isoformat()),
        )
        st.segmented_control(
            t("calendar.kind"),
            (_MONTH, _WEEK),
            default=_MONTH,
            required=True,
            format_func=lambda one: t(f"calendar.{one}"),
            key=_kind_key(caregiver_id),
            label_visibility="collapsed",
        )


def _facts(day: DayView) -> list[str]:
    planned = calendar_picture.hours(day.hours) or t("calendar.state_off")
    whose = t("calendar.of_week" if day.own is None else "calendar.of_day")
    facts = [f":material/schedule: **{planned}** :gray[:small[{whose}]]"]
    facts += [
        f":material/event_busy: {t('calendar.on_leave', time=when(*one))}" for one in day.leaves
    ]
    facts += [
        f":material/block: {t('calendar.closed', time=when(one.starts_at, one.ends_at))}"
        f" · {formats.plain(one.words)}"
        for one in day.closures
    ]
    still_free = [one for one in day.free if one[1] > clock.now()]
    if still_free:
        free = formats.listed(
            f"{formats.time_of_day(starts)}–{_until(starts, ends)}" for starts, ends in still_free
        )
        facts.append(f":material/event_available: {t('calendar.free', time=free)}")
    return facts


def _visits(day: DayView) -> None:
    if day.appointments:
        visit_links(day.appointments, day.day)
    else:
        st.caption(t("calendar.no_visits"))
    if day.appointments and session.actor().role is Role.CAREGIVER:
        navigation.link("my_visits", t("page.my_visits"), icon=":material/arrow_forward:")


def _change(caregiver_id: int, day: DayView) -> None:
    """Other hours for this day and, if wished, those after it."""
    with st.expander(
        t("calendar.change"),
        icon=":material/edit_calendar:",
        key=f"change_{caregiver_id}_{day.day:%Y%m%d}",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            _forget()
            return
        key = f"{_EDITED}{caregiver_id}_{day.day:%Y%m%d}"
        way, stretches = _hours(day, key)
        until = st.date_input(
            t("calendar.until"),
            day.day,
            min_value=day.day,
            max_value=day.day + timedelta(days=calendars.MOST_DAYS - 1),
            key=f"{key}_until",
            help=t("calendar.until_help"),
        )
        days = session.fetch(calendars.view, caregiver_id, day.day, until).days
        now = {one.day: one.own for one in days}
        # What was there when the form opened: what somebody else changes meanwhile is not lost.
        seen = st.session_state.setdefault(f"{key}_seen_{until:%Y%m%d}", now)
        if seen != now:
            st.warning(t("calendar.changed_meanwhile"), icon=":material/sync_problem:")
            st.button(t("calendar.look_again"), key="look_again", on_click=_forget)
        if held := sum(len(one.appointments) for one in days):
            st.caption(t("calendar.visits_stay", count=held))
        if not st.button(t("calendar.save"), type="primary", key=f"save_{key}"):
            return
        if way == _AS_WEEK:
            session.perform(
                "calendar.saved", calendars.clear_days, caregiver_id, seen, forget=(_EDITED,)
            )
        else:
            session.perform(
                "calendar.saved", calendars.set_days, caregiver_id, seen, stretches,
                forget=(_EDITED,),
            )  # fmt: skip


def _hours(day: DayView, key: str) -> tuple[str, list[Stretch]]:
    """As every week, with hours of its own, or off; of its own in one stretch or two."""
    own = day.own or ()
    now = _AS_WEEK if day.own is None else _OWN if own else _OFF
    way = st.segmented_control(
        t("calendar.way"),
        _WAYS,
        default=now,
        required=True,
        format_func=lambda one: t(f"calendar.way_{one}"),
        key=f"{key}_way",
        label_visibility="collapsed",
        wrap=True,
    )
    if way != _OWN:
        return way, []
    first = own[0] if own else day.hours[0] if day.hours else _USUAL
    stretches = [_stretch(t("calendar.hours"), first, f"{key}_first")]
    if st.toggle(t("my_profile.pause"), len(own) > 1, key=f"{key}_pause"):
        then = own[1] if len(own) > 1 else _AFTER_A_PAUSE
        stretches.append(_stretch(t("calendar.hours_then"), then, f"{key}_then"))
    return way, stretches


def _stretch(label: str, now: Stretch, key: str) -> Stretch:
    options = sorted({*_HALF_HOURS, *now})
    return st.select_slider(label, options, value=now, format_func=formats.hour_minute, key=key)


def _forget() -> None:
    for key in [one for one in st.session_state if str(one).startswith(_EDITED)]:
        del st.session_state[key]


def _kind_key(caregiver_id: int) -> str:
    return f"calendar_kind_{caregiver_id}"


def _chosen(caregiver_id: int) -> date:
    """The day that was tapped, or that a link names; today without one."""
    named = st.session_state.get(f"calendar_day_{caregiver_id}") or st.query_params.get("day", "")
    try:
        chosen = date.fromisoformat(named)
    except ValueError:
        return clock.today()
    near = abs(chosen - clock.today()) <= _FURTHEST_SHOWN + calendars.A_WEEK
    return chosen if near else clock.today()


def _choose(caregiver_id: int, day: str) -> None:
    st.session_state[f"calendar_day_{caregiver_id}"] = day


def _shown(chosen: date, kind: str) -> tuple[date, date]:
    """The whole weeks of a day's month, or its own week."""
    first = chosen if kind == _WEEK else chosen.replace(day=1)
    last = chosen if kind == _WEEK else _next_month(chosen) - timedelta(days=1)
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def _turned(chosen: date, kind: str, way: int) -> date:
    """The day to choose a week on or back, or on the first of the month next to it."""
    if kind == _WEEK:
        return chosen + way * calendars.A_WEEK
    turned = _next_month(chosen) if way > 0 else (chosen.replace(day=1) - timedelta(days=1))
    today = clock.today()
    same = (turned.year, turned.month) == (today.year, today.month)
    return today if same else turned.replace(day=1)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _short(day: date) -> str:
    return t("calendar.day_of_month", on=day)


def when(starts_at: datetime, ends_at: datetime) -> str:
    """A time in whole days without its midnights: 1月8日 周二 – 1月9日 周三."""
    starts, ends = clock.in_city(starts_at), clock.in_city(ends_at)
    if any(at.hour or at.minute for at in (starts, ends)):
        return formats.span(starts_at, ends_at)
    last = ends.date() - timedelta(days=1)
    if starts.date() == last:
        return formats.day(last)
    return f"{formats.day(starts.date())} – {formats.day(last)}"


def _until(starts_at: datetime, ends_at: datetime) -> str:
    """The end of a time on a day; its midnight is 24:00."""
    next_day = clock.in_city(starts_at).date() != clock.in_city(ends_at).date()
    return formats.hour_minute(24 * 60) if next_day else formats.time_of_day(ends_at)
