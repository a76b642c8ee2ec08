"""A caregiver's visits: where to be, checking in and out, the code, and what is earned."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urljoin

import streamlit as st

from components import catalogue, formats, icons, layout, location, qr, session, troubles
from components.changes import change_buttons
from components.chat import order_talk_button, unread_about
from components.complaints import complaint_button
from components.exclusions import apart_button
from components.extra_times import extra_time_button
from components.i18n import t
from components.incidents import incident_button
from components.orders import Beside, history
from components.report_photos import photo_desk, photos_of
from services import clock, visits
from services.catalogue import ItemView
from services.orders import OrderView, VisitStatus

WAITING = (
    VisitStatus.IN_PROGRESS,
    VisitStatus.PLANNED,
    VisitStatus.FINISHED,
    VisitStatus.HELD,
)
DONE = (VisitStatus.REDEEMED, VisitStatus.MISSED, VisitStatus.CANCELLED)
# What she is at comes before what only waits for its code.
_NOW = (VisitStatus.IN_PROGRESS, VisitStatus.PLANNED, VisitStatus.FINISHED)
_UNPAID = (VisitStatus.MISSED, VisitStatus.CANCELLED)
_WEEK = "weeks_away"
_SHOWN_AT_ONCE = 2
_CARD_WIDTH = 340
_SOON = timedelta(days=1)


def week() -> tuple[datetime, datetime]:
    """The seven days on the page: from today on, or as many weeks away as was asked for."""
    away = st.session_state.setdefault(_WEEK, 0)
    midnight = clock.in_city(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + timedelta(weeks=away)
    return first, first + timedelta(weeks=1)


def beside(known: Sequence[OrderView]) -> Beside:
    """What is told beside these visits, asked once for all of them."""
    return Beside(
        troubles.troubles([visit.id for visit in known]),
        photos_of(known),
        unread_about() if known else {},
    )


def now_section(
    waiting: list[OrderView],
    items: dict[int, ItemView],
    codes: dict[int, str],
    told: Beside,
) -> None:
    """What goes on or should: running, late, or waiting for its code; the newest of each first."""
    shown = sorted(filter(_is_now, reversed(waiting)), key=lambda one: _NOW.index(one.visit_status))
    if not shown:
        return
    st.subheader(t("visits.now"), anchor=False)
    with st.grid("auto", min_column_width=_CARD_WIDTH):
        _cards(layout.first_of(shown, "visits_now", _SHOWN_AT_ONCE), items, codes, told)
    layout.more_button(shown, "visits_now", _SHOWN_AT_ONCE)


def _is_now(visit: OrderView) -> bool:
    if visit.visit_status is VisitStatus.PLANNED:
        return visit.starts_at < clock.now()
    return visit.visit_status in _NOW


def week_section(
    shown: tuple[datetime, datetime],
    waiting: list[OrderView],
    done: list[OrderView],
    items: dict[int, ItemView],
    codes: dict[int, str],
    told: Beside,
) -> None:
    """Seven days as a strip, and under it their visits or those of the day that was tapped."""
    first, last = shown
    planned = [
        visit
        for visit in waiting
        if visit.visit_status is VisitStatus.PLANNED
        and not _is_now(visit)
        and first <= visit.starts_at < last
    ]
    visits_of: dict[str, list[OrderView]] = {
        (first + timedelta(days=ahead)).date().isoformat(): [] for ahead in range(7)
    }
    for visit in sorted([*planned, *done], key=lambda one: one.starts_at):
        visits_of[_day_of(visit)].append(visit)
    day = _strip(first, visits_of)
    listed = visits_of[day] if day else [one for each in visits_of.values() for one in each]
    if not listed:
        st.caption(t("visits.free_day" if day else "visits.free_week"))
    with st.grid("auto", min_column_width=_CARD_WIDTH):
        _cards(layout.first_of(listed, "visits_week", _SHOWN_AT_ONCE), items, codes, told)
    layout.more_button(listed, "visits_week", _SHOWN_AT_ONCE)


def _day_of(visit: OrderView) -> str:
    return clock.in_city(visit.starts_at).date().isoformat()


def _strip(first: datetime, visits_of: dict[str, list[OrderView]]) -> str | None:
    """The week's days with how much each holds; the one tapped, or None for all of them."""
    last = first + timedelta(days=6)
    with st.container(horizontal=True, vertical_alignment="center", key="week_head"):
        st.subheader(
            t("visits.week", first=formats.date_alone(first), last=formats.date_alone(last)),
            anchor=False,
            width="content",
        )
        for name, step, icon in (("before", -1, "chevron_left"), ("after", 1, "chevron_right")):
            st.button(
                t(f"visits.week_{name}"),
                icon=f":material/{icon}:",
                type="tertiary",
                key=f"week_{name}",
                on_click=_turn,
                args=(step,),
            )

    def label(day: str) -> str:
        on = date.fromisoformat(day)
        planned = sum(one.visit_status not in _UNPAID for one in visits_of[day])
        held = f" · {planned}" if planned else ""
        return f"{t(f'weekday.{formats.WEEKDAYS[on.weekday()]}')} {on.day}{held}"

    return st.pills(
        t("visits.day"),
        list(visits_of),
        format_func=label,
        key=f"day_of_{first:%Y%m%d}",
        label_visibility="collapsed",
    )


def _turn(weeks: int) -> None:
    st.session_state[_WEEK] += weeks


def _cards(
    shown: Sequence[OrderView],
    items: dict[int, ItemView],
    codes: dict[int, str],
    told: Beside,
) -> None:
    for visit in shown:
        visit_card(visit, items, codes.get(visit.visit_id), told)


def visit_card(
    visit: OrderView,
    items: dict[int, ItemView],
    code: str | None,
    told: Beside,
) -> None:
    """One visit with the one thing to do next."""
    item = items.get(visit.item_id)
    with st.container(border=True, gap="small", key=f"visit_{visit.visit_id}"):
        _head(visit, catalogue.item_name(items, visit.item_id))
        if visit.visit_status is VisitStatus.PLANNED:
            _check_in(visit)
        if "check_out" in visit.visit_moves and item is not None:
            _check_out(visit, formats.tasks(item))
        if visit.report_words:
            st.text(visit.report_words)
        photo_desk(visit, told.photos.get(visit.visit_id, []))
        troubles.trouble_cards(told.troubles, visit.id, visit.visit_id)
        if not told.troubles.asks_extra_time(visit.visit_id):
            extra_time_button(visit)
        incident_button(visit)
        if code is not None:
            _code(visit, code)
        with layout.deeds(f"visit_{visit.visit_id}"):
            asked = code is not None and st.button(
                t("visits.contact"),
                icon=":material/contact_phone:",
                key=f"contact_{visit.visit_id}",
            )
            change_buttons(visit)
        with layout.deeds(f"visit_{visit.visit_id}_more"):
            order_talk_button(visit, told.unread)
            complaint_button(visit)
            apart_button(visit)
            history(visit.id)
        if asked:
            _contact(visit)


def _head(visit: OrderView, item: str) -> None:
    status = visit.visit_status
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        soon = f" :gray[:small[{near}]]" if (near := _how_soon(visit)) else ""
        st.markdown(f"**{item}**{soon}", width="content")
        layout.badge(icons.VISIT[status], t(f"visit_status.{status}"))
    lines = [
        f":material/schedule: {formats.span(visit.starts_at, visit.ends_at)}",
        f":material/location_on: {formats.district(visit.district_code)}",
    ]
    if status not in _UNPAID:
        pay = t("visits.pay", pay=formats.money(visit.pay_fen))
        parts = t(
            "visits.pay_parts",
            total=formats.money(visit.total_fen),
            commission=formats.money(visit.commission_fen),
        )
        lines.append(f":material/payments: **{pay}** :small[{parts}]")
    if visit.redeemed_at is not None:
        redeemed = t("visits.redeemed_at", at=formats.moment(visit.redeemed_at))
        lines.append(f":material/verified: {redeemed}")
    st.markdown("  \n".join(lines))
    st.text(t("recipient.for", name=visit.recipient_name))


def _how_soon(visit: OrderView) -> str:
    """How far away a coming visit is, where 明天 does not say so already."""
    days = (clock.in_city(visit.starts_at).date() - clock.today()).days
    planned = visit.visit_status is VisitStatus.PLANNED
    return formats.ago(visit.starts_at) if planned and days != 1 else ""


def _check_in(visit: OrderView) -> None:
    """The button once its time has come, before that from when on."""
    if "check_in" not in visit.visit_moves:
        if visit.starts_at - clock.now() < _SOON:
            opens = formats.moment(visits.check_in_opens(visit.starts_at))
            st.caption(t("visits.check_in_from", from_time=opens))
        return
    if clock.now() > visit.starts_at:
        st.warning(t("visits.late"), icon=":material/alarm:")
    if st.button(
        t("move.check_in"),
        type="primary",
        icon=":material/where_to_vote:",
        key=f"check_in_{visit.visit_id}",
        width="stretch",
    ):
        session.perform("visits.checked_in", visits.check_in, visit.visit_id)
    if cell := location.neighbourhood(t("visits.check_in_here"), f"here_{visit.visit_id}"):
        session.perform("visits.checked_in", visits.check_in, visit.visit_id, cell)
    st.caption(t("visits.check_in_here_note"))


def _check_out(visit: OrderView, tasks: tuple[str, ...]) -> None:
    """The item's task list as ticks, and words to the family."""
    prefix = f"check_out_{visit.visit_id}"
    with st.form(prefix, border=True):
        st.markdown(f"**{t('visits.check_out_title')}**")
        st.caption(t("visits.check_out_help"))
        ticked = [
            st.checkbox(task, key=f"{prefix}_task_{number}") for number, task in enumerate(tasks)
        ]
        said = st.text_area(
            t("field.report_words"),
            key=f"{prefix}_words",
            max_chars=500,
            placeholder=t("visits.report_hint"),
        )
        if st.form_submit_button(
            t("move.check_out"),
            type="primary",
            icon=":material/task_alt:",
            key=f"{prefix}_submit",
            width="stretch",
        ):
            done = tuple(number for number, tick in enumerate(ticked) if tick)
            session.perform(
                "visits.checked_out",
                visits.check_out,
                visit.visit_id,
                done,
                said,
                forget=(prefix,),
            )


def _code(visit: OrderView, code: str) -> None:
    """The code, behind a click until the visit is over."""
    with st.expander(
        t("visits.code"),
        expanded=visit.visit_status is VisitStatus.FINISHED,
        icon=":material/qr_code_2:",
        key=f"code_{visit.visit_id}",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        if visit.locked_until is not None and visit.locked_until > clock.now():
            until = formats.moment(visit.locked_until)
            st.warning(t("visits.locked", until=until), icon=":material/lock:")
        with st.container(horizontal_alignment="center", gap="small"):
            if address := _address():
                query = f"visit={visit.visit_id}&code={code.replace('-', '')}"
                link = urljoin(address, f"redeem?{query}")
                st.image(qr.image(link), width=220, alt=t("visits.qr_alt"))
            st.code(code, language=None, width="content")
            st.caption(t("visits.code_help"), text_alignment="center")


def _address() -> str | None:
    """This page's address as the browser knows it."""
    return st.context.url


def _contact(visit: OrderView) -> None:
    """Phone, address and health notes; shown for this run only, and audited."""
    contact = session.disclose(visits.contact, visit.visit_id)
    if contact is None:
        return
    with st.container(border=True, gap="small", key=f"contact_shown_{visit.visit_id}"):
        st.caption(f":material/policy: {t('visits.contact_audited')}")
        layout.field(t("visits.family"), f"{contact.customer_name}  {contact.phone}")
        layout.field(t("field.address"), contact.address)
        person = (
            contact.recipient_name,
            t(f"sex.{contact.sex}"),
            t("recipient.years", years=contact.age),
            t(f"mobility.{contact.mobility}"),
        )
        layout.field(t("field.recipient"), " · ".join(person))
        for label, words in (
            ("ward", contact.ward),
            ("conditions", contact.conditions),
            ("recipient_language", contact.language),
            ("emergency_contact", contact.emergency_contact),
        ):
            if words:
                layout.field(t(f"field.{label}"), words)
